//! Real files of three versions, built ones of every layout, and damaged ones.

use super::write::write_packing;
use super::*;
use crate::base::Error;
use crate::io::hdf5_build::finish;
use crate::io::hdf5_open::read_hdf5;
use crate::io::hdf5_open::trial::{codes, damage, run, shared};
use crate::model::{Column, Expression, Picture, PictureLevel, Spots};
use crate::space::{DVec2, visium_um};
use hdf5_pure::{AttrValue, FileBuilder};
use std::sync::Arc;

fn section_of(found: &Found) -> &Section {
    let Content::Section(section) = &found.content else { panic!("not a section") };
    section
}

/// A small section with every kind of column, on a Visium lattice of 0.65 µm per pixel.
pub(crate) fn small(um_per_px: f64) -> (Section, Vec<(u32, u32)>) {
    let array: Vec<(u32, u32)> = (0..12).flat_map(|r| (0..10).map(move |c| (r, 2 * c + r % 2))).collect();
    let px: Vec<DVec2> = array
        .iter()
        .map(|&(r, c)| {
            DVec2::new(321.5, 200.0) + DVec2::from_angle(0.01).rotate(visium_um(f64::from(r), f64::from(c))) / um_per_px
        })
        .collect();
    let n = px.len();
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let (mut offsets, mut columns, mut values) = (vec![0_u64], Vec::new(), Vec::new());
    for spot in 0..n {
        for gene in (0..7_usize).filter(|g| (spot * 3 + g) % 4 != 0) {
            columns.push(gene as u32);
            values.push((1 + spot * gene % 11) as f32);
        }
        offsets.push(columns.len() as u64);
    }
    let mut e = Expression::from_rows(names("GENE", 7), names("ENSG0000000000", 7), names("BC-", n), &offsets, &columns, &values)
        .unwrap();
    let regions = vec!["lumière".to_owned(), "wall".to_owned()];
    e.columns.insert(
        "region".into(),
        Column::Category { codes: (0..n).map(|i| if i == 3 { u32::MAX } else { i as u32 % 2 }).collect(), names: regions },
    );
    e.columns.insert("depth".into(), Column::Number((0..n).map(|i| i as f64 / 7.0).collect()));
    e.columns.insert("comment".into(), Column::Text(names("n", n)));
    for (key, pick) in [("array_row", 0), ("array_col", 1)] {
        let value = |a: &(u32, u32)| f64::from(if pick == 0 { a.0 } else { a.1 });
        e.columns.insert(key.into(), Column::Number(array.iter().map(value).collect()));
    }
    let level = |size: usize, scale: f64, name: &str| PictureLevel {
        width: size,
        height: size,
        rgba: (0..size * size).flat_map(|i| [i as u8, (i / size) as u8, 90, 255]).collect(),
        scale,
        offset: 0.0,
        name: name.into(),
    };
    let picture = Picture { levels: vec![level(64, 40.0, "hires"), level(32, 80.0, "lowres")], full_size: [2560.0, 2560.0] };
    let spots = Spots { px: px.into(), diameter_px: 55.0 / um_per_px, in_tissue: (0..n).map(|i| i % 5 != 0).collect() };
    let section = Section {
        name: "small".into(),
        picture: Some(Arc::new(picture)),
        pixel_size: PixelSize::Known { um_per_px, source: "spot lattice".into() },
        spots: Some(Arc::new(spots)),
        expression: Some(Arc::new(e)),
    };
    (section, array)
}

#[test]
fn asp_heart_gives_its_four_sections() {
    let Some(path) = shared("asp-heart-st/heart_ST_CN73.h5ad") else { return };
    let (found, warnings) = run(|r| read_hdf5(&path, r));
    let found = found.unwrap();
    assert_eq!(codes(&warnings), ["split-by-section", "lattice-residual", "lattice-residual", "pitch-assumed", "pitch-assumed"]);
    let expected = [
        ("1_CN73_E1", 91, 339_599.0, 0.274_511),
        ("2_CN73_E2", 94, 359_237.0, 0.274_943),
        ("3_CN73_D2", 153, 982_600.0, 0.598_638),
        ("4_CN73_C2", 173, 1_368_889.0, 0.600_400),
    ];
    for (item, (name, n, sum, um)) in expected.into_iter().enumerate() {
        let section = section_of(&found[item]);
        let e = section.expression.as_ref().unwrap();
        assert_eq!((section.name.as_str(), e.observations().len(), e.genes().len()), (name, n, 20_658));
        assert_eq!(e.totals().iter().sum::<f64>(), sum);
        let spots = section.spots.as_ref().unwrap();
        assert_eq!(spots.px.len(), n);
        assert_eq!(e.columns["x"], Column::Number(spots.px.iter().map(|p| p.x).collect()));
        let PixelSize::Known { um_per_px, .. } = section.pixel_size else { panic!("{name}") };
        assert!((um_per_px - um).abs() < 1e-6, "{name}: {um_per_px}");
    }
}

#[test]
fn archived_versions_have_the_numbers_of_anndata() {
    let Some(path) = shared("h5ad-zarr-formats/anndata_v0.7.8_adata.h5ad") else { return };
    let (found, warnings) = run(|r| read_hdf5(&path, r));
    let found = found.unwrap();
    let e = section_of(&found[0]).expression.clone().unwrap();
    assert_eq!((e.observations().len(), e.genes().len(), e.totals().iter().sum::<f64>()), (30, 20, 302.0));
    assert_eq!((e.observations()[2].as_str(), e.genes()[1].as_str(), e.unit.as_str()), ("cell2", "gene1", "counts"));
    let Column::Category { codes: c, names } = &e.columns["obs_cat"] else { panic!() };
    assert_eq!(c[..3].iter().map(|&i| names[i as usize].as_str()).collect::<Vec<_>>(), ["h", "A", "Z"]);
    let Column::Number(v) = &e.columns["int64"] else { panic!() };
    assert_eq!(v[..3], [-16.0, -15.0, 0.0]);
    assert!(codes(&warnings).is_empty(), "{warnings:?}");
    let path = path.with_file_name("anndata_v0.11.4_adata.h5ad");
    let (found, warnings) = run(|r| read_hdf5(&path, r));
    let e = section_of(&found.unwrap()[0]).expression.clone().unwrap();
    assert_eq!((e.observations().len(), e.genes().len(), e.n_stored()), (10, 20, 0));
    assert_eq!(codes(&warnings), ["no-matrix"]);
}

#[test]
fn large_matrices_are_written_into_their_holes() {
    let (n, m) = (2500, 700);
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let table = |add: usize| {
        let (mut offsets, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for gene in 0..m {
            for row in (0..n).filter(|row| !(row * 31 + gene * 17 + add).is_multiple_of(3)) {
                rows.push(row as u32);
                values.push(((row + gene) % 97 + add) as f32 + 1.0);
            }
            offsets.push(rows.len() as u64);
        }
        Expression::new(names("g", m), vec![], names("c", n), offsets, rows, values).unwrap()
    };
    let (x, layer) = (table(0), table(1));
    let (section, _) = small(0.65);
    let section = Section { spots: None, picture: None, expression: Some(Arc::new(x.clone())), ..section };
    let extras = Extras { matrices: [("other".to_owned(), layer.clone())].into(), ..Extras::default() };
    let folder = tempfile::tempdir().unwrap();
    let [plain, packed] = ["plain.h5ad", "packed.h5ad"].map(|name| folder.path().join(name));
    write_packing(&plain, &section, &extras, 1000).unwrap();
    write_h5ad_with(&packed, &section, &extras).unwrap();
    let size = |path: &std::path::Path| std::fs::metadata(path).unwrap().len();
    assert!(size(&plain) > 16 * x.n_stored() as u64 && size(&packed) < size(&plain) / 2);
    for path in [&plain, &packed] {
        let read = |matrix| run(|r| crate::io::read_matrix(path, matrix, r)).0.unwrap().expression.unwrap();
        assert_eq!((read(None), read(Some("other"))), (Arc::new(x.clone()), Arc::new(layer.clone())));
    }
}

#[test]
fn written_file_gives_the_same_section() {
    let (section, _) = small(0.65);
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var("MYOSCOPE_KEEP").map_or_else(|_| folder.path().into(), std::path::PathBuf::from).join("small.h5ad");
    write_h5ad(&path, &section).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), build_h5ad(&section).unwrap());
    let (found, warnings) = run(|r| read_hdf5(&path, r));
    let again = section_of(&found.unwrap()[0]).clone();
    assert!(codes(&warnings).is_empty(), "{warnings:?}");
    assert_eq!(again.picture, section.picture);
    assert_eq!(
        (&again.name, again.spots.as_ref().unwrap().px.clone()),
        (&section.name, section.spots.as_ref().unwrap().px.clone())
    );
    assert_eq!(again.spots.as_ref().unwrap().in_tissue, section.spots.as_ref().unwrap().in_tissue);
    assert!((again.mm_per_px() / section.mm_per_px() - 1.0).abs() < 1e-6);
    let (mut e, old) = ((*again.expression.unwrap()).clone(), section.expression.unwrap());
    assert!(e.columns.remove("in_tissue").is_some());
    assert_eq!(e, *old);
}

fn table(file: &mut FileBuilder, name: &str, index: &[&str], columns: &[(&str, &[&str])]) {
    let mut group = file.create_group(name);
    group.set_attr("_index", AttrValue::String("names".into()));
    group.create_dataset("names").with_vlen_strings(index);
    for (column, values) in columns {
        group.create_dataset(column).with_vlen_strings(values);
    }
    file.add_group(group.finish());
}

fn with_x(build: impl FnOnce(&mut FileBuilder)) -> Result<Vec<Section>> {
    with_x_and_obs(|file| {
        table(file, "obs", &["a", "b", "c"], &[]);
        build(file);
    })
}

fn with_x_and_obs(build: impl FnOnce(&mut FileBuilder)) -> Result<Vec<Section>> {
    let mut file = FileBuilder::new();
    table(&mut file, "var", &["ENSG00000000003", "ENSG00000000419"], &[("gene_name", &["TSPAN6", "DPM1"])]);
    build(&mut file);
    parse_h5ad_bytes(finish(file).unwrap(), Limits::default())
}

#[test]
fn every_layout_of_x_is_the_same_matrix() {
    let sparse = |format: &'static str, key: &'static str, offsets: &'static [i32], indices: &'static [i64]| {
        with_x(move |file| {
            let mut x = file.create_group("X");
            x.set_attr(key, AttrValue::String(format.into()));
            x.set_attr(if key == "h5sparse_format" { "h5sparse_shape" } else { "shape" }, AttrValue::I64Array(vec![3, 2]));
            let values: &[u16] = if format.starts_with("csr") { &[5, 7, 2] } else { &[7, 5, 2] };
            x.create_dataset("data").with_u16_data(values);
            x.create_dataset("indices").with_i64_data(indices);
            x.create_dataset("indptr").with_i32_data(offsets);
            file.add_group(x.finish());
        })
    };
    let all = [
        sparse("csr_matrix", "encoding-type", &[0, 1, 1, 3], &[0, 0, 1]),
        sparse("csr", "h5sparse_format", &[0, 1, 1, 3], &[0, 0, 1]),
        sparse("csc_matrix", "encoding-type", &[0, 2, 3], &[2, 0, 2]),
        with_x(|f| {
            f.create_dataset("X").with_f64_data(&[5.0, 0.0, 0.0, 0.0, 7.0, 2.0]).with_shape(&[3, 2]);
        }),
        with_x(|f| {
            f.create_dataset("X").with_u8_data(&[5, 0, 0, 0, 7, 2]).with_shape(&[3, 2]);
        }),
    ];
    for sections in all {
        let e = sections.unwrap()[0].expression.clone().unwrap();
        assert_eq!((e.genes()[0].as_str(), e.gene_ids()[1].as_str()), ("TSPAN6", "ENSG00000000419"));
        assert_eq!((e.dense(0), e.dense(1), e.unit.as_str()), (vec![5.0, 0.0, 7.0], vec![0.0, 0.0, 2.0], "counts"));
    }
    assert!(matches!(sparse("csr_matrix", "encoding-type", &[0, 1, 1, 3], &[0, 0, 2]), Err(Error::Malformed { .. })));
    assert!(matches!(sparse("csr_matrix", "encoding-type", &[0, 1, 1, 4], &[0, 0, 1]), Err(Error::Malformed { .. })));
    assert!(matches!(sparse("csr_matrix", "encoding-type", &[0, 1, 1, 3], &[0, 0, -1]), Err(Error::Malformed { .. })));
    assert!(matches!(sparse("coo", "encoding-type", &[0, 1, 1, 3], &[0, 0, 1]), Err(Error::Unsupported { .. })));
}

#[test]
fn damaged_files_are_answered() {
    let (section, _) = small(0.65);
    damage(&build_h5ad(&section).unwrap(), parse_h5ad_bytes);
    let Some(path) = shared("h5ad-zarr-formats/anndata_v0.7.8_adata.h5ad") else { return };
    damage(&std::fs::read(path).unwrap(), parse_h5ad_bytes);
}

#[test]
fn old_tables_and_small_memory_are_refused_in_words() {
    let record = hdf5_pure::CompoundTypeBuilder::new().i32_field("index").build().unwrap();
    let mut file = FileBuilder::new();
    file.create_dataset("obs").with_compound_data(record, vec![0; 12], 3);
    file.create_dataset("X").with_f32_data(&[0.0; 6]).with_shape(&[3, 2]);
    let error = parse_h5ad_bytes(finish(file).unwrap(), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("has no row names"), "{error}");
    let (section, _) = small(0.65);
    let error = parse_h5ad_bytes(build_h5ad(&section).unwrap(), Limits { max_bytes: 1000 }).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn nullable_and_strange_columns() {
    let sections = with_x_and_obs(|file| {
        let mut obs = file.create_group("obs");
        obs.create_dataset("_index").with_vlen_strings(&["a", "b", "c"]);
        let mut age = obs.create_group("age");
        age.set_attr("encoding-type", AttrValue::String("nullable-integer".into()));
        age.create_dataset("values").with_i64_data(&[3, 4, 5]);
        age.create_dataset("mask").with_u8_data(&[0, 1, 0]);
        obs.add_group(age.finish());
        obs.create_dataset("short").with_f64_data(&[1.0]);
        file.add_group(obs.finish());
        file.create_dataset("X").with_u8_data(&[5, 0, 0, 0, 7, 2]).with_shape(&[3, 2]);
    });
    let e = sections.unwrap()[0].expression.clone().unwrap();
    let Column::Number(age) = &e.columns["age"] else { panic!() };
    assert!(age[0] == 3.0 && age[1].is_nan() && age[2] == 5.0);
    assert!(!e.columns.contains_key("short"));
}
