//! `scalefactors_json.json`, and the pictures that its factors place on the full-resolution pixels.

use crate::base::{Error, Result, Warnings};
use crate::model::{Picture, PictureLevel};
use std::path::Path;

/// Scale factors of a Visium folder; all finite and positive.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// Pixels of the hires picture per full-resolution pixel.
    pub hires: Option<f64>,
    /// The same for the lowres picture.
    pub lowres: Option<f64>,
    /// Drawn diameter of a spot in full-resolution pixels; stands for 65 µm.
    pub spot_diameter_px: Option<f64>,
    /// Diameter of a fiducial in full-resolution pixels; stands for 105 µm.
    pub fiducial_diameter_px: Option<f64>,
    /// Size of a full-resolution pixel, where it is stated.
    pub um_per_px: Option<f64>,
}

impl Scale {
    /// From a lookup by the names in the file.
    pub(crate) fn from_keys(value: impl Fn(&str) -> Option<f64>) -> Self {
        Self {
            hires: value("tissue_hires_scalef"),
            lowres: value("tissue_lowres_scalef"),
            spot_diameter_px: value("spot_diameter_fullres"),
            fiducial_diameter_px: value("fiducial_diameter_fullres"),
            um_per_px: value("microns_per_pixel"),
        }
    }
}

/// Reads the bytes of `scalefactors_json.json`. Numbers must be finite and positive; missing ones are `None`.
pub fn parse_scalefactors(bytes: &[u8]) -> Result<Scale> {
    let json: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|e| Error::malformed(format!("these are not scale factors in JSON ({e}); copy the file again")))?;
    let Some(object) = json.as_object() else {
        return Err(Error::malformed("the scale factors are not a JSON object; copy the file again"));
    };
    let scale = Scale::from_keys(|key| object.get(key).and_then(serde_json::Value::as_f64));
    let all = [scale.hires, scale.lowres, scale.spot_diameter_px, scale.fiducial_diameter_px, scale.um_per_px];
    if let Some(bad) = all.into_iter().flatten().find(|v| !v.is_finite() || *v <= 0.0 || *v > 1e9) {
        return Err(Error::malformed(format!("a scale factor is {bad}, expected a positive number; export the folder again")));
    }
    Ok(scale)
}

/// Collects the pictures of a section, finest first; blank ones are left out.
#[derive(Debug, Default)]
pub(crate) struct Levels(Vec<PictureLevel>);

impl Levels {
    /// Adds a picture that has `factor` of its pixels per full-resolution pixel.
    pub fn add(&mut self, name: &str, picture: &Picture, factor: f64, (path, warnings): (&Path, &mut Warnings)) {
        let Some(level) = picture.levels.first() else { return };
        let mut pixels = level.rgba.chunks_exact(4);
        let first = pixels.next();
        if pixels.all(|p| Some(p) == first) {
            let text = format!("the {name} picture ({}×{}) is blank and is left out", level.width, level.height);
            warnings.note("blank-image", text, Some(path));
            return;
        }
        let level = PictureLevel { scale: 1.0 / factor, offset: 0.0, name: name.to_owned(), ..level.clone() };
        if let Some(finer) = self.0.first() {
            let ratio = (level.width as f64 * level.scale) / (finer.width as f64 * finer.scale);
            if (ratio - 1.0).abs() > 0.02 {
                let text = format!(
                    "by their scale factors, the pictures {} and {name} differ in width by {:.1} %; {} is trusted",
                    finer.name,
                    100.0 * (ratio - 1.0),
                    finer.name
                );
                warnings.warn("scale-disagrees", text, Some(path));
            }
        }
        self.0.push(level);
    }

    /// The pyramid, where there is any picture.
    pub fn finish(mut self) -> Option<Picture> {
        self.0.sort_by(|a, b| a.scale.total_cmp(&b.scale));
        let finest = self.0.first()?;
        let full_size = [finest.width as f64 * finest.scale, finest.height as f64 * finest.scale];
        Some(Picture { levels: self.0, full_size })
    }
}
