//! What happens to each attribute: the basic profile of PS3.15 E.2 as a list of what may stay. Everything that table
//! E.1-1 names is removed, emptied or replaced; of what it does not name, free text, names, addresses, unknown and
//! private attributes go too, because any of them can hold a name. Codes, numbers, geometry, timing and pixels stay.

use super::dates::Dates;
use dicom::core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom::core::{Tag, VR};
use dicom::dictionary_std::{StandardDataDictionary, tags};

/// What is done with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Remove,
    /// Zero length.
    Empty,
    /// A fixed value that says nothing.
    Dummy(&'static str),
    /// Another unique identifier, the same for the same.
    Uid,
    /// A date or date with time, moved or kept.
    Date,
    /// As it is, where it is what its representation says.
    Keep,
    /// Items are cleaned.
    Sequence,
}

/// Name and representation of an attribute in the standard's dictionary; `None` for unknown and repeating ones.
pub(super) fn known(tag: Tag) -> Option<(&'static str, VR)> {
    let entry = StandardDataDictionary.by_tag(tag)?;
    if entry.tag_range().inner() != tag {
        return None;
    }
    let vr = match entry.vr() {
        VirtualVr::Exact(vr) => vr,
        VirtualVr::Xs => VR::US,
        _ => VR::OW,
    };
    Some((entry.alias(), vr))
}

/// Attributes that an image without them would not be valid, which are written empty (PS3.15 action Z).
pub(super) const EMPTY: [Tag; 12] = [
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::ACCESSION_NUMBER,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_SEX,
    tags::STUDY_ID,
    tags::CONTENT_CREATOR_NAME,
    tags::CONTENT_DESCRIPTION,
    tags::CONTRAST_BOLUS_AGENT,
];

/// Dates and times that tell the order of images; removed unless they are asked for.
const DATES: [Tag; 13] = [
    tags::INSTANCE_CREATION_DATE,
    tags::STUDY_DATE,
    tags::SERIES_DATE,
    tags::ACQUISITION_DATE,
    tags::CONTENT_DATE,
    tags::ACQUISITION_DATE_TIME,
    tags::FRAME_ACQUISITION_DATE_TIME,
    tags::FRAME_REFERENCE_DATE_TIME,
    tags::INSTANCE_CREATION_TIME,
    tags::STUDY_TIME,
    tags::SERIES_TIME,
    tags::ACQUISITION_TIME,
    tags::CONTENT_TIME,
];

/// Texts that say how an image was made, not of whom.
const TEXTS: [Tag; 16] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::MANUFACTURER,
    tags::MANUFACTURER_MODEL_NAME,
    tags::SEQUENCE_NAME,
    tags::PULSE_SEQUENCE_NAME,
    tags::RESCALE_TYPE,
    tags::CONVOLUTION_KERNEL,
    tags::CODE_VALUE,
    tags::CODING_SCHEME_DESIGNATOR,
    tags::CODING_SCHEME_VERSION,
    tags::CODE_MEANING,
    tags::SEGMENT_LABEL,
    tags::DIMENSION_DESCRIPTION_LABEL,
    tags::MULTIPLEX_GROUP_LABEL,
    tags::LUT_LABEL,
    tags::RADIOPHARMACEUTICAL,
];

/// Groups whose attributes may stay; of all others only those named here.
const GROUPS: [u16; 11] = [0x0008, 0x0018, 0x0020, 0x0022, 0x0028, 0x003A, 0x0054, 0x0062, 0x5200, 0x5400, 0x7FE0];
const OTHERS: [Tag; 9] = [
    tags::CONTENT_LABEL,
    tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
    tags::REAL_WORLD_VALUE_INTERCEPT,
    tags::REAL_WORLD_VALUE_SLOPE,
    tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED,
    tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED,
    tags::LUT_EXPLANATION,
    tags::MEASUREMENT_UNITS_CODE_SEQUENCE,
    tags::CONCEPT_NAME_CODE_SEQUENCE,
];

/// Sequences of group 8 that may stay: codes of what is shown and links to other images.
const SEQUENCES: [Tag; 12] = [
    tags::REFERENCED_SERIES_SEQUENCE,
    tags::REFERENCED_IMAGE_SEQUENCE,
    tags::REFERENCED_INSTANCE_SEQUENCE,
    tags::REFERENCED_SOP_SEQUENCE,
    tags::SOURCE_IMAGE_SEQUENCE,
    tags::ANATOMIC_REGION_SEQUENCE,
    tags::ANATOMIC_REGION_MODIFIER_SEQUENCE,
    tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE,
    tags::PRIMARY_ANATOMIC_STRUCTURE_MODIFIER_SEQUENCE,
    tags::DERIVATION_CODE_SEQUENCE,
    tags::DERIVATION_IMAGE_SEQUENCE,
    tags::REFERENCED_IMAGE_EVIDENCE_SEQUENCE,
];

/// Numbers and codes of the groups above that table E.1-1 names, or that count a person's things.
const NEVER: [Tag; 5] = [
    tags::CONTRIBUTING_EQUIPMENT_SEQUENCE,
    tags::INTERVENTION_SEQUENCE,
    tags::INTERVENTION_DRUG_INFORMATION_SEQUENCE,
    tags::FUNCTIONAL_SYNC_PULSE,
    tags::PATIENT_SEX,
];

/// Raw bytes that may stay: pixels, tables of values and waveforms.
fn is_data(tag: Tag) -> bool {
    tag.0 == 0x7FE0
        || (tag.0 == 0x0028 && matches!(tag.1, 0x1101..=0x1103 | 0x1201..=0x1203 | 0x1221..=0x1223 | 0x3002 | 0x3006))
        || matches!(tag, tags::WAVEFORM_DATA | tags::WAVEFORM_PADDING_VALUE)
}

/// The rule of an attribute. Repeating groups (curves, overlays), private and unknown attributes are removed.
pub(super) fn rule(tag: Tag, dates: Dates) -> Rule {
    if tag.0 % 2 == 1 || tag.1 == 0 {
        return Rule::Remove;
    }
    if DATES.contains(&tag) && dates != Dates::Remove {
        return Rule::Date;
    }
    match tag {
        tags::CONTENT_DATE => return Rule::Dummy("19000101"),
        tags::CONTENT_TIME => return Rule::Dummy("000000"),
        tags::ACQUISITION_DATE_TIME | tags::FRAME_ACQUISITION_DATE_TIME | tags::FRAME_REFERENCE_DATE_TIME => {
            return Rule::Dummy("19000101000000");
        }
        tags::DEVICE_SERIAL_NUMBER => return Rule::Dummy("0"),
        _ if EMPTY.contains(&tag) => return Rule::Empty,
        _ => {}
    }
    let Some((_, vr)) = known(tag) else { return Rule::Remove };
    if NEVER.contains(&tag) || !(GROUPS.contains(&tag.0) || OTHERS.contains(&tag)) {
        return Rule::Remove;
    }
    match vr {
        VR::UI => Rule::Uid,
        VR::SQ if tag.0 == 0x0008 && !SEQUENCES.contains(&tag) => Rule::Remove,
        VR::SQ => Rule::Sequence,
        VR::CS | VR::DS | VR::IS | VR::AT | VR::US | VR::SS | VR::UL | VR::SL | VR::FL | VR::FD | VR::UV | VR::SV => Rule::Keep,
        _ if is_data(tag) || TEXTS.contains(&tag) => Rule::Keep,
        _ => Rule::Remove,
    }
}
