//! Names planted in every representation, in sequences and in private attributes, come out nowhere; pixels stay.

use super::*;
use crate::base::{Progress, Warnings};
use crate::io::Reading;
use crate::io::dicom::tests::{cine, read, volume_of};
use crate::io::dicom::{SeriesFacts, write_dicom_cine};
use dicom::core::DataElement;
use dicom::core::value::{DataSetSequence, PrimitiveValue};
use dicom::dictionary_std::uids;
use dicom::object::{FileMetaTableBuilder, InMemDicomObject, open_file};
use std::path::{Path, PathBuf};

const NAME: &str = "QXVORLEK";

fn item(elements: Vec<DataElement<InMemDicomObject>>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

fn text(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// The name in every text representation, where the dictionary has one for it and where it has not.
fn plant(data: &mut InMemDicomObject) {
    let full = format!("{NAME}^Änne=葛藤^x");
    for (tag, vr) in [
        (tags::PATIENT_NAME, VR::PN),
        (tags::OTHER_PATIENT_NAMES, VR::PN),
        (tags::OPERATORS_NAME, VR::PN),
        (tags::INSTITUTION_NAME, VR::LO),
        (tags::MANUFACTURER, VR::LO),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO),
        (tags::SERIES_DESCRIPTION, VR::LO),
        (tags::PROTOCOL_NAME, VR::LO),
        (tags::STATION_NAME, VR::SH),
        (tags::SEQUENCE_NAME, VR::SH),
        (tags::CONVOLUTION_KERNEL, VR::SH),
        (tags::IMAGE_COMMENTS, VR::LT),
        (tags::INSTITUTION_ADDRESS, VR::ST),
        (tags::TEXT_VALUE, VR::UT),
        (tags::LONG_CODE_VALUE, VR::UC),
        (tags::RETRIEVE_URI, VR::UR),
        (tags::PERFORMED_STATION_AE_TITLE, VR::AE),
        (tags::BODY_PART_EXAMINED, VR::CS),
        (tags::SCANNING_SEQUENCE, VR::CS),
        (tags::ECHO_TIME, VR::DS),
        (tags::ECHO_NUMBERS, VR::IS),
        (tags::PATIENT_AGE, VR::AS),
        (tags::SERIES_DATE, VR::DA),
        (tags::SERIES_TIME, VR::TM),
        (tags::ACQUISITION_DATE_TIME, VR::DT),
        (Tag(0x0009, 0x0010), VR::LO),
        (Tag(0x0009, 0x1001), VR::LO),
        (Tag(0x0019, 0x1001), VR::UN),
        (Tag(0x6000, 0x4000), VR::LT),
        (Tag(0x0018, 0xFFF0), VR::LO),
    ] {
        let value = if vr == VR::PN { full.as_str() } else { NAME };
        data.put(text(tag, vr, value));
    }
    for tag in [Tag(0x6000, 0x3000), tags::ENCAPSULATED_DOCUMENT, tags::DATA_SET_TRAILING_PADDING] {
        data.put(DataElement::new(tag, VR::OB, PrimitiveValue::from(NAME.as_bytes().to_vec())));
    }
    let code =
        || item(vec![text(tags::CODE_VALUE, VR::SH, "T-32000"), text(tags::CODE_MEANING, VR::LO, &format!("heart of {NAME}"))]);
    let inner = item(vec![
        text(tags::PATIENT_NAME, VR::PN, NAME),
        DataElement::new(tags::ANATOMIC_REGION_SEQUENCE, VR::SQ, DataSetSequence::from(vec![code()])),
    ]);
    data.put(DataElement::new(tags::ANATOMIC_REGION_SEQUENCE, VR::SQ, DataSetSequence::from(vec![code()])));
    data.put(DataElement::new(tags::REFERENCED_IMAGE_SEQUENCE, VR::SQ, DataSetSequence::from(vec![inner.clone()])));
    data.put(DataElement::new(tags::REQUEST_ATTRIBUTES_SEQUENCE, VR::SQ, DataSetSequence::from(vec![inner])));
    data.put(text(tags::PATIENT_ID, VR::LO, "QXID90210"));
    data.put(text(tags::PATIENT_BIRTH_DATE, VR::DA, "19310417"));
    data.put(text(tags::STUDY_DATE, VR::DA, "20240229"));
    data.put(text(tags::STUDY_INSTANCE_UID, VR::UI, "1.3.76.19310417.7"));
    data.put(DataElement::new(tags::PATIENT_WEIGHT, VR::DS, PrimitiveValue::from("71.4")));
}

fn planted(folder: &Path) -> Vec<PathBuf> {
    let facts = SeriesFacts { description: "sax".into(), series_number: 3, seed: 5, rr_ms: None };
    write_dicom_cine(folder, &cine([9, 6, 3], 2), &facts).unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for (i, path) in files.iter().enumerate() {
        let mut object = open_file(path).unwrap().into_inner();
        plant(&mut object);
        let syntax = [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.2"][i % 3];
        let uid = object.element(tags::SOP_INSTANCE_UID).unwrap().to_str().unwrap().into_owned();
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(syntax)
            .media_storage_sop_class_uid(uids::MR_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(uid);
        let mut out = Vec::new();
        object.with_meta(meta).unwrap().write_all(&mut out).unwrap();
        // A name in the preamble too.
        out[..8].copy_from_slice(NAME.as_bytes());
        std::fs::write(path, out).unwrap();
    }
    files
}

fn written(files: &[PathBuf], out: &Path, profile: Profile) -> (Exported, Vec<&'static str>) {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let done = deidentify_files(files, out, profile, &[], &mut reading).unwrap();
    (done, warnings.notes.iter().map(|n| n.code).collect())
}

/// All bytes of all files below a folder, with their names.
fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        all.extend(entry.file_name().to_string_lossy().as_bytes());
        all.extend(if entry.path().is_dir() { all_bytes(&entry.path()) } else { std::fs::read(entry.path()).unwrap() });
    }
    all
}

fn holds(all: &[u8], word: &[u8]) -> bool {
    let (all, word) = (all.to_ascii_lowercase(), word.to_ascii_lowercase());
    all.windows(word.len()).any(|w| w == word)
}

#[test]
fn nothing_planted_comes_out_and_the_image_stays() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = planted(from.path());
    let before = read(from.path()).0.unwrap();
    let out = to.path().join("out");
    let (done, codes) = written(&files, &out, Profile::default());
    assert_eq!((done.n_files, done.n_series), (6, 1));
    assert!(codes.contains(&"emptied"), "{codes:?}");
    let all = all_bytes(&out);
    for word in [NAME, "Änne", "葛藤", "QXID90210", "19310417", "20240229", "1.3.76.19310417.7", "71.4"] {
        assert!(!holds(&all, word.as_bytes()), "{word}");
    }
    let after = read(&out).0.unwrap();
    assert_eq!(volume_of(&after[0]).phases, volume_of(&before[0]).phases);
    assert!(volume_of(&after[0]).grid.same_place(&volume_of(&before[0]).grid, 1e-9));
    assert_eq!(volume_of(&after[0]).phase_times_ms, volume_of(&before[0]).phase_times_ms);
    assert!(done.kept.contains_key("0028,0030") && done.kept.contains_key("0008,2218/0008,0100"), "{:?}", done.kept);
    assert!(!done.kept.keys().any(|k| k.starts_with("0009") || k.starts_with("0010,1030")));
}

#[test]
fn other_programs_read_it_and_identifiers_agree() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = planted(from.path());
    let out = to.path().join("out");
    written(&files, &out, Profile::default());
    let mut studies = Vec::new();
    for i in 1..=6 {
        let object = open_file(out.join(format!("series_001/IM{i:05}.dcm"))).unwrap();
        let text = |tag: Tag| object.element(tag).unwrap().to_str().unwrap().into_owned();
        assert_eq!((text(tags::PATIENT_NAME).as_str(), text(tags::PATIENT_IDENTITY_REMOVED).as_str()), ("", "YES"));
        assert_eq!(text(tags::SOP_CLASS_UID), uids::MR_IMAGE_STORAGE);
        assert_eq!(text(tags::SOP_INSTANCE_UID), object.meta().media_storage_sop_instance_uid());
        assert!(text(tags::STUDY_INSTANCE_UID).starts_with("2.25."));
        studies.push(text(tags::STUDY_INSTANCE_UID));
    }
    studies.dedup();
    assert_eq!(studies.len(), 1);
    // The same again, and others with another seed.
    let (again, other) = (to.path().join("again"), to.path().join("other"));
    written(&files, &again, Profile::default());
    assert_eq!(all_bytes(&again), all_bytes(&out));
    written(&files, &other, Profile { seed: 1, ..Profile::default() });
    assert_ne!(all_bytes(&other), all_bytes(&out));
}

#[test]
fn dates_move_together_or_stay() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = planted(from.path());
    for (name, dates, expected) in
        [("a", Dates::Keep, "20240229"), ("b", Dates::Shift(1), "20240301"), ("c", Dates::Shift(-60), "20231231")]
    {
        let out = to.path().join(name);
        written(&files, &out, Profile { dates, seed: 0 });
        let object = open_file(out.join("series_001/IM00001.dcm")).unwrap();
        assert_eq!(object.element(tags::STUDY_DATE).unwrap().to_str().unwrap(), expected);
        let all = all_bytes(&out);
        assert!(!holds(&all, NAME.as_bytes()) && !holds(&all, b"19310417"));
    }
}

#[test]
fn damaged_files_are_left_out_and_a_full_folder_is_refused() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = planted(from.path());
    let bytes = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], &bytes[..bytes.len() - 30]).unwrap();
    let out = to.path().join("out");
    let (done, codes) = written(&files, &out, Profile::default());
    assert_eq!((done.n_files, codes.contains(&"unreadable-file")), (5, true));
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    assert!(matches!(deidentify_files(&files, &out, Profile::default(), &[], &mut reading), Err(Error::Parameter(_))));
}
