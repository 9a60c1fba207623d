//! Drawn outlines in and out: tables of points, contour text of the Sunnybrook data, guide points of biv-me, and
//! workspaces of cvi42. Each reader says where its points are; whole numbers of pixels are pixel centers.

mod bivme;
mod cvi42;
mod points;
mod sunnybrook;
#[cfg(test)]
mod tests;
mod xml;

pub use bivme::parse_guide_points;
pub use cvi42::parse_cvi42;
pub use points::{parse_points, write_points};
pub use sunnybrook::{parse_sunnybrook, sunnybrook_name, write_sunnybrook};

use super::table::TableKind;
use super::{Content, Found, Reading, bytes};
use crate::base::{Error, Result};
use crate::model::{ContourSpace, Contours};
use std::path::{Path, PathBuf};

/// What wrote a file of contours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContourKind {
    Points,
    Sunnybrook,
    GuidePoints,
    Cvi42,
}

/// The kind of a file by its first bytes, and for files of bare numbers by its name; `None` for other files.
pub(super) fn kind_of(path: &Path, first: &[u8]) -> Option<ContourKind> {
    let text = String::from_utf8_lossy(first.get(..first.len().min(4096)).unwrap_or_default()).into_owned();
    let header: Vec<String> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split([',', '\t', ';'])
        .map(|w| w.trim().trim_matches('"').to_lowercase())
        .collect();
    let has = |name: &str| header.iter().any(|w| w == name);
    if has("phase") && has("point") && has("x_mm") && has("y_mm") {
        return Some(ContourKind::Points);
    }
    if header.starts_with(&["x".into(), "y".into(), "z".into()]) && has("contour type") {
        return Some(ContourKind::GuidePoints);
    }
    if text.contains("Hash:key") || (bytes::ending(path).starts_with("cvi42") && text.trim_start().starts_with('<')) {
        return Some(ContourKind::Cvi42);
    }
    sunnybrook_name(path).map(|_| ContourKind::Sunnybrook)
}

/// The contours of one file.
pub(super) fn read(path: &Path, kind: ContourKind, reading: &mut Reading) -> Result<Found> {
    let data = bytes::read_inflated(path, &reading.limits)?;
    let mut contours = match kind {
        ContourKind::Points => parse_points(data, TableKind::of(path), reading)?,
        ContourKind::Sunnybrook => parse_sunnybrook(&data, path)?,
        ContourKind::GuidePoints => parse_guide_points(&data, path)?,
        ContourKind::Cvi42 => parse_cvi42(&data, reading)?,
    };
    if contours.name.is_empty() {
        contours.name = bytes::stem(path);
    }
    say(&contours, kind, path, reading);
    Ok(Found::alone(Content::Contours(contours), path))
}

/// What was assumed of the places of points.
fn say(contours: &Contours, kind: ContourKind, path: &Path, reading: &mut Reading) {
    let what = match (kind, contours.space) {
        (ContourKind::Sunnybrook, _) => {
            "points are column and row of the image whose number is in the name; whole numbers are taken as pixel centers, the first pixel is 0 (convert takes --first-pixel 1)"
        }
        (ContourKind::Cvi42, _) => {
            "points are column and row times the subpixel factor of the file; divided by it, whole numbers are taken as pixel centers"
        }
        (ContourKind::GuidePoints, _) => {
            "points are patient LPS mm; open lines are joined at their nearest ends where together they go around a cavity"
        }
        (_, ContourSpace::Picture) => "points have no z and no place in the patient",
        _ => "points are patient LPS mm",
    };
    reading.warnings.note("contour-points", what, Some(path));
}

/// All Sunnybrook files of a folder as one thing.
pub(super) fn read_sunnybrook_folder(folder: &Path, files: &[PathBuf], reading: &mut Reading) -> Result<Found> {
    let mut lines = Vec::new();
    let mut n_files = 0;
    let mut failed = None;
    for file in files {
        reading.progress.step(0.0, "reading contours")?;
        match bytes::read_file(file, &reading.limits).and_then(|data| parse_sunnybrook(&data, file)) {
            Ok(one) => {
                lines.extend(one.lines);
                n_files += 1;
            }
            Err(e) => {
                let e = e.at(file);
                reading.warnings.error(e.code(), e.to_string(), Some(file));
                failed.get_or_insert(e);
            }
        }
    }
    if lines.is_empty() {
        return Err(failed.unwrap_or_else(|| Error::malformed("no contour").at(folder)));
    }
    lines.sort_by(|a, b| (a.slice, &a.border).cmp(&(b.slice, &b.border)));
    let contours = Contours { name: bytes::stem(folder), space: ContourSpace::Pixels, lines };
    say(&contours, ContourKind::Sunnybrook, folder, reading);
    Ok(Found { n_files, ..Found::alone(Content::Contours(contours), folder) })
}

/// Contours on pixels are placed by the images that were opened with them; what finds no image stays as it is and
/// is counted.
pub(super) fn place_with_images(found: &mut [Found], reading: &mut Reading) {
    let images: Vec<_> = found.iter().flat_map(|f| f.images.iter().cloned()).collect();
    if images.is_empty() {
        return;
    }
    for one in found.iter_mut() {
        let Content::Contours(contours) = &one.content else { continue };
        if contours.space != ContourSpace::Pixels {
            continue;
        }
        let (placed, n_without) = contours.placed(&images);
        if placed.lines.is_empty() {
            continue;
        }
        let what = format!(
            "{} contours were placed on the images of the same folder, {n_without} name images that are not there",
            placed.lines.len()
        );
        reading.warnings.note("contours-placed", what, Some(&one.path));
        let content = Content::Contours(placed);
        one.summary = super::summarize(&content);
        one.content = content;
    }
}

/// Numbers of one line of text, separated by blanks, tabs, commas or semicolons; `None` where a word is no number.
fn numbers(line: &str) -> Option<Vec<f64>> {
    let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|w| !w.is_empty());
    words.map(|w| w.parse::<f64>().ok().filter(|v| v.is_finite())).collect()
}
