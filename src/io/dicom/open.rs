//! One file: what it is, its headers, and its pixels still undecoded.

use super::codec::syntax_name;
use super::element::{DataSet, Element};
use super::header::{FrameHeader, frame_headers};
use super::layout::{Color, Layout, Pixels, pixel_element};
use super::pixels::{Raw, raw_frame};
use super::source::Source;
use crate::base::{Error, Limits, Result};
use dicom::dictionary_std::{tags, uids};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A file that holds an image.
#[derive(Debug)]
pub(super) struct Opened {
    pub path: PathBuf,
    /// `None` where memory is short: read again for its pixels.
    source: Option<Source>,
    pixels: Pixels,
    pub layout: Layout,
    pub headers: Vec<FrameHeader>,
    /// Code and message of what was assumed or is missing.
    pub notes: Vec<(&'static str, String)>,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    Image(Box<Opened>),
    /// DICOM, but not an image: what it is.
    Other(String),
    Failed(Error),
}

/// Modalities whose pixels, if any, are not an image of the heart.
const OTHER_MODALITIES: [&str; 16] =
    ["SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "SR", "KO", "PR", "ECG", "HD", "SM", "DOC", "REG", "AU", "FID", "PLAN"];

/// Names of common SOP classes (PS3.6 A) that are not images.
const OTHER_CLASSES: [(&str, &str); 20] = [
    (uids::MEDIA_STORAGE_DIRECTORY_STORAGE, "Media Storage Directory"),
    (uids::SEGMENTATION_STORAGE, "Segmentation Storage"),
    (uids::SURFACE_SEGMENTATION_STORAGE, "Surface Segmentation Storage"),
    (uids::LABEL_MAP_SEGMENTATION_STORAGE, "Label Map Segmentation Storage"),
    (uids::RT_STRUCTURE_SET_STORAGE, "RT Structure Set Storage"),
    (uids::RT_DOSE_STORAGE, "RT Dose Storage"),
    (uids::RT_PLAN_STORAGE, "RT Plan Storage"),
    (uids::BASIC_TEXT_SR_STORAGE, "Basic Text SR Storage"),
    (uids::ENHANCED_SR_STORAGE, "Enhanced SR Storage"),
    (uids::COMPREHENSIVE_SR_STORAGE, "Comprehensive SR Storage"),
    (uids::COMPREHENSIVE3_DSR_STORAGE, "Comprehensive 3D SR Storage"),
    (uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE, "Key Object Selection Document Storage"),
    (uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE, "Grayscale Softcopy Presentation State Storage"),
    (uids::TWELVE_LEAD_ECG_WAVEFORM_STORAGE, "12-lead ECG Waveform Storage"),
    (uids::GENERAL_ECG_WAVEFORM_STORAGE, "General ECG Waveform Storage"),
    (uids::HEMODYNAMIC_WAVEFORM_STORAGE, "Hemodynamic Waveform Storage"),
    (uids::ENCAPSULATED_PDF_STORAGE, "Encapsulated PDF Storage"),
    (uids::SPATIAL_REGISTRATION_STORAGE, "Spatial Registration Storage"),
    (uids::RAW_DATA_STORAGE, "Raw Data Storage"),
    (uids::VL_WHOLE_SLIDE_MICROSCOPY_IMAGE_STORAGE, "VL Whole Slide Microscopy Image Storage"),
];

/// Reads headers of a file in memory. `keep` keeps its bytes for the pixels.
pub(super) fn open(path: &Path, bytes: Vec<u8>, file: usize, keep: bool, limits: &Limits) -> Outcome {
    match open_checked(path, bytes, file, keep, limits) {
        Ok(outcome) => outcome,
        Err(e) => Outcome::Failed(e.at(path)),
    }
}

fn open_checked(path: &Path, bytes: Vec<u8>, file: usize, keep: bool, limits: &Limits) -> Result<Outcome> {
    let source = Source::open(bytes, limits)?;
    let data = source.data_set();
    if let Some(what) = other(&data) {
        return Ok(Outcome::Other(what));
    }
    let layout = Layout::read(&data)?;
    if source.is_native() == pixel_element(&data).is_some_and(|e| e.undefined) {
        return Err(Error::malformed(format!(
            "the pixel data do not match {}; convert the file again",
            syntax_name(&source.transfer_syntax)
        )));
    }
    let pixels = Pixels::find(&data, &layout, &source.transfer_syntax, limits)?;
    let mut headers = frame_headers(&data, layout, pixels.n_frames);
    for header in &mut headers {
        header.file = file;
    }
    let notes = notes(&source, &layout, &pixels);
    let keep = keep || pixels.n_frames > 1;
    Ok(Outcome::Image(Box::new(Opened {
        path: path.to_path_buf(),
        source: keep.then_some(source),
        pixels,
        layout,
        headers,
        notes,
    })))
}

/// What a file without an image is; `None` where it has one.
fn other(data: &DataSet<'_>) -> Option<String> {
    let modality = data.find(tags::MODALITY).map(Element::text).unwrap_or_default();
    let has_pixels = pixel_element(data).is_some();
    let damaged = !data.complete && data.find(tags::ROWS).is_some();
    if (has_pixels || damaged) && !OTHER_MODALITIES.contains(&modality.as_str()) {
        return None;
    }
    let uid = data.find(tags::SOP_CLASS_UID).map(Element::text).unwrap_or_default();
    let name = OTHER_CLASSES.iter().find(|(known, _)| *known == uid).map(|(_, name)| (*name).to_owned());
    Some(name.unwrap_or_else(|| match (modality.as_str(), uid.as_str()) {
        ("", "") => "a data set without pixels".to_owned(),
        (modality, uid) => format!("{modality} object of SOP class {uid}"),
    }))
}

fn notes(source: &Source, layout: &Layout, pixels: &Pixels) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if pixels.n_frames < pixels.declared_frames {
        notes.push((
            "truncated",
            format!(
                "{} of {} frames are complete; the rest of the file is missing, copy it again",
                pixels.n_frames, pixels.declared_frames
            ),
        ));
    }
    if source.irregular {
        notes.push((
            "irregular-file",
            format!(
                "preamble, meta group or transfer syntax are missing or wrong; read as {}",
                syntax_name(&source.transfer_syntax)
            ),
        ));
    }
    if layout.color != Color::Gray {
        notes.push(("color-as-gray", "color pixels are shown as luminance (BT.601)".to_owned()));
    }
    if layout.inverted {
        notes.push((
            "inverted-gray",
            "the file asks for white at the lowest value (MONOCHROME1); stored values are kept".to_owned(),
        ));
    }
    notes
}

impl Opened {
    /// Decodes one frame and hands it to `use_frame`.
    pub fn with_frame(&self, frame: usize, limits: &Limits, use_frame: impl FnOnce(&Raw<'_>)) -> Result<()> {
        let source = match &self.source {
            Some(source) => Cow::Borrowed(source.body()),
            None => {
                let bytes = std::fs::read(&self.path).map_err(|e| Error::io("reading", e, &self.path))?;
                Cow::Owned(Source::open(bytes, limits)?.body().to_vec())
            }
        };
        use_frame(&raw_frame(&source, &self.pixels, &self.layout, frame).map_err(|e| e.at(&self.path))?);
        Ok(())
    }
}
