//! A section bound to one plane of a heart: landmarks, the chosen model, the fitted warp, its quality.

use super::{ElementId, Landmarks};
use crate::space::{Plane, Warp};

/// Which family of maps is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransformModel {
    /// Shift only.
    Translation,
    /// Rotation and shift.
    Rigid,
    /// Rotation, one scale and shift.
    Similarity,
    /// Any linear map and shift.
    Affine,
    /// Thin-plate spline.
    ThinPlate,
    /// Moving least squares, rigid.
    MlsRigid,
    /// Moving least squares, similarity.
    MlsSimilarity,
    /// Moving least squares, affine.
    MlsAffine,
}

impl TransformModel {
    /// All, simplest first.
    pub const ALL: [Self; 8] = [
        Self::Translation,
        Self::Rigid,
        Self::Similarity,
        Self::Affine,
        Self::ThinPlate,
        Self::MlsRigid,
        Self::MlsSimilarity,
        Self::MlsAffine,
    ];

    /// The word used on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Translation => "translation",
            Self::Rigid => "rigid",
            Self::Similarity => "similarity",
            Self::Affine => "affine",
            Self::ThinPlate => "tps",
            Self::MlsRigid => "mls-rigid",
            Self::MlsSimilarity => "mls-similarity",
            Self::MlsAffine => "mls-affine",
        }
    }

    /// The model of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// How many pairs a fit needs in the plane.
    #[must_use]
    pub fn least_pairs(self) -> usize {
        match self {
            Self::Translation => 1,
            Self::Rigid | Self::Similarity => 2,
            _ => 3,
        }
    }
}

/// An error in mm at one named pair.
#[derive(Clone, Debug, PartialEq)]
pub struct PairError {
    /// The pair.
    pub name: String,
    /// Distance in mm; `None` where it could not be computed (too few pairs without it).
    pub error_mm: Option<f64>,
}

/// Whether the landmarks look mirrored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mirror {
    /// The reflected similarity fits much better than the proper one.
    pub suspected: bool,
    /// RMS of the proper similarity in mm.
    pub rms_proper_mm: f64,
    /// RMS of the similarity with reflection in mm.
    pub rms_reflected_mm: f64,
}

/// How good a fit is.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// Number of active complete pairs.
    pub n_pairs: usize,
    /// Root of the mean squared residual in mm; `None` for a transform from a file, which does not say it.
    pub rms_mm: Option<f64>,
    /// Residual per pair.
    pub residuals: Vec<PairError>,
    /// Error at each pair when it is left out of the fit.
    pub leave_one_out: Vec<PairError>,
    /// Median of the leave-one-out errors, where any could be computed.
    pub leave_one_out_median_mm: Option<f64>,
    /// Mirrored? `None` where there are no pairs to tell it from.
    pub mirror: Option<Mirror>,
    /// Pairs whose fixed points look exchanged, by name.
    pub swapped_pairs: Vec<[String; 2]>,
    /// Negative Jacobians on a 64 × 64 grid over the moving points' bounds.
    pub folds: usize,
    /// The linear scale of the best similarity (1 is unchanged).
    pub scale: f64,
}

impl Quality {
    /// Where the landmarks look mirrored, how much better the reflected fit is.
    #[must_use]
    pub fn suspected_mirror(&self) -> Option<Mirror> {
        self.mirror.filter(|m| m.suspected)
    }
}

/// A fitted warp.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Plane mm from section mm.
    pub plane_from_section: Warp,
    /// Its quality.
    pub quality: Quality,
}

/// A section bound to one plane in the heart.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The moving section.
    pub section: ElementId,
    /// The fixed volume or cine.
    pub heart: ElementId,
    /// Where the section was cut; fixed points are projected on it.
    pub plane: Plane,
    /// Half the slice thickness in mm: a fixed point farther from the plane is flagged.
    pub half_slice_mm: f64,
    /// The pairs.
    pub landmarks: Landmarks,
    /// Which family of maps.
    pub model: TransformModel,
    /// Smoothing of the thin plate (0: exact).
    pub stiffness: f64,
    /// The section lies face down: its x is mirrored about this section x (mm) before the fit.
    pub flip_x_mm: Option<f64>,
    /// The fit, where there are enough pairs.
    pub fit: Option<Fit>,
    /// Why there is no fit, in one sentence.
    pub problem: Option<String>,
    /// The chain uses the fit; switched off it is kept, but leads nowhere.
    pub enabled: bool,
}

impl Registration {
    /// The fit that the chain uses: none where there is none or where the link is switched off.
    #[must_use]
    pub fn used_fit(&self) -> Option<&Fit> {
        self.fit.as_ref().filter(|_| self.enabled)
    }
}
