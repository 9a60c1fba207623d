//! What a seed decides about a heart, and the frame it lies in.
//!
//! Heart coordinates are millimeters: x to the septum, y to the anterior wall, z from the epicardial
//! apex (0) to the base; a right-handed frame. Angles run from anterior (0) over the septum (+90°), so
//! they increase counter-clockwise for a viewer at the apex, with the right ventricle on the left.

use super::shape::{Ellipsoid, Shape, cut_volume_ml};
use crate::space::{DVec2, DVec3};
use crate::stats::Stream;
use std::f64::consts::PI;

/// Number of cine phases.
pub(super) const N_PHASES: usize = 25;
/// Distance of the basal cut above the widest place, as a share of the long half axis.
pub(super) const BASE_SHARE: f64 = 0.3;
/// Thickness of the wall at the apex as a share of the thickness elsewhere.
pub(super) const APEX_SHARE: f64 = 0.62;
/// g/mL.
pub(super) const MYOCARDIAL_DENSITY: f64 = 1.05;

/// Axes of the heart in the patient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The epicardial apex at end-diastole, LPS mm.
    pub(super) apex: DVec3,
    /// To the middle of the septum.
    pub(super) septal: DVec3,
    /// To the anterior wall: `base × septal`.
    pub(super) anterior: DVec3,
    /// From apex to base.
    pub(super) base: DVec3,
}

impl Frame {
    fn of_seed(stream: &mut Stream) -> Self {
        let jitter = |stream: &mut Stream| DVec3::new(stream.normal(), stream.normal(), stream.normal()) * 0.06;
        let base = (DVec3::new(-0.60, 0.55, 0.56) + jitter(stream)).normalize();
        let towards_rv = DVec3::new(-0.74, -0.64, -0.16) + jitter(stream);
        let septal = (towards_rv - base * towards_rv.dot(base)).normalize();
        let apex = DVec3::new(stream.between(66.0, 76.0), stream.between(-66.0, -54.0), stream.between(-55.0, -30.0));
        Self { apex, septal, anterior: base.cross(septal), base }
    }

    /// Patient mm from heart mm.
    pub(super) fn lps_from_heart(&self, h: DVec3) -> DVec3 {
        self.apex + self.septal * h.x + self.anterior * h.y + self.base * h.z
    }

    /// Heart mm from patient mm.
    pub(super) fn heart_from_lps(&self, lps: DVec3) -> DVec3 {
        let d = lps - self.apex;
        DVec3::new(d.dot(self.septal), d.dot(self.anterior), d.dot(self.base))
    }
}

/// An ellipsoidal infarct in material coordinates (angle, level, depth).
#[derive(Clone, Copy, Debug)]
pub(super) struct Scar {
    /// Middle angle in radians.
    pub(super) angle: f64,
    /// Half extent around the wall in radians.
    pub(super) half_angle: f64,
    /// Middle level, 0 at the end of the cavity, 1 at the base.
    pub(super) level: f64,
    /// Half extent in levels.
    pub(super) half_level: f64,
    /// Greatest depth, 0 endocardium, 1 epicardium.
    pub(super) depth: f64,
}

/// Everything that a seed decides about the heart.
#[derive(Clone, Debug)]
pub(super) struct Anatomy {
    pub(super) seed: u64,
    pub(super) frame: Frame,
    /// One per phase; the first is end-diastole.
    pub(super) shapes: Vec<Shape>,
    pub(super) phase_times_ms: Vec<f64>,
    /// Angles of the anterior and of the inferior insertion of the right ventricle, in radians.
    pub(super) insertions: [f64; 2],
    /// Greatest width of the right ventricle at end-diastole in mm.
    pub(super) rv_depth_mm: f64,
    /// Angles of the anterolateral and the posteromedial papillary muscle, in radians.
    pub(super) papillary_angles: [f64; 2],
    pub(super) papillary_mm: f64,
    pub(super) scar: Scar,
}

impl Anatomy {
    /// The heart of a seed.
    pub(super) fn of_seed(seed: u64) -> Self {
        let stream = &mut Stream::new(seed, 1);
        let frame = Frame::of_seed(stream);
        let tilt_way = stream.between(0.0, 2.0 * PI);
        let tilt = DVec2::from_angle(tilt_way) * stream.between(0.125, 0.150);
        let long = Long { height: stream.between(78.4, 80.6), shift: stream.between(10.5, 13.5), tilt };
        let half = stream.between(24.3, 26.6);
        let wall = stream.between(8.4, 10.6);
        let oval = stream.between(0.015, 0.045);
        let ejection = stream.between(0.45, 0.65);
        let shapes_activation = activation(stream);
        let diastole = long.shape(0.0, half, oval, wall);
        let blood_ml = diastole.cavity_ml();
        let muscle_ml = diastole.muscle_ml();
        let shapes = shapes_activation
            .iter()
            .map(|&active| long.solved(active, oval, blood_ml * (1.0 - ejection * active), muscle_ml))
            .collect();
        let span = stream.between(102.0, 126.0f64).to_radians();
        let insertions = [PI / 2.0 - span / 2.0, PI / 2.0 + span / 2.0];
        let rr_ms = stream.between(790.0, 910.0);
        Self {
            seed,
            frame,
            shapes,
            phase_times_ms: (0..N_PHASES).map(|p| (rr_ms * p as f64 / N_PHASES as f64 * 10.0).round() / 10.0).collect(),
            insertions,
            rv_depth_mm: stream.between(25.0, 31.0),
            papillary_angles: [stream.between(-62.0, -48.0f64).to_radians(), stream.between(-158.0, -144.0f64).to_radians()],
            papillary_mm: stream.between(4.2, 5.4),
            scar: Scar {
                angle: insertions[0] + stream.between(-12.0, 8.0f64).to_radians(),
                half_angle: stream.between(42.0, 53.0f64).to_radians(),
                level: stream.between(0.38, 0.46),
                half_level: stream.between(0.32, 0.40),
                depth: stream.between(0.60, 0.84),
            },
        }
    }

    /// End-diastole, which the late enhancement and the section show too.
    pub(super) fn diastole(&self) -> &Shape {
        &self.shapes[0]
    }
}

/// Contraction of each phase: 0 at end-diastole, 1 at end-systole; early filling, rest, atrial kick.
fn activation(stream: &mut Stream) -> Vec<f64> {
    let systole = if stream.uniform() < 0.5 { 8.0 } else { 9.0 } / N_PHASES as f64;
    let rest = stream.between(0.20, 0.28);
    let knots = [(0.0, 0.0), (systole, 1.0), (systole + 0.22, rest), (0.82, rest - 0.06), (0.97, 0.0), (1.01, 0.0)];
    (0..N_PHASES)
        .map(|p| {
            let t = p as f64 / N_PHASES as f64;
            let after = knots.iter().position(|k| k.0 > t).unwrap_or(knots.len() - 1).max(1);
            let (from, to) = (knots[after - 1], knots[after]);
            super::noise::mix(from.1, to.1, super::noise::smoothstep(from.0, to.0, t))
        })
        .collect()
}

/// How the long axis behaves.
struct Long {
    height: f64,
    shift: f64,
    tilt: DVec2,
}

impl Long {
    fn shape(&self, active: f64, half: f64, oval: f64, wall: f64) -> Shape {
        let height = self.height - self.shift * active;
        let apex_wall = wall * APEX_SHARE;
        let long = (height - apex_wall) / (1.0 + BASE_SHARE);
        let center = apex_wall + long;
        let across = DVec2::new(half * (1.0 - oval), half * (1.0 + oval));
        Shape {
            inner: Ellipsoid { across, long, center },
            outer: Ellipsoid { across: across + DVec2::splat(wall), long: center, center },
            height,
            tilt: self.tilt,
            apex_wall,
            active,
        }
    }

    /// The shape that holds the given blood and the given muscle: thickening follows from that.
    fn solved(&self, active: f64, oval: f64, blood_ml: f64, muscle_ml: f64) -> Shape {
        let with_wall = |wall: f64| {
            let half = bisect(4.0, 60.0, |half| {
                let s = self.shape(active, half, oval, wall);
                cut_volume_ml(&s.inner, s.height, s.tilt) - blood_ml
            });
            self.shape(active, half, oval, wall)
        };
        with_wall(bisect(3.0, 40.0, |wall| with_wall(wall).muscle_ml() - muscle_ml))
    }
}

/// Where an increasing function is 0.
fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.0 { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}
