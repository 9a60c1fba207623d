//! Pictures in their native numbers, as they are resampled: PNG, JPEG and TIFF in and out. Colors are not
//! touched: 16 bits stay 16 bits, gray stays gray.

use super::bytes;
use crate::base::{Error, Limits, Result};
use crate::model::{Raster, Samples};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageReader};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::encoder::{TiffEncoder, colortype};

/// Largest quality of a JPEG, of 100.
const JPEG_QUALITY: u8 = 95;

/// Reads a picture; its format is recognized by content.
pub fn read_raster(path: &Path, limits: &Limits) -> Result<Raster> {
    parse_raster(&bytes::read_file(path, limits)?, limits).map_err(|e| e.at(path))
}

/// A picture from the bytes of a file. Palettes become colors; of a TIFF with several pictures the first
/// is taken. The size is checked before pixels are unpacked.
pub fn parse_raster(data: &[u8], limits: &Limits) -> Result<Raster> {
    let decode = || if is_tiff(data) { of_tiff(data, limits) } else { of_png_or_jpeg(data, limits) };
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(damaged(&"the decoder failed")))
}

/// Columns and rows of a picture; its pixels are not unpacked.
pub fn raster_size(path: &Path, limits: &Limits) -> Result<[usize; 2]> {
    let data = bytes::read_file(path, limits)?;
    let size = || {
        if is_tiff(&data) {
            let mut decoder = Decoder::new(Cursor::new(&data)).map_err(|e| damaged(&e))?;
            return decoder.dimensions().map_err(|e| damaged(&e));
        }
        let reader = ImageReader::new(Cursor::new(&data)).with_guessed_format().map_err(|e| damaged(&e))?;
        reader.into_dimensions().map_err(|e| damaged(&e))
    };
    let read = catch_unwind(AssertUnwindSafe(size)).unwrap_or_else(|_| Err(damaged(&"the decoder failed")));
    let (width, height) = read.map_err(|e| e.at(path))?;
    limits.check("the picture", &[u64::from(width), u64::from(height)], 16).map_err(|e| e.at(path))?;
    Ok([width as usize, height as usize])
}

fn is_tiff(data: &[u8]) -> bool {
    matches!(data.get(..4), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
}

fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::malformed(format!("this is not a readable PNG, JPEG or TIFF ({why}); save the picture again"))
}

fn of_png_or_jpeg(data: &[u8], limits: &Limits) -> Result<Raster> {
    let reader = || ImageReader::new(Cursor::new(data)).with_guessed_format().map_err(|e| damaged(&e));
    let (width, height) = reader()?.into_dimensions().map_err(|e| damaged(&e))?;
    limits.check("the picture", &[u64::from(width), u64::from(height)], 16)?;
    let mut reader = reader()?;
    let mut bound = image::Limits::default();
    bound.max_alloc = Some(limits.max_bytes);
    reader.limits(bound);
    let picture = reader.decode().map_err(|e| damaged(&e))?;
    let channels = usize::from(picture.color().channel_count());
    let samples = match picture {
        DynamicImage::ImageLuma8(p) => Samples::U8(p.into_raw().into()),
        DynamicImage::ImageLumaA8(p) => Samples::U8(p.into_raw().into()),
        DynamicImage::ImageRgb8(p) => Samples::U8(p.into_raw().into()),
        DynamicImage::ImageRgba8(p) => Samples::U8(p.into_raw().into()),
        DynamicImage::ImageLuma16(p) => Samples::U16(p.into_raw().into()),
        DynamicImage::ImageLumaA16(p) => Samples::U16(p.into_raw().into()),
        DynamicImage::ImageRgb16(p) => Samples::U16(p.into_raw().into()),
        DynamicImage::ImageRgba16(p) => Samples::U16(p.into_raw().into()),
        other => return Err(Error::unsupported(format!("pixels of the kind {:?} are not known here", other.color()))),
    };
    Raster::new(width as usize, height as usize, channels, samples)
}

fn of_tiff(data: &[u8], limits: &Limits) -> Result<Raster> {
    let mut bound = tiff::decoder::Limits::default();
    let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
    (bound.decoding_buffer_size, bound.intermediate_buffer_size) = (most, most);
    bound.ifd_value_size = bound.ifd_value_size.min(most);
    let mut decoder = Decoder::new(Cursor::new(data)).map_err(|e| damaged(&e))?.with_limits(bound);
    let (width, height) = decoder.dimensions().map_err(|e| damaged(&e))?;
    limits.check("the picture", &[u64::from(width), u64::from(height)], 16)?;
    let kind = decoder.colortype().map_err(|e| damaged(&e))?;
    let channels = match kind {
        tiff::ColorType::Gray(_) => 1,
        tiff::ColorType::GrayA(_) => 2,
        tiff::ColorType::RGB(_) => 3,
        tiff::ColorType::RGBA(_) => 4,
        other => {
            let what = format!("a TIFF of the kind {other:?} cannot be resampled here; save it as gray or RGB");
            return Err(Error::unsupported(what));
        }
    };
    let samples = match decoder.read_image().map_err(|e| damaged(&e))? {
        DecodingResult::U8(v) => Samples::U8(v.into()),
        DecodingResult::U16(v) => Samples::U16(v.into()),
        DecodingResult::I16(v) => Samples::I16(v.into()),
        DecodingResult::F32(v) => Samples::F32(v.into()),
        _ => {
            return Err(Error::unsupported(format!(
                "pixels of the kind {kind:?} are not known here; save them with 8 or 16 bits"
            )));
        }
    };
    Raster::new(width as usize, height as usize, channels, samples)
}

/// Writes a picture atomically as its ending says: `.tif` and `.tiff` (uncompressed, every type), `.png`
/// (8 and 16 bits), `.jpg` (8 bits, no alpha). The same pixels give the same bytes.
pub fn write_raster(path: &Path, raster: &Raster) -> Result<()> {
    let data = match bytes::ending(path).as_str() {
        "tif" | "tiff" => to_tiff(raster),
        "png" => to_png(raster),
        "jpg" | "jpeg" => to_jpeg(raster),
        other => Err(Error::parameter(format!("a picture cannot be written as {other:?}; use .tif, .png or .jpg"))),
    };
    bytes::write_bytes(path, &data.map_err(|e| e.at(path))?)
}

fn unfit(raster: &Raster, format: &str) -> Error {
    let channels = raster.channels;
    Error::unsupported(format!("{channels} channels of {} do not fit into a {format}; write a .tif", raster.type_name()))
}

fn size_of(raster: &Raster) -> Result<(u32, u32)> {
    let side = |n: usize| u32::try_from(n).map_err(|_| Error::unsupported(format!("a side of {n} pixels is too long")));
    Ok((side(raster.width)?, side(raster.height)?))
}

fn to_png(raster: &Raster) -> Result<Vec<u8>> {
    let ((w, h), is_wide) = (size_of(raster)?, matches!(raster.samples, Samples::U16(_)));
    let kind = match (raster.channels, is_wide) {
        (1, false) => ExtendedColorType::L8,
        (2, false) => ExtendedColorType::La8,
        (3, false) => ExtendedColorType::Rgb8,
        (4, false) => ExtendedColorType::Rgba8,
        (1, true) => ExtendedColorType::L16,
        (2, true) => ExtendedColorType::La16,
        (3, true) => ExtendedColorType::Rgb16,
        _ => ExtendedColorType::Rgba16,
    };
    let data: Vec<u8> = match &raster.samples {
        Samples::U8(v) => v.to_vec(),
        // The encoder takes the machine's byte order.
        Samples::U16(v) => v.iter().flat_map(|v| v.to_ne_bytes()).collect(),
        _ => return Err(unfit(raster, "PNG")),
    };
    let mut out = Vec::new();
    let failed = |e: image::ImageError| Error::unsupported(format!("cannot write a PNG of {w}×{h} pixels ({e})"));
    image::codecs::png::PngEncoder::new(&mut out).write_image(&data, w, h, kind).map_err(failed)?;
    Ok(out)
}

fn to_jpeg(raster: &Raster) -> Result<Vec<u8>> {
    let (w, h) = size_of(raster)?;
    let (Samples::U8(values), Some(kind)) = (
        &raster.samples,
        [(1, ExtendedColorType::L8), (3, ExtendedColorType::Rgb8)].into_iter().find(|k| k.0 == raster.channels),
    ) else {
        return Err(unfit(raster, "JPEG"));
    };
    let mut out = Vec::new();
    let failed = |e: image::ImageError| Error::unsupported(format!("cannot write a JPEG of {w}×{h} pixels ({e})"));
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY);
    encoder.write_image(values, w, h, kind.1).map_err(failed)?;
    Ok(out)
}

fn to_tiff(raster: &Raster) -> Result<Vec<u8>> {
    let (w, h) = size_of(raster)?;
    let mut out = Cursor::new(Vec::new());
    let failed = |e: tiff::TiffError| Error::unsupported(format!("cannot write a TIFF of {w}×{h} pixels ({e})"));
    let mut encoder = TiffEncoder::new(&mut out).map_err(failed)?;
    let written = match (&raster.samples, raster.channels) {
        (Samples::U8(v), 1) => encoder.write_image::<colortype::Gray8>(w, h, v),
        (Samples::U8(v), 3) => encoder.write_image::<colortype::RGB8>(w, h, v),
        (Samples::U8(v), 4) => encoder.write_image::<colortype::RGBA8>(w, h, v),
        (Samples::U16(v), 1) => encoder.write_image::<colortype::Gray16>(w, h, v),
        (Samples::U16(v), 3) => encoder.write_image::<colortype::RGB16>(w, h, v),
        (Samples::U16(v), 4) => encoder.write_image::<colortype::RGBA16>(w, h, v),
        (Samples::I16(v), 1) => encoder.write_image::<colortype::GrayI16>(w, h, v),
        (Samples::F32(v), 1) => encoder.write_image::<colortype::Gray32Float>(w, h, v),
        (Samples::F32(v), 3) => encoder.write_image::<colortype::RGB32Float>(w, h, v),
        (Samples::F32(v), 4) => encoder.write_image::<colortype::RGBA32Float>(w, h, v),
        _ => return Err(unfit(raster, "TIFF")),
    };
    written.map_err(failed)?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = |n: usize| (0..n).map(|i| (i * 37 % 251) as u8).collect::<Vec<u8>>();
        let n = 5 * 3;
        for channels in [1, 3, 4] {
            let v = numbers(n * channels);
            let kinds = [
                Samples::U8(v.clone().into()),
                Samples::U16(v.iter().map(|v| u16::from(*v) * 257).collect()),
                Samples::F32(v.iter().map(|v| f32::from(*v) / 7.0).collect()),
            ];
            for samples in kinds {
                let raster = Raster::new(5, 3, channels, samples).unwrap();
                for ending in ["tif", "png"] {
                    let path = folder.path().join(format!("a.{ending}"));
                    if ending == "png" && raster.type_name() == "float32" {
                        assert!(write_raster(&path, &raster).unwrap_err().to_string().contains("write a .tif"));
                        continue;
                    }
                    write_raster(&path, &raster).unwrap();
                    assert_eq!(read_raster(&path, &Limits::default()).unwrap(), raster, "{ending}");
                }
            }
        }
        let gray = Raster::new(5, 3, 1, Samples::U8(vec![90; n].into())).unwrap();
        write_raster(&folder.path().join("a.jpg"), &gray).unwrap();
        let back = read_raster(&folder.path().join("a.jpg"), &Limits::default()).unwrap();
        assert_eq!((back.width, back.channels), (5, 1));
        assert!(write_raster(&folder.path().join("a.bmp"), &gray).is_err());
    }

    #[test]
    fn damage_and_size_are_named() {
        let raster = Raster::new(50, 30, 1, Samples::U8(vec![7; 1500].into())).unwrap();
        for data in [to_tiff(&raster).unwrap(), to_png(&raster).unwrap()] {
            assert!(matches!(parse_raster(&data[..40], &Limits::default()), Err(Error::Malformed { .. })));
            assert!(matches!(parse_raster(&data, &Limits { max_bytes: 1000 }), Err(Error::TooLarge { .. })));
        }
        assert!(matches!(parse_raster(b"II*\0", &Limits::default()), Err(Error::Malformed { .. })));
    }
}
