//! The ways to the components agree with each other and with the definition.

use super::*;
use crate::stats::Stream;

/// A sparse matrix with a few strong directions.
fn columns(n: usize, m: usize, seed: u64) -> (Vec<Vec<u32>>, Vec<Vec<f32>>) {
    let mut random = Stream::new(seed, 0);
    let factors: Vec<f64> = (0..n * 5).map(|_| random.normal()).collect();
    let weights: Vec<f64> = (0..m * 5).map(|i| random.normal() * 4.0 / (1.0 + (i % 5) as f64)).collect();
    let mut all = (Vec::new(), Vec::new());
    for c in 0..m {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for r in 0..n {
            let value: f64 = (0..5).map(|f| factors[r * 5 + f] * weights[c * 5 + f]).sum::<f64>() + random.normal() * 0.3;
            if value > 0.0 {
                rows.push(r as u32);
                values.push(value as f32);
            }
        }
        all.0.push(rows);
        all.1.push(values);
    }
    all
}

fn seen(n_rows: usize, (rows, values): &(Vec<Vec<u32>>, Vec<Vec<f32>>)) -> SparseColumns<'_> {
    SparseColumns { n_rows, columns: rows.iter().zip(values).map(|(r, v)| (r.as_slice(), v.as_slice())).collect() }
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    let size = a.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * size, "{a} {b}");
    }
}

#[test]
fn all_ways_agree() {
    let progress = Progress::none();
    for (n, m) in [(60, 25), (25, 60)] {
        let data = columns(n, m, 3);
        let x = seen(n, &data);
        for scale in [false, true] {
            let centered = Centered::new(&x, scale, &progress).unwrap();
            let mut ways = [
                exact::direct(&centered, 5, &progress).unwrap(),
                exact::by_covariance(&centered, 5, &progress).unwrap(),
                exact::by_rows(&centered, 5, &progress).unwrap(),
                random::components(&centered, 5, 1, &progress).unwrap(),
            ];
            ways.iter_mut().for_each(Pca::fix_signs);
            for way in &ways[1..] {
                let tolerance = if way.method == PcaMethod::Random { 1e-6 } else { 1e-10 };
                close(&ways[0].variance, &way.variance, tolerance);
                close(&ways[0].scores, &way.scores, tolerance);
                close(&ways[0].loadings, &way.loadings, tolerance);
                close(&ways[0].ratio, &way.ratio, tolerance);
            }
        }
    }
}

#[test]
fn loadings_are_unit_and_their_largest_is_positive() {
    let data = columns(40, 12, 5);
    let found = pca(&seen(40, &data), &PcaSettings { n: 4, scale: false, seed: 0 }, &Progress::none()).unwrap();
    for j in 0..4 {
        let column: Vec<f64> = found.loadings.chunks_exact(4).map(|r| r[j]).collect();
        let largest = column.iter().copied().fold(0.0_f64, |a, b| if b.abs() > a.abs() { b } else { a });
        assert!(largest > 0.0 && (column.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-12);
        let scores: Vec<f64> = found.scores.chunks_exact(4).map(|r| r[j]).collect();
        let variance = scores.iter().map(|s| s * s).sum::<f64>() / 39.0;
        assert!((variance / found.variance[j] - 1.0).abs() < 1e-12);
    }
    assert!(found.ratio.iter().sum::<f64>() <= 1.0);
}

#[test]
fn components_end_where_variance_ends() {
    let rows: Vec<Vec<u32>> = vec![vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![1, 3], vec![]];
    let values: Vec<Vec<f32>> = vec![vec![1.0, 2.0, 3.0, 4.0], vec![2.0, 4.0, 6.0, 8.0], vec![5.0, 1.0], vec![]];
    for scale in [false, true] {
        let settings = PcaSettings { n: 50, scale, seed: 0 };
        let found = pca(&seen(4, &(rows.clone(), values.clone())), &settings, &Progress::none()).unwrap();
        assert_eq!((found.k, found.loadings.len(), found.scores.len()), (2, 8, 8));
        assert!((found.ratio.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(&found.loadings[6..], [0.0, 0.0]);
    }
}

#[test]
fn what_has_no_components_is_refused() {
    let settings = PcaSettings { n: 2, scale: false, seed: 0 };
    let refuse = |n: usize, rows: Vec<Vec<u32>>, values: Vec<Vec<f32>>| {
        pca(&seen(n, &(rows, values)), &settings, &Progress::none()).unwrap_err().to_string()
    };
    assert!(refuse(1, vec![vec![0]], vec![vec![1.0]]).contains("1 rows"));
    assert!(refuse(3, vec![], vec![]).contains("0 columns"));
    assert!(refuse(3, vec![vec![0, 1, 2]], vec![vec![2.0; 3]]).contains("varies"));
    assert!(refuse(3, vec![vec![0]], vec![vec![f32::NAN]]).contains("not finite"));
}
