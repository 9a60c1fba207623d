//! The same table as anndata writes it: HDF5 and Zarr, sparse and dense, packed in every way.

use super::*;
use crate::io::bytes::inflate;
use crate::io::hdf5_open::trial::{codes, run};
use crate::io::zarr::Zarr;
use crate::model::Column;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells").join(name)
}

fn numbers() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(golden("cells.json")).unwrap()).unwrap()
}

fn check(name: &str, file: &dyn Stored) {
    let (found, warnings) = run(|r| read(file, Path::new(name), r));
    let found = found.unwrap();
    let Content::Section(section) = &found[0].content else { panic!("{name}") };
    let e = section.expression.as_ref().unwrap();
    assert_eq!((found.len(), e.observations().len(), e.genes().len(), e.gene_ids().len()), (1, 23, 7, 7), "{name}");
    assert_eq!((e.observations()[22].as_str(), e.genes()[6].as_str()), ("cell-22", "G6"), "{name}");
    let sums: Vec<f64> = (0..7).map(|g| e.dense(g).iter().map(|v| f64::from(*v)).sum()).collect();
    let told = numbers();
    let wanted = |key: &str| told[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!(sums, wanted("x_sum_by_gene"), "{name}");
    let Column::Category { codes: kinds, names } = &e.columns["kind"] else { panic!("{name}") };
    assert_eq!(names, &["a", "b", "ü"], "{name}");
    let kinds: Vec<f64> = kinds.iter().map(|&c| if c == u32::MAX { -1.0 } else { f64::from(c) }).collect();
    assert_eq!(kinds, wanted("kind_codes"), "{name}");
    let Column::Number(maybe) = &e.columns["maybe"] else { panic!("{name}") };
    assert!(maybe[0].is_nan() && maybe[5] == 5.0, "{name}");
    let Column::Number(flag) = &e.columns["flag"] else { panic!("{name}") };
    assert!(flag[5].is_nan() && flag[6] == 1.0 && flag[7] == 0.0, "{name}");
    assert_eq!(e.columns.len(), 8, "{name}");
    let spots = section.spots.as_ref().unwrap();
    assert_eq!((spots.px[7].x, spots.px[7].y), (70.0, 40.0), "{name}");
    let picture = &section.picture.as_ref().unwrap().levels[0];
    assert_eq!((picture.width, picture.height, picture.scale, picture.rgba[(5 * 60 + 7) * 4 + 1]), (60, 24, 4.0, 24), "{name}");
    assert!(!codes(&warnings).contains(&"column-skipped"), "{name}: {warnings:?}");
}

fn check_arrays(name: &str, path: &Path) {
    let (found, _) = run(|r| read_arrays(path, &["X_pca", "X_sparse", "fractions", "none"], &["connectivities"], r));
    let found = found.unwrap();
    assert_eq!(found.arrays.keys().collect::<Vec<_>>(), ["X_pca", "X_sparse", "fractions"], "{name}");
    assert_eq!((found.arrays["X_pca"].0, found.arrays["X_pca"].1[91]), (4, 91.0), "{name}");
    assert_eq!(found.arrays["X_sparse"].1[..8], [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0], "{name}");
    let last = &found.arrays["fractions"].1[44..46];
    assert!((last[0] - 22.0 / 23.0).abs() + (last[1] - 1.0 / 23.0).abs() < 1e-12, "{name}");
    assert_eq!(found.graphs["connectivities"].n_edges(), 22, "{name}");
}

#[test]
fn every_layout_gives_the_same_table() {
    for name in ["csr_gzip", "csc_lzf", "dense_zstd", "csr_blosc", "dense_none"] {
        let packed = std::fs::read(golden(&format!("{name}.h5ad.gz"))).unwrap();
        let bytes = inflate(packed, &Limits::default()).unwrap();
        check(name, &Hdf5::from_bytes(bytes.clone(), Limits::default()).unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        check_arrays(name, file.path());
    }
    for name in ["csr_v2", "csr_v3", "dense_v2", "dense_v3"] {
        let folder = crate::io::zarr::tests::golden(&format!("{name}.zarr.zip"));
        check(name, &Zarr::open(folder.path(), Limits::default()).unwrap());
        check_arrays(name, folder.path());
    }
}

#[test]
fn raw_and_layers_are_read_by_name() {
    let folder = crate::io::zarr::tests::golden("dense_v3.zarr.zip");
    let total = |matrix: Option<&str>| {
        let (section, _) = run(|r| crate::io::read_matrix(folder.path(), matrix, r));
        section.map(|s| s.expression.unwrap().totals().iter().sum::<f64>())
    };
    let x = total(None).unwrap();
    assert_eq!([total(Some("raw")).unwrap(), total(Some("counts")).unwrap()], [x, x]);
    assert!(total(Some("layers/dense")).unwrap() < x);
    let error = total(Some("other")).unwrap_err().to_string();
    assert!(error.contains("it has X, raw, counts, dense"), "{error}");
}

#[test]
fn tables_of_records_are_read() {
    let packed = std::fs::read(golden("legacy.h5ad.gz")).unwrap();
    let file = Hdf5::from_bytes(inflate(packed, &Limits::default()).unwrap(), Limits::default()).unwrap();
    let (found, warnings) = run(|r| read(&file, Path::new("legacy"), r));
    let Content::Section(section) = found.unwrap().remove(0).content else { panic!() };
    let e = section.expression.unwrap();
    assert_eq!((e.observations()[22].as_str(), e.genes()[6].as_str()), ("cell-22", "G6"));
    let Column::Category { codes: kinds, names } = &e.columns["kind"] else { panic!() };
    assert_eq!((names.as_slice(), kinds.len()), (["a", "b", "ü"].map(str::to_owned).as_slice(), 23));
    assert!(matches!(&e.columns["count"], Column::Number(v) if v.len() == 23));
    assert_eq!(section.spots.unwrap().px[7].x, 70.0);
    assert_eq!(codes(&warnings).iter().filter(|c| **c == "old-table").count(), 2);
}

#[test]
fn a_packed_store_opens_as_it_is() {
    let (found, _) = run(|r| crate::io::open(&golden("csr_v3.zarr.zip"), r));
    let found = found.unwrap();
    let Content::Section(section) = &found[0].content else { panic!() };
    assert_eq!(section.name, "csr_v3");
    let (whole, _) = run(|r| crate::io::read_expression(&golden("dense_v2.zarr.zip"), r));
    assert_eq!(whole.unwrap().expression.unwrap().genes().len(), 7);
}

#[test]
fn what_lies_beside_x_is_written_again() {
    let folder = crate::io::zarr::tests::golden("csr_v2.zarr.zip");
    let (all, warnings) = run(|r| read_all_arrays(folder.path(), r));
    let (arrays, layers) = all.unwrap();
    assert_eq!(codes(&warnings), ["left-out"]);
    assert_eq!(
        (layers, arrays.arrays.len(), arrays.graphs.len()),
        (["counts", "dense", "raw"].map(str::to_owned).to_vec(), 3, 1)
    );
    let read_one = |matrix: Option<&str>| run(|r| crate::io::read_matrix(folder.path(), matrix, r)).0.unwrap();
    let section = read_one(None);
    let matrices = [("dense".to_owned(), (*read_one(Some("dense")).expression.unwrap()).clone())].into();
    let extras = Extras { obsm: arrays.arrays, graphs: arrays.graphs, matrices, ..Extras::default() };
    let file = tempfile::Builder::new().suffix(".h5ad").tempfile().unwrap();
    write_h5ad_with(file.path(), &section, &extras).unwrap();
    let again = run(|r| crate::io::read_matrix(file.path(), Some("dense"), r)).0.unwrap();
    assert_eq!(again.expression.unwrap().totals(), read_one(Some("dense")).expression.unwrap().totals());
    check_arrays_of_width(file.path());
}

fn check_arrays_of_width(path: &Path) {
    let found = run(|r| read_arrays(path, &["X_pca", "X_sparse", "fractions"], &["connectivities"], r)).0.unwrap();
    let widths: Vec<usize> = found.arrays.values().map(|a| a.0).collect();
    assert_eq!((widths, found.graphs.len()), (vec![4, 3, 2], 1));
    // Offsets and indices of one type, as scipy takes them.
    let bytes = std::fs::read(path).unwrap();
    let file = hdf5_pure::File::from_bytes(bytes).unwrap();
    let kind = |at: &str| file.dataset(at).unwrap().dtype().unwrap();
    assert_eq!(kind("X/indptr"), kind("X/indices"));
}
