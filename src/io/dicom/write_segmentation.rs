//! Labels as a binary DICOM segmentation (PS3.3 A.51): a segment for each label, a frame for each slice that holds
//! it. Nothing of a patient is written; where the images are given that were segmented, they are referenced.

use super::write::{decimals, uid};
use crate::base::{Error, Result, stream_seed};
use crate::io::{bytes, write_bytes};
use crate::model::{ImagePlace, LabelEntry, LabelMap};
use crate::space::DVec3;
use dicom::core::value::{DataSetSequence, PrimitiveValue};
use dicom::core::{DataElement, Tag, VR};
use dicom::dictionary_std::{tags, uids};
use dicom::object::{FileMetaTableBuilder, InMemDicomObject};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the segmentation; `Degenerate` where rows and columns are not perpendicular, slices are sheared or no
/// voxel is labeled. Phases become temporal positions. The same labels give the same bytes.
pub fn write_dicom_segmentation(path: &Path, labels: &LabelMap) -> Result<()> {
    write_dicom_segmentation_of(path, labels, &[])
}

/// As [`write_dicom_segmentation`], in the study and frame of reference of the images that the labels were drawn on, which
/// are named by their identifiers (PS3.3 C.12.4, C.7.6.16.2.6).
pub fn write_dicom_segmentation_of(path: &Path, labels: &LabelMap, source: &[ImagePlace]) -> Result<()> {
    let matrix = labels.grid.lps_from_voxel().matrix3;
    let (right, down) = (matrix.x_axis.normalize(), matrix.y_axis.normalize());
    let is_straight = right.dot(down).abs() < 1e-4 && right.cross(down).cross(matrix.z_axis.normalize()).length() < 1e-3;
    if !is_straight {
        return Err(Error::degenerate("the axes of the labels are not perpendicular; resample them before writing DICOM"));
    }
    let frames = frames(labels);
    if frames.is_empty() {
        return Err(Error::degenerate(
            "no voxel is labeled, and a segmentation without frames is not allowed; nothing was written",
        ));
    }
    let failed = |e: &dyn std::fmt::Display| Error::io("writing", std::io::Error::other(e.to_string()), path);
    let seed = seed(labels);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::SEGMENTATION_STORAGE)
        .media_storage_sop_instance_uid(uid(seed, 1));
    let file = data_set(labels, &frames, seed, [right, down], source)?.with_meta(meta).map_err(|e| failed(&e))?;
    let mut out = Vec::new();
    file.write_all(&mut out).map_err(|e| failed(&e))?;
    write_bytes(path, &out)
}

/// A number that is the same for the same labels.
fn seed(labels: &LabelMap) -> u64 {
    labels.phases.iter().enumerate().fold(0, |seed, (i, phase)| {
        let digest = bytes::sha256(phase);
        u64::from_str_radix(digest.get(..16).unwrap_or_default(), 16).unwrap_or(0) ^ stream_seed(seed, i as u64)
    })
}

/// Segment (from 0), phase and slice of each frame: segments in order, then phases, then slices.
fn frames(labels: &LabelMap) -> Vec<[usize; 3]> {
    let [nx, ny, nz] = labels.grid.size();
    let mut found = Vec::new();
    for (segment, entry) in labels.table.iter().enumerate() {
        for (p, phase) in labels.phases.iter().enumerate() {
            let holds = |k: &usize| phase[k * nx * ny..(k + 1) * nx * ny].contains(&entry.value);
            found.extend((0..nz).filter(holds).map(|k| [segment, p, k]));
        }
    }
    found
}

fn text(tag: Tag, vr: VR, value: impl Into<String>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value.into()))
}

fn short(tag: Tag, value: usize) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value as u16))
}

fn long(tag: Tag, values: Vec<u32>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::UL, PrimitiveValue::U32(values.into()))
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn item(elements: impl IntoIterator<Item = DataElement<InMemDicomObject>>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

fn code(value: &str, scheme: &str, meaning: &str) -> InMemDicomObject {
    item([
        text(tags::CODE_VALUE, VR::SH, value),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme),
        text(tags::CODE_MEANING, VR::LO, meaning),
    ])
}

fn data_set(
    labels: &LabelMap,
    frames: &[[usize; 3]],
    seed: u64,
    [right, down]: [DVec3; 2],
    source: &[ImagePlace],
) -> Result<InMemDicomObject> {
    let [columns, rows, _] = labels.grid.size();
    if columns.max(rows) > 65_535 {
        return Err(Error::unsupported(format!("{columns} × {rows} pixels do not fit a DICOM image")));
    }
    let mut data = item(identity(seed));
    for element in [
        short(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        text(tags::NUMBER_OF_FRAMES, VR::IS, frames.len().to_string()),
        short(tags::ROWS, rows),
        short(tags::COLUMNS, columns),
        short(tags::BITS_ALLOCATED, 1),
        short(tags::BITS_STORED, 1),
        short(tags::HIGH_BIT, 0),
        short(tags::PIXEL_REPRESENTATION, 0),
        sequence(tags::SEGMENT_SEQUENCE, labels.table.iter().enumerate().map(|(i, entry)| segment(i + 1, entry)).collect()),
        sequence(
            tags::DIMENSION_ORGANIZATION_SEQUENCE,
            vec![item([text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, uid(seed, 5))])],
        ),
        sequence(tags::DIMENSION_INDEX_SEQUENCE, dimensions(labels, seed)),
        sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared(labels, right, down)]),
        sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames.iter().map(|f| per_frame(labels, *f, source)).collect()),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(packed(labels, frames))),
    ] {
        data.put(element);
    }
    name_source(&mut data, source);
    Ok(data)
}

/// Class and instance of an image.
fn reference(image: &ImagePlace) -> InMemDicomObject {
    item([
        text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, image.series.class.clone()),
        text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, image.uid.clone()),
    ])
}

/// Puts the file into the study of its source and lists the source's series.
fn name_source(data: &mut InMemDicomObject, source: &[ImagePlace]) {
    let Some(first) = source.first() else { return };
    let mut series: BTreeMap<&str, Vec<InMemDicomObject>> = BTreeMap::new();
    source.iter().for_each(|image| series.entry(&image.series.series).or_default().push(reference(image)));
    let listed = series.into_iter().map(|(uid, images)| {
        item([sequence(tags::REFERENCED_INSTANCE_SEQUENCE, images), text(tags::SERIES_INSTANCE_UID, VR::UI, uid)])
    });
    data.put(sequence(tags::REFERENCED_SERIES_SEQUENCE, listed.collect()));
    for (tag, uid) in
        [(tags::STUDY_INSTANCE_UID, &first.series.study), (tags::FRAME_OF_REFERENCE_UID, &first.series.frame_of_reference)]
    {
        if !uid.is_empty() {
            data.put(text(tag, VR::UI, uid.clone()));
        }
    }
}

/// The image that a frame was drawn on.
fn derivation(source: &[ImagePlace], slice: usize, phase: usize) -> Option<DataElement<InMemDicomObject>> {
    let image = source.iter().find(|i| i.slice == slice && i.phase == phase)?;
    let mut from = reference(image);
    from.put(sequence(
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        vec![code("121322", "DCM", "Source image for image processing operation")],
    ));
    let made = vec![code("113076", "DCM", "Segmentation")];
    let group = item([sequence(tags::SOURCE_IMAGE_SEQUENCE, vec![from]), sequence(tags::DERIVATION_CODE_SEQUENCE, made)]);
    Some(sequence(tags::DERIVATION_IMAGE_SEQUENCE, vec![group]))
}

fn identity(seed: u64) -> Vec<DataElement<InMemDicomObject>> {
    // Dates are part of the type-1 attributes of a segmentation; this one says nothing of when it was made.
    let date = "19000101";
    [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192".to_owned()),
        (tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY".to_owned()),
        (tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE.to_owned()),
        (tags::SOP_INSTANCE_UID, VR::UI, uid(seed, 1)),
        (tags::STUDY_DATE, VR::DA, String::new()),
        (tags::CONTENT_DATE, VR::DA, date.to_owned()),
        (tags::STUDY_TIME, VR::TM, String::new()),
        (tags::CONTENT_TIME, VR::TM, "000000".to_owned()),
        (tags::ACCESSION_NUMBER, VR::SH, String::new()),
        (tags::MODALITY, VR::CS, "SEG".to_owned()),
        (tags::MANUFACTURER, VR::LO, "Myoscope".to_owned()),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, String::new()),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, "Myoscope".to_owned()),
        (tags::PATIENT_NAME, VR::PN, String::new()),
        (tags::PATIENT_ID, VR::LO, String::new()),
        (tags::PATIENT_BIRTH_DATE, VR::DA, String::new()),
        (tags::PATIENT_SEX, VR::CS, String::new()),
        (tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES".to_owned()),
        (tags::DEIDENTIFICATION_METHOD, VR::LO, "nothing of the patient is written".to_owned()),
        (tags::DEVICE_SERIAL_NUMBER, VR::LO, "0".to_owned()),
        (tags::SOFTWARE_VERSIONS, VR::LO, env!("CARGO_PKG_VERSION").to_owned()),
        (tags::STUDY_INSTANCE_UID, VR::UI, uid(seed, 2)),
        (tags::SERIES_INSTANCE_UID, VR::UI, uid(seed, 3)),
        (tags::STUDY_ID, VR::SH, String::new()),
        (tags::SERIES_NUMBER, VR::IS, "1".to_owned()),
        (tags::INSTANCE_NUMBER, VR::IS, "1".to_owned()),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, uid(seed, 4)),
        (tags::POSITION_REFERENCE_INDICATOR, VR::LO, String::new()),
        (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00".to_owned()),
        (tags::SEGMENTATION_TYPE, VR::CS, "BINARY".to_owned()),
        (tags::CONTENT_LABEL, VR::CS, "SEGMENTATION".to_owned()),
        (tags::CONTENT_DESCRIPTION, VR::LO, String::new()),
        (tags::CONTENT_CREATOR_NAME, VR::PN, String::new()),
    ]
    .map(|(tag, vr, value)| text(tag, vr, value))
    .to_vec()
}

/// Codes of the tissues of this program's labels (SNOMED CT), else tissue.
fn segment(number: usize, entry: &LabelEntry) -> InMemDicomObject {
    let name = entry.name.to_lowercase();
    let kind = match name.as_str() {
        "lv cavity" => code("87878005", "SCT", "Left ventricle"),
        "rv cavity" => code("53085002", "SCT", "Right ventricle"),
        "myocardium" => code("74281007", "SCT", "Myocardium"),
        _ => code("85756007", "SCT", "Tissue"),
    };
    let lab = lab_from_rgb(entry.rgb);
    item([
        sequence(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, vec![code("91723000", "SCT", "Anatomical Structure")]),
        short(tags::SEGMENT_NUMBER, number),
        text(tags::SEGMENT_LABEL, VR::LO, entry.name.chars().take(64).collect::<String>()),
        text(tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "MANUAL"),
        DataElement::new(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, VR::US, PrimitiveValue::U16(lab.to_vec().into())),
        sequence(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, vec![kind]),
    ])
}

/// sRGB as stored CIE Lab (PS3.3 C.10.7.1.1).
fn lab_from_rgb(rgb: [u8; 3]) -> [u16; 3] {
    let [r, g, b] = rgb.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    let f = |t: f64| if t > (6.0_f64 / 29.0).powi(3) { t.cbrt() } else { t * (29.0_f64 / 6.0).powi(2) / 3.0 + 4.0 / 29.0 };
    let x = f((0.412_4 * r + 0.357_6 * g + 0.180_5 * b) / 0.950_47);
    let y = f(0.212_6 * r + 0.715_2 * g + 0.072_2 * b);
    let z = f((0.019_3 * r + 0.119_2 * g + 0.950_5 * b) / 1.088_83);
    let stored = |value: f64, low: f64, span: f64| ((value - low) / span * 65_535.0).round().clamp(0.0, 65_535.0) as u16;
    [stored(116.0 * y - 16.0, 0.0, 100.0), stored(500.0 * (x - y), -128.0, 255.0), stored(200.0 * (y - z), -128.0, 255.0)]
}

/// Segment, time where there are phases, place: the order of the index values of a frame.
fn dimensions(labels: &LabelMap, seed: u64) -> Vec<InMemDicomObject> {
    let one = |pointer: Tag, group: Tag, label: &str| {
        item([
            DataElement::new(tags::DIMENSION_INDEX_POINTER, VR::AT, PrimitiveValue::Tags(vec![pointer].into())),
            DataElement::new(tags::FUNCTIONAL_GROUP_POINTER, VR::AT, PrimitiveValue::Tags(vec![group].into())),
            text(tags::DIMENSION_ORGANIZATION_UID, VR::UI, uid(seed, 5)),
            text(tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label),
        ])
    };
    let mut all = vec![one(tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "segment")];
    if labels.n_phases() > 1 {
        all.push(one(tags::TEMPORAL_POSITION_INDEX, tags::FRAME_CONTENT_SEQUENCE, "phase"));
    }
    all.push(one(tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "position"));
    all
}

fn shared(labels: &LabelMap, right: DVec3, down: DVec3) -> InMemDicomObject {
    let spacing = labels.grid.spacing_mm();
    let axes = decimals(right.to_array().into_iter().chain(down.to_array()));
    item([
        sequence(tags::PLANE_ORIENTATION_SEQUENCE, vec![item([text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, axes)])]),
        sequence(
            tags::PIXEL_MEASURES_SEQUENCE,
            vec![item([
                text(tags::SLICE_THICKNESS, VR::DS, decimals([spacing.z])),
                text(tags::SPACING_BETWEEN_SLICES, VR::DS, decimals([spacing.z])),
                text(tags::PIXEL_SPACING, VR::DS, decimals([spacing.y, spacing.x])),
            ])],
        ),
    ])
}

fn per_frame(labels: &LabelMap, [segment, phase, slice]: [usize; 3], source: &[ImagePlace]) -> InMemDicomObject {
    let position = labels.grid.lps_from_voxel().transform_point3(DVec3::new(0.0, 0.0, slice as f64));
    let has_phases = labels.n_phases() > 1;
    let index: Vec<u32> =
        [Some(segment), has_phases.then_some(phase), Some(slice)].into_iter().flatten().map(|v| v as u32 + 1).collect();
    let mut content = item([long(tags::DIMENSION_INDEX_VALUES, index)]);
    let mut groups = Vec::new();
    if has_phases {
        content.put(long(tags::TEMPORAL_POSITION_INDEX, vec![phase as u32 + 1]));
        if let Some(time) = labels.phase_times_ms.get(phase) {
            let delay = DataElement::new(tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, VR::FD, PrimitiveValue::from(*time));
            groups.push(sequence(tags::CARDIAC_SYNCHRONIZATION_SEQUENCE, vec![item([delay])]));
        }
    }
    groups.extend(derivation(source, slice, phase));
    groups.extend([
        sequence(tags::FRAME_CONTENT_SEQUENCE, vec![content]),
        sequence(
            tags::PLANE_POSITION_SEQUENCE,
            vec![item([text(tags::IMAGE_POSITION_PATIENT, VR::DS, decimals(position.to_array()))])],
        ),
        sequence(tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![item([short(tags::REFERENCED_SEGMENT_NUMBER, segment + 1)])]),
    ]);
    item(groups)
}

/// Masks of all frames, bit after bit, lowest first, padded to an even number of bytes.
fn packed(labels: &LabelMap, frames: &[[usize; 3]]) -> Vec<u8> {
    let [nx, ny, _] = labels.grid.size();
    let plane = nx * ny;
    let mut out = vec![0; (frames.len() * plane).div_ceil(16) * 2];
    for (i, &[segment, phase, slice]) in frames.iter().enumerate() {
        let value = labels.table[segment].value;
        for (j, _) in labels.phases[phase][slice * plane..(slice + 1) * plane].iter().enumerate().filter(|(_, v)| **v == value) {
            let bit = i * plane + j;
            out[bit / 8] |= 1 << (bit % 8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::io::Content;
    use crate::space::{DAffine3, DMat3, Grid};

    fn labels() -> LabelMap {
        let (right, down) = (DVec3::new(0.8, -0.6, 0.0), DVec3::new(0.36, 0.48, -0.8));
        let matrix3 = DMat3::from_cols(right * 1.37, down * 1.4, right.cross(down) * 9.6);
        let grid = Grid::new([5, 3, 3], DAffine3 { matrix3, translation: DVec3::new(-18.5, 4.25, 1.0) }).unwrap();
        let mut phases = vec![vec![0_u8; 45]; 2];
        phases[0][3..20].fill(1);
        phases[0][22..45].fill(2);
        phases[1][7..9].fill(3);
        phases[1][44] = 1;
        let mut map = LabelMap::new("wall", grid, phases.into_iter().map(Into::into).collect()).unwrap();
        map.phase_times_ms = vec![0.0, 330.5];
        map
    }

    #[test]
    fn labels_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, before) = (folder.path().join("a.dcm"), labels());
        write_dicom_segmentation(&path, &before).unwrap();
        let found = read(&path).0.unwrap();
        let Content::Labels(after) = &found[0].content else { panic!("labels were expected") };
        assert_eq!((&after.phases, &after.phase_times_ms), (&before.phases, &before.phase_times_ms));
        for (a, b) in after.table.iter().zip(&before.table) {
            assert_eq!((&a.name, a.value), (&b.name, b.value));
            assert!(a.rgb.iter().zip(b.rgb).all(|(x, y)| x.abs_diff(y) <= 1), "{:?} {:?}", a.rgb, b.rgb);
        }
        let [a, b] = [after, &before].map(|l| l.grid.lps_from_voxel().transform_point3(DVec3::new(4.0, 2.0, 2.0)));
        assert!((a - b).length() < 1e-6, "{a} {b}");
        let first = std::fs::read(&path).unwrap();
        write_dicom_segmentation(&path, &before).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }

    #[test]
    fn a_source_is_named_and_the_labels_lie_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let series = folder.path().join("series");
        std::fs::create_dir(&series).unwrap();
        let facts = super::super::SeriesFacts { description: "s".into(), series_number: 2, seed: 9, rr_ms: None };
        let cine = super::super::tests::cine([6, 5, 3], 2);
        super::super::write_dicom_cine(&series, &cine, &facts).unwrap();
        let found = read(&series).0.unwrap().swap_remove(0);
        assert_eq!(found.images.len(), 6);
        let Content::Volume(source) = &found.content else { panic!("a volume was expected") };
        let phases = (0..2).map(|p| (0..90).map(|i| u8::from((i + p) % 3 == 0)).collect::<Vec<u8>>().into()).collect();
        let mut labels = LabelMap::new("l", source.grid, phases).unwrap();
        labels.phase_times_ms.clone_from(&source.phase_times_ms);
        let path = folder.path().join("seg.dcm");
        write_dicom_segmentation_of(&path, &labels, &found.images).unwrap();
        let file = dicom::object::open_file(&path).unwrap();
        let study = file.element(tags::STUDY_INSTANCE_UID).unwrap().to_str().unwrap().into_owned();
        assert_eq!(study, found.images[0].series.study);
        let listed = file.element(tags::REFERENCED_SERIES_SEQUENCE).unwrap().items().unwrap();
        let images = listed[0].element(tags::REFERENCED_INSTANCE_SEQUENCE).unwrap().items().unwrap();
        assert_eq!((listed.len(), images.len()), (1, 6));
        let Content::Labels(back) = read(&path).0.unwrap().swap_remove(0).content else { panic!("labels were expected") };
        assert_eq!(back.phases, labels.phases);
        assert!(back.grid.same_place(&source.grid, 1e-6));
    }

    #[test]
    fn what_cannot_be_written_gets_a_sentence() {
        let path = Path::new("never-written.dcm");
        let mut empty = labels();
        empty.phases = vec![vec![0; 45].into(); 2];
        assert!(matches!(write_dicom_segmentation(path, &empty), Err(Error::Degenerate(_))));
        let mut sheared = labels();
        let mut place = sheared.grid.lps_from_voxel();
        place.matrix3.z_axis += DVec3::X * 3.0;
        sheared.grid = Grid::new([5, 3, 3], place).unwrap();
        assert!(matches!(write_dicom_segmentation(path, &sheared), Err(Error::Degenerate(_))));
        assert!(!path.exists());
    }
}
