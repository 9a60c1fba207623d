//! The header of NRRD: fields `name: value`, keys `name:=value`, an empty line, then the voxels.

use super::header::{datatype, formatted, grid, numbers, sizes};
use super::{Described, Foreign, MOST_HEADER_BYTES, Packing, Source};
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::path::Path;

/// Fields and keys; names of fields in lower case without spaces.
#[derive(Debug, Default)]
struct Fields {
    fields: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
    /// Names after `data file: LIST`.
    list: Vec<String>,
}

impl Fields {
    fn of(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Reads the header.
pub(super) fn describe(data: &[u8], path: &Path, reading: &mut Reading) -> Result<Described> {
    let (fields, end) = fields(data);
    let size = sizes(fields.of("sizes").unwrap_or_default(), "sizes")?;
    let (spatial, other) = axes(&fields, &size)?;
    let type_name = fields.of("type").unwrap_or_default().to_lowercase();
    let datatype = voxel_type(&type_name)
        .ok_or_else(|| Error::unsupported(format!("voxels of type «{type_name}» are not read; convert them to whole numbers")))?;
    let n_phases = other.map_or(1, |a| size[a]);
    let (axes, origin, length_unit_known) = place(&fields, &spatial, path, reading)?;
    let of_axis = |i: usize| spatial.get(i).map_or(1, |a| size[*a]);
    let table = segments(&fields);
    let foreign = Foreign {
        grid: grid([of_axis(0), of_axis(1), of_axis(2)], axes, origin)?,
        n_phases,
        phase_first: other == Some(0) && n_phases > 1,
        datatype,
        big_endian: fields.of("endian").is_some_and(|e| e.eq_ignore_ascii_case("big")),
        skip: 0,
        length_unit_known,
        phase_times_ms: times(&fields, n_phases),
        is_labels: !table.is_empty(),
    };
    let packing = match fields.of("encoding").unwrap_or_default().to_lowercase().as_str() {
        "raw" => Packing::Raw,
        "gzip" | "gz" => Packing::Gzip,
        "ascii" | "text" | "txt" => Packing::Text,
        other => return Err(Error::unsupported(format!("the encoding «{other}» is not read; write the file with gzip or raw"))),
    };
    let whole = |name: &str| fields.of(name).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    Ok(Described {
        foreign,
        packing,
        source: source(&fields, end)?,
        byte_skip: u64::try_from(whole("byteskip")).ok(),
        line_skip: usize::try_from(whole("lineskip")).unwrap_or(0),
        table,
    })
}

/// Fields of the header and where the voxels begin.
fn fields(data: &[u8]) -> (Fields, usize) {
    let (mut fields, mut pos) = (Fields::default(), 0);
    let mut is_list = false;
    while pos < data.len().min(MOST_HEADER_BYTES) {
        let end = data[pos..].iter().position(|b| *b == b'\n').map_or(data.len(), |n| pos + n);
        let line = String::from_utf8_lossy(&data[pos..end]).trim_end_matches('\r').to_owned();
        pos = (end + 1).min(data.len());
        if line.is_empty() {
            break;
        }
        if is_list {
            fields.list.push(line);
        } else if let Some((name, value)) = line.split_once(":=") {
            fields.keys.insert(name.trim().to_owned(), value.trim().to_owned());
        } else if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) {
            let name = name.to_lowercase().replace(' ', "");
            is_list = name == "datafile" && value.trim().starts_with("LIST");
            fields.fields.insert(name, value.trim().to_owned());
        }
    }
    (fields, pos)
}

/// Axes in space, and the one of time or of a list.
fn axes(fields: &Fields, size: &[usize]) -> Result<(Vec<usize>, Option<usize>)> {
    let kinds: Vec<String> = fields.of("kinds").unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    if let Some(kind) =
        kinds.iter().find(|k| k.contains("color") || k.contains("vector") || k.contains("matrix") || *k == "complex")
    {
        return Err(Error::unsupported(format!("voxels of kind {kind} are not read; split them into single values")));
    }
    let no_direction = directions(fields).map(|d| d.iter().map(Option::is_none).collect::<Vec<_>>()).unwrap_or_default();
    let is_space = |a: usize| match (no_direction.get(a), kinds.get(a).map(String::as_str)) {
        (Some(none), _) => !none,
        (None, Some("list" | "time" | "none" | "???")) => size.len() < 4 && kinds[a] != "list" && kinds[a] != "time",
        _ => true,
    };
    let (mut spatial, mut other): (Vec<usize>, Vec<usize>) = (0..size.len()).partition(|a| is_space(*a));
    if other.is_empty() && spatial.len() == 4 {
        other.extend(spatial.pop());
    }
    other.retain(|a| size[*a] > 1);
    let is_fine = (1..=3).contains(&spatial.len()) && other.len() <= 1 && other.iter().all(|a| *a == 0 || *a + 1 == size.len());
    if !is_fine {
        return Err(Error::unsupported(format!(
            "axes of sizes {size:?} are not read; up to three of space and one of time, first or last, were expected"
        )));
    }
    Ok((spatial, other.first().copied()))
}

fn voxel_type(name: &str) -> Option<i16> {
    let name = name.replace("_t", "").replace("unsigned ", "u").replace("signed ", "").replace(" int", "").replace(' ', "");
    match name.as_str() {
        "uchar" | "uint8" => datatype(false, false, 8),
        "char" | "int8" => datatype(false, true, 8),
        "short" | "int16" => datatype(false, true, 16),
        "ushort" | "uint16" => datatype(false, false, 16),
        "int" | "int32" => datatype(false, true, 32),
        "uint" | "uint32" => datatype(false, false, 32),
        "longlong" | "int64" => datatype(false, true, 64),
        "ulonglong" | "uint64" => datatype(false, false, 64),
        "float" => datatype(true, true, 32),
        "double" => datatype(true, true, 64),
        _ => None,
    }
}

/// `(x,y,z)` or `none` of each axis.
fn directions(fields: &Fields) -> Option<Vec<Option<DVec3>>> {
    let text = fields.of("spacedirections")?;
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && found.len() < 16 {
        if let Some(after) = rest.strip_prefix("none") {
            found.push(None);
            rest = after.trim_start();
        } else {
            let (inside, after) = rest.strip_prefix('(')?.split_once(')')?;
            found.push(vector(inside));
            rest = after.trim_start();
        }
    }
    Some(found)
}

fn vector(text: &str) -> Option<DVec3> {
    let v = numbers(&text.replace(',', " "))?;
    let &[x, y, ref rest @ ..] = v.as_slice() else { return None };
    Some(DVec3::new(x, y, rest.first().copied().unwrap_or(0.0)))
}

/// Axes and origin in LPS mm, and whether the unit is sure.
fn place(fields: &Fields, spatial: &[usize], path: &Path, reading: &mut Reading) -> Result<([DVec3; 3], DVec3, bool)> {
    let sign = match fields.of("space").unwrap_or_default().to_lowercase().as_str() {
        "right-anterior-superior" | "ras" => DVec3::new(-1.0, -1.0, 1.0),
        "left-anterior-superior" | "las" => DVec3::new(1.0, -1.0, 1.0),
        "left-posterior-superior" | "lps" => DVec3::ONE,
        other => {
            let what = format!("its space is «{other}»; its axes were taken for patient left, posterior, superior");
            reading.warnings.note("space-assumed", what, Some(path));
            DVec3::ONE
        }
    };
    let given = directions(fields);
    let spacings = numbers(fields.of("spacings").unwrap_or_default()).unwrap_or_default();
    let units = fields.of("spaceunits").or(fields.of("units")).unwrap_or_default().to_lowercase();
    let mut scale = 1.0;
    let mut known = given.is_some() || !spacings.is_empty();
    for (word, mm) in [("\"mm\"", 1.0), ("\"cm\"", 10.0), ("\"m\"", 1000.0), ("\"um\"", 0.001), ("\"µm\"", 0.001)] {
        if units.contains(word) {
            (scale, known) = (mm, true);
        }
    }
    if given.is_none() && units.is_empty() {
        known = false;
        reading.warnings.warn("unit-unknown", "the file does not say its unit of length; numbers were taken for mm", Some(path));
    }
    let mut axes = [DVec3::X, DVec3::Y, DVec3::Z];
    for (i, &axis) in spatial.iter().enumerate() {
        axes[i] = match &given {
            Some(list) => list.get(axis).copied().flatten().ok_or_else(|| Error::malformed("an axis has no direction"))?,
            None => axes[i] * spacings.get(axis).copied().filter(|s| s.is_finite() && *s != 0.0).unwrap_or(1.0),
        };
    }
    if given.is_some() && spatial.len() == 2 {
        axes[2] = axes[0].cross(axes[1]).normalize_or(DVec3::Z) * sign.x * sign.y * sign.z;
    }
    let origin = fields.of("spaceorigin").and_then(|t| vector(t.trim_matches(['(', ')']))).unwrap_or_default();
    Ok((axes.map(|a| a * sign * scale), origin * sign * scale, known))
}

/// Times of the phases, where the viewer that wrote them says them in ms.
fn times(fields: &Fields, n_phases: usize) -> Vec<f64> {
    let unit = fields.keys.get("MultiVolume.FrameIdentifyingDICOMTagUnits").map_or("ms", String::as_str);
    let text = fields.keys.get("MultiVolume.FrameLabels").map(|t| t.replace(',', " ")).unwrap_or_default();
    numbers(&text).filter(|t| t.len() == n_phases && n_phases > 1 && unit == "ms").unwrap_or_default()
}

/// Labels of a segmentation as 3D Slicer writes them.
fn segments(fields: &Fields) -> Vec<(u8, String, Option<[u8; 3]>)> {
    let key = |i: usize, name: &str| fields.keys.get(&format!("Segment{i}_{name}"));
    (0..256)
        .map_while(|i| {
            let value = key(i, "LabelValue").map_or(Some(1), |t| t.parse::<u8>().ok());
            let name = key(i, "Name")?.chars().take(64).collect();
            let color = key(i, "Color").and_then(|t| numbers(t)).filter(|c| c.len() == 3);
            let rgb = color.map(|c| [c[0], c[1], c[2]].map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8));
            Some((value?, name, rgb))
        })
        .collect()
}

fn source(fields: &Fields, end: usize) -> Result<Source> {
    let Some(file) = fields.of("datafile") else { return Ok(Source::Here(end)) };
    if file.starts_with("LIST") {
        return Ok(Source::Files(fields.list.clone()));
    }
    let words: Vec<&str> = file.split_whitespace().collect();
    if let [pattern, numbers @ ..] = words.as_slice()
        && pattern.contains('%')
        && numbers.len() >= 3
    {
        let of = |i: usize| numbers[i].parse::<i64>().ok();
        let (Some(first), Some(last), Some(step)) = (of(0), of(1), of(2).filter(|s| *s > 0)) else {
            return Err(Error::malformed(format!("the data files «{file}» cannot be counted")));
        };
        let count = usize::try_from((last - first) / step + 1).unwrap_or(0).min(100_000);
        let names = (0..count).map(|i| formatted(pattern, first + step * i as i64)).collect::<Option<Vec<_>>>();
        return names.map(Source::Files).ok_or_else(|| Error::malformed(format!("the data files «{file}» hold no number")));
    }
    Ok(Source::Files(vec![file.to_owned()]))
}
