//! Visium folders as Space Ranger writes them: spot positions, scale factors, pictures, counts.

pub(crate) mod measure;
mod positions;
mod scale;
mod write;

pub use positions::{Positions, parse_positions};
pub(crate) use scale::Levels;
pub use scale::{Scale, parse_scalefactors};
pub use write::write_visium;

use super::{Content, Found, Reading, Table, mtx, picture, tenx};
use crate::base::{Error, Result};
use crate::model::{Column, Expression, Picture, PixelSize, Section, Spots};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const POSITION_FILES: [&str; 3] = ["tissue_positions.csv", "tissue_positions_list.csv", "tissue_positions.parquet"];

/// More positions than the largest slide has spots; Visium HD has bins.
const MOST_SPOTS: usize = 100_000;

/// Where the parts of a folder are.
struct Layout {
    root: PathBuf,
    spatial: PathBuf,
    positions: PathBuf,
}

fn layout(folder: &Path) -> Option<Layout> {
    let inside = |root: PathBuf, spatial: PathBuf| {
        let positions = POSITION_FILES.iter().map(|n| spatial.join(n)).find(|p| p.is_file())?;
        Some(Layout { root, spatial, positions })
    };
    inside(folder.into(), folder.join("spatial"))
        .or_else(|| inside(folder.join("outs"), folder.join("outs").join("spatial")))
        .or_else(|| inside(folder.into(), folder.into()))
}

/// Whether a folder has Visium spot positions in it, in `spatial/` or `outs/spatial/`.
#[must_use]
pub fn is_visium(folder: &Path) -> bool {
    layout(folder).is_some()
}

/// Reads a Visium folder. Spots are all positions in file order; observations match them one by one,
/// empty where the matrix has none (column `has_counts`). The size of a pixel comes from the spot lattice.
pub fn read_visium(folder: &Path, reading: &mut Reading) -> Result<Found> {
    let Some(layout) = layout(folder) else {
        let error = Error::malformed("no spatial/tissue_positions.csv in this folder; choose the outs folder of Space Ranger");
        return Err(error.at(folder));
    };
    reading.progress.step(0.0, "reading spot positions")?;
    let positions = read_positions(&layout.positions, reading)?;
    if positions.px.len() > MOST_SPOTS {
        let text = format!(
            "{} positions are bins of Visium HD, which are not read; open the h5ad of a bin size instead",
            positions.px.len()
        );
        return Err(Error::unsupported(text).at(&layout.positions));
    }
    twice(&positions, &layout.positions, reading);
    let mut n_files = 1;
    let scale_path = layout.spatial.join("scalefactors_json.json");
    let scale = if scale_path.is_file() {
        n_files += 1;
        small_file(&scale_path, reading).and_then(|b| parse_scalefactors(&b)).map_err(|e| e.at(&scale_path))?
    } else {
        reading.warnings.warn(
            "scale-missing",
            "there is no scalefactors_json.json, so pictures are left out",
            Some(&layout.spatial),
        );
        Scale::default()
    };
    reading.progress.step(0.1, "reading pictures")?;
    let picture = pictures(&layout, &scale, &mut n_files, reading);
    let name = section_name(folder);
    let array: Vec<(f64, f64)> = positions.array.iter().map(|&(r, c)| (f64::from(r), f64::from(c))).collect();
    let (pixel_size, diameter_px) =
        measure::measure(&positions.px, (Some(&array), &[]), &scale, (&name, &scale_path), reading.warnings);
    outside(&positions, picture.as_ref(), &layout, reading);
    reading.progress.step(0.4, "reading counts")?;
    let matrix = matrix_file(&layout.root).or_else(|| matrix_file(folder));
    let expression = match matrix {
        Some(path) => {
            n_files += 1;
            let counts = if path.is_dir() { mtx::read_only(&path, reading)? } else { tenx::read_matrix(&path, reading)? };
            Some(align(counts, &positions, &path, reading)?)
        }
        None => {
            let text = "there is no filtered_feature_bc_matrix, .h5 or folder; the section has no genes";
            reading.warnings.warn("matrix-missing", text, Some(&layout.root));
            None
        }
    };
    let spots = Spots { px: positions.px.into(), diameter_px, in_tissue: positions.in_tissue };
    let section = Section {
        name,
        picture: picture.map(Arc::new),
        pixel_size,
        spots: Some(Arc::new(spots)),
        expression: expression.map(Arc::new),
    };
    let summary = summary(&section);
    Ok(Found { summary, n_files, ..Found::alone(Content::Section(section), folder) })
}

fn small_file(path: &Path, reading: &Reading) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("reading", e, path))?.len();
    reading.limits.check("the file", &[size], 8)?;
    std::fs::read(path).map_err(|e| Error::io("reading", e, path))
}

fn read_positions(path: &Path, reading: &Reading) -> Result<Positions> {
    if path.extension().is_some_and(|e| e == "parquet") {
        let table = Table::read(path, &reading.limits)?;
        return positions_of(&table, reading).map_err(|e| e.at(path));
    }
    small_file(path, reading).and_then(|b| parse_positions(&b)).map_err(|e| e.at(path))
}

/// Positions from the table that newer Space Rangers write.
fn positions_of(table: &Table, reading: &Reading) -> Result<Positions> {
    reading.limits.check("the spot positions", &[table.n_rows() as u64], 128)?;
    // The text form has the same columns, so that one parser checks both.
    let bytes = table.to_bytes(super::table::TableKind::Csv)?;
    parse_positions(&bytes)
}

/// Says where a barcode stands twice.
fn twice(positions: &Positions, path: &Path, reading: &mut Reading) {
    let mut seen = std::collections::BTreeSet::new();
    let names: Vec<&String> = positions.barcodes.iter().filter(|b| !seen.insert(b.as_str())).collect();
    if let [name, ..] = names[..] {
        let text = format!("{} barcodes stand twice among the spot positions (as {name}); counts go to the last", names.len());
        reading.warnings.warn("names-twice", text, Some(path));
    }
}

fn section_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let named = full.ancestors().find(|p| !p.ends_with("outs") && !p.ends_with("spatial")).and_then(Path::file_name);
    named.map_or_else(|| "Visium".into(), |n| n.to_string_lossy().into_owned())
}

fn pictures(layout: &Layout, scale: &Scale, n_files: &mut usize, reading: &mut Reading) -> Option<Picture> {
    let mut levels = Levels::default();
    for (name, factor) in [("hires", scale.hires), ("lowres", scale.lowres)] {
        let file = |ending: &str| layout.spatial.join(format!("tissue_{name}_image.{ending}"));
        let Some(path) = ["png", "jpg", "jpeg"].iter().map(|e| file(e)).find(|p| p.is_file()) else { continue };
        *n_files += 1;
        let Some(factor) = factor else {
            let text = format!("there is no tissue_{name}_scalef, so this picture cannot be placed and is left out");
            reading.warnings.warn("image-skipped", text, Some(&path));
            continue;
        };
        match picture::load(&path, reading.limits) {
            Ok(picture) => levels.add(name, &picture, factor, (&path, reading.warnings)),
            Err(why) => reading.warnings.warn("image-skipped", format!("the {name} picture is left out: {why}"), Some(&path)),
        }
    }
    levels.finish()
}

fn outside(positions: &Positions, picture: Option<&Picture>, layout: &Layout, reading: &mut Reading) {
    let Some([w, h]) = picture.map(|p| p.full_size) else { return };
    let tissue = positions.px.iter().zip(&positions.in_tissue).filter(|(_, t)| **t);
    let (mut n, mut n_out) = (0_usize, 0_usize);
    for (p, _) in tissue {
        n += 1;
        n_out += usize::from(p.x < 0.0 || p.y < 0.0 || p.x > w || p.y > h);
    }
    if n_out * 20 > n {
        let text =
            format!("{n_out} of {n} spots on tissue lie outside the picture; positions and picture are not of one section");
        reading.warnings.warn("spots-outside", text, Some(&layout.positions));
    }
}

fn matrix_file(root: &Path) -> Option<PathBuf> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(root).ok()?.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_file()).collect();
    names.sort();
    let ends = |p: &PathBuf, end: &str| p.file_name().is_some_and(|n| n.to_string_lossy().ends_with(end));
    ["filtered_feature_bc_matrix.h5", "raw_feature_bc_matrix.h5"]
        .iter()
        .find_map(|end| names.iter().find(|p| ends(p, end)).cloned())
        .or_else(|| {
            let folders = ["filtered_feature_bc_matrix", "raw_feature_bc_matrix"].map(|n| root.join(n));
            folders.into_iter().find(|f| !mtx::matrices(f).is_empty())
        })
}

/// One observation per position, in the order of the positions.
fn align(counts: Expression, positions: &Positions, path: &Path, reading: &mut Reading) -> Result<Expression> {
    let place: BTreeMap<&str, u32> = positions.barcodes.iter().enumerate().map(|(i, b)| (b.as_str(), i as u32)).collect();
    let places: Vec<Option<u32>> = counts.observations().iter().map(|b| place.get(b.as_str()).copied()).collect();
    let n_lost = places.iter().filter(|p| p.is_none()).count();
    if n_lost == places.len() && n_lost > 0 {
        let text = format!(
            "none of the {n_lost} barcodes (such as {}) has a spot position; matrix and positions are of different samples",
            counts.observations()[0]
        );
        return Err(Error::malformed(text).at(path));
    }
    if n_lost > 0 {
        let text = format!("{n_lost} of {} barcodes have no spot position and are left out", places.len());
        reading.warnings.warn("barcodes-without-position", text, Some(path));
    }
    let mut aligned = counts.rearranged(&places, positions.barcodes.clone())?;
    let mut has_counts = vec![0.0; positions.px.len()];
    places.iter().flatten().for_each(|&p| has_counts[p as usize] = 1.0);
    let n_tissue = positions.in_tissue.iter().filter(|t| **t).count();
    let n_counted = positions.in_tissue.iter().zip(&has_counts).filter(|(t, h)| **t && **h > 0.0).count();
    if n_counted * 10 < n_tissue * 9 {
        let text =
            format!("only {n_counted} of {n_tissue} spots on tissue have counts; the matrix was cut, and the others show zero");
        reading.warnings.warn("counts-cut", text, Some(path));
    }
    let array = |pick: fn(&(u32, u32)) -> u32| positions.array.iter().map(|a| f64::from(pick(a))).collect();
    aligned.columns.insert("array_row".into(), Column::Number(array(|a| a.0)));
    aligned.columns.insert("array_col".into(), Column::Number(array(|a| a.1)));
    aligned.columns.insert("has_counts".into(), Column::Number(has_counts));
    Ok(aligned)
}

fn summary(section: &Section) -> String {
    let (n, on) = section.spots.as_ref().map_or((0, 0), |s| (s.px.len(), s.in_tissue.iter().filter(|t| **t).count()));
    let genes = section.expression.as_ref().map_or_else(|| "no genes".to_owned(), |e| format!("{} genes", e.genes().len()));
    let size = match &section.pixel_size {
        PixelSize::Known { um_per_px, source } => format!("{um_per_px:.4} µm/px ({source})"),
        PixelSize::Unknown => "pixel size unknown".to_owned(),
    };
    let level = section.picture.as_ref().and_then(|p| p.levels.first());
    let picture = level.map_or_else(
        || "no picture".to_owned(),
        |l| format!("picture {} {}×{}, {:.3} of full resolution", l.name, l.width, l.height, 1.0 / l.scale),
    );
    format!("Visium {n} spots ({on} on tissue), {genes}, {size}, {picture}")
}

#[cfg(test)]
mod tests;
