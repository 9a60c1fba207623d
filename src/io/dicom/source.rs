//! The bytes of one DICOM file: preamble and meta group (PS3.10), or what can be made out without them.

use super::element::{DataSet, Syntax, u16_at, u32_at};
use crate::base::{Error, Limits, Result};
use dicom::dictionary_std::tags;
use std::io::Read;

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG: &str = "1.2.840.10008.1.2.2";
const KNOWN_VRS: &[u8] = b"AEASATCSDADSDTFLFDISLOLTOBODOFOLOWPNSHSLSQSSSTTMUCUIULUNURUSUT";

/// Whether the first bytes (132 or more where the file has them) look like DICOM: `DICM` after the
/// preamble, or a plausible first element of group 2 or 8 without one.
#[must_use]
pub fn is_dicom(first_bytes: &[u8]) -> bool {
    first_bytes.get(128..132) == Some(b"DICM") || [0x0002, 0x0008].into_iter().any(|group| sniff(first_bytes, group).is_some())
}

/// How the first element is written, where it is a plausible one of this group.
fn sniff(bytes: &[u8], group: u16) -> Option<Syntax> {
    let known = |vr: &[u8]| KNOWN_VRS.chunks_exact(2).any(|k| k == vr);
    let vr = bytes.get(4..6)?;
    let plausible = |element: u16| element <= 0x0070;
    for big in [false, true] {
        if u16_at(bytes, 0, big)? == group && plausible(u16_at(bytes, 2, big)?) {
            if known(vr) {
                return Some(Syntax { explicit: true, big });
            }
            let length = u32_at(bytes, 4, false)?;
            if !big && length <= 1024 && bytes.get(6..8) == Some(&[0, 0]) {
                return Some(Syntax::IMPLICIT);
            }
        }
    }
    None
}

/// A file in memory: its data set starts at `start` of `bytes`.
#[derive(Debug)]
pub(super) struct Source {
    bytes: Vec<u8>,
    start: usize,
    pub syntax: Syntax,
    /// As declared, or as sniffed where it was missing.
    pub transfer_syntax: String,
    /// Whether preamble, meta group or transfer syntax were missing or wrong.
    pub irregular: bool,
}

impl Source {
    /// Finds the data set; inflates it where it is deflated. `Malformed` where it is not DICOM.
    pub fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Self> {
        let preamble = bytes.get(128..132) == Some(b"DICM");
        if !preamble && !is_dicom(&bytes) {
            return Err(Error::malformed(format!(
                "no DICM mark after 128 bytes and no DICOM element at the start ({} bytes); choose a DICOM file",
                bytes.len()
            )));
        }
        let (declared, start) = meta_group(&bytes, if preamble { 132 } else { 0 });
        let body = bytes.get(start..).unwrap_or_default();
        if declared.as_deref() == Some(DEFLATED) {
            let bytes = inflate(body, limits)?;
            return Ok(Self {
                bytes,
                start: 0,
                syntax: Syntax::EXPLICIT,
                transfer_syntax: DEFLATED.to_owned(),
                irregular: false,
            });
        }
        let promised = match declared.as_deref() {
            Some(IMPLICIT) => Some(Syntax::IMPLICIT),
            Some(BIG) => Some(Syntax::BIG),
            Some(_) => Some(Syntax::EXPLICIT),
            None => None,
        };
        let seen = (1..=0x0020).find_map(|group| sniff(body, group));
        let syntax = seen.or(promised).unwrap_or(Syntax::EXPLICIT);
        let irregular = !preamble || promised != Some(syntax);
        let transfer_syntax = match declared {
            Some(uid) if promised == Some(syntax) || !matches!(uid.as_str(), IMPLICIT | EXPLICIT | BIG) => uid,
            _ if syntax.big => BIG.to_owned(),
            _ if syntax.explicit => EXPLICIT.to_owned(),
            _ => IMPLICIT.to_owned(),
        };
        Ok(Self { bytes, start, syntax, transfer_syntax, irregular })
    }

    /// The bytes of the data set; offsets of elements count from here.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Where the data set starts in the file; `None` where it was inflated.
    pub fn start_in_file(&self) -> Option<usize> {
        (self.transfer_syntax != DEFLATED).then_some(self.start)
    }

    pub fn data_set(&self) -> DataSet<'_> {
        DataSet::read(self.body(), self.syntax)
    }

    /// Whether pixel data come as compressed fragments.
    pub fn is_native(&self) -> bool {
        matches!(self.transfer_syntax.as_str(), IMPLICIT | EXPLICIT | DEFLATED | BIG)
    }
}

/// Transfer syntax and where the data set starts; the meta group is always explicit little endian.
fn meta_group(bytes: &[u8], start: usize) -> (Option<String>, usize) {
    let (mut pos, mut transfer_syntax) = (start, None);
    while u16_at(bytes, pos, false) == Some(0x0002) {
        let Some(end) = meta_element_end(bytes, pos) else { break };
        if u16_at(bytes, pos + 2, false) == Some(tags::TRANSFER_SYNTAX_UID.1) {
            let text = String::from_utf8_lossy(bytes.get(pos + 8..end).unwrap_or_default()).into_owned();
            transfer_syntax = Some(text.trim_matches(['\0', ' ']).to_owned()).filter(|t| !t.is_empty());
        }
        pos = end;
    }
    (transfer_syntax, pos.min(bytes.len()))
}

fn meta_element_end(bytes: &[u8], pos: usize) -> Option<usize> {
    let vr = bytes.get(pos + 4..pos + 6)?;
    let (size, length) = match vr {
        b"OB" | b"UN" | b"UT" | b"OW" => (12, u32_at(bytes, pos + 8, false)?),
        _ if vr.iter().all(u8::is_ascii_uppercase) => (8, u32::from(u16_at(bytes, pos + 6, false)?)),
        _ => (8, u32_at(bytes, pos + 4, false)?),
    };
    let end = pos.checked_add(size)?.checked_add(length as usize)?;
    (end <= bytes.len()).then_some(end)
}

fn inflate(body: &[u8], limits: &Limits) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = limits.max_bytes;
    flate2::read::DeflateDecoder::new(body)
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Error::malformed(format!("the deflated data set is damaged ({e}); copy the file again")))?;
    limits.check("the inflated data set", &[bytes.len() as u64], 1)?;
    Ok(bytes)
}
