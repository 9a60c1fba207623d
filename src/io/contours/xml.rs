//! As much XML as workspaces need: elements with attributes and text, as a tree. Declarations, comments and
//! document types are skipped; entities beyond the five of the standard stay as they are.

use crate::base::{Error, Limits, Result};

/// Elements may lie in each other so deep.
const MOST_DEPTH: usize = 256;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// Value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// The tree of a document; its root has no name. `Malformed` for text that is not XML or is cut off.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Node> {
    // An element takes at least four bytes of text and about so much memory.
    limits.check("the elements of the file", &[text.len() as u64 / 4], size_of::<Node>() as u64)?;
    let mut stack = vec![Node::default()];
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, tag) = (rest.get(..open).unwrap_or_default(), rest.get(open..).unwrap_or_default());
        if let Some(node) = stack.last_mut() {
            node.text.push_str(unescaped(before).trim());
        }
        let skip = |end: &str| tag.find(end).map(|i| i + end.len());
        let cut = || Error::malformed("the XML is cut off in the middle of an element; export it again");
        if tag.starts_with("<!--") {
            rest = &tag[skip("-->").ok_or_else(cut)?..];
        } else if let Some(data) = tag.strip_prefix("<![CDATA[") {
            let end = data.find("]]>").ok_or_else(cut)?;
            if let Some(node) = stack.last_mut() {
                node.text.push_str(&data[..end]);
            }
            rest = &data[end + 3..];
        } else if tag.starts_with("<?") || tag.starts_with("<!") {
            rest = &tag[skip(">").ok_or_else(cut)?..];
        } else {
            let end = tag_end(tag).ok_or_else(cut)?;
            element(&tag[1..end], &mut stack)?;
            rest = &tag[end + 1..];
        }
    }
    match (stack.pop(), stack.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(Error::malformed("the XML ends before its elements do; export it again")),
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.bytes().position(|c| match quote {
        Some(q) => {
            if c == q {
                quote = None;
            }
            false
        }
        None if c == b'"' || c == b'\'' => {
            quote = Some(c);
            false
        }
        None => c == b'>',
    })
}

/// Opens or closes the element of a tag.
fn element(tag: &str, stack: &mut Vec<Node>) -> Result<()> {
    let wrong = |what: &str| Error::malformed(format!("the XML is damaged: {what}"));
    if let Some(name) = tag.strip_prefix('/') {
        let node = if stack.len() > 1 { stack.pop() } else { None };
        let node = node.filter(|n| n.name == name.trim()).ok_or_else(|| wrong("an element is closed that was not opened"))?;
        if let Some(parent) = stack.last_mut() {
            parent.children.push(node);
        }
        return Ok(());
    }
    let (tag, alone) = tag.strip_suffix('/').map_or((tag, false), |t| (t, true));
    let name_end = tag.find(char::is_whitespace).unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at(name_end);
    if name.is_empty() || stack.len() > MOST_DEPTH {
        return Err(wrong("an element without a name, or too many inside each other"));
    }
    let mut node = Node { name: name.to_owned(), ..Node::default() };
    while let Some(equals) = rest.find('=') {
        let key = rest[..equals].trim().to_owned();
        let value = rest[equals + 1..].trim_start();
        let quote =
            value.chars().next().filter(|c| *c == '"' || *c == '\'').ok_or_else(|| wrong("an attribute without quotes"))?;
        let end = value[1..].find(quote).ok_or_else(|| wrong("an attribute without its second quote"))?;
        node.attributes.push((key, unescaped(&value[1..=end])));
        rest = &value[end + 2..];
    }
    match (alone, stack.last_mut()) {
        (true, Some(parent)) => parent.children.push(node),
        _ => stack.push(node),
    }
    Ok(())
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
