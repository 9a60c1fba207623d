//! The header of MetaImage: lines `Key = value`, of which `ElementDataFile` is the last.

use super::header::{datatype, formatted, grid, numbers, sizes};
use super::{Described, Foreign, MOST_HEADER_BYTES, Packing, Source};
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::path::Path;

/// Whether bytes begin with the header of an image of MetaIO.
#[must_use]
pub fn is_metaimage(first_bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(first_bytes.get(..first_bytes.len().min(1024)).unwrap_or_default()).into_owned();
    let has = |key: &str| start.lines().any(|l| l.split_once('=').is_some_and(|(k, _)| k.trim() == key));
    has("NDims") && has("DimSize") || start.starts_with("ObjectType") && has("NDims")
}

/// Reads the header.
pub(super) fn describe(data: &[u8], path: &Path, reading: &mut Reading) -> Result<Described> {
    let (fields, list, end) = fields(data);
    let of = |names: &[&str]| names.iter().find_map(|n| fields.get(*n)).map(String::as_str);
    let size = sizes(of(&["DimSize"]).unwrap_or_default(), "DimSize")?;
    let n = size.len();
    if !(1..=4).contains(&n) {
        return Err(Error::unsupported(format!("an image of {n} dimensions is not read; three and time were expected")));
    }
    if of(&["ElementNumberOfChannels"]).is_some_and(|t| t.trim() != "1") {
        return Err(Error::unsupported("voxels of several channels are not read; split them into single values"));
    }
    let type_name = of(&["ElementType"]).unwrap_or_default();
    let datatype = voxel_type(type_name)
        .ok_or_else(|| Error::unsupported(format!("voxels of type «{type_name}» are not read; convert them to 16 bits")))?;
    let spacing = of(&["ElementSpacing", "ElementSize"]).and_then(numbers);
    if spacing.is_none() {
        reading.warnings.warn("unit-unknown", "the file does not give the spacing of its voxels; 1 was taken", Some(path));
    }
    let length_unit_known = spacing.is_some();
    let (axes, origin) = place(
        n,
        &spacing.unwrap_or_default(),
        of(&["TransformMatrix", "Rotation", "Orientation"]).and_then(numbers),
        of(&["Offset", "Position", "Origin"]).and_then(numbers),
    );
    let is_true = |names: &[&str]| of(names).is_some_and(|t| t.eq_ignore_ascii_case("true") || t == "1");
    let foreign = Foreign {
        grid: grid([size[0], size.get(1).copied().unwrap_or(1), size.get(2).copied().unwrap_or(1)], axes, origin)?,
        n_phases: size.get(3).copied().unwrap_or(1),
        phase_first: false,
        datatype,
        big_endian: is_true(&["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]),
        skip: 0,
        length_unit_known,
        phase_times_ms: Vec::new(),
        is_labels: false,
    };
    let is_text = of(&["BinaryData"]).is_some_and(|t| t.eq_ignore_ascii_case("false"));
    let packing = match (is_true(&["CompressedData"]), is_text) {
        (true, _) => Packing::Zlib,
        (_, true) => Packing::Text,
        _ => Packing::Raw,
    };
    let header_size = of(&["HeaderSize"]).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    let source = source(of(&["ElementDataFile"]).unwrap_or_default(), list, end, &size)?;
    let byte_skip = if matches!(source, Source::Here(_)) && header_size >= 0 { Some(0) } else { u64::try_from(header_size).ok() };
    Ok(Described { foreign, packing, source, byte_skip, line_skip: 0, table: Vec::new() })
}

/// Keys, the lines after `ElementDataFile = LIST`, and where the header ends.
fn fields(data: &[u8]) -> (BTreeMap<String, String>, Vec<String>, usize) {
    let (mut fields, mut list, mut pos) = (BTreeMap::new(), Vec::new(), 0);
    let mut is_list = false;
    while pos < data.len().min(MOST_HEADER_BYTES) {
        let end = data[pos..].iter().position(|b| *b == b'\n').map_or(data.len(), |n| pos + n);
        let line = String::from_utf8_lossy(&data[pos..end]).trim().to_owned();
        pos = (end + 1).min(data.len());
        if is_list {
            list.extend((!line.is_empty()).then_some(line));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        let is_last = key == "ElementDataFile";
        is_list = is_last && value.starts_with("LIST");
        fields.insert(key, value);
        if is_last && !is_list {
            break;
        }
    }
    (fields, list, pos)
}

fn voxel_type(name: &str) -> Option<i16> {
    match name.strip_prefix("MET_")? {
        "UCHAR" => datatype(false, false, 8),
        "CHAR" => datatype(false, true, 8),
        "SHORT" => datatype(false, true, 16),
        "USHORT" => datatype(false, false, 16),
        "INT" | "LONG" => datatype(false, true, 32),
        "UINT" | "ULONG" => datatype(false, false, 32),
        "LONG_LONG" => datatype(false, true, 64),
        "ULONG_LONG" => datatype(false, false, 64),
        "FLOAT" => datatype(true, true, 32),
        "DOUBLE" => datatype(true, true, 64),
        _ => None,
    }
}

/// Axes and origin in LPS mm: MetaIO keeps the direction of one axis after the other.
fn place(n: usize, spacing: &[f64], matrix: Option<Vec<f64>>, offset: Option<Vec<f64>>) -> ([DVec3; 3], DVec3) {
    let matrix = matrix.filter(|m| m.len() == n * n);
    let entry = |axis: usize, row: usize| match &matrix {
        Some(m) if axis < n.min(3) && row < n.min(3) => m[axis * n + row],
        _ => f64::from(u8::from(axis == row)),
    };
    let axes = [0, 1, 2].map(|axis| {
        let step = spacing.get(axis).copied().filter(|_| axis < n).unwrap_or(1.0);
        DVec3::new(entry(axis, 0), entry(axis, 1), entry(axis, 2)) * step
    });
    let offset = offset.unwrap_or_default();
    let at = |i: usize| offset.get(i).copied().unwrap_or(0.0);
    (axes, DVec3::new(at(0), at(1), if n >= 3 { at(2) } else { 0.0 }))
}

fn source(file: &str, list: Vec<String>, end: usize, size: &[usize]) -> Result<Source> {
    if file.eq_ignore_ascii_case("LOCAL") {
        return Ok(Source::Here(end));
    }
    if file.starts_with("LIST") {
        return Ok(Source::Files(list));
    }
    if file.is_empty() {
        return Err(Error::malformed("ElementDataFile is missing; the header is cut off"));
    }
    let words: Vec<&str> = file.split_whitespace().collect();
    if let [pattern, numbers @ ..] = words.as_slice()
        && pattern.contains('%')
    {
        let whole = |i: usize, usual: i64| numbers.get(i).map_or(Some(usual), |t| t.parse::<i64>().ok());
        let last = *size.last().unwrap_or(&1) as i64;
        let (Some(first), Some(last), Some(step)) = (whole(0, 1), whole(1, last), whole(2, 1).filter(|s| *s > 0)) else {
            return Err(Error::malformed(format!("the data files «{file}» cannot be counted")));
        };
        let count = usize::try_from((last - first) / step + 1).unwrap_or(0).min(100_000);
        let names = (0..count).map(|i| formatted(pattern, first + step * i as i64)).collect::<Option<Vec<_>>>();
        return names.map(Source::Files).ok_or_else(|| Error::malformed(format!("the data files «{file}» hold no number")));
    }
    Ok(Source::Files(vec![file.to_owned()]))
}
