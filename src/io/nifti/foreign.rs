//! Voxels of other formats, decoded as those of NIfTI are: one path for types, byte orders, limits and labels.

use super::header::Header;
use super::labels;
use super::place::Place;
use super::voxels::Voxels;
use super::{Content, Decoded, Reading};
use crate::base::{Error, Result};
use crate::io::bytes::Stream;
use crate::model::Samples;
use crate::space::Grid;
use std::path::Path;
use std::sync::Arc;

/// What the header of another format says.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Size and place in LPS mm.
    pub grid: Grid,
    /// Number of phases.
    pub n_phases: usize,
    /// Whether the phases of a voxel stand side by side in the file, instead of volume after volume.
    pub phase_first: bool,
    /// `NIFTI_TYPE_*` of the voxels.
    pub datatype: i16,
    /// Byte order of the voxels.
    pub big_endian: bool,
    /// Bytes of the stream before the voxels.
    pub skip: u64,
    /// Whether lengths are millimeters for sure.
    pub length_unit_known: bool,
    /// Time of each phase, or empty.
    pub phase_times_ms: Vec<f64>,
    /// Whether the file says that it is a segmentation.
    pub is_labels: bool,
}

/// An image or labels, by the rules of [`super::read_nifti`].
pub fn decode_foreign(foreign: Foreign, stream: Stream, path: &Path, reading: &mut Reading) -> Result<Content> {
    let size = foreign.grid.size().map(|n| n as u64);
    let n_phases = foreign.n_phases as u64;
    let size = if foreign.phase_first {
        [size[0].checked_mul(n_phases).ok_or_else(|| Error::malformed("more voxels than can be counted"))?, size[1], size[2], 1]
    } else {
        [size[0], size[1], size[2], n_phases]
    };
    let header = Header {
        version: 1,
        big_endian: foreign.big_endian,
        is_single: true,
        size,
        pixdim: [1.0; 8],
        datatype: foreign.datatype,
        vox_offset: foreign.skip,
        slope: 1.0,
        intercept: 0.0,
        units: 0,
        intent_code: if foreign.is_labels { labels::INTENT_LABEL } else { 0 },
        toffset: 0.0,
        qform_code: 0,
        sform_code: 0,
        quatern: [0.0; 3],
        qoffset: [0.0; 3],
        srow: [[0.0; 4]; 3],
    };
    let mut voxels = Voxels::decode(&header, stream, path, reading)?;
    if foreign.phase_first && foreign.n_phases > 1 {
        let mixed = voxels.phases.pop().ok_or_else(|| Error::malformed("the file has no voxels"))?;
        voxels.phases = (0..foreign.n_phases).map(|p| every(&mixed, p, foreign.n_phases)).collect();
    }
    let place =
        Place { grid: foreign.grid, length_unit_known: foreign.length_unit_known, phase_times_ms: foreign.phase_times_ms };
    Decoded { path: path.to_path_buf(), header, place, voxels }.into_content(reading)
}

/// Every `n`th sample from `from` on.
fn every(mixed: &Samples, from: usize, n: usize) -> Samples {
    fn pick<T: Copy>(v: &[T], from: usize, n: usize) -> Arc<[T]> {
        v.iter().skip(from).step_by(n).copied().collect()
    }
    match mixed {
        Samples::U8(v) => Samples::U8(pick(v, from, n)),
        Samples::I16(v) => Samples::I16(pick(v, from, n)),
        Samples::U16(v) => Samples::U16(pick(v, from, n)),
        Samples::F32(v) => Samples::F32(pick(v, from, n)),
    }
}
