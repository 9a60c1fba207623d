//! Radiomics against the consensus values of the standard for its digital phantom, against another program
//! on made-up regions (`golden/radiomics.json`, made by `golden/gen_radiomics.py`), against closed forms, and
//! against plain counting.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Error, Limits, Progress};
use myoscope::cardiac::{Aggregation, Discretize, Radiomics, RadiomicsSettings, radiomics};
use myoscope::model::{LabelMap, Samples, Volume};
use myoscope::space::{DAffine3, DVec3, Grid};
use serde_json::Value;
use std::collections::BTreeMap;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/radiomics.json")).unwrap()
}

struct Case {
    image: Volume,
    mask: LabelMap,
}

impl Case {
    fn new(size: [usize; 3], spacing: [f64; 3], value: impl Fn([usize; 3]) -> f32, inside: impl Fn([usize; 3]) -> bool) -> Self {
        let grid = Grid::new(size, DAffine3::from_scale(DVec3::from_array(spacing))).unwrap();
        let places: Vec<[usize; 3]> =
            (0..grid.n_voxels()).map(|i| [i % size[0], i / size[0] % size[1], i / (size[0] * size[1])]).collect();
        let values: Vec<f32> = places.iter().map(|p| value(*p)).collect();
        let labels: Vec<u8> = places.iter().map(|p| u8::from(inside(*p))).collect();
        Self {
            image: Volume::new("image", grid, vec![Samples::F32(values.into())]).unwrap(),
            mask: LabelMap::new("mask", grid, vec![labels.into()]).unwrap(),
        }
    }

    fn measure(&self, settings: &RadiomicsSettings) -> Result<Radiomics, Error> {
        radiomics((&self.image, 0), (&self.mask, 0), settings, &Limits::default(), &Progress::none())
    }

    fn values(&self, discretize: Discretize) -> BTreeMap<String, Option<f64>> {
        table(&self.measure(&RadiomicsSettings { discretize, ..Default::default() }).unwrap())
    }
}

fn table(found: &Radiomics) -> BTreeMap<String, Option<f64>> {
    let values: BTreeMap<String, Option<f64>> = found.features.iter().map(|f| (f.tag.clone(), f.value)).collect();
    assert_eq!(values.len(), found.features.len(), "a tag stands twice");
    values
}

/// The digital phantom of the standard (CC BY 4.0): 5 × 4 × 4 voxels of 2 mm.
fn phantom() -> Case {
    const IMAGE: [u8; 80] = [
        1, 4, 4, 1, 1, 1, 4, 6, 1, 1, 4, 1, 6, 4, 1, 4, 4, 6, 4, 1, //
        1, 4, 4, 1, 1, 1, 1, 6, 1, 1, 1, 1, 3, 1, 1, 4, 4, 6, 1, 1, //
        1, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 1, 1, 1, 1, 6, 1, 1, //
        1, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6, 1, 1,
    ];
    const OUTSIDE: [usize; 6] = [30, 43, 44, 52, 63, 64];
    let at = |p: [usize; 3]| p[0] + 5 * (p[1] + 4 * p[2]);
    Case::new([5, 4, 4], [2.0; 3], |p| f32::from(IMAGE[at(p)]), |p| !OUTSIDE.contains(&at(p)))
}

/// The texture of `gen_radiomics.py`.
fn texture(seed: u64) -> Vec<f32> {
    let (nx, ny, nz) = (24, 20, 14);
    let mut s = seed;
    let values: Vec<u64> = (0..nx * ny * nz)
        .map(|_| {
            s = (1_103_515_245 * s + 12_345) % (1 << 31);
            (s >> 8) % 100
        })
        .collect();
    let near = |v: usize, d: usize, n: usize| (v + d).saturating_sub(1).min(n - 1);
    let sum = |i: usize| {
        let (x, y, z) = (i % nx, i / nx % ny, i / (nx * ny));
        let around = (0..27).map(|d| near(x, d % 3, nx) + nx * (near(y, d / 3 % 3, ny) + ny * near(z, d / 9, nz)));
        around.map(|at| values[at]).sum::<u64>() as f32 / 8.0
    };
    (0..nx * ny * nz).map(sum).collect()
}

fn made_up() -> Case {
    let inside = |p: [usize; 3]| {
        let [i, j, k] = p.map(|v| v as i64);
        let ellipsoid = (2 * i - 23).pow(2) * 1600 + (2 * j - 18).pow(2) * 2025 + (2 * k - 13).pow(2) * 5184 < 518_400;
        let hollow = (i - 14).pow(2) + (j - 9).pow(2) + 4 * (k - 6).pow(2) < 9;
        (ellipsoid && !hollow && !(i > 16 && j > 9 && k > 7)) || p == [21, 16, 11]
    };
    let values = texture(7);
    Case::new([24, 20, 14], [1.25, 1.25, 3.0], |p| values[p[0] + 24 * (p[1] + 20 * p[2])], inside)
}

#[test]
fn the_consensus_values_of_the_phantom() {
    let found = phantom().measure(&RadiomicsSettings { discretize: Discretize::None, ..Default::default() }).unwrap();
    assert_eq!((found.n_voxels, found.n_levels), (74, 6));
    let values = table(&found);
    let mut wrong = Vec::new();
    let reference = golden()["reference"].clone();
    for row in reference.as_array().unwrap() {
        let (tag, text, tolerance) = (row[0].as_str().unwrap(), row[1].as_str().unwrap(), row[2].as_f64().unwrap());
        let got = values.get(tag).copied().flatten().unwrap_or(f64::NAN);
        let want: f64 = text.parse().unwrap();
        // Three digits are printed: half of the last one is the rounding of the table.
        let last = 10f64.powf((want.abs().max(1e-300).log10()).floor() - 2.0);
        let allowed = tolerance + if want == 0.0 { 1e-12 } else { 0.5 * last * (1.0 + 1e-9) };
        if (got - want).abs() > allowed || got.is_nan() {
            wrong.push(format!("{tag}: {got} instead of {text} ± {tolerance}"));
        }
    }
    println!("{} of {} values differ", wrong.len(), reference.as_array().unwrap().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(reference.as_array().unwrap().len(), 482);
}

#[test]
fn another_program_finds_the_same() {
    let case = made_up();
    let base = RadiomicsSettings::default();
    let cases = [
        ("count", RadiomicsSettings { discretize: Discretize::Count(16), ..base.clone() }),
        ("width", RadiomicsSettings { discretize: Discretize::Width(7.0), resegment: Some((140.0, 195.0)), ..base.clone() }),
        ("resampled", RadiomicsSettings { discretize: Discretize::Count(12), resample_mm: Some(2.0), ..base }),
    ];
    let golden = golden();
    let mut wrong = Vec::new();
    for (name, settings) in cases {
        let values = table(&case.measure(&settings).unwrap());
        let mut n = 0;
        for (tag, want) in golden["mirp"][name].as_object().unwrap() {
            let Some(got) = values.get(tag) else { continue };
            n += 1;
            let (got, want) = (got.unwrap_or(f64::NAN), want.as_f64().unwrap());
            // The other program keeps intensities in single precision.
            if (got - want).abs() > 5e-5 * want.abs().max(1e-3) || got.is_nan() {
                wrong.push(format!("{name} {tag}: {got} instead of {want}"));
            }
        }
        assert_eq!(n, if name == "resampled" { 482 } else { 480 }, "{name}");
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Neighbors at distance 1 in space.
fn touch(a: [usize; 3], b: [usize; 3]) -> bool {
    a != b && (0..3).all(|x| a[x].abs_diff(b[x]) <= 1)
}

/// Gray level of each voxel of the region, and its place, by the definition of bins of a number.
fn levels(case: &Case, n: f64) -> Vec<([usize; 3], usize)> {
    let size = case.image.grid.size();
    let inside: Vec<usize> = (0..case.image.grid.n_voxels()).filter(|i| case.mask.phases[0][*i] > 0).collect();
    let values: Vec<f64> = inside.iter().map(|i| case.image.value(0, *i)).collect();
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
    let level = |v: &f64| if *v == high { n as usize } else { (n * (v - low) / (high - low)) as usize + 1 };
    let place = |i: &usize| [i % size[0], i / size[0] % size[1], i / (size[0] * size[1])];
    inside.iter().map(place).zip(values.iter().map(level)).collect()
}

#[test]
fn plain_counting_finds_the_same() {
    let case = made_up();
    let values = case.values(Discretize::Count(16));
    let of = |tag: &str| values[tag].unwrap();
    let voxels = levels(&case, 16.0);
    let near =
        |want: f64, tag: &str| assert!((of(tag) - want).abs() < 1e-10 * want.abs(), "{tag}: {} instead of {want}", of(tag));

    let mut pairs = BTreeMap::new();
    let mut dependence = vec![1.0f64; voxels.len()];
    for (n, (p, a)) in voxels.iter().enumerate() {
        for (_, b) in voxels.iter().filter(|(q, _)| touch(*p, *q)) {
            *pairs.entry((*a, *b)).or_insert(0.0) += 1.0;
            dependence[n] += f64::from(u8::from(a == b));
        }
    }
    let total: f64 = pairs.values().sum();
    near(pairs.iter().map(|((a, b), n)| n / total * (*a as f64 - *b as f64).powi(2)).sum(), "cm_contrast_3D_comb");
    near(-pairs.values().map(|n| n / total * (n / total).log2()).sum::<f64>(), "cm_joint_entr_3D_comb");
    let n_voxels = voxels.len() as f64;
    near(dependence.iter().map(|d| 1.0 / (d * d)).sum::<f64>() / n_voxels, "ngl_lde_3D");

    // Zones by giving every voxel the lowest number of its equal neighbors until nothing changes.
    let mut zone: Vec<usize> = (0..voxels.len()).collect();
    loop {
        let before = zone.clone();
        for (n, (p, a)) in voxels.iter().enumerate() {
            let lowest = voxels.iter().enumerate().filter(|(_, (q, b))| a == b && touch(*p, *q)).map(|(m, _)| zone[m]).min();
            zone[n] = zone[n].min(lowest.unwrap_or(usize::MAX));
        }
        if zone == before {
            break;
        }
    }
    let mut sizes = BTreeMap::new();
    zone.iter().for_each(|z| *sizes.entry(z).or_insert(0.0f64) += 1.0);
    near(sizes.len() as f64 / n_voxels, "szm_z_perc_3D");
    near(sizes.values().map(|s| s * s).sum::<f64>() / sizes.len() as f64, "szm_lze_3D");

    let size = case.image.grid.size();
    let z: Vec<f64> = voxels.iter().map(|(p, _)| case.image.value(0, p[0] + size[0] * (p[1] + size[1] * p[2]))).collect();
    let mean = z.iter().sum::<f64>() / n_voxels;
    let (mut weights, mut moran, mut geary) = (0.0, 0.0, 0.0);
    for (n, (p, _)) in voxels.iter().enumerate() {
        for (m, (q, _)) in voxels.iter().enumerate().filter(|(m, _)| *m != n) {
            let d: [f64; 3] = std::array::from_fn(|x| (p[x] as f64 - q[x] as f64) * [1.25, 1.25, 3.0][x]);
            let w = 1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
            weights += w;
            moran += w * (z[n] - mean) * (z[m] - mean);
            geary += w * (z[n] - z[m]).powi(2);
        }
    }
    let spread: f64 = z.iter().map(|v| (v - mean).powi(2)).sum();
    near(n_voxels / weights * moran / spread, "morph_moran_i");
    near((n_voxels - 1.0) / (2.0 * weights) * geary / spread, "morph_geary_c");
}

#[test]
fn a_cuboid_has_its_volume_area_and_axes() {
    let (n, s) = ([7usize, 5, 4], [1.0f64, 1.5, 4.0]);
    let inside = |p: [usize; 3]| (0..3).all(|a| (2..2 + n[a]).contains(&p[a]));
    let values = Case::new([12, 10, 8], s, |p| (p[0] + p[1] + p[2]) as f32, inside).values(Discretize::None);
    let near = |tag: &str, want: f64| {
        assert!((values[tag].unwrap() / want - 1.0).abs() < 1e-9, "{tag}: {:?} instead of {want}", values[tag]);
    };
    let m = n.map(|v| (v - 1) as f64);
    let voxel = s[0] * s[1] * s[2];
    let count = (n[0] * n[1] * n[2]) as f64;
    near("morph_vol_approx", count * voxel);
    // Edges are cut by half a voxel, corners to a 48th.
    near("morph_volume", voxel * (count - (m[0] + m[1] + m[2]) / 2.0 - 5.0 / 6.0));
    let side = |a: usize, b: usize| s[a] * s[b];
    let (xy, yz, zx) = (side(0, 1), side(1, 2), side(2, 0));
    let faces = 2.0 * (m[0] * m[1] * xy + m[1] * m[2] * yz + m[2] * m[0] * zx);
    let edges = 2.0 * (m[0] * s[0] * s[1].hypot(s[2]) + m[1] * s[1] * s[2].hypot(s[0]) + m[2] * s[2] * s[0].hypot(s[1]));
    near("morph_area_mesh", faces + edges + (xy * xy + yz * yz + zx * zx).sqrt());
    let axis = |a: usize| 4.0 * s[a] * ((n[a] * n[a] - 1) as f64 / 12.0 * count / (count - 1.0)).sqrt();
    near("morph_pca_maj_axis", axis(2));
    near("morph_pca_min_axis", axis(1));
    near("morph_pca_least_axis", axis(0));
    let aabb = values["morph_volume"].unwrap() / (count * voxel);
    near("morph_vol_dens_aabb", aabb);
    near("morph_vol_dens_ombb", aabb);
    near("morph_vol_dens_conv_hull", 1.0);
}

#[test]
fn a_ball_is_round() {
    let inside = |p: [usize; 3]| p.iter().map(|v| (*v as f64 - 24.0).powi(2)).sum::<f64>() <= 400.0;
    let values = Case::new([49, 49, 49], [1.0; 3], |p| (p[0] % 5) as f32 + 1.0, inside).values(Discretize::None);
    let volume = 4.0 / 3.0 * std::f64::consts::PI * 8000.0;
    let close = |tag: &str, want: f64, tolerance: f64| {
        assert!((values[tag].unwrap() / want - 1.0).abs() < tolerance, "{tag} {:?}", values[tag]);
    };
    close("morph_volume", volume, 0.01);
    close("morph_pca_maj_axis", 4.0 * (400.0f64 / 5.0).sqrt(), 0.01);
    close("morph_pca_flatness", 1.0, 1e-9);
    close("morph_diam", 41.0, 0.01);
    close("morph_vol_dens_mvee", 1.0, 0.08);
}

#[test]
fn storage_order_and_threads_change_nothing() {
    let case = made_up();
    let settings = RadiomicsSettings { discretize: Discretize::Count(8), ..Default::default() };
    let run = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| case.measure(&settings)).unwrap()
    };
    assert_eq!(run(1), run(4), "to the last bit");
    let one = case.measure(&RadiomicsSettings { aggregation: Some(Aggregation::Merged25D), ..settings.clone() }).unwrap();
    let all = table(&case.measure(&settings).unwrap());
    assert!(one.features.iter().all(|f| all[&f.tag] == f.value), "one aggregation is a part of all");
    assert_eq!(one.features.iter().filter(|f| f.tag.starts_with("rlm_")).count(), 16);
}

#[test]
fn regions_at_the_limit() {
    let inside = |p: [usize; 3]| p == [2, 2, 2];
    let one = Case::new([5, 5, 5], [1.0, 1.0, 2.0], |_| 3.0, inside).values(Discretize::None);
    assert_eq!((one["stat_mean"], one["morph_vol_approx"], one["szm_sze_3D"]), (Some(3.0), Some(2.0), Some(1.0)));
    assert_eq!((one["cm_contrast_3D_avg"], one["morph_moran_i"], one["morph_pca_maj_axis"]), (None, None, None));
    assert!((one["morph_volume"].unwrap() - 2.0 / 6.0).abs() < 1e-12);

    let flat = Case::new([6, 6, 6], [1.0; 3], |_| 7.0, |_| true).values(Discretize::Count(16));
    assert_eq!((flat["stat_skew"], flat["cm_contrast_2D_avg"], flat["ngt_coarseness_3D"]), (Some(0.0), Some(0.0), Some(1e6)));
    assert_eq!((flat["morph_geary_c"], flat["cm_corr_3D_comb"], flat["dzm_lde_3D"]), (None, Some(1.0), Some(1.0)));
    assert!((flat["morph_vol_dens_conv_hull"].unwrap() - 1.0).abs() < 1e-9, "a mask may fill the image");

    let holes = Case::new([6, 6, 6], [1.0; 3], |p| if p[0] == 3 { f32::NAN } else { p[1] as f32 + 1.0 }, |_| true);
    let found = holes.measure(&RadiomicsSettings::default()).unwrap();
    assert!(found.notes.iter().any(|n| n.contains("36 voxels")), "{:?}", found.notes);
    assert_eq!((table(&found)["stat_mean"], table(&found)["morph_vol_approx"]), (Some(3.5), Some(216.0)));
}

#[test]
fn what_cannot_be_measured_is_said() {
    let says = |case: &Case, settings: RadiomicsSettings, part: &str| {
        let error = case.measure(&settings).unwrap_err().to_string();
        assert!(error.contains(part), "{part:?} is not in {error}");
    };
    let plain = RadiomicsSettings::default();
    let value = |p: [usize; 3]| p[0] as f32 * 0.5;
    let case = Case::new([4, 4, 4], [1.0; 3], value, |_| true);
    says(&Case::new([4, 4, 4], [1.0; 3], value, |_| false), plain.clone(), "mask is empty");
    says(&case, RadiomicsSettings { label: Some(4), ..plain.clone() }, "label 4");
    says(&case, RadiomicsSettings { discretize: Discretize::None, ..plain.clone() }, "not whole numbers");
    says(&case, RadiomicsSettings { discretize: Discretize::Width(1e-6), ..plain.clone() }, "gray levels");
    says(&case, RadiomicsSettings { discretize: Discretize::Count(0), ..plain.clone() }, "bins");
    says(&case, RadiomicsSettings { resegment: Some((50.0, 60.0)), ..plain.clone() }, "resegmentation");
    says(&case, RadiomicsSettings { resegment: Some((6.0, 5.0)), ..plain.clone() }, "increasing");
    says(&case, RadiomicsSettings { resample_mm: Some(0.0), ..plain.clone() }, "above 0");
    says(&Case::new([4, 4, 4], [1.0; 3], |_| f32::NAN, |_| true), plain.clone(), "no number");
    let other = Case::new([4, 4, 4], [1.1, 1.0, 1.0], value, |_| true);
    let error = radiomics((&case.image, 0), (&other.mask, 0), &plain, &Limits::default(), &Progress::none()).unwrap_err();
    assert!(error.to_string().contains("different grids"));

    let found = case.measure(&plain).unwrap();
    assert!(found.notes.iter().any(|n| n.contains("--discretize")) && table(&found)["cm_contrast_3D_avg"].is_none());
    assert!(table(&found)["stat_mean"].is_some() && table(&found).len() == phantom().values(Discretize::None).len());
    let limits = Limits { max_bytes: 20_000 };
    let found = radiomics((&case.image, 0), (&case.mask, 0), &plain, &limits, &Progress::none()).unwrap();
    assert!(table(&found)["morph_moran_i"].is_some());
    let big = made_up();
    let limits = Limits { max_bytes: 200_000 };
    let found = radiomics((&big.image, 0), (&big.mask, 0), &plain, &limits, &Progress::none()).unwrap();
    assert!(table(&found)["morph_moran_i"].is_none() && found.notes.iter().any(|n| n.contains("Moran")));
}
