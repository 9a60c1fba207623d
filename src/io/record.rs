//! Mirror types of the study for disk: what the project file and the journal hold. Renaming a field of
//! the model never changes a file; elements are named by their input and are read again.

use super::record_labels::BlankRecord;
use crate::base::{Error, Result};
use crate::model::{
    ColorMap, ElementId, Excluded, Exclusion, Landmark, Landmarks, Layer, LayerKind, PixelSize, Range, Registration,
    TransformModel,
};
use crate::space::{DVec2, DVec3, Plane};
use serde::{Deserialize, Serialize};

/// Where an element comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceRecord {
    /// An input file or folder by its key, and which of the things found in it.
    Input {
        /// See [`InputRecord::key`].
        key: String,
        /// Number among the things found there.
        item: usize,
    },
    /// The built-in case.
    Demo {
        /// Its seed.
        seed: u64,
        /// Which of its elements.
        item: usize,
    },
    /// A segmentation begun here: empty, on this grid; what was drawn is in the history.
    Blank(BlankRecord),
}

/// A linked file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// First 16 hexadecimal digits of the SHA-256 of the path; stands for the path in the journal.
    pub key: String,
    /// Relative to the project file, with `/`.
    pub relative: String,
    /// Absolute, for when the project moved alone.
    pub absolute: String,
    /// Sum of the sizes of the files in bytes.
    pub size: u64,
    /// SHA-256 of the file; of a folder, of its sorted list of names, sizes and digests.
    pub sha256: String,
    /// Whether the bytes are inside the project file.
    pub embedded: bool,
}

/// One element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElementRecord {
    /// Its number in the study.
    pub id: u64,
    /// Name on screen.
    pub name: String,
    /// Where it comes from.
    pub source: SourceRecord,
    /// Pixel size in µm where a person typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_um_per_px: Option<f64>,
    /// What a person corrected, as `slice-spacing:8`, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mends: Vec<String>,
}

/// One landmark pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRecord {
    /// Its name.
    pub name: String,
    /// Section mm.
    pub moving_mm: Option<[f64; 2]>,
    /// Patient LPS mm.
    pub fixed_lps_mm: Option<[f64; 3]>,
    /// Used by the fit.
    pub active: bool,
}

/// One registration; the fit is computed again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrationRecord {
    /// Moving section.
    pub section: u64,
    /// Fixed volume.
    pub heart: u64,
    /// Plane: origin, right, down in LPS mm.
    pub plane_lps: [[f64; 3]; 3],
    /// Half the slice thickness.
    pub half_slice_mm: f64,
    /// The pairs.
    pub pairs: Vec<PairRecord>,
    /// As on the command line.
    pub model: String,
    /// Smoothing of the thin plate.
    pub stiffness: f64,
    /// Section x of the mirror line, where the section is flipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip_x_mm: Option<f64>,
    /// The chain uses it; absent where it does.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(on: &bool) -> bool {
    *on
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// The element.
    pub element: u64,
    /// How it is drawn.
    pub kind: LayerKindRecord,
    /// Drawn at all.
    pub visible: bool,
    /// 0 to 1.
    pub opacity: f64,
}

/// Kind of a layer with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKindRecord {
    /// Cut of a volume.
    Image {
        /// Window.
        low: f64,
        /// Window.
        high: f64,
        /// By name.
        color_map: String,
        /// Trilinear.
        smooth: bool,
    },
    /// Segmentation.
    Labels {
        /// Opacity of the fill.
        fill: f64,
        /// Outline in pixels.
        outline_px: f64,
    },
    /// Histology.
    Picture,
    /// Spots.
    Spots {
        /// Gene or column.
        color_by: Option<String>,
        /// Normalized.
        log_normalized: bool,
        /// By name.
        color_map: String,
        /// Limits (low, high, rule).
        range: Option<(f64, f64, String)>,
    },
}

impl From<&Registration> for RegistrationRecord {
    fn from(r: &Registration) -> Self {
        let pair = |l: &Landmark| PairRecord {
            name: l.name.clone(),
            moving_mm: l.moving.map(|p| p.to_array()),
            fixed_lps_mm: l.fixed.map(|p| p.to_array()),
            active: l.active,
        };
        Self {
            section: r.section.0,
            heart: r.heart.0,
            plane_lps: [r.plane.origin(), r.plane.right(), r.plane.down()].map(|v| v.to_array()),
            half_slice_mm: r.half_slice_mm,
            pairs: r.landmarks.pairs.iter().map(pair).collect(),
            model: r.model.name().to_owned(),
            stiffness: r.stiffness,
            flip_x_mm: r.flip_x_mm,
            enabled: r.enabled,
        }
    }
}

impl RegistrationRecord {
    /// The registration without its fit; refused where the plane or the model makes no sense.
    pub fn to_registration(&self) -> Result<Registration> {
        let [origin, right, down] = self.plane_lps.map(DVec3::from_array);
        let model = TransformModel::from_name(&self.model)
            .ok_or_else(|| Error::malformed(format!("no transform model is called {:?}", self.model)))?;
        let pair = |p: &PairRecord| Landmark {
            name: p.name.clone(),
            moving: p.moving_mm.map(DVec2::from_array),
            fixed: p.fixed_lps_mm.map(DVec3::from_array),
            active: p.active,
        };
        Ok(Registration {
            section: ElementId(self.section),
            heart: ElementId(self.heart),
            plane: Plane::new(origin, right, down)?,
            half_slice_mm: self.half_slice_mm,
            landmarks: Landmarks { pairs: self.pairs.iter().map(pair).collect() },
            model,
            stiffness: self.stiffness,
            flip_x_mm: self.flip_x_mm,
            fit: None,
            problem: None,
            enabled: self.enabled,
        })
    }
}

impl From<&Layer> for LayerRecord {
    fn from(layer: &Layer) -> Self {
        let kind = match &layer.kind {
            LayerKind::Image { low, high, color_map, smooth } => {
                LayerKindRecord::Image { low: *low, high: *high, color_map: color_map.name().into(), smooth: *smooth }
            }
            LayerKind::Labels { fill, outline_px } => LayerKindRecord::Labels { fill: *fill, outline_px: *outline_px },
            LayerKind::Picture => LayerKindRecord::Picture,
            LayerKind::Spots { color_by, log_normalized, color_map, range } => LayerKindRecord::Spots {
                color_by: color_by.clone(),
                log_normalized: *log_normalized,
                color_map: color_map.name().into(),
                range: range.as_ref().map(|r| (r.low, r.high, r.rule.clone())),
            },
        };
        Self { element: layer.element.0, kind, visible: layer.visible, opacity: layer.opacity }
    }
}

impl LayerRecord {
    /// The layer; an unknown color map becomes the default.
    #[must_use]
    pub fn to_layer(&self) -> Layer {
        let map = |name: &str| ColorMap::from_name(name).unwrap_or_default();
        let kind = match &self.kind {
            LayerKindRecord::Image { low, high, color_map, smooth } => {
                LayerKind::Image { low: *low, high: *high, color_map: map(color_map), smooth: *smooth }
            }
            LayerKindRecord::Labels { fill, outline_px } => LayerKind::Labels { fill: *fill, outline_px: *outline_px },
            LayerKindRecord::Picture => LayerKind::Picture,
            LayerKindRecord::Spots { color_by, log_normalized, color_map, range } => LayerKind::Spots {
                color_by: color_by.clone(),
                log_normalized: *log_normalized,
                color_map: map(color_map),
                range: range.clone().map(|(low, high, rule)| Range { low, high, rule }),
            },
        };
        Layer { element: ElementId(self.element), kind, visible: self.visible, opacity: self.opacity }
    }
}

/// Something left out, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExclusionRecord {
    /// A subject of a cohort.
    Subject {
        /// The cohort.
        element: u64,
        /// Pseudonym.
        subject: String,
        /// Why.
        reason: String,
    },
    /// A slice.
    Slice {
        /// The volume or segmentation.
        element: u64,
        /// From 0.
        slice: usize,
        /// Why.
        reason: String,
    },
    /// Spots.
    Spots {
        /// The section.
        element: u64,
        /// Their names.
        names: Vec<String>,
        /// Why.
        reason: String,
    },
}

impl From<&Exclusion> for ExclusionRecord {
    fn from(e: &Exclusion) -> Self {
        let reason = e.reason.clone();
        match &e.what {
            Excluded::Subject { cohort, subject } => Self::Subject { element: cohort.0, subject: subject.clone(), reason },
            Excluded::Slice { element, slice } => Self::Slice { element: element.0, slice: *slice, reason },
            Excluded::Spots { section, names } => Self::Spots { element: section.0, names: names.clone(), reason },
        }
    }
}

impl ExclusionRecord {
    /// The exclusion.
    #[must_use]
    pub fn to_exclusion(&self) -> Exclusion {
        let (what, reason) = match self.clone() {
            Self::Subject { element, subject, reason } => (Excluded::Subject { cohort: ElementId(element), subject }, reason),
            Self::Slice { element, slice, reason } => (Excluded::Slice { element: ElementId(element), slice }, reason),
            Self::Spots { element, names, reason } => (Excluded::Spots { section: ElementId(element), names }, reason),
        };
        Exclusion { what, reason }
    }
}

/// The typed pixel size of a section, where a person gave one.
#[must_use]
pub fn typed_um_per_px(size: &PixelSize) -> Option<f64> {
    match size {
        PixelSize::Known { um_per_px, source } if source == TYPED => Some(*um_per_px),
        _ => None,
    }
}

/// The source of a pixel size that a person typed.
pub const TYPED: &str = "typed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_survives() {
        let record = RegistrationRecord {
            section: 4,
            heart: 1,
            plane_lps: [[1.0, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            half_slice_mm: 4.0,
            pairs: vec![PairRecord { name: "apex".into(), moving_mm: Some([0.1, 0.2]), fixed_lps_mm: None, active: true }],
            model: "tps".into(),
            stiffness: 0.5,
            flip_x_mm: Some(3.0),
            enabled: false,
        };
        let text = serde_json::to_string(&record).unwrap();
        let back: RegistrationRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(RegistrationRecord::from(&back.to_registration().unwrap()), record);
    }
}
