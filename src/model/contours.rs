//! Drawn outlines of the heart: lines in the patient, or on pixels of an image that is named.

use crate::space::{DAffine3, DVec3};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a line goes around.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Border {
    /// Cavity of the left ventricle.
    Endo,
    /// Cavity and wall of the left ventricle.
    Epi,
    /// Cavity of the right ventricle.
    RvEndo,
    /// Cavity and wall of the right ventricle.
    RvEpi,
    /// A papillary muscle.
    Papillary,
    /// A label of this value.
    Label(u8),
    /// Anything else, by the word of its file.
    Other(String),
}

impl Border {
    /// Word in tables: `endo`, `epi`, `rv-endo`, `rv-epi`, `papillary`, `label-4`, or as the file says.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Endo => "endo".into(),
            Self::Epi => "epi".into(),
            Self::RvEndo => "rv-endo".into(),
            Self::RvEpi => "rv-epi".into(),
            Self::Papillary => "papillary".into(),
            Self::Label(value) => format!("label-{value}"),
            Self::Other(name) => name.clone(),
        }
    }

    /// The border of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let label = || name.strip_prefix("label-").and_then(|n| n.parse().ok()).filter(|n| *n > 0).map(Self::Label);
        match name {
            "endo" => Self::Endo,
            "epi" => Self::Epi,
            "rv-endo" => Self::RvEndo,
            "rv-epi" => Self::RvEpi,
            "papillary" => Self::Papillary,
            _ => label().unwrap_or_else(|| Self::Other(name.to_owned())),
        }
    }
}

/// The image that a line in pixels was drawn on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageName {
    /// Its number in the series (DICOM Instance Number).
    Number(u32),
    /// Its unique identifier (DICOM SOP Instance UID).
    Uid(String),
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    /// What it goes around.
    pub border: Border,
    /// `sax`, `2ch`, `3ch`, `4ch`, `lax`, or empty where unknown.
    pub view: String,
    /// Number of the slice in its file.
    pub slice: i64,
    /// Phase, from 0.
    pub phase: usize,
    /// Whether the last point is joined to the first.
    pub closed: bool,
    /// Points: see [`ContourSpace`].
    pub points: Vec<DVec3>,
    /// The image, for lines on pixels.
    pub image: Option<ImageName>,
}

/// Where points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContourSpace {
    /// Patient LPS mm.
    Patient,
    /// Column and row of the named image, whole numbers are pixel centers; z is 0.
    Pixels,
    /// Millimeters in a picture that has no place in the patient; z is 0.
    Picture,
}

/// Lines of one file or folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Contours {
    /// What they are called on screen.
    pub name: String,
    /// Where their points are.
    pub space: ContourSpace,
    /// The lines.
    pub lines: Vec<Contour>,
}

/// DICOM identifiers of a series; never shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesIds {
    /// Study Instance UID.
    pub study: String,
    /// Series Instance UID.
    pub series: String,
    /// Frame of Reference UID.
    pub frame_of_reference: String,
    /// SOP Class UID of its images.
    pub class: String,
}

/// Where an image of a series lies in a volume and in the patient.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagePlace {
    /// DICOM Instance Number.
    pub number: Option<u32>,
    /// DICOM SOP Instance UID; an identifier, never shown.
    pub uid: String,
    /// The series that it belongs to.
    pub series: Arc<SeriesIds>,
    /// Slice of the volume.
    pub slice: usize,
    /// Phase of the volume.
    pub phase: usize,
    /// Patient mm from column and row.
    pub lps_from_pixel: DAffine3,
}

impl Contours {
    /// Number of phases: the last phase that has a line, counted from 1.
    #[must_use]
    pub fn n_phases(&self) -> usize {
        self.lines.iter().map(|l| l.phase + 1).max().unwrap_or(0)
    }

    /// Lines on pixels brought into the patient by their images, with slice and phase of the volume; and the number
    /// of lines whose image is not among these. Lines that are in the patient already stay as they are.
    /// O((lines + images) log images).
    #[must_use]
    pub fn placed(&self, images: &[ImagePlace]) -> (Self, usize) {
        if self.space != ContourSpace::Pixels {
            return (self.clone(), 0);
        }
        let mut of: BTreeMap<ImageName, &ImagePlace> = BTreeMap::new();
        for place in images {
            of.entry(ImageName::Uid(place.uid.clone())).or_insert(place);
            if let Some(number) = place.number {
                of.entry(ImageName::Number(number)).or_insert(place);
            }
        }
        let place = |line: &Contour| {
            let place = of.get(line.image.as_ref()?)?;
            let points = line.points.iter().map(|p| place.lps_from_pixel.transform_point3(*p)).collect();
            Some(Contour { points, slice: place.slice as i64, phase: place.phase, ..line.clone() })
        };
        let lines: Vec<Contour> = self.lines.iter().filter_map(place).collect();
        let n_without = self.lines.len() - lines.len();
        (Self { name: self.name.clone(), space: ContourSpace::Patient, lines }, n_without)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for name in ["endo", "epi", "rv-endo", "rv-epi", "papillary", "label-7", "label-0", "anything"] {
            assert_eq!(Border::from_name(name).name(), name);
        }
        assert_eq!(Border::from_name("label-300"), Border::Other("label-300".into()));
    }

    #[test]
    fn lines_go_where_their_image_is() {
        let line = |n| Contour {
            border: Border::Endo,
            view: String::new(),
            slice: n,
            phase: 0,
            closed: true,
            points: vec![DVec3::new(1.0, 2.0, 0.0)],
            image: Some(ImageName::Number(n as u32)),
        };
        let contours = Contours { name: "c".into(), space: ContourSpace::Pixels, lines: vec![line(5), line(6)] };
        let lps_from_pixel = DAffine3::from_translation(DVec3::new(10.0, 0.0, 3.0));
        let series = Arc::default();
        let images = [ImagePlace { number: Some(6), uid: String::new(), series, slice: 2, phase: 4, lps_from_pixel }];
        let (placed, n_without) = contours.placed(&images);
        assert_eq!((n_without, placed.lines.len(), placed.n_phases()), (1, 1, 5));
        assert_eq!((placed.lines[0].slice, placed.lines[0].points[0]), (2, DVec3::new(11.0, 2.0, 3.0)));
    }
}
