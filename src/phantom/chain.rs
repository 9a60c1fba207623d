//! The planted map from the section to the patient: shrinkage, rotation and a thin-plate deformation
//! that is, by construction, the interpolant through the full list of landmarks.

use super::anatomy::Anatomy;
use crate::base::Result;
use crate::model::{Landmark, Landmarks};
use crate::space::{DAffine2, DVec2, DVec3, Plane, ThinPlate, Warp, thin_plate_kernel};
use crate::stats::{Stream, solve};
use std::f64::consts::TAU;

/// Linear size of the section relative to the living heart.
pub(super) const SHRINKAGE: f64 = 0.85;
/// Width and height of the picture in pixels.
pub(super) const PICTURE_PX: usize = 2048;
/// Glass around the tissue.
const MARGIN_MM: f64 = 3.5;
/// Names of the landmarks that a person finds, in the order of placing.
const ANATOMICAL: [&str; 5] =
    ["anterior RV insertion", "inferior RV insertion", "LV center", "anterolateral papillary", "posteromedial papillary"];

/// Where the section lies.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The plane of the cut, seen from the apex.
    pub(super) plane: Plane,
    /// Its height in heart coordinates.
    pub(super) z: f64,
    pub(super) landmarks: Landmarks,
    pub(super) plane_from_section: Warp,
    pub(super) um_per_px: f64,
}

impl Chain {
    /// The cut of a heart at height `z`.
    pub(super) fn plant(anatomy: &Anatomy, z: f64) -> Result<Self> {
        let frame = &anatomy.frame;
        let plane = Plane::new(frame.lps_from_heart(DVec3::new(0.0, 0.0, z)), -frame.septal, -frame.anterior)?;
        let named = places(anatomy, z);
        let fixed: Vec<DVec2> = named.iter().map(|(_, p)| *p).collect();
        let mut handling = Handling::of_seed(anatomy.seed);
        let um_per_px = handling.put_on_slide(&fixed);
        let moving: Vec<DVec2> = fixed.iter().map(|p| handling.section_from_plane(*p)).collect();
        let pairs = named
            .into_iter()
            .zip(&moving)
            .map(|((name, p), m)| Landmark { name, moving: Some(*m), fixed: Some(plane.lps_from_plane(p)), active: true })
            .collect();
        let warp = Warp::ThinPlate(through(&moving, &fixed)?);
        Ok(Self { plane, z, landmarks: Landmarks { pairs }, plane_from_section: warp, um_per_px })
    }

    /// What a person would have placed so far: two pairs complete, three on one side only.
    pub(super) fn half_placed(&self) -> Landmarks {
        let mut pairs: Vec<Landmark> = self.landmarks.pairs.iter().take(ANATOMICAL.len()).cloned().collect();
        for (i, pair) in pairs.iter_mut().enumerate() {
            match i {
                0 | 1 => {}
                3 => pair.moving = None,
                _ => pair.fixed = None,
            }
        }
        Landmarks { pairs }
    }

    /// Heart coordinates of a point of the plane.
    pub(super) fn heart_from_plane(&self, p: DVec2) -> DVec3 {
        DVec3::new(-p.x, -p.y, self.z)
    }
}

/// Named places in plane mm: the anatomical ones, then points around epicardium and endocardium.
fn places(anatomy: &Anatomy, z: f64) -> Vec<(String, DVec2)> {
    let shape = anatomy.diastole();
    let at = |radius: f64, angle: f64| DVec2::new(-radius * angle.sin(), -radius * angle.cos());
    let epicardial = |angle: f64| at(shape.outer.radius(z, angle), angle);
    let papillary = |i: usize| {
        let (x, y) = anatomy.papillary_center(shape, i, z);
        DVec2::new(-x, -y)
    };
    let anatomical =
        [epicardial(anatomy.insertions[0]), epicardial(anatomy.insertions[1]), DVec2::ZERO, papillary(0), papillary(1)];
    let mut all: Vec<(String, DVec2)> = ANATOMICAL.iter().map(|n| (*n).to_owned()).zip(anatomical).collect();
    for (name, along) in [("anterior RV wall", 0.17), ("inferior RV wall", 0.83)] {
        let (x, y) = anatomy.rv_wall_point(z, along);
        all.push((name.to_owned(), DVec2::new(-x, -y)));
    }
    for degrees in (0..360).step_by(24) {
        let angle = f64::from(degrees).to_radians();
        if anatomy.insertions.iter().all(|i| super::tissue::turn(angle, *i).abs() > 0.14) {
            all.push((format!("epicardium {degrees}°"), epicardial(angle)));
        }
    }
    for degrees in (0..360).step_by(40) {
        let angle = f64::from(degrees).to_radians();
        all.push((format!("endocardium {degrees}°"), at(shape.inner.radius(z, angle), angle)));
    }
    all
}

/// What fixing and cutting did to the tissue.
struct Handling {
    middle: DVec2,
    turned: f64,
    waves: [(DVec2, f64, DVec2); 2],
}

impl Handling {
    fn of_seed(seed: u64) -> Self {
        let s = &mut Stream::new(seed, 4);
        let side = if s.uniform() < 0.5 { -1.0 } else { 1.0 };
        let waves = [0, 1].map(|i| {
            let way = s.between(0.0, TAU);
            let amount = s.between(0.9, 1.5);
            let k = DVec2::from_angle(way) * TAU / s.between(58.0, 80.0);
            (k, s.between(0.0, TAU), DVec2::from_angle(way + s.between(0.6, 1.8) + f64::from(i)) * amount)
        });
        Self { middle: DVec2::ZERO, turned: side * s.between(24.0, 70.0f64).to_radians(), waves }
    }

    /// Centers the tissue in the picture; the size of a pixel in µm, in steps of a half, that leaves a margin.
    fn put_on_slide(&mut self, outline: &[DVec2]) -> f64 {
        let placed: Vec<DVec2> = outline.iter().map(|p| self.section_from_plane(*p)).collect();
        let low = placed.iter().copied().reduce(DVec2::min).unwrap_or_default();
        let high = placed.iter().copied().reduce(DVec2::max).unwrap_or_default();
        let side_mm = (high - low).max_element() + 2.0 * MARGIN_MM;
        let um_per_px = (side_mm / PICTURE_PX as f64 * 2000.0).ceil() / 2.0;
        self.middle += DVec2::splat((PICTURE_PX as f64 - 1.0) / 2.0 * um_per_px / 1000.0) - 0.5 * (low + high);
        um_per_px
    }

    fn section_from_plane(&self, p: DVec2) -> DVec2 {
        let bent = p + self.waves.iter().map(|(k, phase, by)| *by * (k.dot(p) + phase).sin()).sum::<DVec2>();
        self.middle + DVec2::from_angle(self.turned).rotate(bent) * SHRINKAGE
    }
}

/// The thin-plate spline through pairs of points (Bookstein 1989).
fn through(source: &[DVec2], target: &[DVec2]) -> Result<ThinPlate> {
    let n = source.len();
    let size = n + 3;
    let mut a = vec![0.0; size * size];
    let mut b = vec![0.0; size * 2];
    for i in 0..n {
        for j in 0..n {
            a[i * size + j] = thin_plate_kernel(source[i].distance_squared(source[j]));
        }
        for (k, v) in [1.0, source[i].x, source[i].y].into_iter().enumerate() {
            a[i * size + n + k] = v;
            a[(n + k) * size + i] = v;
        }
        b[i * 2] = target[i].x;
        b[i * 2 + 1] = target[i].y;
    }
    let x = solve(size, &a, 2, &b)?;
    let row = |i: usize| DVec2::new(x[i * 2], x[i * 2 + 1]);
    Ok(ThinPlate {
        affine: DAffine2::from_cols(row(n + 1), row(n + 2), row(n)),
        centers: source.to_vec(),
        weights: (0..n).map(row).collect(),
    })
}
