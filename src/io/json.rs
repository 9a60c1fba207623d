//! JSON files that people can read: objects one key a line, lists of numbers on one line, keys in the
//! order of the type, the same bytes every time.

use super::bytes;
use crate::base::{Error, Limits, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{Formatter, Serializer};
use std::io::{Result as IoResult, Write};
use std::path::Path;

/// The text of a value, with a line end.
pub fn to_text<T: Serialize>(value: &T) -> Result<String> {
    let mut out = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut out, Lines::default()))
        .map_err(|e| Error::unsupported(format!("this cannot be written as JSON ({e})")))?;
    out.push(b'\n');
    String::from_utf8(out).map_err(|e| Error::unsupported(format!("this cannot be written as JSON ({e})")))
}

/// Writes a value atomically.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    bytes::write_bytes(path, to_text(value).map_err(|e| e.at(path))?.as_bytes())
}

/// A value from bytes; [`Error::Malformed`] with line and column where they do not fit.
pub fn parse_json<T: DeserializeOwned>(data: &[u8]) -> Result<T> {
    serde_json::from_slice(data).map_err(|e| Error::malformed(format!("the JSON does not fit ({e})")))
}

/// A value from a file.
pub fn read_json<T: DeserializeOwned>(path: &Path, limits: &Limits) -> Result<T> {
    parse_json(&bytes::read_inflated(path, limits)?).map_err(|e| e.at(path))
}

/// One entry per open list or object: whether objects inside it took lines of their own.
#[derive(Debug, Default)]
struct Lines {
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    is_object: bool,
    is_broken: bool,
}

impl Lines {
    /// Objects inside a list are written on one line each.
    fn is_inline(&self) -> bool {
        self.open.iter().any(|o| !o.is_object)
    }

    fn new_line<W: ?Sized + Write>(writer: &mut W, depth: usize) -> IoResult<()> {
        writer.write_all(b"\n")?;
        (0..depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> IoResult<()> {
        self.open.push(Open { is_object: false, is_broken: false });
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> IoResult<()> {
        if self.open.pop().is_some_and(|o| o.is_broken) {
            Self::new_line(writer, self.open.len())?;
        }
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> IoResult<()> {
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> IoResult<()> {
        let depth = self.open.len();
        let is_first_inline = self.open.iter().filter(|o| !o.is_object).count() == 1;
        if let Some(list) = self.open.last_mut().filter(|o| !o.is_object && is_first_inline) {
            list.is_broken = true;
            Self::new_line(writer, depth)?;
        }
        self.open.push(Open { is_object: true, is_broken: false });
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> IoResult<()> {
        if self.open.pop().is_some_and(|o| o.is_broken) {
            Self::new_line(writer, self.open.len())?;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> IoResult<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.is_inline() {
            return if first { Ok(()) } else { writer.write_all(b" ") };
        }
        if let Some(object) = self.open.last_mut() {
            object.is_broken = true;
        }
        Self::new_line(writer, self.open.len())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> IoResult<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_on_a_line_objects_on_lines() {
        let value =
            serde_json::json!({"a": [[1, 0.5], [0, 1]], "b": {"c": [{"d": [1, 2], "e": {}}, {"d": []}]}, "f": {}, "g": []});
        let text = to_text(&value).unwrap();
        let expected = concat!(
            "{\n  \"a\": [[1,0.5],[0,1]],\n  \"b\": {\n    \"c\": [\n      {\"d\": [1,2], \"e\": {}},",
            "\n      {\"d\": []}\n    ]\n  },\n  \"f\": {},\n  \"g\": []\n}\n"
        );
        assert_eq!(text, expected);
        assert_eq!(parse_json::<serde_json::Value>(text.as_bytes()).unwrap(), value);
    }
}
