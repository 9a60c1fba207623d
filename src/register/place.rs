//! Where a section lies in the heart: the plane through 3-D fixed points, and the points far from it.

use super::fit_3d::{centered_svd, mean, spans};
use crate::base::{Error, Result};
use crate::model::Registration;
use crate::space::{DVec3, Plane};

/// The viewer looks to the head first, then to the back, then to the patient's right.
const INTO_SCREEN: DVec3 = DVec3::new(-0.5, 0.7, 1.0);

/// The plane of least squared distances to `fixed` (patient mm), through their middle, displayed as
/// radiologists do: a level plane seen from the feet, an upright one from the front or from the left, a
/// short axis from the apex. `right` is the direction in the plane closest to the patient's left (to the
/// back in a sagittal plane).
/// [`Error::Degenerate`] under 3 points or where they lie on one line.
pub fn plane_of_points(fixed: &[DVec3]) -> Result<Plane> {
    let n = fixed.len();
    if n < 3 || fixed.iter().any(|p| !p.is_finite()) {
        return Err(Error::degenerate(format!(
            "a cutting plane needs 3 fixed points that do not lie on one line, there are {n}; place more or choose the plane yourself"
        )));
    }
    let middle = mean(fixed);
    let svd = centered_svd(fixed, middle)?;
    if svd.s[1] <= 1e-6 * svd.s[0] {
        return Err(Error::degenerate(format!(
            "a cutting plane needs 3 fixed points that do not lie on one line, but all {n} do; move one or choose the plane yourself"
        )));
    }
    let [a, b] = [0, 1].map(|k| DVec3::new(svd.v[k], svd.v[3 + k], svd.v[6 + k]));
    displayed(middle, a.cross(b))
}

/// The plane through `middle` with this normal or its opposite, turned as radiologists display it.
fn displayed(middle: DVec3, normal: DVec3) -> Result<Plane> {
    let normal = normal.normalize_or_zero();
    let normal = if normal.dot(INTO_SCREEN) < 0.0 { -normal } else { normal };
    // In a sagittal plane nothing points left, so right is toward the back, as in the usual view.
    let sagittal = normal.x.abs() > normal.y.abs() && normal.x.abs() > normal.z.abs();
    let sideways = if sagittal { DVec3::Y } else { DVec3::X };
    let right = sideways - normal * sideways.dot(normal);
    Plane::new(middle, right, normal.cross(right))
}

/// A plane for fixed points that do not span one: the most level plane through them (axial through one point;
/// coronal through an upright line), for models that need no plane. Where they do span one, as
/// [`plane_of_points`]. The second value says in a sentence what was assumed.
/// [`Error::Degenerate`] without points.
pub fn plane_or_level(fixed: &[DVec3]) -> Result<(Plane, Option<&'static str>)> {
    if fixed.is_empty() || fixed.iter().any(|p| !p.is_finite()) {
        return Err(Error::degenerate("a plane needs at least one fixed point with finite coordinates"));
    }
    let middle = mean(fixed);
    match spans(fixed)? {
        0 => {
            let said = "the fixed points are one place, so the section is taken to lie in the axial plane through it";
            Ok((Plane::axial(middle), Some(said)))
        }
        1 => {
            let svd = centered_svd(fixed, middle)?;
            let along = DVec3::new(svd.v[0], svd.v[svd.s.len()], svd.v[2 * svd.s.len()]);
            let up = if along.z.abs() > 0.999 { DVec3::Y } else { DVec3::Z };
            let said = "the fixed points lie on one line, so the section is taken to lie in the most level plane through it";
            Ok((displayed(middle, up - along * up.dot(along))?, Some(said)))
        }
        _ => Ok((plane_of_points(fixed)?, None)),
    }
}

/// Complete active pairs whose fixed point lies farther than half a slice from the plane: index in
/// `r.landmarks.pairs` and distance in mm (0 or more).
#[must_use]
pub fn pairs_flagged(r: &Registration) -> Vec<(usize, f64)> {
    let far = |(i, _, fixed)| {
        let distance = r.plane.distance_mm(fixed).abs();
        (distance > r.half_slice_mm).then_some((i, distance))
    };
    r.landmarks.complete().into_iter().filter_map(far).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axial_points_give_the_radiological_axial_plane() {
        let fixed = [(0.0, 0.0), (30.0, 5.0), (12.0, 40.0), (-9.0, 22.0)].map(|(x, y)| DVec3::new(x, y, 77.0));
        let plane = plane_of_points(&fixed).unwrap();
        assert!((plane.right() - DVec3::X).length() < 1e-12 && (plane.down() - DVec3::Y).length() < 1e-12);
        assert!((plane.origin().z - 77.0).abs() < 1e-12);
    }

    #[test]
    fn oblique_plane_holds_its_points_and_is_seen_from_the_feet() {
        let truth = Plane::new(DVec3::new(5.0, -40.0, 100.0), DVec3::new(1.0, 1.0, 0.2), DVec3::new(-0.4, 0.6, -1.0)).unwrap();
        let at = |x, y| truth.lps_from_plane(crate::space::DVec2::new(x, y));
        let fixed = [at(0.0, 0.0), at(30.0, 2.0), at(-8.0, 25.0), at(14.0, -19.0)];
        let plane = plane_of_points(&fixed).unwrap();
        assert!(fixed.iter().all(|p| plane.distance_mm(*p).abs() < 1e-10));
        assert!(plane.normal().z > 0.0 && plane.right().x > 0.0);
        let sagittal = plane_of_points(&[DVec3::ZERO, DVec3::Y * 9.0, DVec3::Z * 7.0]).unwrap();
        assert!((sagittal.right() - DVec3::Y).length() < 1e-12 && (sagittal.down() - DVec3::NEG_Z).length() < 1e-12);
        let coronal = plane_of_points(&[DVec3::ZERO, DVec3::X * 9.0, DVec3::Z * 7.0]).unwrap();
        assert!((coronal.right() - DVec3::X).length() < 1e-12 && (coronal.down() - DVec3::NEG_Z).length() < 1e-12);
    }

    #[test]
    fn lines_and_pairs_are_refused() {
        for fixed in [vec![DVec3::ZERO, DVec3::X], vec![DVec3::ONE; 5], (0..6).map(|i| DVec3::ONE * f64::from(i)).collect()] {
            assert!(matches!(plane_of_points(&fixed), Err(Error::Degenerate(_))));
        }
    }

    #[test]
    fn without_a_plane_the_most_level_one_is_taken_and_said() {
        let (level, said) = plane_or_level(&[DVec3::new(4.0, 5.0, 60.0)]).unwrap();
        assert_eq!((level.right(), level.down(), level.origin().z), (DVec3::X, DVec3::Y, 60.0));
        assert!(said.unwrap().contains("axial"));
        let ends = [DVec3::new(0.0, 0.0, 10.0), DVec3::new(30.0, 0.0, 20.0)];
        let (tilted, said) = plane_or_level(&ends).unwrap();
        assert!(said.is_some() && ends.iter().all(|p| tilted.distance_mm(*p).abs() < 1e-9));
        assert!((tilted.down() - DVec3::Y).length() < 1e-12 && tilted.normal().z > 0.9);
        let (upright, _) = plane_or_level(&[DVec3::ZERO, DVec3::Z * 20.0]).unwrap();
        assert!((upright.right() - DVec3::X).length() < 1e-12 && (upright.down() - DVec3::NEG_Z).length() < 1e-12);
        let (three, said) = plane_or_level(&[DVec3::ZERO, DVec3::X, DVec3::Y]).unwrap();
        assert!(said.is_none() && (three.normal() - DVec3::Z).length() < 1e-12);
        assert!(plane_or_level(&[]).is_err());
    }
}
