//! How a set of points lies: its middle, its spread, and whether it is a point or a line.

use crate::base::{Error, Result};
use crate::space::DVec2;

/// Middle and principal spreads of points in a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Mean.
    pub mean: DVec2,
    /// Standard deviation (ddof 0) along the long principal axis.
    pub long: f64,
    /// Standard deviation along the short principal axis.
    pub short: f64,
    /// Largest distance of a coordinate from 0, for tolerances.
    reach: f64,
}

impl Shape {
    pub(super) fn of(points: &[DVec2]) -> Self {
        let n = points.len().max(1) as f64;
        let mean = points.iter().copied().sum::<DVec2>() / n;
        let (mut xx, mut xy, mut yy, mut reach) = (0.0, 0.0, 0.0, 0.0_f64);
        for p in points {
            let d = *p - mean;
            xx += d.x * d.x;
            xy += d.x * d.y;
            yy += d.y * d.y;
            reach = reach.max(p.abs().max_element());
        }
        let middle = (xx + yy) / 2.0;
        let half = ((xx - yy) / 2.0).hypot(xy);
        // The determinant form keeps the small eigenvalue of a flat cloud accurate.
        let large = middle + half;
        let small = if large > 0.0 { ((xx * yy - xy * xy) / large).max(0.0) } else { 0.0 };
        Self { mean, long: (large / n).sqrt(), short: (small / n).sqrt(), reach }
    }

    /// All points are the same, up to rounding.
    pub(super) fn is_point(&self) -> bool {
        self.long <= 1e-11 * self.reach || self.long == 0.0
    }

    /// All points lie on one line, up to a millionth of its length.
    pub(super) fn is_line(&self) -> bool {
        self.is_point() || self.short <= 1e-6 * self.long
    }

    /// Root of the mean squared distance from the middle.
    pub(super) fn radius(&self) -> f64 {
        self.long.hypot(self.short)
    }
}

/// Refuses lists of unequal length and numbers that are not finite.
pub(super) fn check_points(moving: usize, fixed: usize, finite: bool) -> Result<()> {
    if moving != fixed {
        return Err(Error::parameter(format!("{moving} moving points were paired with {fixed} fixed points")));
    }
    if !finite {
        return Err(Error::degenerate("a landmark has a coordinate that is not a finite number"));
    }
    Ok(())
}

/// Refuses a smoothing below 0 or not finite.
pub(super) fn check_stiffness(stiffness: f64) -> Result<()> {
    if stiffness >= 0.0 && stiffness.is_finite() {
        return Ok(());
    }
    Err(Error::parameter(format!("the stiffness of a thin plate is {stiffness}; it must be 0 or more")))
}
