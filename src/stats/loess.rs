//! Local regression of one variable: quadratics at the corners of a k-d tree, joined by cubics.
//! Source: W. S. Cleveland, E. Grosse, "Computational methods for local regression", Statistics and
//! Computing 1 (1991) 47–62.

use super::thin_svd;
use crate::base::{Error, Result};

/// The box around the points is so much wider on each side.
const MARGIN: f64 = 0.005;
/// Singular values below this part of the largest are no information.
const RANK_TOLERANCE: f64 = 1e-12;

/// How local, and how coarse the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoessSettings {
    /// Part of the points that one local fit sees, in (0, 1].
    pub span: f64,
    /// A cell of the tree with at most `n · span · cell` points is not cut again.
    pub cell: f64,
}

impl Default for LoessSettings {
    /// Span 0.3, as for the variance of genes; cell 0.2, as in the paper's program.
    fn default() -> Self {
        Self { span: 0.3, cell: 0.2 }
    }
}

/// Smoothed `y` at each `x`: local quadratics with tricube weights over the nearest `span` of the points,
/// exact at the corners of the tree and blended between them. [`Error::Degenerate`] where fewer than three
/// points are within the span, or a number is not finite. Costs O(corners · n).
pub fn loess(x: &[f64], y: &[f64], settings: &LoessSettings) -> Result<Vec<f64>> {
    let n = x.len();
    if n != y.len() || !(settings.span > 0.0 && settings.span <= 1.0) || settings.cell.is_nan() {
        return Err(Error::parameter(format!("loess of {n} and {} points with span {}", y.len(), settings.span)));
    }
    if x.iter().chain(y).any(|v| !v.is_finite()) {
        return Err(Error::degenerate("loess met a number that is not finite"));
    }
    let n_near = (n as f64 * settings.span + 1e-5).floor() as usize;
    if n_near < 3 {
        return Err(Error::degenerate(format!(
            "a local quadratic needs 3 points, but a span of {} of {n} points holds {n_near}",
            settings.span
        )));
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let sorted = Sorted { x: order.iter().map(|&i| x[i]).collect(), y: order.iter().map(|&i| y[i]).collect(), n_near };
    let corners = corners(&sorted.x, (n as f64 * settings.span * settings.cell).floor() as usize);
    let fits = corners.iter().map(|&at| sorted.fit(at)).collect::<Result<Vec<_>>>()?;
    Ok(x.iter().map(|&at| blend(at, &corners, &fits)).collect())
}

/// Corners of the cells, rising: the box with its margin, then every cut.
fn corners(x: &[f64], most: usize) -> Vec<f64> {
    let (low, high) = (x[0], x[x.len() - 1]);
    let margin = MARGIN * (high - low).max(1e-10 * low.abs().max(high.abs()) + 1e-30);
    let mut corners = vec![low - margin, high + margin];
    cut(x, most.max(1), &mut corners);
    corners.sort_by(f64::total_cmp);
    corners.dedup();
    corners
}

/// Cuts a cell at its middle point, and then its halves; that point belongs to the left one.
fn cut(x: &[f64], most: usize, corners: &mut Vec<f64>) {
    if x.len() <= most {
        return;
    }
    let middle = (x.len() - 1) / 2;
    // Points at one place stay in one cell: the cut moves to the nearest gap.
    let near = std::iter::once(0).chain((1..x.len() as isize).flat_map(|away| [away, -away]));
    let mut places = near.map_while(|away| middle.checked_add_signed(away).filter(|at| at + 1 < x.len()));
    let Some(at) = places.find(|&at| x[at] < x[at + 1]) else { return };
    corners.push(x[at]);
    cut(&x[..=at], most, corners);
    cut(&x[at + 1..], most, corners);
}

/// Points by rising x.
struct Sorted {
    x: Vec<f64>,
    y: Vec<f64>,
    n_near: usize,
}

impl Sorted {
    /// Value and slope at a place of the local quadratic there.
    fn fit(&self, at: f64) -> Result<(f64, f64)> {
        let first = self.nearest(at);
        let near = first..(first + self.n_near).min(self.x.len());
        let reach = near.clone().map(|i| (self.x[i] - at).abs()).fold(0.0, f64::max);
        // Points all equally far have no weight in the middle; nothing but their mean can be told.
        if near.clone().all(|i| (self.x[i] - at).abs() >= reach) {
            let mean = near.clone().map(|i| self.y[i]).sum::<f64>() / near.len() as f64;
            return Ok((mean, 0.0));
        }
        let (mut design, mut target) = (Vec::new(), Vec::new());
        for i in near {
            let t = (self.x[i] - at) / reach;
            let weight = (1.0 - t.abs().powi(3)).max(0.0).powi(3).sqrt();
            design.extend([weight, weight * t, weight * t * t]);
            target.push(weight * self.y[i]);
        }
        let [value, slope] = least_squares(&design, &target)?;
        Ok((value, slope / reach))
    }

    /// First of the `n_near` points around a place.
    fn nearest(&self, at: f64) -> usize {
        let (mut first, last) = (0, self.x.len() - self.n_near);
        // The window moves right as long as the point it gains is nearer than the one it loses.
        while first < last && (self.x[first + self.n_near] - at).abs() < (self.x[first] - at).abs() {
            first += 1;
        }
        first
    }
}

/// The first two coefficients of the smallest least-squares solution with three columns.
fn least_squares(design: &[f64], target: &[f64]) -> Result<[f64; 2]> {
    let svd = thin_svd(target.len(), 3, design)?;
    let k = svd.s.len();
    let mut out = [0.0; 2];
    for j in (0..k).filter(|&j| svd.s[j] > RANK_TOLERANCE * svd.s[0]) {
        let along: f64 = target.iter().enumerate().map(|(i, t)| svd.u[i * k + j] * t).sum::<f64>() / svd.s[j];
        out.iter_mut().enumerate().for_each(|(c, o)| *o += along * svd.v[c * k + j]);
    }
    Ok(out)
}

/// The cubic of a cell with the values and slopes of its corners.
fn blend(at: f64, corners: &[f64], fits: &[(f64, f64)]) -> f64 {
    let right = corners.partition_point(|c| *c < at).clamp(1, corners.len() - 1);
    let (x0, x1) = (corners[right - 1], corners[right]);
    let ((v0, s0), (v1, s1)) = (fits[right - 1], fits[right]);
    let (width, t) = (x1 - x0, (at - x0) / (x1 - x0));
    let r = 1.0 - t;
    r * r * (1.0 + 2.0 * t) * v0 + t * t * (3.0 - 2.0 * t) * v1 + (t * r * r * s0 - t * t * r * s1) * width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_stays_itself() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i * i % 199) / 20.0).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 - x + 0.3 * x * x).collect();
        let smooth = loess(&x, &y, &LoessSettings::default()).unwrap();
        for (s, y) in smooth.iter().zip(&y) {
            assert!((s - y).abs() < 1e-9, "{s} {y}");
        }
    }

    #[test]
    fn few_or_equal_points() {
        let settings = LoessSettings::default();
        assert!(matches!(loess(&[1.0; 5], &[1.0; 5], &settings), Err(Error::Degenerate(_))));
        let same = loess(&[1.0; 20], &[2.0; 20], &settings).unwrap();
        assert!(same.iter().all(|v| (v - 2.0).abs() < 1e-12));
        assert!(loess(&[1.0, f64::NAN], &[1.0, 2.0], &settings).is_err());
        assert!(loess(&[], &[], &settings).is_err());
    }
}
