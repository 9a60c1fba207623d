//! Pixel positions of the older spatial arrays: a table of spots beside the table of counts, as the ST spot detector writes
//! it (`x`, `y` on the array, `new_x`, `new_y` adjusted, `pixel_x`, `pixel_y` in the picture, `selected`).

use super::{PITCH_UM, SPOT_UM, names};
use crate::base::Result;
use crate::io::{Reading, Table, bytes};
use crate::model::{PixelSize, Section, Spots};
use crate::space::{DVec2, fit_array};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Farther from their places than this part of the pitch, the positions are of another array.
const MOST_RESIDUAL: f64 = 0.3;

/// The section with the pixel positions of the one table of spots beside it, where there is one; else as it is.
pub(super) fn placed(section: Section, path: &Path, reading: &mut Reading) -> Result<Section> {
    let (Some(expression), Some(_)) = (&section.expression, &section.spots) else { return Ok(section) };
    if expression.columns.contains_key("section") {
        return Ok(section);
    }
    let tables: Vec<(PathBuf, Table)> =
        beside(path).into_iter().filter_map(|p| Some((p.clone(), spots_of(&p, reading)?))).collect();
    let [(at, table)] = tables.as_slice() else { return Ok(section) };
    let pixels = pixels(table)?;
    let key = |x: f64, y: f64| (x.round() as i64, y.round() as i64);
    let places: Vec<(f64, f64)> =
        expression.observations().iter().filter_map(|n| names::spot(n)).map(|(_, x, y)| (x, y)).collect();
    let found: Vec<Option<&(DVec2, bool)>> = places.iter().map(|&(x, y)| pixels.get(&key(x, y))).collect();
    let keep: Vec<usize> = (0..found.len()).filter(|&i| found[i].is_some()).collect();
    let um: Vec<DVec2> = keep.iter().map(|&i| DVec2::new(places[i].0, places[i].1) * PITCH_UM).collect();
    let (px, in_tissue): (Vec<DVec2>, Vec<bool>) = found.iter().flatten().map(|f| **f).unzip();
    let fit = fit_array(&px, &um).ok().filter(|f| f.residual_um < MOST_RESIDUAL * PITCH_UM);
    let Some(fit) = fit else {
        let text = format!("the pixels of {} of {} spots do not lie on their array and are not used", keep.len(), places.len());
        reading.warnings.warn("tables-disagree", text, Some(at));
        return Ok(section);
    };
    if keep.len() < places.len() {
        let text =
            format!("{} of {} spots are not in the table of spots and are left out", places.len() - keep.len(), places.len());
        reading.warnings.warn("spots-dropped", text, Some(at));
    }
    let text = format!(
        "pixels of the spots: {:.4} µm/px by the pitch of {PITCH_UM} µm, residual {:.0} µm{}",
        fit.um_per_px,
        fit.residual_um,
        if fit.mirrored { ", mirrored" } else { "" }
    );
    reading.warnings.note("array-with-pixels", text, Some(at));
    let spots = Spots { px: px.into(), diameter_px: SPOT_UM / fit.um_per_px, in_tissue };
    let expression = Arc::new(expression.subset(&keep)?);
    let pixel_size = PixelSize::Known { um_per_px: fit.um_per_px, source: "spot lattice".into() };
    Ok(Section { spots: Some(Arc::new(spots)), expression: Some(expression), pixel_size, ..section })
}

fn beside(path: &Path) -> Vec<PathBuf> {
    let Some(entries) = path.parent().and_then(|f| std::fs::read_dir(f).ok()) else { return Vec::new() };
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let fits = |p: &PathBuf| name(p).contains("spot") && matches!(bytes::ending(p).as_str(), "csv" | "tsv" | "txt");
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p != path && fits(p)).collect();
    files.sort();
    files
}

/// A table of spots; `None` for any other file.
fn spots_of(path: &Path, reading: &Reading) -> Option<Table> {
    let data = bytes::read_inflated(path, &reading.limits).ok()?;
    let is_tabbed = data.split(|b| *b == b'\n').next().is_some_and(|l| l.contains(&b'\t'));
    let kind = if is_tabbed { crate::io::table::TableKind::Tsv } else { crate::io::table::TableKind::Csv };
    let table = Table::parse(data, kind, &reading.limits).ok()?;
    ["x", "y", "pixel_x", "pixel_y"].iter().all(|c| table.column(c).is_some()).then_some(table)
}

/// Pixel and whether it is on tissue, by place on the array.
fn pixels(table: &Table) -> Result<BTreeMap<(i64, i64), (DVec2, bool)>> {
    let selected = table.numbers("selected").ok();
    let [x, y, px, py] = ["x", "y", "pixel_x", "pixel_y"].map(|c| table.numbers(c));
    let (x, y, px, py) = (x?, y?, px?, py?);
    let one = |i: usize| {
        let place = (x[i]?.round() as i64, y[i]?.round() as i64);
        let on_tissue = selected.as_ref().is_none_or(|s| s[i] != Some(0.0));
        Some((place, (DVec2::new(px[i]?, py[i]?), on_tissue)))
    };
    Ok((0..table.n_rows()).filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use crate::io::hdf5_open::trial::{codes, run};
    use std::fmt::Write;

    #[test]
    fn pixels_come_from_the_table_of_spots() {
        let folder = tempfile::tempdir().unwrap();
        let (mut counts, mut spots) =
            ("\tTTN\tACTB\tMYH7\n".to_owned(), "x\ty\tnew_x\tnew_y\tpixel_x\tpixel_y\tselected\n".to_owned());
        for (x, y) in (2..8).flat_map(|x| (3..9).map(move |y| (x, y))) {
            writeln!(counts, "{x}x{y}\t{x}\t{y}\t1").unwrap();
            writeln!(spots, "{x}\t{y}\t{x}.02\t{y}\t{}\t{}\t{}", 100 + 400 * x, 50 + 400 * y, u8::from(x > 2)).unwrap();
        }
        std::fs::write(folder.path().join("counts.tsv"), counts).unwrap();
        std::fs::write(folder.path().join("spot_data-all-1.tsv"), &spots).unwrap();
        let read = || run(|r| crate::io::read_expression(&folder.path().join("counts.tsv"), r));
        let (section, warnings) = read();
        let section = section.unwrap();
        let placed = section.spots.as_ref().unwrap();
        assert!(
            (section.mm_per_px() - 0.5e-3).abs() < 1e-9 && placed.px[0].x == 900.0 && !placed.in_tissue[0] && placed.in_tissue[7]
        );
        assert!(codes(&warnings).contains(&"array-with-pixels"));
        let cut: String = spots.lines().take(20).map(|l| format!("{l}\n")).collect();
        std::fs::write(folder.path().join("spot_data-all-1.tsv"), cut).unwrap();
        let (section, warnings) = read();
        assert_eq!(section.unwrap().spots.unwrap().px.len(), 19);
        assert!(codes(&warnings).contains(&"spots-dropped"));
    }
}
