//! Spaces as nodes, maps as links: the only place that answers "how do I get from here to there, and
//! how wrong may I be".

use super::{Affine, DVec2, DVec3, Plane, Space, Warp};
use crate::base::{Error, Result};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How one space lies in another.
#[derive(Clone, Debug, PartialEq)]
pub enum Map {
    /// A linear map (works both ways).
    Affine(Affine),
    /// A 2-D warp; z passes unchanged.
    Warp(Warp),
    /// A plane in the patient: (x, y, distance along the normal) to LPS.
    Embed(Plane),
}

/// One edge: points of `from` go to `to`.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Where points come out.
    pub to: Space,
    /// Where points go in.
    pub from: Space,
    /// The map.
    pub map: Map,
    /// Standard deviation of the error in mm, where it is known.
    pub sd_mm: Option<f64>,
    /// Switched off by the person.
    pub disabled: bool,
}

impl Link {
    /// A linear link without error.
    #[must_use]
    pub fn affine(affine: Affine) -> Self {
        Self { to: affine.to, from: affine.from, map: Map::Affine(affine), sd_mm: Some(0.0), disabled: false }
    }

    /// A 2-D warp.
    #[must_use]
    pub fn warp(to: Space, from: Space, warp: Warp, sd_mm: Option<f64>) -> Self {
        Self { to, from, map: Map::Warp(warp), sd_mm, disabled: false }
    }

    /// A plane's coordinates to the patient.
    #[must_use]
    pub fn embed(from: Space, plane: Plane) -> Self {
        Self { to: Space::Patient, from, map: Map::Embed(plane), sd_mm: Some(0.0), disabled: false }
    }

    fn forward(&self, p: DVec3) -> DVec3 {
        match &self.map {
            Map::Affine(a) => a.matrix.transform_point3(p),
            Map::Warp(w) => w.apply(p.truncate()).extend(p.z),
            Map::Embed(plane) => plane.lps_from_plane(p.truncate()) + plane.normal() * p.z,
        }
    }

    fn backward(&self, p: DVec3) -> Result<DVec3> {
        match &self.map {
            Map::Affine(a) => Ok(a.inverse()?.matrix.transform_point3(p)),
            Map::Warp(w) => Ok(w.inverse_at(DVec2::new(p.x, p.y), 1e-6)?.extend(p.z)),
            Map::Embed(plane) => Ok(plane.plane_from_lps(p).extend(plane.distance_mm(p))),
        }
    }
}

/// All links of a study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Atlas {
    /// The edges, at most one between two spaces.
    pub links: Vec<Link>,
}

impl Atlas {
    /// The links that lead from one space to another, each with `true` where it is walked forward.
    /// Breadth first; an error names the spaces where there is no way.
    pub fn path(&self, to: Space, from: Space) -> Result<Vec<(&Link, bool)>> {
        let mut came: BTreeMap<Space, (&Link, bool)> = BTreeMap::new();
        let mut seen = BTreeSet::from([from]);
        let mut queue = VecDeque::from([from]);
        while let Some(here) = queue.pop_front() {
            if here == to {
                return Ok(walk_back(&came, to, from));
            }
            for link in self.links.iter().filter(|l| !l.disabled) {
                let (next, forward) = if link.from == here { (link.to, true) } else { (link.from, false) };
                if (forward || link.to == here) && seen.insert(next) {
                    came.insert(next, (link, forward));
                    queue.push_back(next);
                }
            }
        }
        Err(Error::degenerate(format!("no chain of transforms leads from {from} to {to}")))
    }

    /// A point of `from` in the coordinates of `to`.
    pub fn transform(&self, to: Space, from: Space, p: DVec3) -> Result<DVec3> {
        let step = |p, (link, forward): (&Link, bool)| if forward { Ok(link.forward(p)) } else { link.backward(p) };
        self.path(to, from)?.into_iter().try_fold(p, step)
    }

    /// Standard deviation of the chain in mm: links add in squares. `None` where a link's is unknown.
    pub fn sd_mm(&self, to: Space, from: Space) -> Result<Option<f64>> {
        let path = self.path(to, from)?;
        Ok(path.iter().map(|(l, _)| l.sd_mm.map(|s| s * s)).sum::<Option<f64>>().map(f64::sqrt))
    }
}

fn walk_back<'a>(came: &BTreeMap<Space, (&'a Link, bool)>, to: Space, from: Space) -> Vec<(&'a Link, bool)> {
    let mut path = Vec::new();
    let mut here = to;
    while here != from {
        let (link, forward) = came[&here];
        path.push((link, forward));
        here = if forward { link.from } else { link.to };
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine2, DAffine3};

    fn atlas() -> Atlas {
        let scale =
            Affine { to: Space::Section(1), from: Space::Pixel(1), matrix: DAffine3::from_scale(DVec3::new(0.01, 0.01, 1.0)) };
        let warp = Warp::Affine(DAffine2::from_angle_translation(0.5, DVec2::new(3.0, 4.0)));
        Atlas {
            links: vec![
                Link::affine(scale),
                Link::warp(Space::Plane(1), Space::Section(1), warp, Some(1.0)),
                Link::embed(Space::Plane(1), Plane::coronal(DVec3::new(0.0, 5.0, 0.0))),
            ],
        }
    }

    #[test]
    fn there_and_back() {
        let atlas = atlas();
        let pixel = DVec3::new(812.0, 440.0, 0.0);
        let lps = atlas.transform(Space::Patient, Space::Pixel(1), pixel).unwrap();
        assert!((lps.y - 5.0).abs() < 1e-12);
        let back = atlas.transform(Space::Pixel(1), Space::Patient, lps).unwrap();
        assert!((back - pixel).length() < 1e-6);
        assert_eq!(atlas.sd_mm(Space::Patient, Space::Pixel(1)).unwrap(), Some(1.0));
        assert!(atlas.path(Space::Patient, Space::Voxel(9)).is_err());
    }
}
