//! The lattice that spots were printed on. Its pitch is known in micrometers, so fitting it to the
//! spots' pixels tells how large a pixel is, how the section is turned, and how well all of it agrees.

use super::DVec2;
use crate::base::{Error, Result};
use std::f64::consts::PI;

/// How the spots are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatticeKind {
    /// Six neighbors, as Visium.
    Hexagonal,
    /// Four neighbors, as the first Spatial Transcriptomics arrays.
    Square,
}

impl LatticeKind {
    /// `hexagonal` or `square`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hexagonal => "hexagonal",
            Self::Square => "square",
        }
    }

    fn fold(self) -> f64 {
        match self {
            Self::Hexagonal => 6.0,
            Self::Square => 4.0,
        }
    }

    /// The second lattice vector where the first is (1, 0).
    fn second(self) -> DVec2 {
        match self {
            Self::Hexagonal => DVec2::new(0.5, 0.75_f64.sqrt()),
            Self::Square => DVec2::Y,
        }
    }

    /// The lattice point of unit pitch nearest to `p`.
    fn nearest(self, p: DVec2) -> DVec2 {
        let second = self.second();
        let j = (p.y / second.y).floor();
        let i = (p.x - j * second.x).floor();
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (-1.0, 1.0)];
        let at = |(a, b): (f64, f64)| DVec2::new(i + a + (j + b) * second.x, (j + b) * second.y);
        corners.map(at).into_iter().fold(DVec2::INFINITY, |best, q| if (q - p).length() < (best - p).length() { q } else { best })
    }
}

/// A regular lattice fitted to points. A lattice looks the same mirrored; see [`fit_array`] where the
/// array indices are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lattice {
    /// Arrangement.
    pub kind: LatticeKind,
    /// Distance of neighbors in the unit of the points.
    pub pitch: f64,
    /// Direction of a lattice vector in radians, from 0 to a sixth (hexagonal) or a quarter (square) of a turn.
    pub angle: f64,
    /// Root mean square distance of the points from their places, in the unit of the points.
    pub residual: f64,
    /// How many points have a place.
    pub n_fitted: usize,
}

/// Fits a hexagonal or square lattice. Missing points, noise up to about a tenth of the pitch and a few
/// strays do no harm. [`Error::Degenerate`] where there are fewer than 12 points, or no lattice.
/// Cost: O(n) for points that are spread evenly.
pub fn fit_lattice(points: &[DVec2]) -> Result<Lattice> {
    if points.len() < 12 || points.iter().any(|p| !p.is_finite()) {
        return Err(Error::degenerate(format!("a lattice needs at least 12 finite points, here are {}", points.len())));
    }
    let neighbors = near_neighbors(points)?;
    let pitch = neighbor_distance(points, &neighbors)?;
    let edges = edges_near(points, &neighbors, pitch);
    let (kind, angle) = orientation(&edges)?;
    let start = DVec2::from_angle(angle) * pitch;
    let places = walk(points, &neighbors, kind, start);
    let (mut offset, mut turn) = similarity(points, &places)?;
    let mut fitted = Vec::new();
    for _ in 0..4 {
        fitted = points
            .iter()
            .map(|&p| {
                let q = divide(p - offset, turn);
                let place = kind.nearest(q);
                ((place - q).length() < 0.4).then_some(place)
            })
            .collect();
        (offset, turn) = similarity(points, &fitted)?;
    }
    let squares: Vec<f64> = residuals(points, &fitted, offset, turn).map(|d| d.length_squared()).collect();
    let (n_fitted, pitch) = (squares.len(), turn.length());
    let residual = (squares.iter().sum::<f64>() / n_fitted.max(1) as f64).sqrt();
    if n_fitted * 10 < points.len() * 7 || residual > 0.2 * pitch {
        return Err(Error::degenerate(format!(
            "the points do not lie on a lattice: {n_fitted} of {} near a place of the best one, residual {:.0} % of its pitch",
            points.len(),
            100.0 * residual / pitch
        )));
    }
    Ok(Lattice { kind, pitch, angle: turn.to_angle().rem_euclid(2.0 * PI / kind.fold()), residual, n_fitted })
}

/// How pixels and the printed array fit together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrayFit {
    /// Micrometers per pixel (the square root of the area ratio).
    pub um_per_px: f64,
    /// Turn of the array in the picture in radians, −π to π, after mirroring.
    pub angle: f64,
    /// Whether the array's x runs backwards before it is turned.
    pub mirrored: bool,
    /// Ratio of the largest to the smallest scale, 1 where the pixels are square.
    pub stretch: f64,
    /// Root mean square distance between spots and their places, in µm.
    pub residual_um: f64,
}

/// Least-squares affine map from the printed array (µm) to pixels, read as scale, turn and mirror.
/// [`Error::Degenerate`] for fewer than 3 points or points on a line.
pub fn fit_array(px: &[DVec2], array_um: &[DVec2]) -> Result<ArrayFit> {
    if px.len() != array_um.len() || px.len() < 3 || px.iter().chain(array_um).any(|p| !p.is_finite()) {
        return Err(Error::degenerate(format!(
            "{} finite positions for {} array places, at least 3 needed",
            px.len(),
            array_um.len()
        )));
    }
    let n = px.len() as f64;
    let (mean_px, mean_um) = (px.iter().sum::<DVec2>() / n, array_um.iter().sum::<DVec2>() / n);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let (mut by_x, mut by_y) = (DVec2::ZERO, DVec2::ZERO);
    for (p, u) in px.iter().zip(array_um) {
        let (p, u) = (*p - mean_px, *u - mean_um);
        xx += u.x * u.x;
        xy += u.x * u.y;
        yy += u.y * u.y;
        by_x += p * u.x;
        by_y += p * u.y;
    }
    let det = xx * yy - xy * xy;
    let right = (by_x * yy - by_y * xy) / det;
    let down = (by_y * xx - by_x * xy) / det;
    let area = right.perp_dot(down);
    if det <= 1e-12 * (xx * yy) || !area.is_finite() || area.abs() < 1e-12 * right.length() * down.length() {
        return Err(Error::degenerate("the spots lie on a line, so their lattice cannot be fitted"));
    }
    let squares: f64 = px
        .iter()
        .zip(array_um)
        .map(|(p, u)| (*p - mean_px - right * (u.x - mean_um.x) - down * (u.y - mean_um.y)).length_squared())
        .sum();
    let um_per_px = 1.0 / area.abs().sqrt();
    let mirrored = area < 0.0;
    let first = if mirrored { -right } else { right };
    let trace = right.length_squared() + down.length_squared();
    let spread = (trace * trace - 4.0 * area * area).max(0.0).sqrt();
    Ok(ArrayFit {
        um_per_px,
        angle: (first.y - down.x).atan2(first.x + down.y),
        mirrored,
        stretch: ((trace + spread) / (trace - spread)).sqrt(),
        residual_um: (squares / n).sqrt() * um_per_px,
    })
}

/// Place of a Visium spot on its slide in µm: 100 µm between neighbors, columns in steps of two.
#[must_use]
pub fn visium_um(row: f64, column: f64) -> DVec2 {
    DVec2::new(column * 50.0, row * 100.0 * 0.75_f64.sqrt())
}

fn multiply(a: DVec2, b: DVec2) -> DVec2 {
    a.rotate(b)
}

fn divide(a: DVec2, b: DVec2) -> DVec2 {
    DVec2::new(b.x, -b.y).rotate(a) / b.length_squared()
}

fn residuals<'a>(
    points: &'a [DVec2],
    places: &'a [Option<DVec2>],
    offset: DVec2,
    turn: DVec2,
) -> impl Iterator<Item = DVec2> + 'a {
    points.iter().zip(places).filter_map(move |(p, z)| z.map(|z| *p - offset - multiply(turn, z)))
}

/// Least squares of `point = offset + turn · place` (complex product) over the points that have a place.
fn similarity(points: &[DVec2], places: &[Option<DVec2>]) -> Result<(DVec2, DVec2)> {
    let pairs: Vec<(DVec2, DVec2)> = points.iter().zip(places).filter_map(|(&p, z)| z.map(|z| (p, z))).collect();
    let n = pairs.len() as f64;
    let mean = pairs.iter().fold((DVec2::ZERO, DVec2::ZERO), |a, b| (a.0 + b.0 / n, a.1 + b.1 / n));
    let (mut top, mut bottom) = (DVec2::ZERO, 0.0);
    for (p, z) in &pairs {
        let (p, z) = (*p - mean.0, *z - mean.1);
        top += DVec2::new(z.x, -z.y).rotate(p);
        bottom += z.length_squared();
    }
    let turn = top / bottom;
    if pairs.len() < 6 || !turn.is_finite() || turn.length() < f64::MIN_POSITIVE {
        return Err(Error::degenerate("too few neighboring points to fit a lattice"));
    }
    Ok((mean.0 - multiply(turn, mean.1), turn))
}

const N_NEIGHBORS: usize = 8;

/// The up to eight nearest points of each point, nearest first, through a grid of about one point per cell.
fn near_neighbors(points: &[DVec2]) -> Result<Vec<Vec<u32>>> {
    let sorted = |pick: fn(&DVec2) -> f64| {
        let mut v: Vec<f64> = points.iter().map(pick).collect();
        v.sort_by(f64::total_cmp);
        (v[v.len() / 50], v[v.len() - 1 - v.len() / 50])
    };
    let ((x0, x1), (y0, y1)) = (sorted(|p| p.x), sorted(|p| p.y));
    let cell = ((x1 - x0) * (y1 - y0) / points.len() as f64).sqrt();
    if !cell.is_finite() || cell <= 0.0 {
        return Err(Error::degenerate("the points lie on a line, so no lattice fits"));
    }
    let n_cells = |length: f64| ((length / cell) as i64).saturating_add(1);
    let (nx, ny) = (n_cells(x1 - x0), n_cells(y1 - y0));
    if nx.saturating_mul(ny) > 4 * points.len() as i64 + 64 {
        return Err(Error::degenerate("the points are too elongated to fit a lattice"));
    }
    let of = |p: &DVec2| ((((p.x - x0) / cell) as i64).clamp(0, nx - 1), (((p.y - y0) / cell) as i64).clamp(0, ny - 1));
    let mut cells: Vec<Vec<u32>> = vec![Vec::new(); (nx * ny) as usize];
    for (i, p) in points.iter().enumerate() {
        let (cx, cy) = of(p);
        cells[(cy * nx + cx) as usize].push(i as u32);
    }
    let around = |i: usize| {
        let (p, (cx, cy)) = (points[i], of(&points[i]));
        let mut found: Vec<(f64, u32)> = Vec::new();
        for ring in 0_i64..=6 {
            for y in (cy - ring).max(0)..=(cy + ring).min(ny - 1) {
                for x in (cx - ring).max(0)..=(cx + ring).min(nx - 1) {
                    let rim = (x - cx).abs() == ring || (y - cy).abs() == ring;
                    let members = if rim { cells[(y * nx + x) as usize].as_slice() } else { &[] };
                    // Heaps of coinciding points would make this quadratic; a lattice has none.
                    found.extend(
                        members.iter().take(64).filter(|&&j| j as usize != i).map(|&j| (points[j as usize].distance(p), j)),
                    );
                }
            }
            found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(N_NEIGHBORS);
            if found.len() == N_NEIGHBORS && found[N_NEIGHBORS - 1].0 <= ring as f64 * cell {
                break;
            }
        }
        found.into_iter().map(|(_, j)| j).collect()
    };
    Ok((0..points.len()).map(around).collect())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn neighbor_distance(points: &[DVec2], neighbors: &[Vec<u32>]) -> Result<f64> {
    let none = || Error::degenerate("no two neighboring points");
    let nearest = points.iter().zip(neighbors);
    let nearest = nearest.filter_map(|(p, n)| n.iter().map(|&j| points[j as usize].distance(*p)).find(|&d| d > 0.0));
    let mut pitch = median(nearest.collect()).ok_or_else(none)?;
    for _ in 0..3 {
        pitch = median(edges_near(points, neighbors, pitch).iter().map(|e| e.length()).collect()).ok_or_else(none)?;
    }
    Ok(pitch)
}

fn edges_near(points: &[DVec2], neighbors: &[Vec<u32>], pitch: f64) -> Vec<DVec2> {
    let edges = points.iter().zip(neighbors).flat_map(|(p, n)| n.iter().map(|&j| points[j as usize] - *p));
    edges.filter(|e| (0.75..1.25).contains(&(e.length() / pitch))).collect()
}

fn orientation(edges: &[DVec2]) -> Result<(LatticeKind, f64)> {
    let order = |kind: LatticeKind| {
        let sum: DVec2 = edges.iter().map(|e| DVec2::from_angle(e.to_angle() * kind.fold())).sum();
        (sum.length() / edges.len().max(1) as f64, sum.to_angle() / kind.fold())
    };
    let (six, four) = (order(LatticeKind::Hexagonal), order(LatticeKind::Square));
    let (kind, best) = if six.0 > four.0 { (LatticeKind::Hexagonal, six) } else { (LatticeKind::Square, four) };
    if edges.len() < 12 || best.0 < 0.3 {
        return Err(Error::degenerate("the directions between neighboring points follow no hexagonal or square lattice"));
    }
    Ok((kind, best.1))
}

/// Places (unit pitch) of the largest group of points that can be reached from neighbor to neighbor.
fn walk(points: &[DVec2], neighbors: &[Vec<u32>], kind: LatticeKind, turn: DVec2) -> Vec<Option<DVec2>> {
    let mut places: Vec<Option<(usize, DVec2)>> = vec![None; points.len()];
    let mut sizes = Vec::new();
    for start in 0..points.len() {
        if places[start].is_some() {
            continue;
        }
        let group = sizes.len();
        places[start] = Some((group, DVec2::ZERO));
        let mut queue = std::collections::VecDeque::from([(start, DVec2::ZERO)]);
        let mut size = 0_usize;
        while let Some((i, place)) = queue.pop_front() {
            size += 1;
            for &j in &neighbors[i] {
                let step = divide(points[j as usize] - points[i], turn);
                let whole = kind.nearest(step);
                let near = (whole - step).length() < 0.3 && whole.length() < 1.2 && whole != DVec2::ZERO;
                if near && places[j as usize].is_none() {
                    places[j as usize] = Some((group, place + whole));
                    queue.push_back((j as usize, place + whole));
                }
            }
        }
        sizes.push(size);
    }
    let largest = sizes.iter().enumerate().max_by_key(|(i, n)| (**n, usize::MAX - i)).map_or(0, |(i, _)| i);
    places.into_iter().map(|p| p.filter(|(group, _)| *group == largest).map(|(_, place)| place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed sequence of numbers in −1..1, so that the test needs no random crate.
    fn noise(seed: &mut u64) -> f64 {
        *seed = crate::base::stream_seed(*seed, 1);
        (*seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn planted(kind: LatticeKind, pitch: f64, angle: f64, sd: f64) -> Vec<DVec2> {
        let mut seed = 7;
        let turn = DVec2::from_angle(angle) * pitch;
        let mut points = Vec::new();
        for i in 0..40 {
            for j in 0..40 {
                let z = DVec2::new(f64::from(i), 0.0) + kind.second() * f64::from(j);
                let p = DVec2::new(5000.0, -300.0) + multiply(turn, z);
                let jitter = DVec2::new(noise(&mut seed), noise(&mut seed)) * sd * pitch * 3f64.sqrt();
                if noise(&mut seed) < 0.4 {
                    points.push(p + jitter);
                }
            }
        }
        points
    }

    #[test]
    fn planted_lattices_come_back() {
        for kind in [LatticeKind::Hexagonal, LatticeKind::Square] {
            for (pitch, angle, sd) in [(137.5, 0.3, 0.0), (0.021, -1.2, 0.03), (88.0, 2.9, 0.08)] {
                let found = fit_lattice(&planted(kind, pitch, angle, sd)).unwrap();
                let period = 2.0 * PI / kind.fold();
                let turned = (found.angle - angle).rem_euclid(period);
                assert_eq!(found.kind, kind);
                assert!((found.pitch / pitch - 1.0).abs() < 2e-4 + 1e-2 * sd * sd, "{found:?} {pitch}");
                assert!(turned.min(period - turned) < 1e-3, "{found:?} {angle}");
                assert!((found.residual / pitch - sd * 2f64.sqrt()).abs() < 0.01, "{found:?} {sd}");
            }
        }
    }

    #[test]
    fn strays_do_no_harm_and_chaos_is_refused() {
        let mut points = planted(LatticeKind::Hexagonal, 100.0, 0.1, 0.01);
        points.extend((0..20).map(|i| DVec2::new(f64::from(i) * 1234.5, 1e5)));
        assert!((fit_lattice(&points).unwrap().pitch - 100.0).abs() < 0.05);
        let mut seed = 3;
        let chaos: Vec<DVec2> = (0..2000).map(|_| DVec2::new(noise(&mut seed), noise(&mut seed))).collect();
        assert!(matches!(fit_lattice(&chaos), Err(Error::Degenerate(_))));
        assert!(fit_lattice(&vec![DVec2::ONE; 100]).is_err());
        let line: Vec<DVec2> = (0..100).map(|i| DVec2::new(f64::from(i), 0.0)).collect();
        assert!(fit_lattice(&line).is_err());
        let thin: Vec<DVec2> = (0..100).map(|i| DVec2::new(f64::from(i) * 1e300, f64::from(i % 7) * 1e-290)).collect();
        assert!(fit_lattice(&thin).is_err());
    }

    #[test]
    fn array_tells_scale_turn_and_mirror() {
        let um: Vec<DVec2> =
            (0..78).flat_map(|r| (0..64).map(move |c| visium_um(f64::from(r), f64::from(2 * c + r % 2)))).collect();
        for (angle, mirrored) in [(0.0, false), (1.5, false), (-2.0, true)] {
            let place = |u: &DVec2| {
                let u = if mirrored { DVec2::new(-u.x, u.y) } else { *u };
                DVec2::new(900.0, 40.0) + DVec2::from_angle(angle).rotate(u) / 0.65
            };
            let px: Vec<DVec2> = um.iter().map(place).collect();
            let fit = fit_array(&px, &um).unwrap();
            assert!((fit.um_per_px - 0.65).abs() < 1e-9 && fit.residual_um < 1e-6, "{fit:?}");
            assert_eq!(fit.mirrored, mirrored);
            assert!((fit.angle - angle).abs() < 1e-9 && (fit.stretch - 1.0).abs() < 1e-6, "{fit:?}");
        }
        assert!(fit_array(&um[..2], &um[..2]).is_err());
        assert!(fit_array(&um[..20], &um[..20].iter().map(|u| DVec2::new(u.x, 0.0)).collect::<Vec<_>>()).is_err());
    }
}
