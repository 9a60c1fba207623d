//! Holds the house in place: which folder may know which, which outside crate belongs where, and the
//! size and opening of every source file. A new folder that is not in the table fails here.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Folder, and the folders it may import.
const MAY: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("space", &["base"]),
    ("model", &["base", "space"]),
    ("stats", &["base"]),
    ("phantom", &["base", "space", "model", "stats"]),
    ("io", &["base", "space", "model"]),
    ("imaging", &["base", "space", "model"]),
    ("cardiac", &["base", "space", "model", "stats", "imaging"]),
    ("register", &["base", "space", "model", "stats", "imaging"]),
    ("omics", &["base", "space", "model", "stats"]),
    ("fuse", &["base", "model", "stats"]),
    ("predict", &["base", "space", "model", "stats", "imaging"]),
    ("guard", &["base", "space", "model", "stats"]),
    ("scene", &["base", "space", "model", "imaging"]),
    (
        "session",
        &[
            "base", "space", "model", "stats", "phantom", "io", "imaging", "cardiac", "register", "omics", "fuse", "predict",
            "guard", "scene",
        ],
    ),
    (
        "cli",
        &[
            "base", "space", "model", "stats", "phantom", "io", "imaging", "cardiac", "register", "omics", "fuse", "predict",
            "guard", "scene", "session", "render", "ui",
        ],
    ),
    ("render", &["base", "space", "model", "scene"]),
    // The panels of a method may see its settings.
    ("ui", &["base", "space", "model", "io", "omics", "fuse", "predict", "scene", "session", "render"]),
];

/// Outside crate, and the folders it is allowed in.
const ONLY: &[(&str, &[&str])] = &[
    ("thiserror", &["base"]),
    ("glam", &["space"]),
    ("faer", &["stats"]),
    ("pulp", &["omics"]),
    ("rand", &["stats"]),
    ("rand_distr", &["stats"]),
    ("delaunator", &["stats"]),
    // Transforms of images: sums over all pairs of voxels.
    ("rustfft", &["imaging"]),
    ("dicom", &["io"]),
    ("dicom_pixeldata", &["io"]),
    ("nifti", &["io"]),
    ("ndarray", &["model", "io"]),
    ("image", &["io"]),
    ("tiff", &["io"]),
    ("polars", &["io"]),
    ("hdf5_pure", &["io"]),
    ("zip", &["io"]),
    ("tar", &["io"]),
    ("lzma_rust2", &["io"]),
    ("flate2", &["io"]),
    ("zstd", &["io"]),
    ("lz4", &["io"]),
    ("tempfile", &["io"]),
    ("sha2", &["io"]),
    ("serde", &["io", "session", "cli", "ui"]),
    ("serde_json", &["io", "session", "cli", "ui"]),
    ("ab_glyph", &["scene"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli"]),
    ("wgpu", &["render"]),
    ("bytemuck", &["render"]),
    ("pollster", &["render"]),
    ("egui_wgpu", &["render"]),
    ("egui", &["ui", "render"]),
    ("eframe", &["ui"]),
    ("egui_tiles", &["ui"]),
    ("rfd", &["ui"]),
    // Manifests of networks, and the theme.
    ("toml", &["io", "ui"]),
    // Networks of a person's own are run in one room.
    ("rten", &["predict"]),
    ("rten_tensor", &["predict"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The source without comments and without its tests, which may use more.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
    body.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Test modules in files of their own.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|s| s == "tests" || s.to_string_lossy().ends_with("_tests"))
        || path.components().any(|c| c.as_os_str() == "tests")
}

/// Names that follow `crate::` in a text, braces of a `use` included.
fn imported(text: &str) -> Vec<String> {
    let word = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (i, _) in text.match_indices("crate::") {
        let rest = &text[i + 7..];
        if let Some(inner) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (j, c) in inner.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && c.is_alphabetic() => {
                        names.push(word(&inner[j..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            names.push(word(rest));
        }
    }
    names
}

/// Whether a text names an outside crate at the start of a path.
fn names_crate(text: &str, name: &str) -> bool {
    let path = format!("{name}::");
    text.match_indices(&path).any(|(i, _)| {
        let before = text[..i].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    }) || text.contains(&format!("use {name};"))
        || text.contains(&format!("use {name} as"))
}

#[test]
fn folders_know_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let Some((_, may)) = MAY.iter().find(|(f, _)| *f == name) else {
            wrong.push(format!("src/{name} is not in the table of tests/layers.rs"));
            continue;
        };
        for file in sources(&folder).into_iter().filter(|f| !is_test(f)) {
            for other in imported(&code(&file)) {
                let known = MAY.iter().any(|(f, _)| *f == other);
                if known && other != name && !may.contains(&other.as_str()) {
                    wrong.push(format!("{} imports crate::{other}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources(&root()).into_iter().filter(|f| !is_test(f)) {
        let inside = file.strip_prefix(root()).unwrap();
        let folder = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let text = code(&file);
        for (name, rooms) in ONLY {
            if names_crate(&text, name) && !rooms.contains(&folder.as_str()) {
                wrong.push(format!("{} uses {name}, which belongs in {rooms:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_open_with_their_purpose_and_stay_readable() {
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not open with //!", file.display()));
        }
        let n = text.lines().count();
        if n > 600 {
            wrong.push(format!("{} has {n} lines", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(imported("use crate::{base::Result, model::{A, B}};\ncrate::io::open()"), ["base", "model", "io"]);
    assert!(names_crate("use wgpu::Device;", "wgpu") && names_crate("let x = zip::read();", "zip"));
    assert!(!names_crate("a.zip(b); egui_wgpu::x; iter::zip::y", "wgpu"));
}
