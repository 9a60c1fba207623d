//! Damaged and malicious files: every reader answers with a value or a sentence, never with a panic,
//! and takes no more memory than it may. `MYOSCOPE_FUZZ_SECONDS=20` gives each reader so long.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "../common/mod.rs"]
mod common;
mod genes;
mod heart;
mod places;

use common::mutate::{Budget, Target, attack};
use genes::*;
use heart::*;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::cohort::parse_cohort_pair;
use myoscope::io::contours::{parse_cvi42, parse_guide_points, parse_points, parse_sunnybrook};
use myoscope::io::counts::{is_counts, parse_counts};
use myoscope::io::dicom::deidentify::deidentify_bytes;
use myoscope::io::dicom::{SeriesFacts, parse_dicom_bytes, write_dicom_cine};
use myoscope::io::geojson::parse_regions;
use myoscope::io::gmt::parse_gmt;
use myoscope::io::h5ad::{Extras, build_h5ad, build_h5ad_with, parse_ann_table, parse_arrays, parse_h5ad_bytes};
use myoscope::io::landmarks::parse_pairs;
use myoscope::io::mesh::{MeshKind, parse_mesh};
use myoscope::io::mtx::parse_mtx;
use myoscope::io::network::parse_network;
use myoscope::io::nifti::{parse_nifti, write_nifti_labels, write_nifti_volume};
use myoscope::io::picture::{decode_picture, encode_png};
use myoscope::io::predictor_file::parse_predictor;
use myoscope::io::project::{FORMAT, Manifest, Project, parse_project, write_project};
use myoscope::io::raster::{parse_raster, write_raster};
use myoscope::io::table::{Table, TableColumn, TableKind};
use myoscope::io::tenx::parse_10x_bytes;
use myoscope::io::tiff::parse_tiff;
use myoscope::io::transform_file::parse_transform;
use myoscope::io::transform_formats::bigwarp::parse_bigwarp;
use myoscope::io::transform_formats::itk::parse_itk;
use myoscope::io::transform_formats::matrix::parse_matrix;
use myoscope::io::transform_formats::ngff::parse_ngff;
use myoscope::io::transform_formats::parse_any_transform;
use myoscope::io::visium::{parse_positions, parse_scalefactors};
use myoscope::io::volume_formats::parse_lattice;
use myoscope::io::zarr_open::parse_zarr_array;
use myoscope::io::{
    PredictorNotes, Reading, RegionUnit, bytes, open, write_dicom_segmentation, write_mesh, write_predictor, write_visium,
};
use myoscope::model::{
    Domain, Expression, ExpressionScale, Graph, LabelMap, PixelSize, Predictor, PredictorFeature, PredictorGene, Raster, Samples,
    Section, Spots, Surface, Volume,
};
use myoscope::space::{DAffine3, DVec2, DVec3, Grid};
use places::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const LIMITS: Limits = Limits { max_bytes: 64 << 20 };

/// One line per reader: a new format adds one here.
fn targets() -> Vec<Target> {
    vec![
        Target { name: "nifti", seeds: nifti_seeds(), read: |b| drop(reading(|r| parse_nifti(b, "x.nii", r))) },
        Target { name: "nifti-labels", seeds: nifti_seeds(), read: |b| drop(reading(|r| parse_nifti(b, "x_seg.nii", r))) },
        Target { name: "network", seeds: network_seeds(), read: |b| drop(parse_network(b)) },
        Target { name: "pairs", seeds: pair_seeds(), read: |b| drop(reading(|r| parse_pairs(b, r))) },
        Target { name: "gmt", seeds: vec![b"A\tx\tG1\tG2\nB\ty\tG3\n".to_vec()], read: |b| drop(reading(|r| parse_gmt(b, r))) },
        Target { name: "cohort", seeds: cohort_seeds(), read: |b| drop(reading(|r| parse_cohort_pair(b, r))) },
        Target { name: "table-tsv", seeds: pair_seeds(), read: |b| drop(Table::parse(b.to_vec(), TableKind::Tsv, &LIMITS)) },
        Target { name: "parquet", seeds: parquet_seeds(), read: |b| drop(Table::parse(b.to_vec(), TableKind::Csv, &LIMITS)) },
        Target { name: "contours", seeds: contour_seeds(), read: read_contours },
        Target { name: "obj", seeds: mesh_seeds("a.obj"), read: |b| drop(reading(|r| parse_mesh(b, MeshKind::Obj, "m", r))) },
        Target { name: "ply", seeds: mesh_seeds("a.ply"), read: |b| drop(reading(|r| parse_mesh(b, MeshKind::Ply, "m", r))) },
        Target { name: "stl", seeds: mesh_seeds("a.stl"), read: |b| drop(reading(|r| parse_mesh(b, MeshKind::Stl, "m", r))) },
        Target { name: "archive", seeds: archive_seeds(), read: read_archive },
        Target { name: "dicom segmentation", seeds: segmentation_seeds(), read: |b| drop(reading(|r| parse_dicom_bytes(b, r))) },
        Target { name: "dicom waveform", seeds: waveform_seeds(), read: |b| drop(reading(|r| parse_dicom_bytes(b, r))) },
        Target { name: "deidentify", seeds: dicom_seeds(), read: |b| drop(deidentify_bytes(b, &LIMITS)) },
        Target { name: "dicom", seeds: dicom_seeds(), read: |b| drop(reading(|r| parse_dicom_bytes(b, r))) },
        Target { name: "h5ad", seeds: h5ad_seeds(), read: |b| drop(parse_h5ad_bytes(b.to_vec(), LIMITS)) },
        Target { name: "10x", seeds: tenx_seeds(), read: |b| drop(parse_10x_bytes(b.to_vec(), LIMITS)) },
        Target { name: "mtx", seeds: mtx_seeds(), read: |b| drop(reading(|r| parse_mtx(b, r))) },
        Target {
            name: "counts",
            seeds: count_seeds(),
            read: |b| {
                let _ = is_counts(b);
                drop(reading(|r| parse_counts(b.to_vec(), "x", r)));
            },
        },
        Target { name: "picture", seeds: picture_seeds(), read: |b| drop(decode_picture(b, LIMITS)) },
        Target { name: "tiff", seeds: tiff_seeds(), read: |b| drop(reading(|r| parse_tiff(b.to_vec(), r))) },
        Target { name: "model", seeds: model_seeds(), read: |b| drop(parse_predictor(b)) },
        Target { name: "h5ad-values", seeds: h5ad_seeds(), read: |b| drop(reading(|r| parse_ann_table(b.to_vec(), &["a"], r))) },
        Target {
            name: "h5ad-arrays",
            seeds: array_seeds(),
            read: |b| drop(reading(|r| parse_arrays(b.to_vec(), &["X_a", "X_sparse", "fractions"], &["connectivities"], r))),
        },
        Target { name: "h5ad-packed", seeds: packed_seeds(), read: |b| drop(parse_h5ad_bytes(b.to_vec(), LIMITS)) },
        Target { name: "zarr", seeds: zarr_seeds(), read: |b| drop(reading(|r| parse_zarr_array(b, r))) },
        Target { name: "regions", seeds: region_seeds(), read: |b| drop(reading(|r| parse_regions(b, RegionUnit::Pixels, r))) },
        Target { name: "positions", seeds: position_seeds(), read: |b| drop(parse_positions(b)) },
        Target { name: "scale factors", seeds: scale_seeds(), read: |b| drop(parse_scalefactors(b)) },
        Target { name: "project", seeds: project_seeds(), read: |b| drop(parse_project(std::io::Cursor::new(b))) },
        Target { name: "nrrd", seeds: lattice_seeds(), read: |b| drop(reading(|r| parse_lattice(b, "x.seg.nrrd", r))) },
        Target { name: "raster", seeds: raster_seeds(), read: |b| drop(parse_raster(b, &LIMITS)) },
        Target { name: "itk", seeds: itk_seeds(), read: |b| drop(parse_itk(b, None)) },
        Target { name: "matrix", seeds: matrix_seeds(), read: |b| drop(parse_matrix(b, None)) },
        Target { name: "bigwarp", seeds: bigwarp_seeds(), read: |b| drop(parse_bigwarp(b)) },
        Target { name: "ngff", seeds: ngff_seeds(), read: |b| drop(parse_ngff(b)) },
        Target { name: "any transform", seeds: any_transform_seeds(), read: |b| drop(parse_any_transform(b, None)) },
        Target {
            name: "transform chain",
            seeds: chain_seeds(),
            read: |b| drop(parse_transform(b).and_then(|t| t.to_point_map())),
        },
        Target { name: "transform", seeds: transform_seeds(), read: read_transform },
    ]
}

fn read_transform(bytes: &[u8]) {
    if let Ok(file) = parse_transform(bytes) {
        drop((file.to_warp(), file.to_warp_3()));
    }
}

fn read_contours(bytes: &[u8]) {
    drop(reading(|r| parse_points(bytes.to_vec(), TableKind::Csv, r)));
    drop(reading(|r| parse_cvi42(bytes, r)));
    drop(parse_guide_points(bytes, Path::new("GPFile_001.txt")));
    drop(parse_sunnybrook(bytes, Path::new("IM-0001-0002-icontour-manual.txt")));
}

fn read_archive(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, bytes).unwrap();
    drop(reading(|r| open(&path, r)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside the archive");
}

fn reading<T>(run: impl FnOnce(&mut Reading) -> T) -> T {
    let mut warnings = Warnings::default();
    run(&mut Reading { limits: LIMITS, progress: &Progress::none(), warnings: &mut warnings })
}

#[test]
fn damaged_files_never_panic() {
    let (budget, targets) = (Budget::from_environment(), targets());
    let next = AtomicUsize::new(0);
    // Two readers at a time: their seconds pass together.
    let work = || {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let runs = attack(target, &budget);
            eprintln!("{}: {runs} damaged files", target.name);
            assert!(runs > 0, "{}", target.name);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    assert!(peak_mib() < 1024, "{} MiB were taken for files that may take 64", peak_mib());
}

/// The most memory this process held, where the system says so.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Files that were made to be bad: a name, its bytes, and a part of the sentence that must come.
fn kept() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = written("a.nii", |p| write_nifti_volume(p, &cine()).unwrap());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let dims = |d: [i16; 8]| with(40, &d.map(i16::to_le_bytes).concat());
    let nan = f32::NAN.to_le_bytes();
    let gz = written("a.nii.gz", |p| write_nifti_volume(p, &cine()).unwrap());
    let bomb = {
        let mut out = Vec::new();
        let mut file = dims([3, 1024, 1024, 80, 1, 1, 1, 1]);
        file.resize(352 + (160 << 20), 0);
        bytes::write_gzip(&file, &mut out).unwrap();
        out
    };
    vec![
        ("empty.nii", Vec::new(), "empty"),
        ("one-byte.nii", vec![0x5c], "NIfTI"),
        ("cut-header.nii", good[..200].to_vec(), "cut off"),
        ("cut-voxels.nii", good[..400].to_vec(), "cut off"),
        ("claims-3-gb.nii", dims([3, 1024, 1024, 1536, 1, 1, 1, 1]), "cut off"),
        ("claims-2-to-the-90.nii", dims([7, 32767, 32767, 32767, 32767, 1, 1, 1]), "cut off"),
        ("nine-axes.nii", dims([9, 4, 3, 2, 1, 1, 1, 1]), "dim[0]"),
        ("no-axes.nii", dims([0, 4, 3, 2, 1, 1, 1, 1]), "dim[0]"),
        ("negative-axis.nii", dims([3, 4, -3, 2, 1, 1, 1, 1]), "length -3"),
        ("empty-axis.nii", dims([3, 4, 0, 2, 1, 1, 1, 1]), "length 0"),
        ("five-axes.nii", dims([5, 4, 3, 2, 1, 3, 1, 1]), "4-D"),
        ("nan-matrix.nii", with(280, &nan), "not finite"),
        ("singular-matrix.nii", with(280, &[0; 16]), "singular"),
        ("far-away.nii", with(292, &1e30f32.to_le_bytes()), "kilometer"),
        ("nan-offset.nii", with(108, &nan), "byte NaN"),
        ("offset-in-header.nii", with(108, &12f32.to_le_bytes()), "inside the header"),
        ("offset-beyond.nii", with(108, &1e12f32.to_le_bytes()), "cut off"),
        ("rgb.nii", with(70, &128i16.to_le_bytes()), "RGB"),
        ("no-type.nii", with(70, &7i16.to_le_bytes()), "voxel type 7"),
        ("analyze.hdr", with(344, &[0; 4]), "ANALYZE"),
        ("lonely.hdr", with(344, b"ni1\0"), "beside each other"),
        ("cut.nii.gz", gz[..gz.len() - 20].to_vec(), "gzip"),
        ("bomb.nii.gz", bomb, "the limit is"),
        ("lonely.mtx", b"%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n".to_vec(), "barcodes.tsv"),
        ("dense.mtx", b"%%MatrixMarket matrix array real general\n1 1\n1\n".to_vec(), "barcodes.tsv"),
        ("words.csv", b"id,A,B,C\nx,1,2,3\ny,1,2,3\nz,1,abc,3\n".to_vec(), "a table"),
        ("ragged.csv", b"id,TTN,MB,ACTB\nx,1,2,3\ny,1,2,3,4\nz,1,2,3\n".to_vec(), "row 2 has 5 fields"),
        (
            "text-mode.nii",
            {
                let mut f = nifti_2(false);
                f[8..12].copy_from_slice(b"\n\n\x1a\n");
                f
            },
            "copied as text",
        ),
        ("words.nii", b"not an image at all".to_vec(), "NIfTI"),
    ]
}

#[test]
fn kept_bad_files_get_a_sentence_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, data, part) in kept() {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, data).unwrap();
        let error = reading(|r| open(&path, r)).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains(part), "{name}: {error}");
        assert!(!error.contains('\n'), "{name}: {error}");
    }
}

#[test]
fn bad_tables_get_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    for (name, data) in [
        ("empty.csv", Vec::new()),
        ("latin1.csv", b"name\xe9,moving_x\n1,2\n".to_vec()),
        ("zeros.csv", vec![0; 4096]),
        ("ragged.csv", b"name,moving_x,moving_y,fixed_x,fixed_y\na,1,2,3,4,5,6,7\n".to_vec()),
        ("quote.csv", b"name,moving_x,moving_y,fixed_x,fixed_y\n\"a,1,2,3,4\n".to_vec()),
        ("cut.parquet", b"PAR1abcdPAR1".to_vec()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, data).unwrap();
        let error = reading(|r| myoscope::io::landmarks::read_pairs(&path, r)).expect_err(name).to_string();
        assert!(error.contains(name) && !error.contains('\n'), "{error}");
    }
}
