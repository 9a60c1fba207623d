//! Archives: zip and tar, plain or in gzip or xz, unpacked into a temporary folder that is opened as any folder.
//! Nothing is written outside of that folder: entries whose path leads out of it, links and devices are left out and
//! named. Sizes in an archive are not believed; unpacking stops at the limit.

use super::{Reading, bytes};
use crate::base::{Error, Limits, Progress, Result};
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

/// No more entries are unpacked.
const MOST_ENTRIES: usize = 100_000;
const CHUNK_BYTES: usize = 1 << 18;

/// What an archive is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archive {
    Zip,
    Tar,
    TarGzip,
    TarXz,
    /// A single file in xz.
    Xz,
}

/// Whether bytes begin with an entry of a tar archive (POSIX 1003.1, or older with a checksum that is right).
#[must_use]
pub(super) fn is_tar(first: &[u8]) -> bool {
    let Some(head) = first.get(..512) else { return false };
    let text = String::from_utf8_lossy(&head[148..156]).into_owned();
    let said = u64::from_str_radix(text.trim_matches(['\0', ' ']), 8);
    let sum: u64 = head.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u64::from(*b) }).sum();
    said == Ok(sum) && head[0] != 0
}

/// The kind of archive; `None` where bytes are none, or a gzip of something else.
pub(super) fn kind_of(first: &[u8]) -> Option<Archive> {
    if first.starts_with(b"PK\x03\x04") {
        return Some(Archive::Zip);
    }
    if first.starts_with(b"\xfd7zXZ\0") {
        let mut start = Vec::new();
        // A damaged stream is named when it is unpacked.
        let _ = lzma_rust2::XzReader::new(first, true).take(512).read_to_end(&mut start);
        return Some(if is_tar(&start) || start.len() < 512 { Archive::TarXz } else { Archive::Xz });
    }
    if bytes::is_gzip(first) {
        return is_tar(&bytes::inflated_start(first, 512)).then_some(Archive::TarGzip);
    }
    is_tar(first).then_some(Archive::Tar)
}

/// Calls a section by its archive where it was called by the temporary folder.
pub(super) fn rename(section: &mut crate::model::Section, folder: &Path, archive: &Path) {
    let name = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned());
    if Some(&section.name) == name(folder).as_ref() {
        let stem = bytes::stem(archive);
        stem.strip_suffix(".zarr").unwrap_or(&stem).clone_into(&mut section.name);
    }
}

/// Unpacks an archive into a folder that goes when it is dropped.
pub(super) fn unpack(path: &Path, kind: Archive, reading: &mut Reading) -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("myoscope-")
        .tempdir()
        .map_err(|e| Error::io("making a temporary folder", e, std::env::temp_dir()))?;
    let file = File::open(path).map_err(|e| Error::io("reading", e, path))?;
    let mut out =
        Out { root: folder.path(), limits: reading.limits, progress: reading.progress, n_bytes: 0, left_out: Vec::new() };
    let source = BufReader::new(file);
    match kind {
        Archive::Zip => unzip(source, &mut out),
        Archive::Tar => untar(source, &mut out),
        Archive::TarGzip => untar(flate2::bufread::MultiGzDecoder::new(source), &mut out),
        Archive::TarXz => untar(lzma_rust2::XzReader::new(source, true), &mut out),
        Archive::Xz => out.keep(Path::new(&bytes::stem(path)), &mut lzma_rust2::XzReader::new(source, true)),
    }
    .map_err(|e| e.at(path))?;
    if let [first, ..] = out.left_out.as_slice() {
        let what = format!(
            "{} entries that are links, devices or lead out of the archive were left out (as {first})",
            out.left_out.len()
        );
        reading.warnings.warn("unsafe-entry", what, Some(path));
    }
    Ok(folder)
}

struct Out<'a> {
    root: &'a Path,
    limits: Limits,
    progress: &'a Progress,
    n_bytes: u64,
    left_out: Vec<String>,
}

impl Out<'_> {
    /// The place of an entry; `None` where it would lie outside.
    fn place(&self, name: &Path) -> Option<PathBuf> {
        let mut place = self.root.to_path_buf();
        for part in name.components() {
            match part {
                Component::Normal(part) => place.push(part),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        (place != self.root).then_some(place)
    }

    fn leave_out(&mut self, name: &Path) {
        self.left_out.push(name.display().to_string().chars().take(80).collect());
    }

    /// Writes one file.
    fn keep(&mut self, name: &Path, from: &mut dyn Read) -> Result<()> {
        let Some(place) = self.place(name) else {
            self.leave_out(name);
            return Ok(());
        };
        let failed = |e| Error::io("writing a temporary file", e, &place);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = File::create(&place).map_err(failed)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            self.progress.step(0.0, "unpacking")?;
            let n = match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(damaged(&e)),
            };
            self.n_bytes += n as u64;
            self.limits.check("the unpacked archive", &[self.n_bytes], 1)?;
            file.write_all(&chunk[..n]).map_err(failed)?;
        }
    }
}

fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::malformed(format!("the archive is damaged ({why}); copy it again"))
}

fn too_many() -> Error {
    Error::unsupported(format!("the archive has more than {MOST_ENTRIES} entries; unpack a part of it"))
}

fn unzip(source: impl Read + Seek, out: &mut Out) -> Result<()> {
    let mut archive = zip::ZipArchive::new(source).map_err(|e| damaged(&e))?;
    if archive.len() > MOST_ENTRIES {
        return Err(too_many());
    }
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(|e| damaged(&e))?;
        let name = PathBuf::from(entry.name().map_err(|e| damaged(&e))?.replace('\\', "/"));
        if entry.is_symlink() {
            out.leave_out(&name);
        } else if entry.is_file() {
            out.keep(&name, &mut entry)?;
        }
    }
    Ok(())
}

fn untar(source: impl Read, out: &mut Out) -> Result<()> {
    let mut archive = tar::Archive::new(source);
    for (i, entry) in archive.entries().map_err(|e| damaged(&e))?.enumerate() {
        let mut entry = entry.map_err(|e| damaged(&e))?;
        if i >= MOST_ENTRIES {
            return Err(too_many());
        }
        let name = entry.path().map_err(|e| damaged(&e))?.into_owned();
        match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => out.keep(&name, &mut entry)?,
            tar::EntryType::Directory | tar::EntryType::XGlobalHeader => {}
            _ => out.leave_out(&name),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Severity, Warnings};
    use crate::io::{Content, open, write_nifti_volume};
    use crate::model::{Samples, Volume};
    use crate::space::{DAffine3, Grid};

    fn nifti() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let grid = Grid::new([2, 3, 2], DAffine3::IDENTITY).unwrap();
        let volume = Volume::new("v", grid, vec![Samples::I16((0..12).collect())]).unwrap();
        write_nifti_volume(&folder.path().join("v.nii"), &volume).unwrap();
        std::fs::read(folder.path().join("v.nii")).unwrap()
    }

    fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, data) in entries {
            let mut header = tar::Header::new_ustar();
            // `set_path` would refuse names that lead out.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, *data).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, data) in entries {
            out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(data).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn opened(name: &str, data: &[u8], limits: Limits) -> (Result<Vec<crate::io::Found>>, Warnings) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, data).unwrap();
        let mut warnings = Warnings::default();
        let found = open(&path, &mut Reading { limits, progress: &Progress::none(), warnings: &mut warnings });
        let kept = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(kept, 1, "nothing is written beside the archive");
        if let Ok(found) = &found {
            assert!(found.iter().all(|f| f.path == path), "{found:?}");
        }
        (found, warnings)
    }

    #[test]
    fn every_kind_is_opened() {
        let image = nifti();
        let entries: [(&str, &[u8]); 2] = [("a/b/v.nii", &image), ("readme.md", b"hello")];
        let mut gz = Vec::new();
        bytes::write_gzip(&tar_of(&entries), &mut gz).unwrap();
        for (name, data) in [("a.zip", zip_of(&entries)), ("a.tar", tar_of(&entries)), ("a.tgz", gz)] {
            let (found, _) = opened(name, &data, Limits::default());
            let found = found.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(matches!(&found[..], [one] if matches!(&one.content, Content::Volume(v) if v.name == "v")), "{name}");
        }
    }

    #[test]
    fn entries_that_lead_out_are_left_out() {
        let image = nifti();
        for data in [
            tar_of(&[("../evil.nii", &image), ("/tmp/evil.nii", &image), ("fine.nii", &image)]),
            zip_of(&[("../evil.nii", &image), ("..\\evil.nii", &image), ("/evil.nii", &image), ("fine.nii", &image)]),
        ] {
            let (found, warnings) = opened("a.archive", &data, Limits::default());
            assert_eq!(found.unwrap().len(), 1);
            assert!(warnings.notes.iter().any(|n| n.code == "unsafe-entry" && n.severity == Severity::Warning));
        }
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let zeros = vec![0; 4 << 20];
        for data in [zip_of(&[("z.nii", &zeros)]), {
            let mut gz = Vec::new();
            bytes::write_gzip(&tar_of(&[("z.nii", &zeros)]), &mut gz).unwrap();
            gz
        }] {
            assert!(data.len() < 1 << 20);
            let error = opened("bomb", &data, Limits { max_bytes: 1 << 20 }).0.unwrap_err();
            assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        }
    }

    #[test]
    fn damage_is_named() {
        let whole = zip_of(&[("v.nii", &nifti())]);
        assert!(opened("cut.zip", &whole[..whole.len() / 2], Limits::default()).0.unwrap_err().to_string().contains("damaged"));
        let error = opened("a.tar.xz", b"\xfd7zXZ\0\0\0nothing", Limits::default()).0.unwrap_err().to_string();
        assert!(error.contains("damaged") && error.contains("a.tar.xz"), "{error}");
    }
}
