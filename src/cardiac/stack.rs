//! The left ventricle as a stack of discs along its long axis.
//!
//! Discs are the slices of the grid where the long axis runs through them (within 10°), else slabs
//! perpendicular to it. Each keeps the middle of its cavity and whether muscle surrounds it.

use super::SegmentSettings;
use crate::base::{Error, Result};
use crate::model::LabelMap;
use crate::space::{DAffine3, DVec3, Grid};

/// Cosine of the largest angle between long axis and slice normal at which slices are discs.
const ALIGNED: f64 = 0.984_807_753;
/// Base and apex seen from the apex: the base is rather above, behind and to the right.
const BASEWARD: DVec3 = DVec3::new(-0.5, 0.7, 1.0);

/// How space is cut into discs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slicing {
    /// Slices of the grid along this of its axes.
    Voxels(usize),
    /// Slabs along the long axis from `start_mm` on.
    Slabs { start_mm: f64, thickness_mm: f64 },
}

/// One disc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Disc {
    /// Position along the long axis (mm, larger toward the base).
    pub level_mm: f64,
    /// Middle of the cavity, or of the nearest cavity's.
    pub centroid: DVec3,
    /// Voxels of the cavity.
    pub n_cavity: usize,
    /// Voxels of the wall.
    pub n_wall: usize,
    /// Whether the wall surrounds the cavity.
    pub is_ring: bool,
}

/// The whole ventricle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    pub grid: Grid,
    /// Unit vector from apex to base.
    pub axis: DVec3,
    /// Normal of the discs, along `axis`.
    pub normal: DVec3,
    pub slicing: Slicing,
    /// Distance between disc centers along the axis.
    pub thickness_mm: f64,
    pub discs: Vec<Disc>,
    /// What the direction to the base was taken from.
    pub base_from: &'static str,
}

/// Patient position of a voxel by memory index.
pub(super) fn position(grid: &Grid, index: usize) -> DVec3 {
    let [nx, ny, _] = grid.size();
    grid.lps_from_voxel().transform_point3(DVec3::new((index % nx) as f64, (index / nx % ny) as f64, (index / (nx * ny)) as f64))
}

/// The grid axis with clearly the largest step, else the third.
fn slice_axis(grid: &Grid) -> usize {
    let spacing = grid.spacing_mm().to_array();
    (0..3).find(|&a| (0..3).all(|b| a == b || spacing[a] > 1.01 * spacing[b])).unwrap_or(2)
}

fn grid_column(matrix: DAffine3, axis: usize) -> DVec3 {
    [matrix.matrix3.x_axis, matrix.matrix3.y_axis, matrix.matrix3.z_axis][axis]
}

/// Sums over one disc while voxels are counted.
#[derive(Clone, Default)]
struct Sums {
    cavity: DVec3,
    n_cavity: usize,
    n_right: usize,
    wall: Vec<DVec3>,
}

impl Stack {
    /// Cuts the labels of one phase; [`Error::Degenerate`] without cavity or wall.
    pub fn new(labels: &LabelMap, phase: usize, settings: &SegmentSettings) -> Result<Self> {
        let voxels = labels.phases.get(phase).ok_or_else(|| {
            Error::parameter(format!("phase {phase} was asked for, '{}' has {}", labels.name, labels.n_phases()))
        })?;
        for (value, what) in [(settings.lv, "left ventricle's cavity"), (settings.myo, "myocardium")] {
            if !voxels.contains(&value) {
                return Err(Error::degenerate(format!(
                    "no voxel of '{}' has label {value} ({what}) in phase {phase}",
                    labels.name
                )));
            }
        }
        let grid = labels.grid;
        let (slices, normal) = (slice_axis(&grid), slice_normal(&grid));
        let mut stack = Self {
            grid,
            axis: normal,
            normal,
            slicing: Slicing::Voxels(slices),
            thickness_mm: grid_column(grid.lps_from_voxel(), slices).dot(normal).abs(),
            discs: Vec::new(),
            base_from: "apex and base points",
        };
        if let (Some(apex), Some(base)) = (settings.apex, settings.base) {
            stack.axis = (base - apex)
                .try_normalize()
                .ok_or_else(|| Error::degenerate(format!("apex and base are the same point {apex}; they must lie apart")))?;
            stack.normal = normal * normal.dot(stack.axis).signum();
            if stack.normal.dot(stack.axis) < ALIGNED {
                stack.cut_into_slabs(voxels, settings);
            }
        }
        let sums = stack.sums(voxels, settings);
        if settings.apex.is_none() || settings.base.is_none() {
            let (toward, from) = toward_base(&sums, &stack, settings);
            stack.base_from = from;
            stack.axis *= toward;
            stack.normal = stack.axis;
        }
        stack.discs = stack.finish(&sums)?;
        Ok(stack)
    }

    fn cut_into_slabs(&mut self, voxels: &[u8], settings: &SegmentSettings) {
        let used = |v: u8| v == settings.lv || v == settings.myo;
        let along = voxels.iter().enumerate().filter(|(_, v)| used(**v)).map(|(i, _)| position(&self.grid, i).dot(self.axis));
        let least = along.fold(f64::INFINITY, f64::min);
        self.thickness_mm = self.grid.spacing_mm().max_element();
        self.slicing = Slicing::Slabs { start_mm: least - 0.5 * self.thickness_mm, thickness_mm: self.thickness_mm };
        self.normal = self.axis;
    }

    /// The disc of a patient point; may lie outside the list.
    pub fn disc_at(&self, lps: DVec3) -> i64 {
        match self.slicing {
            Slicing::Voxels(axis) => (self.grid.voxel_from_lps().transform_point3(lps)[axis] + 0.5).floor() as i64,
            Slicing::Slabs { start_mm, thickness_mm } => ((lps.dot(self.axis) - start_mm) / thickness_mm).floor() as i64,
        }
    }

    /// The disc of a voxel of the grid.
    pub fn disc_of(&self, index: usize) -> usize {
        let [nx, ny, _] = self.grid.size();
        match self.slicing {
            Slicing::Voxels(axis) => [index % nx, index / nx % ny, index / (nx * ny)][axis],
            Slicing::Slabs { .. } => usize::try_from(self.disc_at(position(&self.grid, index))).unwrap_or(usize::MAX),
        }
    }

    /// Largest step of the grid within a disc.
    pub fn in_plane_mm(&self) -> f64 {
        let spacing = self.grid.spacing_mm().to_array();
        let within = |axis: usize| !matches!(self.slicing, Slicing::Voxels(a) if a == axis);
        (0..3).filter(|a| within(*a)).map(|a| spacing[a]).fold(0.0, f64::max)
    }

    fn sums(&self, voxels: &[u8], settings: &SegmentSettings) -> Vec<Sums> {
        let n_discs = match self.slicing {
            Slicing::Voxels(axis) => self.grid.size()[axis],
            Slicing::Slabs { .. } => 0,
        };
        let mut sums = vec![Sums::default(); n_discs];
        for (index, &value) in voxels.iter().enumerate() {
            if value != settings.lv && value != settings.myo && value != settings.rv {
                continue;
            }
            let disc = self.disc_of(index);
            if value == settings.rv {
                // The right ventricle may reach beyond the slabs of the left.
                if let Some(sum) = sums.get_mut(disc) {
                    sum.n_right += 1;
                }
                continue;
            }
            if disc == usize::MAX {
                continue;
            }
            if sums.len() <= disc {
                sums.resize(disc + 1, Sums::default());
            }
            let at = position(&self.grid, index);
            if value == settings.lv {
                sums[disc].cavity += at;
                sums[disc].n_cavity += 1;
            } else {
                sums[disc].wall.push(at);
            }
        }
        sums
    }

    fn finish(&self, sums: &[Sums]) -> Result<Vec<Disc>> {
        let own: Vec<Option<DVec3>> = sums.iter().map(|s| (s.n_cavity > 0).then(|| s.cavity / s.n_cavity as f64)).collect();
        let nearest = |i: usize| (0..own.len()).filter(|&j| own[j].is_some()).min_by_key(|&j| i.abs_diff(j)).and_then(|j| own[j]);
        let none = || Error::degenerate("the left ventricle has no cavity in any slice");
        let disc = |(i, sum): (usize, &Sums)| {
            let centroid = own[i].or_else(|| nearest(i)).ok_or_else(none)?;
            Ok(Disc {
                level_mm: self.level_of(i),
                centroid,
                n_cavity: sum.n_cavity,
                n_wall: sum.wall.len(),
                is_ring: sum.n_cavity > 0 && self.surrounds(&sum.wall, centroid),
            })
        };
        sums.iter().enumerate().map(disc).collect()
    }

    /// Position of a disc's middle along the long axis.
    fn level_of(&self, disc: usize) -> f64 {
        match self.slicing {
            Slicing::Voxels(axis) => {
                let mut voxel = self.grid.voxel_from_lps().transform_point3(self.grid.center_lps());
                voxel[axis] = disc as f64;
                self.grid.lps_from_voxel().transform_point3(voxel).dot(self.axis)
            }
            Slicing::Slabs { start_mm, thickness_mm } => start_mm + (disc as f64 + 0.5) * thickness_mm,
        }
    }

    /// Whether wall voxels stand in all directions: no gap wider than about two voxels, or 12°.
    fn surrounds(&self, wall: &[DVec3], centroid: DVec3) -> bool {
        if wall.len() < 4 {
            return false;
        }
        let [u, v] = self.basis();
        let mut angles: Vec<f64> = wall.iter().map(|p| (*p - centroid).dot(v).atan2((*p - centroid).dot(u))).collect();
        angles.sort_by(f64::total_cmp);
        let radius = wall.iter().map(|p| p.distance(centroid)).sum::<f64>() / wall.len() as f64;
        let allowed = (1.8 * self.in_plane_mm() / radius).max(12_f64.to_radians());
        widest_gap(&angles).0 <= allowed
    }

    /// Two unit vectors across the axis, the second a quarter turn about the opposite of the axis from
    /// the first: counter-clockwise as seen from the apex.
    pub fn basis(&self) -> [DVec3; 2] {
        let u = self.axis.any_orthonormal_vector();
        [u, u.cross(self.axis)]
    }
}

/// The widest gap between sorted angles around the circle, and the index of the angle after it.
pub(super) fn widest_gap(sorted: &[f64]) -> (f64, usize) {
    let n = sorted.len();
    let gap = |i: usize| if i == 0 { sorted[0] + std::f64::consts::TAU - sorted[n - 1] } else { sorted[i] - sorted[i - 1] };
    (0..n).map(|i| (gap(i), i)).fold((0.0, 0), |best, next| if next.0 > best.0 { next } else { best })
}

fn slice_normal(grid: &Grid) -> DVec3 {
    let (matrix, axis) = (grid.lps_from_voxel(), slice_axis(grid));
    grid_column(matrix, (axis + 1) % 3).cross(grid_column(matrix, (axis + 2) % 3)).normalize_or(DVec3::Z)
}

/// +1 or −1 times the stack's axis leads to the base; and what says so.
fn toward_base(sums: &[Sums], stack: &Stack, settings: &SegmentSettings) -> (f64, &'static str) {
    let axis = stack.axis;
    let up = if axis.dot(stack_step(stack)) < 0.0 { -1.0 } else { 1.0 };
    let cavity: Vec<usize> = (0..sums.len()).filter(|&i| sums[i].n_cavity > 0).collect();
    let (Some(&first), Some(&last)) = (cavity.first(), cavity.last()) else { return (up, "nothing") };
    let weight = |f: &dyn Fn(&Sums) -> usize| {
        let total: usize = sums.iter().map(f).sum();
        (total > 0).then(|| sums.iter().enumerate().map(|(i, s)| i as f64 * f(s) as f64).sum::<f64>() / total as f64)
    };
    let middle_level = (stack.level_of(first) + stack.level_of(last)) / 2.0;
    if let Some(base) = settings.base {
        return (if base.dot(axis) < middle_level { -1.0 } else { 1.0 }, "the base point");
    }
    if let Some(apex) = settings.apex {
        return (if apex.dot(axis) > middle_level { -1.0 } else { 1.0 }, "the apex point");
    }
    let caps = [(0..first), (last + 1..sums.len())].map(|r| r.filter(|&i| !sums[i].wall.is_empty()).count());
    if caps[0] != caps[1] {
        return (if caps[0] > caps[1] { up } else { -up }, "muscle beyond the end of the cavity");
    }
    let n = (cavity.len() / 3).max(1);
    let [low, high] =
        [&cavity[..n], &cavity[cavity.len() - n..]].map(|c| c.iter().map(|&i| sums[i].n_cavity as f64).sum::<f64>());
    if low.max(high) > 1.1 * low.min(high) {
        return (if high > low { up } else { -up }, "the wider end of the cavity");
    }
    if let (Some(right), Some(left)) = (weight(&|s| s.n_right), weight(&|s| s.n_cavity))
        && (right - left).abs() > 0.5
    {
        return (if right > left { up } else { -up }, "the right ventricle");
    }
    (if axis.dot(BASEWARD) < 0.0 { -1.0 } else { 1.0 }, "the usual position in the body (assumed)")
}

/// Direction in which the disc numbers rise.
fn stack_step(stack: &Stack) -> DVec3 {
    match stack.slicing {
        Slicing::Voxels(axis) => grid_column(stack.grid.lps_from_voxel(), axis),
        Slicing::Slabs { .. } => stack.axis,
    }
}
