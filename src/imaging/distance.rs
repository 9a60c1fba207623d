//! Exact distances to a mask (Felzenszwalb and Huttenlocher 2012), and masks in connected pieces.

use rayon::prelude::*;

/// Distance in mm from the center of every voxel to the nearest center of a voxel of `mask`, infinite
/// without one. Axes are taken as perpendicular, with steps of `spacing_mm`. O(voxels).
#[must_use]
pub fn distance_mm(mask: &[bool], size: [usize; 3], spacing_mm: [f64; 3]) -> Vec<f64> {
    let mut squared: Vec<f64> = mask.iter().map(|m| if *m { 0.0 } else { f64::INFINITY }).collect();
    let [nx, ny, nz] = size;
    if nx * ny * nz == 0 {
        return squared;
    }
    squared.par_chunks_exact_mut(nx * ny).for_each(|slice| {
        slice.chunks_exact_mut(nx).for_each(|row| lower_envelope(row, spacing_mm[0]));
        let mut column = vec![0.0; ny];
        for i in 0..nx {
            (0..ny).for_each(|j| column[j] = slice[j * nx + i]);
            lower_envelope(&mut column, spacing_mm[1]);
            (0..ny).for_each(|j| slice[j * nx + i] = column[j]);
        }
    });
    let through: Vec<Vec<f64>> = (0..nx * ny)
        .into_par_iter()
        .map(|at| {
            let mut column: Vec<f64> = (0..nz).map(|k| squared[k * nx * ny + at]).collect();
            lower_envelope(&mut column, spacing_mm[2]);
            column
        })
        .collect();
    for (at, column) in through.iter().enumerate() {
        (0..nz).for_each(|k| squared[k * nx * ny + at] = column[k].sqrt());
    }
    squared
}

/// Replaces squared distances by the least of all parabolas over the line.
fn lower_envelope(values: &mut [f64], step: f64) {
    let squares = values.to_vec();
    let place = |q: usize| q as f64 * step;
    // Parabolas of the envelope and where each begins.
    let mut lowest: Vec<(usize, f64)> = Vec::new();
    for q in (0..squares.len()).filter(|&q| squares[q].is_finite()) {
        let mut from = f64::NEG_INFINITY;
        while let Some(&(p, begins)) = lowest.last() {
            from = ((squares[q] + place(q).powi(2)) - (squares[p] + place(p).powi(2))) / (2.0 * (place(q) - place(p)));
            if from > begins {
                break;
            }
            lowest.pop();
            from = f64::NEG_INFINITY;
        }
        lowest.push((q, from));
    }
    if lowest.is_empty() {
        return;
    }
    let mut k = 0;
    for (q, value) in values.iter_mut().enumerate() {
        while k + 1 < lowest.len() && lowest[k + 1].1 <= place(q) {
            k += 1;
        }
        let p = lowest[k].0;
        *value = (place(q) - place(p)).powi(2) + squares[p];
    }
}

/// The 4 neighbors of a pixel in its slice.
pub const FACES_2D: [[i64; 3]; 4] = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]];
/// The 8 neighbors of a pixel in its slice.
pub const AROUND_2D: [[i64; 3]; 8] =
    [[-1, -1, 0], [0, -1, 0], [1, -1, 0], [-1, 0, 0], [1, 0, 0], [-1, 1, 0], [0, 1, 0], [1, 1, 0]];
/// The 8 neighbors in the slice (first two axes) and the voxels over and under.
pub const AROUND_AND_STACKED: [[i64; 3]; 10] =
    [[-1, -1, 0], [0, -1, 0], [1, -1, 0], [-1, 0, 0], [1, 0, 0], [-1, 1, 0], [0, 1, 0], [1, 1, 0], [0, 0, -1], [0, 0, 1]];

/// Connected pieces of a mask as lists of memory indices (rising), in order of their first voxel.
/// `neighbors` are steps and must hold the opposite of each. O(voxels · neighbors).
#[must_use]
pub fn pieces(mask: &[bool], size: [usize; 3], neighbors: &[[i64; 3]]) -> Vec<Vec<usize>> {
    let [nx, ny, nz] = size.map(|n| n as i64);
    let mut seen = vec![false; mask.len()];
    let mut found = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        let (mut piece, mut at) = (vec![start], 0);
        while at < piece.len() {
            let index = piece[at] as i64;
            at += 1;
            let [i, j, k] = [index % nx, index / nx % ny, index / (nx * ny)];
            for [di, dj, dk] in neighbors {
                let [i, j, k] = [i + di, j + dj, k + dk];
                if !(0..nx).contains(&i) || !(0..ny).contains(&j) || !(0..nz).contains(&k) {
                    continue;
                }
                let next = (i + nx * (j + ny * k)) as usize;
                if mask[next] && !seen[next] {
                    seen[next] = true;
                    piece.push(next);
                }
            }
        }
        piece.sort_unstable();
        found.push(piece);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_search() {
        let (size, spacing) = ([9, 7, 4], [1.5, 0.7, 8.0]);
        let n: usize = size.iter().product();
        let mask: Vec<bool> = (0..n).map(|i| (i * 7919 + 13) % 29 == 0).collect();
        let at = |i: usize| [i % 9, i / 9 % 7, i / 63];
        let got = distance_mm(&mask, size, spacing);
        for (i, got) in got.iter().enumerate() {
            let to = |j: usize| (0..3).map(|a| ((at(i)[a] as f64 - at(j)[a] as f64) * spacing[a]).powi(2)).sum::<f64>();
            let want = (0..n).filter(|&j| mask[j]).map(to).fold(f64::INFINITY, f64::min).sqrt();
            assert!((got - want).abs() < 1e-9, "{i}: {got} instead of {want}");
        }
        assert!(distance_mm(&[false; 6], [3, 2, 1], [1.0; 3]).iter().all(|d| d.is_infinite()));
    }

    #[test]
    fn corners_join_only_where_asked() {
        let mask = [true, false, false, true];
        assert_eq!(pieces(&mask, [2, 2, 1], &FACES_2D), [vec![0], vec![3]]);
        assert_eq!(pieces(&mask, [2, 2, 1], &AROUND_2D), [vec![0, 3]]);
        assert_eq!(pieces(&[true, true], [1, 1, 2], &AROUND_2D).len(), 2);
        assert_eq!(pieces(&[true, true], [1, 1, 2], &AROUND_AND_STACKED).len(), 1);
    }
}
