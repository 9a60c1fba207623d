//! Writes a section as a folder like those of Space Ranger, so that every tool for Visium opens it.

use crate::base::{Error, Result};
use crate::io::hdf5_build::write_whole;
use crate::io::picture::write_png;
use crate::io::tenx::build_10x;
use crate::model::{PictureLevel, PixelSize, Section};
use std::fmt::Write;
use std::path::Path;

/// Writes counts (`filtered_feature_bc_matrix.h5`), positions, scale factors and pictures. `array` has the
/// row and column of each spot on the slide. The two finest picture levels become hires and lowres; a
/// single level is made smaller for lowres. The same section gives the same bytes.
pub fn write_visium(folder: &Path, section: &Section, array: &[(u32, u32)]) -> Result<()> {
    let (Some(spots), Some(expression)) = (&section.spots, &section.expression) else {
        return Err(Error::parameter(format!("{} has no spots with counts, so it cannot be a Visium folder", section.name)));
    };
    let names = expression.observations();
    if array.len() != spots.px.len() || names.len() != spots.px.len() || spots.in_tissue.len() != spots.px.len() {
        return Err(Error::parameter(format!(
            "{} spots, {} observations and {} array places do not match",
            spots.px.len(),
            names.len(),
            array.len()
        )));
    }
    if let Some(bad) = names.iter().find(|n| n.is_empty() || n.contains([',', '"', '\n', '\r'])) {
        return Err(Error::parameter(format!("“{bad}” cannot be a barcode in a table of positions")));
    }
    let spatial = folder.join("spatial");
    std::fs::create_dir_all(&spatial).map_err(|e| Error::io("writing", e, &spatial))?;
    let totals = expression.totals();
    let keep: Vec<usize> = (0..names.len()).filter(|&i| spots.in_tissue[i] || totals[i] != 0.0).collect();
    write_whole(&folder.join("filtered_feature_bc_matrix.h5"), &build_10x(expression, &keep, &section.name)?)?;
    let mut table = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n".to_owned();
    for (i, p) in spots.px.iter().enumerate() {
        let (row, column) = array[i];
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{},{},{row},{column},{},{}", names[i], u8::from(spots.in_tissue[i]), p.y, p.x);
    }
    write_whole(&spatial.join("tissue_positions.csv"), table.as_bytes())?;
    let factors = pictures(&spatial, section)?;
    write_whole(&spatial.join("scalefactors_json.json"), scale_factors(section, &factors)?.as_bytes())
}

fn pictures(spatial: &Path, section: &Section) -> Result<Vec<(&'static str, f64)>> {
    let Some(picture) = &section.picture else { return Ok(Vec::new()) };
    let small: Vec<PictureLevel> = match &picture.levels[..] {
        [only] => vec![only.clone(), smaller(only)],
        levels => levels.iter().take(2).cloned().collect(),
    };
    let mut factors = Vec::new();
    for (level, (name, key)) in small.iter().zip([("hires", "tissue_hires_scalef"), ("lowres", "tissue_lowres_scalef")]) {
        write_png(&spatial.join(format!("tissue_{name}_image.png")), level.width, level.height, &level.rgba)?;
        factors.push((key, 1.0 / level.scale));
    }
    Ok(factors)
}

const LOWRES_PX: usize = 600;

/// Means over whole blocks of pixels, at most 600 pixels wide and high where the picture is larger.
fn smaller(level: &PictureLevel) -> PictureLevel {
    let block = level.width.max(level.height).div_ceil(LOWRES_PX).max(1);
    let (width, height) = ((level.width / block).max(1), (level.height / block).max(1));
    let mut rgba = Vec::with_capacity(width * height * 4);
    let at = |x: usize, y: usize, c: usize| {
        u64::from(level.rgba[(y.min(level.height - 1) * level.width + x.min(level.width - 1)) * 4 + c])
    };
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        for c in 0..4 {
            let inside = (0..block).flat_map(|dy| (0..block).map(move |dx| (dx, dy)));
            let sum: u64 = inside.map(|(dx, dy)| at(x * block + dx, y * block + dy, c)).sum();
            let n = (block * block) as u64;
            rgba.push(((sum + n / 2) / n) as u8);
        }
    }
    PictureLevel {
        width,
        height,
        rgba: rgba.into(),
        scale: level.scale * block as f64,
        offset: level.offset,
        name: "lowres".into(),
    }
}

fn scale_factors(section: &Section, factors: &[(&'static str, f64)]) -> Result<String> {
    let mut object = serde_json::Map::new();
    let drawn = section.spots.as_ref().map_or(0.0, |s| s.diameter_px * 65.0 / 55.0);
    let diameters = match &section.pixel_size {
        PixelSize::Known { um_per_px, .. } => {
            vec![
                ("spot_diameter_fullres", 65.0 / um_per_px),
                ("fiducial_diameter_fullres", 105.0 / um_per_px),
                ("microns_per_pixel", *um_per_px),
            ]
        }
        PixelSize::Unknown => vec![("spot_diameter_fullres", drawn), ("fiducial_diameter_fullres", drawn * 105.0 / 65.0)],
    };
    for (key, value) in diameters.into_iter().chain(factors.iter().copied()) {
        let number = serde_json::Number::from_f64(value);
        let number = number.ok_or_else(|| Error::parameter(format!("{key} would be {value}")))?;
        object.insert(key.into(), number.into());
    }
    serde_json::to_string_pretty(&object).map_err(|e| Error::parameter(e.to_string()))
}
