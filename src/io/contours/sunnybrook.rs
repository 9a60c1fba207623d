//! Contour text of the Sunnybrook cardiac data: `IM-SSSS-NNNN-icontour-manual.txt` holds `x y` in pixels of image
//! number NNNN; `i` goes around the cavity, `o` around cavity and wall, `p1` and `p2` around papillary muscles.

use super::numbers;
use crate::base::{Error, Result};
use crate::io::bytes::write_bytes;
use crate::model::{Border, Contour, ContourSpace, Contours, ImageName, LabelMap};
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Number of the image and the border that a file name stands for; `None` for other names.
#[must_use]
pub fn sunnybrook_name(path: &Path) -> Option<(u32, Border)> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let name = name.strip_prefix("im-")?;
    let mut parts = name.split('-');
    let (_, number, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let ends = parts.next()?;
    if !(ends.starts_with("manual") || ends.starts_with("auto")) || !ends.split('.').skip(1).eq(["txt"]) {
        return None;
    }
    let border = match kind.strip_suffix("contour")? {
        "i" => Border::Endo,
        "o" => Border::Epi,
        p if p.starts_with('p') => Border::Papillary,
        _ => return None,
    };
    Some((number.parse().ok()?, border))
}

/// The one line of a file, in pixels.
pub fn parse_sunnybrook(data: &[u8], path: &Path) -> Result<Contours> {
    let (number, border) = sunnybrook_name(path)
        .ok_or_else(|| Error::malformed("the name of a contour file must be as IM-0001-0059-icontour-manual.txt"))?;
    let text = String::from_utf8_lossy(data);
    let mut points = Vec::new();
    for (row, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        match numbers(line).as_deref() {
            Some([x, y]) => points.push(DVec3::new(*x, *y, 0.0)),
            _ => return Err(Error::malformed(format!("line {} is not two numbers, column and row", row + 1))),
        }
    }
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 {
        return Err(Error::malformed(format!("{} points make no contour", points.len())));
    }
    let line = Contour {
        border,
        view: "sax".into(),
        slice: i64::from(number),
        phase: 0,
        closed: true,
        points,
        image: Some(ImageName::Number(number)),
    };
    Ok(Contours { name: String::new(), space: ContourSpace::Pixels, lines: vec![line] })
}

/// Writes the lines of labels into an existing folder, one file each: images are numbered slice · phases + phase + 1.
/// Gives the number of files. `Unsupported` for borders that the form has no letter for.
pub fn write_sunnybrook(folder: &Path, contours: &Contours, labels: &LabelMap) -> Result<usize> {
    let mut count: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut other = BTreeMap::new();
    for line in &contours.lines {
        let letter = match line.border {
            Border::Endo => "i",
            Border::Epi => "o",
            Border::Papillary => "p",
            _ => {
                *other.entry(line.border.name()).or_insert(0) += 1;
                continue;
            }
        };
        let number = u32::try_from(line.slice * labels.n_phases() as i64 + line.phase as i64 + 1)
            .map_err(|_| Error::parameter("a contour lies in no slice"))?;
        let n = count.entry((number, letter)).or_default();
        *n += 1;
        let letter = if letter == "p" { format!("p{n}") } else { letter.to_owned() };
        if letter != "p1" && *n > 1 && !letter.starts_with('p') {
            return Err(Error::unsupported(format!(
                "image {number} has {n} {} contours, the form has room for one; write a .csv",
                line.border.name()
            )));
        }
        let mut text = String::new();
        for p in &line.points {
            let v = labels.grid.voxel_from_lps().transform_point3(*p);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:.2} {:.2}", v.x, v.y);
        }
        files.insert(format!("IM-0001-{number:04}-{letter}contour-manual.txt"), text);
    }
    if files.is_empty() {
        let other: Vec<String> = other.keys().cloned().collect();
        return Err(Error::degenerate(format!(
            "no outline of the left ventricle is in the labels (there are: {}); the form has no room for others",
            if other.is_empty() { "none".to_owned() } else { other.join(", ") }
        )));
    }
    for (name, text) in &files {
        write_bytes(&folder.join(name), text.as_bytes())?;
    }
    Ok(files.len())
}
