//! Damaged and hostile files: an error or a partial result, never a panic or a large allocation.

use super::tests::{cine, volume_of};
use super::*;
use crate::base::{Limits, Progress, Warnings, stream_seed};

fn parse(bytes: &[u8]) -> (Result<Vec<Found>>, Vec<&'static str>) {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let found = parse_dicom_bytes(bytes, &mut Reading { limits, progress: &progress, warnings: &mut warnings });
    (found, warnings.notes.iter().map(|n| n.code).collect())
}

/// An explicit little-endian element.
fn element(tag: (u16, u16), vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    bytes.extend_from_slice(vr);
    if matches!(vr, b"OW" | b"OB" | b"SQ") {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    } else {
        bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

fn short(tag: (u16, u16), value: u16) -> Vec<u8> {
    element(tag, b"US", &value.to_le_bytes())
}

/// A small image without preamble; the arguments are what may be wrong with it.
fn image(rows: u16, columns: u16, frames: &str, orientation: &str, spacing: &str, pixels: usize) -> Vec<u8> {
    [
        element((0x0008, 0x0016), b"UI", b"1.2.840.10008.5.1.4.1.1.4\0"),
        element((0x0008, 0x0060), b"CS", b"MR"),
        element((0x0020, 0x0032), b"DS", b"0\\0\\0 "),
        element((0x0020, 0x0037), b"DS", orientation.as_bytes()),
        short((0x0028, 0x0002), 1),
        element((0x0028, 0x0004), b"CS", b"MONOCHROME2 "),
        element((0x0028, 0x0008), b"IS", frames.as_bytes()),
        short((0x0028, 0x0010), rows),
        short((0x0028, 0x0011), columns),
        element((0x0028, 0x0030), b"DS", spacing.as_bytes()),
        short((0x0028, 0x0100), 16),
        short((0x0028, 0x0101), 12),
        short((0x0028, 0x0102), 11),
        short((0x0028, 0x0103), 0),
        element((0x7FE0, 0x0010), b"OW", &vec![1; pixels]),
    ]
    .concat()
}

const AXES: &str = "1\\0\\0\\0\\1\\0 ";

#[test]
fn a_sound_small_image_opens() {
    let (found, codes) = parse(&image(4, 4, "1 ", AXES, "2\\2 ", 32));
    assert_eq!(volume_of(&found.unwrap()[0]).grid.size(), [4, 4, 1]);
    assert_eq!(codes, vec!["irregular-file", "single-slice"]);
}

#[test]
fn nothing_and_too_little() {
    let whole = image(4, 4, "1 ", AXES, "2\\2 ", 32);
    for n in 0..whole.len() {
        let (found, _) = parse(&whole[..n]);
        assert!(found.is_err(), "{n} of {} bytes", whole.len());
    }
}

#[test]
fn complete_frames_of_a_cut_file_stay() {
    let (found, codes) = parse(&image(4, 4, "5 ", AXES, "2\\2 ", 32 * 3 + 10));
    let found = found.unwrap();
    assert_eq!(volume_of(&found[0]).n_phases(), 3);
    assert!(codes.contains(&"truncated"));
}

#[test]
fn huge_sizes_are_refused_before_memory_is_taken() {
    let (found, _) = parse(&image(65_535, 65_535, "1000000 ", AXES, "2\\2 ", 32));
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
    assert!(matches!(parse(&image(0, 4, "1 ", AXES, "2\\2 ", 32)).0, Err(Error::Malformed { .. })));
}

#[test]
fn senseless_geometry_is_named() {
    for orientation in ["1\\0\\0\\1\\0\\0 ", "0\\0\\0\\0\\0\\0 ", "nan\\0\\0\\0\\1\\0 ", "1e300\\0\\0\\0\\1\\0 ", "1\\0 "] {
        let (found, codes) = parse(&image(4, 4, "1 ", orientation, "2\\2 ", 32));
        assert!(found.is_ok() && codes.contains(&"no-position"), "{orientation}: {codes:?}");
    }
    for spacing in ["0\\0 ", "nan\\2 ", "-1\\2 ", "inf\\inf ", "1e-300\\1 ", "x "] {
        let (found, codes) = parse(&image(4, 4, "1 ", AXES, spacing, 32));
        assert!(!volume_of(&found.unwrap()[0]).length_unit_known);
        assert!(codes.contains(&"unit-unknown"), "{spacing}: {codes:?}");
    }
}

/// Opens a copy with 1 to 8 bytes changed, or a piece cut out.
fn mutate(sound: &[u8], seed: u64) {
    let mut bytes = sound.to_vec();
    let mut draws = (0..).map(|i| stream_seed(seed, i) as usize);
    let mut draw = |n: usize| draws.next().unwrap() % n.max(1);
    // headers matter more than pixels
    let head = bytes.len().min(1500);
    for _ in 0..=draw(8) {
        let range = if draw(4) == 0 { bytes.len() } else { head };
        let at = draw(range);
        bytes[at] = if draw(3) == 0 { 0xFF } else { draw(256) as u8 };
    }
    if draw(5) == 0 {
        let from = draw(bytes.len());
        let to = from + draw(64.min(bytes.len() - from));
        bytes.drain(from..to);
    }
    let _ = parse(&bytes);
}

#[test]
fn two_thousand_mutations_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    let facts = SeriesFacts { description: "fuzz".to_owned(), series_number: 1, seed: 1, rr_ms: None };
    write_dicom_cine(folder.path(), &cine([8, 6, 1], 1), &facts).unwrap();
    let sound = std::fs::read(folder.path().join("IM00001.dcm")).unwrap();
    for seed in 0..2000 {
        mutate(&sound, seed);
    }
    let frames = image(4, 4, "3 ", AXES, "2\\2 ", 96);
    for seed in 0..2000 {
        mutate(&frames, seed);
    }
}

#[test]
fn mutated_compressed_files_do_not_panic() {
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    for name in ["MR_small_RLE.dcm", "emri_small.dcm", "SC_rgb_jpeg_dcmtk.dcm", "examples_palette.dcm", "image_dfl.dcm"] {
        let Ok(sound) = std::fs::read(root.join("data/dicom-pydicom").join(name)) else {
            eprintln!("absent: {name}");
            continue;
        };
        for seed in 0..150 {
            mutate(&sound, seed);
        }
    }
}

/// One item of a sequence with explicit length.
fn item(content: &[u8]) -> Vec<u8> {
    [&[0xFE, 0xFF, 0x00, 0xE0][..], &(content.len() as u32).to_le_bytes(), content].concat()
}

/// Functional groups of an enhanced frame at `z` and `time_ms`.
fn group(z: usize, time_ms: f64) -> Vec<u8> {
    let position = format!("0\\0\\{} ", z * 8);
    let groups = [
        element((0x0018, 0x9118), b"SQ", &item(&element((0x0020, 0x9153), b"FD", &time_ms.to_le_bytes()))),
        element((0x0020, 0x9113), b"SQ", &item(&element((0x0020, 0x0032), b"DS", position.as_bytes()))),
    ];
    item(&groups.concat())
}

#[test]
fn enhanced_frames_are_sorted_by_their_groups() {
    let order = [(1, 2), (0, 0), (1, 0), (0, 2), (0, 1), (1, 1)];
    let per_frame: Vec<u8> = order.iter().flat_map(|&(z, p)| group(z, p as f64 * 40.0)).collect();
    let shared = [
        element((0x0020, 0x9116), b"SQ", &item(&element((0x0020, 0x0037), b"DS", AXES.as_bytes()))),
        element((0x0028, 0x9110), b"SQ", &item(&element((0x0028, 0x0030), b"DS", b"2\\1.5 "))),
    ];
    let plain = image(2, 2, "6 ", AXES, "9\\9 ", 0);
    let no_place = &plain[..plain.len() - 12]; // without pixel data
    let pixels: Vec<u8> = order.iter().flat_map(|&(z, p)| [(10 * z + p) as u8, 0].repeat(4)).collect();
    let groups = [
        element((0x5200, 0x9229), b"SQ", &item(&shared.concat())),
        element((0x5200, 0x9230), b"SQ", &per_frame),
        element((0x7FE0, 0x0010), b"OW", &pixels),
    ];
    let (found, codes) = parse(&[no_place, &groups.concat()].concat());
    let found = found.unwrap();
    let volume = volume_of(&found[0]);
    assert_eq!((volume.grid.size(), volume.phase_times_ms.as_slice()), ([2, 2, 2], &[0.0, 40.0, 80.0][..]), "{codes:?}");
    assert_eq!(volume.grid.spacing_mm().to_array(), [1.5, 2.0, 8.0]);
    for p in 0..3 {
        assert_eq!((volume.value(p, 0), volume.value(p, 4)), (p as f64, (10 + p) as f64));
    }
    assert_eq!(found[0].sorted_by.as_deref(), Some("TriggerTime"));
}
