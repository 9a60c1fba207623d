//! What is written is read back; each note is said where it should be.

use super::element::{DataSet, Syntax};
use super::*;
use crate::base::{Limits, Progress, Warnings};
use crate::model::Samples;
use crate::space::{DAffine3, DMat3, DVec3, Grid};
use std::sync::Arc;
use std::time::Instant;

/// Reads and gives what was found with the codes of all notes.
pub(super) fn read(path: &Path) -> (Result<Vec<Found>>, Vec<&'static str>) {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let found = read_dicom(path, &mut Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings });
    (found, warnings.notes.iter().map(|n| n.code).collect())
}

pub(super) fn volume_of(found: &Found) -> &Volume {
    match &found.content {
        Content::Volume(volume) => volume,
        _ => panic!("a volume was expected"),
    }
}

/// An oblique cine whose voxels tell where they are.
pub(super) fn cine(size: [usize; 3], n_phases: usize) -> Volume {
    let (right, down) = (DVec3::new(0.8, -0.6, 0.0), DVec3::new(0.36, 0.48, -0.8));
    let matrix3 = DMat3::from_cols(right * 1.37, down * 1.4, right.cross(down) * 9.6);
    let grid = Grid::new(size, DAffine3 { matrix3, translation: DVec3::new(-180.123_456, -170.5, 20.25) }).unwrap();
    let plane = size[0] * size[1];
    let phases = (0..n_phases)
        .map(|p| {
            Samples::U16(
                (0..grid.n_voxels()).map(|i| (i % plane % 251 + 300 * (i / plane) + 7 * p) as u16).collect::<Arc<[u16]>>(),
            )
        })
        .collect();
    let mut volume = Volume::new("cine sax", grid, phases).unwrap();
    volume.modality = "MR".to_owned();
    volume.phase_times_ms = (0..n_phases).map(|p| p as f64 * 30.25).collect();
    volume.window = (10.0, 900.0);
    volume
}

fn facts() -> SeriesFacts {
    SeriesFacts { description: "cine sax".to_owned(), series_number: 7, seed: 42, rr_ms: Some(900.0) }
}

fn written(volume: &Volume) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_dicom_cine(folder.path(), volume, &facts()).unwrap();
    folder
}

fn one_file() -> Vec<u8> {
    let folder = written(&cine([8, 6, 1], 1));
    std::fs::read(folder.path().join("IM00001.dcm")).unwrap()
}

#[test]
fn a_cine_comes_back_as_it_was() {
    let volume = cine([20, 16, 5], 7);
    let folder = written(&volume);
    let (found, codes) = read(folder.path());
    let found = found.unwrap();
    assert_eq!((found.len(), codes.len()), (1, 0), "{codes:?}");
    let back = volume_of(&found[0]);
    assert_eq!(back.phases, volume.phases);
    assert_eq!((back.name.as_str(), back.modality.as_str(), &back.unit), ("cine sax", "MR", &String::new()));
    assert_eq!((&back.phase_times_ms, back.window), (&volume.phase_times_ms, volume.window));
    for corner in [DVec3::ZERO, DVec3::new(19.0, 15.0, 4.0)] {
        let d = back.grid.lps_from_voxel().transform_point3(corner) - volume.grid.lps_from_voxel().transform_point3(corner);
        assert!(d.length() < 1e-6, "{d}");
    }
    assert_eq!(found[0].sorted_by.as_deref(), Some("TriggerTime"));
    assert_eq!(found[0].n_files, 35);
    assert_eq!(found[0].summary, "cine 20×16×5 voxels × 7 phases, 1.37×1.4×9.6 mm, sorted by TriggerTime");
}

#[test]
fn writing_is_deterministic_and_shuffled() {
    let volume = cine([8, 8, 2], 3);
    let (a, b) = (written(&volume), written(&volume));
    for i in 1..=6 {
        let name = format!("IM{i:05}.dcm");
        assert_eq!(std::fs::read(a.path().join(&name)).unwrap(), std::fs::read(b.path().join(&name)).unwrap());
    }
    assert_eq!(std::fs::read_dir(a.path()).unwrap().count(), 6);
}

#[test]
fn signed_bytes_and_rescale_come_back() {
    let mut volume = cine([9, 7, 3], 2);
    let n = volume.grid.n_voxels();
    (volume.slope, volume.intercept, volume.unit) = (0.5, -1024.0, "HU".to_owned());
    volume.phases = (0..2).map(|p| Samples::I16((0..n).map(|i| i as i16 * 31 - 3000 + p).collect::<Arc<[i16]>>())).collect();
    let back = read(written(&volume).path()).0.unwrap();
    let back = volume_of(&back[0]);
    assert_eq!((&back.phases, back.slope, back.intercept, back.unit.as_str()), (&volume.phases, 0.5, -1024.0, "HU"));
    volume.phases = (0..2).map(|p| Samples::U8((0..n).map(|i| (i % 256) as u8 ^ p).collect::<Arc<[u8]>>())).collect();
    let back = read(written(&volume).path()).0.unwrap();
    assert_eq!(volume_of(&back[0]).phases, volume.phases);
}

#[test]
fn missing_images_and_slices_are_named_and_lowest() {
    let mut volume = cine([8, 8, 5], 4);
    volume.missing = vec![(1, 2), (3, 0), (3, 1), (3, 2), (3, 3)];
    let (found, codes) = read(written(&volume).path());
    let found = found.unwrap();
    let back = volume_of(&found[0]);
    assert_eq!(back.missing, volume.missing);
    assert_eq!(back.grid.size(), [8, 8, 5]);
    assert_eq!(codes, vec!["missing-phase", "slice-gap"]);
    let (Samples::U16(data), Samples::U16(whole)) = (&back.phases[2], &volume.phases[2]) else { panic!("U16") };
    assert!(data[64..128].iter().all(|&v| v == 0));
    assert_eq!(data[128..192], whole[128..192]);
}

/// Rewrites decimal strings of a file in place; the new text must not be longer.
fn edit(bytes: &mut [u8], tag: (u16, u16), text: &str) {
    let source = source::Source::open(bytes.to_vec(), &Limits::default()).unwrap();
    let (at, len) = source.data_set().find(dicom::core::Tag(tag.0, tag.1)).map(|e| (e.at, e.value.len())).unwrap();
    let start = bytes.len() - source.body().len() + at;
    assert!(text.len() <= len, "{text} is longer than {len}");
    let padded = format!("{text:<len$}");
    bytes[start..start + len].copy_from_slice(padded.as_bytes());
}

fn edit_each(folder: &Path, mut change: impl FnMut(f64, f64, &mut Vec<u8>)) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let mut bytes = std::fs::read(&path).unwrap();
        let (z, time) = {
            let source = source::Source::open(bytes.clone(), &Limits::default()).unwrap();
            let data = source.data_set();
            let first = |tag, i: usize| data.find(tag).and_then(|e| e.numbers(*b"DS", false).get(i).copied()).unwrap_or(0.0);
            (first(dicom::dictionary_std::tags::IMAGE_POSITION_PATIENT, 2), first(dicom::dictionary_std::tags::TRIGGER_TIME, 0))
        };
        change(z, time, &mut bytes);
        std::fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn uneven_distances_keep_their_true_places() {
    let volume = cine([8, 8, 3], 2);
    let folder = written(&volume);
    let matrix = volume.grid.lps_from_voxel();
    let normal = matrix.matrix3.z_axis.normalize();
    let last = matrix.transform_point3(DVec3::new(0.0, 0.0, 2.0));
    let moved = last + normal * 2.5;
    edit_each(folder.path(), |z, _, bytes| {
        if (z - last.z).abs() < 1e-3 {
            edit(bytes, (0x0020, 0x0032), &format!("{:.3}\\{:.3}\\{:.3}", moved.x, moved.y, moved.z));
        }
    });
    let (found, codes) = read(folder.path());
    let found = found.unwrap();
    assert_eq!((found.len(), codes), (3, vec!["irregular-spacing"]));
    let third = volume_of(&found[2]);
    assert_eq!((third.grid.size(), third.n_phases()), ([8, 8, 1], 2));
    assert!((third.grid.lps_from_voxel().translation - moved).length() < 1e-3);
    assert_eq!(third.name, "cine sax, slice 3");
}

#[test]
fn two_orientations_split() {
    let folder = written(&cine([8, 8, 2], 2));
    edit_each(folder.path(), |_, time, bytes| {
        if time > 1.0 {
            edit(bytes, (0x0020, 0x0037), "1\\0\\0\\0\\1\\0");
        }
    });
    let (found, codes) = read(folder.path());
    assert_eq!(found.unwrap().len(), 2);
    assert!(codes.contains(&"split-series"), "{codes:?}");
}

#[test]
fn one_series_per_slice_is_assembled() {
    let folder = written(&cine([8, 8, 4], 3));
    edit_each(folder.path(), |z, _, bytes| edit(bytes, (0x0020, 0x000E), &format!("2.25.{}", z.abs().round())));
    let (found, codes) = read(folder.path());
    let found = found.unwrap();
    assert_eq!((found.len(), codes), (1, vec!["assembled-series"]));
    assert_eq!(volume_of(&found[0]).phases, cine([8, 8, 4], 3).phases);
}

#[test]
fn names_never_hold_the_patient() {
    let mut bytes = one_file();
    edit(&mut bytes, (0x0010, 0x0010), "SMITH^JANE");
    edit(&mut bytes, (0x0008, 0x103E), "jane sax");
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let found =
        parse_dicom_bytes(&bytes, &mut Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings })
            .unwrap();
    assert_eq!(volume_of(&found[0]).name, "MR series 7");
}

#[test]
fn pixel_spacing_is_row_then_column() {
    let found = read(written(&cine([8, 6, 2], 1)).path()).0.unwrap();
    let spacing = volume_of(&found[0]).grid.spacing_mm();
    assert!((spacing - DVec3::new(1.37, 1.4, 9.6)).length() < 1e-9);
}

#[test]
fn sniffing() {
    let file = one_file();
    assert!(is_dicom(&file) && is_dicom(&file[132..]));
    let body = source::Source::open(file.clone(), &Limits::default()).unwrap().body().to_vec();
    assert!(is_dicom(&body));
    for other in
        [&b""[..], b"\x1f\x8b\x08", b"PK\x03\x04", b"II*\0\x08\0\0\0", &[0; 400], b"P5 2 2 255 abcd", b"\x08\0\x08\0\x08\0\x08\0"]
    {
        assert!(!is_dicom(other), "{other:?}");
    }
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let bare = parse_dicom_bytes(&body, &mut reading).unwrap();
    let whole = parse_dicom_bytes(&file, &mut reading).unwrap();
    assert_eq!(volume_of(&bare[0]).phases, volume_of(&whole[0]).phases);
    assert!(warnings.notes.iter().any(|n| n.code == "irregular-file"));
}

#[test]
fn elements_of_damaged_sequences_end() {
    // an item of undefined length in a sequence of undefined length, cut
    let bytes = [
        0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF, 0x08, 0,
        0x16, 0,
    ];
    let data = DataSet::read(&bytes, Syntax::EXPLICIT);
    assert_eq!((data.elements.len(), data.complete), (1, false));
    let deep: Vec<u8> = bytes[..20].iter().copied().cycle().take(20 * 5000).collect();
    assert!(!DataSet::read(&deep, Syntax::EXPLICIT).complete);
}

#[test]
fn three_hundred_files_open_in_time() {
    let volume = cine([256, 256, 12], 25);
    let folder = written(&volume);
    let times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            let found = read(folder.path()).0.unwrap();
            let seconds = start.elapsed().as_secs_f64();
            assert_eq!(volume_of(&found[0]).phases, volume.phases);
            seconds
        })
        .collect();
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    eprintln!("300 files of 256 × 256: {times:.3?} s");
    assert!(best < 0.5, "{best} s");
}
