//! Small TIFFs that tifffile and Pillow wrote, against what tifffile reads from them; and damage.

use super::*;
use crate::base::{Limits, Progress, Warnings};
use crate::io::bytes::sha256;
use serde_json::Value;

fn cases() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/golden/tiff.json")).unwrap();
    all["cases"].as_array().unwrap().clone()
}

fn bytes_of(case: &Value) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiff");
    std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap()
}

fn parsed(bytes: Vec<u8>, max_bytes: u64) -> (Result<Section>, Vec<&'static str>) {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits { max_bytes }, progress: &Progress::none(), warnings: &mut warnings };
    let section = parse_tiff(bytes, &mut reading);
    (section, warnings.notes.iter().map(|n| n.code).collect())
}

fn case(name: &str) -> Value {
    cases().into_iter().find(|c| c["name"] == name).unwrap()
}

#[test]
fn every_kind_is_read_as_tifffile_reads_it() {
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let (section, codes) = parsed(bytes_of(&case), 1 << 30);
        let section = section.unwrap_or_else(|e| panic!("{name}: {e}"));
        let picture = section.picture.as_ref().unwrap();
        let wanted = case["levels"].as_array().unwrap();
        if !wanted.is_empty() {
            assert_eq!(picture.levels.len(), wanted.len(), "{name}");
        }
        for (level, want) in picture.levels.iter().zip(wanted) {
            assert_eq!(level.width as u64, want["width"].as_u64().unwrap(), "{name}");
            assert_eq!(level.height as u64, want["height"].as_u64().unwrap(), "{name}");
            let scale = want["scale"].as_f64().unwrap();
            assert_eq!((level.scale, level.offset), (scale, (scale - 1.0) / 2.0), "{name}");
            assert_eq!(sha256(&level.rgba), want["rgba"].as_str().unwrap(), "{name} level {scale}");
        }
        let size = match section.pixel_size {
            PixelSize::Known { um_per_px, .. } => Some(um_per_px),
            PixelSize::Unknown => None,
        };
        let told = case["um_per_px"].as_f64();
        assert!(size.zip(told).map_or(size.is_none() && told.is_none(), |(a, b)| (a - b).abs() < 1e-6), "{name}: {size:?}");
        assert_eq!(codes.contains(&"unit-unknown"), told.is_none(), "{name}");
    }
}

#[test]
fn jpeg_is_near_and_fluorescence_is_mixed() {
    let jpeg = case("JPEG");
    let section = parsed(bytes_of(&jpeg), 1 << 30).0.unwrap();
    let picture = section.picture.unwrap();
    let level = &picture.levels[0];
    for (corner, at) in [(0, 0), (1, level.rgba.len() - 4)] {
        for c in 0..3 {
            let want = jpeg["corners"][corner][c].as_u64().unwrap();
            assert!(u64::from(level.rgba[at + c]).abs_diff(want) <= 6, "{:?} {want}", &level.rgba[at..at + 4]);
        }
    }
    let (section, codes) = parsed(bytes_of(&case("fluorescence")), 1 << 30);
    let picture = section.unwrap().picture.unwrap();
    assert_eq!(picture.full_size, [30.0, 24.0]);
    assert!(codes.contains(&"channels-mixed") && !codes.contains(&"pages-not-shown"), "{codes:?}");
    let distinct: std::collections::BTreeSet<&[u8]> = picture.levels[0].rgba.chunks(4).collect();
    assert!(distinct.len() > 100 && picture.levels[0].rgba.chunks(4).any(|p| p[0] != p[2]));
}

#[test]
fn labels_are_not_shown_and_said_to_be_left_out() {
    let (_, codes) = parsed(bytes_of(&case("slide with label and macro")), 1 << 30);
    assert!(codes.contains(&"pages-not-shown"), "{codes:?}");
}

#[test]
fn a_coarser_copy_is_taken_where_memory_ends() {
    let bytes = bytes_of(&case("OME pyramid"));
    let (section, codes) = parsed(bytes.clone(), 150_000);
    let picture = section.unwrap().picture.unwrap();
    assert_eq!((picture.levels[0].scale, picture.full_size), (2.0, [141.0, 131.0]));
    assert!(codes.contains(&"coarser-level"));
    assert!(matches!(parsed(bytes, 2000).0, Err(Error::TooLarge { .. })));
}

#[test]
fn damage_is_named() {
    let bytes = bytes_of(&case("strips"));
    for (cut, part) in [(6, "header"), (60, "damaged"), (bytes.len() - 40, "TIFF")] {
        let error = parsed(bytes[..cut].to_vec(), 1 << 30).0.unwrap_err().to_string();
        assert!(error.contains(part), "{cut}: {error}");
    }
    // The first directory is said to lie in itself: a circle.
    let mut circle = bytes.clone();
    let at = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let n = usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let next = at + 2 + 12 * n;
    circle[next..next + 4].copy_from_slice(&(at as u32).to_le_bytes());
    let error = parsed(circle, 1 << 30).0.unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
}
