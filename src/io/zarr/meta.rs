//! What a Zarr array says of itself, in `.zarray` (version 2) or `zarr.json` (version 3): sizes, elements, codecs.

use super::pipeline::{Bytes, Codec, Shard};
use crate::base::{Error, Result};
use crate::io::numbers::{Class, NumberType};
use serde_json::Value;

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elements {
    Number(NumberType),
    /// Text of so many bytes each, UTF-32 (with its byte order) or plain bytes.
    Fixed {
        size: usize,
        utf32: Option<bool>,
    },
    /// Text of any length.
    Variable,
}

impl Elements {
    /// Bytes of an element, 0 where they differ.
    pub fn size(self) -> usize {
        match self {
            Self::Number(n) => n.size,
            Self::Fixed { size, .. } => size,
            Self::Variable => 0,
        }
    }
}

/// A whole array.
#[derive(Clone, Debug)]
pub(super) struct ArrayMeta {
    /// Size along each axis.
    pub shape: Vec<u64>,
    /// Size of a chunk: the inner one where chunks lie in shards.
    pub chunk: Vec<u64>,
    /// What an element is.
    pub elements: Elements,
    /// Bytes of the element that stands where nothing was written; empty for text.
    pub fill: Vec<u8>,
    /// How the name of a chunk is made.
    pub key: Key,
    /// Axes of a stored chunk, outermost first.
    pub order: Vec<usize>,
    /// Codecs of bytes, in the order of writing.
    pub codecs: Vec<Codec>,
    /// Chunks within files of several.
    pub shard: Option<Shard>,
}

/// How chunks are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Between the numbers.
    pub separator: char,
    /// Whether `c` and a separator come first.
    pub is_default: bool,
}

fn malformed(path: &str, what: &str) -> Error {
    Error::malformed(format!("the Zarr array {path} has {what}; write it again"))
}

fn sizes(value: Option<&Value>) -> Option<Vec<u64>> {
    value?.as_array()?.iter().map(Value::as_u64).collect()
}

fn shapes(meta: &Value, chunk: Option<&Value>, path: &str) -> Result<(Vec<u64>, Vec<u64>)> {
    let (Some(shape), Some(chunk)) = (sizes(meta.get("shape")), sizes(chunk)) else {
        return Err(malformed(path, "no shape or no chunks"));
    };
    if shape.len() != chunk.len() || shape.len() > 16 {
        return Err(malformed(path, &format!("{} axes and chunks of {}", shape.len(), chunk.len())));
    }
    // A chunk of an axis without elements may have none.
    let chunk = chunk.into_iter().zip(&shape).map(|(c, n)| if *n == 0 { c.max(1) } else { c }).collect::<Vec<_>>();
    if chunk.contains(&0) {
        return Err(malformed(path, "chunks without elements"));
    }
    Ok((shape, chunk))
}

/// From `.zarray`.
pub(super) fn parse_v2(meta: &Value, path: &str) -> Result<ArrayMeta> {
    let (shape, chunk) = shapes(meta, meta.get("chunks"), path)?;
    let Some(dtype) = meta.get("dtype").and_then(Value::as_str) else {
        return Err(Error::unsupported(format!("the Zarr array {path} has records as elements, which are not read")));
    };
    let filters = meta.get("filters").and_then(Value::as_array).cloned().unwrap_or_default();
    let id = |v: &Value| v.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_text = filters.iter().any(|f| id(f) == "vlen-utf8");
    let elements = if is_text { Elements::Variable } else { v2_elements(dtype, path)? };
    let mut codecs = Vec::new();
    for filter in filters.iter().filter(|f| id(f) != "vlen-utf8") {
        codecs.push(Codec::parse(&id(filter), filter, path)?);
    }
    if let Some(compressor) = meta.get("compressor").filter(|c| !c.is_null()) {
        codecs.push(Codec::parse(&id(compressor), compressor, path)?);
    }
    let separator = if meta.get("dimension_separator").and_then(Value::as_str) == Some("/") { '/' } else { '.' };
    let mut order: Vec<usize> = (0..shape.len()).collect();
    if meta.get("order").and_then(Value::as_str) == Some("F") {
        order.reverse();
    }
    let fill = fill(elements, meta.get("fill_value"), path)?;
    let key = Key { separator, is_default: false };
    Ok(ArrayMeta { shape, chunk, elements, fill, key, order, codecs, shard: None })
}

fn v2_elements(dtype: &str, path: &str) -> Result<Elements> {
    let unknown = || Error::unsupported(format!("the Zarr array {path} has elements of type {dtype}, which are not read"));
    let kind = dtype.get(1..2).ok_or_else(unknown)?;
    let size: usize = dtype.get(2..).and_then(|s| s.parse().ok()).filter(|s| *s <= 1 << 20).ok_or_else(unknown)?;
    let is_big = dtype.starts_with('>');
    let class = match kind {
        "f" => Class::Float,
        "i" => Class::Signed,
        "u" | "b" => Class::Unsigned,
        "U" => return Ok(Elements::Fixed { size: 4 * size, utf32: Some(is_big) }),
        "S" => return Ok(Elements::Fixed { size, utf32: None }),
        _ => return Err(unknown()),
    };
    let number = NumberType { class, size, is_big };
    if number.is_known() { Ok(Elements::Number(number)) } else { Err(unknown()) }
}

/// From `zarr.json`.
pub(super) fn parse_v3(meta: &Value, path: &str) -> Result<ArrayMeta> {
    let setting = |at: &str, key: &str| meta.get(at)?.get("configuration")?.get(key).cloned();
    if meta.get("chunk_grid").and_then(|g| g.get("name")).and_then(Value::as_str) != Some("regular") {
        return Err(Error::unsupported(format!("the Zarr array {path} has chunks that are not all of one size")));
    }
    let (shape, outer) = shapes(meta, setting("chunk_grid", "chunk_shape").as_ref(), path)?;
    let mut elements = v3_elements(meta.get("data_type"), path)?;
    let name = |v: &Value| v.get("name").or(Some(v)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_v2 = meta.get("chunk_key_encoding").map(name).as_deref() == Some("v2");
    let separator = setting("chunk_key_encoding", "separator").and_then(|s| s.as_str().and_then(|s| s.chars().next()));
    let key = Key { separator: separator.unwrap_or(if is_v2 { '.' } else { '/' }), is_default: !is_v2 };
    if !matches!(key.separator, '.' | '/') {
        return Err(malformed(path, "an unknown separator of chunk names"));
    }
    let mut codecs = meta.get("codecs").and_then(Value::as_array).cloned().unwrap_or_default();
    let (mut chunk, mut shard) = (outer.clone(), None);
    if let [only] = codecs.as_slice()
        && name(only) == "sharding_indexed"
    {
        let settings = only.get("configuration").cloned().unwrap_or(Value::Null);
        let inner = sizes(settings.get("chunk_shape"))
            .filter(|inner| inner.len() == outer.len() && inner.iter().zip(&outer).all(|(i, o)| *i > 0 && o % i == 0));
        chunk = inner.ok_or_else(|| malformed(path, "inner chunks that do not divide its shards"))?;
        let sum = settings.get("index_codecs").and_then(Value::as_array).is_some_and(|c| c.iter().any(|c| name(c) == "crc32c"));
        let at_start = settings.get("index_location").and_then(Value::as_str) == Some("start");
        shard = Some(Shard { shape: outer, has_sum: sum, at_start });
        codecs = settings.get("codecs").and_then(Value::as_array).cloned().unwrap_or_default();
    }
    let mut order: Vec<usize> = (0..shape.len()).collect();
    let mut bytes = Vec::new();
    for codec in &codecs {
        let settings = codec.get("configuration").cloned().unwrap_or(Value::Null);
        match name(codec).as_str() {
            "transpose" => order = transposed(&order, settings.get("order"), path)?,
            "bytes" | "endian" => {
                let is_big = settings.get("endian").and_then(Value::as_str) == Some("big");
                elements = of_order(elements, is_big);
            }
            "vlen-utf8" => {}
            other => bytes.push(Codec::parse(other, &settings, path)?),
        }
    }
    let fill = fill(elements, meta.get("fill_value"), path)?;
    Ok(ArrayMeta { shape, chunk, elements, fill, key, order, codecs: bytes, shard })
}

fn transposed(order: &[usize], by: Option<&Value>, path: &str) -> Result<Vec<usize>> {
    let bad = || malformed(path, "axes in an order that is none");
    let by = sizes(by).filter(|b| b.len() == order.len()).ok_or_else(bad)?;
    let mut seen = vec![false; order.len()];
    by.into_iter()
        .map(|axis| {
            let first = seen.get_mut(axis as usize).filter(|s| !**s).ok_or_else(bad)?;
            *first = true;
            Ok(order[axis as usize])
        })
        .collect()
}

fn of_order(elements: Elements, is_big: bool) -> Elements {
    match elements {
        Elements::Number(n) => Elements::Number(NumberType { is_big, ..n }),
        Elements::Fixed { size, utf32: Some(_) } => Elements::Fixed { size, utf32: Some(is_big) },
        other => other,
    }
}

fn v3_elements(kind: Option<&Value>, path: &str) -> Result<Elements> {
    let shown = kind.map(ToString::to_string).unwrap_or_default();
    let unknown = || Error::unsupported(format!("the Zarr array {path} has elements of type {shown}, which are not read"));
    let kind = kind.ok_or_else(unknown)?;
    if let Some(name) = kind.get("name").and_then(Value::as_str) {
        let n = kind.get("configuration").and_then(|c| c.get("length_bytes")).and_then(Value::as_u64);
        let size = n.filter(|n| *n <= 1 << 20).ok_or_else(unknown)? as usize;
        return match name {
            "fixed_length_utf32" => Ok(Elements::Fixed { size, utf32: Some(false) }),
            "null_terminated_bytes" | "fixed_length_ascii" => Ok(Elements::Fixed { size, utf32: None }),
            _ => Err(unknown()),
        };
    }
    let name = kind.as_str().ok_or_else(unknown)?;
    if matches!(name, "string" | "variable_length_utf8") {
        return Ok(Elements::Variable);
    }
    let number = |class, bits: &str| {
        let size = bits.parse::<usize>().ok()? / 8;
        Some(NumberType { class, size, is_big: false }).filter(|n| n.is_known())
    };
    let found = match name {
        "bool" => number(Class::Unsigned, "8"),
        _ if name.starts_with("uint") => number(Class::Unsigned, &name[4..]),
        _ if name.starts_with("int") => number(Class::Signed, &name[3..]),
        _ if name.starts_with("float") => number(Class::Float, &name[5..]),
        _ => None,
    };
    found.map(Elements::Number).ok_or_else(unknown)
}

/// The bytes of the element that stands for what was never written.
fn fill(elements: Elements, value: Option<&Value>, path: &str) -> Result<Vec<u8>> {
    let Elements::Number(number) = elements else { return Ok(vec![0; elements.size()]) };
    let zero = || vec![0; number.size];
    let bad = || malformed(path, "a fill value that is no number");
    let value = match value {
        None | Some(Value::Null) => return Ok(zero()),
        Some(Value::Bool(b)) => f64::from(u8::from(*b)),
        Some(Value::Number(n)) if number.class != Class::Float => {
            let bits = n.as_u64().or_else(|| n.as_i64().map(|v| v as u64));
            return Ok(Bytes::of_bits(bits.unwrap_or_else(|| n.as_f64().unwrap_or(0.0) as i64 as u64), number));
        }
        Some(Value::Number(n)) => n.as_f64().ok_or_else(bad)?,
        Some(Value::String(s)) => match s.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            hexadecimal => {
                let digits = hexadecimal.strip_prefix("0x").ok_or_else(bad)?;
                return Ok(Bytes::of_bits(u64::from_str_radix(digits, 16).map_err(|_| bad())?, number));
            }
        },
        Some(_) => return Err(bad()),
    };
    let bits = match (number.class, number.size) {
        (Class::Float, 8) => value.to_bits(),
        (Class::Float, 4) => u64::from((value as f32).to_bits()),
        (Class::Float, _) => u64::from(if value.is_nan() { 0x7e00_u16 } else { 0 }),
        _ => value as i64 as u64,
    };
    Ok(Bytes::of_bits(bits, number))
}
