//! Zarr stores in folders, versions 2 and 3: groups, attributes and arrays in chunks, sharded or not. A small reader
//! of its own, because what tables and pictures need is small, the chunk codecs are those of HDF5, and the library for
//! Zarr would bring 45 crates and a C compiler's work for them.
//! Formats: Zarr specification v2, and v3 with its `sharding_indexed` codec (ZEP 2). Consolidated metadata is a copy of
//! what the nodes say themselves and is not needed.

mod chunks;
mod meta;
mod pipeline;
#[cfg(test)]
pub(crate) mod tests;

use super::numbers::NumberType;
use super::stored::{Children, Field, Kind, Stored, pieces};
use crate::base::{Error, Limits, Result};
use meta::{ArrayMeta, Elements};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Metadata of a node is small; a larger file is none.
const MOST_META_BYTES: u64 = 16 << 20;

/// Whether a folder is a node of a Zarr store.
#[must_use]
pub(crate) fn is_zarr(folder: &Path) -> bool {
    [".zgroup", ".zarray", "zarr.json"].iter().any(|n| folder.join(n).is_file())
}

/// An open store.
pub(crate) struct Zarr {
    root: PathBuf,
    limits: Limits,
    nodes: RefCell<BTreeMap<String, Option<Rc<Node>>>>,
}

/// What a node says of itself.
#[derive(Debug)]
struct Node {
    attributes: Value,
    array: Option<ArrayMeta>,
}

impl Zarr {
    /// Opens the store in a folder.
    pub fn open(root: &Path, limits: Limits) -> Result<Self> {
        let store = Self { root: root.to_path_buf(), limits, nodes: RefCell::default() };
        match store.node("")? {
            Some(_) => Ok(store),
            None => Err(Error::malformed("this folder is no Zarr store: there is neither .zgroup nor zarr.json").at(root)),
        }
    }

    /// Attributes of a node; null where there is none.
    pub fn attributes(&self, path: &str) -> Value {
        self.node(path).ok().flatten().map_or(Value::Null, |n| n.attributes.clone())
    }

    /// The folder of a node; `None` for a path that leads out of the store.
    fn folder(&self, path: &str) -> Option<PathBuf> {
        let mut folder = self.root.clone();
        for part in path.split('/').filter(|p| !p.is_empty()) {
            if matches!(part, "." | "..") || part.contains(['\\', '\0']) {
                return None;
            }
            folder.push(part);
        }
        Some(folder)
    }

    fn node(&self, path: &str) -> Result<Option<Rc<Node>>> {
        if let Some(known) = self.nodes.borrow().get(path) {
            return Ok(known.clone());
        }
        let read = self.folder(path).map_or(Ok(None), |folder| read_node(&folder, path))?.map(Rc::new);
        self.nodes.borrow_mut().insert(path.to_owned(), read.clone());
        Ok(read)
    }

    fn array(&self, path: &str) -> Result<Rc<Node>> {
        let what = if path.is_empty() { "the top" } else { path };
        let missing = || Error::malformed(format!("there is no array {what} in this Zarr store"));
        self.node(path)?.filter(|n| n.array.is_some()).ok_or_else(missing)
    }

    /// Runs `read` on the description of an array and its folder.
    fn with<T>(&self, path: &str, read: impl FnOnce(&ArrayMeta, &Path) -> Result<T>) -> Result<T> {
        let node = self.array(path)?;
        let (Some(meta), Some(folder)) = (&node.array, self.folder(path)) else {
            return Err(Error::malformed(format!("there is no array {path} in this Zarr store")));
        };
        read(meta, &folder)
    }

    /// Numbers of the rows `start..start + count`, as they are stored.
    pub fn rows(&self, path: &str, rows: Option<(u64, u64)>, wanted_bytes: u64) -> Result<(NumberType, Vec<u8>)> {
        self.with(path, |meta, folder| {
            let Elements::Number(number) = meta.elements else {
                return Err(Error::malformed(format!("{path} holds no numbers, where numbers belong")));
            };
            let (start, count) = rows.unwrap_or((0, meta.shape.first().copied().unwrap_or(1)));
            let mut shape = meta.shape.clone();
            if let Some(first) = shape.first_mut() {
                *first = count;
            }
            self.limits.check(path, &shape, wanted_bytes.max(number.size as u64))?;
            Ok((number, chunks::rows(meta, folder, path, (start, count), &self.limits)?))
        })
    }

    /// A box of an array of numbers: first element and size along each axis, as they are stored.
    pub fn piece(&self, path: &str, from: &[u64], size: &[u64]) -> Result<(NumberType, Vec<u8>)> {
        self.with(path, |meta, folder| {
            let Elements::Number(number) = meta.elements else {
                return Err(Error::malformed(format!("{path} holds no numbers, where numbers belong")));
            };
            Ok((number, chunks::piece(meta, folder, path, (from, size), &self.limits)?))
        })
    }

    /// How the numbers of an array are stored.
    pub fn number_type(&self, path: &str) -> Result<NumberType> {
        self.rows(path, Some((0, 0)), 1).map(|(number, _)| number)
    }
}

fn small_json(path: &Path) -> Result<Option<Value>> {
    let Ok(facts) = std::fs::metadata(path) else { return Ok(None) };
    if facts.len() > MOST_META_BYTES {
        return Err(Error::malformed(format!("{} bytes of metadata are too many", facts.len())).at(path));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io("reading", e, path))?;
    // Floats that JSON has no words for, as Python writes them.
    let text = String::from_utf8_lossy(&bytes);
    let parsed = serde_json::from_str(&text).or_else(|first| serde_json::from_str(&quoted(&text)).map_err(|_| first));
    parsed.map(Some).map_err(|e| Error::malformed(format!("this is no JSON ({e}); copy the file again")).at(path))
}

/// Bare words for floats that are no numbers, in quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split('"').enumerate() {
        if i > 0 {
            out.push('"');
        }
        if i % 2 == 1 {
            out.push_str(part);
        } else {
            let part = part.replace("-Infinity", "\u{1}").replace("Infinity", "\"Infinity\"").replace("NaN", "\"NaN\"");
            out.push_str(&part.replace('\u{1}', "\"-Infinity\""));
        }
    }
    out
}

fn read_node(folder: &Path, path: &str) -> Result<Option<Node>> {
    if let Some(meta) = small_json(&folder.join("zarr.json"))? {
        let attributes = meta.get("attributes").cloned().unwrap_or(Value::Null);
        let is_array = meta.get("node_type").and_then(Value::as_str) == Some("array");
        let array = if is_array { Some(meta::parse_v3(&meta, path).map_err(|e| e.at(folder))?) } else { None };
        return Ok(Some(Node { attributes, array }));
    }
    let attributes = || Ok::<_, Error>(small_json(&folder.join(".zattrs"))?.unwrap_or(Value::Null));
    if let Some(meta) = small_json(&folder.join(".zarray"))? {
        let array = Some(meta::parse_v2(&meta, path).map_err(|e| e.at(folder))?);
        return Ok(Some(Node { attributes: attributes()?, array }));
    }
    if folder.join(".zgroup").is_file() {
        return Ok(Some(Node { attributes: attributes()?, array: None }));
    }
    Ok(None)
}

impl Stored for Zarr {
    fn children(&self, group: &str) -> Result<Children> {
        let mut children = Children::default();
        let Some(folder) = self.folder(group).filter(|_| self.is_group(group)) else {
            return Err(Error::malformed(format!("there is no group {group} in this Zarr store")));
        };
        let wrap = |e| Error::io("reading", e, &folder);
        for entry in std::fs::read_dir(&folder).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            let path = if group.is_empty() { name.clone() } else { format!("{group}/{name}") };
            // A node that cannot be read is an array that cannot be read: whoever needs it says so.
            match self.node(&path) {
                Ok(Some(node)) if node.array.is_none() => children.groups.push(name),
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => children.arrays.push(name),
            }
        }
        children.groups.sort();
        children.arrays.sort();
        Ok(children)
    }

    fn is_group(&self, path: &str) -> bool {
        self.node(path).is_ok_and(|n| n.is_some_and(|n| n.array.is_none()))
    }

    fn is_array(&self, path: &str) -> bool {
        self.node(path).map_or(true, |n| n.is_some_and(|n| n.array.is_some()))
    }

    fn text_attribute(&self, path: &str, name: &str) -> Option<String> {
        self.node(path).ok()??.attributes.get(name)?.as_str().map(str::to_owned)
    }

    fn count_attribute(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        match self.node(path).ok()??.attributes.get(name)? {
            Value::Array(values) => values.iter().map(Value::as_u64).collect(),
            value => Some(vec![value.as_u64()?]),
        }
    }

    fn strings_attribute(&self, path: &str, name: &str) -> Vec<String> {
        let attributes = self.attributes(path);
        let values = attributes.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    fn shape(&self, path: &str) -> Result<Vec<u64>> {
        self.with(path, |meta, _| Ok(meta.shape.clone()))
    }

    fn kind(&self, path: &str) -> Result<Kind> {
        self.with(path, |meta, _| {
            Ok(match meta.elements {
                Elements::Number(_) => Kind::Number,
                Elements::Fixed { .. } | Elements::Variable => Kind::Text,
            })
        })
    }

    fn f64s(&self, path: &str) -> Result<Vec<f64>> {
        self.rows(path, None, 8).map(|(number, bytes)| number.f64s(&bytes))
    }

    fn f32s(&self, path: &str) -> Result<Vec<f32>> {
        self.rows(path, None, 4).map(|(number, bytes)| number.f32s(&bytes))
    }

    fn u64s(&self, path: &str) -> Result<Vec<u64>> {
        self.rows(path, None, 8).and_then(|(number, bytes)| number.u64s(path, &bytes))
    }

    fn u32s(&self, path: &str) -> Result<Vec<u32>> {
        self.rows(path, None, 8).and_then(|(number, bytes)| number.u32s(path, &bytes))
    }

    fn n_elements(&self, path: &str) -> Result<u64> {
        let shape = self.shape(path)?;
        self.limits.check(path, &shape, 4)?;
        Ok(shape.iter().product())
    }

    fn pieces(&self, path: &str) -> Result<Vec<(u64, u64)>> {
        self.with(path, |meta, _| Ok(pieces(&meta.shape, meta.chunk.first().copied().unwrap_or(1))))
    }

    fn u32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<u32>> {
        self.rows(path, Some((start, count)), 8).and_then(|(number, bytes)| number.u32s(path, &bytes))
    }

    fn f32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<f32>> {
        self.rows(path, Some((start, count)), 4).map(|(number, bytes)| number.f32s(&bytes))
    }

    fn strings(&self, path: &str) -> Result<Vec<String>> {
        self.with(path, |meta, folder| chunks::strings(meta, folder, path, &self.limits))
    }

    fn fields(&self, path: &str) -> Result<Vec<(String, Field)>> {
        Err(Error::unsupported(format!("{path} is an array of records, which is not read from Zarr")))
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}
