//! Where a NIfTI grid lies: the choice between matrix, quaternion and spacing, the unit of length,
//! the repair of matrices that are orthonormal but for rounding, and the times of the phases.

use super::header::Header;
use crate::base::{Error, Result, Warnings};
use crate::space::{DAffine3, DMat3, DVec3, Grid, lps_from_ras};
use std::path::Path;

/// Axes farther from perpendicular than this (cosine) are a shear that is meant.
const SHEAR_LIMIT: f64 = 1e-3;
/// Axes closer to perpendicular than this are left as they are: it is the rounding of `f32` and of
/// direction cosines with six digits.
const SHEAR_ROUNDING: f64 = 1e-5;
/// No patient and no scanner is larger (1 km in mm).
const LARGEST_MM: f64 = 1e6;

/// Grid in LPS mm and times in ms.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub grid: Grid,
    pub length_unit_known: bool,
    pub phase_times_ms: Vec<f64>,
}

impl Place {
    /// Chooses, repairs and says so. [`Error::Malformed`] where the matrix is singular or not finite.
    pub fn of(header: &Header, path: &Path, warnings: &mut Warnings) -> Result<Self> {
        let (mm_per_unit, mut length_unit_known) = length_unit(header, path, warnings);
        let form = choose(header, path, warnings)?;
        length_unit_known &= form.spacing_known;
        let ras = scaled(form.ras_from_voxel, mm_per_unit);
        check_regular(&ras, form.name)?;
        if form.name == "sform" && header.qform_code > 0 {
            compare(header, &ras, &scaled(qform(header), mm_per_unit), path, warnings);
        }

        let size = header.size.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let size = [size[0], size[1], size[2]];
        let ras = repaired(ras, size, path, warnings);
        let grid = Grid::new(size, lps_from_ras() * ras)?;
        Ok(Self { grid, length_unit_known, phase_times_ms: phase_times(header, path, warnings) })
    }
}

/// One way to place voxels.
struct Form {
    name: &'static str,
    ras_from_voxel: DAffine3,
    spacing_known: bool,
}

fn choose(header: &Header, path: &Path, warnings: &mut Warnings) -> Result<Form> {
    if header.sform_code > 0 {
        return Ok(Form { name: "sform", ras_from_voxel: sform(header), spacing_known: true });
    }
    let spacing = &header.pixdim[1..4];
    if spacing.iter().any(|s| !s.is_finite()) {
        return Err(Error::malformed(format!("the spacing between voxels is {spacing:?}; three finite numbers were expected")));
    }
    let used = || spacing.iter().zip(&header.size).filter(|(_, n)| **n > 1);
    let spacing_known = used().all(|(s, _)| *s != 0.0);
    if !spacing_known {
        let what = format!("the spacing between voxels is {spacing:?}; 1 is taken for 0, so lengths have no unit");
        warnings.warn("spacing-unknown", what, Some(path));
    }
    if header.qform_code > 0 {
        return Ok(Form { name: "qform", ras_from_voxel: qform(header), spacing_known });
    }
    let what = "the file has a spacing but no orientation; its axes are taken for right, front and head";
    warnings.note("no-orientation", what, Some(path));
    let steps = DVec3::new(step(spacing[0]), step(spacing[1]), step(spacing[2]));
    Ok(Form { name: "pixdim", ras_from_voxel: DAffine3::from_scale(steps), spacing_known })
}

/// A spacing that can be used: its size, 1 for 0.
fn step(spacing: f64) -> f64 {
    if spacing == 0.0 { 1.0 } else { spacing.abs() }
}

fn sform(header: &Header) -> DAffine3 {
    let [x, y, z] = header.srow;
    let column = |c: usize| DVec3::new(x[c], y[c], z[c]);
    DAffine3 { matrix3: DMat3::from_cols(column(0), column(1), column(2)), translation: column(3) }
}

/// Method 2 of `nifti1.h`: rotation by a unit quaternion whose first part is not stored.
fn qform(header: &Header) -> DAffine3 {
    let [mut b, mut c, mut d] = header.quatern;
    let rest = 1.0 - (b * b + c * c + d * d);
    let a = if rest < 1e-7 {
        let length = (b * b + c * c + d * d).sqrt();
        (b, c, d) = (b / length, c / length, d / length);
        0.0
    } else {
        rest.sqrt()
    };
    let qfac = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let rotation = DMat3::from_cols(
        DVec3::new(a * a + b * b - c * c - d * d, 2.0 * (b * c + a * d), 2.0 * (b * d - a * c)),
        DVec3::new(2.0 * (b * c - a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d + a * b)),
        DVec3::new(2.0 * (b * d + a * c), 2.0 * (c * d - a * b), a * a + d * d - c * c - b * b),
    );
    let [_, x, y, z, ..] = header.pixdim;
    let steps = DVec3::new(step(x), step(y), step(z) * qfac);
    DAffine3 { matrix3: rotation * DMat3::from_diagonal(steps), translation: DVec3::from_array(header.qoffset) }
}

fn scaled(a: DAffine3, factor: f64) -> DAffine3 {
    DAffine3 { matrix3: a.matrix3 * factor, translation: a.translation * factor }
}

fn check_regular(ras: &DAffine3, name: &str) -> Result<()> {
    let m = ras.matrix3;
    let product = m.x_axis.length() * m.y_axis.length() * m.z_axis.length();
    let is_finite = ras.is_finite() && m.to_cols_array().iter().chain(&ras.translation.to_array()).all(|v| v.abs() <= LARGEST_MM);
    let is_regular = is_finite && product > 1e-12 && m.determinant().abs() > 1e-6 * product;
    if is_regular {
        return Ok(());
    }
    let rows = [m.row(0), m.row(1), m.row(2)];
    let shown: Vec<String> =
        rows.iter().zip(ras.translation.to_array()).map(|(r, t)| format!("[{}, {}, {}, {t}]", r.x, r.y, r.z)).collect();
    let what = if is_finite { "singular" } else { "not finite, or farther than a kilometer away" };
    Err(Error::malformed(format!("the {name} matrix is {what}, so the voxels have no place: [{}]", shown.join(", "))))
}

fn compare(header: &Header, sform: &DAffine3, qform: &DAffine3, path: &Path, warnings: &mut Warnings) {
    let apart = (0..8)
        .map(|c| {
            let end = |axis: usize| if c >> axis & 1 == 0 { 0.0 } else { header.size[axis] as f64 - 1.0 };
            let corner = DVec3::new(end(0), end(1), end(2));
            sform.transform_point3(corner).distance(qform.transform_point3(corner))
        })
        .fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
    if apart > 0.1 {
        let what = format!("the sform and qform matrices place voxels up to {apart:.1} mm apart; the sform was used");
        warnings.warn("sform-qform-differ", what, Some(path));
    }
}

/// Largest cosine between two axes.
fn shear(m: &DMat3) -> f64 {
    let [x, y, z] = [m.x_axis, m.y_axis, m.z_axis].map(DVec3::normalize);
    x.dot(y).abs().max(y.dot(z).abs()).max(z.dot(x).abs())
}

/// The matrix with perpendicular axes of the same lengths around the same middle, where it nearly has them.
fn repaired(ras: DAffine3, size: [usize; 3], path: &Path, warnings: &mut Warnings) -> DAffine3 {
    let shear = shear(&ras.matrix3);
    if shear <= SHEAR_ROUNDING {
        return ras;
    }
    if shear > SHEAR_LIMIT {
        let degrees = shear.min(1.0).asin().to_degrees();
        let what = format!("the voxel axes are {degrees:.2}° from perpendicular; they are kept as they are");
        warnings.warn("sheared-matrix", what, Some(path));
        return ras;
    }
    let what =
        format!("the voxel axes are perpendicular but for a cosine of {shear:.1e}; they were made so, around the same middle");
    warnings.note("matrix-repaired", what, Some(path));
    let m = ras.matrix3;
    let lengths = DVec3::new(m.x_axis.length(), m.y_axis.length(), m.z_axis.length());
    let unit = DMat3::from_cols(m.x_axis.normalize(), m.y_axis.normalize(), m.z_axis.normalize());
    // Newton's iteration for the nearest rotation (Higham 1986); four steps from 1e-3 reach rounding.
    let nearest = (0..4).fold(unit, |r, _| (r + r.inverse().transpose()) * 0.5);
    let matrix3 = nearest * DMat3::from_diagonal(lengths);
    let middle = DVec3::from_array(size.map(|n| (n as f64 - 1.0) / 2.0));
    DAffine3 { matrix3, translation: ras.transform_point3(middle) - matrix3 * middle }
}

/// Millimeters per unit, and whether the file named one.
fn length_unit(header: &Header, path: &Path, warnings: &mut Warnings) -> (f64, bool) {
    match header.units & 7 {
        1 => (1000.0, true),
        2 => (1.0, true),
        3 => (0.001, true),
        code => {
            let said =
                if code == 0 { "no unit of length".to_owned() } else { format!("an unknown unit of length (code {code})") };
            let what = format!("the file names {said}; millimeters are assumed for the picture, and no volumes are computed");
            warnings.warn("unit-unknown", what, Some(path));
            (1.0, false)
        }
    }
}

/// Time of each phase in ms, rounded to 0.1 µs; empty for one phase or where no time is given.
fn phase_times(header: &Header, path: &Path, warnings: &mut Warnings) -> Vec<f64> {
    let n = header.size[3];
    if n < 2 {
        return Vec::new();
    }
    let ms_per_unit = match header.units & 0x38 {
        8 => 1000.0,
        16 => 1.0,
        24 => 0.001,
        _ => 0.0,
    };
    let (step, first) = (header.pixdim[4], if header.toffset.is_finite() { header.toffset } else { 0.0 });
    if ms_per_unit == 0.0 || !step.is_finite() || step <= 0.0 {
        let what = format!("{n} phases without a known time between them; they are numbered only");
        warnings.note("phase-times-unknown", what, Some(path));
        return Vec::new();
    }
    // A hostile number of phases meets the check of the voxels before this list is made longer.
    (0..n.min(1 << 20)).map(|i| ((first + i as f64 * step) * ms_per_unit * 1e4).round() / 1e4).collect()
}
