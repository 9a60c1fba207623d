//! The project file `.myo`: a zip with a readable `manifest.json` that links its inputs by relative
//! path, size and SHA-256, and the history beside it. "With data" puts the inputs' bytes inside.

use super::bytes::{digest, sha256};
use super::record::{ElementRecord, ExclusionRecord, InputRecord, LayerRecord, RegistrationRecord};
use crate::base::{Error, Limits, Progress, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};
use zip::write::SimpleFileOptions;

/// What `manifest.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `myoscope project`.
    pub format: String,
    /// 1; a higher version is refused with a sentence.
    pub version: u32,
    /// The program that wrote it.
    pub program: String,
    /// Linked inputs.
    pub inputs: Vec<InputRecord>,
    /// Elements.
    pub elements: Vec<ElementRecord>,
    /// Registrations.
    pub registrations: Vec<RegistrationRecord>,
    /// Layers from back to front.
    pub layers: Vec<LayerRecord>,
    /// What is left out of analyses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<ExclusionRecord>,
    /// What was drawn to measure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<super::record_labels::FigureRecord>,
    /// Regions marked on sections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<super::record_regions::SpotRegionRecord>,
    /// How each analysis is made; for readers of the file: the history makes them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<serde_json::Value>,
    /// The next unused element number.
    pub next_id: u64,
    /// How it was looked at; opaque here.
    #[serde(default)]
    pub view: serde_json::Value,
}

/// `Manifest::format`.
pub const FORMAT: &str = "myoscope project";

const MAX_MANIFEST: u64 = 64 << 20;
const MAX_FILES: usize = 200_000;

/// Everything in a project file except embedded bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// The manifest.
    pub manifest: Manifest,
    /// Lines of the history, oldest first.
    pub history: Vec<String>,
}

/// The files of an input: itself, or all files of a folder, sorted, with `/` names relative to it.
pub fn input_files(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, "", &mut files)?;
        files.sort();
    } else {
        files.push((String::new(), path.to_path_buf()));
    }
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io("reading", e, folder))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("reading", e, folder))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(|e| Error::io("reading", e, folder))?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.push((name, entry.path()));
        }
        if files.len() > MAX_FILES {
            return Err(Error::unsupported(format!("more than {MAX_FILES} files in one folder")).at(folder));
        }
    }
    Ok(())
}

/// Size and SHA-256 of a file, or of a folder's sorted list of names, sizes and digests.
pub fn digest_input(path: &Path, progress: &Progress) -> Result<(u64, String)> {
    let files = input_files(path)?;
    let single = !path.is_dir();
    let (mut total, mut list) = (0, String::new());
    for (i, (name, file)) in files.iter().enumerate() {
        progress.step(i as f64 / files.len().max(1) as f64, "checking inputs")?;
        let found = digest(file, progress)?;
        total += found.n_bytes;
        if single {
            return Ok((total, found.sha256));
        }
        let _ = writeln!(list, "{name}\t{}\t{}", found.n_bytes, found.sha256);
    }
    Ok((total, sha256(list.as_bytes())))
}

/// The key that stands for a path where paths must not appear.
#[must_use]
pub fn path_key(path: &Path) -> String {
    sha256(path.as_os_str().as_encoded_bytes())[..16].to_owned()
}

/// `target` relative to the folder `base`, with `/`; the absolute path where there is no common root.
#[must_use]
pub fn relative_path(base: &Path, target: &Path) -> String {
    let (b, t): (Vec<Component>, Vec<Component>) = (base.components().collect(), target.components().collect());
    let common = b.iter().zip(&t).take_while(|(x, y)| x == y).count();
    if common == 0 {
        return target.to_string_lossy().into_owned();
    }
    let up = std::iter::repeat_n("..".to_owned(), b.len() - common);
    let down = t[common..].iter().map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Writes a project in one go: a temporary file beside it, then renamed. `embed` names the path of
/// each embedded input by its key.
pub fn write_project(path: &Path, project: &Project, embed: &BTreeMap<String, PathBuf>, progress: &Progress) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fail = |e: io::Error| Error::io("writing", e, path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    write_zip(&mut file, project, embed, progress).map_err(|e| e.at(path))?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

fn write_zip<W: Write + Seek>(out: W, project: &Project, embed: &BTreeMap<String, PathBuf>, progress: &Progress) -> Result<()> {
    let mut zip = zip::ZipWriter::new(out);
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let manifest = serde_json::to_string_pretty(&project.manifest).map_err(|e| Error::malformed(e.to_string()))?;
    add(&mut zip, "manifest.json", manifest.as_bytes(), options)?;
    add(&mut zip, "history.jsonl", project.history.join("\n").as_bytes(), options)?;
    let stored = options.compression_method(zip::CompressionMethod::Stored).large_file(true);
    for (i, (key, input)) in embed.iter().enumerate() {
        for (name, file) in input_files(input)? {
            progress.step(i as f64 / embed.len() as f64, "embedding data")?;
            let leaf = input.file_name().map_or_else(|| "input".into(), |n| n.to_string_lossy().into_owned());
            let inside = if name.is_empty() { format!("data/{key}/{leaf}") } else { format!("data/{key}/{leaf}/{name}") };
            let mut source = File::open(&file).map_err(|e| Error::io("reading", e, &file))?;
            zip.start_file(inside, stored).map_err(zip_error)?;
            io::copy(&mut source, &mut zip).map_err(|e| Error::io("reading", e, &file))?;
        }
    }
    zip.finish().map_err(zip_error)?;
    Ok(())
}

fn add<W: Write + Seek>(zip: &mut zip::ZipWriter<W>, name: &str, bytes: &[u8], options: SimpleFileOptions) -> Result<()> {
    zip.start_file(name, options).map_err(zip_error)?;
    zip.write_all(bytes).map_err(|source| Error::Io { doing: "writing", source, path: None })
}

fn zip_error(e: zip::result::ZipError) -> Error {
    Error::malformed(format!("not a readable project file ({e}); open the newest other copy, or the data themselves"))
}

/// Reads manifest and history; embedded data stay inside (see [`extract_inputs`]).
pub fn read_project(path: &Path) -> Result<Project> {
    let file = File::open(path).map_err(|e| Error::io("reading", e, path))?;
    parse_project(file).map_err(|e| e.at(path))
}

/// Reads manifest and history from any bytes; hostile input gives an error.
pub fn parse_project<R: Read + Seek>(bytes: R) -> Result<Project> {
    let mut zip = zip::ZipArchive::new(bytes).map_err(zip_error)?;
    let manifest: Manifest = serde_json::from_str(&entry(&mut zip, "manifest.json")?)
        .map_err(|e| Error::malformed(format!("manifest.json is not a project manifest ({e})")))?;
    if manifest.format != FORMAT || manifest.version != 1 {
        return Err(Error::unsupported(format!(
            "a project of format {:?} version {}; this program reads {FORMAT:?} version 1",
            manifest.format, manifest.version
        )));
    }
    let history = entry(&mut zip, "history.jsonl").unwrap_or_default();
    Ok(Project { manifest, history: history.lines().map(str::to_owned).collect() })
}

fn entry<R: Read + Seek>(zip: &mut zip::ZipArchive<R>, name: &str) -> Result<String> {
    let file = zip.by_name(name).map_err(zip_error)?;
    let mut text = String::new();
    file.take(MAX_MANIFEST)
        .read_to_string(&mut text)
        .map_err(|e| Error::malformed(format!("{name} cannot be read from the project ({e})")))?;
    Ok(text)
}

/// Where embedded inputs are unpacked while a project is open.
#[must_use]
pub fn unpack_folder() -> PathBuf {
    std::env::temp_dir().join("myoscope-unpacked")
}

/// Unpacks the embedded inputs into a folder: the path of each by its key. Names that would leave the
/// folder are refused; sizes are checked against `limits`.
pub fn extract_inputs(path: &Path, folder: &Path, limits: Limits, progress: &Progress) -> Result<BTreeMap<String, PathBuf>> {
    let file = File::open(path).map_err(|e| Error::io("reading", e, path))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|e| zip_error(e).at(path))?;
    let (mut found, mut total, n) = (BTreeMap::new(), 0u64, zip.len());
    for i in 0..n {
        progress.step(i as f64 / n as f64, "unpacking data")?;
        let mut member = zip.by_index(i).map_err(|e| zip_error(e).at(path))?;
        let Some(inside) = member.enclosed_name() else {
            return Err(Error::malformed("a member of the project would be unpacked outside of its folder").at(path));
        };
        let parts: Vec<String> = inside.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
        if parts.len() < 3 || parts[0] != "data" {
            continue;
        }
        total += member.size();
        limits.check("unpacked project data", &[total], 1).map_err(|e| e.at(path))?;
        let target = folder.join(&inside);
        let parent = target.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|e| Error::io("writing", e, parent))?;
        let mut out = File::create(&target).map_err(|e| Error::io("writing", e, &target))?;
        let limit = member.size();
        io::copy(&mut (&mut member).take(limit), &mut out).map_err(|e| Error::io("writing", e, &target))?;
        found.insert(parts[1].clone(), folder.join("data").join(&parts[1]).join(&parts[2]));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths() {
        assert_eq!(relative_path(Path::new("/a/b"), Path::new("/a/c/d.nii")), "../c/d.nii");
        assert_eq!(relative_path(Path::new("/a/b"), Path::new("/a/b/José Müller/1")), "José Müller/1");
    }

    #[test]
    fn written_with_data_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("José Müller");
        fs::create_dir(&input).unwrap();
        fs::write(input.join("a.txt"), "hello").unwrap();
        let file = folder.path().join("x.myo");
        let manifest = Manifest { format: FORMAT.into(), version: 1, ..Manifest::default() };
        let project = Project { manifest, history: vec!["{}".into()] };
        let embed = BTreeMap::from([("k".to_owned(), input)]);
        write_project(&file, &project, &embed, &Progress::none()).unwrap();
        assert_eq!(read_project(&file).unwrap(), project);
        let out = tempfile::tempdir().unwrap();
        let found = extract_inputs(&file, out.path(), Limits::default(), &Progress::none()).unwrap();
        assert_eq!(fs::read_to_string(found["k"].join("a.txt")).unwrap(), "hello");
        let mut bytes = fs::read(&file).unwrap();
        bytes.truncate(bytes.len() / 2);
        assert!(parse_project(io::Cursor::new(bytes)).is_err());
    }
}
