//! Which of the 17 segments a patient point lies in.

use super::segments::Levels;
use super::stack::Stack;
use crate::space::DVec3;

/// Angles this much under a border (in degrees) count as on it, and borders belong to the next segment.
const ON_BORDER_DEG: f64 = 1e-9;

/// Height within the ventricle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Segments 1 to 6.
    Basal,
    /// Segments 7 to 12.
    Mid,
    /// Segments 13 to 16.
    Apical,
    /// Segment 17, muscle beyond the end of the cavity.
    Apex,
}

/// Long axis, angle and levels of one left ventricle.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentFrame {
    pub(super) stack: Stack,
    /// Unit vector from the middle toward the border of segments 1 and 2.
    pub(super) anterior: DVec3,
    /// Angle from there to the border of segments 3 and 4, in degrees.
    pub(super) septum_deg: f64,
    /// One per disc; `None` where a disc is left out.
    pub(super) disc_levels: Vec<Option<Level>>,
    pub(super) levels: Levels,
    /// Levels along the axis of the cavity's apical end and of the mitral annulus, in mm.
    pub(super) cavity_mm: [f64; 2],
}

impl SegmentFrame {
    /// Unit vector from apex to base in patient space.
    #[must_use]
    pub fn axis(&self) -> DVec3 {
        self.stack.axis
    }

    /// Unit vector from the middle toward the anterior insertion (the border of segments 1 and 2).
    #[must_use]
    pub fn anterior(&self) -> DVec3 {
        self.anterior
    }

    /// Degrees from the border of segments 1 and 2 toward the septum around the nearest disc's middle,
    /// 0 to 360: counter-clockwise as seen from the apex.
    #[must_use]
    pub fn angle_deg(&self, lps: DVec3) -> f64 {
        let last = self.stack.discs.len().saturating_sub(1);
        let disc = usize::try_from(self.stack.disc_at(lps)).unwrap_or(0).min(last);
        self.angle_in_disc(disc, lps)
    }

    /// The segment whose sector and level hold the point, in the wall or not; `None` beyond the first
    /// or last disc and in discs that are left out. Costs one matrix product and one arctangent.
    #[must_use]
    pub fn segment_at(&self, lps: DVec3) -> Option<u8> {
        let disc = usize::try_from(self.stack.disc_at(lps)).ok()?;
        self.segment_in_disc(disc, lps)
    }

    /// Height of a point within the ventricle, `None` where [`Self::segment_at`] is.
    #[must_use]
    pub fn level_at(&self, lps: DVec3) -> Option<Level> {
        self.level_in_disc(usize::try_from(self.stack.disc_at(lps)).ok()?, lps)
    }

    pub(super) fn segment_in_disc(&self, disc: usize, lps: DVec3) -> Option<u8> {
        let level = self.level_in_disc(disc, lps)?;
        Some(sector(self.angle_in_disc(disc, lps), self.septum_deg, level))
    }

    fn level_in_disc(&self, disc: usize, lps: DVec3) -> Option<Level> {
        let level = (*self.disc_levels.get(disc)?)?;
        Some(match self.levels {
            Levels::Thirds => level,
            Levels::Continuous => {
                let [apex, annulus] = self.cavity_mm;
                continuous_level((lps.dot(self.stack.axis) - apex) / (annulus - apex))
            }
        })
    }

    fn angle_in_disc(&self, disc: usize, lps: DVec3) -> f64 {
        let Some(middle) = self.stack.discs.get(disc) else { return 0.0 };
        angle_deg(lps - middle.centroid, self.anterior, self.stack.axis)
    }
}

/// Degrees (0 to 360) of `d` from `from`, right-handed about the opposite of `axis`, which points from
/// apex to base: so that anterior → septum → inferior rises (`a = e × s` points to the anterior wall).
pub(super) fn angle_deg(d: DVec3, from: DVec3, axis: DVec3) -> f64 {
    d.dot(from.cross(axis)).atan2(d.dot(from)).to_degrees().rem_euclid(360.0)
}

/// Basal above two thirds of the cavity's length, mid above one third, apical above 0.
fn continuous_level(share: f64) -> Level {
    // A slice exactly on a border would otherwise fall on either side by rounding.
    let share = share - 1e-9;
    if share > 2.0 / 3.0 {
        Level::Basal
    } else if share > 1.0 / 3.0 {
        Level::Mid
    } else if share > 0.0 {
        Level::Apical
    } else {
        Level::Apex
    }
}

/// The segment at `phi` degrees from the border 1|2 with a septum of `septum` degrees: septum in two
/// equal arcs, free wall in four; apical quarters around the middle of the septum.
pub(super) fn sector(phi: f64, septum: f64, level: Level) -> u8 {
    let wrap = |a: f64| (a + ON_BORDER_DEG).rem_euclid(360.0);
    let t = wrap(phi);
    let around = if t < septum {
        [2, 3][((t / (septum / 2.0)) as usize).min(1)]
    } else {
        [4, 5, 6, 1][(((t - septum) / ((360.0 - septum) / 4.0)) as usize).min(3)]
    };
    match level {
        Level::Basal => around,
        Level::Mid => around + 6,
        Level::Apical => [14, 15, 16, 13][((wrap(phi - (septum / 2.0 - 45.0)) / 90.0) as usize).min(3)],
        Level::Apex => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_belong_to_the_next_segment() {
        for (k, segment) in [2, 3, 4, 5, 6, 1].into_iter().enumerate() {
            let at = k as f64 * 60.0;
            for phi in [at, at - 1e-12, at + 59.999_999] {
                assert_eq!(sector(phi.rem_euclid(360.0), 120.0, Level::Basal), segment, "{phi}");
                assert_eq!(sector(phi.rem_euclid(360.0), 120.0, Level::Mid), segment + 6);
            }
        }
        for (phi, segment) in [(15.0, 14), (104.9, 14), (105.0, 15), (195.0, 16), (285.0, 13), (14.9, 13), (0.0, 13)] {
            assert_eq!(sector(phi, 120.0, Level::Apical), segment, "{phi}");
        }
        assert_eq!(sector(5.0, 120.0, Level::Apex), 17);
    }

    #[test]
    fn anterior_lies_where_axis_cross_septum_points() {
        let (axis, septal) = (DVec3::new(-0.6, 0.5, 0.6).normalize(), DVec3::new(-0.7, -0.6, -0.2));
        let septal = (septal - axis * septal.dot(axis)).normalize();
        let anterior = axis.cross(septal);
        assert!((angle_deg(septal, anterior, axis) - 90.0).abs() < 1e-9);
        assert!(anterior.z > 0.0 && anterior.y < 0.0, "anterior wall of a usual heart points up and forward");
    }

    #[test]
    fn long_axis_shares() {
        for (share, level) in
            [(1.2, Level::Basal), (0.67, Level::Basal), (2.0 / 3.0, Level::Mid), (1.0 / 3.0, Level::Apical), (0.0, Level::Apex)]
        {
            assert_eq!(continuous_level(share), level, "{share}");
        }
    }
}
