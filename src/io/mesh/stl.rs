//! Stereolithography: loose triangles as text (`solid`) or binary (80 bytes, a count, 50 bytes a triangle). A binary
//! file is one whose length fits its count, also where its header begins with `solid`.

use super::Raw;
use crate::base::{Error, Result};
use crate::model::Surface;
use crate::space::DVec3;

const HEAD: usize = 84;
const TRIANGLE: usize = 50;

/// Reads a file for fuzzing and tests: whether it is a mesh.
pub fn parse_stl(data: &[u8]) -> Result<()> {
    parse(data).map(drop)
}

pub(super) fn parse(data: &[u8]) -> Result<Raw> {
    let count = data.get(80..HEAD).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let is_text = data.trim_ascii_start().get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"solid"));
    let fits = count.is_some_and(|n| data.len() as u64 == HEAD as u64 + TRIANGLE as u64 * u64::from(n));
    match count {
        _ if is_text && !fits => text(data),
        Some(n) => binary(data, n as usize),
        None => Err(Error::malformed("the STL file is shorter than its header")),
    }
}

fn binary(data: &[u8], n: usize) -> Result<Raw> {
    let there = (data.len() - HEAD) / TRIANGLE;
    if there < n {
        return Err(Error::malformed(format!("{there} of {n} triangles are in the STL file; copy it again")));
    }
    let mut raw = Raw::default();
    raw.comment(&String::from_utf8_lossy(&data[..80]));
    for triangle in data[HEAD..].chunks_exact(TRIANGLE).take(n) {
        // The normal in front is not needed.
        let number = |i: usize| triangle.get(i..i + 4).and_then(|b| b.try_into().ok()).map_or(f32::NAN, f32::from_le_bytes);
        let first = raw.vertices.len() as u32;
        raw.vertices.extend(
            [12, 24, 36].map(|at| DVec3::new(f64::from(number(at)), f64::from(number(at + 4)), f64::from(number(at + 8)))),
        );
        raw.triangles.push([first, first + 1, first + 2]);
    }
    Ok(raw)
}

fn text(data: &[u8]) -> Result<Raw> {
    let text = String::from_utf8_lossy(data);
    let mut raw = Raw::default();
    let mut corners = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong = |what: &str| Error::malformed(format!("line {}: {what}", row + 1));
        match words.first().map(|w| w.to_ascii_lowercase()).as_deref() {
            Some("solid") => raw.comment(line),
            Some("vertex") => {
                let numbers: Vec<f64> = words[1..].iter().map_while(|w| w.parse().ok()).collect();
                let [x, y, z] = numbers[..] else { return Err(wrong("a vertex is not three numbers")) };
                corners.push(raw.vertices.len() as u32);
                raw.vertices.push(DVec3::new(x, y, z));
            }
            Some("endfacet") => {
                if corners.len() != 3 {
                    return Err(wrong("a facet does not have three vertices"));
                }
                raw.polygon(&std::mem::take(&mut corners));
            }
            _ => {}
        }
    }
    if !corners.is_empty() {
        return Err(Error::malformed("the STL file ends in the middle of a facet; copy it again"));
    }
    Ok(raw)
}

pub(super) fn written(surface: &Surface) -> Vec<u8> {
    let mut out = b"Myoscope SPACE=LPS UNIT=mm".to_vec();
    out.resize(80, b' ');
    out.extend((surface.triangles().len() as u32).to_le_bytes());
    for t in surface.triangles() {
        let [a, b, c] = surface.corners(*t);
        let normal = (b - a).cross(c - a).normalize_or_zero();
        for v in [normal, a, b, c] {
            v.to_array().iter().for_each(|x| out.extend((*x as f32).to_le_bytes()));
        }
        out.extend([0, 0]);
    }
    out
}
