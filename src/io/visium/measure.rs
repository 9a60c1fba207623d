//! Size of a pixel from the spots themselves: the pitch of the printed lattice is known, so the
//! lattice is the ruler; scale factors are only compared with it.

use super::Scale;
use crate::base::{Result, Warnings};
use crate::model::PixelSize;
use crate::space::{ArrayFit, DVec2, LatticeKind, fit_array, fit_lattice, visium_um};
use std::path::Path;

/// Diameters that `spot_diameter_fullres` and `fiducial_diameter_fullres` stand for, in µm.
const DRAWN_SPOT_UM: f64 = 65.0;
const FIDUCIAL_UM: f64 = 105.0;
/// Printed diameters in µm.
const VISIUM_SPOT_UM: f64 = 55.0;
const ST_SPOT_UM: f64 = 100.0;
const VISIUM_PITCH_UM: f64 = 100.0;
const ST_PITCH_UM: f64 = 200.0;
/// Largest number of spots on one array of each kind; more points are another technology.
const MOST_ST_SPOTS: usize = 2000;
const MOST_VISIUM_SPOTS: usize = 14_400;

/// Pixel size and spot diameter (px) of spots with optional array rows and columns and with names.
/// Says in `warnings` what was assumed.
pub(crate) fn measure(
    px: &[DVec2],
    (array, names): (Option<&[(f64, f64)]>, &[String]),
    scale: &Scale,
    (section, path): (&str, &Path),
    warnings: &mut Warnings,
) -> (PixelSize, f64) {
    if let Some(fit) = array.and_then(|a| visium(px, a).ok()) {
        compare(&fit, scale, (section, path), warnings);
        return lattice(fit.um_per_px, VISIUM_SPOT_UM);
    }
    if let Some(fit) = names_as_array(names).and_then(|um| fit_array(px, &um).ok()).filter(|f| credible(f, ST_PITCH_UM)) {
        let text = format!(
            "{section}: spot names such as {} are taken as places on a square array of 200 µm (Spatial Transcriptomics); \
             {:.4} µm/px, residual {:.0} µm, stretch {:.2}",
            names.first().map_or("", String::as_str),
            fit.um_per_px,
            fit.residual_um,
            fit.stretch
        );
        if fit.residual_um > 0.1 * ST_PITCH_UM {
            warnings.warn("lattice-residual", format!("{text}; the spots lie far from their lattice"), Some(path));
        } else {
            warnings.note("pitch-assumed", text, Some(path));
        }
        return lattice(fit.um_per_px, ST_SPOT_UM);
    }
    if let Some(um) = scale.um_per_px {
        return (PixelSize::Known { um_per_px: um, source: "scale factors".into() }, scale.spot_diameter_px.unwrap_or(VISIUM_SPOT_UM / um));
    }
    match fit_lattice(px) {
        Ok(found) => {
            let (pitch_um, spot_um, most, what) = match found.kind {
                LatticeKind::Hexagonal => (VISIUM_PITCH_UM, VISIUM_SPOT_UM, MOST_VISIUM_SPOTS, "Visium"),
                LatticeKind::Square => (ST_PITCH_UM, ST_SPOT_UM, MOST_ST_SPOTS, "Spatial Transcriptomics"),
            };
            let kind = found.kind.name();
            if px.len() <= most {
                let text = format!(
                    "{section}: the spots lie on a {kind} lattice with a pitch of {:.2} px, taken as {pitch_um} µm ({what})",
                    found.pitch
                );
                warnings.note("pitch-assumed", text, Some(path));
                return lattice(pitch_um / found.pitch, spot_um);
            }
            let text = format!("{section}: {} points on a {kind} lattice are too many for {what}, so its pitch is not known", px.len());
            warnings.note("unit-unknown", text, Some(path));
        }
        Err(why) => {
            let text = format!("{section}: the size of a pixel is not known ({why}); distances are in pixels until it is typed in");
            warnings.note("unit-unknown", text, Some(path));
        }
    }
    (PixelSize::Unknown, scale.spot_diameter_px.unwrap_or_else(|| 0.5 * spacing(px)))
}

fn lattice(um_per_px: f64, spot_um: f64) -> (PixelSize, f64) {
    (PixelSize::Known { um_per_px, source: "spot lattice".into() }, spot_um / um_per_px)
}

/// Whether a fit may be believed: chance gives residuals of about 0.4 of the pitch.
fn credible(fit: &ArrayFit, pitch_um: f64) -> bool {
    fit.residual_um < 0.3 * pitch_um && fit.stretch < 1.3
}

fn visium(px: &[DVec2], array: &[(f64, f64)]) -> Result<ArrayFit> {
    // On a Visium slide, odd rows hold odd columns; bins of Visium HD fill every place.
    let hexagonal = array.iter().all(|(r, c)| (r + c).rem_euclid(2.0) == 0.0);
    let um: Vec<DVec2> = array.iter().map(|&(r, c)| visium_um(r, c)).collect();
    let fit = fit_array(px, &um)?;
    if hexagonal && credible(&fit, VISIUM_PITCH_UM) {
        return Ok(fit);
    }
    Err(crate::base::Error::degenerate("the array rows and columns are not those of a Visium slide"))
}

/// Names such as `1_CN73_E1_15x16` or `15.02x16.1` hold the place on the array, as Spatial Transcriptomics wrote it.
fn names_as_array(names: &[String]) -> Option<Vec<DVec2>> {
    let place = |name: &String| {
        let (x, y) = name.rsplit(['_', ':', ' ']).next()?.split_once('x')?;
        let number = |s: &str| s.parse::<f64>().ok().filter(|v| (0.0..1000.0).contains(v));
        Some(DVec2::new(number(x)?, number(y)?) * ST_PITCH_UM)
    };
    names.iter().map(place).collect()
}

fn compare(fit: &ArrayFit, scale: &Scale, (section, path): (&str, &Path), warnings: &mut Warnings) {
    if fit.residual_um > 5.0 {
        let text = format!(
            "{section}: the spots lie {:.1} µm from their lattice; the positions belong to another slide or were edited",
            fit.residual_um
        );
        warnings.warn("scale-disagrees", text, Some(path));
    }
    let claims = [
        ("spot_diameter_fullres", scale.spot_diameter_px.map(|d| DRAWN_SPOT_UM / d)),
        ("fiducial_diameter_fullres", scale.fiducial_diameter_px.map(|d| FIDUCIAL_UM / d)),
        ("microns_per_pixel", scale.um_per_px),
    ];
    for (key, claim) in claims {
        let Some(claim) = claim.filter(|c| (c / fit.um_per_px - 1.0).abs() > 0.02) else { continue };
        let text = format!(
            "{section}: {key} in scalefactors_json.json says {claim:.4} µm/px, the spot lattice {:.4}; the lattice is used, \
             so the scale factors are of another picture",
            fit.um_per_px
        );
        warnings.warn("scale-disagrees", text, Some(path));
    }
}

/// Rough distance of points that fill their box.
fn spacing(px: &[DVec2]) -> f64 {
    let low = px.iter().copied().reduce(DVec2::min).unwrap_or_default();
    let high = px.iter().copied().reduce(DVec2::max).unwrap_or_default();
    let size = (high - low).max(DVec2::ONE);
    (size.x * size.y / px.len().max(1) as f64).sqrt()
}
