//! An anonymous cine as DICOM files: one MR image per slice and phase, in shuffled order, so that
//! reading them back has to sort. The same volume, facts and seed give the same bytes.

use super::header::SYNTHETIC_PATIENT;
use crate::base::{Error, Result, stream_seed};
use crate::model::{Samples, Volume};
use crate::space::DVec3;
use dicom::core::value::PrimitiveValue;
use dicom::core::{DataElement, Tag, VR};
use dicom::dictionary_std::{tags, uids};
use dicom::object::{FileMetaTableBuilder, InMemDicomObject};
use std::io::Write;
use std::path::Path;

/// What is written beside the voxels.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesFacts {
    /// Series description.
    pub description: String,
    /// Series number.
    pub series_number: u32,
    /// Seed of the unique identifiers and of the shuffle.
    pub seed: u64,
    /// Duration of a heart beat in ms, where known.
    pub rr_ms: Option<f64>,
}

/// Writes `IM00001.dcm`, … into an existing folder and gives their number; (slice, phase) listed as
/// missing are not written. Each file appears whole or not at all. `Unsupported` for `f32` voxels;
/// `Degenerate` where rows and columns of the grid are not perpendicular. A stack whose slices fall
/// along rows × columns is read back in the opposite order, as readers sort along that normal.
pub fn write_dicom_cine(folder: &Path, volume: &Volume, series: &SeriesFacts) -> Result<usize> {
    let matrix = volume.grid.lps_from_voxel().matrix3;
    let (right, down) = (matrix.x_axis.normalize(), matrix.y_axis.normalize());
    if right.dot(down).abs() > 1e-6 {
        return Err(Error::degenerate("rows and columns of the grid are not perpendicular; resample it before writing DICOM"));
    }
    let n_slices = volume.grid.size()[2];
    let cells: Vec<(usize, usize)> = (0..volume.n_phases())
        .flat_map(|p| (0..n_slices).map(move |s| (s, p)))
        .filter(|cell| !volume.missing.contains(cell))
        .collect();
    for (n, instance) in shuffled(cells.len(), series.seed).into_iter().enumerate() {
        let image = Image { volume, series, right, down, slice: cells[n].0, phase: cells[n].1, instance: instance + 1 };
        save(folder, &image)?;
    }
    Ok(cells.len())
}

/// 0..n in an order given by the seed (Fisher–Yates).
fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, (stream_seed(seed, i as u64) % (i as u64 + 1)) as usize);
    }
    order
}

struct Image<'a> {
    volume: &'a Volume,
    series: &'a SeriesFacts,
    right: DVec3,
    down: DVec3,
    slice: usize,
    phase: usize,
    instance: usize,
}

/// A unique identifier under 2.25 (PS3.5 B.2).
pub(super) fn uid(seed: u64, index: u64) -> String {
    let (high, low) = (stream_seed(seed, index), stream_seed(!seed, index));
    format!("2.25.{}", u128::from(high) << 64 | u128::from(low))
}

/// A decimal string of at most 16 characters, with as many digits as fit.
fn decimal(value: f64) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    (0..=14).rev().map(|digits| format!("{value:.digits$}")).find(|text| text.len() <= 16 && value.abs() < 1e14).map_or_else(
        || format!("{value:.8e}"),
        |text| if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text },
    )
}

pub(super) fn decimals(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(decimal).collect::<Vec<_>>().join("\\")
}

fn save(folder: &Path, image: &Image<'_>) -> Result<()> {
    let path = folder.join(format!("IM{:05}.dcm", image.instance));
    let failed = |e: &dyn std::fmt::Display| Error::io("writing", std::io::Error::other(e.to_string()), &path);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::MR_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(uid(image.series.seed, 1000 + image.instance as u64));
    let file = data_set(image)?.with_meta(meta).map_err(|e| failed(&e))?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::io("writing", e, folder))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|e| failed(&e))?;
    temporary.write_all(&bytes).map_err(|e| Error::io("writing", e, &path))?;
    temporary.persist(&path).map_err(|e| Error::io("writing", e.error, &path))?;
    Ok(())
}

fn data_set(image: &Image<'_>) -> Result<InMemDicomObject> {
    let mut data = InMemDicomObject::new_empty();
    for (tag, vr, text) in identity(image).into_iter().chain(acquisition(image)) {
        data.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    let [columns, rows, _] = image.volume.grid.size();
    let (bits, signed, pixels) = pixels(image, columns * rows)?;
    let shorts: [(Tag, usize); 7] = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, rows),
        (tags::COLUMNS, columns),
        (tags::BITS_ALLOCATED, bits),
        (tags::BITS_STORED, bits),
        (tags::HIGH_BIT, bits - 1),
        (tags::PIXEL_REPRESENTATION, usize::from(signed)),
    ];
    for (tag, value) in shorts {
        let value = u16::try_from(value)
            .map_err(|_| Error::unsupported(format!("{columns} × {rows} pixels do not fit a DICOM image")))?;
        data.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    data.put(DataElement::new(tags::PIXEL_DATA, if bits == 8 { VR::OB } else { VR::OW }, pixels));
    Ok(data)
}

fn identity(image: &Image<'_>) -> Vec<(Tag, VR, String)> {
    let series = image.series;
    let modality = if image.volume.modality.is_empty() { "MR" } else { &image.volume.modality };
    vec![
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192".to_owned()),
        (tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\M".to_owned()),
        (tags::SOP_CLASS_UID, VR::UI, uids::MR_IMAGE_STORAGE.to_owned()),
        (tags::SOP_INSTANCE_UID, VR::UI, uid(series.seed, 1000 + image.instance as u64)),
        (tags::STUDY_DATE, VR::DA, String::new()),
        (tags::STUDY_TIME, VR::TM, String::new()),
        (tags::ACCESSION_NUMBER, VR::SH, String::new()),
        (tags::MODALITY, VR::CS, modality.to_owned()),
        (tags::MANUFACTURER, VR::LO, "Myoscope".to_owned()),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, String::new()),
        (tags::SERIES_DESCRIPTION, VR::LO, series.description.chars().take(64).collect()),
        (tags::PATIENT_NAME, VR::PN, SYNTHETIC_PATIENT.to_owned()),
        (tags::PATIENT_ID, VR::LO, "DEMO".to_owned()),
        (tags::PATIENT_BIRTH_DATE, VR::DA, String::new()),
        (tags::PATIENT_SEX, VR::CS, String::new()),
        (tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES".to_owned()),
        (tags::DEIDENTIFICATION_METHOD, VR::LO, "synthetic".to_owned()),
        (tags::STUDY_INSTANCE_UID, VR::UI, uid(series.seed, 0)),
        (tags::SERIES_INSTANCE_UID, VR::UI, uid(series.seed, 1)),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, uid(series.seed, 2)),
        (tags::STUDY_ID, VR::SH, "1".to_owned()),
        (tags::SERIES_NUMBER, VR::IS, series.series_number.to_string()),
        (tags::INSTANCE_NUMBER, VR::IS, image.instance.to_string()),
    ]
}

fn acquisition(image: &Image<'_>) -> Vec<(Tag, VR, String)> {
    let volume = image.volume;
    let (spacing, (low, high)) = (volume.grid.spacing_mm(), volume.window);
    let position = volume.grid.lps_from_voxel().transform_point3(DVec3::new(0.0, 0.0, image.slice as f64));
    let mut list = vec![
        (tags::SCANNING_SEQUENCE, VR::CS, "GR".to_owned()),
        (tags::SEQUENCE_VARIANT, VR::CS, "SS".to_owned()),
        (tags::SCAN_OPTIONS, VR::CS, String::new()),
        (tags::MR_ACQUISITION_TYPE, VR::CS, "2D".to_owned()),
        (tags::REPETITION_TIME, VR::DS, String::new()),
        (tags::ECHO_TIME, VR::DS, String::new()),
        (tags::ECHO_TRAIN_LENGTH, VR::IS, String::new()),
        (tags::SLICE_THICKNESS, VR::DS, decimal(spacing.z)),
        (tags::SPACING_BETWEEN_SLICES, VR::DS, decimal(spacing.z)),
        (tags::CARDIAC_NUMBER_OF_IMAGES, VR::IS, volume.n_phases().to_string()),
        (tags::PATIENT_POSITION, VR::CS, "HFS".to_owned()),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, decimals(position.to_array())),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, decimals(image.right.to_array().into_iter().chain(image.down.to_array()))),
        (tags::PIXEL_SPACING, VR::DS, decimals([spacing.y, spacing.x])),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".to_owned()),
        (tags::WINDOW_CENTER, VR::DS, decimal((low + high) / 2.0 + 0.5)),
        (tags::WINDOW_WIDTH, VR::DS, decimal(high - low + 1.0)),
        (tags::RESCALE_INTERCEPT, VR::DS, decimal(volume.intercept)),
        (tags::RESCALE_SLOPE, VR::DS, decimal(volume.slope)),
        (tags::RESCALE_TYPE, VR::LO, if volume.unit.is_empty() { "US".to_owned() } else { volume.unit.clone() }),
    ];
    if let Some(time) = volume.time_ms(image.phase) {
        list.push((tags::TRIGGER_TIME, VR::DS, decimal(time)));
    } else if volume.n_phases() > 1 {
        list.push((tags::TEMPORAL_POSITION_IDENTIFIER, VR::IS, (image.phase + 1).to_string()));
    }
    if let Some(rr_ms) = image.series.rr_ms {
        list.push((tags::NOMINAL_INTERVAL, VR::IS, format!("{}", rr_ms.round())));
    }
    list
}

/// Bits, whether signed, and the values of one slice.
fn pixels(image: &Image<'_>, plane: usize) -> Result<(usize, bool, PrimitiveValue)> {
    let damaged = || Error::parameter(format!("phase {} has no slice {}", image.phase, image.slice));
    let range = image.slice * plane..(image.slice + 1) * plane;
    match image.volume.phases.get(image.phase).ok_or_else(damaged)? {
        Samples::U8(v) => {
            let mut bytes = v.get(range).ok_or_else(damaged)?.to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            Ok((8, false, PrimitiveValue::from(bytes)))
        }
        Samples::U16(v) => Ok((16, false, PrimitiveValue::U16(v.get(range).ok_or_else(damaged)?.into()))),
        Samples::I16(v) => {
            let words: Vec<u16> = v.get(range).ok_or_else(damaged)?.iter().map(|w| w.cast_unsigned()).collect();
            Ok((16, true, PrimitiveValue::U16(words.into())))
        }
        Samples::F32(_) => Err(Error::unsupported("DICOM images hold whole numbers; convert the voxels to 16 bits first")),
    }
}
