//! Named spaces and the affine maps between them.

use super::{DAffine3, DMat3, DVec3};
use crate::base::{Error, Result};
use std::fmt;

/// A coordinate space. The number is the id of the element whose space it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// DICOM patient LPS in millimeters.
    Patient,
    /// Voxel indices of a volume; whole numbers are centers.
    Voxel(u64),
    /// Full-resolution pixels of a section's picture; whole numbers are centers, y down.
    Pixel(u64),
    /// Section millimeters: origin at the first pixel center, y down.
    Section(u64),
    /// Millimeters within the heart plane that a section is bound to: x right, y down.
    Plane(u64),
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patient => f.write_str("patient LPS"),
            Self::Voxel(id) => write!(f, "voxel {id}"),
            Self::Pixel(id) => write!(f, "pixel {id}"),
            Self::Section(id) => write!(f, "section {id}"),
            Self::Plane(id) => write!(f, "plane {id}"),
        }
    }
}

/// A linear map between two named spaces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Where points come out.
    pub to: Space,
    /// Where points go in.
    pub from: Space,
    /// The 3×4 matrix, column vectors.
    pub matrix: DAffine3,
}

impl Affine {
    /// The map that applies `first`, then `self`; an error where the names do not meet.
    pub fn after(&self, first: &Self) -> Result<Self> {
        if self.from != first.to {
            return Err(Error::parameter(format!(
                "cannot chain {} ← {} after {} ← {}",
                self.to, self.from, first.to, first.from
            )));
        }
        Ok(Self { to: self.to, from: first.from, matrix: self.matrix * first.matrix })
    }

    /// The inverse; an error where the matrix is singular.
    pub fn inverse(&self) -> Result<Self> {
        let det = self.matrix.matrix3.determinant();
        if !det.is_finite() || det.abs() < 1e-18 {
            return Err(Error::degenerate(format!(
                "the affine {} ← {} has no inverse (determinant {det:e})",
                self.to, self.from
            )));
        }
        Ok(Self { to: self.from, from: self.to, matrix: self.matrix.inverse() })
    }
}

/// LPS from RAS (`NIfTI`): x and y change sign. It is its own inverse.
#[must_use]
pub fn lps_from_ras() -> DAffine3 {
    DAffine3 { matrix3: DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 1.0)), translation: DVec3::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_meet() {
        let a = Affine { to: Space::Patient, from: Space::Voxel(1), matrix: DAffine3::from_scale(DVec3::splat(2.0)) };
        let b = Affine { to: Space::Voxel(2), from: Space::Patient, matrix: DAffine3::IDENTITY };
        assert!(a.after(&b).is_err());
        assert_eq!(b.after(&a).unwrap().from, Space::Voxel(1));
        assert_eq!(a.inverse().unwrap().matrix.transform_point3(DVec3::splat(2.0)), DVec3::ONE);
    }
}
