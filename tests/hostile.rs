//! Damaged and malicious files: every reader answers with a value or a sentence, never with a panic,
//! and takes no more memory than it may. `MYOSCOPE_FUZZ_SECONDS=20` gives each reader so long.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

mod common;

use common::mutate::{Budget, Target, attack};
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

fn contour_seeds() -> Vec<Vec<u8>> {
    let workspace = "<?xml version=\"1.0\"?><R><Hash:item Hash:key=\"ImageStates\"><Hash:item Hash:key=\"1.2\"><Hash:item Hash:key=\"Contours\">\
        <Hash:item Hash:key=\"saendocardialContour\"><Hash:item Hash:key=\"Points\"><P><Point:x>1</Point:x><Point:y>2</Point:y></P></Hash:item>\
        <Hash:item Hash:key=\"SubpixelResolution\">4</Hash:item></Hash:item></Hash:item></Hash:item></Hash:item></R>";
    vec![
        b"phase,view,slice,border,point,x_mm,y_mm,z_mm\n0,sax,1,endo,0,1,2,3\n0,sax,1,endo,1,2,2,3\n".to_vec(),
        workspace.into(),
        b"x\ty\tz\tcontour type\tframeID\tweight\ttime frame\n1 2 3 SAX_RV_SEPTUM 2 1.0 0\n1 3 3 SAX_RV_SEPTUM 2 1.0 0\n"
            .to_vec(),
        b"1.5 2\n2.5 2\n2.5 4\n".to_vec(),
    ]
}

fn mesh_seeds(name: &str) -> Vec<Vec<u8>> {
    let vertices = vec![DVec3::ZERO, DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 4.0];
    let mesh = Surface::new("t", vertices, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]).unwrap();
    let mut seeds = vec![written(name, |p| write_mesh(p, &mesh).unwrap())];
    if name.ends_with("stl") {
        seeds.push(
            b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid x\n"
                .to_vec(),
        );
    }
    if name.ends_with("ply") {
        let mut binary =
            b"ply\nformat binary_big_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
            element face 1\nproperty list uchar int vertex_index\nend_header\n"
                .to_vec();
        [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0].iter().for_each(|v| binary.extend(v.to_be_bytes()));
        binary.push(3);
        [0_i32, 1, 2].iter().for_each(|v| binary.extend(v.to_be_bytes()));
        seeds.push(binary);
    }
    seeds
}

fn read_archive(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, bytes).unwrap();
    drop(reading(|r| open(&path, r)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside the archive");
}

/// A zip with an image, a path that leads out, and a zip; the same as tar in gzip.
fn archive_seeds() -> Vec<Vec<u8>> {
    let image = nifti_seeds().swap_remove(0);
    let zip_of = |entries: &[(&str, &[u8])]| {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, data) in entries {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut out, data).unwrap();
        }
        out.finish().unwrap().into_inner()
    };
    let inner = zip_of(&[("v.nii", &image)]);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(image.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "a/v.nii", &image[..]).unwrap();
    let mut gz = Vec::new();
    bytes::write_gzip(&tar.into_inner().unwrap(), &mut gz).unwrap();
    vec![zip_of(&[("v.nii", &image), ("../out.nii", &image), ("inner.zip", &inner)]), gz]
}

fn segmentation_seeds() -> Vec<Vec<u8>> {
    let labels = LabelMap::new("l", grid(), vec![(0..24).map(|i| i % 4).collect::<Vec<u8>>().into()]).unwrap();
    vec![written("a.dcm", |p| write_dicom_segmentation(p, &labels).unwrap())]
}

/// A waveform of two channels, element by element, explicit little endian.
fn waveform_seeds() -> Vec<Vec<u8>> {
    let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
        let mut out = [group.to_le_bytes(), number.to_le_bytes()].concat();
        out.extend(vr);
        if matches!(vr, b"OW" | b"SQ") {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_le_bytes());
        } else {
            out.extend((value.len() as u16).to_le_bytes());
        }
        out.extend(value);
        out
    };
    let samples: Vec<u8> = (0..80_i16).flat_map(|i| (i * 7 % 50).to_le_bytes()).collect();
    let group = [
        element(0x003A, 0x0005, b"US", &2_u16.to_le_bytes()),
        element(0x003A, 0x0010, b"UL", &40_u32.to_le_bytes()),
        element(0x003A, 0x001A, b"DS", b"500 "),
        element(0x5400, 0x1004, b"US", &16_u16.to_le_bytes()),
        element(0x5400, 0x1006, b"CS", b"SS"),
        element(0x5400, 0x1010, b"OW", &samples),
    ]
    .concat();
    let mut item = vec![0xFE, 0xFF, 0x00, 0xE0];
    item.extend((group.len() as u32).to_le_bytes());
    item.extend(group);
    let mut file = element(0x0008, 0x0060, b"CS", b"ECG ");
    file.extend(element(0x5400, 0x0100, b"SQ", &item));
    assert!(reading(|r| parse_dicom_bytes(&file, r)).is_ok());
    vec![file]
}

fn reading<T>(run: impl FnOnce(&mut Reading) -> T) -> T {
    let mut warnings = Warnings::default();
    run(&mut Reading { limits: LIMITS, progress: &Progress::none(), warnings: &mut warnings })
}

fn grid() -> Grid {
    let mut place = DAffine3::from_scale(DVec3::new(1.5, 1.5, 8.0));
    place.translation = DVec3::X;
    Grid::new([4, 3, 2], place).unwrap()
}

fn written(name: &str, write: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path);
    std::fs::read(path).unwrap()
}

fn cine() -> Volume {
    let phases = (0..3).map(|p| Samples::I16((0..24).map(|i| i * 31 + p).collect())).collect();
    let mut cine = Volume::new("c", grid(), phases).unwrap();
    cine.phase_times_ms = vec![0.0, 30.0, 60.0];
    cine
}

fn nifti_seeds() -> Vec<Vec<u8>> {
    let labels = LabelMap::new("l", grid(), vec![(0..24u8).map(|i| i % 4).collect()]).unwrap();
    let plain = written("a.nii", |p| write_nifti_volume(p, &cine()).unwrap());
    let mut swapped = plain.clone();
    swapped[..4].reverse();
    swapped[40..42].reverse();
    vec![
        written("a.nii.gz", |p| write_nifti_volume(p, &cine()).unwrap()),
        written("l.nii", |p| write_nifti_labels(p, &labels).unwrap()),
        nifti_2(false),
        nifti_2(true),
        swapped,
        plain,
    ]
}

/// A NIfTI-2 image of 3×2×2 `f32`.
fn nifti_2(big: bool) -> Vec<u8> {
    let mut h = vec![0u8; 544 + 48];
    let mut put = |at: usize, le: &[u8]| {
        let le: Vec<u8> = if big { le.iter().rev().copied().collect() } else { le.to_vec() };
        h[at..at + le.len()].copy_from_slice(&le);
    };
    put(0, &540i32.to_le_bytes());
    put(12, &16i16.to_le_bytes());
    [3i64, 3, 2, 2, 1, 1, 1, 1].iter().enumerate().for_each(|(i, d)| put(16 + 8 * i, &d.to_le_bytes()));
    [1.0f64, 1.5, 1.5, 8.0].iter().enumerate().for_each(|(i, p)| put(104 + 8 * i, &p.to_le_bytes()));
    put(168, &544i64.to_le_bytes());
    put(344, &1i32.to_le_bytes());
    put(500, &10i32.to_le_bytes());
    h[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    h
}

fn network_seeds() -> Vec<Vec<u8>> {
    let text = "name = \"a\"\nmodel = \"a.onnx\"\nsha256 = \"00\"\n[input]\nlayout = \"NCDHW\"\nsize = [8, 8, 4]\nspacing_mm = [1.5, 1.5, 8]\n\
                [normalize]\nmethod = \"percentile\"\nlow = 1\nhigh = 99\n[output]\nthreshold = 0.5\n[[class]]\nindex = 1\nlabel = 3\nname = \"LV\"\n";
    vec![text.as_bytes().to_vec()]
}

fn pair_seeds() -> Vec<Vec<u8>> {
    let csv = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z,active\na,1,2,3,4,5,1\n\"b, c\",1.5e3,,3,4,5,\n";
    let mut gz = Vec::new();
    bytes::write_gzip(csv.as_bytes(), &mut gz).unwrap();
    vec![csv.into(), gz, csv.replace(',', "\t").into(), b"name,moving_x,moving_y,fixed_x,fixed_y\r\n,,,,\r\n".to_vec()]
}

/// A sheet and the table that it links, with a zero byte between.
fn cohort_seeds() -> Vec<Vec<u8>> {
    let sheet = "subject,patient,batch,age [years],scan,block,section,phenotypes,bulk,view:x,outcome\nS1,P1,1,61,a.nii,B1,B1-1;B1-2,t.csv,t.csv#two,,1\nS1,P1,,,,,,,,,\n\"Doe, J\",,2,x,MR,,,missing: no,t.csv#S1,t.csv#q,0\n";
    let table = "id,edv_ml,G1\nS1,1.5,2\ntwo,,-3e2\nq,nan,\n";
    vec![format!("{sheet}\0{table}").into_bytes(), sheet.as_bytes().to_vec(), sheet.replace(',', ";").into_bytes()]
}

fn parquet_seeds() -> Vec<Vec<u8>> {
    let table = |n: usize| {
        let word = |i: usize| (!i.is_multiple_of(5)).then(|| format!("word {}", i % 3));
        Table::new(vec![
            TableColumn::text("name", (0..n).map(word)),
            TableColumn::numbers("x", (0..n).map(|i| (i % 7 > 0).then_some(i as f64 / 3.0))),
            TableColumn::whole("n", (0..n).map(|i| Some(i as i64 * 1000))),
        ])
    };
    [2, 300].map(|n| table(n).unwrap().to_bytes(TableKind::Parquet).unwrap()).to_vec()
}

fn dicom_seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let facts = SeriesFacts { description: "cine".into(), series_number: 1, seed: 0, rr_ms: Some(900.0) };
    write_dicom_cine(folder.path(), &cine(), &facts).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

fn section() -> Section {
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let rows = (vec![0u64, 1, 2, 3], vec![0u32, 1, 1], vec![1.0f32, 2.0, 3.0]);
    let expression =
        Expression::from_rows(names("gene", 2), names("id", 2), names("spot", 3), &rows.0, &rows.1, &rows.2).unwrap();
    let spots = Spots { px: vec![DVec2::ZERO, DVec2::X, DVec2::Y].into(), diameter_px: 1.0, in_tissue: vec![true; 3] };
    Section {
        name: "s".into(),
        picture: None,
        pixel_size: PixelSize::Unknown,
        spots: Some(spots.into()),
        expression: Some(expression.into()),
    }
}

fn h5ad_seeds() -> Vec<Vec<u8>> {
    let layer = vec![vec![0.5, f64::NAN, 2.0]; 2];
    let scale = ExpressionScale::Log1pScaled { target: 7.0 };
    let extras = Extras { layers: vec![("a", &layer)], expression: Some(scale), ..Extras::default() };
    vec![build_h5ad(&section()).unwrap(), build_h5ad_with(&section(), &extras).unwrap()]
}

/// A table with coordinates and a graph.
fn array_seeds() -> Vec<Vec<u8>> {
    let graph = Graph::new(vec![0, 1, 2, 2], vec![1, 0], vec![1.0, 1.0]).unwrap();
    let extras = Extras {
        obsm: [("X_a".to_owned(), (2, vec![0.5; 6]))].into(),
        graphs: [("connectivities".to_owned(), graph)].into(),
        ..Extras::default()
    };
    [vec![build_h5ad_with(&section(), &extras).unwrap()], packed_seeds()].concat()
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells").join(name)).unwrap()
}

/// Tables that anndata wrote: packed by Blosc and Zstandard, and of records.
fn packed_seeds() -> Vec<Vec<u8>> {
    let inflated = |name: &str| bytes::inflate(golden(name), &LIMITS).unwrap();
    ["csr_blosc.h5ad.gz", "dense_zstd.h5ad.gz", "legacy.h5ad.gz"].map(inflated).to_vec()
}

/// Metadata of arrays of both versions with their first chunk, a zero byte between.
fn zarr_seeds() -> Vec<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(golden("codecs.zarr.zip"))).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut zip.by_name(name).unwrap(), &mut bytes).unwrap();
        bytes
    };
    let arrays = ["gzip", "zstd", "blosc", "crc", "transpose", "shard", "words"].map(|n| (n.to_owned(), "zarr.json", "c/0/0"));
    let old = ["zlib", "lz4", "blosc", "fortran"].map(|n| (format!("old/{n}"), ".zarray", "0.0"));
    let mut pair = |(array, meta, chunk): (String, &str, &str)| {
        let chunk = if array == "words" { "c/0" } else { chunk };
        [file(&format!("{array}/{meta}")), vec![0], file(&format!("{array}/{chunk}"))].concat()
    };
    arrays.into_iter().chain(old).map(&mut pair).collect()
}

fn region_seeds() -> Vec<Vec<u8>> {
    let text = r#"{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]},
        "properties":{"name":"a","classification":{"name":"Tumor","colorRGB":-3670016}}}]}"#;
    vec![text.into(), text.replace("Polygon", "MultiPolygon").replace("[[[0", "[[[[0").into()]
}

/// The files that another program wrote, kept for the numbers.
fn tiff_seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiff");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

fn model_seeds() -> Vec<Vec<u8>> {
    let gene = PredictorGene { name: "g".into(), intercept: 1.0, residual_sd: 0.5, pearson: Some(0.3), position_pearson: None };
    let model = Predictor {
        method: "ridge".into(),
        features: vec![PredictorFeature { name: "f_od".into(), mean: 0.1, scale: 2.0 }; 2],
        genes: vec![gene; 3],
        coefficients: vec![0.25; 6],
        correlation: vec![1.0, 0.5, 0.5, 1.0],
        alpha: 3.0,
        n_train: 40,
        mean_leverage: 0.05,
        domain: Domain { shrinkage: 0.01, mahalanobis_limit: 9.0, length_limit: 8.0, limit: 1.1 },
        patch_um: Some(112.0),
        expression: ExpressionScale::Log1pScaled { target: 3230.5 },
    };
    vec![written("m.json", |p| write_predictor(p, &model, &PredictorNotes::default()).unwrap())]
}

fn tenx_seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let section = Section { pixel_size: PixelSize::Known { um_per_px: 1.0, source: "typed".into() }, ..section() };
    write_visium(folder.path(), &section, &[(0, 0), (0, 2), (1, 1)]).unwrap();
    vec![std::fs::read(folder.path().join("filtered_feature_bc_matrix.h5")).unwrap()]
}

fn mtx_seeds() -> Vec<Vec<u8>> {
    let head = "%%MatrixMarket matrix coordinate";
    vec![
        format!("{head} integer general\n%\n3 4 5\n1 1 7\n2 1 1\n3 3 2\n1 4 90\n1 4 9\n").into(),
        format!("{head} real general\n2 2 2\n1 1 0.5\n2 2 -1e-3\n").into(),
        format!("{head} pattern general\n2 2 1\n2 1\n").into(),
    ]
}

fn count_seeds() -> Vec<Vec<u8>> {
    let csv = "id,TTN,\"MY,H7\",B\nAAACAAGTATCTCCCA-1,1,0,2\nAAACAAGTATCTCCCC-1,0,3.5,\n";
    let st = "\tTTN\tACTB\n1_15x16\t1\t0\n2_15.5x17\t0\t3\n";
    let mut gz = Vec::new();
    bytes::write_gzip(st.as_bytes(), &mut gz).unwrap();
    let columns = vec![TableColumn::text("id", [Some("a"), Some("b")]), TableColumn::numbers("TTN", [Some(1.0), None])];
    let parquet = Table::new(columns).unwrap().to_bytes(TableKind::Parquet).unwrap();
    vec![csv.into(), st.into(), gz, parquet, b"\ts1\ts2\nENSG00000198888\t1\t2\n".to_vec()]
}

fn project_seeds() -> Vec<Vec<u8>> {
    let manifest = Manifest { format: FORMAT.into(), version: 1, ..Manifest::default() };
    let project = Project { manifest, history: vec!["{}".into()] };
    vec![written("a.myo", |p| write_project(p, &project, &std::collections::BTreeMap::new(), &Progress::none()).unwrap())]
}

fn picture_seeds() -> Vec<Vec<u8>> {
    vec![encode_png(7, 5, &[100; 140]).unwrap()]
}

fn position_seeds() -> Vec<Vec<u8>> {
    let head = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n";
    let rows = "AAAC-1,1,0,0,100,200\nAAAG-1,0,0,2,100,300\nAAAT-1,1,1,1,190,250\n";
    vec![format!("{head}{rows}").into(), rows.into()]
}

fn scale_seeds() -> Vec<Vec<u8>> {
    let text = r#"{"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.17, "fiducial_diameter_fullres": 144.4, "tissue_lowres_scalef": 0.05}"#;
    vec![text.into()]
}

fn lattice_seeds() -> Vec<Vec<u8>> {
    let nrrd = "NRRD0005\ntype: short\ndimension: 4\nspace: right-anterior-superior\nsizes: 2 3 2 2\nkinds: domain domain domain list\n\
        space directions: (1.5,0,0) (0,2,0) (0,0,8) none\nspace origin: (10,20,30)\nendian: little\nMultiVolume.FrameLabels:=0,40\n\
        Segment0_LabelValue:=1\nSegment0_Name:=wall\nSegment0_Color:=1 0 0\n";
    let meta = "ObjectType = Image\nNDims = 3\nTransformMatrix = 0 1 0 -1 0 0 0 0 1\nOffset = 5 6 7\nElementSpacing = 2 3 4\n\
        DimSize = 2 3 2\nElementType = MET_USHORT\nCompressedData = False\nElementDataFile = LOCAL\n";
    let list = "NDims = 2\nDimSize = 2 2\nElementSpacing = 1 1\nElementType = MET_UCHAR\nElementDataFile = a%02d.raw 1 2 1\n";
    let mut packed = Vec::new();
    bytes::write_gzip(&[1; 48], &mut packed).unwrap();
    let joined = |head: &str, rest: &[u8]| [head.as_bytes(), rest].concat();
    vec![
        joined(&format!("{nrrd}encoding: raw\nbyte skip: -1\n\n"), &[1; 48]),
        joined(&format!("{nrrd}encoding: gzip\n\n"), &packed),
        joined(&format!("{nrrd}encoding: ascii\nline skip: 1\n\n"), b"\n1 2 3"),
        joined(meta, &[2; 24]),
        list.as_bytes().to_vec(),
    ]
}

fn raster_seeds() -> Vec<Vec<u8>> {
    let wide = Samples::U16((0..7 * 5 * 3).map(|i| i * 600).collect());
    let tiff = written("a.tif", |p| write_raster(p, &Raster::new(7, 5, 3, wide).unwrap()).unwrap());
    let gray = Raster::new(7, 5, 1, Samples::U8(vec![90; 35].into())).unwrap();
    vec![tiff, written("a.png", |p| write_raster(p, &gray).unwrap()), written("a.jpg", |p| write_raster(p, &gray).unwrap())]
}

fn itk_seeds() -> Vec<Vec<u8>> {
    let block = |class: &str, p: &str, f: &str| format!("Transform: {class}\nParameters: {p}\nFixedParameters: {f}\n");
    let head = "#Insight Transform File V1.0\n# units: moving um, fixed mm\n#Transform 0\n";
    vec![
        format!("{head}{}", block("AffineTransform_double_2_2", "1 0.1 -0.1 1 5 6", "1 2")).into(),
        format!("{head}{}", block("Euler3DTransform_double_3_3", "0.1 0.2 0.3 1 2 3", "1 2 3 1")).into(),
        format!(
            "{head}Transform: CompositeTransform_double_2_2\n{}{}",
            block("Similarity2DTransform_double_2_2", "1.1 0.2 3 4", "0 0"),
            block("TranslationTransform_double_2_2", "1 2", "")
        )
        .into(),
    ]
}

fn matrix_seeds() -> Vec<Vec<u8>> {
    vec![
        b"# units: moving px, fixed um\n1,0.1,5\n-0.1,1,6\n".to_vec(),
        b"1.5,0,5\n0,1.5,6\n0,0,1\n".to_vec(),
        b"1 0 5 0 1 6".to_vec(),
    ]
}

fn bigwarp_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\"Pt-0\",\"true\",\"1\",\"2\",\"3\",\"4\"\n\"Pt \"\"1\"\"\",\"false\",\"1\",\"2\",\"Infinity\",\"Infinity\"\n".to_vec(),
        b"Pt-0,true,1,2,3,4,5,6\n".to_vec(),
    ]
}

fn ngff_seeds() -> Vec<Vec<u8>> {
    let axes = r#"[{"name":"y","type":"space","unit":"micrometer"},{"name":"x","type":"space","unit":"micrometer"}]"#;
    let systems = format!(r#"[{{"name":"a","axes":{axes}}},{{"name":"b","axes":{axes}}}]"#);
    let parts = r#"[{"type":"scale","scale":[2,3]},{"type":"rotation","rotation":[[0,1],[-1,0]]},{"type":"translation","translation":[1,2]}]"#;
    let sequence = format!(r#"[{{"type":"sequence","input":"a","output":"b","transformations":{parts}}}]"#);
    vec![
        format!(r#"{{"coordinateSystems":{systems},"coordinateTransformations":{sequence}}}"#).into(),
        format!(r#"{{"multiscales":[{{"coordinateTransformations":{sequence}}}]}}"#).into(),
        br#"{"type":"affine","affine":[1,0,5,0,1,6]}"#.to_vec(),
    ]
}

fn any_transform_seeds() -> Vec<Vec<u8>> {
    [transform_seeds(), chain_seeds(), itk_seeds(), matrix_seeds(), bigwarp_seeds(), ngff_seeds()].concat()
}

fn chain_seeds() -> Vec<Vec<u8>> {
    let part = |units: &str| format!(r#"{{"model":"affine","fixed_from_moving":[[1,0,5],[0,1,0],[0,0,1]],"units":"{units}"}}"#);
    let (a, b) = (part("um"), part("um"));
    vec![format!(r#"{{"model":"chain","fixed_from_moving":[[1,0,5],[0,1,0],[0,0,1]],"units":"um","parts":[{a},{b}]}}"#).into()]
}

fn transform_seeds() -> Vec<Vec<u8>> {
    let points = r#"[{"moving":[0,0],"fixed":[0,0],"weight":[0.1,0]},{"moving":[1,0],"fixed":[1,0],"weight":[-0.1,0]},{"moving":[0,1],"fixed":[0,1],"weight":[0,0]}]"#;
    let deep = points.replace("[0,0]", "[0,0,0]").replace("1,0]", "1,0,0]").replace("[0,1]", "[0,1,2]");
    let flat = [("[[1,0,5],[0,1,0],[0,0,1]]", points), ("[[1,0,0,5],[0,1,0,0],[0,0,1,0],[0,0,0,1]]", deep.as_str())];
    let text = |model: &str, (matrix, points): (&str, &str)| {
        format!(r#"{{"model":"{model}","fixed_from_moving":{matrix},"units":"um","control_points":{points}}}"#)
    };
    let seeds: Vec<Vec<u8>> =
        flat.iter().flat_map(|f| ["affine", "tps", "mls-rigid"].map(|m| text(m, *f).into_bytes())).collect();
    assert!(seeds.iter().all(|s| parse_transform(s).is_ok()));
    seeds
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
