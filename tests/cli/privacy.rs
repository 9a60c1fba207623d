//! A patient's name, number and birth date, planted wherever a file may carry them, come out nowhere: not in
//! tables, pictures, JSON, errors, journals or projects.

use crate::run::{demo, files, run_in};
use dicom::core::{DataElement, PrimitiveValue, Tag, VR};
use dicom::dictionary_std::tags;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Content, Reading, open, write_h5ad};
use myoscope::model::Column;
use myoscope::session::{Action, Session};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

const NAME: &str = "QXVORLEK";
const NUMBER: &str = "QXID90210";
/// Retired, and still in many files.
const OTHER_PATIENT_IDS: Tag = Tag(0x0010, 0x1000);
const BIRTH: &str = "19310417";

/// The demo's series with a patient in every place that knows one, and in descriptions.
fn plant_dicom(folder: &Path) {
    let full = format!("{NAME}^PLANTED^^DR");
    let texts = [
        (tags::PATIENT_NAME, VR::PN, full.clone()),
        (tags::PATIENT_ID, VR::LO, NUMBER.into()),
        (tags::PATIENT_BIRTH_DATE, VR::DA, BIRTH.into()),
        (tags::OTHER_PATIENT_NAMES, VR::PN, full.clone()),
        (OTHER_PATIENT_IDS, VR::LO, NUMBER.into()),
        (tags::PATIENT_BIRTH_NAME, VR::PN, full.clone()),
        (tags::PATIENT_COMMENTS, VR::LT, format!("{NAME} born {BIRTH}, number {NUMBER}")),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, full.clone()),
        (tags::OPERATORS_NAME, VR::PN, full.clone()),
        (tags::STUDY_DESCRIPTION, VR::LO, format!("heart of {NAME}")),
        (tags::SERIES_DESCRIPTION, VR::LO, format!("cine {} {NUMBER} {BIRTH}", NAME.to_lowercase())),
        (tags::PROTOCOL_NAME, VR::LO, format!("{NUMBER} sax")),
        (tags::ACCESSION_NUMBER, VR::SH, NUMBER.into()),
        (tags::STUDY_ID, VR::SH, NUMBER.into()),
        (tags::IMAGE_COMMENTS, VR::LT, format!("{NAME} {BIRTH}")),
        (tags::INSTITUTION_NAME, VR::LO, format!("clinic of {NAME}")),
        (tags::REQUESTED_PROCEDURE_DESCRIPTION, VR::LO, format!("for {NAME}")),
    ];
    for (name, _) in files(&demo().join("cine-dicom")) {
        let mut object = dicom::object::open_file(demo().join("cine-dicom").join(&name)).unwrap();
        for (tag, vr, text) in &texts {
            object.put(DataElement::new(*tag, *vr, PrimitiveValue::from(text.clone())));
        }
        object.write_to_file(folder.join(&name)).unwrap();
    }
    // One damaged file, so that a reader complains about it.
    let first = files(folder).into_keys().next().unwrap();
    let bytes = std::fs::read(folder.join(&first)).unwrap();
    std::fs::write(folder.join(&first), &bytes[..bytes.len() - 100]).unwrap();
    std::fs::write(folder.join("broken.dcm"), &bytes[..900]).unwrap();
}

/// A NIfTI file with the patient in every free text of its header.
fn plant_nifti(from: &Path, to: &Path) {
    let packed = std::fs::read(from).unwrap();
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    for (at, n, text) in [
        (4, 10, NUMBER.to_owned()),
        (14, 18, format!("{NAME} {BIRTH}")),
        (148, 80, format!("{NAME} {NUMBER} {BIRTH}")),
        (228, 24, format!("{NAME} {NUMBER}")),
        (328, 16, NAME.to_owned()),
    ] {
        bytes[at..at + n].fill(0);
        bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    std::fs::write(to, bytes).unwrap();
}

/// The demo's section with the patient in its observation table and its name.
fn plant_h5ad(to: &Path) {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    let found = open(&demo().join("section.h5ad"), &mut reading).unwrap();
    let Content::Section(section) = &found[0].content else { panic!("no section") };
    let mut section = section.clone();
    section.name = format!("{NAME} {NUMBER}");
    let mut expression = (**section.expression.as_ref().unwrap()).clone();
    let n = expression.observations().len();
    expression.columns.insert("patient".into(), Column::Text(vec![format!("{NAME} {BIRTH}"); n]));
    expression.columns.insert("patient_id".into(), Column::Category { codes: vec![0; n], names: vec![NUMBER.into()] });
    section.expression = Some(Arc::new(expression));
    write_h5ad(to, &section).unwrap();
}

/// Whether bytes, or what is packed in them, name the patient; gzip and zip are looked into.
fn named(bytes: &[u8]) -> Option<&'static str> {
    let low = bytes.to_ascii_lowercase();
    let found = [NAME, NUMBER, BIRTH, "1931-04-17"].into_iter().find(|w| {
        let word = w.to_ascii_lowercase();
        low.windows(word.len()).any(|part| part == word.as_bytes())
    });
    if found.is_some() {
        return found;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut whole = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut whole).unwrap();
        return named(&whole);
    }
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).ok()?;
    (0..archive.len()).find_map(|i| {
        let mut whole = Vec::new();
        archive.by_index(i).unwrap().read_to_end(&mut whole).unwrap();
        named(&whole)
    })
}

fn assert_silent(what: &str, bytes: &[u8]) {
    assert_eq!(
        named(bytes),
        None,
        "{what} names the patient: {}",
        String::from_utf8_lossy(bytes).chars().take(3000).collect::<String>()
    );
}

#[test]
fn no_command_tells_who_the_patient_is() {
    let (inputs, outputs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| inputs.path().join(name);
    std::fs::create_dir(at("series")).unwrap();
    plant_dicom(&at("series"));
    plant_nifti(&demo().join("cine-labels.nii.gz"), &at("labels.nii"));
    plant_nifti(&demo().join("cine.nii.gz"), &at("image.nii"));
    plant_h5ad(&at("section.h5ad"));
    std::fs::copy(demo().join("truth/landmarks.csv"), at("pairs.csv")).unwrap();
    std::fs::copy(demo().join("truth/transform.json"), at("t.json")).unwrap();
    for name in ["series/IM00002.dcm", "labels.nii", "section.h5ad"] {
        assert!(named(&std::fs::read(at(name)).unwrap()).is_some(), "the patient is in {name}");
    }
    let input = inputs.path().display().to_string();
    for line in [
        "inspect IN/series IN/labels.nii IN/image.nii IN/section.h5ad --json",
        "inspect IN/series IN/labels.nii IN/image.nii IN/section.h5ad",
        "inspect IN/series/broken.dcm",
        "snapshot IN/series --view slice --out a.png --json",
        "snapshot IN/image.nii --labels IN/labels.nii --view slice --out b.png",
        "snapshot IN/section.h5ad --view section --color-by patient_id --out c.png",
        "snapshot IN/section.h5ad --view section --color-by patient --out d.png",
        "snapshot IN/series IN/section.h5ad --view overlay --transform IN/t.json --out e.png",
        "measure ventricles --labels IN/labels.nii --out v.csv --json",
        "measure segments --labels IN/labels.nii --image IN/image.nii --out s.csv --out-labels s.nii.gz --json",
        "measure segments --labels IN/image.nii",
        "register landmarks --pairs IN/pairs.csv --model tps --out t.json --json",
        "IN/series IN/labels.nii IN/section.h5ad",
    ] {
        let words = line.split_whitespace().map(|w| w.replace("IN/", &format!("{input}/")));
        let ran = run_in(outputs.path(), words);
        assert!(ran.status == 0 || ran.status == 2, "{line}: {ran:?}");
        assert_silent(line, ran.out.as_bytes());
        assert_silent(line, ran.err.as_bytes());
    }
    let written = files(outputs.path());
    assert!(written.len() > 12, "{:?}", written.keys());
    for (name, bytes) in &written {
        assert_silent(&name.display().to_string(), bytes);
        if name.extension().is_some_and(|e| e == "png") {
            let texts = [b"tEXt", b"iTXt", b"zTXt", b"eXIf"];
            assert!(texts.iter().all(|t| !bytes.windows(4).any(|w| w == *t)), "{} has text in it", name.display());
        }
    }
}

#[test]
fn journals_and_projects_do_not_tell_either() {
    let folder = tempfile::tempdir().unwrap();
    let (series, state) = (folder.path().join("series"), folder.path().join("state"));
    std::fs::create_dir(&series).unwrap();
    plant_dicom(&series);
    plant_h5ad(&folder.path().join("section.h5ad"));
    let mut session = Session::new(Arc::new(|| {}));
    session.keep_journal(&state);
    session.apply(Action::Open(vec![series, folder.path().join("section.h5ad")]));
    settle(&mut session);
    assert!(session.study.elements.len() >= 2);
    let project = folder.path().join("work.myo");
    session.apply(Action::Save { path: project.clone(), with_data: false });
    settle(&mut session);
    assert_silent("the project", &std::fs::read(&project).unwrap());
    let kept = files(&state);
    assert!(kept.keys().any(|k| k.ends_with("journal.jsonl")));
    for (name, bytes) in kept {
        assert_silent(&name.display().to_string(), &bytes);
    }
    for element in session.study.elements.values() {
        assert_silent("a title", element.name().as_bytes());
    }
    for message in &session.messages {
        assert_silent("a message", message.text.as_bytes());
    }
}

fn settle(session: &mut Session) {
    loop {
        session.poll();
        if session.is_idle() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
