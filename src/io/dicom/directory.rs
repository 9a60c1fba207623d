//! `DICOMDIR` (PS3.3 F, PS3.10 8): the files that a medium lists. Names are followed below the folder of the file only,
//! without regard to case, as media often change it.

use super::element::Element;
use super::source::Source;
use crate::base::{Limits, Warnings};
use dicom::dictionary_std::{tags, uids};
use std::path::{Path, PathBuf};

/// A list may name as many files as a folder is searched for.
const MOST_FILES: usize = 100_000;

/// Files that a directory names, in its order: those that are there, and names of those that are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub there: Vec<PathBuf>,
    pub missing: Vec<String>,
}

/// What a file in memory lists; `None` where it is no directory.
pub(super) fn listed(path: &Path, bytes: Vec<u8>, limits: &Limits) -> Option<Listed> {
    let source = Source::open(bytes, limits).ok()?;
    let set = source.data_set();
    let records = set.find(tags::DIRECTORY_RECORD_SEQUENCE)?;
    let class = set.find(tags::SOP_CLASS_UID).map(Element::text).unwrap_or_default();
    if !class.is_empty() && class != uids::MEDIA_STORAGE_DIRECTORY_STORAGE {
        return None;
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found = Listed::default();
    for record in super::element::items(records, set.syntax).iter().take(MOST_FILES) {
        let Some(id) = record.find(tags::REFERENCED_FILE_ID) else { continue };
        let id = id.text();
        let parts: Vec<&str> = id.split('\\').map(str::trim).filter(|p| !p.is_empty()).collect();
        match place(folder, &parts) {
            Some(file) => found.there.push(file),
            None if !parts.is_empty() => found.missing.push(parts.join("/")),
            None => {}
        }
    }
    found.there.dedup();
    Some(found)
}

/// The file of a name; `None` where it is not there or leads elsewhere.
fn place(folder: &Path, parts: &[&str]) -> Option<PathBuf> {
    let mut at = folder.to_path_buf();
    for part in parts {
        if matches!(*part, "." | "..") || part.contains(['/', ':']) {
            return None;
        }
        let exact = at.join(part);
        at = if exact.exists() {
            exact
        } else {
            let parent = if at.as_os_str().is_empty() { Path::new(".") } else { &at };
            let same = |name: &str| {
                name.eq_ignore_ascii_case(part) || name.split(';').next().is_some_and(|n| n.eq_ignore_ascii_case(part))
            };
            let entry =
                std::fs::read_dir(parent).ok()?.filter_map(Result::ok).find(|e| same(&e.file_name().to_string_lossy()))?;
            entry.path()
        };
    }
    (!parts.is_empty() && at.is_file()).then_some(at)
}

/// Says which files of a directory are missing.
pub(super) fn say_missing(listed: &Listed, path: &Path, warnings: &mut Warnings) {
    if let [first, ..] = listed.missing.as_slice() {
        let (n, all) = (listed.missing.len(), listed.missing.len() + listed.there.len());
        let what = format!("{n} of {all} files that the DICOMDIR lists are not there (as {first}); copy the whole medium");
        warnings.warn("missing-file", what, Some(path));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cine, read, volume_of};
    use super::super::{SeriesFacts, write_dicom_cine};
    use super::*;
    use dicom::core::value::{DataSetSequence, PrimitiveValue};
    use dicom::core::{DataElement, VR};
    use dicom::object::{FileMetaTableBuilder, InMemDicomObject};

    fn dicomdir(names: &[&str]) -> Vec<u8> {
        let record = |name: &&str| {
            let parts: Vec<String> = name.split('/').map(str::to_owned).collect();
            let id = DataElement::new(tags::REFERENCED_FILE_ID, VR::CS, PrimitiveValue::Strs(parts.into()));
            InMemDicomObject::from_element_iter([id])
        };
        let records: Vec<InMemDicomObject> = names.iter().map(record).collect();
        let class = DataElement::new(tags::SOP_CLASS_UID, VR::UI, PrimitiveValue::from(uids::MEDIA_STORAGE_DIRECTORY_STORAGE));
        let list = DataElement::new(tags::DIRECTORY_RECORD_SEQUENCE, VR::SQ, DataSetSequence::from(records));
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(uids::MEDIA_STORAGE_DIRECTORY_STORAGE)
            .media_storage_sop_instance_uid("2.25.1");
        let mut out = Vec::new();
        InMemDicomObject::from_element_iter([class, list]).with_meta(meta).unwrap().write_all(&mut out).unwrap();
        out
    }

    #[test]
    fn listed_files_are_opened_and_missing_ones_named() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("disk/images");
        std::fs::create_dir_all(&inside).unwrap();
        let facts = SeriesFacts { description: "c".into(), series_number: 1, seed: 1, rr_ms: None };
        write_dicom_cine(&inside, &cine([8, 6, 4], 1), &facts).unwrap();
        std::fs::write(folder.path().join("secret.dcm"), b"x").unwrap();
        let path = folder.path().join("disk/DICOMDIR");
        let names = ["IMAGES/IM00001.DCM", "images/IM00002.dcm", "IMAGES/im00003.dcm", "images/IM00009.dcm", "../secret.dcm"];
        std::fs::write(&path, dicomdir(&names)).unwrap();
        let (found, codes) = read(&path);
        assert_eq!(volume_of(&found.unwrap()[0]).grid.size()[..2], [8, 6]);
        assert!(codes.contains(&"missing-file"), "{codes:?}");
        let listed = listed(&path, std::fs::read(&path).unwrap(), &Limits::default()).unwrap();
        assert_eq!((listed.there.len(), listed.missing), (3, vec!["images/IM00009.dcm".to_owned(), "../secret.dcm".to_owned()]));
    }
}
