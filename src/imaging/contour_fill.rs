//! Drawn outlines to labels. A voxel belongs to what its center lies in; of centers exactly on a line those on its
//! left and upper side belong (smaller column, smaller row), so that areas add up: two outlines that share a line
//! share no voxel and leave none out, and a rectangle between whole pixels has as many voxels as its area.

use crate::base::{Error, Progress, Result};
use crate::model::{Border, Contour, ContourSpace, Contours, LabelEntry, LabelMap};
use crate::space::{DAffine3, DMat3, DVec3, Grid};
use std::collections::{BTreeMap, BTreeSet};

/// Voxel coordinates are rounded to this, so that rounding on the way through the patient does not decide.
const GRAIN: f64 = 1e6;
/// A line belongs to a slice where all its points lie within so many slices of it.
const HALF_SLICE: f64 = 0.5 + 1e-3;
/// Grids made for contours have no more rows, columns or slices.
const MOST_SIDE: f64 = 1024.0;

/// Labels, and how many lines could not be filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The labels: 1 RV cavity, 2 myocardium, 3 LV cavity, 4 papillary muscle, labels of their own value, other
    /// words from 5 on.
    pub labels: LabelMap,
    /// Lines that are open, or go around the wall of the right ventricle.
    pub n_open: usize,
    /// Lines that lie in no slice of the grid, or across slices.
    pub n_off_plane: usize,
}

/// Fills lines on a grid with at least `n_phases` phases. Several lines of one border in a slice and phase are
/// filled by the even-odd rule: a line inside another is a hole. `Parameter` for lines without a place in the
/// patient, `Degenerate` where none can be filled. Cost: rows times points of each line, and its voxels.
pub fn fill_contours(contours: &Contours, grid: &Grid, n_phases: usize, progress: &Progress) -> Result<Filled> {
    if contours.space != ContourSpace::Patient {
        return Err(Error::parameter(match contours.space {
            ContourSpace::Pixels => "the contours are drawn on pixels of images that were not found; give the DICOM series",
            _ => "the contours have no place in the patient",
        }));
    }
    let [nx, ny, _] = grid.size();
    let values = values(contours);
    let mut phases = vec![vec![0_u8; grid.n_voxels()]; n_phases.max(contours.n_phases()).max(1)];
    let (mut n_open, mut n_off_plane, mut n_filled) = (0, 0, 0);
    // Painted in the order of the key: what lies inside comes later.
    let mut areas: BTreeMap<(u8, u8, usize, usize), Vec<Vec<[f64; 2]>>> = BTreeMap::new();
    for line in &contours.lines {
        let Some(&(order, value)) = values.get(&line.border).filter(|_| line.closed && line.points.len() > 2) else {
            n_open += 1;
            continue;
        };
        match in_slice(line, grid) {
            Some((slice, points)) => areas.entry((order, value, slice, line.phase)).or_default().push(points),
            None => n_off_plane += 1,
        }
    }
    let n = areas.len().max(1) as f64;
    for (i, ((_, value, slice, phase), lines)) in areas.into_iter().enumerate() {
        progress.step(i as f64 / n, "filling contours")?;
        n_filled += lines.len();
        let start = nx * ny * slice;
        fill(&lines, nx, &mut phases[phase][start..start + nx * ny], value);
    }
    if n_filled == 0 {
        return Err(Error::degenerate(format!(
            "none of {} contours is a closed line in a slice of the image; check that they belong together",
            contours.lines.len()
        )));
    }
    let mut labels = LabelMap::new(contours.name.clone(), *grid, phases.into_iter().map(Into::into).collect())?;
    for (border, (_, value)) in &values {
        if let Some(entry) = labels.table.iter_mut().find(|e| e.value == *value) {
            name(entry, border);
        }
    }
    Ok(Filled { labels, n_open, n_off_plane })
}

fn name(entry: &mut LabelEntry, border: &Border) {
    match border {
        Border::Papillary => entry.name = "Papillary muscle".into(),
        Border::Other(word) => entry.name.clone_from(word),
        _ => {}
    }
}

/// Order of painting and value of each border that has an inside.
fn values(contours: &Contours) -> BTreeMap<Border, (u8, u8)> {
    let borders: BTreeSet<&Border> = contours.lines.iter().map(|l| &l.border).collect();
    let taken: BTreeSet<u8> = borders.iter().filter_map(|b| if let Border::Label(v) = b { Some(*v) } else { None }).collect();
    let mut free = (5..=255_u8).filter(|v| !taken.contains(v));
    let mut found = BTreeMap::new();
    for border in borders {
        let value = match border {
            Border::RvEpi => None,
            Border::RvEndo => Some((0, 1)),
            Border::Epi => Some((1, 2)),
            Border::Endo => Some((2, 3)),
            Border::Papillary => Some((3, 4)),
            Border::Label(value) => Some((4, *value)),
            Border::Other(_) => free.next().map(|v| (5, v)),
        };
        if let Some(value) = value {
            found.insert(border.clone(), value);
        }
    }
    found
}

fn rounded(v: f64) -> f64 {
    (v * GRAIN).round() / GRAIN
}

/// The slice that a line lies in and its points in columns and rows.
fn in_slice(line: &Contour, grid: &Grid) -> Option<(usize, Vec<[f64; 2]>)> {
    let voxels: Vec<DVec3> = line.points.iter().map(|p| grid.voxel_from_lps().transform_point3(*p)).collect();
    let middle = voxels.iter().map(|v| v.z).sum::<f64>() / voxels.len() as f64;
    let slice = (middle + 0.5).floor();
    let fits = voxels.iter().all(|v| (v.z - slice).abs() <= HALF_SLICE);
    (fits && slice >= 0.0 && slice < grid.size()[2] as f64)
        .then(|| (slice as usize, voxels.iter().map(|v| [rounded(v.x), rounded(v.y)]).collect()))
}

/// Sets the pixels of a slice whose centers lie inside, row by row.
fn fill(lines: &[Vec<[f64; 2]>], nx: usize, slice: &mut [u8], value: u8) {
    let rows = slice.len() / nx;
    let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); rows];
    for line in lines {
        for (a, b) in line.iter().zip(line.iter().cycle().skip(1)) {
            let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
            // A row is crossed from the lower end on, up to and without the upper end.
            let rows = low[1].ceil().max(0.0) as usize..(high[1].ceil().max(0.0) as usize).min(rows);
            for j in rows {
                let t = (j as f64 - low[1]) / (high[1] - low[1]);
                crossings[j].push(rounded(low[0] + t * (high[0] - low[0])));
            }
        }
    }
    for (row, mut xs) in slice.chunks_mut(nx).zip(crossings) {
        xs.sort_by(f64::total_cmp);
        for pair in xs.chunks_exact(2) {
            let [from, to] = [pair[0], pair[1]].map(|x| (x.ceil().max(0.0) as usize).min(nx));
            row[from..to.max(from)].fill(value);
        }
    }
}

/// A grid for contours that come without an image: slices parallel to most of the lines, as far apart as the
/// nearest two, with pixels of 1 mm; for lines in pixels the pixels themselves, a slice for each image.
/// `Degenerate` where no line is closed; `Parameter` where they have no place.
pub fn grid_of_contours(contours: &Contours) -> Result<(Contours, Grid)> {
    if contours.space == ContourSpace::Picture {
        return Err(Error::parameter("the contours have no place in the patient"));
    }
    let stacked = if contours.space == ContourSpace::Pixels { stacked(contours) } else { contours.clone() };
    let normals: Vec<(DVec3, f64)> = stacked.lines.iter().filter_map(normal).collect();
    let votes = |n: DVec3| normals.iter().filter(|(m, _)| m.dot(n).abs() > 0.999).count();
    // A few hundred of very many lines say where most of them lie.
    let some = normals.iter().step_by(normals.len() / 256 + 1);
    let best = some.map(|(n, _)| (votes(*n), *n)).fold((0, DVec3::ZERO), |a, b| if b.0 > a.0 { b } else { a });
    if best.0 == 0 {
        return Err(Error::degenerate("no contour is a closed line with an inside"));
    }
    let out = if best.1.z.abs() > 0.1 && best.1.z < 0.0 { -best.1 } else { best.1 };
    let right = [DVec3::X, DVec3::Y].into_iter().find(|a| a.dot(out).abs() < 0.9).unwrap_or(DVec3::Y);
    let right = (right - out * right.dot(out)).normalize();
    let down = out.cross(right);
    let points: Vec<DVec3> = stacked
        .lines
        .iter()
        .filter(|l| normal(l).is_some_and(|(n, _)| n.dot(out).abs() > 0.999))
        .flat_map(|l| l.points.iter().copied())
        .collect();
    let mut levels: Vec<f64> = stacked
        .lines
        .iter()
        .filter(|l| normal(l).is_some_and(|(n, _)| n.dot(out).abs() > 0.999))
        .map(|l| l.points.iter().map(|p| p.dot(out)).sum::<f64>() / l.points.len() as f64)
        .collect();
    levels.sort_by(f64::total_cmp);
    let step = levels.windows(2).map(|w| w[1] - w[0]).filter(|g| *g > 0.5).fold(f64::INFINITY, f64::min);
    let step = if step.is_finite() { step } else { 1.0 };
    let bounds = |axis: DVec3| {
        let along = points.iter().map(|p| p.dot(axis));
        along.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let (x, y) = (bounds(right), bounds(down));
    let origin = [x.0, y.0].map(|v| v.floor() - 2.0);
    let size = [x.1 - origin[0] + 3.0, y.1 - origin[1] + 3.0, (levels[levels.len() - 1] - levels[0]) / step + 1.5];
    if size.iter().any(|n| *n > MOST_SIDE) {
        return Err(Error::degenerate(format!(
            "the contours reach over {:.0} × {:.0} mm and {:.0} slices; they do not lie in one heart",
            size[0], size[1], size[2]
        )));
    }
    let translation = right * origin[0] + down * origin[1] + out * levels[0];
    let matrix3 = DMat3::from_cols(right, down, out * step);
    Ok((stacked, Grid::new(size.map(|n| n.floor() as usize), DAffine3 { matrix3, translation })?))
}

/// Lines in pixels laid on top of each other, image by image, one unit apart.
fn stacked(contours: &Contours) -> Contours {
    let images: BTreeSet<_> = contours.lines.iter().map(|l| (l.image.clone(), l.slice)).collect();
    let levels: BTreeMap<_, usize> = images.into_iter().zip(0..).collect();
    let level = |l: &Contour| levels.get(&(l.image.clone(), l.slice)).map_or(0.0, |i| *i as f64);
    let lines =
        contours.lines.iter().map(|l| Contour { points: l.points.iter().map(|p| p.with_z(level(l))).collect(), ..l.clone() });
    Contours { name: contours.name.clone(), space: ContourSpace::Patient, lines: lines.collect() }
}

/// Unit normal of a closed line (Newell) and twice its area; `None` for open lines and those without area.
fn normal(line: &Contour) -> Option<(DVec3, f64)> {
    let first = *line.points.first().filter(|_| line.closed)?;
    let sum: DVec3 =
        line.points.iter().zip(line.points.iter().cycle().skip(1)).map(|(a, b)| (*a - first).cross(*b - first)).sum();
    Some((sum.try_normalize().filter(|_| sum.length() > 1e-6)?, sum.length()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(border: Border, points: &[[f64; 2]], grid: &Grid, slice: usize) -> Contour {
        let points = points.iter().map(|p| grid.lps_from_voxel().transform_point3(DVec3::new(p[0], p[1], slice as f64)));
        Contour { border, view: "sax".into(), slice: slice as i64, phase: 0, closed: true, points: points.collect(), image: None }
    }

    fn grid() -> Grid {
        let matrix3 = DMat3::from_cols(
            DVec3::new(0.8, -0.6, 0.0) * 1.37,
            DVec3::new(0.36, 0.48, -0.8) * 1.4,
            DVec3::new(0.48, 0.64, 0.6) * 8.0,
        );
        Grid::new([40, 30, 3], DAffine3 { matrix3, translation: DVec3::new(-83.1, 12.7, 45.3) }).unwrap()
    }

    fn filled(lines: Vec<Contour>) -> Result<Filled> {
        let contours = Contours { name: "c".into(), space: ContourSpace::Patient, lines };
        fill_contours(&contours, &grid(), 1, &Progress::none())
    }

    #[test]
    fn rectangles_between_whole_pixels_have_their_area() {
        let grid = grid();
        for [x, y, w, h] in [[3.0, 4.0, 12.0, 9.0], [0.0, 0.0, 1.0, 1.0], [5.5, 2.5, 7.0, 3.0]] {
            let corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
            for turn in 0..2 {
                let mut corners = corners;
                if turn == 1 {
                    corners.reverse();
                }
                let map = filled(vec![line(Border::Endo, &corners, &grid, 1)]).unwrap().labels;
                assert_eq!(map.count(0, 3) as f64, w * h, "{corners:?}");
                let first = map.phases[0].iter().position(|v| *v == 3).unwrap();
                assert_eq!(first, (x.ceil() + 40.0 * (y.ceil() + 30.0)) as usize);
            }
        }
    }

    #[test]
    fn neighbors_share_no_voxel_and_leave_none_out() {
        let grid = grid();
        // A square cut along a slope through pixel centers.
        let (a, b) = ([[2.0, 2.0], [22.0, 2.0], [2.0, 22.0]], [[22.0, 2.0], [22.0, 22.0], [2.0, 22.0]]);
        let map = filled(vec![line(Border::Label(7), &a, &grid, 0), line(Border::Label(9), &b, &grid, 0)]).unwrap().labels;
        assert_eq!((map.count(0, 7), map.count(0, 9)), (210, 190));
        assert_eq!(map.count(0, 7) + map.count(0, 9), 400);
    }

    #[test]
    fn inside_comes_over_outside_and_lines_inside_are_holes() {
        let grid = grid();
        let square = |a: f64, b: f64| [[a, a], [b, a], [b, b], [a, b]];
        let lines = vec![
            line(Border::Endo, &square(8.0, 14.0), &grid, 2),
            line(Border::Epi, &square(5.0, 17.0), &grid, 2),
            line(Border::Label(6), &square(2.0, 20.0), &grid, 0),
            line(Border::Label(6), &square(4.0, 9.0), &grid, 0),
        ];
        let map = filled(lines).unwrap().labels;
        assert_eq!([3, 2, 6].map(|v| map.count(0, v)), [36, 144 - 36, 324 - 25]);
        assert_eq!(map.entry(2).unwrap().name, "Myocardium");
    }

    #[test]
    fn a_circle_has_its_area() {
        let grid = grid();
        let circle: Vec<[f64; 2]> =
            (0..720).map(|i| f64::from(i).to_radians() / 2.0).map(|a| [20.3 + 8.0 * a.cos(), 14.8 + 8.0 * a.sin()]).collect();
        let n = filled(vec![line(Border::Endo, &circle, &grid, 1)]).unwrap().labels.count(0, 3) as f64;
        assert!((n / (std::f64::consts::PI * 64.0) - 1.0).abs() < 0.02, "{n}");
    }

    #[test]
    fn what_cannot_be_filled_is_counted() {
        let grid = grid();
        let square = [[8.0, 8.0], [14.0, 8.0], [14.0, 14.0], [8.0, 14.0]];
        let mut open = line(Border::Endo, &square, &grid, 1);
        open.closed = false;
        let mut across = line(Border::Endo, &square, &grid, 1);
        across.points[0] += DVec3::Z * 30.0;
        let found = filled(vec![line(Border::Endo, &square, &grid, 1), open.clone(), across]).unwrap();
        assert_eq!((found.n_open, found.n_off_plane, found.labels.count(0, 3)), (1, 1, 36));
        assert!(matches!(filled(vec![open]), Err(Error::Degenerate(_))));
    }

    #[test]
    fn contours_without_an_image_get_a_grid() {
        let grid = grid();
        let square = [[8.0, 8.0], [24.0, 8.0], [24.0, 24.0], [8.0, 24.0]];
        let lines = (0..3).map(|k| line(Border::Endo, &square, &grid, k)).collect();
        let contours = Contours { name: "c".into(), space: ContourSpace::Patient, lines };
        let (stacked, own) = grid_of_contours(&contours).unwrap();
        assert_eq!(own.size()[2], 3);
        let found = fill_contours(&stacked, &own, 1, &Progress::none()).unwrap();
        let exact = 3.0 * 16.0 * 1.37 * 16.0 * 1.4 * 8.0;
        assert_eq!((found.n_off_plane, found.n_open), (0, 0));
        assert!((found.labels.count(0, 3) as f64 * own.voxel_mm3() / exact - 1.0).abs() < 0.02);
    }
}
