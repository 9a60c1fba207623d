//! Xenium folders as the instrument writes them: cells with their places in µm, the matrix of cells and features, and the
//! morphology picture at 0.2125 µm per pixel. Source: 10x Genomics, "Xenium Onboard Analysis, output files".

use super::{Content, Found, Reading, Table, json, mtx, table::Cells, tenx, tiff};
use crate::base::{Error, Result};
use crate::model::{Column, Expression, Picture, PixelSize, Section, Spots};
use crate::space::DVec2;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// µm of a pixel of the morphology picture, where the manifest does not say.
const UM_PER_PX: f64 = 0.2125;
/// Diameter of a cell whose area is not known.
const CELL_UM: f64 = 10.0;
const CELL_TABLES: [&str; 3] = ["cells.parquet", "cells.csv.gz", "cells.csv"];
const PICTURES: [&str; 5] = [
    "morphology_focus.ome.tif",
    "morphology_focus/morphology_focus_0000.ome.tif",
    "morphology_focus/ch0000_dapi.ome.tif",
    "morphology_mip.ome.tif",
    "morphology.ome.tif",
];

fn cell_table(folder: &Path) -> Option<PathBuf> {
    CELL_TABLES.iter().map(|n| folder.join(n)).find(|p| p.is_file())
}

fn matrix(folder: &Path) -> Option<PathBuf> {
    let file = folder.join("cell_feature_matrix.h5");
    let folder = folder.join("cell_feature_matrix");
    if file.is_file() { Some(file) } else { Some(folder).filter(|f| !mtx::matrices(f).is_empty()) }
}

/// Whether a folder has the cells of Xenium with their matrix or their manifest.
#[must_use]
pub fn is_xenium(folder: &Path) -> bool {
    cell_table(folder).is_some() && (matrix(folder).is_some() || folder.join("experiment.xenium").is_file())
}

/// Reads a Xenium folder: cells in the order of their table, with the genes of the matrix (controls are left out and told).
pub fn read_xenium(folder: &Path, reading: &mut Reading) -> Result<Found> {
    let Some(cells_path) = cell_table(folder) else {
        return Err(Error::malformed("no cells.parquet or cells.csv.gz in this folder").at(folder));
    };
    reading.progress.step(0.0, "reading cells")?;
    let manifest = manifest(folder, reading)?;
    let um_per_px = manifest.get("pixel_size").and_then(Value::as_f64).filter(|v| v.is_finite() && *v > 0.0);
    if um_per_px.is_none() {
        let text = format!("there is no experiment.xenium with a pixel size; {UM_PER_PX} µm is taken");
        reading.warnings.note("pitch-assumed", text, Some(folder));
    }
    let (um_per_px, source) = um_per_px.map_or((UM_PER_PX, "Xenium's usual pixel"), |v| (v, "experiment.xenium"));
    let table = Table::read(&cells_path, &reading.limits)?;
    let cells = cells(&table).map_err(|e| e.at(&cells_path))?;
    let mut n_files = 1 + usize::from(!manifest.is_null());
    reading.progress.step(0.2, "reading counts")?;
    let expression = match matrix(folder) {
        Some(path) => {
            n_files += 1;
            let counts = if path.is_dir() { mtx::read_only(&path, reading)? } else { tenx::read_matrix(&path, reading)? };
            let genes = without_controls(counts, &path, reading)?;
            Some(align(genes, &table, &cells, &path, reading)?)
        }
        None => {
            let text = "there is no cell_feature_matrix, .h5 or folder; the cells have no genes";
            reading.warnings.warn("matrix-missing", text, Some(folder));
            None
        }
    };
    reading.progress.step(0.6, "reading the picture")?;
    let picture = picture(folder, &manifest, &mut n_files, reading);
    tell_alignments(folder, reading);
    let px: Arc<[DVec2]> = cells.um.iter().map(|p| *p / um_per_px).collect();
    let spots = Spots { in_tissue: vec![true; px.len()], diameter_px: cells.diameter_um / um_per_px, px };
    let name = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = name.file_name().map_or_else(|| "Xenium".into(), |n| n.to_string_lossy().into_owned());
    let n_genes = expression.as_ref().map_or(0, |e| e.genes().len());
    let shown = if picture.is_some() { "with picture" } else { "no picture" };
    let summary = format!("Xenium {} cells, {n_genes} genes, {um_per_px} µm/px ({source}), {shown}", spots.px.len());
    let section = Section {
        name,
        picture,
        pixel_size: PixelSize::Known { um_per_px, source: source.into() },
        spots: Some(Arc::new(spots)),
        expression: expression.map(Arc::new),
    };
    Ok(Found { summary, n_files, ..Found::alone(Content::Section(section), folder) })
}

fn manifest(folder: &Path, reading: &Reading) -> Result<Value> {
    let path = folder.join("experiment.xenium");
    if path.is_file() { json::read_json(&path, &reading.limits) } else { Ok(Value::Null) }
}

/// Cells in the order of the table.
struct CellPlaces {
    ids: Vec<String>,
    um: Vec<DVec2>,
    diameter_um: f64,
}

fn cells(table: &Table) -> Result<CellPlaces> {
    let missing = |name: &str| Error::malformed(format!("the table of cells has no {name} in some rows; export it again"));
    let all = |name: &str| -> Result<Vec<f64>> {
        let values = table.numbers(name)?.into_iter().collect::<Option<Vec<f64>>>();
        values.filter(|v| v.iter().all(|x| x.is_finite())).ok_or_else(|| missing(name))
    };
    let ids = table.texts("cell_id")?.into_iter().collect::<Option<Vec<String>>>().ok_or_else(|| missing("cell_id"))?;
    let um = all("x_centroid")?.into_iter().zip(all("y_centroid")?).map(|(x, y)| DVec2::new(x, y)).collect();
    let mut areas: Vec<f64> = table.numbers("cell_area").unwrap_or_default().into_iter().flatten().filter(|a| *a > 0.0).collect();
    areas.sort_by(f64::total_cmp);
    // The diameter of a disc of the median area.
    let diameter_um = areas.get(areas.len() / 2).map_or(CELL_UM, |a| 2.0 * (a / std::f64::consts::PI).sqrt());
    if ids.is_empty() {
        return Err(Error::malformed("the table of cells is empty"));
    }
    Ok(CellPlaces { ids, um, diameter_um })
}

fn without_controls(counts: Expression, path: &Path, reading: &mut Reading) -> Result<Expression> {
    let Some(Column::Text(kinds)) = counts.gene_columns.get("feature_types") else { return Ok(counts) };
    let keep: Vec<usize> = (0..kinds.len()).filter(|&g| kinds[g] == "Gene Expression").collect();
    if keep.is_empty() || keep.len() == kinds.len() {
        return Ok(counts);
    }
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    kinds.iter().filter(|k| *k != "Gene Expression").for_each(|k| *others.entry(k).or_default() += 1);
    let list = others.iter().map(|(k, n)| format!("{n} {k}")).collect::<Vec<_>>().join(", ");
    reading.warnings.note("controls-left-out", format!("features that are no genes are left out: {list}"), Some(path));
    counts.subset_genes(&keep)
}

/// One observation per cell of the table, with the table's columns of numbers and words.
fn align(counts: Expression, table: &Table, cells: &CellPlaces, path: &Path, reading: &mut Reading) -> Result<Expression> {
    let place: BTreeMap<&str, u32> = cells.ids.iter().enumerate().map(|(i, id)| (id.as_str(), i as u32)).collect();
    let places: Vec<Option<u32>> = counts.observations().iter().map(|b| place.get(b.as_str()).copied()).collect();
    let n_known = places.iter().flatten().count();
    if n_known == 0 && !places.is_empty() {
        let example = &counts.observations()[0];
        let text = format!("none of the {} cells of the matrix (such as {example}) is in the table of cells", places.len());
        return Err(Error::malformed(text).at(path));
    }
    if place.len() < cells.ids.len() {
        let text = format!("{} cells stand twice in the table; counts go to the last", cells.ids.len() - place.len());
        reading.warnings.warn("names-twice", text, Some(path));
    }
    if n_known < places.len() {
        let text = format!("{} of {} cells of the matrix have no place and are left out", places.len() - n_known, places.len());
        reading.warnings.warn("barcodes-without-position", text, Some(path));
    }
    if n_known < cells.ids.len() {
        let text =
            format!("{} of {} cells have no counts in the matrix and show zero", cells.ids.len() - n_known, cells.ids.len());
        reading.warnings.warn("spots-without-counts", text, Some(path));
    }
    let mut aligned = counts.rearranged(&places, cells.ids.clone())?;
    for column in table.columns() {
        if matches!(column.name.as_str(), "cell_id" | "x_centroid" | "y_centroid" | "") {
            continue;
        }
        let values = match (table.numbers(&column.name), &column.cells) {
            (Ok(v), _) => Column::Number(v.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect()),
            (Err(_), Cells::Text(v)) => Column::Text(v.iter().map(|t| t.clone().unwrap_or_default()).collect()),
            _ => continue,
        };
        aligned.columns.insert(column.name.clone(), values);
    }
    Ok(aligned)
}

fn picture(folder: &Path, manifest: &Value, n_files: &mut usize, reading: &mut Reading) -> Option<Arc<Picture>> {
    let named = |key: &str| manifest.get("images")?.get(key)?.as_str().map(str::to_owned);
    let told = ["morphology_focus_filepath", "morphology_mip_filepath", "morphology_filepath"].into_iter().filter_map(named);
    // A path that leads out of the folder is not followed.
    let inside = |p: &String| Path::new(p).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let names = told.filter(inside).chain(PICTURES.iter().map(|n| (*n).to_owned()));
    let path = names.map(|n| folder.join(n)).find(|p| p.is_file())?;
    *n_files += 1;
    match tiff::read_tiff(&path, reading) {
        Ok(Found { content: Content::Section(section), .. }) => section.picture,
        Ok(_) => None,
        Err(why) => {
            reading.warnings.warn("image-skipped", format!("the morphology picture is left out: {why}"), Some(&path));
            None
        }
    }
}

/// Says where matrices of other pictures are, and which way they lead.
fn tell_alignments(folder: &Path, reading: &mut Reading) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut names: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with("imagealignment.csv") || name.ends_with("_matrix.csv") {
            let text = "this matrix leads from pixels of the other picture (moving) to pixels of the morphology picture (fixed); it is read as a transform, not applied here";
            reading.warnings.note("alignment-found", text, Some(&path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run, shared};
    use super::*;

    #[test]
    fn the_miniature_has_the_numbers_of_its_tables() {
        let Some(folder) = shared("h5ad-zarr-formats/platform_mini/Xenium_small") else { return };
        assert!(is_xenium(&folder));
        let (found, warnings) = run(|r| read_xenium(&folder, r));
        let Content::Section(section) = found.unwrap().content else { panic!() };
        let e = section.expression.as_ref().unwrap();
        assert_eq!((e.observations().len(), e.genes().len(), e.totals().iter().sum::<f64>()), (6, 4, 21.0));
        let spots = section.spots.as_ref().unwrap();
        assert!((spots.px[0].x - 1_898.814_916_99 / 0.2125).abs() < 1e-4 && section.mm_per_px() == 0.2125e-3);
        assert!(matches!(&e.columns["transcript_counts"], Column::Number(v) if v[4] == 639.0));
        assert_eq!(codes(&warnings), ["pitch-assumed"]);
    }

    #[test]
    fn a_manifest_is_believed_and_cells_must_fit() {
        let Some(source) = shared("h5ad-zarr-formats/platform_mini/Xenium_small") else { return };
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(source.join("cell_feature_matrix.h5"), folder.path().join("cell_feature_matrix.h5")).unwrap();
        let manifest = r#"{"pixel_size": 0.5, "images": {"morphology_focus_filepath": "../../x.ome.tif"}}"#;
        std::fs::write(folder.path().join("experiment.xenium"), manifest).unwrap();
        std::fs::write(folder.path().join("a_he_imagealignment.csv"), "1,0,0\n0,1,0\n0,0,1\n").unwrap();
        let cells = |ids: [&str; 2]| {
            let text = format!("cell_id,x_centroid,y_centroid,cell_area\n{},1,2,314.159265\n{},3,4,314.159265\n", ids[0], ids[1]);
            std::fs::write(folder.path().join("cells.csv"), text).unwrap();
            run(|r| read_xenium(folder.path(), r))
        };
        let (found, warnings) = cells(["1", "other"]);
        let Content::Section(section) = found.unwrap().content else { panic!() };
        let spots = section.spots.unwrap();
        assert_eq!((spots.px[1], (spots.diameter_px * 1e6).round()), (DVec2::new(6.0, 8.0), 40e6));
        assert_eq!(codes(&warnings), ["barcodes-without-position", "spots-without-counts", "alignment-found"]);
        assert!(cells(["x", "y"]).0.unwrap_err().to_string().contains("none of the 6 cells"));
    }
}
