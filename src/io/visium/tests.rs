//! The public human heart section, folders written and read back, and damaged parts.

use super::*;
use crate::base::Limits;
use crate::io::h5ad::tests::small;
use crate::io::hdf5_open::trial::{codes, damage, run, shared};
use crate::io::picture::{decode_picture, encode_png};
use crate::io::tenx::{build_10x, parse_10x_bytes};
use crate::space::DVec2;

fn read(folder: &Path) -> (Section, crate::base::Warnings) {
    let (found, warnings) = run(|r| read_visium(folder, r));
    let Content::Section(section) = found.unwrap().content else { panic!("not a section") };
    (section, warnings)
}

#[test]
fn human_heart_is_measured_by_its_lattice() {
    let Some(folder) = shared("visium-human-heart") else { return };
    assert!(is_visium(&folder) && !is_visium(folder.parent().unwrap()));
    let (section, warnings) = read(&folder);
    assert_eq!(codes(&warnings), ["blank-image", "counts-cut"]);
    let spots = section.spots.clone().unwrap();
    assert_eq!((spots.px.len(), spots.in_tissue.iter().filter(|t| **t).count()), (4992, 4235));
    assert_eq!(spots.px[0], DVec2::new(2779.0, 2546.0));
    let PixelSize::Known { um_per_px, source } = &section.pixel_size else { panic!() };
    assert!((um_per_px - 0.725_183_589_055_368_6).abs() < 1e-9, "{um_per_px}");
    assert_eq!(source, "spot lattice");
    let picture = section.picture.unwrap();
    assert_eq!((picture.levels.len(), picture.levels[0].name.as_str(), picture.levels[0].width), (1, "lowres", 600));
    assert!((picture.full_size[0] - 600.0 / 0.045_004_502).abs() < 1e-6);
    let e = section.expression.unwrap();
    assert_eq!((e.observations().len(), e.genes().len(), e.totals().iter().sum::<f64>()), (4992, 100, 932.0));
    let Column::Number(has) = &e.columns["has_counts"] else { panic!() };
    assert_eq!(has.iter().sum::<f64>(), 100.0);
}

#[test]
fn written_folder_gives_the_same_section() {
    let (section, array) = small(0.65);
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var("MYOSCOPE_KEEP").map_or_else(|_| temporary.path().into(), PathBuf::from).join("small");
    write_visium(&folder, &section, &array).unwrap();
    let (again, warnings) = read(&folder);
    // One spot in five is off tissue and has counts, so every position has counts.
    assert!(codes(&warnings).is_empty(), "{warnings:?}");
    assert_eq!((&again.name, &again.picture), (&section.name, &section.picture));
    let (spots, old) = (again.spots.as_ref().unwrap(), section.spots.as_ref().unwrap());
    assert_eq!((&spots.px, &spots.in_tissue), (&old.px, &old.in_tissue));
    assert!((again.mm_per_px() / section.mm_per_px() - 1.0).abs() < 1e-6);
    assert!((spots.diameter_px / old.diameter_px - 1.0).abs() < 1e-6);
    let (e, old) = (again.expression.as_ref().unwrap(), section.expression.as_ref().unwrap());
    assert_eq!((e.genes(), e.gene_ids(), e.observations()), (old.genes(), old.gene_ids(), old.observations()));
    assert!((0..e.genes().len()).all(|g| e.gene(g) == old.gene(g)));
    assert_eq!(e.columns["array_col"], old.columns["array_col"]);
    let bytes = std::fs::read(folder.join("filtered_feature_bc_matrix.h5")).unwrap();
    write_visium(&folder, &section, &array).unwrap();
    assert_eq!(bytes, std::fs::read(folder.join("filtered_feature_bc_matrix.h5")).unwrap());
}

#[test]
fn what_does_not_fit_is_named() {
    let (section, array) = small(0.65);
    let folder = tempfile::tempdir().unwrap();
    let outs = folder.path().join("outs");
    write_visium(&outs, &section, &array).unwrap();
    let scale = outs.join("spatial/scalefactors_json.json");
    std::fs::write(&scale, br#"{"spot_diameter_fullres": 104.0, "tissue_hires_scalef": 0.025, "tissue_lowres_scalef": 0.0125}"#)
        .unwrap();
    std::fs::remove_file(outs.join("filtered_feature_bc_matrix.h5")).unwrap();
    let (again, warnings) = read(folder.path());
    assert_eq!(codes(&warnings), ["scale-disagrees", "matrix-missing"]);
    assert_eq!(warnings.notes[0].file.as_deref(), Some(scale.as_path()));
    assert!(again.expression.is_none() && again.has_unit());
    let high_definition = folder.path().join("hd/spatial");
    std::fs::create_dir_all(&high_definition).unwrap();
    std::fs::write(high_definition.join("tissue_positions.parquet"), b"PAR1").unwrap();
    let refused = run(|r| read_visium(&folder.path().join("hd"), r)).0;
    assert!(matches!(refused, Err(Error::Malformed { path: Some(_), .. })));
    // The same positions in Parquet, as newer folders have them, are the same section.
    let text = outs.join("spatial/tissue_positions.csv");
    let table = crate::io::Table::read(&text, &Limits::default()).unwrap();
    table.write(&outs.join("spatial/tissue_positions.parquet")).unwrap();
    std::fs::remove_file(text).unwrap();
    assert_eq!(read(folder.path()).0.spots, again.spots);
    std::fs::write(&scale, br#"{"tissue_hires_scalef": -1}"#).unwrap();
    assert!(matches!(run(|r| read_visium(folder.path(), r)).0, Err(Error::Malformed { path: Some(_), .. })));
}

#[test]
fn damaged_parts_are_answered() {
    let (section, _) = small(0.65);
    let e = section.expression.unwrap();
    let keep: Vec<usize> = (0..e.observations().len()).collect();
    damage(&build_10x(&e, &keep, "small").unwrap(), parse_10x_bytes);
    let level = &section.picture.unwrap().levels[0];
    damage(&encode_png(level.width, level.height, &level.rgba).unwrap(), |b, l| decode_picture(&b, l));
    let table = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\nA-1,1,0,2,10,25\nC-1,0,1,1,11,20\n";
    damage(table.as_bytes(), |b, _: Limits| parse_positions(&b));
    damage(br#"{"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.15}"#, |b, _: Limits| parse_scalefactors(&b));
}

#[test]
fn rows_and_columns_that_were_exchanged_are_found() {
    let (section, array) = small(0.65);
    let folder = tempfile::tempdir().unwrap();
    write_visium(folder.path(), &section, &array).unwrap();
    let path = folder.path().join("spatial/tissue_positions.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let exchanged = text.replacen("pxl_row_in_fullres,pxl_col_in_fullres", "pxl_col_in_fullres,pxl_row_in_fullres", 1);
    std::fs::write(&path, exchanged).unwrap();
    let (_, warnings) = read(folder.path());
    assert!(codes(&warnings).contains(&"lattice-mirrored"), "{warnings:?}");
    // A barcode that stands twice is told; the counts are those of one spot.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.push(lines[1]);
    std::fs::write(&path, lines.join("\n")).unwrap();
    let (_, warnings) = read(folder.path());
    assert!(codes(&warnings).contains(&"names-twice"), "{warnings:?}");
}
