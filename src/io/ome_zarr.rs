//! Pictures in Zarr stores: levels, axes, units, channels with their colors.
//! Format: OME-NGFF 0.4 (attributes at the top) and 0.5 (under `ome`). Depths and times but the first are not shown.

use super::stored::Stored;
use super::tiff::pixels::{Channel, Meaning, Raster, Samples, add_light, colors, of_light};
use super::tiff::size::um_of;
use super::zarr::Zarr;
use super::{Content, Found, Reading, summary};
use crate::base::{Error, Result};
use crate::model::{Picture, PictureLevel, PixelSize, Section};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Bytes that a pixel takes on its way to the screen: a sample, light of three colors, and RGBA.
const BYTES_PER_PIXEL: u64 = 4 + 12 + 4;
/// Levels narrower than this add nothing.
const LEAST_LEVEL_PX: u64 = 32;
const MOST_CHANNELS: u64 = 64;

/// The attributes of a picture: at the top, or under `ome`; of the first picture where a file holds several.
fn attributes(store: &Zarr) -> Option<(String, Value)> {
    ["", "0"].iter().find_map(|at| {
        let all = store.attributes(at);
        let ome = all.get("ome").cloned().unwrap_or(all);
        ome.get("multiscales")?.get(0)?;
        Some(((*at).to_owned(), ome))
    })
}

/// Whether a store holds a picture.
pub(super) fn is_picture(store: &Zarr) -> bool {
    attributes(store).is_some()
}

/// A resolution of the picture.
struct Level {
    path: String,
    size: [u64; 2],
    /// Full-resolution pixels per pixel, and where the first one lies.
    scale: f64,
    offset: f64,
}

/// What the attributes tell.
struct Told {
    levels: Vec<Level>,
    /// Where the axes x, y, c are.
    axes: [Option<usize>; 3],
    n_channels: u64,
    um_per_px: Option<[f64; 2]>,
    channels: Vec<(String, Option<[u8; 3]>)>,
    windows: Vec<Option<[f32; 2]>>,
    n_hidden: u64,
}

/// Reads the picture as a section without spots.
pub(super) fn read(store: &Zarr, folder: &Path, reading: &mut Reading) -> Result<Found> {
    let (at, ome) = attributes(store).ok_or_else(|| Error::malformed("this Zarr store has no multiscales"))?;
    let told = told(store, &at, &ome)?;
    let full = told.levels.first().map_or([0, 0], |l| l.size);
    let kept = within(&told.levels, folder, reading)?;
    let mut mixed: Option<Vec<Channel>> = None;
    let mut levels = Vec::new();
    // The coarsest level first: what is stretched is measured there, and all levels look the same.
    for (k, level) in kept.iter().rev().enumerate() {
        reading.progress.step(k as f64 / kept.len() as f64, "reading picture")?;
        let rgba = rgba(store, &told, level, &mut mixed, reading)?;
        levels.push(PictureLevel {
            width: level.size[0] as usize,
            height: level.size[1] as usize,
            rgba: rgba.into(),
            scale: level.scale,
            offset: level.offset,
            name: if level.scale == 1.0 { "full".into() } else { format!("1 : {}", summary::short(level.scale)) },
        });
    }
    levels.reverse();
    tell(&told, mixed.as_deref(), folder, reading);
    let pixel_size = match told.um_per_px {
        Some([x, _]) => PixelSize::Known { um_per_px: x, source: "OME-Zarr axes".into() },
        None => PixelSize::Unknown,
    };
    let name = folder.file_stem().map_or_else(|| "picture".into(), |s| s.to_string_lossy().into_owned());
    let name = name.strip_suffix(".ome").unwrap_or(&name).to_owned();
    let picture = Picture { levels, full_size: full.map(|n| n as f64) };
    let content = Content::Section(Section { name, picture: Some(Arc::new(picture)), pixel_size, spots: None, expression: None });
    Ok(Found::alone(content, folder))
}

fn told(store: &Zarr, at: &str, ome: &Value) -> Result<Told> {
    let scales = ome.get("multiscales").and_then(|m| m.get(0)).unwrap_or(&Value::Null);
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let declared = list(scales.get("axes"));
    let name = |a: &Value| a.get("name").or(Some(a)).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut names: Vec<String> = declared.iter().map(name).collect();
    if names.is_empty() {
        names = ["t", "c", "z", "y", "x"].map(str::to_owned).to_vec();
    }
    let find = |axis: &str| names.iter().position(|n| n.eq_ignore_ascii_case(axis));
    let axes = [find("x"), find("y"), find("c")];
    let [Some(x), Some(y), c] = axes else {
        return Err(Error::unsupported(format!("a picture with the axes {} has no x and y", names.join(", "))));
    };
    let whole = transform(&list(scales.get("coordinateTransformations")), names.len());
    let mut levels = Vec::new();
    let mut first: Option<([f64; 2], [f64; 2])> = None;
    let mut shape_0 = Vec::new();
    for set in list(scales.get("datasets")) {
        let Some(path) = set.get("path").and_then(Value::as_str) else { continue };
        let path = if at.is_empty() { path.to_owned() } else { format!("{at}/{path}") };
        let shape = store.shape(&path)?;
        if shape.len() != names.len() || shape.contains(&0) {
            return Err(Error::malformed(format!("the level {path} is {shape:?}, but the axes are {}", names.join(", "))));
        }
        let own = transform(&list(set.get("coordinateTransformations")), names.len());
        let scale = [own.0[x] * whole.0[x], own.0[y] * whole.0[y]];
        let shift = own.1.as_ref().map_or([f64::NAN; 2], |t| [t[x] * whole.0[x], t[y] * whole.0[y]]);
        let (full, start) = *first.get_or_insert((scale, shift));
        if levels.is_empty() {
            shape_0.clone_from(&shape);
        }
        // Levels without a scale of their own tell it by their size.
        let by_size = shape_0[x] as f64 / shape[x] as f64;
        let told = scale[0] / full[0];
        let ratio = if told > 1.0 || levels.is_empty() { told } else { by_size.round().max(1.0) };
        // Without a place of its own, a pixel is the mean of a block, whose middle lies between pixels.
        let offset = if shift[0].is_finite() && start[0].is_finite() && !levels.is_empty() {
            (shift[0] - start[0]) / full[0]
        } else {
            (ratio - 1.0) / 2.0
        };
        levels.push(Level { path, size: [shape[x], shape[y]], scale: ratio, offset });
    }
    let Some((full, _)) = first else { return Err(Error::malformed("the multiscales list no level; write the picture again")) };
    let unit = |axis: usize| declared.get(axis).and_then(|a| a.get("unit")).and_then(Value::as_str).and_then(um_of);
    let um_per_px = unit(x).zip(unit(y)).map(|(ux, uy)| [full[0] * ux, full[1] * uy]);
    let um_per_px = um_per_px.filter(|um| um.iter().all(|v| v.is_finite() && *v > 0.0));
    let n_channels = c.map_or(1, |c| shape_0[c]);
    let n_hidden =
        shape_0.iter().enumerate().filter(|(a, _)| ![Some(x), Some(y), c].contains(&Some(*a))).map(|(_, n)| n).product::<u64>()
            - 1;
    let known = list(ome.get("omero").and_then(|o| o.get("channels")));
    let channels = known.iter().map(|k| (label(k), color(k))).collect();
    let windows = known.iter().map(window).collect();
    Ok(Told { levels, axes, n_channels, um_per_px, channels, windows, n_hidden })
}

/// Scale, and shift where there is one, of a list of transformations.
fn transform(list: &[Value], n: usize) -> (Vec<f64>, Option<Vec<f64>>) {
    let (mut scale, mut shift) = (vec![1.0; n], None);
    let numbers = |v: &Value, key: &str| -> Option<Vec<f64>> {
        let numbers: Option<Vec<f64>> = v.get(key)?.as_array()?.iter().map(Value::as_f64).collect();
        numbers.filter(|v| v.len() == n && v.iter().all(|x| x.is_finite()))
    };
    for one in list {
        if let Some(by) = numbers(one, "scale").filter(|s| s.iter().all(|v| *v > 0.0)) {
            scale = by;
        }
        shift = numbers(one, "translation").or(shift);
    }
    (scale, shift)
}

fn label(channel: &Value) -> String {
    match channel.get("label") {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ => String::new(),
    }
}

fn color(channel: &Value) -> Option<[u8; 3]> {
    let code = channel.get("color")?.as_str()?.trim_start_matches('#');
    let rgb = u32::from_str_radix(code.get(..6)?, 16).ok()?;
    let [_, r, g, b] = rgb.to_be_bytes();
    Some([r, g, b])
}

fn window(channel: &Value) -> Option<[f32; 2]> {
    let window = channel.get("window")?;
    let bound = |key: &str| window.get(key).and_then(Value::as_f64).map(|v| v as f32);
    let (low, high) = (bound("start")?, bound("end")?);
    (high > low).then_some([low, high])
}

/// The levels that fit into memory, finest first.
fn within<'a>(levels: &'a [Level], folder: &Path, reading: &mut Reading) -> Result<Vec<&'a Level>> {
    let budget = reading.limits.max_bytes / 2;
    let needed = |l: &Level| l.size[0].saturating_mul(l.size[1]).saturating_mul(BYTES_PER_PIXEL);
    let Some(finest) = levels.iter().position(|l| needed(l) <= budget) else {
        let least = levels.iter().map(needed).min().unwrap_or(u64::MAX);
        let (needed_bytes, limit_bytes) = (least.saturating_mul(2), reading.limits.max_bytes);
        return Err(Error::TooLarge { what: "the picture".into(), needed_bytes, limit_bytes, path: None });
    };
    if finest > 0 {
        let ([w, h], [used_w, used_h]) = (levels[0].size, levels[finest].size);
        let text = format!(
            "the full resolution of {w}×{h} pixels is beyond the memory limit; its copy of {used_w}×{used_h} pixels is shown. Raise the limit with --max-memory"
        );
        reading.warnings.warn("coarser-level", text, Some(folder));
    }
    let mut left = budget;
    let mut kept = Vec::new();
    for (k, level) in levels.iter().enumerate().skip(finest) {
        let small = k > finest && level.size[0].max(level.size[1]) < LEAST_LEVEL_PX;
        if needed(level) <= left && !small {
            left -= needed(level);
            kept.push(level);
        }
    }
    Ok(kept)
}

/// Whether the channels are the red, green and blue of one picture.
fn is_rgb(told: &Told, number: super::numbers::NumberType) -> bool {
    let pure = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let named = |k: usize, c: &Option<[u8; 3]>| c.is_none_or(|c| c == pure[k]);
    let are_primary = told.channels.iter().take(3).enumerate().all(|(k, (_, c))| named(k, c));
    (3..=4).contains(&told.n_channels) && number.size == 1 && are_primary
}

fn rgba(store: &Zarr, told: &Told, level: &Level, mixed: &mut Option<Vec<Channel>>, reading: &Reading) -> Result<Vec<u8>> {
    let [w, h] = level.size;
    reading.limits.check("the picture", &[w, h], BYTES_PER_PIXEL)?;
    let n = told.n_channels.min(MOST_CHANNELS);
    let plane = |c: u64| -> Result<Raster> {
        let (number, bytes) = plane_of(store, told, level, c)?;
        let values = if number.size == 1 && number.class == super::numbers::Class::Unsigned {
            Samples::U8(bytes)
        } else {
            Samples::F32(number.f32s(&bytes))
        };
        Ok(Raster { n_samples: 1, meaning: Meaning::Gray, values })
    };
    let number = store.number_type(&level.path)?;
    if is_rgb(told, number) {
        let planes = (0..3).map(plane).collect::<Result<Vec<_>>>()?;
        let value = |c: usize, i: usize| planes[c].values.value(i) as u8;
        return Ok((0..(w * h) as usize).flat_map(|i| [value(0, i), value(1, i), value(2, i), 255]).collect());
    }
    if n == 1 && number.size == 1 {
        return Ok(colors(&plane(0)?, None));
    }
    let mut light = vec![0.0; (w * h * 3) as usize];
    let mut made = Vec::new();
    for c in 0..n {
        reading.progress.step(0.5, "mixing channels")?;
        let raster = plane(c)?;
        let channel = match mixed.as_ref().and_then(|m| m.get(c as usize)) {
            Some(known) => known.clone(),
            None => channel(told, &raster, c as usize),
        };
        add_light(&mut light, &raster, 0, &channel);
        made.push(channel);
    }
    mixed.get_or_insert(made);
    Ok(of_light(&light))
}

fn channel(told: &Told, raster: &Raster, c: usize) -> Channel {
    let mut made = Channel::of(raster, 0, c, told.channels.get(c));
    if told.n_channels == 1 && told.channels.first().is_none_or(|k| k.1.is_none()) {
        made.color = [1.0; 3];
    }
    if let Some(Some([black, full])) = told.windows.get(c) {
        (made.black, made.full) = (*black, *full);
    }
    made
}

/// Numbers of one channel at the first depth and time, row by row.
fn plane_of(store: &Zarr, told: &Told, level: &Level, c: u64) -> Result<(super::numbers::NumberType, Vec<u8>)> {
    let shape = store.shape(&level.path)?;
    let [Some(x), Some(y), channel] = told.axes else { return Err(Error::malformed("a picture without x and y")) };
    let (mut from, mut size) = (vec![0; shape.len()], vec![1; shape.len()]);
    (size[x], size[y]) = (shape[x], shape[y]);
    if let Some(axis) = channel {
        from[axis] = c;
    }
    let (number, bytes) = store.piece(&level.path, &from, &size)?;
    if y < x {
        return Ok((number, bytes));
    }
    // Columns before rows: turned around.
    let (w, h, n) = (shape[x] as usize, shape[y] as usize, number.size);
    let turned = (0..h).flat_map(|r| (0..w).map(move |col| (col * h + r) * n)).flat_map(|at| bytes[at..at + n].to_vec());
    Ok((number, turned.collect()))
}

fn tell(told: &Told, mixed: Option<&[Channel]>, folder: &Path, reading: &mut Reading) {
    if let Some(channels) = mixed {
        let one = |c: &Channel| format!("{} {:.0}–{:.0}", c.name, c.black, c.full);
        let list = channels.iter().map(one).collect::<Vec<_>>().join(", ");
        let text = format!("{} channels are mixed to one picture, stretched from black to full: {list}", channels.len());
        reading.warnings.note("channels-mixed", text, Some(folder));
    }
    if told.n_hidden > 0 {
        let text = format!("{} further depths or times are not shown", told.n_hidden);
        reading.warnings.note("pages-not-shown", text, Some(folder));
    }
    if told.n_channels > MOST_CHANNELS {
        let text = format!("{} channels; the first {MOST_CHANNELS} are shown", told.n_channels);
        reading.warnings.warn("channels-not-shown", text, Some(folder));
    }
    match told.um_per_px {
        None => {
            let text =
                "the picture does not tell the size of a pixel on the tissue; distances are in pixels until it is typed in";
            reading.warnings.note("unit-unknown", text, Some(folder));
        }
        Some([x, y]) if (x / y - 1.0).abs() > 0.005 => {
            let text = format!("pixels are {x:.4} µm wide and {y:.4} µm high; they are shown square, {x:.4} µm");
            reading.warnings.warn("pixels-not-square", text, Some(folder));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run, shared};
    use super::super::zarr::tests::golden;
    use super::*;
    use crate::base::Limits;

    fn open(folder: &Path, max_bytes: u64) -> (Section, Vec<&'static str>) {
        let (found, warnings) = run(|r| {
            r.limits = Limits { max_bytes };
            read(&Zarr::open(folder, r.limits)?, folder, r)
        });
        let Content::Section(section) = found.unwrap().content else { panic!() };
        (section, codes(&warnings))
    }

    #[test]
    fn both_versions_give_levels_units_and_channels() {
        for version in ["0.4", "0.5"] {
            let folder = golden(&format!("picture_{version}.ome.zarr.zip"));
            let (section, said) = open(folder.path(), 1 << 30);
            assert_eq!(said, ["channels-mixed"], "{version}");
            assert!((section.mm_per_px() - 0.5e-3).abs() < 1e-12);
            let picture = section.picture.unwrap();
            let shape: Vec<_> = picture.levels.iter().map(|l| (l.width, l.height, l.scale, l.offset)).collect();
            assert_eq!(shape, [(128, 96, 1.0, 0.0), (64, 48, 2.0, 0.5)], "{version}");
            // Column 100, row 20: 1400 of 4000 in blue, 2600 in green.
            let at = (20 * 128 + 100) * 4;
            assert_eq!(picture.levels[0].rgba[at..at + 4], [0, 166, 89, 255], "{version}");
            // The memory for the full resolution is not there.
            let (small, said) = open(folder.path(), 300_000);
            assert_eq!((small.picture.unwrap().levels[0].width, said[0]), (64, "coarser-level"));
        }
    }

    #[test]
    fn a_picture_without_units_or_colors() {
        let Some(folder) = shared("h5ad-zarr-formats/viv/ome-zarr/blobs_image_v04.ome.zarr") else { return };
        let (section, said) = open(&folder, 1 << 30);
        assert_eq!((section.has_unit(), said), (false, vec!["channels-mixed", "unit-unknown"]));
        assert_eq!(section.picture.unwrap().full_size, [12.0, 12.0]);
    }
}
