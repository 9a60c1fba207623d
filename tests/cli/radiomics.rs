//! `measure radiomics`: table, JSON and refusals.

use crate::run::{Csv, run};
use myoscope::io::{write_nifti_labels, write_nifti_volume};
use myoscope::model::{LabelMap, Samples, Volume};
use myoscope::space::{DAffine3, DVec3, Grid};
use std::path::PathBuf;

fn files(folder: &std::path::Path) -> [PathBuf; 2] {
    let grid = Grid::new([9, 8, 7], DAffine3::from_scale(DVec3::new(1.0, 1.0, 2.5))).unwrap();
    let values: Vec<i16> = (0..504).map(|i| ((i * 7919) % 61) as i16 - 20).collect();
    let labels: Vec<u8> = (0..504)
        .map(|i| {
            if i % 9 == 0 {
                0
            } else if i % 2 == 0 {
                1
            } else {
                2
            }
        })
        .collect();
    let paths = ["image.nii", "mask.nii.gz"].map(|n| folder.join(n));
    write_nifti_volume(&paths[0], &Volume::new("i", grid, vec![Samples::I16(values.into())]).unwrap()).unwrap();
    write_nifti_labels(&paths[1], &LabelMap::new("m", grid, vec![labels.into()]).unwrap()).unwrap();
    paths
}

#[test]
fn a_table_of_tags_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let [image, mask] = files(folder.path());
    let outs = ["a.csv", "b.csv"].map(|n| folder.path().join(n));
    let line = "measure radiomics --image {} --mask {} --discretize width:10 --resegment -15,35 --out {} --threads";
    for (out, n) in outs.iter().zip([1, 3]) {
        run(&format!("{line} {n}"), &[&image, &mask, out]).done();
    }
    assert_eq!(std::fs::read(&outs[0]).unwrap(), std::fs::read(&outs[1]).unwrap());
    let csv = Csv::read(&outs[0]);
    let tags = csv.column("tag");
    assert_eq!((tags[0].as_str(), tags.len(), csv.numbers("value").len()), ("morph_volume", 487, 487));
    let at = |tag: &str| csv.numbers("value")[tags.iter().position(|t| t == tag).unwrap()];
    assert_eq!((at("ih_max"), at("stat_min"), at("stat_max")), (Some(6.0), Some(-15.0), Some(35.0)));
}

#[test]
fn one_label_one_aggregation_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let [image, mask] = files(folder.path());
    let json = run("measure radiomics --image {} --mask {} --label 2 --aggregation 3D_comb --json", &[&image, &mask]).json();
    assert_eq!(json["n_voxels"], 224);
    let features = json["features"].as_object().unwrap();
    assert!(features.contains_key("cm_contrast_3D_comb") && !features.contains_key("cm_contrast_3D_avg"));
    assert!(json["notes"].to_string().contains("gray levels start at 1"), "{}", json["notes"]);
    for (options, part) in [
        ("--discretize count:0", "bins"),
        ("--discretize wide", "width:w"),
        ("--resegment 5", "two intensities"),
        ("--resample -1", "above 0"),
        ("--label 9", "label 9"),
        ("--resegment 900,901", "resegmentation"),
        ("--phase 3", "phase 3"),
    ] {
        run(&format!("measure radiomics --image {{}} --mask {{}} {options}"), &[&image, &mask]).is_error(part);
    }
}
