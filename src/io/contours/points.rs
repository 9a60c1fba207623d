//! Tables of points: `phase,view,slice,border,point,x_mm,y_mm[,z_mm]` in patient LPS mm; without `z_mm` in a picture.

use crate::base::{Error, Result};
use crate::io::Reading;
use crate::io::table::{Table, TableColumn, TableKind};
use crate::model::{Border, Contour, ContourSpace, Contours};
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::path::Path;

/// View, slice, border, piece and phase of a row.
type Key = (String, i64, Border, i64, usize);

/// Contours of a table. Lines of `sax` are closed, others open, unless a column `closed` says `true` or `false`;
/// several lines of one border, slice and phase have different numbers in a column `piece`. The name is empty.
pub fn parse_points(data: Vec<u8>, kind: TableKind, reading: &mut Reading) -> Result<Contours> {
    let table = Table::parse(data, kind, &reading.limits)?;
    let n = table.n_rows();
    let texts = |name: &str| -> Result<Vec<Option<String>>> {
        if table.column(name).is_some() { table.texts(name) } else { Ok(vec![None; n]) }
    };
    let (views, borders, closed) = (texts("view")?, texts("border")?, texts("closed")?);
    let (phases, points) = (whole(&table, "phase")?, whole(&table, "point")?);
    let [slices, pieces] =
        ["slice", "piece"].map(|name| if table.column(name).is_some() { whole(&table, name) } else { Ok(vec![0; n]) });
    let (slices, pieces) = (slices?, pieces?);
    let has_z = table.column("z_mm").is_some();
    let (x, y) = (finite(&table, "x_mm")?, finite(&table, "y_mm")?);
    let z = if has_z { finite(&table, "z_mm")? } else { vec![0.0; n] };
    let mut lines: BTreeMap<Key, (Option<bool>, BTreeMap<i64, DVec3>)> = BTreeMap::new();
    for row in 0..n {
        let phase = usize::try_from(phases[row]).ok().filter(|p| *p < 100_000);
        let phase =
            phase.ok_or_else(|| Error::malformed(format!("row {}: phase {} is not a count from 0", row + 2, phases[row])))?;
        let view = views[row].as_deref().map_or_else(String::new, |v| v.trim().to_lowercase());
        let border = Border::from_name(borders[row].as_deref().map_or("endo", str::trim));
        let line = lines.entry((view, slices[row], border, pieces[row], phase)).or_default();
        line.0 = line.0.or(match closed[row].as_deref() {
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            _ => None,
        });
        if line.1.insert(points[row], DVec3::new(x[row], y[row], z[row])).is_some() {
            return Err(Error::malformed(format!("row {} repeats point {} of its contour", row + 2, points[row])));
        }
    }
    if lines.is_empty() {
        return Err(Error::malformed("the table of contours has no rows"));
    }
    let space = if has_z { ContourSpace::Patient } else { ContourSpace::Picture };
    let lines = lines.into_iter().map(|((view, slice, border, _, phase), (closed, points))| Contour {
        closed: closed.unwrap_or(has_z && (view == "sax" || view.is_empty())),
        border,
        view,
        slice,
        phase,
        points: points.into_values().collect(),
        image: None,
    });
    Ok(Contours { name: String::new(), space, lines: lines.collect() })
}

fn whole(table: &Table, column: &str) -> Result<Vec<i64>> {
    let value = |(row, v): (usize, Option<f64>)| {
        let whole = v.filter(|v| v.fract() == 0.0 && v.abs() < 1e9).map(|v| v as i64);
        whole.ok_or_else(|| Error::malformed(format!("row {} has no whole number in column {column}", row + 2)))
    };
    table.numbers(column)?.into_iter().enumerate().map(value).collect()
}

fn finite(table: &Table, column: &str) -> Result<Vec<f64>> {
    let value = |(row, v): (usize, Option<f64>)| {
        v.filter(|v| v.is_finite())
            .ok_or_else(|| Error::malformed(format!("row {} has no finite number in column {column}", row + 2)))
    };
    table.numbers(column)?.into_iter().enumerate().map(value).collect()
}

/// Writes `phase,view,slice,border,piece,closed,point,x_mm,y_mm,z_mm` (`.csv`, `.tsv`, `.parquet`). `Parameter` for lines
/// that have no place in the patient.
pub fn write_points(path: &Path, contours: &Contours) -> Result<()> {
    if contours.space != ContourSpace::Patient {
        return Err(Error::parameter("the contours have no place in the patient; give the image they were drawn on with --like"));
    }
    let mut pieces: BTreeMap<(&str, i64, &Border, usize), i64> = BTreeMap::new();
    let mut rows: Vec<(&Contour, i64, usize)> = Vec::new();
    for line in &contours.lines {
        let piece = pieces.entry((&line.view, line.slice, &line.border, line.phase)).or_default();
        rows.extend((0..line.points.len()).map(|p| (line, *piece, p)));
        *piece += 1;
    }
    let text = |name: &str, value: &dyn Fn(&Contour) -> String| TableColumn::text(name, rows.iter().map(|r| Some(value(r.0))));
    let count = |name: &str, value: &dyn Fn(&(&Contour, i64, usize)) -> i64| {
        TableColumn::whole(name, rows.iter().map(|r| Some(value(r))))
    };
    let axis = |name: &str, axis: usize| TableColumn::numbers(name, rows.iter().map(|r| Some(r.0.points[r.2][axis])));
    let table = Table::new(vec![
        count("phase", &|r| r.0.phase as i64),
        text("view", &|l| l.view.clone()),
        count("slice", &|r| r.0.slice),
        text("border", &|l| l.border.name()),
        count("piece", &|r| r.1),
        text("closed", &|l| l.closed.to_string()),
        count("point", &|r| r.2 as i64),
        axis("x_mm", 0),
        axis("y_mm", 1),
        axis("z_mm", 2),
    ])?;
    table.write(path)
}
