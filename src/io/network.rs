//! Networks that a person brings: a manifest in TOML beside an ONNX file. Described in `docs/files.md`.

use super::bytes::{read_file, sha256};
use crate::base::{Error, Limits, Result};
use crate::model::{ClassRule, LabelEntry, Layout, Normalize, Segmenter};
use serde::Deserialize;
use std::path::Path;

/// Most bytes of a manifest.
const MAX_MANIFEST: u64 = 1 << 20;

/// A manifest and its network.
#[derive(Clone, Debug)]
pub struct Network {
    /// What the manifest says.
    pub segmenter: Segmenter,
    /// The bytes of the ONNX file.
    pub model: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    model: String,
    sha256: Option<String>,
    #[serde(rename = "license")]
    _license: Option<String>,
    input: Input,
    normalize: Option<NormalizeEntry>,
    #[serde(default)]
    output: Output,
    class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    layout: String,
    #[serde(default)]
    size: Vec<usize>,
    #[serde(default)]
    spacing_mm: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NormalizeEntry {
    method: String,
    low: Option<f64>,
    high: Option<f64>,
    mean: Option<f64>,
    std: Option<f64>,
    over: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    threshold: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    index: usize,
    label: u8,
    name: Option<String>,
}

/// Reads a manifest and the network that it names, beside it; where the manifest has a digest, it must be that of
/// the network.
pub fn read_network(path: &Path, limits: Limits) -> Result<Network> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("reading", e, path))?.len();
    if size > MAX_MANIFEST {
        return Err(Error::malformed(format!("a manifest has at most {MAX_MANIFEST} bytes; this file has {size}")).at(path));
    }
    let text = read_file(path, &limits)?;
    let (segmenter, file, digest) = parse_network(&text).map_err(|e| e.at(path))?;
    let model_path = path.parent().unwrap_or(Path::new("")).join(&file);
    let model = read_file(&model_path, &limits)?;
    let found = sha256(&model);
    if digest.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&found)) {
        let what = format!("this network is not the one of its manifest: its SHA-256 is {found}");
        return Err(Error::malformed(what).at(&model_path));
    }
    Ok(Network { segmenter, model })
}

/// What a manifest says, the file that it names, and its digest. The file is a plain name in the same folder.
pub fn parse_network(bytes: &[u8]) -> Result<(Segmenter, String, Option<String>)> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed("a manifest of a network is text in UTF-8"))?;
    let manifest: Manifest = toml::from_str(text)
        .map_err(|e| Error::malformed(format!("the manifest of a network cannot be read: {}", e.message())))?;
    let wrong = |what: String| Error::malformed(what);
    if Path::new(&manifest.model).file_name().is_none_or(|n| n != manifest.model.as_str()) {
        return Err(wrong(format!("model {:?} must be the name of a file beside the manifest", manifest.model)));
    }
    let names = Layout::ALL.map(|(_, n)| n).join(", ");
    let layout = Layout::ALL.into_iter().find(|(_, n)| *n == manifest.input.layout).map(|(l, _)| l);
    let layout = layout.ok_or_else(|| wrong(format!("layout {:?} is none of {names}", manifest.input.layout)))?;
    let n_axes = if layout.is_volume() { 3 } else { 2 };
    let axes = |given: usize, name: &str| {
        let fine = given == 0 || given == n_axes;
        fine.then_some(())
            .ok_or_else(|| wrong(format!("{name} has {given} numbers; {n_axes} were expected (columns, rows, slices)")))
    };
    axes(manifest.input.size.len(), "size")?;
    axes(manifest.input.spacing_mm.len(), "spacing_mm")?;
    if manifest.input.size.contains(&0) || manifest.input.spacing_mm.contains(&0.0) {
        return Err(wrong("sizes and spacings are above 0; leave them out to take those of the image".into()));
    }
    let (labels, table) = classes(&manifest.class)?;
    let segmenter = Segmenter {
        name: manifest.name,
        layout,
        size: std::array::from_fn(|a| manifest.input.size.get(a).copied().unwrap_or(0)),
        spacing_mm: std::array::from_fn(|a| manifest.input.spacing_mm.get(a).copied().unwrap_or(0.0)),
        normalize: manifest.normalize.as_ref().map_or(Ok(Normalize::None), scale)?,
        per_slice_statistics: match manifest.normalize.as_ref().and_then(|n| n.over.as_deref()) {
            None => !layout.is_volume(),
            Some("slice") if !layout.is_volume() => true,
            Some("volume") => false,
            Some(other) => return Err(wrong(format!("over {other:?} is neither slice (of a network for slices) nor volume"))),
        },
        reading: manifest.output.threshold.map_or(ClassRule::Greatest, ClassRule::Threshold),
        labels,
        table,
    };
    segmenter.check().map_err(|e| wrong(e.to_string()))?;
    Ok((segmenter, manifest.model, manifest.sha256))
}

fn scale(n: &NormalizeEntry) -> Result<Normalize> {
    let both = |names: [&str; 2], values: [Option<f64>; 2]| match values {
        [Some(a), Some(b)] => Ok((a, b)),
        _ => Err(Error::malformed(format!("normalize method {:?} needs {} and {}", n.method, names[0], names[1]))),
    };
    let ends = || both(["low", "high"], [n.low, n.high]);
    match n.method.as_str() {
        "none" => Ok(Normalize::None),
        "z-score" => Ok(Normalize::ZScore),
        "percentile" => ends().map(|(a, b)| Normalize::Percentile(a, b)),
        "range" => ends().map(|(a, b)| Normalize::Range(a, b)),
        "mean-std" => both(["mean", "std"], [n.mean, n.std]).map(|(a, b)| Normalize::MeanSd(a, b)),
        other => {
            Err(Error::malformed(format!("normalize method {other:?} is none of none, z-score, percentile, range, mean-std")))
        }
    }
}

/// Labels by class, and their table; classes that are not named are nothing.
fn classes(given: &[Class]) -> Result<(Vec<u8>, Vec<LabelEntry>)> {
    let most = given.iter().map(|c| c.index).max().unwrap_or(0);
    if most > 255 {
        return Err(Error::malformed(format!("class {most}: classes count from 0 to 255")));
    }
    let mut labels = vec![0u8; most + 1];
    let mut table: Vec<LabelEntry> = Vec::new();
    for class in given.iter().filter(|c| c.label != 0) {
        labels[class.index] = class.label;
        if table.iter().all(|e| e.value != class.label) {
            let usual = LabelEntry::usual(class.label);
            table.push(LabelEntry { name: class.name.clone().unwrap_or_else(|| usual.name.clone()), ..usual });
        }
    }
    table.sort_by_key(|e| e.value);
    Ok((labels, table))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "Short axis"
model = "net.onnx"
[input]
layout = "NCHW"
size = [64, 48]
spacing_mm = [1.5, 1.5]
[normalize]
method = "percentile"
low = 1
high = 99
[[class]]
index = 1
label = 3
[[class]]
index = 2
label = 2
name = "Wall"
"#;

    #[test]
    fn a_manifest_is_read_and_its_faults_are_named() {
        let (s, file, digest) = parse_network(GOOD.as_bytes()).unwrap();
        assert_eq!((file.as_str(), digest, s.size, &s.labels[..]), ("net.onnx", None, [64, 48, 0], &[0, 3, 2][..]));
        assert_eq!((s.table[0].name.as_str(), s.per_slice_statistics), ("Wall", true));
        for (from, to, said) in [
            ("net.onnx", "../net.onnx", "beside the manifest"),
            ("NCHW", "HWC", "layout"),
            ("[64, 48]", "[64, 48, 3]", "size"),
            ("[64, 48]", "[64, 0]", "above 0"),
            ("high = 99", "high = 0.5", "rise"),
            ("high = 99", "", "needs low and high"),
            ("index = 2", "index = 999", "255"),
            ("name = \"Short axis\"", "nmae = 1", "nmae"),
            ("\"percentile\"", "\"magic\"", "magic"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let error = parse_network(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
