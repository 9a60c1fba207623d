//! Guide points of biv-me: `x y z contour-type frameID weight time-frame`, patient LPS mm. Points of the septum belong
//! to both ventricles; the closed lines around cavities are put together from the parts.

use crate::base::{Error, Result};
use crate::io::bytes;
use crate::model::{Border, Contour, ContourSpace, Contours};
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::path::Path;

/// A gap this many times the usual distance of points is an end.
const OPEN_GAP: f64 = 5.0;

/// Points by frame and kind, in the order of the file.
type Parts = BTreeMap<(i64, i64), BTreeMap<String, Vec<DVec3>>>;

/// Contours of a file: `endo`, `epi` and `rv-endo` of short-axis frames closed, everything else open and by its own
/// word. The phase is the time frame of the rows, or the number at the end of the file's name where rows of one file
/// name several.
pub fn parse_guide_points(data: &[u8], path: &Path) -> Result<Contours> {
    let text = String::from_utf8_lossy(data);
    let mut parts = Parts::new();
    for (row, line) in text.lines().enumerate().skip(1).filter(|(_, l)| !l.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong = || Error::malformed(format!("line {} is not x, y, z, contour type, frame, weight and time frame", row + 1));
        let number = |i: usize| words.get(i).and_then(|w| w.parse::<f64>().ok()).filter(|v| v.is_finite()).ok_or_else(wrong);
        let point = DVec3::new(number(0)?, number(1)?, number(2)?);
        let kind = words.get(3).ok_or_else(wrong)?.to_uppercase();
        let (frame, time) = (number(4)?, words.get(6).map_or(Ok(0.0), |_| number(6))?);
        if !(0.0..1e6).contains(&frame) || !(0.0..1e5).contains(&time) {
            return Err(wrong());
        }
        parts.entry((time as i64, frame as i64)).or_default().entry(kind).or_default().push(point);
    }
    if parts.is_empty() {
        return Err(Error::malformed("the file of guide points has no points"));
    }
    let times: Vec<i64> = parts.keys().map(|k| k.0).collect();
    let one_phase = times.iter().any(|t| *t != times[0]).then(|| phase_of_name(path)).flatten();
    let lines = parts
        .into_iter()
        .flat_map(|((time, frame), kinds)| frame_lines(frame, one_phase.unwrap_or(time as usize), &kinds))
        .collect();
    Ok(Contours { name: bytes::stem(path), space: ContourSpace::Patient, lines })
}

/// 9 of `GPFile_009.txt`.
fn phase_of_name(path: &Path) -> Option<usize> {
    let stem = bytes::stem(path);
    let digits = stem.rsplit(['_', '-']).next()?;
    digits.parse().ok().filter(|n| *n < 100_000)
}

fn frame_lines(frame: i64, phase: usize, kinds: &BTreeMap<String, Vec<DVec3>>) -> Vec<Contour> {
    let contour = |border: Border, view: &str, closed: bool, points: Vec<DVec3>| Contour {
        border,
        view: view.into(),
        slice: frame,
        phase,
        closed,
        points,
        image: None,
    };
    let get = |kind: &str| kinds.get(kind).filter(|p| p.len() > 2);
    let mut lines = Vec::new();
    let septum = get("SAX_RV_SEPTUM");
    for (kind, border, other) in [
        ("SAX_LV_ENDOCARDIAL", Border::Endo, None),
        ("SAX_LV_EPICARDIAL", Border::Epi, septum),
        ("SAX_RV_FREEWALL", Border::RvEndo, septum),
    ] {
        let Some(points) = get(kind) else { continue };
        let joined = match other {
            Some(septum) if is_open(points) => joined(points, septum),
            _ => points.clone(),
        };
        let closed = !is_open(&joined);
        lines.push(contour(border, "sax", closed, joined));
    }
    for (kind, points) in kinds {
        let known = ["SAX_LV_ENDOCARDIAL", "SAX_LV_EPICARDIAL", "SAX_RV_FREEWALL", "SAX_RV_SEPTUM"].contains(&kind.as_str());
        let (view, word) = match kind.split_once('_') {
            Some(("SAX", rest)) => ("sax", rest),
            Some(("LAX", rest)) => ("lax", rest),
            _ => ("", kind.as_str()),
        };
        if !known {
            lines.push(contour(Border::Other(word.to_lowercase().replace('_', "-")), view, false, chain(points)));
        }
    }
    lines
}

/// Distances from each point to the next, around.
fn gaps(points: &[DVec3]) -> Vec<f64> {
    points.iter().zip(points.iter().cycle().skip(1)).map(|(a, b)| a.distance(*b)).collect()
}

/// Whether there is one gap far wider than usual, also from the last point to the first.
fn is_open(points: &[DVec3]) -> bool {
    let gaps = gaps(points);
    let mut sorted = gaps.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    sorted.last().is_some_and(|g| *g > OPEN_GAP * usual.max(1e-9))
}

/// The points from behind the widest gap on.
fn chain(points: &[DVec3]) -> Vec<DVec3> {
    let widest = gaps(points).into_iter().enumerate().fold((0, f64::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a }).0;
    let mut out = points.to_vec();
    out.rotate_left((widest + 1) % points.len().max(1));
    out
}

/// Two open lines joined at their nearest ends.
fn joined(a: &[DVec3], b: &[DVec3]) -> Vec<DVec3> {
    let (mut line, mut other) = (chain(a), chain(b));
    let end = |l: &[DVec3]| l.first().copied().zip(l.last().copied()).unwrap_or_default();
    let ((a0, a1), (b0, b1)) = (end(&line), end(&other));
    if a1.distance(b0) + b1.distance(a0) > a1.distance(b1) + b0.distance(a0) {
        other.reverse();
    }
    line.extend(other);
    line
}
