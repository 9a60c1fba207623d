//! What is read of each frame before its pixels: place, time, series and how values are stored.
//! In enhanced multi-frame files a frame's own functional groups come before the shared ones.

use super::element::{DataSet, items};
use super::layout::Layout;
use crate::space::DVec3;
use dicom::core::Tag;
use dicom::dictionary_std::tags;

/// Tags that may order phases, in the order in which they are tried, and how they are called.
pub(super) const PHASE_TAGS: [&str; 8] = [
    "TriggerTime",
    "NominalPercentageOfCardiacPhase",
    "TemporalPositionIdentifier",
    "ContentTime",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "InstanceNumber",
    "frame number",
];

/// Name of the patient who does not exist, in files written here.
pub(super) const SYNTHETIC_PATIENT: &str = "MYOSCOPE^DEMO";

/// One frame, before its pixels are decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameHeader {
    /// Number of the file in the reading.
    pub file: usize,
    /// Number of the frame in the file.
    pub frame: usize,
    /// Frames of that file.
    pub n_frames: usize,
    pub class_uid: String,
    pub sop_uid: String,
    pub study_uid: String,
    pub series_uid: String,
    pub frame_of_reference: String,
    pub series_number: i64,
    /// Series description without anything that names the patient.
    pub description: String,
    pub modality: String,
    /// Empty for magnitude, else `phase`, `real` or `imaginary`.
    pub component: &'static str,
    pub layout: Layout,
    /// Center of the first voxel in patient mm.
    pub position: Option<DVec3>,
    /// Unit directions of increasing column and row index.
    pub axes: Option<(DVec3, DVec3)>,
    /// Distance between columns and between rows (x, y), mm.
    pub spacing_mm: Option<(f64, f64)>,
    /// `SpacingBetweenSlices`, else `SliceThickness`.
    pub slice_mm: Option<f64>,
    /// Values of [`PHASE_TAGS`].
    pub phase_tags: [Option<f64>; 8],
    pub rr_ms: Option<f64>,
    pub frame_time_ms: Option<f64>,
    /// Acquisition number, date and time, instance: later is larger.
    pub acquired: [f64; 3],
    pub rescale: (f64, f64),
    pub unit: String,
    /// Center and width.
    pub window: Option<(f64, f64)>,
    /// Number of the segment that a frame of a segmentation shows.
    pub segment: Option<u16>,
}

/// Data sets in which a tag is looked for, nearest first.
struct Layers<'a>(Vec<&'a DataSet<'a>>);

impl Layers<'_> {
    fn text(&self, tag: Tag) -> String {
        self.0.iter().find_map(|d| d.find(tag)).map_or_else(String::new, super::element::Element::text)
    }

    fn numbers(&self, tag: Tag, vr: [u8; 2]) -> Vec<f64> {
        self.0.iter().find_map(|d| d.find(tag).map(|e| e.numbers(vr, d.syntax.big))).unwrap_or_default()
    }

    fn number(&self, tag: Tag, vr: [u8; 2]) -> Option<f64> {
        self.numbers(tag, vr).first().copied().filter(|v| v.is_finite())
    }

    fn decimal(&self, tag: Tag) -> Option<f64> {
        self.number(tag, *b"DS")
    }

    fn positive(&self, tag: Tag) -> Option<f64> {
        self.decimal(tag).filter(|v| *v > 1e-6 && *v < 1e6)
    }
}

/// Headers of the first `n_frames` frames of a file.
pub(super) fn frame_headers(data: &DataSet<'_>, layout: Layout, n_frames: usize) -> Vec<FrameHeader> {
    let per_frame = data.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let shared = data.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first().map(flatten);
    let mut base = FrameHeader { n_frames, layout, ..describe(data) };
    base.spacing_mm = ultrasound_spacing(data);
    let times = frame_times(data);
    (0..n_frames)
        .map(|frame| {
            let own = per_frame.get(frame).map(flatten);
            let layers = Layers(own.iter().chain(shared.iter()).chain([data]).collect());
            let mut header = place(&layers, &base);
            header.frame = frame;
            header.frame_time_ms = times.as_ref().and_then(|t| t.at(frame));
            header.phase_tags = phase_tags(&layers, if n_frames > 1 { Some(frame as f64) } else { None });
            header.acquired = acquired(&layers, &header);
            header
        })
        .collect()
}

/// First items of all sequences of a functional-group item, as one level.
fn flatten<'a>(group: &DataSet<'a>) -> DataSet<'a> {
    let mut elements = Vec::new();
    for e in &group.elements {
        if let Some(first) = items(e, group.syntax).into_iter().next() {
            elements.extend(first.elements);
        }
    }
    DataSet { syntax: group.syntax, elements, complete: true }
}

/// What is the same for all frames of a file.
pub(super) fn describe(data: &DataSet<'_>) -> FrameHeader {
    let layers = Layers(vec![data]);
    FrameHeader {
        class_uid: layers.text(tags::SOP_CLASS_UID),
        sop_uid: layers.text(tags::SOP_INSTANCE_UID),
        study_uid: layers.text(tags::STUDY_INSTANCE_UID),
        series_uid: layers.text(tags::SERIES_INSTANCE_UID),
        frame_of_reference: layers.text(tags::FRAME_OF_REFERENCE_UID),
        series_number: layers.decimal(tags::SERIES_NUMBER).map_or(0, |v| v as i64),
        description: description(&layers),
        modality: layers.text(tags::MODALITY).chars().filter(char::is_ascii_alphanumeric).take(16).collect(),
        rr_ms: layers
            .positive(tags::NOMINAL_INTERVAL)
            .or_else(|| layers.number(tags::RR_INTERVAL_TIME_NOMINAL, *b"FD").filter(|v| *v > 1.0))
            .or_else(|| layers.positive(tags::HEART_RATE).filter(|v| *v < 400.0).map(|bpm| 60_000.0 / bpm)),
        ..FrameHeader::default()
    }
}

/// The series description, dropped where it holds a word of the patient's name or the patient's number.
fn description(layers: &Layers<'_>) -> String {
    let description: String = layers.text(tags::SERIES_DESCRIPTION).chars().take(64).collect();
    if layers.text(tags::PATIENT_NAME) == SYNTHETIC_PATIENT {
        return description;
    }
    let low = description.to_lowercase();
    let secrets =
        [tags::PATIENT_NAME, tags::PATIENT_ID, tags::OTHER_PATIENT_NAMES, tags::PATIENT_BIRTH_DATE, tags::ACCESSION_NUMBER]
            .map(|tag| layers.text(tag).to_lowercase());
    let names_patient = secrets
        .iter()
        .flat_map(|s| s.split(|c: char| !c.is_alphanumeric()))
        .any(|word| word.chars().count() >= 3 && low.contains(word));
    if names_patient { String::new() } else { description }
}

fn place(layers: &Layers<'_>, base: &FrameHeader) -> FrameHeader {
    let spacing = layers.numbers(tags::PIXEL_SPACING, *b"DS");
    let sane = |v: f64| v.is_finite() && v > 1e-6 && v < 1e4;
    let spacing_mm = match spacing[..] {
        [dy, dx, ..] if sane(dy) && sane(dx) => Some((dx, dy)),
        _ => base.spacing_mm,
    };
    let image_type = {
        let frame_type = layers.text(tags::FRAME_TYPE);
        if frame_type.is_empty() { layers.text(tags::IMAGE_TYPE) } else { frame_type }
    };
    let slope = layers.decimal(tags::RESCALE_SLOPE).filter(|s| *s != 0.0).unwrap_or(1.0);
    let center = layers.decimal(tags::WINDOW_CENTER);
    let width = layers.decimal(tags::WINDOW_WIDTH).filter(|w| *w >= 1.0);
    FrameHeader {
        position: point(&layers.numbers(tags::IMAGE_POSITION_PATIENT, *b"DS")),
        axes: axes(&layers.numbers(tags::IMAGE_ORIENTATION_PATIENT, *b"DS")),
        spacing_mm,
        slice_mm: layers.positive(tags::SPACING_BETWEEN_SLICES).or_else(|| layers.positive(tags::SLICE_THICKNESS)),
        component: component(&image_type),
        rescale: (slope, layers.decimal(tags::RESCALE_INTERCEPT).unwrap_or(0.0)),
        unit: unit(layers, &base.modality),
        window: center.zip(width),
        segment: layers.number(tags::REFERENCED_SEGMENT_NUMBER, *b"US").filter(|n| (0.0..65_536.0).contains(n)).map(|n| n as u16),
        ..base.clone()
    }
}

fn unit(layers: &Layers<'_>, modality: &str) -> String {
    let said: String = layers.text(tags::RESCALE_TYPE).chars().take(16).collect();
    match said.as_str() {
        "" if modality == "CT" => "HU".to_owned(),
        "US" | "NORMALIZED" => String::new(), // DICOM for «unspecified»
        _ => said,
    }
}

fn component(image_type: &str) -> &'static str {
    let words: Vec<&str> = image_type.split('\\').skip(2).map(str::trim).collect();
    let any = |list: &[&str]| words.iter().any(|w| list.contains(w));
    if any(&["P", "PHASE", "PHASE MAP", "VELOCITY", "VELOCITY MAP", "VELOCITY_MAP"]) {
        "phase"
    } else if any(&["R", "REAL"]) {
        "real"
    } else if any(&["I", "IMAGINARY"]) {
        "imaginary"
    } else {
        ""
    }
}

fn point(v: &[f64]) -> Option<DVec3> {
    let p = DVec3::new(*v.first()?, *v.get(1)?, *v.get(2)?);
    (p.is_finite() && p.abs().max_element() < 1e6).then_some(p)
}

fn axes(v: &[f64]) -> Option<(DVec3, DVec3)> {
    let (right, down) = (point(v)?, point(v.get(3..)?)?);
    let unit = |a: DVec3| (a.length() - 1.0).abs() < 0.05;
    (unit(right) && unit(down) && right.dot(down).abs() < 0.02).then(|| (right.normalize(), down.normalize()))
}

fn phase_tags(layers: &Layers<'_>, frame: Option<f64>) -> [Option<f64>; 8] {
    [
        layers.decimal(tags::TRIGGER_TIME).or_else(|| layers.number(tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, *b"FD")),
        layers.number(tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE, *b"FL"),
        layers.decimal(tags::TEMPORAL_POSITION_IDENTIFIER).or_else(|| layers.number(tags::TEMPORAL_POSITION_INDEX, *b"UL")),
        clock_ms(&layers.text(tags::CONTENT_TIME)),
        clock_ms(&layers.text(tags::ACQUISITION_TIME)),
        date_time_ms(&layers.text(tags::FRAME_ACQUISITION_DATE_TIME))
            .or_else(|| date_time_ms(&layers.text(tags::ACQUISITION_DATE_TIME))),
        layers.decimal(tags::INSTANCE_NUMBER),
        frame,
    ]
}

fn acquired(layers: &Layers<'_>, header: &FrameHeader) -> [f64; 3] {
    let date = layers.decimal(tags::ACQUISITION_DATE).unwrap_or(0.0);
    let time = header.phase_tags[4].or(header.phase_tags[3]).unwrap_or(0.0);
    let when = header.phase_tags[5].unwrap_or(date * 1e9 + time);
    [layers.decimal(tags::ACQUISITION_NUMBER).unwrap_or(0.0), when, header.phase_tags[6].unwrap_or(0.0)]
}

/// `HHMMSS.FFFFFF` in ms after midnight.
fn clock_ms(text: &str) -> Option<f64> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|t| t.parse::<f64>().ok());
    let seconds = digits.get(4..).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    Some(((part(0, 2)? * 60.0 + part(2, 4).unwrap_or(0.0)) * 60.0 + seconds) * 1000.0).filter(|v| v.is_finite())
}

/// `YYYYMMDDHHMMSS.FFFFFF` as a number that grows with time; ms within a day.
fn date_time_ms(text: &str) -> Option<f64> {
    let plain = text.split(['+', '-']).next()?;
    Some(plain.get(..8)?.parse::<f64>().ok()? * 1e9 + clock_ms(plain.get(8..)?)?)
}

/// Times of the frames of a loop.
enum FrameTimes {
    Regular(f64),
    Steps(Vec<f64>),
}

impl FrameTimes {
    fn at(&self, frame: usize) -> Option<f64> {
        match self {
            Self::Regular(step) => Some(step * frame as f64),
            Self::Steps(times) => times.get(frame).copied(),
        }
    }
}

fn frame_times(data: &DataSet<'_>) -> Option<FrameTimes> {
    let layers = Layers(vec![data]);
    let steps = layers.numbers(tags::FRAME_TIME_VECTOR, *b"DS");
    if steps.len() > 1 && steps.iter().all(|s| s.is_finite() && *s >= 0.0) {
        let mut time = 0.0;
        return Some(FrameTimes::Steps(
            steps
                .iter()
                .enumerate()
                .map(|(i, s)| {
                    time += if i == 0 { 0.0 } else { *s };
                    time
                })
                .collect(),
        ));
    }
    let by_rate = || layers.positive(tags::CINE_RATE).map(|fps| 1000.0 / fps);
    layers.positive(tags::FRAME_TIME).or_else(by_rate).map(FrameTimes::Regular)
}

/// Pixel size from the first calibrated ultrasound region in centimeters.
fn ultrasound_spacing(data: &DataSet<'_>) -> Option<(f64, f64)> {
    data.items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).iter().find_map(|region| {
        let layers = Layers(vec![region]);
        let centimeters = |tag| layers.number(tag, *b"US") == Some(3.0);
        let (dx, dy) = (
            layers.number(tags::PHYSICAL_DELTA_X, *b"FD")?.abs() * 10.0,
            layers.number(tags::PHYSICAL_DELTA_Y, *b"FD")?.abs() * 10.0,
        );
        let sane = |v: f64| v > 1e-6 && v < 1e4;
        (centimeters(tags::PHYSICAL_UNITS_X_DIRECTION) && centimeters(tags::PHYSICAL_UNITS_Y_DIRECTION) && sane(dx) && sane(dy))
            .then_some((dx, dy))
    })
}
