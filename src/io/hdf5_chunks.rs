//! Chunks of HDF5 arrays that are packed by registered filters (Zstandard, Blosc, LZ4, bitshuffle): unpacked here
//! by running their pipelines backwards. Format: HDF5 File Format Specification 3.0, IV.A.2.l and III.E.

use super::codec;
use super::window::Window;
use crate::base::{Error, Limits, Result};
use hdf5_pure::{Chunk, Dataset, Filter};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

/// Registered filters that the library leaves to its users.
const FOREIGN: [u16; 4] = [32001, 32004, 32008, 32015];

/// Where the bytes of a file are.
#[derive(Debug)]
pub(super) enum Bytes {
    Disk(File),
    Memory(Rc<[u8]>),
}

impl Bytes {
    fn at(&self, start: u64, n: u64, limits: &Limits) -> Result<Vec<u8>> {
        let n = limits.check("a chunk", &[n], 1)?;
        let cut = || Error::malformed("a chunk lies beyond the end of the file; copy the file again");
        match self {
            Self::Memory(bytes) => {
                let piece = usize::try_from(start).ok().and_then(|s| bytes.get(s..s.checked_add(n)?));
                Ok(piece.ok_or_else(cut)?.to_vec())
            }
            Self::Disk(file) => {
                let size = file.metadata().map_or(0, |m| m.len());
                if start.checked_add(n as u64).is_none_or(|end| end > size) {
                    return Err(cut());
                }
                let (mut file, mut out) = (file, vec![0; n]);
                let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut out));
                read.map_err(|source| Error::Io { doing: "reading", source, path: None })?;
                Ok(out)
            }
        }
    }
}

/// Chunks of an array, sorted by their first row.
struct Index {
    chunks: Vec<Chunk>,
    shape: Vec<u64>,
    chunk: Vec<u64>,
    size: usize,
    filters: Vec<Filter>,
}

/// Objects of a heap by number.
type Heap = Rc<BTreeMap<u16, Vec<u8>>>;

/// Reads packed chunks of one file; remembers where the chunks of an array are.
pub(super) struct Chunks {
    bytes: Bytes,
    limits: Limits,
    indices: RefCell<BTreeMap<String, Rc<Index>>>,
    heaps: RefCell<BTreeMap<u64, Heap>>,
}

/// Whether the library cannot unpack the chunks of an array, but this file can.
pub(super) fn is_foreign(dataset: &Dataset) -> bool {
    dataset.filters().iter().any(|f| FOREIGN.contains(f))
}

impl Chunks {
    pub fn new(bytes: Bytes, limits: Limits) -> Self {
        Self { bytes, limits, indices: RefCell::default(), heaps: RefCell::default() }
    }

    fn index(&self, path: &str, dataset: &Dataset) -> Result<Rc<Index>, hdf5_pure::Error> {
        if let Some(known) = self.indices.borrow().get(path) {
            return Ok(known.clone());
        }
        let mut chunks = dataset.chunks()?;
        chunks.sort_by(|a, b| a.offset.cmp(&b.offset));
        let (shape, chunk) = (dataset.shape()?, dataset.chunk_shape()?.unwrap_or_default());
        let (size, filters) = (dataset.element_size()? as usize, dataset.filter_pipeline());
        let index = Rc::new(Index { chunks, shape, chunk, size, filters });
        self.indices.borrow_mut().insert(path.to_owned(), index.clone());
        Ok(index)
    }

    /// Bytes of the rows `start..start + count` of an array; chunks that were never written are zeros.
    pub fn rows(&self, path: &str, dataset: &Dataset, start: u64, count: u64) -> Result<Vec<u8>> {
        let index = self.index(path, dataset).map_err(|e| unlisted(path, &e))?;
        let window = Window { shape: &index.shape, start, count, size: index.size };
        let axes = index.shape.len();
        if axes == 0 || index.chunk.len() != axes || index.chunk.contains(&0) {
            return Err(Error::malformed(format!("the chunks of {path} do not fit its axes")));
        }
        let n_chunk = self.limits.check(path, &index.chunk, index.size as u64)?;
        let mut out = vec![0; window.n_bytes(path, &self.limits)?];
        let first = start.saturating_sub(index.chunk[0] - 1);
        let from = index.chunks.partition_point(|c| c.offset.first().is_some_and(|o| *o < first));
        for chunk in index.chunks[from..].iter().take_while(|c| c.offset.first().is_some_and(|o| *o < start + count)) {
            let packed = self.bytes.at(chunk.address, chunk.storage_size, &self.limits)?;
            let plain = unpack(packed, &index, chunk.filter_mask, n_chunk).map_err(|e| named(path, e))?;
            let misfit = || Error::malformed(format!("a chunk of {path} is shorter than it should be"));
            if chunk.offset.len() != axes {
                return Err(misfit());
            }
            window.place(&mut out, &plain, &index.chunk, &chunk.offset).ok_or_else(misfit)?;
        }
        Ok(out)
    }

    /// Strings that `bytes` of an array of variable length point to: length, heap and number of each.
    pub fn strings(&self, bytes: &[u8], size: usize) -> Result<Vec<String>> {
        if size != 16 {
            return Err(Error::unsupported("text behind addresses that are not 8 bytes long is not read"));
        }
        let word = |b: &[u8], at: usize| u32::from_le_bytes(std::array::from_fn(|i| b[at + i]));
        let mut total = 0_u64;
        let one = |b: &[u8]| {
            let (n, number) = (word(b, 0) as usize, word(b, 12));
            let address = u64::from_le_bytes(std::array::from_fn(|i| b[4 + i]));
            if n == 0 {
                return Ok(String::new());
            }
            total += n as u64;
            self.limits.check("text", &[total], 1)?;
            let heap = self.heap(address)?;
            let text = u16::try_from(number).ok().and_then(|k| heap.get(&k)).and_then(|object| object.get(..n));
            let text = text.ok_or_else(|| Error::malformed("text is missing in its heap; copy the file again"))?;
            String::from_utf8(text.to_vec()).map_err(|_| Error::malformed("text is not UTF-8"))
        };
        bytes.chunks_exact(16).map(one).collect()
    }

    fn heap(&self, address: u64) -> Result<Heap> {
        if let Some(known) = self.heaps.borrow().get(&address) {
            return Ok(known.clone());
        }
        let damaged = || Error::malformed("a heap of text is damaged; copy the file again");
        let head = self.bytes.at(address, 16, &self.limits)?;
        if head.get(..4) != Some(b"GCOL") {
            return Err(damaged());
        }
        let all = self.bytes.at(address, u64::from_le_bytes(std::array::from_fn(|i| head[8 + i])), &self.limits)?;
        let mut objects = BTreeMap::new();
        let mut at = 16;
        while let Some(head) = all.get(at..at + 16) {
            let number = u16::from_le_bytes([head[0], head[1]]);
            let n = usize::try_from(u64::from_le_bytes(std::array::from_fn(|i| head[8 + i]))).map_err(|_| damaged())?;
            if number == 0 {
                break;
            }
            let end = n.checked_add(at + 16).ok_or_else(damaged)?;
            objects.insert(number, all.get(at + 16..end).ok_or_else(damaged)?.to_vec());
            at = end.next_multiple_of(8);
        }
        let heap = Rc::new(objects);
        self.heaps.borrow_mut().insert(address, heap.clone());
        Ok(heap)
    }
}

fn unlisted(path: &str, why: &hdf5_pure::Error) -> Error {
    Error::unsupported(format!(
        "the chunks of {path} cannot be listed ({why}); write the file again with gzip, as adata.write_h5ad(…, compression=\"gzip\")"
    ))
}

fn named(path: &str, error: Error) -> Error {
    match error {
        Error::Malformed { what, path: file } => Error::Malformed { what: format!("{path}: {what}"), path: file },
        other => other,
    }
}

/// Undoes the filters of a chunk, the last first. What a step gives is at most the chunk and a checksum.
fn unpack(mut bytes: Vec<u8>, index: &Index, skipped: u32, n: usize) -> Result<Vec<u8>> {
    const CHECKSUM: usize = 4;
    for (k, filter) in index.filters.iter().enumerate().rev() {
        if k < 32 && skipped >> k & 1 == 1 {
            continue;
        }
        let most = n + CHECKSUM;
        let setting = |i: usize| filter.client_data.get(i).copied().unwrap_or(0);
        bytes = match filter.id {
            1 => codec::zlib(&bytes, most)?,
            2 => codec::unshuffle(&bytes, setting(0) as usize),
            3 => without_sum(bytes)?,
            32000 => codec::lzf(&bytes, most)?,
            32001 => codec::blosc(&bytes, most)?,
            32004 => codec::lz4_blocks(&bytes, most)?,
            32008 => codec::bitshuffled(&bytes, &filter.client_data, n)?,
            32015 => codec::zstd(&bytes, most)?,
            other => {
                return Err(Error::unsupported(format!(
                    "HDF5 filter {other} beside another is not read; write the file again with gzip"
                )));
            }
        };
    }
    Ok(bytes)
}

fn without_sum(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let damaged = || Error::malformed("a chunk does not have the checksum that it was written with; copy the file again");
    let at = bytes.len().checked_sub(4).ok_or_else(damaged)?;
    let sum = bytes.split_off(at);
    let told = u32::from_le_bytes(std::array::from_fn(|i| sum[i]));
    if told == codec::fletcher32(&bytes) { Ok(bytes) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use crate::base::Limits;
    use crate::io::bytes::inflate;
    use crate::io::hdf5_read::Hdf5;
    use crate::io::stored::Stored;
    use std::path::Path;

    #[test]
    fn every_filter_gives_the_numbers_of_h5py() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells");
        let packed = std::fs::read(folder.join("filters.h5.gz")).unwrap();
        let bytes = inflate(packed, &Limits::default()).unwrap();
        let on_disk = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(on_disk.path(), &bytes).unwrap();
        let files = [Hdf5::from_bytes(bytes, Limits::default()).unwrap(), Hdf5::open(on_disk.path(), Limits::default()).unwrap()];
        let ramp: Vec<u64> = (0..1003).map(|i| i / 5 * 3).collect();
        let noise: Vec<f64> = (0..600_u64).map(|i| (i * i * 7919 % 10007) as f64 / 7.0).collect();
        let wide: Vec<f64> = (0..1200).map(|i| f64::from(i % 97)).collect();
        let text: Vec<String> = (0..50).map(|k| format!("text {k} ä").repeat(k % 3)).collect();
        for file in files {
            let names = file.children("").unwrap();
            assert_eq!(names.groups.len(), 26);
            for name in names.groups {
                let has = |array: &str| file.is_array(&format!("{name}/{array}"));
                assert_eq!(file.u64s(&format!("{name}/ramp")).unwrap(), ramp, "{name}");
                assert_eq!(file.u32s_at(&format!("{name}/ramp"), 390, 20).unwrap()[19], 243, "{name}");
                assert!(!has("noise") || file.f64s(&format!("{name}/noise")).unwrap() == noise, "{name}");
                assert!(!has("wide") || file.f64s(&format!("{name}/wide")).unwrap() == wide, "{name}");
                assert!(!has("text") || file.strings(&format!("{name}/text")).unwrap() == text, "{name}");
            }
            assert_eq!(file.u64s("big").unwrap(), ramp);
            assert_eq!(file.f64s("half").unwrap(), (0..100).map(|i| f64::from(i) / 8.0).collect::<Vec<_>>());
            assert!(file.f64s("blosc2").unwrap_err().to_string().contains("Blosc2 (HDF5 filter 32026)"));
        }
    }
}
