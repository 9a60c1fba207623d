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
    if let Some(size) = spatial_transcriptomics(px, names, (section, path), warnings) {
        return size;
    }
    if let Some(um) = scale.um_per_px {
        let diameter_px = printed_px(scale).unwrap_or(VISIUM_SPOT_UM / um);
        return (PixelSize::Known { um_per_px: um, source: "scale factors".into() }, diameter_px);
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
            let text =
                format!("{section}: {} points on a {kind} lattice are too many for {what}, so its pitch is not known", px.len());
            warnings.note("unit-unknown", text, Some(path));
        }
        Err(why) => {
            let text =
                format!("{section}: the size of a pixel is not known ({why}); distances are in pixels until it is typed in");
            warnings.note("unit-unknown", text, Some(path));
        }
    }
    (PixelSize::Unknown, printed_px(scale).unwrap_or_else(|| 0.5 * spacing(px)))
}

/// By names that hold places on the array. Where the names fit badly but the spots alone make a good
/// square lattice, the names are wrong and the lattice is used.
fn spatial_transcriptomics(
    px: &[DVec2],
    names: &[String],
    (section, path): (&str, &Path),
    warnings: &mut Warnings,
) -> Option<(PixelSize, f64)> {
    let places = names_as_array(names)?;
    let (px_placed, um): (Vec<DVec2>, Vec<DVec2>) = px.iter().zip(places).filter_map(|(p, u)| Some((*p, u?))).unzip();
    let fit = fit_array(&px_placed, &um).ok().filter(|f| credible(f, ST_PITCH_UM))?;
    let example = names.first().map_or("", String::as_str);
    if fit.residual_um <= 0.1 * ST_PITCH_UM {
        let text = format!(
            "{section}: spot names such as {example} are taken as places on a square array of {ST_PITCH_UM} µm \
             (Spatial Transcriptomics); residual {:.0} µm",
            fit.residual_um
        );
        warnings.note("pitch-assumed", text, Some(path));
        return Some(lattice(fit.um_per_px, ST_SPOT_UM));
    }
    let alone = fit_lattice(px).ok().filter(|l| l.kind == LatticeKind::Square);
    let um_per_px = alone.map_or(fit.um_per_px, |l| ST_PITCH_UM / l.pitch);
    let remedy = alone.map_or_else(
        || "no lattice fits the spots alone, so the names are used".to_owned(),
        |l| {
            let residual = l.residual * um_per_px;
            format!("the lattice of the spots alone ({} of {}, residual {residual:.0} µm) is used", l.n_fitted, px.len())
        },
    );
    let text = format!(
        "{section}: the spots lie {:.0} µm from the places in names such as {example} on a square array of {ST_PITCH_UM} µm, \
         stretched by {:.2}; {remedy}; the size of a pixel may be wrong by several percent",
        fit.residual_um, fit.stretch
    );
    warnings.warn("lattice-residual", text, Some(path));
    Some(lattice(um_per_px, ST_SPOT_UM))
}

/// Printed diameter from the drawn one.
fn printed_px(scale: &Scale) -> Option<f64> {
    scale.spot_diameter_px.map(|d| d * VISIUM_SPOT_UM / DRAWN_SPOT_UM)
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
fn names_as_array(names: &[String]) -> Option<Vec<Option<DVec2>>> {
    let place = |name: &String| {
        let (x, y) = name.rsplit(['_', ':', ' ']).next()?.split_once('x')?;
        let number = |s: &str| s.parse::<f64>().ok().filter(|v| (0.0..1000.0).contains(v));
        Some(DVec2::new(number(x)?, number(y)?) * ST_PITCH_UM)
    };
    let places: Vec<Option<DVec2>> = names.iter().map(place).collect();
    let n_placed = places.iter().flatten().count();
    // A few names carry a further number where two spots fell on one place.
    (n_placed * 10 >= places.len() * 9 && n_placed > 0).then_some(places)
}

/// Turns below this are those of any scan.
const PLAIN_TURN_DEG: f64 = 1.0;

/// Says how the lattice lies in the picture, where that is not as usual.
fn tell_lattice(fit: &ArrayFit, (section, path): (&str, &Path), warnings: &mut Warnings) {
    let (turn, residual) = (fit.angle.to_degrees(), fit.residual_um);
    let text = format!(
        "{section}: the spot lattice gives {:.4} µm/px, turned by {turn:.2}°{}, residual {residual:.1} µm",
        fit.um_per_px,
        if fit.mirrored { ", mirrored" } else { "" }
    );
    if fit.mirrored {
        let text = format!("{text}; rows and columns were exchanged or the picture was flipped");
        warnings.warn("lattice-mirrored", text, Some(path));
    } else if turn.abs() > PLAIN_TURN_DEG {
        warnings.note("lattice-turned", text, Some(path));
    }
}

fn compare(fit: &ArrayFit, scale: &Scale, (section, path): (&str, &Path), warnings: &mut Warnings) {
    tell_lattice(fit, (section, path), warnings);
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
