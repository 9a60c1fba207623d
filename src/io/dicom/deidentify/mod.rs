//! DICOM files without what names the patient (PS3.15 annex E, basic application level confidentiality profile).
//! A file is rewritten element by element in its own byte order and compression: pixels are copied as they are, and
//! what stays is listed. Private attributes go; unique identifiers are replaced, the same by the same. A kept text
//! that holds a word of the patient's names or numbers is emptied, whatever attribute it stands in.

mod dates;
mod export;
mod rules;
mod secrets;
#[cfg(test)]
mod tests;

pub use dates::Dates;
pub use export::{Exported, deidentify_files};

use super::element::{DataSet, Element, Syntax, items, u16_at};
use super::source::Source;
use crate::base::{Error, Limits, Result};
use crate::io::bytes;
use dicom::core::{Tag, VR};
use dicom::dictionary_std::tags;
use rules::{EMPTY, Rule, known, rule};
use secrets::Secrets;
use std::collections::BTreeMap;

/// Root of the standard's own identifiers: classes and transfer syntaxes, which say nothing of a patient.
const STANDARD_ROOT: &str = "1.2.840.10008.";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// Identifies this program as the writer (PS3.10 7.1).
const IMPLEMENTATION: &str = "2.25.212038154392410389712094736155803218713";
const MAX_DEPTH: usize = 16;

/// An attribute that stayed, by its place in sequences: `0028,0010`, or `5200,9229/0028,9110/0028,0030`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTag {
    /// Keyword of the standard.
    pub name: &'static str,
    /// Two letters.
    pub vr: String,
    /// `kept`, `emptied`, `replaced`, or `cleaned` for sequences.
    pub action: &'static str,
    /// In how many files.
    pub n_files: usize,
}

/// Attributes that stayed, in order.
pub type KeptTags = BTreeMap<String, KeptTag>;

/// Settings of a de-identification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What becomes of dates.
    pub dates: Dates,
    /// New identifiers depend on it: the same seed gives the same.
    pub seed: u64,
}

/// A file without its patient.
#[derive(Debug)]
struct Cleaned {
    bytes: Vec<u8>,
    kept: KeptTags,
    /// Whether its pixels may show text: said by the file, or not denied by an ultrasound or a secondary capture.
    may_show_text: bool,
    /// Values that held a word of the patient.
    n_emptied: usize,
}

/// One file in memory without its patient, with the dates removed.
pub fn deidentify_bytes(data: &[u8], limits: &Limits) -> Result<Vec<u8>> {
    clean(data.to_vec(), Profile::default(), limits).map(|cleaned| cleaned.bytes)
}

/// One file rewritten. `Malformed` where it is damaged before its pixels.
fn clean(data: Vec<u8>, profile: Profile, limits: &Limits) -> Result<Cleaned> {
    let source = Source::open(data, limits)?;
    let set = source.data_set();
    if !set.complete {
        return Err(Error::malformed(
            "the file ends in the middle of an attribute, so that not all of it can be checked; copy it again",
        ));
    }
    let deflated = source.transfer_syntax == DEFLATED;
    let transfer_syntax = if deflated { EXPLICIT_LITTLE } else { &source.transfer_syntax };
    let mut writer = Writer {
        profile,
        secrets: Secrets::of(&set),
        kept: KeptTags::new(),
        syntax: set.syntax,
        n_emptied: 0,
        limits_left: limits.max_bytes,
    };
    let mut body = Vec::with_capacity(source.body().len());
    let mut added = added(profile.dates);
    for tag in EMPTY.iter().filter(|t| **t != tags::CONTRAST_BOLUS_AGENT && t.0 != 0x0070) {
        if set.find(*tag).is_none() {
            added.push((*tag, String::new()));
        }
    }
    writer.level(&set, added, "", 0, &mut body)?;
    let text = |tag: Tag| set.find(tag).map(Element::text).unwrap_or_default();
    let said = text(tags::BURNED_IN_ANNOTATION);
    let can = matches!(text(tags::MODALITY).as_str(), "US" | "OT" | "SC" | "XC" | "DOC");
    let has_pixels = set.elements.iter().any(|e| e.tag.0 == 0x7FE0);
    let class = text(tags::SOP_CLASS_UID);
    let instance = profile.uid(&text(tags::SOP_INSTANCE_UID));
    let mut bytes = meta(&class, &instance, transfer_syntax);
    bytes.extend(body);
    Ok(Cleaned {
        bytes,
        kept: writer.kept,
        may_show_text: has_pixels && (said == "YES" || (said != "NO" && can)),
        n_emptied: writer.n_emptied,
    })
}

impl Profile {
    /// The replacement of an identifier; those of the standard and empty ones stay.
    fn uid(&self, uid: &str) -> String {
        if uid.is_empty() || uid.starts_with(STANDARD_ROOT) {
            return uid.to_owned();
        }
        let digest = bytes::sha256(format!("myoscope-uid {} {uid}", self.seed).as_bytes());
        let number = u128::from_str_radix(digest.get(..32).unwrap_or_default(), 16).unwrap_or_default();
        format!("2.25.{number}")
    }
}

/// What says that this was done (PS3.15 E.1.1, CID 7050).
fn added(dates: Dates) -> Vec<(Tag, String)> {
    let (longitudinal, method) = match dates {
        Dates::Remove => ("REMOVED", "Basic Application Confidentiality Profile"),
        Dates::Keep => ("UNMODIFIED", "Basic Profile\\Retain Longitudinal With Full Dates Option"),
        Dates::Shift(_) => ("MODIFIED", "Basic Profile\\Retain Longitudinal With Modified Dates Option"),
    };
    vec![
        (tags::PATIENT_IDENTITY_REMOVED, "YES".into()),
        (tags::DEIDENTIFICATION_METHOD, method.into()),
        (tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, longitudinal.into()),
    ]
}

/// Preamble and meta group, explicit little endian.
fn meta(class: &str, instance: &str, transfer_syntax: &str) -> Vec<u8> {
    let mut group = Vec::new();
    let syntax = Syntax::EXPLICIT;
    put(&mut group, syntax, Tag(0x0002, 0x0001), VR::OB, &[0, 1]);
    for (tag, uid) in [
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, class),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, instance),
        (tags::TRANSFER_SYNTAX_UID, transfer_syntax),
        (tags::IMPLEMENTATION_CLASS_UID, IMPLEMENTATION),
    ] {
        put(&mut group, syntax, tag, VR::UI, uid.as_bytes());
    }
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    put(&mut out, syntax, Tag(0x0002, 0x0000), VR::UL, &(group.len() as u32).to_le_bytes());
    out.extend(group);
    out
}

fn number(out: &mut Vec<u8>, syntax: Syntax, value: u16) {
    out.extend(if syntax.big { value.to_be_bytes() } else { value.to_le_bytes() });
}

fn long(out: &mut Vec<u8>, syntax: Syntax, value: u32) {
    out.extend(if syntax.big { value.to_be_bytes() } else { value.to_le_bytes() });
}

fn is_long(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::SQ | VR::SV | VR::UC | VR::UN | VR::UR | VR::UT | VR::UV
    )
}

fn head(out: &mut Vec<u8>, syntax: Syntax, tag: Tag, vr: VR, length: u32) {
    number(out, syntax, tag.0);
    number(out, syntax, tag.1);
    if !syntax.explicit || tag.0 == 0xFFFE {
        long(out, syntax, length);
        return;
    }
    out.extend(vr.to_bytes());
    if is_long(vr) {
        number(out, syntax, 0);
        long(out, syntax, length);
    } else {
        number(out, syntax, u16::try_from(length).unwrap_or(0));
    }
}

/// One element, padded to an even length.
fn put(out: &mut Vec<u8>, syntax: Syntax, tag: Tag, vr: VR, value: &[u8]) {
    let length = value.len().next_multiple_of(2);
    let (vr, value) = if !is_long(vr) && length > 65_534 { (VR::UN, value) } else { (vr, value) };
    head(out, syntax, tag, vr, length as u32);
    out.extend(value);
    if length > value.len() {
        out.push(if matches!(vr, VR::UI | VR::OB | VR::UN) { 0 } else { b' ' });
    }
}

struct Writer {
    profile: Profile,
    secrets: Secrets,
    kept: KeptTags,
    syntax: Syntax,
    n_emptied: usize,
    limits_left: u64,
}

impl Writer {
    /// Writes the elements of one level in order of their tags, with others that are added.
    fn level(
        &mut self,
        set: &DataSet<'_>,
        mut added: Vec<(Tag, String)>,
        path: &str,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if set.syntax != self.syntax {
            return Ok(()); // a sequence of unknown representation in another order of bytes
        }
        added.sort_by_key(|(tag, _)| *tag);
        let mut added = added.into_iter().peekable();
        let mut elements: Vec<&Element<'_>> = set.elements.iter().collect();
        elements.sort_by_key(|e| e.tag);
        elements.dedup_by_key(|e| e.tag);
        for element in elements {
            while let Some((tag, text)) = added.next_if(|(tag, _)| *tag <= element.tag) {
                self.add(tag, &text, out);
            }
            let is_replaced = path.is_empty()
                && matches!(
                    element.tag,
                    tags::PATIENT_IDENTITY_REMOVED
                        | tags::DEIDENTIFICATION_METHOD
                        | tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED
                );
            if !is_replaced {
                self.element(element, path, depth, out)?;
            }
        }
        for (tag, text) in added {
            self.add(tag, &text, out);
        }
        Ok(())
    }

    fn add(&mut self, tag: Tag, text: &str, out: &mut Vec<u8>) {
        let Some((name, vr)) = known(tag) else { return };
        put(out, self.syntax, tag, vr, text.as_bytes());
        self.note(tag, name, vr, "", if text.is_empty() { "emptied" } else { "replaced" });
    }

    fn note(&mut self, tag: Tag, name: &'static str, vr: VR, path: &str, action: &'static str) {
        let place = format!("{path}{:04X},{:04X}", tag.0, tag.1);
        let kept = self.kept.entry(place);
        kept.or_insert_with(|| KeptTag { name, vr: vr.to_string().to_owned(), action, n_files: 1 });
    }

    fn element(&mut self, element: &Element<'_>, path: &str, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let tag = element.tag;
        let Some((name, usual)) = known(tag) else { return Ok(()) };
        let written = std::str::from_utf8(&element.vr).ok().and_then(|v| v.parse::<VR>().ok()).filter(|v| *v != VR::UN);
        let vr = written.unwrap_or(usual);
        let (action, value): (&'static str, Vec<u8>) = match rule(tag, self.profile.dates) {
            Rule::Remove => return Ok(()),
            Rule::Empty => ("emptied", Vec::new()),
            Rule::Dummy(text) if element.value.is_empty() => ("emptied", text.as_bytes()[..0].to_vec()),
            Rule::Dummy(text) => ("replaced", text.as_bytes().to_vec()),
            Rule::Date => match std::str::from_utf8(element.value).ok().and_then(|t| self.profile.dates.apply(t)) {
                Some(text) => (if self.profile.dates == Dates::Keep { "kept" } else { "replaced" }, text.into_bytes()),
                None => ("emptied", Vec::new()),
            },
            Rule::Uid => {
                let text = element.text();
                let new: Vec<String> = text.split('\\').map(|uid| self.profile.uid(uid.trim())).collect();
                let new = new.join("\\");
                (if new == text { "kept" } else { "replaced" }, new.into_bytes())
            }
            Rule::Sequence if usual == VR::SQ && depth < MAX_DEPTH => {
                return self.sequence(element, name, path, depth, out);
            }
            Rule::Sequence => return Ok(()),
            Rule::Keep if tag.0 == 0x7FE0 => {
                self.note(tag, name, vr, path, "kept");
                self.pixels(element, vr, out);
                return Ok(());
            }
            Rule::Keep if element.undefined => return Ok(()),
            Rule::Keep => match self.plain(element, usual) {
                Some(value) => ("kept", value),
                None => {
                    self.n_emptied += 1;
                    ("emptied", Vec::new())
                }
            },
        };
        put(out, self.syntax, tag, vr_of(vr, usual), &value);
        self.note(tag, name, vr, path, action);
        Ok(())
    }

    /// A value that is what its representation says and holds no word of the patient; else `None`.
    fn plain(&self, element: &Element<'_>, vr: VR) -> Option<Vec<u8>> {
        let value = element.value;
        let size = match vr {
            VR::US | VR::SS => 2,
            VR::UL | VR::SL | VR::FL | VR::AT => 4,
            VR::FD | VR::UV | VR::SV => 8,
            VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV => 1,
            _ => 0,
        };
        if size > 0 {
            return value.len().is_multiple_of(size).then(|| value.to_vec());
        }
        let text = std::str::from_utf8(value).ok().map(|t| t.trim_matches(['\0', ' ']));
        let fits = match vr {
            VR::DS | VR::IS => {
                text.is_some_and(|t| t.split('\\').all(|p| p.trim().is_empty() || p.trim().parse::<f64>().is_ok()))
            }
            VR::CS => text.is_some_and(|t| {
                t.split('\\').all(|p| {
                    p.len() <= 32
                        && p.bytes().all(|b| {
                            b.is_ascii_uppercase() || b.is_ascii_digit() || b" _-./".contains(&b) || b.is_ascii_lowercase()
                        })
                })
            }),
            _ => true,
        };
        // Words that the standard defines may be short names too.
        let is_defined = matches!(element.tag, tags::MODALITY | tags::PHOTOMETRIC_INTERPRETATION | tags::SPECIFIC_CHARACTER_SET);
        let is_number = matches!(vr, VR::DS | VR::IS);
        (fits && (is_number || (is_defined && self.secrets.is_common(value)) || !self.secrets.are_in(value)))
            .then(|| value.to_vec())
    }

    fn sequence(&mut self, element: &Element<'_>, name: &'static str, path: &str, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let tag = element.tag;
        self.note(tag, name, VR::SQ, path, "cleaned");
        let place = format!("{path}{:04X},{:04X}/", tag.0, tag.1);
        head(out, self.syntax, tag, VR::SQ, u32::MAX);
        for item in items(element, self.syntax) {
            self.limits_left = self.limits_left.checked_sub(16).ok_or_else(|| Error::malformed("too many items"))?;
            head(out, self.syntax, Tag(0xFFFE, 0xE000), VR::UN, u32::MAX);
            self.level(&item, Vec::new(), &place, depth + 1, out)?;
            head(out, self.syntax, Tag(0xFFFE, 0xE00D), VR::UN, 0);
        }
        head(out, self.syntax, Tag(0xFFFE, 0xE0DD), VR::UN, 0);
        Ok(())
    }

    /// Pixels as they are; of compressed ones the fragments.
    fn pixels(&self, element: &Element<'_>, vr: VR, out: &mut Vec<u8>) {
        if element.undefined {
            head(out, self.syntax, element.tag, VR::OB, u32::MAX);
            out.extend(element.value);
            head(out, self.syntax, Tag(0xFFFE, 0xE0DD), VR::UN, 0);
        } else {
            put(out, self.syntax, element.tag, if is_long(vr) { vr } else { VR::OW }, element.value);
        }
    }
}

/// The representation to write: the file's where it is of the same kind as the dictionary's.
fn vr_of(written: VR, usual: VR) -> VR {
    let both = [written, usual];
    let interchangeable = [[VR::US, VR::SS], [VR::US, VR::OW], [VR::OB, VR::OW], [VR::SS, VR::OW]];
    let fits = written == usual || interchangeable.iter().any(|pair| pair.iter().all(|v| both.contains(v)));
    if fits { written } else { usual }
}

/// Whether a data set holds pixels or waveforms: what is exported.
fn is_image(set: &DataSet<'_>) -> bool {
    set.elements.iter().any(|e| e.tag.0 == 0x7FE0 || e.tag == tags::WAVEFORM_SEQUENCE)
}

/// Rows of a data set, for names of files.
fn rows(set: &DataSet<'_>) -> u16 {
    set.find(tags::ROWS).and_then(|e| u16_at(e.value, 0, set.syntax.big)).unwrap_or(0)
}
