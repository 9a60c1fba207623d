//! Wavefront OBJ: `v x y z`, `f a/b/c …`; polygons become fans, everything else is passed over.

use super::{Raw, index};
use crate::base::{Error, Result};
use crate::model::Surface;
use crate::space::DVec3;
use std::fmt::Write as _;

/// Reads a file for fuzzing and tests: whether it is a mesh.
pub fn parse_obj(data: &[u8]) -> Result<()> {
    parse(data).map(drop)
}

pub(super) fn parse(data: &[u8]) -> Result<Raw> {
    let text = String::from_utf8_lossy(data);
    let mut raw = Raw::default();
    for (row, line) in text.lines().enumerate() {
        let wrong = |what: &str| Error::malformed(format!("line {}: {what}", row + 1));
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => {
                let numbers: Vec<f64> = words.take(3).map_while(|w| w.parse().ok()).collect();
                let [x, y, z] = numbers[..] else { return Err(wrong("a vertex is not three numbers")) };
                raw.vertices.push(DVec3::new(x, y, z));
            }
            Some("f") => {
                let corners: Option<Vec<u32>> = words.map(|w| corner(w, raw.vertices.len())).collect();
                let corners = corners.filter(|c| c.len() > 2);
                raw.polygon(&corners.ok_or_else(|| wrong("a face does not name three vertices before it"))?);
            }
            Some(word) if word.starts_with('#') => raw.comment(line),
            _ => {}
        }
    }
    if raw.vertices.is_empty() {
        return Err(Error::malformed("the OBJ file has no vertices"));
    }
    Ok(raw)
}

/// `7`, `7/1`, `7//3` or, counted from the last vertex, `-1`.
fn corner(word: &str, n: usize) -> Option<u32> {
    let first = word.split('/').next()?;
    match first.strip_prefix('-') {
        Some(back) => u32::try_from(n.checked_sub(index(back)? as usize)?).ok().filter(|v| (*v as usize) < n),
        None => index(first)?.checked_sub(1).filter(|v| (*v as usize) < n),
    }
}

pub(super) fn written(surface: &Surface) -> Vec<u8> {
    let mut out = String::from("# SPACE=LPS\n# UNIT=mm\n");
    // Writing to a string cannot fail.
    for v in surface.vertices() {
        let _ = writeln!(out, "v {} {} {}", v.x, v.y, v.z);
    }
    for t in surface.triangles() {
        let _ = writeln!(out, "f {} {} {}", t[0] + 1, t[1] + 1, t[2] + 1);
    }
    out.into_bytes()
}
