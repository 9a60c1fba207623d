//! PNG and JPEG in, PNG out.

use super::hdf5_build::write_whole;
use super::{Content, Found, Reading};
use crate::base::{Error, Limits, Result};
use crate::model::{Picture, PixelSize, Section};
use image::{ColorType, DynamicImage, ImageDecoder, ImageEncoder, ImageReader, ImageResult};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Reads a PNG or JPEG as a section with a picture and nothing else. Its pixel size is unknown
/// (note `unit-unknown`): the resolution in such files is that of a printer, not of a microscope.
pub fn read_picture(path: &Path, reading: &mut Reading) -> Result<Found> {
    reading.progress.step(0.0, "reading picture")?;
    let picture = load(path, reading.limits)?;
    let [width, height] = picture.full_size;
    let text = "a PNG or JPEG does not tell the size of a pixel; distances are in pixels until it is typed in";
    reading.warnings.note("unit-unknown", text, Some(path));
    let name = path.file_stem().map_or_else(|| "picture".into(), |s| s.to_string_lossy().into_owned());
    let section =
        Section { name, picture: Some(Arc::new(picture)), pixel_size: PixelSize::Unknown, spots: None, expression: None };
    Ok(Found {
        summary: format!("picture {width}×{height} pixels, pixel size unknown"),
        ..Found::alone(Content::Section(section), path)
    })
}

/// A picture file as one level at full resolution.
pub(crate) fn load(path: &Path, limits: Limits) -> Result<Picture> {
    let read = || {
        let file = File::open(path).map_err(|e| Error::io("reading", e, path))?;
        let size = file.metadata().map_err(|e| Error::io("reading", e, path))?.len();
        limits.check("the picture file", &[size], 1)?;
        decode(BufReader::new(file), limits)
    };
    read().map_err(|e| e.at(path))
}

/// Decodes PNG or JPEG bytes to RGBA at full resolution; the size is checked before pixels are unpacked.
pub fn decode_picture(bytes: &[u8], limits: Limits) -> Result<Picture> {
    decode(Cursor::new(bytes), limits)
}

fn decode(source: impl BufRead + Seek, limits: Limits) -> Result<Picture> {
    let damaged = |e: String| Error::malformed(format!("this is not a readable PNG or JPEG ({e}); save the picture again"));
    let decode = || -> Result<Picture> {
        let said = |e: image::ImageError| damaged(e.to_string());
        let mut reader = ImageReader::new(source).with_guessed_format().map_err(|e| damaged(e.to_string()))?;
        let mut bound = image::Limits::default();
        bound.max_alloc = Some(limits.max_bytes);
        reader.limits(bound);
        let decoder = reader.into_decoder().map_err(said)?;
        let (width, height) = decoder.dimensions();
        limits.check("the picture", &[u64::from(width), u64::from(height)], 12)?;
        let (width, height) = (width as usize, height as usize);
        let rgba = match decoder.color_type() {
            ColorType::L8 => in_place::<1>(decoder, |[l]| [l, l, l, 255]),
            ColorType::La8 => in_place::<2>(decoder, |[l, a]| [l, l, l, a]),
            ColorType::Rgb8 => in_place::<3>(decoder, |[r, g, b]| [r, g, b, 255]),
            ColorType::Rgba8 => in_place::<4>(decoder, |p| p),
            _ => DynamicImage::from_decoder(decoder).map(|image| image.into_rgba8().into_raw().into()),
        };
        Picture::shared(width, height, rgba.map_err(said)?)
    };
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(damaged("the decoder failed".into())))
}

/// Decodes 8-bit pixels of `N` channels into the end of the RGBA pixels and spreads them from the front: a pixel
/// is written at 4 i, never beyond where the next is read, at 4 n − N (n − i − 1).
fn in_place<const N: usize>(decoder: impl ImageDecoder, rgba_of: impl Fn([u8; N]) -> [u8; 4]) -> ImageResult<Arc<[u8]>> {
    let (width, height) = decoder.dimensions();
    let n = width as usize * height as usize;
    let mut rgba: Arc<[u8]> = std::iter::repeat_n(0, 4 * n).collect();
    let bytes = Arc::make_mut(&mut rgba);
    let start = (4 - N) * n;
    decoder.read_image(&mut bytes[start..])?;
    for i in 0..n {
        let from = start + N * i;
        let pixel: [u8; N] = std::array::from_fn(|k| bytes[from + k]);
        bytes[4 * i..4 * i + 4].copy_from_slice(&rgba_of(pixel));
    }
    Ok(rgba)
}

/// PNG bytes of RGBA pixels, row by row; the same pixels give the same bytes.
pub fn encode_png(width: usize, height: usize, rgba: &[u8]) -> Result<Vec<u8>> {
    let n_bytes = width.checked_mul(height).and_then(|n| n.checked_mul(4));
    let (Ok(w), Ok(h), true) = (u32::try_from(width), u32::try_from(height), n_bytes == Some(rgba.len())) else {
        return Err(Error::parameter(format!("{} bytes for a picture of {width}×{height} RGBA pixels", rgba.len())));
    };
    let mut out = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut out);
    let failed = |e: image::ImageError| Error::parameter(format!("cannot write a PNG of {width}×{height} pixels ({e})"));
    encoder.write_image(rgba, w, h, image::ExtendedColorType::Rgba8).map_err(failed)?;
    Ok(out)
}

/// Writes a PNG; the file appears whole or not at all.
pub fn write_png(path: &Path, width: usize, height: usize, rgba: &[u8]) -> Result<()> {
    write_whole(path, &encode_png(width, height, rgba)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_survives_and_damage_is_named() {
        let rgba: Vec<u8> = (0..5 * 3 * 4).map(|i| (i * 7) as u8).collect();
        let bytes = encode_png(5, 3, &rgba).unwrap();
        assert_eq!(bytes, encode_png(5, 3, &rgba).unwrap());
        let picture = decode_picture(&bytes, Limits::default()).unwrap();
        assert_eq!((picture.levels[0].width, picture.levels[0].height), (5, 3));
        assert_eq!(&picture.levels[0].rgba[..], &rgba[..]);
        assert!(matches!(decode_picture(&bytes[..30], Limits::default()), Err(Error::Malformed { .. })));
        assert!(matches!(decode_picture(&bytes, Limits { max_bytes: 100 }), Err(Error::TooLarge { .. })));
        assert!(encode_png(5, 4, &rgba).is_err());
    }
}
