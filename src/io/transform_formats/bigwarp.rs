//! Landmarks as `BigWarp` writes them, without a header: name, active, moving x, y[, z], fixed x, y[, z];
//! `Infinity` where a side is not placed. A file holds no transform: `BigWarp` fits a thin plate to it.

use super::{PIXEL_RULE, TransformFile, as_text, direction, number};
use crate::base::{Error, Result};
use crate::io::landmarks::{PairRow, PairTable};
use crate::model::TransformModel;

/// Most landmarks that are read.
const MOST: usize = 100_000;

/// Whether bytes look like such a file: the second word of the first line is true or false.
#[must_use]
pub fn is_bigwarp(data: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&data[..data.len().min(4096)]).into_owned();
    let Some(line) = start.lines().find(|l| !l.trim().is_empty()) else { return false };
    cells(line).get(1).is_some_and(|w| ["true", "false"].contains(&w.to_lowercase().as_str()))
}

/// The cells of a line; commas within quotes belong to a cell, doubled quotes are one.
fn cells(line: &str) -> Vec<String> {
    let (mut all, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => all.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
    }
    all.push(cell.trim().to_owned());
    all
}

/// The pairs of a file, in its own units (those of the images that it was made on).
pub fn parse_bigwarp(data: &[u8]) -> Result<PairTable> {
    let text = as_text(data)?;
    let mut rows = Vec::new();
    let mut dims = 0;
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let cells = cells(line);
        let n = cells.len();
        let own = match n {
            6 => 2,
            8 => 3,
            _ => return Err(Error::malformed(format!("line {} has {n} columns; BigWarp writes 6 or 8", i + 1))),
        };
        if !rows.is_empty() && own != dims {
            return Err(Error::malformed(format!("line {} has {n} columns, other than those before", i + 1)));
        }
        dims = own;
        if rows.len() >= MOST {
            return Err(Error::unsupported(format!("more than {MOST} landmarks")));
        }
        let active = match cells[1].to_lowercase().as_str() {
            "true" => true,
            "false" => false,
            other => return Err(Error::malformed(format!("line {}: {other:?} is neither true nor false", i + 1))),
        };
        let name = if cells[0].is_empty() { format!("pair {}", rows.len() + 1) } else { cells[0].clone() };
        let (moving, fixed) = (point(&cells[2..2 + dims], i + 1)?, point(&cells[2 + dims..], i + 1)?);
        rows.push(PairRow { name, moving, fixed, active });
    }
    if rows.is_empty() {
        return Err(Error::malformed("there are no landmarks"));
    }
    Ok(PairTable { moving_dims: dims, fixed_dims: dims, rows })
}

fn point(cells: &[String], line: usize) -> Result<Option<[f64; 3]>> {
    let mut p = [0.0; 3];
    for (slot, cell) in p.iter_mut().zip(cells) {
        let shown: String = cell.chars().take(40).collect();
        let wrong = || Error::malformed(format!("line {line} holds {shown:?}; a number or Infinity was expected"));
        *slot = if cell.is_empty() { f64::INFINITY } else { cell.parse().map_err(|_| wrong())? };
    }
    Ok(p.iter().all(|v| v.is_finite()).then_some(p))
}

/// The landmarks of an exact thin plate. The format has no place for comments, so the name of the first
/// point says direction, units and pixel rule.
pub fn to_bigwarp(t: &TransformFile) -> Result<String> {
    let why = match t.transform_model() {
        Ok(TransformModel::ThinPlate) if t.stiffness.unwrap_or(0.0) > 0.0 => {
            "BigWarp fits a thin plate exactly, and this one is smoothed"
        }
        Ok(TransformModel::ThinPlate) => "",
        _ => "BigWarp fits a thin plate, and this transform is none",
    };
    if !why.is_empty() {
        return Err(Error::unsupported(format!("{why} ({}); write a .json instead", t.model)));
    }
    let plane = if t.plane.is_some() { "; fixed points lie on the plane of the section, x right, y down" } else { "" };
    let mut lines = Vec::new();
    // Control points of a plane in the patient lie on it, in its own two coordinates.
    for (i, c) in t.control_points.iter().enumerate() {
        let name = if i == 0 { format!("Pt-0 ({}{plane}; {PIXEL_RULE})", direction(t)) } else { format!("Pt-{i}") };
        let numbers: Vec<String> = c.moving.iter().chain(&c.fixed).map(|v| format!("\"{}\"", number(*v))).collect();
        lines.push(format!("\"{}\",\"true\",{}\n", name.replace('"', "'"), numbers.join(",")));
    }
    Ok(lines.concat())
}
