//! `T.json` of maps of space onto space: 4×4 matrices, thin plates with the kernel of space, and moving least
//! squares with 3-D control points.

use super::transform_file::{ControlPoint, LengthUnit, TransformFile};
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::{DAffine3, DMat3, DVec3, MlsKind, MovingLeastSquares3, ThinPlate3, Warp3};

impl TransformFile {
    /// A map of space, given mm to mm, in the units of a file.
    pub fn from_warp_3(model: TransformModel, warp: &Warp3, units: [LengthUnit; 2]) -> Result<Self> {
        let [s, q] = units.map(|u| 1.0 / u.mm_per_unit());
        let mut file = Self::empty(model, units[0], units[1]);
        file.space = String::from("LPS");
        file.fixed_from_moving = rows_3(&scaled(&warp.linear_part(), s, q));
        match warp {
            Warp3::Affine(_) => {}
            Warp3::ThinPlate(t) => {
                file.formula =
                    Some("fixed = fixed_from_moving * moving + sum(weight * r), r = |moving - control point|".to_owned());
                let point = |(c, w): (&DVec3, &DVec3)| ControlPoint {
                    moving: (*c * s).to_array().to_vec(),
                    fixed: (t.apply(*c) * q).to_array().to_vec(),
                    // The kernel is a length in moving units.
                    weight: Some((*w * (q / s)).to_array().to_vec()),
                };
                file.control_points = t.centers.iter().zip(&t.weights).map(point).collect();
            }
            Warp3::MovingLeastSquares(m) => {
                file.formula =
                    Some("least squares with weights 1 / |moving - control point|^2 (Schaefer et al. 2006)".to_owned());
                let point = |(p, t): (&DVec3, &DVec3)| {
                    let (moving, fixed) = ((*p * s).to_array().to_vec(), (*t * q).to_array().to_vec());
                    ControlPoint { moving, fixed, weight: None }
                };
                file.control_points = m.source.iter().zip(&m.target).map(point).collect();
            }
        }
        file.check()?;
        Ok(file)
    }

    /// The map of space, moving mm to fixed mm; [`Error::Unsupported`] for a map in the plane.
    pub fn to_warp_3(&self) -> Result<Warp3> {
        self.check()?;
        let ([x, y, z, _], None) = (self.fixed_from_moving.as_slice(), &self.plane) else {
            return Err(Error::unsupported("this transform is in the plane (3×3); one in space (4×4) is needed here"));
        };
        let (s, q) = (self.units.mm_per_unit(), self.fixed_unit().mm_per_unit());
        let column = |c: usize| DVec3::new(x[c], y[c], z[c]);
        let linear = DAffine3 { matrix3: DMat3::from_cols(column(0), column(1), column(2)), translation: column(3) };
        let affine = scaled(&linear, s, q);
        let points = |side: fn(&ControlPoint) -> &[f64], k: f64| -> Vec<DVec3> {
            self.control_points.iter().map(|c| DVec3::from_slice(side(c)) * k).collect()
        };
        let mls = |kind| {
            let (source, target) = (points(|c| &c.moving, s), points(|c| &c.fixed, q));
            Warp3::MovingLeastSquares(MovingLeastSquares3 { kind, source, target })
        };
        Ok(match self.transform_model()? {
            TransformModel::ThinPlate => {
                let weights = points(|c| c.weight.as_deref().unwrap_or(&[0.0; 3]), q / s);
                Warp3::ThinPlate(ThinPlate3 { affine, centers: points(|c| &c.moving, s), weights })
            }
            TransformModel::MlsRigid => mls(MlsKind::Rigid),
            TransformModel::MlsSimilarity => mls(MlsKind::Similarity),
            TransformModel::MlsAffine => mls(MlsKind::Affine),
            _ => Warp3::Affine(affine),
        })
    }

    /// A linear map in space, given mm to mm.
    pub fn from_affine_3(model: TransformModel, fixed_from_moving: &DAffine3, units: [LengthUnit; 2]) -> Result<Self> {
        Self::from_warp_3(model, &Warp3::Affine(*fixed_from_moving), units)
    }

    /// The linear map in space, moving mm to fixed mm; [`Error::Unsupported`] for a map in the plane, and for
    /// one that bends.
    pub fn to_affine_3(&self) -> Result<DAffine3> {
        match self.to_warp_3()? {
            Warp3::Affine(a) => Ok(a),
            _ => Err(Error::unsupported(format!("{} bends space; a linear transform is needed here", self.model))),
        }
    }
}

fn rows_3(a: &DAffine3) -> Vec<Vec<f64>> {
    let (m, t) = (a.matrix3, a.translation);
    let mut rows: Vec<Vec<f64>> = (0..3).map(|r| vec![m.x_axis[r], m.y_axis[r], m.z_axis[r], t[r]]).collect();
    rows.push(vec![0.0, 0.0, 0.0, 1.0]);
    rows
}

/// The same map where source coordinates are multiplied with `s` and target ones with `q`.
fn scaled(a: &DAffine3, s: f64, q: f64) -> DAffine3 {
    DAffine3 { matrix3: a.matrix3 * (q / s), translation: a.translation * q }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::transform_file::parse_transform;

    fn cloud() -> Vec<DVec3> {
        [(0.0, 0.0, 0.0), (10.0, 1.0, 2.0), (3.0, 8.0, -4.0), (-5.0, 2.0, 6.0), (1.0, 1.0, 9.0)]
            .map(|(x, y, z)| DVec3::new(x, y, z))
            .to_vec()
    }

    #[test]
    fn every_map_of_space_comes_back_in_every_unit() {
        let affine = DAffine3 { matrix3: DMat3::from_rotation_x(0.3) * 1.5, translation: DVec3::new(1.0, -2.0, 3.0) };
        let target: Vec<DVec3> = cloud().iter().map(|p| affine.transform_point3(*p) + DVec3::X * p.y * p.y * 0.01).collect();
        let mls = |kind| Warp3::MovingLeastSquares(MovingLeastSquares3 { kind, source: cloud(), target: target.clone() });
        let weights = [0.1, -0.2, 0.3, -0.1, -0.1].map(|w| DVec3::new(w, 0.5 * w, -w)).to_vec();
        for (model, warp) in [
            (TransformModel::Similarity, Warp3::Affine(affine)),
            (TransformModel::ThinPlate, Warp3::ThinPlate(ThinPlate3 { affine, centers: cloud(), weights })),
            (TransformModel::MlsRigid, mls(MlsKind::Rigid)),
            (TransformModel::MlsSimilarity, mls(MlsKind::Similarity)),
            (TransformModel::MlsAffine, mls(MlsKind::Affine)),
        ] {
            for units in [[LengthUnit::Um, LengthUnit::Mm], [LengthUnit::Px, LengthUnit::Mm], [LengthUnit::Mm, LengthUnit::Mm]] {
                let file = TransformFile::from_warp_3(model, &warp, units).unwrap();
                let text = serde_json::to_vec(&file).unwrap();
                let back = parse_transform(&text).unwrap();
                assert_eq!((back.moving_dims(), back.fixed_dims(), back.space.as_str()), (3, 3, "LPS"));
                let p = DVec3::new(2.0, 5.0, -3.0);
                assert!((back.to_warp_3().unwrap().apply(p) - warp.apply(p)).length() < 1e-9, "{model:?} {units:?}");
                assert!(back.to_warp().is_err());
                assert_eq!(back.to_affine_3().is_ok(), model == TransformModel::Similarity);
            }
        }
    }

    #[test]
    fn the_formula_of_the_file_is_the_map() {
        let weights = [0.1, -0.2, 0.3, -0.1, -0.1].map(|w| DVec3::new(w, 0.5 * w, -w)).to_vec();
        let plate = Warp3::ThinPlate(ThinPlate3 { affine: DAffine3::IDENTITY, centers: cloud(), weights });
        let file = TransformFile::from_warp_3(TransformModel::ThinPlate, &plate, [LengthUnit::Um, LengthUnit::Mm]).unwrap();
        let p_um = DVec3::new(2500.0, 3300.0, -900.0);
        let m = &file.fixed_from_moving;
        let mut by_hand = DVec3::from_array([0, 1, 2].map(|r| m[r][0] * p_um.x + m[r][1] * p_um.y + m[r][2] * p_um.z + m[r][3]));
        for c in &file.control_points {
            by_hand += DVec3::from_slice(c.weight.as_ref().unwrap()) * p_um.distance(DVec3::from_slice(&c.moving));
        }
        assert!((by_hand - plate.apply(p_um * 0.001)).length() < 1e-9);
    }
}
