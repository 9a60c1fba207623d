//! The planes of the heart from three places: the apex, the middle of the mitral annulus, and the right ventricle.
//!
//! The long axis runs from the apex to the base. The four-chamber plane holds it and the right ventricle; the
//! two-chamber plane holds it and stands at a right angle to that, which leads through the middles of the anterior and
//! of the inferior wall where the septum spans 120°; the three-chamber plane is the four-chamber plane turned by 30°
//! toward the anterior insertion, through the anteroseptal and the inferolateral wall. The short axis is perpendicular
//! to all of them, seen from the apex. On the screen the apex is up in long axes and the right ventricle left.

use crate::base::{Error, Result};
use crate::space::{DVec3, Plane};

/// A cut of the heart by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartView {
    /// Across the long axis.
    Short,
    /// Anterior and inferior wall.
    Two,
    /// Anteroseptal and inferolateral wall.
    Three,
    /// Septum and lateral wall with the right ventricle.
    Four,
}

impl HeartView {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Short, Self::Two, Self::Three, Self::Four];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "sax",
            Self::Two => "2ch",
            Self::Three => "3ch",
            Self::Four => "4ch",
        }
    }

    /// As people say it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Short => "Short axis",
            Self::Two => "Two chamber",
            Self::Three => "Three chamber",
            Self::Four => "Four chamber",
        }
    }
}

/// Degrees from the four- to the three-chamber plane.
const THREE_FROM_FOUR_DEG: f64 = 30.0;
/// Least distance in mm of apex and base, and of the right ventricle from the axis.
const LEAST_MM: f64 = 5.0;

/// Long axis and right ventricle of a heart, in patient mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeartAxis {
    /// Middle of the ventricle, where the planes meet.
    pub middle: DVec3,
    /// Unit vector from base to apex.
    pub to_apex: DVec3,
    /// Unit vector perpendicular to it, toward the right ventricle.
    pub to_right: DVec3,
}

impl HeartAxis {
    /// From apex, middle of the base, and a place in the right ventricle or its wall; [`Error::Degenerate`] where two of
    /// them are nearly the same or all three lie on one line.
    pub fn of_points([apex, base, right]: [DVec3; 3]) -> Result<Self> {
        let none = |what: &str| Error::degenerate(format!("{what} are less than {LEAST_MM} mm apart; choose other places"));
        let to_apex = (apex - base).try_normalize().filter(|_| apex.distance(base) >= LEAST_MM);
        let to_apex = to_apex.ok_or_else(|| none("apex and base"))?;
        let toward = right - base;
        let across = toward - to_apex * toward.dot(to_apex);
        let to_right = across.try_normalize().filter(|_| across.length() >= LEAST_MM);
        let to_right = to_right.ok_or_else(|| none("the right ventricle and the long axis"))?;
        Ok(Self { middle: apex.midpoint(base), to_apex, to_right })
    }

    /// The plane of a cut through the middle.
    #[must_use]
    pub fn plane(&self, view: HeartView) -> Plane {
        let (apex, right) = (self.to_apex, self.to_right);
        let anterior = right.cross(apex);
        let (across, down) = match view {
            HeartView::Short => (-right, -apex.cross(-right)),
            HeartView::Two => (anterior, -apex),
            HeartView::Four => (-right, -apex),
            HeartView::Three => {
                let (sin, cos) = THREE_FROM_FOUR_DEG.to_radians().sin_cos();
                (-(right * cos + anterior * sin), -apex)
            }
        };
        Plane::new(self.middle, across, down).unwrap_or_else(|_| Plane::axial(self.middle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_a_heart_along_the_axes() {
        // Apex to the left (x), anterior up (z): the right ventricle is then in front of the septum (−y).
        let axis = HeartAxis::of_points([DVec3::X * 40.0, -DVec3::X * 40.0, DVec3::new(-10.0, -30.0, 0.0)]).unwrap();
        assert_eq!((axis.to_apex, axis.to_right), (DVec3::X, DVec3::NEG_Y));
        let [short, two, three, four] = HeartView::ALL.map(|v| axis.plane(v));
        assert_eq!(short.normal(), DVec3::NEG_X, "seen from the apex, away from the viewer to the base");
        assert_eq!(short.right(), DVec3::Y, "right ventricle left");
        assert_eq!((four.right(), four.down()), (DVec3::Y, DVec3::NEG_X));
        assert!(two.normal().dot(four.normal()).abs() < 1e-12 && two.normal().dot(short.normal()).abs() < 1e-12);
        assert!((three.normal().dot(four.normal()).abs() - 30f64.to_radians().cos()).abs() < 1e-12);
    }

    #[test]
    fn places_on_one_line_are_refused() {
        assert!(HeartAxis::of_points([DVec3::X, DVec3::ZERO, DVec3::Y * 30.0]).is_err());
        assert!(HeartAxis::of_points([DVec3::X * 50.0, DVec3::ZERO, DVec3::X * 20.0]).is_err());
    }
}
