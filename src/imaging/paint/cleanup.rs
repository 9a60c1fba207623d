//! Holes, stray pieces, and slices taken over from their neighbors.

use super::slices::Slices;
use crate::base::{Error, Progress, Result};
use crate::imaging::pieces;

/// Which voxels are neighbors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connect {
    /// 6: those that share a face (4 in a slice).
    #[default]
    Faces,
    /// 18: those that share a face or an edge.
    Edges,
    /// 26: those that share a face, an edge or a corner (8 in a slice).
    Corners,
}

impl Connect {
    /// Steps to the neighbors.
    #[must_use]
    pub fn steps(self) -> Vec<[i64; 3]> {
        let most = match self {
            Self::Faces => 1,
            Self::Edges => 2,
            Self::Corners => 3,
        };
        let all = (-1..=1).flat_map(|k| (-1..=1).flat_map(move |j| (-1..=1).map(move |i| [i, j, k])));
        all.filter(|[i, j, k]: &[i64; 3]| (1..=most).contains(&(i.abs() + j.abs() + k.abs()))).collect()
    }
}

/// Voxels (index, value; rising) that a label encloses and that hold nothing: in each slice along `axis`, or in
/// all of the grid where it is `None`. What lies outside is what reaches the border by faces, as in `SciPy`'s
/// `binary_fill_holes`; other labels inside a hole stay. Cost: one pass.
pub fn fill_holes(
    voxels: &[u8],
    size: [usize; 3],
    value: u8,
    axis: Option<usize>,
    progress: &Progress,
) -> Result<Vec<(usize, u8)>> {
    let mut filled = Vec::new();
    match axis {
        Some(axis) => {
            let slices = Slices::new(size, axis);
            for k in 0..slices.n {
                progress.step(k as f64 / slices.n as f64, "filling holes")?;
                let mask = slices.mask(voxels, k, |v| v == value);
                let holes = enclosed(&mask, [slices.width, slices.height, 1]);
                filled.extend(holes.into_iter().map(|p| slices.index(p, k)));
            }
        }
        None => {
            progress.step(0.0, "filling holes")?;
            let mask: Vec<bool> = voxels.iter().map(|v| *v == value).collect();
            filled.extend(enclosed(&mask, size));
        }
    }
    filled.retain(|&at| voxels[at] == 0);
    filled.sort_unstable();
    Ok(filled.into_iter().map(|at| (at, value)).collect())
}

/// Voxels outside a mask that the border does not reach by faces.
pub(super) fn enclosed(mask: &[bool], size: [usize; 3]) -> Vec<usize> {
    if !mask.contains(&true) {
        return Vec::new();
    }
    let [nx, ny, nz] = size;
    let mut reached = mask.to_vec();
    let mut open: Vec<usize> = Vec::new();
    let mut reach = |at: usize, open: &mut Vec<usize>| {
        if !std::mem::replace(&mut reached[at], true) {
            open.push(at);
        }
    };
    for k in 0..nz {
        for j in 0..ny {
            let whole = j == 0 || j + 1 == ny || (nz > 1 && (k == 0 || k + 1 == nz));
            let step = if whole { 1 } else { (nx - 1).max(1) };
            (0..nx).step_by(step).for_each(|i| reach(i + nx * (j + ny * k), &mut open));
        }
    }
    while let Some(at) = open.pop() {
        let (i, j, k) = (at % nx, at / nx % ny, at / (nx * ny));
        let steps = [
            (i > 0).then(|| at - 1),
            (i + 1 < nx).then(|| at + 1),
            (j > 0).then(|| at - nx),
            (j + 1 < ny).then(|| at + nx),
            (k > 0).then(|| at - nx * ny),
            (k + 1 < nz).then(|| at + nx * ny),
        ];
        steps.into_iter().flatten().for_each(|next| reach(next, &mut open));
    }
    reached.iter().enumerate().filter(|(_, r)| !**r).map(|(at, _)| at).collect()
}

/// Voxels (index, 0; rising) of a label that are not in its largest connected piece; of pieces of one size the
/// first in memory stays. [`Error::Degenerate`] where the label has no voxel. Cost: one pass.
pub fn largest_piece(
    voxels: &[u8],
    size: [usize; 3],
    value: u8,
    connect: Connect,
    progress: &Progress,
) -> Result<Vec<(usize, u8)>> {
    progress.step(0.0, "finding connected pieces")?;
    let mask: Vec<bool> = voxels.iter().map(|v| *v == value).collect();
    let found = pieces(&mask, size, &connect.steps());
    let kept = (0..found.len()).max_by_key(|&p| (found[p].len(), usize::MAX - p));
    let Some(kept) = kept else {
        return Err(Error::degenerate(format!("no voxel has label {value}, so it has no largest piece")));
    };
    let mut rest: Vec<usize> = found.into_iter().enumerate().filter(|(p, _)| *p != kept).flat_map(|(_, v)| v).collect();
    rest.sort_unstable();
    Ok(rest.into_iter().map(|at| (at, 0)).collect())
}

/// Voxels (index, value; rising) that carry one label, or all where it is `None`, from a slice to another along
/// `axis`: what the label had there goes, what it has in the source comes; other labels are drawn over.
/// [`Error::Parameter`] where a slice is not there, [`Error::Degenerate`] where there is nothing to copy.
pub fn copy_slice(
    (from, to): (&[u8], &[u8]),
    size: [usize; 3],
    axis: usize,
    [source, target]: [usize; 2],
    value: Option<u8>,
) -> Result<Vec<(usize, u8)>> {
    let slices = Slices::new(size, axis);
    if source >= slices.n || target >= slices.n {
        return Err(Error::parameter(format!("there is no slice {} to copy to; there are {}", target.max(source) + 1, slices.n)));
    }
    let is = |v: u8| value.map_or(v != 0, |value| v == value);
    if !(0..slices.area()).any(|p| is(from[slices.index(p, source)])) {
        return Err(Error::degenerate(format!("slice {} has nothing to copy", source + 1)));
    }
    let mut wanted: Vec<(usize, u8)> = (0..slices.area())
        .filter_map(|p| {
            let (new, at) = (from[slices.index(p, source)], slices.index(p, target));
            match (is(new), is(to[at])) {
                (true, _) => Some((at, new)),
                (false, true) => Some((at, 0)),
                (false, false) => None,
            }
        })
        .collect();
    wanted.sort_unstable();
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(i: usize, j: usize, k: usize) -> usize {
        i + 5 * (j + 5 * k)
    }

    /// A shell of label 2 with a hollow in the middle, in 5 × 5 × 5.
    fn shell() -> Vec<u8> {
        let mut v = vec![0; 125];
        for k in 1..4 {
            for j in 1..4 {
                (1..4).for_each(|i| v[at(i, j, k)] = 2);
            }
        }
        v[at(2, 2, 2)] = 0;
        v
    }

    #[test]
    fn holes_by_slice_and_in_space() {
        let none = Progress::none();
        let mut v = shell();
        assert_eq!(fill_holes(&v, [5; 3], 2, None, &none).unwrap(), [(at(2, 2, 2), 2)]);
        v[at(2, 2, 1)] = 0;
        v[at(2, 2, 3)] = 0;
        assert!(fill_holes(&v, [5; 3], 2, None, &none).unwrap().is_empty(), "a tunnel is no hole in space");
        for axis in 0..3 {
            let n = fill_holes(&v, [5; 3], 2, Some(axis), &none).unwrap().len();
            assert_eq!(n, if axis == 2 { 3 } else { 0 }, "axis {axis}");
        }
        v[at(2, 2, 2)] = 3;
        assert_eq!(fill_holes(&v, [5; 3], 2, Some(2), &none).unwrap().len(), 2, "another label in the hole stays");
        assert!(fill_holes(&[1, 1, 1, 1], [2, 2, 1], 1, Some(2), &none).unwrap().is_empty());
        assert!(fill_holes(&[2, 0, 2], [1, 3, 1], 2, Some(2), &none).unwrap().is_empty(), "all lies on the border");
    }

    #[test]
    fn the_largest_piece_stays() {
        let mut v = shell();
        v[at(0, 0, 0)] = 2;
        let none = Progress::none();
        assert_eq!(largest_piece(&v, [5; 3], 2, Connect::Faces, &none).unwrap(), [(0, 0)]);
        assert!(largest_piece(&v, [5; 3], 2, Connect::Corners, &none).unwrap().is_empty(), "it touches by a corner");
        assert!(largest_piece(&v, [5; 3], 9, Connect::Faces, &none).is_err());
        assert_eq!([Connect::Faces, Connect::Edges, Connect::Corners].map(|c| c.steps().len()), [6, 18, 26]);
    }

    #[test]
    fn a_slice_comes_over_whole() {
        let v = shell();
        let mut other = v.clone();
        let wanted = copy_slice((&v, &v), [5; 3], 2, [2, 0], Some(2)).unwrap();
        wanted.iter().for_each(|&(at, new)| other[at] = new);
        assert_eq!(other[..25], v[50..75]);
        assert_eq!(copy_slice((&v, &v), [5; 3], 2, [2, 1], Some(2)).unwrap().iter().filter(|(_, n)| *n == 0).count(), 1);
        assert!(
            copy_slice((&v, &v), [5; 3], 2, [2, 5], Some(2)).is_err() && copy_slice((&v, &v), [5; 3], 2, [0, 1], None).is_err()
        );
    }
}
