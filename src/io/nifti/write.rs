//! NIfTI-1 out: one file, plain or gzip by its name, the same bytes every time.

use super::super::bytes::{self, write_atomic};
use super::header::SIZE_1;
use crate::base::{Error, Result};
use crate::model::{LabelMap, Samples, Volume};
use crate::space::{DAffine3, DMat3, DVec3, Grid, lps_from_ras};
use nifti::NiftiHeader;
use std::io::Write;
use std::path::Path;

/// Where the voxels begin: header, four bytes that say "no extensions".
const VOX_OFFSET: usize = SIZE_1 + 4;

/// Numbers are written so many at a time.
const WORDS_AT_ONCE: usize = 1 << 15;

/// Writes a volume or cine as `.nii` or `.nii.gz`, native samples with their rescale, sform and qform
/// in RAS mm, times in ms. Uneven phase times become their mean step.
pub fn write_nifti_volume(path: &Path, volume: &Volume) -> Result<()> {
    let mut header = header_of(&volume.grid, volume.n_phases(), &volume.phase_times_ms, volume.length_unit_known)?;
    (header.scl_slope, header.scl_inter) = (volume.slope as f32, volume.intercept as f32);
    let (datatype, bits) = match volume.phases.first() {
        Some(first) if volume.phases.iter().all(|p| same_type(p, first)) => type_of(first),
        _ => (16, 32),
    };
    (header.datatype, header.bitpix) = (datatype, bits);

    write_file(path, &header, &|out| {
        volume.phases.iter().try_for_each(|phase| match phase {
            Samples::U8(v) if datatype == 2 => out.write_all(v),
            Samples::I16(v) if datatype == 4 => put_words(v, |v| v.to_le_bytes(), out),
            Samples::U16(v) if datatype == 512 => put_words(v, |v| v.to_le_bytes(), out),
            Samples::F32(v) => put_words(v, |v| v.to_le_bytes(), out),
            other => {
                let values: Vec<f32> = (0..other.len()).map(|i| other.stored(i)).collect();
                put_words(&values, |v| v.to_le_bytes(), out)
            }
        })
    })
}

/// Writes numbers through a small buffer, so that no second copy of the voxels is made.
fn put_words<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N], out: &mut dyn Write) -> std::io::Result<()> {
    let mut buffer = vec![[0_u8; N]; WORDS_AT_ONCE.min(values.len())];
    for part in values.chunks(WORDS_AT_ONCE) {
        for (place, v) in buffer.iter_mut().zip(part) {
            *place = bytes(*v);
        }
        out.write_all(buffer[..part.len()].as_flattened())?;
    }
    Ok(())
}

/// Writes a segmentation as bytes with intent code 1002 (label).
pub fn write_nifti_labels(path: &Path, labels: &LabelMap) -> Result<()> {
    let mut header = header_of(&labels.grid, labels.n_phases(), &labels.phase_times_ms, labels.length_unit_known)?;
    (header.datatype, header.bitpix, header.intent_code) = (2, 8, 1002);
    (header.scl_slope, header.scl_inter) = (1.0, 0.0);
    write_file(path, &header, &|out| labels.phases.iter().try_for_each(|phase| out.write_all(phase)))
}

fn same_type(a: &Samples, b: &Samples) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn type_of(samples: &Samples) -> (i16, i16) {
    match samples {
        Samples::U8(_) => (2, 8),
        Samples::I16(_) => (4, 16),
        Samples::U16(_) => (512, 16),
        Samples::F32(_) => (16, 32),
    }
}

fn header_of(grid: &Grid, n_phases: usize, times_ms: &[f64], length_unit_known: bool) -> Result<NiftiHeader> {
    let [nx, ny, nz] = grid.size();
    let mut header = NiftiHeader { magic: *b"n+1\0", vox_offset: VOX_OFFSET as f32, ..NiftiHeader::default() };
    header.dim = [if n_phases > 1 { 4 } else { 3 }, length(nx)?, length(ny)?, length(nz)?, length(n_phases)?, 1, 1, 1];
    place(&mut header, lps_from_ras() * grid.lps_from_voxel());

    header.xyzt_units = if length_unit_known { 2 } else { 0 };
    if let (true, [first, .., last]) = (n_phases > 1 && times_ms.len() == n_phases, times_ms) {
        header.xyzt_units |= 16;
        header.toffset = *first as f32;
        header.pixdim[4] = ((last - first) / (n_phases as f64 - 1.0)) as f32;
    }
    Ok(header)
}

fn length(n: usize) -> Result<u16> {
    u16::try_from(n)
        .ok()
        .filter(|n| i16::try_from(*n).is_ok())
        .ok_or_else(|| Error::unsupported(format!("an axis of {n} voxels is too long for NIfTI-1, which ends at 32767")))
}

/// sform always; qform too where the axes are perpendicular, because a quaternion cannot shear.
fn place(header: &mut NiftiHeader, ras: DAffine3) {
    let m = ras.matrix3;
    let lengths = DVec3::new(m.x_axis.length(), m.y_axis.length(), m.z_axis.length());
    let row = |r: usize| [m.x_axis[r], m.y_axis[r], m.z_axis[r], ras.translation[r]].map(|v| v as f32);
    (header.srow_x, header.srow_y, header.srow_z) = (row(0), row(1), row(2));
    header.sform_code = 1;

    let qfac = if m.determinant() < 0.0 { -1.0 } else { 1.0 };
    let unit = DMat3::from_cols(m.x_axis / lengths.x, m.y_axis / lengths.y, m.z_axis / lengths.z * qfac);
    let is_rotation = (unit.transpose() * unit).abs_diff_eq(DMat3::IDENTITY, 1e-5);
    header.qform_code = i16::from(is_rotation);
    let [b, c, d] = if is_rotation { quaternion(unit) } else { [0.0; 3] };
    (header.quatern_b, header.quatern_c, header.quatern_d) = (b as f32, c as f32, d as f32);
    (header.quatern_x, header.quatern_y, header.quatern_z) =
        (ras.translation.x as f32, ras.translation.y as f32, ras.translation.z as f32);
    header.pixdim = [qfac as f32, lengths.x as f32, lengths.y as f32, lengths.z as f32, 1.0, 1.0, 1.0, 1.0];
}

/// b, c, d of the unit quaternion with a ≥ 0; the largest part is found first, so nothing small divides.
fn quaternion(r: DMat3) -> [f64; 3] {
    let (x, y, z) = (r.x_axis, r.y_axis, r.z_axis);
    let squares = [
        1.0 + x.x + y.y + z.z, // 4a²
        1.0 + x.x - y.y - z.z, // 4b²
        1.0 - x.x + y.y - z.z, // 4c²
        1.0 - x.x - y.y + z.z, // 4d²
    ];
    let largest = (0..4).fold(0, |best, i| if squares[i] > squares[best] { i } else { best });
    let twice = squares[largest].sqrt();
    let (bc, bd, cd) = (y.x + x.y, z.x + x.z, z.y + y.z);
    let (ab, ac, ad) = (y.z - z.y, z.x - x.z, x.y - y.x);
    let half = 0.5 / twice;
    let [a, b, c, d] = match largest {
        0 => [twice * 0.5, ab * half, ac * half, ad * half],
        1 => [ab * half, twice * 0.5, bc * half, bd * half],
        2 => [ac * half, bc * half, twice * 0.5, cd * half],
        _ => [ad * half, bd * half, cd * half, twice * 0.5],
    };
    if a < 0.0 { [-b, -c, -d] } else { [b, c, d] }
}

/// Writes the header and then what `voxels` writes.
fn write_file(path: &Path, header: &NiftiHeader, voxels: &dyn Fn(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    if bytes::ending(path) != "nii" {
        return Err(Error::parameter(format!("a NIfTI file ends in .nii or .nii.gz: {}", path.display())));
    }
    let mut start = Vec::with_capacity(VOX_OFFSET);
    put_header(header, &mut start);
    start.extend_from_slice(&[0; 4]);
    let is_gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    write_atomic(path, |w| {
        let written = if is_gzip {
            let mut file = start;
            voxels(&mut file).and_then(|()| bytes::write_gzip(&file, w))
        } else {
            w.write_all(&start).and_then(|()| voxels(w))
        };
        written.map_err(|e| Error::io("writing", e, path))
    })
}

/// The 348 bytes in little-endian order, field by field as in `nifti1.h`.
fn put_header(h: &NiftiHeader, out: &mut Vec<u8>) {
    let f32s = |out: &mut Vec<u8>, values: &[f32]| out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    let i16s = |out: &mut Vec<u8>, values: &[i16]| out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out.extend(h.sizeof_hdr.to_le_bytes());
    out.extend(h.data_type);
    out.extend(h.db_name);
    out.extend(h.extents.to_le_bytes());
    i16s(out, &[h.session_error]);
    out.extend([h.regular, h.dim_info]);
    out.extend(h.dim.iter().flat_map(|v| v.to_le_bytes()));
    f32s(out, &[h.intent_p1, h.intent_p2, h.intent_p3]);
    i16s(out, &[h.intent_code, h.datatype, h.bitpix, h.slice_start]);
    f32s(out, &h.pixdim);
    f32s(out, &[h.vox_offset, h.scl_slope, h.scl_inter]);
    i16s(out, &[h.slice_end]);
    out.extend([h.slice_code, h.xyzt_units]);
    f32s(out, &[h.cal_max, h.cal_min, h.slice_duration, h.toffset]);
    out.extend([h.glmax, h.glmin].iter().flat_map(|v| v.to_le_bytes()));
    out.extend(h.descrip.iter().copied().chain(std::iter::repeat(0)).take(80));
    out.extend(h.aux_file);
    i16s(out, &[h.qform_code, h.sform_code]);
    f32s(out, &[h.quatern_b, h.quatern_c, h.quatern_d, h.quatern_x, h.quatern_y, h.quatern_z]);
    f32s(out, &[h.srow_x, h.srow_y, h.srow_z].concat());
    out.extend(h.intent_name);
    out.extend(h.magic);
}
