//! Data elements of a DICOM data set (PS3.5 §7), borrowed from the bytes of the file. Damaged input is
//! read as far as it makes sense: [`DataSet::complete`] says whether the end was reached in order.

use dicom::core::Tag;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    /// Whether value representations are in the file.
    pub explicit: bool,
    /// Big-endian numbers.
    pub big: bool,
}

impl Syntax {
    pub const IMPLICIT: Self = Self { explicit: false, big: false };
    pub const EXPLICIT: Self = Self { explicit: true, big: false };
    pub const BIG: Self = Self { explicit: true, big: true };
}

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
const UNDEFINED: u32 = u32::MAX;
const MAX_DEPTH: usize = 24;
const MAX_ELEMENTS: usize = 1 << 20;

/// One element; `value` may be shorter than declared where the file ends early.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub tag: Tag,
    /// Two letters, or zeros where the file does not say.
    pub vr: [u8; 2],
    pub value: &'a [u8],
    /// Where the value starts in the bytes of the data set.
    pub at: usize,
    /// Whether the length was undefined: a sequence, or encapsulated pixel data.
    pub undefined: bool,
}

/// Elements of one level.
#[derive(Clone, Debug)]
pub(super) struct DataSet<'a> {
    pub syntax: Syntax,
    pub elements: Vec<Element<'a>>,
    pub complete: bool,
}

impl<'a> DataSet<'a> {
    /// Reads one level; sequences are walked over and kept as bytes. Linear in the size of `bytes`.
    pub fn read(bytes: &'a [u8], syntax: Syntax) -> Self {
        let mut elements = Vec::with_capacity(64);
        let (_, complete) = walk(bytes, 0, syntax, 0, &mut |e| elements.push(e));
        Self { syntax, elements, complete }
    }

    pub fn find(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.iter().find(|e| e.tag == tag)
    }

    /// Items of a sequence; empty where there is none.
    pub fn items(&self, tag: Tag) -> Vec<DataSet<'a>> {
        self.find(tag).map_or_else(Vec::new, |e| items(e, self.syntax))
    }
}

/// Items of a sequence element.
pub(super) fn items<'a>(element: &Element<'a>, syntax: Syntax) -> Vec<DataSet<'a>> {
    let syntax = inner_syntax(element.vr, syntax);
    let mut found = Vec::new();
    let (bytes, mut pos) = (element.value, 0);
    while let Some(head) = head(bytes, pos, syntax) {
        if head.tag != ITEM || found.len() >= MAX_ELEMENTS {
            break;
        }
        let start = pos + head.size;
        let mut elements = Vec::new();
        let bounded = if head.length == UNDEFINED {
            bytes
        } else {
            bytes.get(..start.saturating_add(head.length as usize)).unwrap_or(bytes)
        };
        let (end, complete) = walk(bounded, start, syntax, 1, &mut |e| elements.push(e));
        found.push(DataSet { syntax, elements, complete });
        pos = if head.length == UNDEFINED { end } else { start.saturating_add(head.length as usize) };
    }
    found
}

/// Fragments of encapsulated pixel data as (start, end) in `value`; the first is the offset table.
pub(super) fn fragments(value: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut pos) = (Vec::new(), 0);
    while let Some(head) = head(value, pos, Syntax::EXPLICIT) {
        if head.tag != ITEM || head.length == UNDEFINED {
            break;
        }
        let start = pos + head.size;
        let end = start.saturating_add(head.length as usize);
        if end > value.len() {
            break;
        }
        found.push((start, end));
        pos = end;
    }
    found
}

struct Head {
    tag: Tag,
    vr: [u8; 2],
    length: u32,
    size: usize,
}

fn head(bytes: &[u8], pos: usize, syntax: Syntax) -> Option<Head> {
    let tag = Tag(u16_at(bytes, pos, syntax.big)?, u16_at(bytes, pos.checked_add(2)?, syntax.big)?);
    let plain = |vr| Some(Head { tag, vr, length: u32_at(bytes, pos + 4, syntax.big)?, size: 8 });
    if tag.0 == 0xFFFE || !syntax.explicit {
        return plain([0, 0]);
    }
    let vr = [*bytes.get(pos + 4)?, *bytes.get(pos + 5)?];
    if !vr.iter().all(u8::is_ascii_uppercase) {
        return plain([0, 0]); // some writers fall back to implicit inside explicit files
    }
    let long =
        matches!(&vr, b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV");
    if long {
        Some(Head { tag, vr, length: u32_at(bytes, pos + 8, syntax.big)?, size: 12 })
    } else {
        Some(Head { tag, vr, length: u32::from(u16_at(bytes, pos + 6, syntax.big)?), size: 8 })
    }
}

fn inner_syntax(vr: [u8; 2], outer: Syntax) -> Syntax {
    if &vr == b"UN" { Syntax::IMPLICIT } else { outer }
}

/// Walks the elements of one level from `pos`; gives where it ended and whether that was in order.
fn walk<'a>(bytes: &'a [u8], mut pos: usize, syntax: Syntax, depth: usize, found: &mut dyn FnMut(Element<'a>)) -> (usize, bool) {
    let mut n_elements = 0;
    loop {
        let Some(head) = head(bytes, pos, syntax) else {
            let rest = bytes.get(pos..).unwrap_or_default();
            return (bytes.len(), rest.iter().all(|&b| b == 0));
        };
        n_elements += 1;
        let at = pos + head.size;
        if head.tag == ITEM_END || head.tag == SEQUENCE_END {
            return (at, true);
        }
        if n_elements > MAX_ELEMENTS {
            return (bytes.len(), false);
        }
        let (end, after, whole) = if head.length == UNDEFINED {
            sequence_end(bytes, at, inner_syntax(head.vr, syntax), depth + 1)
        } else {
            let end = at.saturating_add(head.length as usize);
            (end.min(bytes.len()), end.min(bytes.len()), end <= bytes.len())
        };
        let value = bytes.get(at..end).unwrap_or_default();
        found(Element { tag: head.tag, vr: head.vr, value, at, undefined: head.length == UNDEFINED });
        if !whole {
            return (bytes.len(), false);
        }
        pos = after;
    }
}

/// End of the value and where to go on after a sequence of undefined length that starts at `pos`.
fn sequence_end(bytes: &[u8], mut pos: usize, syntax: Syntax, depth: usize) -> (usize, usize, bool) {
    while let Some(head) = head(bytes, pos, syntax) {
        let start = pos + head.size;
        if head.tag == SEQUENCE_END {
            return (pos, start, true);
        }
        if head.tag != ITEM || depth > MAX_DEPTH {
            return (bytes.len(), bytes.len(), false);
        }
        if head.length == UNDEFINED {
            let (end, whole) = walk(bytes, start, syntax, depth, &mut |_| ());
            if !whole {
                return (bytes.len(), bytes.len(), false);
            }
            pos = end;
        } else {
            pos = start.saturating_add(head.length as usize);
        }
    }
    (bytes.len(), bytes.len(), false)
}

pub(super) fn u16_at(bytes: &[u8], pos: usize, big: bool) -> Option<u16> {
    let b: [u8; 2] = bytes.get(pos..pos.checked_add(2)?)?.try_into().ok()?;
    Some(if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) })
}

pub(super) fn u32_at(bytes: &[u8], pos: usize, big: bool) -> Option<u32> {
    let b: [u8; 4] = bytes.get(pos..pos.checked_add(4)?)?.try_into().ok()?;
    Some(if big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) })
}

impl Element<'_> {
    /// Text without padding and control characters; UTF-8, else Latin-1.
    pub fn text(&self) -> String {
        let raw =
            std::str::from_utf8(self.value).map_or_else(|_| self.value.iter().map(|&b| char::from(b)).collect(), str::to_owned);
        raw.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
    }

    /// Numbers of any representation; `vr` is used where the file does not say. At most 4096.
    pub fn numbers(&self, vr: [u8; 2], big: bool) -> Vec<f64> {
        let vr = if self.vr == [0, 0] || &self.vr == b"UN" { vr } else { self.vr };
        let take = |size: usize| self.value.chunks_exact(size).take(4096);
        match &vr {
            b"US" => take(2).filter_map(|c| u16_at(c, 0, big)).map(f64::from).collect(),
            b"SS" => take(2).filter_map(|c| u16_at(c, 0, big)).map(|v| f64::from(v.cast_signed())).collect(),
            b"UL" => take(4).filter_map(|c| u32_at(c, 0, big)).map(f64::from).collect(),
            b"SL" => take(4).filter_map(|c| u32_at(c, 0, big)).map(|v| f64::from(v.cast_signed())).collect(),
            b"FL" => take(4).filter_map(|c| u32_at(c, 0, big)).map(|v| f64::from(f32::from_bits(v))).collect(),
            b"FD" => take(8).filter_map(|c| double_at(c, big)).collect(),
            _ => {
                let text =
                    String::from_utf8_lossy(self.value.get(..self.value.len().min(65_536)).unwrap_or_default()).into_owned();
                text.split('\\').map_while(|t| t.trim_matches(['\0', ' ']).parse().ok()).collect()
            }
        }
    }
}

fn double_at(bytes: &[u8], big: bool) -> Option<f64> {
    let b: [u8; 8] = bytes.try_into().ok()?;
    Some(if big { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) })
}
