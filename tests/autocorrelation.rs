//! Spatial graphs, Moran's I, Geary's C, local Moran's I and Lee's L against esda and libpysal
//! (`golden/stats.json`, made by `golden/gen2.py`; `golden/autocorrelation.json`, made by
//! `golden/gen_autocorrelation.py`), and against their own permutations.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::Progress;
use myoscope::model::Expression;
use myoscope::omics::{GraphKind, SpatialGraph, autocorrelation, lee, local_moran};
use serde_json::Value;

const N: usize = 150;

fn numbers(seed: u64, n: usize) -> Vec<u64> {
    let mut s = seed;
    let next = |_| {
        s = (1_103_515_245 * s + 12_345) % (1 << 31);
        (s >> 7) % 10_000
    };
    (0..n).map(next).collect()
}

fn spots() -> (Vec<[f64; 2]>, Vec<Vec<f64>>) {
    let u = numbers(3, 2 * N);
    let xy: Vec<[f64; 2]> = (0..N).map(|i| [u[i] as f64 / 1000.0, u[N + i] as f64 / 2000.0]).collect();
    let gene = |g: usize| {
        let noise = numbers(100 + g as u64, N);
        let value = |i: usize| match g % 2 {
            1 if noise[i] >= 2000 => 0.0,
            1 => (noise[i] % 7) as f64 + if xy[i][0] > 6.0 { 5.0 } else { 0.0 },
            _ => (8.0 * (g as f64 * xy[i][1] + noise[i] as f64 / 1000.0)).floor() / 8.0,
        };
        (0..N).map(value).collect()
    };
    let genes = (0..8).map(gene).collect();
    (xy, genes)
}

/// A table of genes given densely; zeros are not stored.
fn table(genes: &[Vec<f64>]) -> Expression {
    let (mut offsets, mut rows, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for gene in genes {
        for (i, v) in gene.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            rows.push(i as u32);
            values.push(*v as f32);
        }
        offsets.push(rows.len() as u64);
    }
    let names = |n: usize, word: &str| (0..n).map(|i| format!("{word}{i}")).collect();
    Expression::new(names(genes.len(), "g"), Vec::new(), names(genes[0].len(), "s"), offsets, rows, values).unwrap()
}

fn near(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} instead of {want}");
}

#[test]
fn esda_and_libpysal_find_the_same() {
    let golden: Value = serde_json::from_str(include_str!("golden/autocorrelation.json")).unwrap();
    let (xy, genes) = spots();
    let expression = table(&genes);
    for (name, kind) in [("knn", GraphKind::Nearest(6)), ("radius", GraphKind::Radius(0.9)), ("delaunay", GraphKind::Delaunay)] {
        let graph = SpatialGraph::new(&xy, None, kind, &Progress::none()).unwrap();
        let want = &golden["graphs"][name];
        for i in 0..N {
            let neighbors: Vec<u32> = serde_json::from_value(want["neighbors"][i].clone()).unwrap();
            assert_eq!(graph.row(i).0, neighbors, "{name} {i}");
        }
        let found = autocorrelation(&graph, &expression, 0, 0, &Progress::none()).unwrap();
        for (g, gene) in found.iter().enumerate() {
            let (gene, want) = (gene.unwrap(), &want["genes"][g]);
            let of = |key: &str| want[key].as_f64().unwrap();
            near(gene.moran.value, of("i"), 1e-12, &format!("{name} {g} I"));
            near(gene.moran.z, of("i_z"), 1e-10, &format!("{name} {g} z of I"));
            near(gene.moran.p, of("i_p"), 1e-10, &format!("{name} {g} p of I"));
            near(gene.geary.value, of("c"), 1e-12, &format!("{name} {g} C"));
            near(gene.geary.z.abs(), of("c_z").abs(), 1e-10, &format!("{name} {g} z of C"));
        }
        for (i, local) in local_moran(&graph, &genes[2]).unwrap().into_iter().enumerate() {
            near(local.i, want["local"][i].as_f64().unwrap_or(0.0), 1e-12, &format!("{name} local {i}"));
            if let Some(z) = want["local_z"][i].as_f64() {
                near(local.z, z, 1e-9, &format!("{name} local z {i}"));
            }
        }
        let l = lee(&graph, [&genes[2], &genes[4]], 0, 0, &Progress::none()).unwrap().l;
        near(l, want["lee"].as_f64().unwrap(), 1e-12, &format!("{name} Lee"));
    }
}

/// The 6 × 6 lattice of the stored numbers: neighbors share a side.
fn rook() -> SpatialGraph {
    let xy: Vec<[f64; 2]> = (0..36).map(|i| [f64::from(i % 6), f64::from(i / 6)]).collect();
    SpatialGraph::new(&xy, None, GraphKind::Radius(1.0), &Progress::none()).unwrap()
}

#[test]
fn the_lattice_of_the_definitions() {
    let golden: Value = serde_json::from_str(include_str!("golden/stats.json")).unwrap();
    let y: Vec<f64> = serde_json::from_value(golden["moran_y"].clone()).unwrap();
    let first: Vec<f64> = serde_json::from_value(golden["moran_local_first6"].clone()).unwrap();
    let local = local_moran(&rook(), &y).unwrap();
    first.iter().zip(&local).for_each(|(want, got)| near(got.i, *want, 1e-12, "local Moran"));
    // The table keeps values in single precision, which limits what can be compared.
    let gene = autocorrelation(&rook(), &table(&[y]), 0, 0, &Progress::none()).unwrap()[0].unwrap();
    let of = |key: &str| golden["moran_r"][key].as_f64().unwrap();
    near(gene.moran.value, of("I"), 1e-7, "I");
    near(gene.moran.p, of("p_rand_two"), 1e-7, "p");
    near((gene.moran.value + 1.0 / 35.0) / gene.moran.z, of("VI_rand").sqrt(), 1e-7, "standard deviation of I");
    near(gene.geary.value, of("C"), 1e-7, "C");
    near((gene.geary.value - 1.0) / gene.geary.z, of("VC_rand").sqrt(), 1e-7, "standard deviation of C");
}

#[test]
fn permutations_agree_with_the_moments_and_do_not_depend_on_threads() {
    let (xy, genes) = spots();
    let graph = SpatialGraph::new(&xy, None, GraphKind::Nearest(5), &Progress::none()).unwrap();
    let expression = table(&genes);
    let run = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| autocorrelation(&graph, &expression, 999, 4, &Progress::none())).unwrap()
    };
    let found = run(1);
    assert_eq!(found, run(3));
    for gene in found.iter().flatten() {
        for s in [gene.moran, gene.geary] {
            let permuted = s.p_permuted.unwrap();
            assert!((permuted - s.p).abs() < 0.05, "{permuted} by permutation, {} by moments", s.p);
        }
        assert!(gene.moran_q >= gene.moran.p);
    }
    let l = |seed: u64| lee(&graph, [&genes[2], &genes[4]], 199, seed, &Progress::none()).unwrap();
    assert_eq!(l(1), l(1));
    assert!(l(1).p.unwrap() <= 0.01, "both rise with y");
}

#[test]
fn genes_without_an_answer_are_empty_and_noise_is_not_significant() {
    let mut genes = vec![vec![0.0; N], vec![2.5; N]];
    genes.extend((0..400).map(|g| numbers(5000 + g, N).into_iter().map(|v| if v < 9000 { 0.0 } else { v as f64 }).collect()));
    genes.push((0..N).map(|i| if i == 7 { f64::NAN } else { i as f64 }).collect());
    let (xy, _) = spots();
    let graph = SpatialGraph::new(&xy, None, GraphKind::Delaunay, &Progress::none()).unwrap();
    let found = autocorrelation(&graph, &table(&genes), 0, 0, &Progress::none()).unwrap();
    assert!(found[0].is_none() && found[1].is_none() && found[402].is_none());
    let noise: Vec<_> = found[2..402].iter().flatten().collect();
    let share = noise.iter().filter(|g| g.moran.p < 0.05).count() as f64 / noise.len() as f64;
    println!("{share} of {} genes of noise below 0.05", noise.len());
    assert!((0.02..0.09).contains(&share) && noise.iter().filter(|g| g.moran_q < 0.05).count() < 4);
    assert!(autocorrelation(&graph, &table(&[vec![1.0, 2.0]]), 0, 0, &Progress::none()).is_err());
    assert!(local_moran(&graph, &genes[1]).is_err() && local_moran(&graph, &genes[402]).is_err());
}
