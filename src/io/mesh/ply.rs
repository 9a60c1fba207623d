//! Stanford PLY: a header that names elements with their properties, then text or binary of either order. Read are
//! `x`, `y`, `z` of `vertex` and the list of `face`; other elements and properties are passed over.

use super::Raw;
use crate::base::{Error, Limits, Result};
use crate::model::Surface;
use crate::space::DVec3;
use std::fmt::Write as _;

/// Reads a file for fuzzing and tests: whether it is a mesh.
pub fn parse_ply(data: &[u8], limits: &Limits) -> Result<()> {
    parse(data, limits).map(drop)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Text,
    Little,
    Big,
}

/// A number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number {
    size: usize,
    signed: bool,
    float: bool,
}

impl Number {
    fn of(name: &str) -> Option<Self> {
        let (size, signed, float) = match name {
            "char" | "int8" => (1, true, false),
            "uchar" | "uint8" => (1, false, false),
            "short" | "int16" => (2, true, false),
            "ushort" | "uint16" => (2, false, false),
            "int" | "int32" => (4, true, false),
            "uint" | "uint32" => (4, false, false),
            "float" | "float32" => (4, true, true),
            "double" | "float64" => (8, true, true),
            _ => return None,
        };
        Some(Self { size, signed, float })
    }
}

#[derive(Debug)]
struct Property {
    name: String,
    /// Type of the count, for lists.
    list: Option<Number>,
    number: Number,
}

#[derive(Debug)]
struct Block {
    name: String,
    n: usize,
    properties: Vec<Property>,
}

struct Header {
    coding: Coding,
    blocks: Vec<Block>,
    body: usize,
}

fn header(data: &[u8], raw: &mut Raw) -> Result<Header> {
    let wrong = |what: &str, line: &str| {
        Error::malformed(format!("the PLY header {what}: {:?}", line.chars().take(60).collect::<String>()))
    };
    let (mut at, mut coding, mut blocks) = (0, None, Vec::<Block>::new());
    loop {
        let rest = data.get(at..).unwrap_or_default();
        let end = rest.iter().position(|b| *b == b'\n').ok_or_else(|| Error::malformed("the PLY header does not end"))?;
        let line = String::from_utf8_lossy(&rest[..end]).trim().to_owned();
        at += end + 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["ply"] | [] | ["obj_info", ..] => {}
            ["comment", ..] => raw.comment(&line),
            ["format", name, ..] => {
                coding = Some(match name {
                    "ascii" => Coding::Text,
                    "binary_little_endian" => Coding::Little,
                    "binary_big_endian" => Coding::Big,
                    _ => return Err(wrong("names an unknown format", &line)),
                });
            }
            ["element", name, n] => {
                let n = n.parse().map_err(|_| wrong("does not count its elements", &line))?;
                blocks.push(Block { name: name.to_owned(), n, properties: Vec::new() });
            }
            ["property", ref rest @ ..] => {
                let property = match rest {
                    ["list", count, number, name] => (Number::of(count).map(Some), Number::of(number), name),
                    [number, name] => (Some(None), Number::of(number), name),
                    _ => return Err(wrong("has a property that cannot be read", &line)),
                };
                let (Some(list), Some(number), Some(block)) = (property.0, property.1, blocks.last_mut()) else {
                    return Err(wrong("has a property that cannot be read", &line));
                };
                block.properties.push(Property { name: (*property.2).to_owned(), list, number });
            }
            ["end_header"] => break,
            _ => return Err(wrong("has a line that cannot be read", &line)),
        }
    }
    let coding = coding.ok_or_else(|| Error::malformed("the PLY header names no format"))?;
    Ok(Header { coding, blocks, body: at })
}

/// Numbers one after the other.
struct Body<'a> {
    data: &'a [u8],
    at: usize,
    coding: Coding,
}

impl Body<'_> {
    fn next(&mut self, number: Number) -> Option<f64> {
        if self.coding == Coding::Text {
            let start = self.at + self.data.get(self.at..)?.iter().position(|b| !b.is_ascii_whitespace())?;
            let len = self.data[start..].iter().position(u8::is_ascii_whitespace).unwrap_or(self.data.len() - start);
            self.at = start + len;
            return std::str::from_utf8(&self.data[start..start + len]).ok()?.parse().ok();
        }
        let bytes = self.data.get(self.at..self.at + number.size)?;
        self.at += number.size;
        let bits = bytes.iter().enumerate().fold(0_u64, |sum, (i, b)| {
            let place = if self.coding == Coding::Little { i } else { number.size - 1 - i };
            sum | u64::from(*b) << (8 * place)
        });
        Some(match (number.float, number.size, number.signed) {
            (true, 8, _) => f64::from_bits(bits),
            (true, ..) => f64::from(f32::from_bits(bits as u32)),
            (_, 1, true) => f64::from((bits as u8).cast_signed()),
            (_, 2, true) => f64::from((bits as u16).cast_signed()),
            (_, 4, true) => f64::from((bits as u32).cast_signed()),
            _ => bits as f64,
        })
    }
}

pub(super) fn parse(data: &[u8], limits: &Limits) -> Result<Raw> {
    let mut raw = Raw::default();
    let header = header(data, &mut raw)?;
    let mut body = Body { data, at: header.body, coding: header.coding };
    for block in &header.blocks {
        limits.check(&format!("the {} elements of the mesh", block.n), &[block.n as u64], 24)?;
        let early =
            |i: usize| Error::malformed(format!("the file ends at {} {} of {}; copy it again", block.name, i + 1, block.n));
        for i in 0..block.n {
            if block.properties.is_empty() {
                break;
            }
            let mut place = DVec3::NAN;
            for property in &block.properties {
                let count = match property.list {
                    None => 1,
                    Some(count) => body.next(count).filter(|c| *c >= 0.0 && *c <= 65_535.0).ok_or_else(|| early(i))? as usize,
                };
                let mut corners = Vec::new();
                for _ in 0..count {
                    let value = body.next(property.number).ok_or_else(|| early(i))?;
                    match (block.name.as_str(), property.list.is_some(), property.name.as_str()) {
                        ("vertex", false, "x") => place.x = value,
                        ("vertex", false, "y") => place.y = value,
                        ("vertex", false, "z") => place.z = value,
                        ("face", true, "vertex_indices" | "vertex_index") => {
                            let whole = value >= 0.0 && value < f64::from(u32::MAX) && value.fract() == 0.0;
                            corners.push(if whole { value as u32 } else { u32::MAX });
                        }
                        _ => {}
                    }
                }
                raw.polygon(&corners);
            }
            if block.name == "vertex" {
                raw.vertices.push(place);
            }
        }
    }
    Ok(raw)
}

pub(super) fn written(surface: &Surface) -> Vec<u8> {
    let (n, m) = (surface.vertices().len(), surface.triangles().len());
    let mut out = format!(
        "ply\nformat ascii 1.0\ncomment SPACE=LPS\ncomment UNIT=mm\nelement vertex {n}\nproperty double x\nproperty double y\n\
         property double z\nelement face {m}\nproperty list uchar uint vertex_indices\nend_header\n"
    );
    // Writing to a string cannot fail.
    for v in surface.vertices() {
        let _ = writeln!(out, "{} {} {}", v.x, v.y, v.z);
    }
    for t in surface.triangles() {
        let _ = writeln!(out, "3 {} {} {}", t[0], t[1], t[2]);
    }
    out.into_bytes()
}
