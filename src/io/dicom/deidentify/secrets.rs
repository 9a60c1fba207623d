//! Words that name a patient or somebody around one, gathered from a whole file.

use super::super::element::{DataSet, Element, items};
use super::rules::known;
use dicom::core::{Tag, VR};
use dicom::dictionary_std::tags;
use std::collections::BTreeSet;

/// Shorter words stand in too many others.
const SHORTEST: usize = 3;
const MAX_DEPTH: usize = 16;
/// Names of one file have fewer words.
const MOST_WORDS: usize = 4096;

/// Attributes beside names of persons whose words are looked for.
const NUMBERS: [Tag; 12] = [
    tags::PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::ACCESSION_NUMBER,
    tags::PATIENT_ADDRESS,
    tags::PATIENT_TELEPHONE_NUMBERS,
    tags::ADMISSION_ID,
    tags::INSTITUTION_NAME,
    tags::STUDY_ID,
    Tag(0x0010, 0x1090), // Medical Record Locator, retired
    tags::PATIENT_BIRTH_TIME,
    tags::ISSUER_OF_PATIENT_ID,
    Tag(0x0010, 0x1000), // Other Patient IDs, retired
];

/// Words of the standard that are also in names of machines and files, and that no one is looked for by.
const COMMON: [&[u8]; 12] = [
    b"mri",
    b"dicom",
    b"anonymous",
    b"anonymized",
    b"anon",
    b"none",
    b"unknown",
    b"patient",
    b"test",
    b"phantom",
    b"study",
    b"hospital",
];

/// Bytes of words, small letters for ASCII; other letters in the coding of the file.
#[derive(Debug, Default)]
pub(super) struct Secrets(BTreeSet<Vec<u8>>);

impl Secrets {
    /// Words of all names and numbers of a data set and its sequences.
    pub fn of(set: &DataSet<'_>) -> Self {
        let mut secrets = Self::default();
        secrets.gather(set, 0);
        secrets
    }

    fn gather(&mut self, set: &DataSet<'_>, depth: usize) {
        for element in &set.elements {
            let vr = known(element.tag).map(|(_, vr)| vr);
            if &element.vr == b"PN" || vr == Some(VR::PN) || NUMBERS.contains(&element.tag) {
                self.add(element);
            } else if depth < MAX_DEPTH && (vr == Some(VR::SQ) || &element.vr == b"SQ") {
                items(element, set.syntax).iter().for_each(|item| self.gather(item, depth + 1));
            }
        }
    }

    fn add(&mut self, element: &Element<'_>) {
        let words = element.value.split(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
        let words = words.map(<[u8]>::to_ascii_lowercase).filter(|w| w.len() >= SHORTEST && !COMMON.contains(&w.as_slice()));
        let room = MOST_WORDS.saturating_sub(self.0.len());
        self.0.extend(words.take(room));
    }

    /// Whether a value holds one of the words.
    pub fn are_in(&self, value: &[u8]) -> bool {
        let low = value.to_ascii_lowercase();
        self.0.iter().any(|word| low.windows(word.len()).any(|w| w == word.as_slice()))
    }

    /// Whether a value holds short ones of the words at most.
    pub fn is_common(&self, value: &[u8]) -> bool {
        let low = value.to_ascii_lowercase();
        !self.0.iter().any(|word| word.len() > 4 && low.windows(word.len()).any(|w| w == word.as_slice()))
    }
}
