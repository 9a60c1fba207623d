//! The region as numbers: intensities of a box around the mask, its shape, and which of its voxels count.

use super::RadiomicsSettings;
use super::resample::resampled;
use crate::base::{Error, Limits, Progress, Result};
use crate::model::{LabelMap, Volume};
use crate::space::{DAffine3, DMat3, DVec3};

/// Radius of the sphere of 1 cm³ in which intensity peaks are averaged, in mm.
pub(super) const PEAK_MM: f64 = 6.203_504_908_994_001;

/// A box of voxels, memory index `i + nx·(j + ny·k)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Region {
    pub size: [usize; 3],
    /// Millimeters from voxel steps in a frame whose first axis is i and whose second is in the plane of i
    /// and j: upper triangular, diagonal where the grid has right angles.
    pub mm: DMat3,
    /// Intensities, NaN where there is no number.
    pub values: Vec<f64>,
    /// The shape.
    pub shape: Vec<bool>,
    /// The part of the shape whose intensities count: finite and within the resegmentation.
    pub counted: Vec<bool>,
    /// Voxels of the shape that hold no number.
    pub n_nan: usize,
    /// Voxels of the shape outside the resegmentation.
    pub n_outside: usize,
    /// Whether all counted intensities are whole numbers.
    pub whole: bool,
}

impl Region {
    /// The box around the mask with the margin that peaks need, resampled where asked for.
    /// [`Error::Parameter`] where image and mask lie on different grids, [`Error::Degenerate`] where
    /// nothing is left, [`Error::TooLarge`] before more than `limits` is taken.
    pub fn new(
        image: (&Volume, usize),
        mask: (&LabelMap, usize),
        settings: &RadiomicsSettings,
        limits: &Limits,
        progress: &Progress,
    ) -> Result<Self> {
        let labels = phase_of(image, mask)?;
        let inside = |v: u8| settings.label.map_or(v != 0, |l| v == l);
        let size = image.0.grid.size();
        let Some(bounds) = bounds(size, |i| inside(labels[i])) else {
            return Err(Error::degenerate(match settings.label {
                Some(l) => format!("no voxel of the mask has label {l}; choose one that is there with --label"),
                None => "the mask is empty: a region of at least one voxel was expected".to_owned(),
            }));
        };
        let mm = orthonormal(image.0.grid.lps_from_voxel());
        // Whole grids are resampled from the box, whose margin holds all neighbors.
        let reach = |axis: usize| {
            let step = mm.col(axis)[axis];
            ((PEAK_MM + settings.resample_mm.unwrap_or(0.0) * 2.0) / step).ceil() as usize + 2
        };
        let low: [usize; 3] = std::array::from_fn(|a| bounds[a].0.saturating_sub(reach(a)));
        let high: [usize; 3] = std::array::from_fn(|a| (bounds[a].1 + reach(a)).min(size[a] - 1));
        let box_size: [usize; 3] = std::array::from_fn(|a| high[a] - low[a] + 1);
        limits.check("the intensities around the mask", &box_size.map(|n| n as u64), 10)?;
        let mut values = Vec::with_capacity(box_size.iter().product());
        let mut shape = Vec::with_capacity(values.capacity());
        for k in low[2]..=high[2] {
            progress.step((k - low[2]) as f64 / box_size[2] as f64, "reading the region")?;
            for j in low[1]..=high[1] {
                let row = size[0] * (j + size[1] * k);
                values.extend((low[0]..=high[0]).map(|i| image.0.value(image.1, row + i)));
                shape.extend((low[0]..=high[0]).map(|i| inside(labels[row + i])));
            }
        }
        let mut region = Self { size: box_size, mm, values, shape, counted: Vec::new(), n_nan: 0, n_outside: 0, whole: false };
        if let Some(new_mm) = settings.resample_mm {
            let whole_ct = image.0.modality == "CT";
            region = resampled(&region, (size, low), new_mm, limits, progress)?;
            if whole_ct {
                region.values.iter_mut().for_each(|v| *v = v.round());
            }
        }
        region.count(settings.resegment)?;
        Ok(region)
    }

    /// Decides which voxels count.
    fn count(&mut self, resegment: Option<(f64, f64)>) -> Result<()> {
        let (low, high) = resegment.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let shaped = || self.shape.iter().zip(&self.values).filter(|(s, _)| **s).map(|(_, v)| *v);
        if shaped().next().is_none() {
            return Err(Error::degenerate("no voxel of the mask is left after resampling; use smaller cubes"));
        }
        self.n_nan = shaped().filter(|v| !v.is_finite()).count();
        self.n_outside = shaped().filter(|v| v.is_finite() && !(low..=high).contains(v)).count();
        self.whole = shaped().all(|v| !v.is_finite() || !(low..=high).contains(&v) || v.fract() == 0.0);
        self.counted =
            self.shape.iter().zip(&self.values).map(|(s, v)| *s && v.is_finite() && (low..=high).contains(v)).collect();
        if !self.counted.contains(&true) {
            return Err(Error::degenerate(match resegment {
                Some(_) if self.n_outside > 0 => {
                    format!("no intensity inside the mask lies from {low} to {high}; widen the resegmentation")
                }
                _ => "the image has no number at any voxel of the mask (all are NaN or infinite)".to_owned(),
            }));
        }
        Ok(())
    }

    /// Volume of a voxel in mm³.
    pub fn voxel_mm3(&self) -> f64 {
        self.mm.determinant().abs()
    }

    /// Indices along i, j, k of a memory index.
    pub fn place(&self, index: usize) -> [usize; 3] {
        let [nx, ny, _] = self.size;
        [index % nx, index / nx % ny, index / (nx * ny)]
    }

    /// Position of a memory index in mm.
    pub fn position(&self, index: usize) -> DVec3 {
        let p = self.place(index);
        self.mm * DVec3::new(p[0] as f64, p[1] as f64, p[2] as f64)
    }

    /// The counted intensities in memory order.
    pub fn intensities(&self) -> Vec<f64> {
        self.values.iter().zip(&self.counted).filter(|(_, c)| **c).map(|(v, _)| *v).collect()
    }
}

/// The mask's voxels, after checking that both lie on one grid.
fn phase_of<'a>(image: (&Volume, usize), mask: (&'a LabelMap, usize)) -> Result<&'a [u8]> {
    let (a, b) = (&image.0.grid, &mask.0.grid);
    let tolerance = a.spacing_mm().min_element().min(b.spacing_mm().min_element()) * 0.05;
    if !a.same_place(b, tolerance) {
        return Err(Error::parameter(format!(
            "image ({:?} voxels of {:.4} mm) and mask ({:?} voxels of {:.4} mm) lie on different grids; resample one to the other first",
            a.size(),
            a.spacing_mm(),
            b.size(),
            b.spacing_mm()
        )));
    }
    let missing = |n: usize, k: usize| Error::parameter(format!("phase {k} of {n} phases"));
    if image.1 >= image.0.n_phases() {
        return Err(missing(image.0.n_phases(), image.1));
    }
    mask.0.phases.get(mask.1).map(|p| &**p).ok_or_else(|| missing(mask.0.n_phases(), mask.1))
}

/// First and last index along each axis of the voxels that fulfil `inside`; `None` where there are none.
pub(super) fn bounds(size: [usize; 3], inside: impl Fn(usize) -> bool) -> Option<[(usize, usize); 3]> {
    let mut found: Option<[(usize, usize); 3]> = None;
    for k in 0..size[2] {
        for j in 0..size[1] {
            let row = size[0] * (j + size[1] * k);
            let Some(first) = (0..size[0]).find(|i| inside(row + i)) else { continue };
            let last = (first..size[0]).rev().find(|i| inside(row + i)).unwrap_or(first);
            let b = found.get_or_insert([(first, last), (j, j), (k, k)]);
            b[0] = (b[0].0.min(first), b[0].1.max(last));
            b[1] = (b[1].0.min(j), b[1].1.max(j));
            b[2] = (b[2].0.min(k), b[2].1.max(k));
        }
    }
    found
}

/// The steps of a grid in the frame of its own axes; lengths and angles stay, place and handedness go.
fn orthonormal(lps_from_voxel: DAffine3) -> DMat3 {
    let m = lps_from_voxel.matrix3;
    let x = m.x_axis.normalize();
    let y = (m.y_axis - x * m.y_axis.dot(x)).normalize();
    let z = x.cross(y);
    // Rounding of a matrix in single precision is no shear.
    let clean = |v: f64, size: f64| if v.abs() < 1e-5 * size { 0.0 } else { v };
    let [a, b, c] = [m.x_axis.length(), m.y_axis.length(), m.z_axis.length()];
    DMat3::from_cols(
        DVec3::new(a, 0.0, 0.0),
        DVec3::new(clean(m.y_axis.dot(x), b), m.y_axis.dot(y), 0.0),
        DVec3::new(clean(m.z_axis.dot(x), c), clean(m.z_axis.dot(y), c), m.z_axis.dot(z).abs()),
    )
}
