//! NIfTI-1 and NIfTI-2 images and segmentations, both byte orders, single files and pairs of `.hdr`
//! and `.img`, gzip by content. RAS becomes LPS, any unit of length millimeters, at this door.
//! Source: the headers `nifti1.h` and `nifti2.h` of the NIfTI Data Format Working Group.

mod foreign;
mod header;
mod labels;
mod place;
mod voxels;
mod write;

pub(super) use foreign::{Foreign, decode_foreign};
pub use header::is_nifti;
pub(super) use voxels::bytes_per_voxel;
pub use write::{write_nifti_labels, write_nifti_volume};

use super::bytes::Stream;
use super::{Content, Reading, bytes};
use crate::base::{Error, Result};
use crate::model::{LabelMap, Volume};
use header::Header;
use place::Place;
use std::path::{Path, PathBuf};
use voxels::Voxels;

/// An image or a segmentation, whichever the file seems to be: a segmentation where its intent says
/// so, where its name does and its values are few, or where it has at most 8 whole values with 0
/// among them. Which and why becomes a note.
pub fn read_nifti(path: &Path, reading: &mut Reading) -> Result<Content> {
    decode_file(path, reading).and_then(|d| d.into_content(reading)).map_err(|e| e.at(path))
}

/// The file as an image, whatever it seems to be.
pub fn read_volume_any(path: &Path, reading: &mut Reading) -> Result<Volume> {
    decode_file(path, reading).and_then(Decoded::into_volume).map_err(|e| e.at(path))
}

/// The file as a segmentation; [`Error::Malformed`] where a value is not a whole number from 0 to 255.
pub fn read_labels(path: &Path, reading: &mut Reading) -> Result<LabelMap> {
    decode_file(path, reading).and_then(Decoded::into_labels).map_err(|e| e.at(path))
}

/// A single file from memory, gzip or not; `name` is what its name would be.
pub fn parse_nifti(data: &[u8], name: &str, reading: &mut Reading) -> Result<Content> {
    parse_bytes(data, Path::new(name), reading).map_err(|e| e.at(Path::new(name)))
}

fn parse_bytes(data: &[u8], path: &Path, reading: &mut Reading) -> Result<Content> {
    reading.limits.check("the file", &[data.len() as u64], 1)?;
    let mut stream = Stream::of_bytes(data);
    let header = read_header(&mut stream)?;
    if !header.is_single {
        return Err(Error::malformed("this is the header of a pair without its .img file; keep both beside each other"));
    }
    decode(header, stream, path, reading)?.into_content(reading)
}

/// Everything of a file, before it is decided what it is.
#[derive(Debug)]
struct Decoded {
    path: PathBuf,
    header: Header,
    place: Place,
    voxels: Voxels,
}

fn decode_file(path: &Path, reading: &mut Reading) -> Result<Decoded> {
    reading.progress.step(0.0, "reading NIfTI")?;
    let head_path = if bytes::ending(path) == "img" { sibling(path, "hdr")? } else { path.to_path_buf() };
    let mut stream = Stream::open(&head_path)?;
    let header = read_header(&mut stream)?;
    if !header.is_single {
        stream = Stream::open(&sibling(&head_path, "img")?)?;
    }
    decode(header, stream, path, reading)
}

/// Reads a header and no byte of the voxels, which begin after it at the earliest.
fn read_header(stream: &mut Stream) -> Result<Header> {
    let mut head = stream.next_bytes(header::SIZE_1 + 4)?;
    if Header::is_version_2(&head) {
        head.extend(stream.next_bytes(header::SIZE_2 - header::SIZE_1)?);
    }
    Header::parse(&head)
}

fn decode(header: Header, stream: Stream, path: &Path, reading: &mut Reading) -> Result<Decoded> {
    let place = Place::of(&header, path, reading.warnings)?;
    let voxels = Voxels::decode(&header, stream, path, reading)?;
    Ok(Decoded { path: path.to_path_buf(), header, place, voxels })
}

/// The other file of a pair, plain or gzip, with an ending in the same case or lower case.
fn sibling(path: &Path, ending: &str) -> Result<PathBuf> {
    let stem = bytes::stem(path);
    [ending.to_owned(), ending.to_uppercase()]
        .iter()
        .flat_map(|e| [format!("{stem}.{e}"), format!("{stem}.{e}.gz")])
        .map(|name| path.with_file_name(name))
        .find(|p| p.is_file())
        .ok_or_else(|| {
            Error::malformed(format!("its partner {stem}.{ending} is missing; keep both files beside each other")).at(path)
        })
}

impl Decoded {
    fn into_content(self, reading: &mut Reading) -> Result<Content> {
        let Some(why) = labels::recognize(&self.path, self.header.intent_code, &self.voxels) else {
            return self.into_volume().map(Content::Volume);
        };
        let path = self.path.clone();
        let labels = self.into_labels()?;
        reading.warnings.note("read-as-labels", format!("read as a segmentation because {why}"), Some(&path));
        Ok(Content::Labels(labels))
    }

    fn into_volume(self) -> Result<Volume> {
        let mut volume = Volume::without_window(bytes::stem(&self.path), self.place.grid, self.voxels.phases)?;
        volume.slope = self.voxels.slope;
        volume.intercept = self.voxels.intercept;
        volume.length_unit_known = self.place.length_unit_known;
        volume.phase_times_ms = self.place.phase_times_ms;
        volume.set_percentile_window();
        Ok(volume)
    }

    fn into_labels(self) -> Result<LabelMap> {
        let phases = labels::values(&self.voxels)?;
        let mut labels = LabelMap::new(bytes::stem(&self.path), self.place.grid, phases)?;
        labels.length_unit_known = self.place.length_unit_known;
        labels.phase_times_ms = self.place.phase_times_ms;
        Ok(labels)
    }
}

#[cfg(test)]
mod tests;
