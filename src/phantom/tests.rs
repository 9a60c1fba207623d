//! The built-in case keeps its promises.

use super::*;
use crate::model::Samples;
use crate::space::{DVec2, DVec3, Warp};
use std::sync::OnceLock;

fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| make_case(1, &Progress::none()).unwrap())
}

/// FNV-1a of everything that is drawn or counted.
fn fingerprint(case: &Case) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    let mut eat = |v: u64| hash = (hash ^ v).wrapping_mul(0x0100_0000_01B3);
    for phase in case.cine.phases.iter().chain(&case.lge.phases) {
        (0..phase.len()).for_each(|i| eat(u64::from(phase.stored(i).to_bits())));
    }
    case.cine_labels.phases.iter().flat_map(|p| p.iter()).for_each(|&v| eat(u64::from(v)));
    let picture = case.section.picture.as_ref().unwrap();
    picture.levels.iter().flat_map(|l| l.rgba.iter()).for_each(|&v| eat(u64::from(v)));
    let expression = case.section.expression.as_ref().unwrap();
    for g in 0..expression.genes().len() {
        let (rows, values) = expression.gene(g);
        rows.iter().zip(values).for_each(|(r, v)| eat(u64::from(*r) << 32 | u64::from(v.to_bits())));
    }
    case.truth.spots_lps.iter().for_each(|p| eat(p.x.to_bits()));
    hash
}

#[test]
fn same_seed_same_bytes_other_seed_other_heart() {
    let start = std::time::Instant::now();
    let again = make_case(1, &Progress::none()).unwrap();
    println!("made in {:.2} s", start.elapsed().as_secs_f64());
    assert!(again == *case(), "the same seed gave another case");
    assert_eq!(fingerprint(&again), fingerprint(case()));
    let other = make_case(2, &Progress::none()).unwrap();
    assert_ne!(fingerprint(&other), fingerprint(case()));
    assert_ne!(other.truth.lv_volume_ml, case().truth.lv_volume_ml);
}

#[test]
fn rasterized_volumes_follow_the_shape() {
    for seed in 1..=5 {
        let anatomy = Anatomy::of_seed(seed);
        let (_, labels) = images::cine(&anatomy, &Progress::none(), &|_, _| {}).unwrap();
        let voxel_ml = labels.grid.voxel_mm3() / 1000.0;
        for phase in [0, 4, 9, 14, 20] {
            let shape = &anatomy.shapes[phase];
            let (cavity, muscle) = (labels.count(phase, 3) as f64 * voxel_ml, labels.count(phase, 2) as f64 * voxel_ml);
            println!(
                "seed {seed} phase {phase}: cavity {cavity:.1} of {:.1} mL, wall {muscle:.1} of {:.1} mL",
                shape.cavity_ml(),
                shape.muscle_ml()
            );
            assert!((cavity / shape.cavity_ml() - 1.0).abs() < 0.05);
            assert!((muscle / shape.muscle_ml() - 1.0).abs() < 0.05);
        }
    }
}

#[test]
fn hearts_are_plausible() {
    for seed in 0..40 {
        let anatomy = Anatomy::of_seed(seed);
        let ed = anatomy.diastole();
        let es = anatomy.shapes.iter().min_by(|a, b| a.cavity_ml().total_cmp(&b.cavity_ml())).unwrap();
        let wall = |s: &shape::Shape| s.outer.across.x - s.inner.across.x;
        let (blood, ef) = (ed.cavity_ml(), 100.0 * (1.0 - es.cavity_ml() / ed.cavity_ml()));
        println!(
            "seed {seed}: {:.1} mm across, wall {:.1} to {:.1} mm, {blood:.0} mL, {:.0} g, EF {ef:.1}",
            ed.inner.across.x + ed.inner.across.y,
            wall(ed),
            wall(es),
            ed.muscle_ml() * anatomy::MYOCARDIAL_DENSITY
        );
        assert!((44.9..65.1).contains(&ef) && (90.0..170.0).contains(&blood));
        assert!((8.0..11.0).contains(&wall(ed)) && wall(es) > 1.2 * wall(ed));
        assert!((es.muscle_ml() / ed.muscle_ml() - 1.0).abs() < 1e-6);
        let frame = &anatomy.frame;
        assert!(frame.septal.x < 0.0 && frame.septal.y < 0.0, "the right ventricle lies to the right and in front");
        assert!(frame.base.x < 0.0 && frame.base.y > 0.0 && frame.base.z > 0.0, "the apex points left, forward and down");
        assert!(frame.base.cross(frame.septal).distance(frame.anterior) < 1e-12);
    }
}

#[test]
fn the_plane_is_seen_from_the_apex() {
    let (case, truth) = (case(), &case().truth);
    let axis = (truth.base_lps - truth.apex_lps).normalize();
    assert!(case.plane.normal().dot(axis) > 0.999_999);
    let [anterior, inferior] = truth.insertions_lps.map(|p| case.plane.plane_from_lps(p));
    assert!(anterior.x < 0.0 && anterior.y < 0.0 && inferior.x < 0.0 && inferior.y > 0.0, "{anterior} {inferior}");
    let matrix = case.cine.grid.lps_from_voxel().matrix3;
    assert!(matrix.determinant() > 0.0 && matrix.z_axis.dot(axis) > 0.0);
}

#[test]
fn the_chain_is_the_thin_plate_through_the_landmarks() {
    let (case, truth) = (case(), &case().truth);
    assert!((24..=40).contains(&truth.landmarks.pairs.len()), "{} pairs", truth.landmarks.pairs.len());
    let worst = truth
        .landmarks
        .complete()
        .iter()
        .map(|(_, m, f)| truth.plane_from_section.apply(*m).distance(case.plane.plane_from_lps(*f)))
        .fold(0.0, f64::max);
    assert!(worst < 1e-6, "a landmark misses by {worst} mm");
    let scale = case.section.mm_per_px();
    let spots = case.section.spots.as_ref().unwrap();
    for (px, lps) in spots.px.iter().zip(&truth.spots_lps) {
        let there = case.plane.lps_from_plane(truth.plane_from_section.apply(*px * scale));
        assert!(there.distance(*lps) < 1e-9);
    }
    assert_eq!(case.landmarks_half.complete().len(), 2);
    assert_eq!(case.landmarks_half.pairs.len(), 5);
}

#[test]
fn the_deformation_is_a_deformation() {
    for seed in 0..20 {
        let anatomy = Anatomy::of_seed(seed);
        let chain = Chain::plant(&anatomy, section_height(&anatomy)).unwrap();
        let side_mm = chain.um_per_px / 1000.0 * chain::PICTURE_PX as f64;
        for i in 0..30 * 30 {
            let at = DVec2::new(f64::from(i % 30), f64::from(i / 30)) / 29.0 * side_mm;
            assert!(chain.plane_from_section.jacobian(at).determinant() > 0.4, "seed {seed} folded at {at}");
        }
        let pairs = chain.landmarks.complete();
        assert!(pairs.iter().all(|(_, m, _)| m.min_element() > 2.0 && m.max_element() < side_mm - 2.0));
        let Warp::ThinPlate(t) = &chain.plane_from_section else { panic!("not a thin plate") };
        let bend = pairs.iter().map(|(_, m, _)| t.apply(*m).distance(t.affine.transform_point2(*m))).fold(0.0, f64::max);
        let spread = |points: &[DVec2]| {
            let mean = points.iter().sum::<DVec2>() / points.len() as f64;
            points.iter().map(|p| p.distance_squared(mean)).sum::<f64>().sqrt()
        };
        let moving: Vec<DVec2> = pairs.iter().map(|p| p.1).collect();
        let fixed: Vec<DVec2> = pairs.iter().map(|p| chain.plane.plane_from_lps(p.2)).collect();
        let shrinkage = 1.0 - spread(&moving) / spread(&fixed);
        println!("seed {seed}: {} µm/px, shrinkage {shrinkage:.3}, bending up to {bend:.2} mm", chain.um_per_px);
        assert!((shrinkage - 0.15).abs() < 0.05 && bend > 0.3);
    }
}

#[test]
fn counts_are_as_promised() {
    let section = &case().section;
    let (expression, spots) = (section.expression.as_ref().unwrap(), section.spots.as_ref().unwrap());
    assert!(expression.genes().len() >= 500);
    let totals = expression.totals();
    let mut on: Vec<f64> = totals.iter().zip(&spots.in_tissue).filter(|(_, t)| **t).map(|(v, _)| *v).collect();
    on.sort_by(f64::total_cmp);
    let median = on[on.len() / 2];
    let shares = &case().truth.histology_share;
    let mean = shares.values().sum::<f64>() / shares.len() as f64;
    let most = shares.values().copied().fold(0.0, f64::max);
    println!("{} spots, {} on tissue, median {median} UMI, {} stored", totals.len(), on.len(), expression.n_stored());
    println!("histology explains {mean:.3} of the planted variance on average, {most:.3} at most");
    assert!((2400.0..3600.0).contains(&median));
    assert!(mean <= 0.4);
    let mut names: Vec<_> = expression.observations().to_vec();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), totals.len());
}

#[test]
fn markers_mark_and_noise_does_not() {
    let (case, truth) = (case(), &case().truth);
    let e = case.section.expression.as_ref().unwrap();
    let totals = e.totals();
    let ratio = |name: &str| {
        let counts = e.dense(e.find_gene(name).unwrap());
        let mean = |state: TissueState| {
            let v: Vec<f64> = (0..totals.len())
                .filter(|&i| truth.tissue[i].state == state && totals[i] > 0.0)
                .map(|i| f64::from(counts[i]) / totals[i])
                .collect();
            v.iter().sum::<f64>() / v.len() as f64
        };
        [mean(TissueState::Scar), mean(TissueState::Border)].map(|v| v / mean(TissueState::Healthy))
    };
    let of_class = |class: &str| -> Vec<[f64; 2]> {
        truth.gene_classes.iter().filter(|(_, c)| *c == class).map(|(g, _)| ratio(g)).collect()
    };
    let middle = |mut v: Vec<f64>| {
        v.sort_by(f64::total_cmp);
        v[v.len() / 2]
    };
    let scar = middle(of_class("scar").iter().map(|r| r[0]).collect());
    let border = middle(of_class("border").iter().map(|r| r[1]).collect());
    let noise = middle(of_class("noise").iter().map(|r| r[0]).collect());
    println!("scar genes ×{scar:.2} in scar, border genes ×{border:.2} in border, noise genes ×{noise:.3}");
    assert!(scar > 1.5 && border > 1.3 && (noise - 1.0).abs() < 0.03);
}

#[test]
fn every_area_has_its_tissue() {
    for seed in 0..=20 {
        let anatomy = Anatomy::of_seed(seed);
        let chain = Chain::plant(&anatomy, section_height(&anatomy)).unwrap();
        let slide = Slide::new(&anatomy, &chain);
        let sampled = spots::sample(&slide).unwrap();
        for area in Area::ALL {
            let all: Vec<&SpotTruth> = sampled.truth.iter().filter(|t| t.area == area).collect();
            let share = |state: TissueState| all.iter().filter(|t| t.state == state).count() as f64 / all.len() as f64;
            let [none, healthy, border, scar] =
                [TissueState::None, TissueState::Healthy, TissueState::Border, TissueState::Scar].map(share);
            println!(
                "seed {seed} {}: {} spots, glass {none:.2}, healthy {healthy:.2}, border {border:.2}, scar {scar:.2}",
                area.name(),
                all.len()
            );
            assert!(all.len() > 4700 && none < 0.45);
            match area {
                Area::Scar => assert!(scar > 0.25),
                Area::Border => assert!(border > 0.1),
                Area::Septum | Area::Remote => assert!(healthy > 0.55 && scar < 0.02),
            }
        }
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

#[test]
fn late_enhancement_has_its_contrast() {
    let (case, truth) = (case(), &case().truth);
    let of = |mask: &LabelMap, value: u8| -> Vec<f64> {
        let all = mask.phases[0].iter().enumerate();
        all.filter(|(_, v)| **v == value).map(|(i, _)| case.lge.value(0, i)).collect()
    };
    let (scar, border, remote) = (of(&truth.scar_mask, 1), of(&truth.scar_mask, 2), of(&truth.remote_mask, 1));
    let (s, b, (r, sd)) = (moments(&scar), moments(&border), moments(&remote));
    let cnr = (s.0 - r) / sd;
    println!(
        "scar {s:?} border {b:?} remote {r:.1} ± {sd:.1}: CNR {cnr:.2}, {:.1} g of scar, {:.1} g of border",
        truth.scar_mass_g, truth.border_mass_g
    );
    let half_way = 0.5 * (s.0 + r);
    let above = |value: u8| of(&truth.scar_mask, value).iter().filter(|v| **v > half_way).count() as f64;
    let all = above(1) + above(2);
    println!(
        "half-way threshold: {:.3} of the scar's voxels, {:.3} with border",
        above(1) / scar.len() as f64,
        all / scar.len() as f64
    );
    assert!((4.0..6.0).contains(&cnr));
    assert!(b.0 > r + sd && b.0 < s.0 - sd);
}

#[test]
fn cine_has_its_noise() {
    let case = case();
    let middle = case.cine.grid.size()[2] / 2;
    let slice = case.cine.grid.size()[0] * case.cine.grid.size()[1];
    let deep = |phase: usize, i: usize| {
        let m = &case.cine_labels.phases[phase];
        let nx = case.cine.grid.size()[0];
        [i, i - 1, i + 1, i - nx, i + nx].iter().all(|&j| m[j] == 2)
    };
    let both: Vec<usize> = (middle * slice..(middle + 1) * slice).filter(|&i| deep(0, i) && deep(24, i)).collect();
    let differences: Vec<f64> = both.iter().map(|&i| (case.cine.value(0, i) - case.cine.value(24, i)) / 2f64.sqrt()).collect();
    let mean = both.iter().map(|&i| case.cine.value(0, i)).sum::<f64>() / both.len() as f64;
    let snr = mean / moments(&differences).1;
    println!("muscle {mean:.0}, SNR {snr:.1}");
    assert!((17.0..23.0).contains(&snr));
    assert!(matches!(case.cine.phases[0], Samples::U16(_)));
}

#[test]
fn every_segment_is_there() {
    let segments = &case().truth.segments;
    let counts: Vec<usize> = (1..=17).map(|s| segments.count(0, s)).collect();
    println!("{counts:?}");
    assert!(counts.iter().all(|&n| n > 20));
    let muscle = case().cine_labels.count(0, 2);
    assert_eq!(counts.iter().sum::<usize>(), muscle);
}

/// Segments again from the labels alone: slice centroids of the cavity, thirds between apex and base.
#[test]
fn segments_follow_from_labels_and_insertions() {
    for seed in 0..6 {
        let anatomy = Anatomy::of_seed(seed);
        let (_, labels) = images::cine(&anatomy, &Progress::none(), &|_, _| {}).unwrap();
        let slice = labels.grid.size()[0] * labels.grid.size()[1];
        let mut centers = vec![(DVec3::ZERO, 0.0f64); labels.grid.size()[2]];
        images::each_voxel(&anatomy, &labels.grid, |i, h| {
            if labels.phases[0][i] == 3 {
                centers[i / slice].0 += h;
                centers[i / slice].1 += 1.0;
            }
        });
        let (mut same, mut all) = (0, 0);
        images::each_voxel(&anatomy, &labels.grid, |i, h| {
            let (sum, n) = centers[i / slice];
            if labels.phases[0][i] == 2 {
                let center = if n > 0.0 { sum / n } else { DVec3::new(0.0, 0.0, h.z) };
                all += 1;
                same += usize::from(anatomy.segment(h) == anatomy.segment(DVec3::new(h.x - center.x, h.y - center.y, h.z)));
            }
        });
        let share = f64::from(u32::try_from(same).unwrap()) / f64::from(all);
        println!("seed {seed}: {share:.4} of the segments");
        assert!(share > 0.99);
    }
}

/// Writes pictures for the eye into the folder that `MYOSCOPE_PREVIEW` names.
#[test]
fn previews() {
    let Some(folder) = std::env::var_os("MYOSCOPE_PREVIEW").map(std::path::PathBuf::from) else { return };
    let case = case();
    let write = |name: String, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    let gray = |v: &Volume, phase: usize, k: usize| {
        let [nx, ny, _] = v.grid.size();
        let mut out = format!("P5 {nx} {ny} 255\n").into_bytes();
        let (low, high) = v.window;
        out.extend(
            (0..nx * ny).map(|i| ((v.value(phase, k * nx * ny + i) - low) / (high - low) * 255.0).clamp(0.0, 255.0) as u8),
        );
        out
    };
    for k in 0..12 {
        write(format!("ed{k:02}.pgm"), gray(&case.cine, 0, k));
        write(format!("es{k:02}.pgm"), gray(&case.cine, 9, k));
        write(format!("lge{k:02}.pgm"), gray(&case.lge, 0, k));
    }
    for level in &case.section.picture.as_ref().unwrap().levels {
        let mut out =
            format!("P7\nWIDTH {}\nHEIGHT {}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n", level.width, level.height)
                .into_bytes();
        out.extend(level.rgba.iter());
        write(format!("{}.pam", level.name), out);
    }
    let spots = case.section.spots.as_ref().unwrap();
    let e = case.section.expression.as_ref().unwrap();
    let (a, b) = (e.dense(e.find_gene("COL1A1").unwrap()), e.dense(e.find_gene("NPPA").unwrap()));
    let rows: String = (0..a.len()).map(|i| format!("{} {} {} {}\n", spots.px[i].x, spots.px[i].y, a[i], b[i])).collect();
    write("spots.txt".into(), rows.into_bytes());
}
