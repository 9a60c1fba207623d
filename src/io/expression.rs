//! One door to the molecular readers for methods that work on a table: a file or folder gives the one
//! table in it, whole, whatever its format.

use super::hdf5_read::Hdf5;
use super::stored::Stored;
use super::zarr::{Zarr, is_zarr};
use super::{Content, Found, Reading, archive, bytes, counts, h5ad, hdf5_open, mtx, visium, xenium};
use crate::base::{Error, Result};
use crate::model::{Column, Section, Spots};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the expression table of an h5ad, 10x h5, MTX folder, Visium folder, or CSV, TSV or Parquet table.
/// Unlike [`super::open()`], several sections in one table stay together, and every table of numbers is taken
/// for expression. A folder may hold one such file. [`Error::Parameter`] listing them where there are more.
pub fn read_expression(path: &Path, reading: &mut Reading) -> Result<Section> {
    read_matrix(path, None, reading)
}

/// As [`read_expression`], with `raw` or a layer of an AnnData table instead of its `X`. [`Error::Parameter`] where it
/// has no such matrix, or the table is none of AnnData.
pub fn read_matrix(path: &Path, matrix: Option<&str>, reading: &mut Reading) -> Result<Section> {
    let facts = std::fs::metadata(path).map_err(|e| Error::io("opening", e, path))?;
    let section = match (matrix, table_file(path)) {
        (Some(name), Some(file)) => of_ann(&file, Some(name), reading).map_err(|e| e.at(&file))?,
        (Some(name), None) => {
            return Err(Error::parameter(format!("the matrix {name} is asked for, but this is no AnnData: {}", path.display())));
        }
        _ if facts.is_dir() => of_folder(path, reading)?,
        _ => of_file(path, reading)?,
    };
    match section.expression {
        Some(_) => Ok(section),
        None => Err(Error::malformed("there are no genes in it; a table of expression was expected").at(path)),
    }
}

/// The AnnData that a path names: an `.h5ad`, the one in a folder, or a Zarr store; `None` where there is no such thing.
#[must_use]
pub fn table_file(path: &Path) -> Option<PathBuf> {
    let is_ann = |p: &Path| bytes::ending(p) == "h5ad" && p.is_file();
    if is_ann(path) || (path.is_dir() && is_zarr(path)) {
        return Some(path.to_path_buf());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path).ok()?.flatten().map(|e| e.path()).filter(|p| is_ann(p)).collect();
    if files.len() == 1 { files.pop() } else { None }
}

fn of_file(path: &Path, reading: &mut Reading) -> Result<Section> {
    let first = bytes::first_bytes(path, 4096)?;
    let is_hdf5 = [0, 512, 1024, 2048].iter().any(|&at| first.get(at..at + 8) == Some(b"\x89HDF\r\n\x1a\n".as_slice()));
    if is_hdf5 || matches!(bytes::ending(path).as_str(), "h5" | "h5ad") {
        return of_hdf5(path, reading).map_err(|e| e.at(path));
    }
    let start = if bytes::is_gzip(&first) { bytes::inflated_start(&first, 1024) } else { first };
    if start.to_ascii_lowercase().starts_with(b"%%matrixmarket") {
        return only(vec![mtx::read_mtx(path, reading)?]);
    }
    if let Some(kind) = archive::kind_of(&start) {
        let folder = archive::unpack(path, kind, reading)?;
        let mut section = of_folder(folder.path(), reading).map_err(|e| e.moved(folder.path(), path))?;
        archive::rename(&mut section, folder.path(), path);
        return Ok(section);
    }
    if start.is_empty() {
        return Err(Error::malformed("the file is empty; a table of expression was expected").at(path));
    }
    if !start.starts_with(b"PAR1") && start.contains(&0) {
        let text = "this is no table of expression; h5ad, 10x h5, matrix.mtx, CSV, TSV or Parquet was expected";
        return Err(Error::unsupported(text).at(path));
    }
    counts::read_counts(path, reading)
}

fn of_ann(path: &Path, matrix: Option<&str>, reading: &mut Reading) -> Result<Section> {
    if path.is_dir() {
        return h5ad::read_whole(&Zarr::open(path, reading.limits)?, matrix, path, reading);
    }
    h5ad::read_whole(&Hdf5::open(path, reading.limits)?, matrix, path, reading)
}

fn of_hdf5(path: &Path, reading: &mut Reading) -> Result<Section> {
    let file = Hdf5::open(path, reading.limits)?;
    let top = file.children("")?;
    if top.has("obs") || top.has("X") {
        return h5ad::read_whole(&file, None, path, reading);
    }
    drop(file);
    only(hdf5_open::read_hdf5(path, reading)?)
}

fn of_folder(folder: &Path, reading: &mut Reading) -> Result<Section> {
    if is_zarr(folder) {
        return of_ann(folder, None, reading).map_err(|e| e.at(folder));
    }
    if visium::is_visium(folder) {
        let section = only(vec![visium::read_visium(folder, reading).map_err(|e| e.at(folder))?])?;
        return with_counts(section, reading);
    }
    if xenium::is_xenium(folder) {
        return only(vec![xenium::read_xenium(folder, reading).map_err(|e| e.at(folder))?]);
    }
    let wrap = |e| Error::io("reading", e, folder);
    let entries = std::fs::read_dir(folder).map_err(wrap)?.collect::<std::io::Result<Vec<_>>>().map_err(wrap)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).filter(|p| p.is_file()).collect();
    files.sort();
    let ends = |endings: &[&str]| {
        let fits = |p: &&PathBuf| endings.contains(&bytes::ending(p).as_str());
        files.iter().filter(fits).cloned().collect::<Vec<_>>()
    };
    let matrices: Vec<PathBuf> = mtx::matrices(folder).into_iter().map(|m| m.matrix).collect();
    let tables = || ends(&["csv", "tsv", "parquet"]);
    // AnnData before the files that it may have been made from, tables last.
    let choices = [ends(&["h5ad"]), ends(&["h5"]), matrices].into_iter().find(|c| !c.is_empty()).unwrap_or_else(tables);
    match &choices[..] {
        [one] => of_file(one, reading),
        [] => {
            let text = "no table of expression in this folder; h5ad, 10x h5, matrix.mtx with its names, or Visium was expected";
            Err(Error::malformed(text).at(folder))
        }
        several => {
            let names: Vec<String> = several.iter().map(|p| p.display().to_string()).collect();
            Err(Error::parameter(format!("{} tables; give one of them: {}", names.len(), names.join(", "))))
        }
    }
}

/// The spots of a Visium section that the matrix has, as other programs read it.
fn with_counts(section: Section, reading: &mut Reading) -> Result<Section> {
    let (Some(expression), Some(spots)) = (&section.expression, &section.spots) else { return Ok(section) };
    let Some(Column::Number(has_counts)) = expression.columns.get("has_counts") else { return Ok(section) };
    let keep: Vec<usize> = (0..has_counts.len()).filter(|&i| has_counts[i] == 1.0).collect();
    if keep.len() == has_counts.len() {
        return Ok(section);
    }
    let text = format!("{} of {} spots are in the matrix; the others are left out", keep.len(), has_counts.len());
    reading.warnings.note("spots-without-counts", text, None);
    let spots = Spots {
        px: keep.iter().map(|&i| spots.px[i]).collect(),
        in_tissue: keep.iter().map(|&i| spots.in_tissue[i]).collect(),
        diameter_px: spots.diameter_px,
    };
    let expression = Arc::new(expression.subset(&keep)?);
    Ok(Section { spots: Some(Arc::new(spots)), expression: Some(expression), ..section })
}

fn only(found: Vec<Found>) -> Result<Section> {
    found
        .into_iter()
        .find_map(|f| if let Content::Section(section) = f.content { Some(section) } else { None })
        .ok_or_else(|| Error::malformed("there is no table of expression in it"))
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::run;
    use super::*;

    #[test]
    fn a_folder_gives_its_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let read = |p: &Path| run(|r| read_expression(p, r)).0;
        let no_table = read(folder.path()).unwrap_err().to_string();
        assert!(no_table.contains("no table of expression"), "{no_table}");
        let table = folder.path().join("a.csv");
        std::fs::write(&table, "id,A,B\nx,1,2\n").unwrap();
        assert_eq!(read(folder.path()).unwrap(), read(&table).unwrap());
        std::fs::write(folder.path().join("b.tsv"), "id\tA\nx\t1\n").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().starts_with("2 tables"));
        std::fs::write(folder.path().join("c.h5ad"), "no").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().ends_with("c.h5ad"));
        for (name, bytes) in
            [("empty.csv", &b""[..]), ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"), ("matrix.mtx", b"%%MatrixMarket")]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.ends_with(name), "{error}");
        }
    }
}
