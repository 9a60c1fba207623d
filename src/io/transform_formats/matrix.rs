//! A bare matrix in a text file, as Xenium Explorer (`…_imagealignment.csv`, 3×3) and `QuPath` (2×3) use
//! it: moving to fixed pixels, rows for column vectors. Lines that begin with `#` are comments.

use super::{LengthUnit, PIXEL_RULE, TransformFile, as_text, direction, from_rows_2, linear, number, numbers};
use super::{units_comment, units_in_comment};
use crate::base::{Error, Result};
use crate::space::PointMap;

/// Reads two or three rows of three numbers, or six in a row (row by row). Units are those of a comment, else
/// `units`, else pixels.
pub fn parse_matrix(data: &[u8], units: Option<LengthUnit>) -> Result<TransformFile> {
    let text = as_text(data)?;
    let mut said = None;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            said = said.or_else(|| units_in_comment(line));
            continue;
        }
        let row = numbers(line, i + 1)?;
        if row.is_empty() {
            continue;
        }
        rows.push(row);
        if rows.len() > 3 {
            return Err(Error::malformed("more than three rows; a matrix of 2×3 or 3×3 numbers was expected"));
        }
    }
    if let [six] = rows.as_slice()
        && six.len() == 6
    {
        rows = six.chunks_exact(3).map(<[f64]>::to_vec).collect();
    }
    let sizes: Vec<usize> = rows.iter().map(Vec::len).collect();
    let last_is_unit = rows.get(2).is_none_or(|r| r[..] == [0.0, 0.0, 1.0]);
    match rows.as_slice() {
        [x, y, ..] if sizes.iter().all(|n| *n == 3) && last_is_unit => {
            let units = said.unwrap_or_else(|| [units.unwrap_or(LengthUnit::Px); 2]);
            from_rows_2(&[[x[0], x[1], x[2]], [y[0], y[1], y[2]]], None, units)
        }
        [_, _, z] if sizes.iter().all(|n| *n == 3) => {
            Err(Error::malformed(format!("the last row is {z:?}, not 0, 0, 1; perspective is unknown here")))
        }
        _ => Err(Error::malformed(format!("rows of {sizes:?} numbers; a matrix of 2×3 or 3×3 numbers was expected"))),
    }
}

/// The matrix of a linear transform in the plane, in its own units; with a third row 0, 0, 1 where
/// `is_square`.
pub fn to_matrix(t: &TransformFile, is_square: bool) -> Result<String> {
    let PointMap::Flat(_) = linear(t, "matrix file")? else {
        return Err(Error::unsupported(
            "a 2×3 matrix stays in the plane, and this transform leads into the patient; write a .json or a .tfm",
        ));
    };
    let n = if is_square { 3 } else { 2 };
    let row = |r: &Vec<f64>| r.iter().map(|v| number(*v)).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = t.fixed_from_moving.iter().take(n).map(row).collect();
    Ok(format!(
        "# maps {}; rows for column vectors\n# {}; {PIXEL_RULE}\n{}\n",
        direction(t),
        units_comment([t.units, t.fixed_unit()]),
        rows.join("\n")
    ))
}
