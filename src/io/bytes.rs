//! Bytes of files: read whole with a limit, gzip recognized by content and inflated with a bound,
//! digests for provenance, and writes that leave either the whole file or nothing.

use crate::base::{Error, Limits, Progress, Result};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// How much is read between two checks of a limit.
const CHUNK_BYTES: usize = 1 << 20;

/// Content fingerprint of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file in bytes.
    pub n_bytes: u64,
}

/// Whether bytes begin like gzip (RFC 1952).
#[must_use]
pub fn is_gzip(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&[0x1f, 0x8b])
}

/// The first `n` bytes of a file, fewer where it is shorter.
pub fn first_bytes(path: &Path, n: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(n);
    File::open(path).and_then(|file| file.take(n as u64).read_to_end(&mut bytes)).map_err(|e| Error::io("reading", e, path))?;
    Ok(bytes)
}

/// A whole file as it lies on disk; [`Error::TooLarge`] before more than the limit is read.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io("reading", e, path))?;
    let size = file.metadata().map_err(|e| Error::io("reading", e, path))?.len();
    let size = limits.check("the file", &[size], 1).map_err(|e| e.at(path))?;

    let mut bytes = Vec::with_capacity(size);
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| Error::io("reading", e, path))?;
    limits.check("the file", &[bytes.len() as u64], 1).map_err(|e| e.at(path))?;
    Ok(bytes)
}

/// A whole file, inflated where its content is gzip (whatever its name says).
pub fn read_inflated(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    inflate(read_file(path, limits)?, limits).map_err(|e| e.at(path))
}

/// Bytes inflated where they are gzip, else as they are. The size written in the gzip trailer is not
/// believed: inflating stops at the limit.
pub fn inflate(bytes: Vec<u8>, limits: &Limits) -> Result<Vec<u8>> {
    if !is_gzip(&bytes) {
        return Ok(bytes);
    }
    let mut out = Vec::new();
    let mut source = MultiGzDecoder::new(bytes.as_slice());
    loop {
        let n = (&mut source).take(CHUNK_BYTES as u64).read_to_end(&mut out).map_err(|e| {
            let kept = out.len();
            Error::malformed(format!(
                "the gzip stream is damaged or cut off after {kept} inflated bytes ({e}); copy the file again"
            ))
        })?;
        if n == 0 {
            return Ok(out);
        }
        limits.check("the inflated file", &[out.len() as u64], 1)?;
    }
}

/// Bytes that are inflated as they are read, so that a file never lies in memory beside what it becomes.
pub struct Stream<'a> {
    source: Box<dyn Read + 'a>,
    /// More bytes than this cannot come: the size of a plain file, for gzip the most that deflate can hold.
    pub most_bytes: u64,
    /// How many came so far.
    pub n_read: u64,
    /// `gzip ` or nothing, for errors.
    what: &'static str,
}

/// A byte of deflate stands for at most so many (RFC 1951: 258 bytes in two bits).
const MOST_INFLATION: u64 = 1032;

impl<'a> Stream<'a> {
    /// A file, inflated where its content is gzip (whatever its name says).
    pub fn open(path: &Path) -> Result<Stream<'static>> {
        let failed = |e| Error::io("reading", e, path);
        let file = File::open(path).map_err(failed)?;
        let n_bytes = file.metadata().map_err(failed)?.len();
        let gzip = is_gzip(&first_bytes(path, 2)?);
        Ok(Stream::new(BufReader::with_capacity(CHUNK_BYTES / 4, file), gzip, n_bytes))
    }

    /// The same for bytes in memory.
    #[must_use]
    pub fn of_bytes(bytes: &'a [u8]) -> Self {
        Self::new(bytes, is_gzip(bytes), bytes.len() as u64)
    }

    fn new(source: impl std::io::BufRead + 'a, gzip: bool, n_bytes: u64) -> Self {
        if gzip {
            let most_bytes = n_bytes.saturating_mul(MOST_INFLATION);
            return Self { source: Box::new(flate2::bufread::MultiGzDecoder::new(source)), most_bytes, n_read: 0, what: "gzip " };
        }
        Self { source: Box::new(source), most_bytes: n_bytes, n_read: 0, what: "" }
    }

    /// Fills as much of `out` as there is; how many bytes that were.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut n = 0;
        while n < out.len() {
            match self.source.read(&mut out[n..]) {
                Ok(0) => break,
                Ok(more) => n += more,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let (kept, what) = (self.n_read + n as u64, self.what);
                    return Err(Error::malformed(format!(
                        "the {what}stream is damaged or cut off after {kept} bytes ({e}); copy the file again"
                    )));
                }
            }
        }
        self.n_read += n as u64;
        Ok(n)
    }

    /// At most `n` bytes more, fewer where the stream ends.
    pub fn next_bytes(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; n];
        let got = self.fill(&mut out)?;
        out.truncate(got);
        Ok(out)
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("most_bytes", &self.most_bytes).field("n_read", &self.n_read).finish_non_exhaustive()
    }
}

/// The first `n` inflated bytes of gzip bytes, fewer where the stream is shorter or damaged.
#[must_use]
pub fn inflated_start(bytes: &[u8], n: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(n);
    // What was inflated before an error is kept: a start may be cut in the middle of a block.
    let _ = MultiGzDecoder::new(bytes).take(n as u64).read_to_end(&mut out);
    out
}

/// SHA-256 and size of a file. Reads it once, a mebibyte at a time; can be cancelled.
pub fn digest(path: &Path, progress: &Progress) -> Result<Digest> {
    let wrap = |e| Error::io("reading", e, path);
    let mut file = File::open(path).map_err(wrap)?;
    let mut sha = Sha256::new();
    let mut n_bytes = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        progress.step(0.0, "checking inputs")?;
        let n = file.read(&mut chunk).map_err(wrap)?;
        if n == 0 {
            return Ok(Digest { sha256: hex(&sha.finalize()), n_bytes });
        }
        sha.update(&chunk[..n]);
        n_bytes += n as u64;
    }
}

/// SHA-256 of bytes in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

/// Makes a folder with those above it; one that is there stays as it is. `Parameter` where a file has that name.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(Error::parameter(format!("a file has the name of the folder to write: {}", path.display())));
    }
    std::fs::create_dir_all(path).map_err(|e| Error::io("making the folder", e, path))
}

/// Writes a file through a temporary one in the same folder, which takes its name only when all was
/// written and is on disk. After a failure the folder is as it was.
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let wrap = |e| Error::io("writing", e, path);
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask narrows this, as for any other new file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(&folder).map_err(wrap)?;

    let mut buffer = BufWriter::with_capacity(CHUNK_BYTES, file);
    write(&mut buffer).map_err(|e| e.at(path))?;
    let file = buffer.into_inner().map_err(|e| wrap(e.into_error()))?;
    file.as_file().sync_all().map_err(wrap)?;
    file.persist(path).map_err(|e| wrap(e.error))?;
    sync_folder(&folder);
    Ok(())
}

/// [`write_atomic`] of bytes that are there already.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |w| w.write_all(bytes).map_err(|e| Error::io("writing", e, path)))
}

/// Gzip of bytes that depends on nothing else: no time, no name, one compression level.
pub fn write_gzip(bytes: &[u8], to: &mut dyn Write) -> std::io::Result<()> {
    let mut gzip = flate2::GzBuilder::new().mtime(0).operating_system(255).write(to, flate2::Compression::new(6));
    gzip.write_all(bytes)?;
    gzip.finish().map(|_| ())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn sync_folder(folder: &Path) {
    // The content is safe already; a file system that cannot sync a folder is no reason to fail.
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// The file's name without folders and without `.gz` and the last ending, for a name on screen.
#[must_use]
pub fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let name = strip_ending(&name, ".gz").to_owned();
    match name.rfind('.') {
        Some(dot) if dot > 0 => name[..dot].to_owned(),
        _ => name,
    }
}

/// The lower-case ending before `.gz`, as `nii` of `A.NII.gz`; empty where there is none.
#[must_use]
pub fn ending(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().to_lowercase());
    let name = strip_ending(&name, ".gz");
    name.rfind('.').map_or_else(String::new, |dot| name[dot + 1..].to_owned())
}

fn strip_ending<'a>(name: &'a str, ending: &str) -> &'a str {
    let cut = name.len().saturating_sub(ending.len());
    if name.is_char_boundary(cut) && name[cut..].eq_ignore_ascii_case(ending) { &name[..cut] } else { name }
}

/// A buffered reader of a file, for readers that stream.
pub fn open_buffered(path: &Path) -> Result<BufReader<File>> {
    File::open(path).map(BufReader::new).map_err(|e| Error::io("reading", e, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_gzip(bytes, &mut out).unwrap();
        out
    }

    #[test]
    fn inflating_is_bounded() {
        let bomb = gzip(&vec![0; 8 << 20]);
        assert!(bomb.len() < 1 << 16);
        let small = Limits { max_bytes: 1 << 20 };
        assert!(matches!(inflate(bomb.clone(), &small), Err(Error::TooLarge { .. })));
        assert_eq!(inflate(bomb.clone(), &Limits::default()).unwrap().len(), 8 << 20);
        let cut = bomb[..bomb.len() / 2].to_vec();
        assert!(matches!(inflate(cut, &Limits::default()), Err(Error::Malformed { .. })));
        assert_eq!(inflate(b"plain".to_vec(), &small).unwrap(), b"plain");
        assert_eq!(inflated_start(&gzip(b"abcdef"), 3), b"abc");
    }

    #[test]
    fn gzip_is_the_same_every_time() {
        assert_eq!(gzip(b"abc")[4..8], [0; 4]);
        assert_eq!(gzip(b"abc"), gzip(b"abc"));
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_bytes(&path, b"first").unwrap();
        let failed = write_atomic(&path, |w| {
            w.write_all(b"half").unwrap();
            Err(Error::Cancelled)
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let digest = digest(&path, &Progress::none()).unwrap();
        assert_eq!((digest.n_bytes, digest.sha256), (5, sha256(b"first")));
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(matches!(read_file(&path, &Limits { max_bytes: 4 }), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn names_without_endings() {
        assert_eq!(stem(Path::new("/x/A_gt.nii.gz")), "A_gt");
        assert_eq!(stem(Path::new(".hidden")), ".hidden");
        assert_eq!(ending(Path::new("A.NII.gz")), "nii");
        assert_eq!(ending(Path::new("é")), "");
    }
}
