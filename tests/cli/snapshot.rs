//! `snapshot`: pictures without a window, the same on any machine.

use crate::run::{demo, run, run_in};
use myoscope::base::Limits;
use myoscope::io::picture::decode_picture;
use std::path::Path;

struct Picture {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

fn read(path: &Path) -> Picture {
    let picture = decode_picture(&std::fs::read(path).unwrap(), Limits::default()).unwrap();
    let level = &picture.levels[0];
    Picture { width: level.width, height: level.height, rgba: level.rgba.to_vec() }
}

/// Takes a picture of the demo's file.
fn take(file: &str, options: &str) -> Picture {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("p.png");
    run(&format!("snapshot {{}} --out {{}} {options}"), &[&demo().join(file), &out]).done();
    read(&out)
}

#[test]
fn sizes_and_views() {
    let default = take("lge.nii.gz", "--view slice");
    assert_eq!((default.width, default.height), (800, 800));
    for (file, options) in [
        ("lge.nii.gz", "--view slice --plane axial --at 0"),
        ("lge.nii.gz", "--view slice --plane coronal"),
        ("lge.nii.gz", "--view slice --plane sagittal"),
        ("cine.nii.gz", "--view slice --plane sax --phase 3"),
        ("cine.nii.gz", "--view slice --plane 2ch"),
        ("cine.nii.gz", "--view slice --plane 4ch --plain"),
        ("visium", "--view section --color-by MYH7"),
        ("section.h5ad", "--view section"),
    ] {
        let picture = take(file, &format!("{options} --size 320x200"));
        assert_eq!((picture.width, picture.height), (320, 200), "{options}");
        let first = &picture.rgba[..4];
        assert!(picture.rgba.chunks_exact(4).any(|p| p != first), "{options} shows something");
    }
}

#[test]
fn choices_change_the_picture_and_repeats_do_not() {
    let small = |options: &str| take("cine.nii.gz", &format!("--view slice --size 200x200 {options}")).rgba;
    let base = small("--plane axial");
    assert!(base == small("--plane axial"), "the same input gives the same picture");
    for options in [
        "--plane axial --phase 9",
        "--plane axial --neurological",
        "--plane axial --plain",
        "--plane axial --window 0,100",
        "--plane coronal",
    ] {
        assert!(small(options) != base, "{options} changes nothing");
    }
    let labels = demo().join("cine-labels.nii.gz");
    assert!(small(&format!("--plane axial --labels {}", labels.display())) != base);
    let out = tempfile::tempdir().unwrap();
    let image = demo().join("cine.nii.gz");
    run("snapshot {} --view slice --labels {} --out {}", &[&image, &image, &out.path().join("p.png")]).is_error("segmentation");
}

#[test]
fn neurological_is_the_mirror() {
    let small = |options: &str| take("lge.nii.gz", &format!("--view slice --plane axial --size 240x160 --plain {options}"));
    let (right, left) = (small(""), small("--neurological"));
    let pixel = |p: &Picture, x: usize, y: usize| p.rgba[(y * p.width + x) * 4..][..3].to_vec();
    let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 3);
    let same = (0..160)
        .flat_map(|y| (0..240).map(move |x| (x, y)))
        .filter(|&(x, y)| near(&pixel(&right, x, y), &pixel(&left, 239 - x, y)));
    assert!(same.count() > 160 * 240 * 98 / 100);
}

#[test]
fn the_built_in_case_and_a_registered_section_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for (view, options) in [("bullseye", ""), ("overlay", ""), ("section", "--color-by NPPA"), ("slice", "--plane sax")] {
        let line = format!("snapshot --view {view} --out {view}.png --size 240x240 --seed 3 {options}");
        run_in(folder.path(), line.split_whitespace()).done();
        assert_eq!(read(&folder.path().join(format!("{view}.png"))).width, 240);
    }
    let (cine, section, transform) =
        (demo().join("cine.nii.gz"), demo().join("section.h5ad"), demo().join("truth/transform.json"));
    let out = folder.path().join("o.png");
    let line = "snapshot {} {} --view overlay --transform {} --color-by MYH7 --size 240x240 --out {} --json";
    let report = run(line, &[&cine, &section, &transform, &out]).json();
    assert_eq!(report["size"], serde_json::json!([240, 240]));
    let picture = read(&out);
    let colors: std::collections::BTreeSet<&[u8]> = picture.rgba.chunks_exact(4).collect();
    assert!(colors.len() > 100, "heart and spots are there");
}

#[test]
fn wrong_wishes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let heart = demo().join("lge.nii.gz");
    let section = demo().join("section.h5ad");
    for (path, options, part) in [
        (&heart, "--view slice --size 5x5", "--size"),
        (&heart, "--view slice --size 99999x10", "--size"),
        (&heart, "--view slice --window 5,1", "--window"),
        (&heart, "--view slice --plane diagonal", "diagonal"),
        (&heart, "--view slice --phase 1", "--phase 1"),
        (&heart, "--view slice --at high", "high"),
        (&heart, "--view section", "section"),
        (&section, "--view slice", "heart"),
        (&section, "--view overlay", "overlay"),
        (&heart, "--view bullseye", "segment"),
        (&section, "--view section --color-by NOSUCHGENE", "NOSUCHGENE"),
        (&heart, "--view section --color-by MYH7", "section"),
    ] {
        let out = folder.path().join("p.png");
        run(&format!("snapshot {{}} {options} --out {{}}"), &[path, &out]).is_error(part);
        assert!(!out.exists(), "{options} left a picture");
    }
}
