//! Spot positions of a Visium folder, with or without a header line. The file has y before x.

use crate::base::{Error, Result};
use crate::space::DVec2;

/// Spots in file order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Positions {
    /// Barcodes.
    pub barcodes: Vec<String>,
    /// Whether each lies on tissue.
    pub in_tissue: Vec<bool>,
    /// Row and column on the slide.
    pub array: Vec<(u32, u32)>,
    /// Centers in full-resolution pixels, x right, y down.
    pub px: Vec<DVec2>,
}

const COLUMNS: [&str; 6] = ["barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"];

/// Reads `tissue_positions.csv` (with a header) or `tissue_positions_list.csv` (without).
pub fn parse_positions(bytes: &[u8]) -> Result<Positions> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::malformed("the spot positions are not text; copy the file again"))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).peekable();
    let mut order = [0, 1, 2, 3, 4, 5];
    if let Some((_, first)) = lines.peek()
        && field(first, 1).is_none_or(|f| f.parse::<f64>().is_err())
    {
        let names: Vec<&str> = first.split(',').map(clean).collect();
        for (slot, column) in order.iter_mut().zip(COLUMNS) {
            let at = names.iter().position(|n| *n == column);
            *slot = at.ok_or_else(|| {
                Error::malformed(format!("the spot positions have no column {column}, only {}", names.join(", ")))
            })?;
        }
        lines.next();
    }
    let mut out = Positions::default();
    for (number, line) in lines {
        spot(line, order, &mut out).ok_or_else(|| {
            Error::malformed(format!(
                "line {} of the spot positions is “{}”, expected {}",
                number + 1,
                line.chars().take(60).collect::<String>(),
                COLUMNS.join(",")
            ))
        })?;
    }
    if out.px.is_empty() {
        return Err(Error::malformed("there are no spot positions in this file; copy it again"));
    }
    Ok(out)
}

fn clean(field: &str) -> &str {
    field.trim().trim_matches('"')
}

fn field(line: &str, column: usize) -> Option<&str> {
    line.split(',').nth(column).map(clean)
}

fn spot(line: &str, order: [usize; 6], out: &mut Positions) -> Option<()> {
    let [barcode, tissue, row, column, y, x] = order;
    let number = |at: usize| field(line, at)?.parse::<f64>().ok().filter(|v| v.is_finite() && v.abs() < 1e9);
    let index = |at: usize| number(at).filter(|v| *v >= 0.0 && v.fract() == 0.0).map(|v| v as u32);
    let (barcode, tissue) = (field(line, barcode).filter(|b| !b.is_empty())?, number(tissue)?);
    let (array, px) = ((index(row)?, index(column)?), DVec2::new(number(x)?, number(y)?));
    out.barcodes.push(barcode.to_owned());
    out.in_tissue.push(tissue != 0.0);
    out.array.push(array);
    out.px.push(px);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_give_x_from_the_last_column() {
        let bare = parse_positions(b"AAA-1,1,0,2,100,250\nCCC-1,0,1,1,110.5,200\n").unwrap();
        let headed = b"barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\r\n\"AAA-1\",1,0,2,100,250\r\nCCC-1,0,1,1,110.5,200\r\n";
        assert_eq!(bare, parse_positions(headed).unwrap());
        assert_eq!(bare.px[1], DVec2::new(200.0, 110.5));
        assert_eq!((bare.in_tissue[0], bare.array[1]), (true, (1, 1)));
        for bad in ["", "AAA-1,1,0,2,100", "a,b,c\n", "AAA-1,1,0,2,100,nan", "AAA-1,1,-1,2,100,3"] {
            assert!(parse_positions(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
