//! One file: what it is, its headers, and its pixels still undecoded.

use super::codec::syntax_name;
use super::element::{DataSet, Element, u32_at};
use super::header::{FrameHeader, frame_headers};
use super::layout::{Color, Frames, Layout, Pixels, pixel_element};
use super::pixels::{Raw, raw_frame};
use super::segmentation::Segments;
use super::source::Source;
use super::waveform::waveform;
use crate::base::{Error, Limits, Result};
use crate::model::Ecg;
use dicom::dictionary_std::{tags, uids};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A file that holds an image.
#[derive(Debug)]
pub(super) struct Opened {
    pub path: PathBuf,
    bytes: Bytes,
    pixels: Pixels,
    pub layout: Layout,
    pub headers: Vec<FrameHeader>,
    /// Code and message of what was assumed or is missing.
    pub notes: Vec<(&'static str, String)>,
}

/// Where the bytes of a file are until its pixels are decoded.
#[derive(Debug)]
enum Bytes {
    /// In memory until its only frame is decoded.
    Once(Mutex<Option<Source>>),
    /// In memory: compressed frames, or no file to read again.
    Kept(Source),
    /// On disk, where memory is short or there are many uncompressed frames; the data set starts there where it
    /// stands as it is.
    OnDisk(Option<usize>),
}

impl Bytes {
    fn of(source: Source, path: &Path, keep: bool, pixels: &Pixels, is_bits: bool) -> Self {
        let is_file = !path.as_os_str().is_empty();
        let plain = matches!(pixels.frames, Frames::Native { .. }) && !pixels.swapped && !is_bits;
        match (pixels.n_frames, is_file) {
            (1, true) if keep => Self::Once(Mutex::new(Some(source))),
            (1, true) => Self::OnDisk(None),
            (_, true) if plain => Self::OnDisk(source.start_in_file()),
            _ => Self::Kept(source),
        }
    }
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    Image(Box<Opened>),
    /// A segmentation and what it says of its segments.
    Segmentation(Box<(Opened, Segments)>),
    /// An electrocardiogram.
    Waveform(Box<Ecg>),
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

/// Reads headers from the first bytes of a file of `size` bytes, where all before uncompressed pixels of an image lies in
/// them; `None` where the whole file is needed.
pub(super) fn open_head(path: &Path, head: &[u8], size: usize, file: usize, limits: &Limits) -> Option<Outcome> {
    let source = Source::open(head.to_vec(), limits).ok().filter(Source::is_native)?;
    let start = source.start_in_file()?;
    let data = source.data_set();
    let element = *pixel_element(&data).filter(|e| !e.undefined)?;
    // The length stands in the four bytes before the value.
    let declared = u32_at(source.body(), element.at.checked_sub(4)?, source.syntax.big)? as usize;
    let n_bytes = declared.min(size.checked_sub(start + element.at)?);
    let is_whole = element.value.len() < declared && data.elements.last().is_some_and(|e| e.tag == element.tag);
    let is_plain = Segments::find(&data).is_none() && data.find(tags::WAVEFORM_SEQUENCE).is_none() && other(&data).is_none();
    let layout = Layout::read(&data).ok().filter(|l| is_whole && is_plain && l.bits_allocated != 1)?;
    let pixels = Pixels::find(&data, &layout, &source.transfer_syntax, Some(n_bytes), limits).ok().filter(|p| !p.swapped)?;
    Some(Outcome::Image(Box::new(opened(path, &source, pixels, Bytes::OnDisk(Some(start)), layout, file))))
}

fn open_checked(path: &Path, bytes: Vec<u8>, file: usize, keep: bool, limits: &Limits) -> Result<Outcome> {
    let source = Source::open(bytes, limits)?;
    let data = source.data_set();
    let segments = Segments::find(&data).filter(|_| pixel_element(&data).is_some());
    if let Some(ecg) = waveform(&data, limits) {
        return ecg.map(|ecg| Outcome::Waveform(Box::new(ecg)));
    }
    if let Some(what) = other(&data).filter(|_| segments.is_none()) {
        return Ok(Outcome::Other(what));
    }
    let layout = Layout::read(&data)?;
    if source.is_native() == pixel_element(&data).is_some_and(|e| e.undefined) {
        return Err(Error::malformed(format!(
            "the pixel data do not match {}; convert the file again",
            syntax_name(&source.transfer_syntax)
        )));
    }
    let pixels = Pixels::find(&data, &layout, &source.transfer_syntax, None, limits)?;
    let mut opened = opened(path, &source, pixels, Bytes::OnDisk(None), layout, file);
    opened.bytes = Bytes::of(source, path, keep, &opened.pixels, layout.bits_allocated == 1);
    Ok(match segments {
        Some(segments) => Outcome::Segmentation(Box::new((opened, segments))),
        None => Outcome::Image(Box::new(opened)),
    })
}

fn opened(path: &Path, source: &Source, pixels: Pixels, bytes: Bytes, layout: Layout, file: usize) -> Opened {
    let mut headers = frame_headers(&source.data_set(), layout, pixels.n_frames);
    headers.iter_mut().for_each(|header| header.file = file);
    let notes = notes(source, &layout, &pixels);
    Opened { path: path.to_path_buf(), bytes, pixels, layout, headers, notes }
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
    /// Decodes one frame and hands it to `use_frame`. The bytes of a file with one frame go with it; asked again,
    /// they are read again.
    pub fn with_frame(&self, frame: usize, limits: &Limits, use_frame: impl FnOnce(&Raw<'_>)) -> Result<()> {
        let own;
        let source = match &self.bytes {
            Bytes::Kept(source) => source,
            Bytes::OnDisk(Some(start)) => return self.with_range(*start, frame, use_frame),
            Bytes::OnDisk(None) => {
                own = self.read_again(limits)?;
                &own
            }
            Bytes::Once(once) => {
                let taken = once.lock().unwrap_or_else(PoisonError::into_inner).take();
                own = taken.map_or_else(|| self.read_again(limits), Ok)?;
                &own
            }
        };
        use_frame(&raw_frame(source.body(), &self.pixels, &self.layout, frame).map_err(|e| e.at(&self.path))?);
        Ok(())
    }

    fn read_again(&self, limits: &Limits) -> Result<Source> {
        let bytes = std::fs::read(&self.path).map_err(|e| Error::io("reading", e, &self.path))?;
        Source::open(bytes, limits)
    }

    /// Reads only the bytes of one uncompressed frame.
    fn with_range(&self, start: usize, frame: usize, use_frame: impl FnOnce(&Raw<'_>)) -> Result<()> {
        let failed = |e| Error::io("reading", e, &self.path);
        let Frames::Native { at } = self.pixels.frames else { return Err(Error::malformed("no frame at a known place")) };
        let size = self.layout.frame_bytes();
        let place = frame.checked_mul(size).and_then(|o| o.checked_add(start + at));
        let place = place.ok_or_else(|| Error::malformed(format!("frame {frame} is not in the file")))?;
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(place as u64)).map_err(failed)?;
        let mut bytes = vec![0; size];
        file.read_exact(&mut bytes).map_err(failed)?;
        let alone = Pixels { frames: Frames::Native { at: 0 }, ..self.pixels.clone() };
        use_frame(&raw_frame(&bytes, &alone, &self.layout, 0).map_err(|e| e.at(&self.path))?);
        Ok(())
    }
}
