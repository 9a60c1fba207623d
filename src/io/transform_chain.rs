//! Transforms one after the other in `T.json`: linear ones become one, others stay as `parts`.

use super::transform_file::{LengthUnit, TransformFile, rows_2, scaled};
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::{Plane, PointMap, Warp};

/// The word of a chain in `model`.
const CHAIN: &str = "chain";

/// Most parts that are read.
const MOST_PARTS: usize = 64;

impl TransformFile {
    /// Whether it is made of parts.
    #[must_use]
    pub fn is_chain(&self) -> bool {
        self.model == CHAIN
    }

    /// Whether straight lines stay straight.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.transform_model().is_ok_and(|m| m < TransformModel::ThinPlate)
    }

    /// What the file means, moving mm to fixed mm (pixels are taken as they are).
    pub fn to_point_map(&self) -> Result<PointMap> {
        if self.moving_dims() == 3 {
            return self.to_affine_3().map(PointMap::Space);
        }
        let warp = self.to_warp()?;
        Ok(match self.lps_plane()? {
            Some(plane) => PointMap::Embedded(warp, plane),
            None => PointMap::Flat(warp),
        })
    }

    /// A map, given mm to mm, in the units of a file.
    pub fn from_point_map(model: TransformModel, map: &PointMap, units: [LengthUnit; 2]) -> Result<Self> {
        match map {
            PointMap::Flat(warp) => Self::from_warp(model, warp, units, None),
            PointMap::Embedded(warp, plane) => Self::from_warp(model, warp, units, Some(plane)),
            PointMap::Space(a) => Self::from_affine_3(model, a, units),
        }
    }

    /// This transform, then `next`. [`Error::Parameter`] where the points that come out of this one cannot
    /// go into the next: other dimensions, or pixels where lengths are expected. µm and mm meet.
    pub fn then(&self, next: &Self) -> Result<Self> {
        self.check_meeting(next)?;
        let mut parts: Vec<Self> = Vec::new();
        for part in self.own_parts().iter().chain(next.own_parts()) {
            let Some(last) = parts.pop() else {
                parts.push(part.clone());
                continue;
            };
            parts.extend(joined(last, part.clone())?);
        }
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => Self::of_parts(parts),
        }
    }

    fn own_parts(&self) -> &[Self] {
        if self.is_chain() { &self.parts } else { std::slice::from_ref(self) }
    }

    fn check_meeting(&self, next: &Self) -> Result<()> {
        let (ends, begins) = (self.fixed_unit(), next.units);
        if (ends == LengthUnit::Px) != (begins == LengthUnit::Px) {
            return Err(Error::parameter(format!(
                "the first transform ends in {} and the second begins in {}; they do not meet, because a pixel has no size here",
                ends.name(),
                begins.name()
            )));
        }
        let (ends, begins) = (self.fixed_dims(), next.moving_dims());
        if ends == begins {
            return Ok(());
        }
        let space =
            |t: &Self, d: usize| if d == 3 { "the patient (3-D)".to_owned() } else { format!("a plane (2-D, {})", t.model) };
        Err(Error::parameter(format!(
            "the first transform ends in {} and the second begins in {}; they do not meet",
            space(self, ends),
            space(next, begins)
        )))
    }

    /// A chain of parts that meet; all but the last lead from plane to plane.
    fn of_parts(parts: Vec<Self>) -> Result<Self> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Err(Error::parameter("a chain needs parts"));
        };
        let units = [first.units, last.fixed_unit()];
        let warps: Vec<Warp> = parts.iter().map(Self::to_warp).collect::<Result<_>>()?;
        let mut file = Self::empty(TransformModel::Affine, units[0], units[1]);
        CHAIN.clone_into(&mut file.model);
        let [s, q] = units.map(|u| 1.0 / u.mm_per_unit());
        file.fixed_from_moving = rows_2(&scaled(Warp::Chain(warps).linear_part(), s, q));
        file.formula = Some("fixed = last part(… first part(moving)); fixed_from_moving is only the linear part".to_owned());
        (file.plane, file.space) = (last.plane.clone(), last.space.clone());
        file.parts = parts;
        file.check()?;
        Ok(file)
    }

    /// The parts of a chain of warps, given mm to mm. Between them lengths are mm (pixels stay pixels).
    pub(super) fn from_chain(
        model: TransformModel,
        warps: &[Warp],
        units: [LengthUnit; 2],
        plane: Option<&Plane>,
    ) -> Result<Self> {
        let between = if units[0] == LengthUnit::Px { LengthUnit::Px } else { LengthUnit::Mm };
        let mut whole: Option<Self> = None;
        for (i, warp) in warps.iter().enumerate() {
            let is_last = i + 1 == warps.len();
            let model = if matches!(warp, Warp::Affine(_)) && warps.len() > 1 { TransformModel::Affine } else { model };
            let part_units = [if i == 0 { units[0] } else { between }, if is_last { units[1] } else { between }];
            let part = Self::from_warp(model, warp, part_units, plane.filter(|_| is_last))?;
            whole = Some(whole.map_or(Ok(part.clone()), |w| w.then(&part))?);
        }
        whole.map_or_else(|| Self::from_warp(TransformModel::Affine, &Warp::IDENTITY, units, plane), Ok)
    }

    /// Everything that could be wrong with the parts of a file from elsewhere.
    pub(super) fn check_parts(&self) -> Result<()> {
        if !self.is_chain() {
            let stray = if self.parts.is_empty() { Ok(()) } else { Err(Error::malformed("only a chain has parts")) };
            return stray;
        }
        let n = self.parts.len();
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last().filter(|_| (2..=MOST_PARTS).contains(&n))) else {
            return Err(Error::malformed(format!("{n} parts; a chain has from 2 to {MOST_PARTS}")));
        };
        for (i, part) in self.parts.iter().enumerate() {
            if part.is_chain() {
                return Err(Error::malformed(format!("part {i} is a chain itself; list its parts instead")));
            }
            part.check().map_err(|e| Error::malformed(format!("part {i}: {e}")))?;
            if part.moving_dims() != 2 || (part.plane.is_some() && i + 1 < n) {
                return Err(Error::malformed(format!("part {i} does not lead from plane to plane")));
            }
        }
        for (i, pair) in self.parts.windows(2).enumerate() {
            pair[0].check_meeting(&pair[1]).map_err(|e| Error::malformed(format!("parts {i} and {}: {e}", i + 1)))?;
        }
        let fits = self.units == first.units && self.fixed_unit() == last.fixed_unit() && self.plane == last.plane;
        if fits && self.fixed_from_moving.len() == 3 {
            Ok(())
        } else {
            Err(Error::malformed("units, plane or matrix of the chain are not those of its first and last part"))
        }
    }
}

/// Two parts as one where both are linear; else both, where the patient's side is moved to its plane.
fn joined(first: TransformFile, next: TransformFile) -> Result<Vec<TransformFile>> {
    if first.is_linear() && next.is_linear() {
        let (a, b) = (first.transform_model()?, next.transform_model()?);
        let map = first.to_point_map()?.then(&next.to_point_map()?)?;
        return Ok(vec![TransformFile::from_point_map(a.max(b), &map, [first.units, next.fixed_unit()])?]);
    }
    let Some(plane) = first.lps_plane()?.filter(|_| next.moving_dims() == 3) else { return Ok(vec![first, next]) };
    let moved = PointMap::Embedded(Warp::IDENTITY, plane).then(&next.to_point_map()?)?;
    let flat = TransformFile { plane: None, space: "section".into(), ..first };
    let after = TransformFile::from_point_map(TransformModel::Affine, &moved, [flat.fixed_unit(), next.fixed_unit()])?;
    Ok(vec![flat, after])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::transform_file::parse_transform;
    use crate::space::{DAffine2, DAffine3, DMat3, DVec2, DVec3, ThinPlate};
    use LengthUnit::{Mm, Px, Um};

    fn turn(model: TransformModel, units: [LengthUnit; 2]) -> TransformFile {
        let a = DAffine2::from_scale_angle_translation(DVec2::splat(0.9), 0.3, DVec2::new(5.0, -2.0));
        TransformFile::from_warp(model, &Warp::Affine(a), units, None).unwrap()
    }

    fn plate(units: [LengthUnit; 2], plane: Option<&Plane>) -> TransformFile {
        let weights = [1.0, -1.0, 1.0, -1.0].map(|v| DVec2::new(0.02, -0.01) * v).to_vec();
        let centers = [(1.0, 1.0), (5.0, 1.0), (5.0, 5.0), (1.0, 5.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
        let warp = Warp::ThinPlate(ThinPlate { affine: DAffine2::from_angle(0.4), centers, weights });
        TransformFile::from_warp(TransformModel::ThinPlate, &warp, units, plane).unwrap()
    }

    fn space() -> TransformFile {
        let a = DAffine3 { matrix3: DMat3::from_rotation_y(0.3) * 1.1, translation: DVec3::new(1.0, -2.0, 3.0) };
        TransformFile::from_affine_3(TransformModel::Similarity, &a, [Mm, Mm]).unwrap()
    }

    fn check(parts: &[TransformFile], is_linear: bool) -> TransformFile {
        let whole = parts[1..].iter().try_fold(parts[0].clone(), |a, b| a.then(b)).unwrap();
        let whole = parse_transform(&serde_json::to_vec(&whole).unwrap()).unwrap();
        assert_eq!(whole.is_linear(), is_linear);
        let map = whole.to_point_map().unwrap();
        for p in [DVec3::new(2.0, 3.0, 0.0), DVec3::new(-7.0, 4.5, 0.0)] {
            let steps = parts.iter().fold(p, |p, t| t.to_point_map().unwrap().forth(p));
            assert!((map.forth(p) - steps).length() < 1e-9, "{} {steps}", map.forth(p));
        }
        whole
    }

    #[test]
    fn first_then_next() {
        let plane = Plane::new(DVec3::new(1.0, 2.0, 3.0), DVec3::new(0.6, 0.8, 0.0), DVec3::Z).unwrap();
        let rigid = check(&[turn(TransformModel::Rigid, [Um, Um]), turn(TransformModel::Similarity, [Um, Mm])], true);
        assert_eq!((rigid.model.as_str(), rigid.units, rigid.fixed_unit()), ("similarity", Um, Mm));
        let chain = check(&[turn(TransformModel::Affine, [Um, Mm]), plate([Um, Mm], Some(&plane))], false);
        assert_eq!((chain.fixed_dims(), chain.parts.len()), (3, 2));
        let long =
            check(&[plate([Um, Um], None), turn(TransformModel::Rigid, [Um, Um]), turn(TransformModel::Rigid, [Mm, Um])], false);
        assert_eq!((long.parts.len(), long.parts[1].model.as_str()), (2, "rigid"), "linear neighbors are one");
        let moved = check(&[plate([Um, Mm], Some(&plane)), space(), space()], false);
        assert_eq!((moved.parts.len(), moved.fixed_dims()), (2, 3));
        check(&[turn(TransformModel::Affine, [Px, Px]), plate([Px, Mm], Some(&plane)), space()], false);
        check(&[space(), space()], true);
    }

    #[test]
    fn what_does_not_meet_is_refused() {
        let plane = Plane::axial(DVec3::ZERO);
        for (a, b, part) in [
            (turn(TransformModel::Rigid, [Um, Px]), turn(TransformModel::Rigid, [Um, Um]), "ends in px"),
            (plate([Um, Mm], Some(&plane)), turn(TransformModel::Rigid, [Mm, Mm]), "ends in the patient"),
            (turn(TransformModel::Rigid, [Um, Mm]), space(), "begins in the patient"),
        ] {
            let error = a.then(&b).unwrap_err();
            assert!(matches!(error, Error::Parameter(_)) && error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn damaged_chains_are_refused() {
        let good = turn(TransformModel::Affine, [Um, Mm]).then(&plate([Um, Mm], None)).unwrap();
        let wrong = |change: fn(&mut TransformFile)| {
            let mut file = good.clone();
            change(&mut file);
            parse_transform(&serde_json::to_vec(&file).unwrap()).unwrap_err().to_string()
        };
        assert!(wrong(|f| f.parts.truncate(1)).contains("1 parts"));
        assert!(wrong(|f| f.parts[0] = f.clone()).contains("chain itself"));
        assert!(wrong(|f| f.units = Px).contains("first and last"));
        assert!(wrong(|f| f.parts[1].units = Px).contains("do not meet"));
        assert!(wrong(|f| f.model = "affine".into()).contains("only a chain"));
    }
}
