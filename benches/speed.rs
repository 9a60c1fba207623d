//! How long the work behind the window takes: loading real files and made-up series, the way from a landmark's
//! move to the new overlay, the 17 segments, values of a million spots. Run with `cargo bench --bench speed`; sizes
//! and the machine are printed first. Real files are looked for in `../shared/data` (or `$MYOSCOPE_SHARED/data`).

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a bench prints, and stops where its input is broken")]

use divan::Bencher;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::cardiac::{
    Aggregation, Discretize, RadiomicsSettings, SegmentSettings, measure_segments, radiomics, segment_labels,
};
use myoscope::io::dicom::{SeriesFacts, write_dicom_cine};
use myoscope::io::{Content, Found, Reading, open, read_labels};
use myoscope::model::{Expression, LabelMap, Landmark, PixelSize, Samples, Section, Spots, TransformModel, Volume};
use myoscope::scene::{Inputs, PaneKind, SceneCache, build, spot_values};
use myoscope::session::{Action, RegisterAction, Session, Side};
use myoscope::space::{DAffine3, DVec2, DVec3, Grid};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

fn main() {
    println!("{}", machine());
    for (name, path) in inputs() {
        match path {
            Some(path) => println!("{name}: {}", contents(&read(&path))),
            None => println!("{name}: not there, left out"),
        }
    }
    println!("spots: 1,000,000 with 50 genes, 5 % of the counts not 0; overlay: 64 pairs, thin plate, 1000 × 1000 pixels");
    divan::main();
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or("unknown processor");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let n = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {n} threads, load {}", model.trim_start_matches(['\t', ' ', ':']), load.split(' ').next().unwrap_or_default())
}

fn shared(name: &str) -> Option<PathBuf> {
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    Some(root.join("data").join(name)).filter(|p| p.exists())
}

fn inputs() -> Vec<(&'static str, Option<PathBuf>)> {
    vec![
        ("Sunnybrook NIfTI 3-D", sunnybrook_3d()),
        ("Sunnybrook NIfTI 4-D", sunnybrook_4d()),
        ("Sunnybrook DICOM", sunnybrook_dicom()),
        ("Visium folder", visium()),
        ("h5ad", h5ad()),
        ("DICOM made here", Some(series().to_path_buf())),
    ]
}

fn sunnybrook_3d() -> Option<PathBuf> {
    shared("sunnybrook-cine/SCD0000101_ED.nii.gz")
}

fn sunnybrook_4d() -> Option<PathBuf> {
    shared("sunnybrook-cine/SCD0000301_4d_crop96.nii.gz")
}

/// The archive unpacked by the system's `tar`, once.
fn sunnybrook_dicom() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let unpacked = FOLDER.get_or_init(|| {
        let archive = shared("sunnybrook-cine/SCD0000401_dicom_ED_ES.tar.xz")?;
        let folder = tempfile::tempdir().ok()?;
        let done = Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(folder.path()).status().ok()?;
        done.success().then_some(folder)
    });
    unpacked.as_ref().map(|f| f.path().to_path_buf())
}

fn visium() -> Option<PathBuf> {
    shared("visium-human-heart")
}

fn h5ad() -> Option<PathBuf> {
    shared("asp-heart-st/heart_ST_CN73.h5ad")
}

/// 12 slices × 25 phases of 256² as 300 shuffled files, once.
fn series() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let grid = Grid::new([256, 256, 12], DAffine3::from_scale(DVec3::new(1.4, 1.4, 10.0))).unwrap();
            let phase = |p: usize| Samples::U16((0..grid.n_voxels()).map(|i| ((i * 31 + p * 97) % 4096) as u16).collect());
            let mut cine = Volume::new("cine", grid, (0..25).map(phase).collect()).unwrap();
            cine.phase_times_ms = (0..25).map(|p| f64::from(p) * 30.0).collect();
            let facts = SeriesFacts { description: "cine".into(), series_number: 1, seed: 1, rr_ms: Some(750.0) };
            write_dicom_cine(folder.path(), &cine, &facts).unwrap();
            folder
        })
        .path()
}

fn read(path: &Path) -> Vec<Found> {
    let mut warnings = Warnings::default();
    open(path, &mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings }).unwrap()
}

fn contents(found: &[Found]) -> String {
    let n_bytes = |c: &Content| -> usize {
        if let Content::Volume(v) = c {
            return v.phases.iter().map(Samples::n_bytes).sum();
        }
        let Content::Section(s) = c else { return 0 };
        let picture: usize = s.picture.iter().flat_map(|p| &p.levels).map(|l| l.rgba.len()).sum();
        picture + s.expression.as_ref().map_or(0, |e| 8 * e.n_stored())
    };
    let parts = found.iter().map(|f| format!("{} ({:.1} MB decoded)", f.summary, n_bytes(&f.content) as f64 / 1e6));
    parts.collect::<Vec<_>>().join("; ")
}

fn bench_load(bencher: Bencher, path: Option<PathBuf>) {
    if let Some(path) = path {
        bencher.bench_local(|| read(&path));
    }
}

#[divan::bench]
fn load_nifti_3d(bencher: Bencher) {
    bench_load(bencher, sunnybrook_3d());
}

#[divan::bench]
fn load_nifti_4d(bencher: Bencher) {
    bench_load(bencher, sunnybrook_4d());
}

#[divan::bench]
fn load_dicom_real(bencher: Bencher) {
    bench_load(bencher, sunnybrook_dicom());
}

#[divan::bench(sample_count = 20)]
fn load_dicom_300_files(bencher: Bencher) {
    bench_load(bencher, Some(series().to_path_buf()));
}

#[divan::bench(sample_count = 20)]
fn load_visium(bencher: Bencher) {
    bench_load(bencher, visium());
}

#[divan::bench(sample_count = 20)]
fn load_h5ad(bencher: Bencher) {
    bench_load(bencher, h5ad());
}

fn settle(session: &mut Session) {
    loop {
        session.poll();
        if session.is_idle() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// The built-in case with 64 pairs on its section and a thin plate.
fn session_of_64_pairs() -> Session {
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::OpenDemo(0));
    settle(&mut session);
    let section = session.view.section.unwrap();
    let registration = session.study.registrations.get_mut(&section).unwrap();
    let fit = registration.fit.as_ref().unwrap().plane_from_section.clone();
    registration.landmarks.pairs = (0..64)
        .map(|i| {
            let moving = DVec2::new(8.0 + 8.0 * f64::from(i % 8), 8.0 + 8.0 * f64::from(i / 8));
            let bent = fit.apply(moving) + DVec2::new((moving.y * 0.2).sin(), (moving.x * 0.15).cos()) * 0.8;
            let fixed = registration.plane.lps_from_plane(bent);
            Landmark { moving: Some(moving), fixed: Some(fixed), ..Landmark::named(format!("pair {i}")) }
        })
        .collect();
    session.apply(Action::Register(RegisterAction::SetModel(TransformModel::ThinPlate)));
    session
}

#[divan::bench(sample_count = 60)]
fn landmark_move_to_overlay_64_pairs(bencher: Bencher) {
    let mut session = session_of_64_pairs();
    let mut cache = SceneCache::default();
    let mut k = 0.0_f64;
    bencher.bench_local(|| {
        k += 1.0;
        let to = Side::Moving(DVec2::new(24.0 + k.sin(), 24.0 + k.cos()));
        session.apply(Action::Register(RegisterAction::Drag { pair: 18, to }));
        let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
        build(&inputs, &mut cache, PaneKind::Overlay, [1000, 1000])
    });
}

#[divan::bench(sample_count = 20)]
fn segments_of_a_real_heart(bencher: Bencher) {
    let Some(path) = shared("sunnybrook-cine/SCD0000101_ED_gt.nii.gz") else { return };
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    let labels = read_labels(&path, &mut reading).unwrap();
    let insertions = Some([DVec3::new(37.8, -86.1, -49.9), DVec3::new(34.5, -66.3, -97.8)]);
    let settings = SegmentSettings { insertions, ..Default::default() };
    bencher.bench_local(|| {
        let found = segment_labels(&labels, 0, &settings).unwrap();
        measure_segments(&found, &labels, None, "").unwrap()
    });
}

fn million_spots() -> Section {
    let n = 1_000_000_usize;
    let (mut offsets, mut rows, mut values) = (vec![0_u64], Vec::new(), Vec::new());
    for gene in 0..50_usize {
        let of_gene = (gene % 20..n).step_by(20);
        values.extend(of_gene.clone().map(|i| 1.0 + ((i * 7 + gene) % 9) as f32));
        rows.extend(of_gene.map(|i| i as u32));
        offsets.push(rows.len() as u64);
    }
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let expression = Expression::new(names("G", 50), Vec::new(), names("s", n), offsets, rows, values).unwrap();
    let px = (0..n).map(|i| DVec2::new((i % 1000) as f64, (i / 1000) as f64)).collect();
    Section {
        name: "a million".into(),
        picture: None,
        pixel_size: PixelSize::Known { um_per_px: 1.0, source: "made".into() },
        spots: Some(Arc::new(Spots { px, diameter_px: 1.0, in_tissue: vec![true; n] })),
        expression: Some(Arc::new(expression)),
    }
}

#[divan::bench(sample_count = 20)]
fn values_of_a_million_spots(bencher: Bencher) {
    let section = million_spots();
    bencher.bench_local(|| spot_values(&section, "G17", true, None));
}

/// An ellipsoid of 456,040 voxels in 128³ of smooth texture, 32 gray levels.
fn textured() -> (Volume, LabelMap) {
    let grid = Grid::new([128; 3], DAffine3::IDENTITY).unwrap();
    let place = |i: usize| [i % 128, i / 128 % 128, i / 16_384].map(|v| v as f64 - 63.5);
    let value = |i: usize| {
        let [x, y, z] = place(i);
        let noise = (i.wrapping_mul(2_654_435_761) >> 7) % 97;
        (1000.0 + 300.0 * ((x * 0.31).sin() * (y * 0.23).cos() + (z * 0.37 + x * 0.11).sin()) + noise as f64) as i16
    };
    let inside = |i: usize| {
        let [x, y, z] = place(i);
        u8::from((x / 54.0).powi(2) + (y / 48.0).powi(2) + (z / 42.0).powi(2) < 1.0)
    };
    let image = Volume::new("texture", grid, vec![Samples::I16((0..grid.n_voxels()).map(value).collect())]).unwrap();
    let mask = LabelMap::new("ellipsoid", grid, vec![(0..grid.n_voxels()).map(inside).collect()]).unwrap();
    (image, mask)
}

#[divan::bench(args = ["3D_comb", "all"], sample_count = 10)]
fn radiomics_128(bencher: Bencher, aggregation: &str) {
    let (image, mask) = textured();
    let aggregation = Aggregation::ALL.into_iter().find(|a| a.tag() == aggregation);
    let settings = RadiomicsSettings { discretize: Discretize::Count(32), aggregation, ..Default::default() };
    bencher.bench_local(|| radiomics((&image, 0), (&mask, 0), &settings, &Limits::default(), &Progress::none()).unwrap());
}
