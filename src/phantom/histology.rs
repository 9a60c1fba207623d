//! The section's picture, stained in the manner of hematoxylin and eosin with pale blue collagen. Colors
//! and textures follow the tissue at the true place in the heart, found through the planted chain.

use super::chain::PICTURE_PX;
use super::noise::{lattice, mix, noise2, smoothstep};
use super::slide::{Muscle, Piece, Slide};
use crate::base::{Progress, Result};
use crate::model::{Picture, PictureLevel};
use crate::space::DVec2;
use rayon::prelude::*;

/// Side of the cells within which the warp is interpolated, px.
const CELL: usize = 8;
/// Full-resolution pixels per pixel of the small level.
const SMALL: usize = 4;

type Rgb = [f64; 3];
const GLASS: Rgb = [244.0, 243.0, 246.0];
const CLEFT: Rgb = [243.0, 228.0, 236.0];
const FIBER_DARK: Rgb = [193.0, 88.0, 124.0];
const FIBER_LIGHT: Rgb = [232.0, 152.0, 175.0];
const COLLAGEN_DARK: Rgb = [146.0, 166.0, 205.0];
const COLLAGEN_LIGHT: Rgb = [203.0, 213.0, 231.0];
const NUCLEUS: Rgb = [78.0, 48.0, 122.0];

/// Two levels: full resolution, and a quarter of it by block means.
pub(super) fn picture(slide: &Slide, progress: &Progress) -> Result<Picture> {
    let n = PICTURE_PX;
    let places = warped_corners(slide);
    let mut rgba = vec![0u8; n * n * 4];
    rgba.par_chunks_mut(n * 4 * CELL).enumerate().try_for_each(|(band, rows)| {
        progress.step(band as f64 * CELL as f64 / n as f64, "histology")?;
        for (i, px) in rows.chunks_exact_mut(4).enumerate() {
            let (x, y) = (i % n, band * CELL + i / n);
            px.copy_from_slice(&pixel(slide, between_corners(&places, x, y), [x as i64, y as i64]));
        }
        Ok(())
    })?;
    let small = block_mean(&rgba, n);
    let level = |side: usize, rgba: Vec<u8>, scale: f64, name: &str| PictureLevel {
        width: side,
        height: side,
        rgba: rgba.into(),
        scale,
        offset: (scale - 1.0) / 2.0,
        name: name.into(),
    };
    let levels = vec![level(n, rgba, 1.0, "hires"), level(n / SMALL, small, SMALL as f64, "lowres")];
    Ok(Picture { levels, full_size: [n as f64, n as f64] })
}

/// Plane mm at every corner of the cells; the warp bends so little that the error between them is
/// below a tenth of a micrometer.
fn warped_corners(slide: &Slide) -> Vec<DVec2> {
    let n = PICTURE_PX / CELL + 1;
    let mm = slide.chain.um_per_px / 1000.0 * CELL as f64;
    (0..n * n)
        .into_par_iter()
        .map(|i| slide.chain.plane_from_section.apply(DVec2::new((i % n) as f64, (i / n) as f64) * mm))
        .collect()
}

fn between_corners(corners: &[DVec2], x: usize, y: usize) -> DVec2 {
    let n = PICTURE_PX / CELL + 1;
    let at = x / CELL + n * (y / CELL);
    let (u, v) = ((x % CELL) as f64 / CELL as f64, (y % CELL) as f64 / CELL as f64);
    let low = corners[at].lerp(corners[at + 1], u);
    low.lerp(corners[at + n].lerp(corners[at + n + 1], u), v)
}

fn pixel(slide: &Slide, p: DVec2, px: [i64; 2]) -> [u8; 4] {
    let Some(piece) = slide.piece(p) else { return [244, 243, 246, 0] };
    let color = stain(slide, &piece, p, px);
    let [r, g, b] = color.map(|v| v.round().clamp(0.0, 255.0) as u8);
    [r, g, b, 255]
}

fn blend(a: Rgb, b: Rgb, share: f64) -> Rgb {
    [mix(a[0], b[0], share), mix(a[1], b[1], share), mix(a[2], b[2], share)]
}

fn stain(slide: &Slide, piece: &Piece, p: DVec2, px: [i64; 2]) -> Rgb {
    let seed = slide.anatomy.seed ^ 0x4157;
    let muscle = fibers(seed, piece, p);
    let ragged = piece.scar_level + 0.16 * noise2(seed ^ 2, p.x * 2.2, p.y * 2.2) + 0.08 * noise2(seed ^ 3, p.x * 6.0, p.y * 6.0);
    let fibrosis = match piece.muscle {
        Muscle::LeftWall => 1.0 - smoothstep(0.95, 1.20, ragged),
        Muscle::Papillary | Muscle::RightWall => 0.0,
    };
    let mut color = muscle;
    if fibrosis > 0.0 {
        let wave = noise2(seed ^ 4, p.x * 3.0 + 1.5 * noise2(seed ^ 5, p.x, p.y), p.y * 7.0);
        let collagen = blend(COLLAGEN_DARK, COLLAGEN_LIGHT, 0.5 + 0.5 * wave);
        let island = smoothstep(0.52, 0.70, noise2(seed ^ 6, p.x * 1.7, p.y * 1.7));
        color = blend(color, collagen, fibrosis * (1.0 - 0.75 * island));
    }
    let crowd = if (0.95..1.24).contains(&piece.scar_level) && piece.muscle == Muscle::LeftWall { 0.17 } else { 0.075 };
    let dot = 0.5 + 0.5 * lattice(seed ^ 7, px[0], px[1], 1);
    if dot < mix(crowd, 0.035, fibrosis * 0.8) {
        color = blend(color, NUCLEUS, 0.40 + 3.0 * dot);
    }
    with_vessel(slide, color, p)
}

/// Muscle fibers: around the ring in the middle of the wall, turning out of the plane and aside towards
/// both surfaces, with clefts between the bundles.
fn fibers(seed: u64, piece: &Piece, p: DVec2) -> Rgb {
    let helix = match piece.muscle {
        Muscle::LeftWall => mix(60.0, -60.0, piece.depth).to_radians(),
        Muscle::Papillary => 80f64.to_radians(),
        Muscle::RightWall => 15f64.to_radians(),
    };
    let radius = p.length();
    let (around, across) = (30.0 * p.y.atan2(p.x), radius + 0.5 * noise2(seed ^ 8, p.x * 0.5, p.y * 0.5));
    let (sin, cos) = (0.45 * helix).sin_cos();
    let (u, v) = (around * cos + across * sin, across * cos - around * sin);
    let strand = 0.6 * noise2(seed ^ 9, u * 0.9, v * 5.0) + 0.4 * noise2(seed ^ 10, u * 2.0, v * 11.0);
    let cut = 0.6 * noise2(seed ^ 11, p.x * 6.0, p.y * 6.0) + 0.4 * noise2(seed ^ 12, p.x * 12.0, p.y * 12.0);
    let along = helix.cos().powi(2);
    let texture = mix(cut, strand, along);
    let patch = 0.25 * noise2(seed ^ 13, p.x * 0.35, p.y * 0.35);
    let color = blend(FIBER_DARK, FIBER_LIGHT, (0.5 + 0.62 * texture + patch).clamp(0.0, 1.0));
    let bundle = mix(noise2(seed ^ 14, p.x * 1.5, p.y * 1.5).abs(), noise2(seed ^ 15, u * 0.33, v * 1.6).abs(), along);
    blend(color, CLEFT, 0.85 * (1.0 - smoothstep(0.012, 0.055, bundle)))
}

fn with_vessel(slide: &Slide, color: Rgb, p: DVec2) -> Rgb {
    let Some((away, radius)) = slide.vessel(p) else { return color };
    let wall = 0.035 + 0.22 * radius;
    match away {
        d if d < 0.0 => GLASS,
        d if d < wall => blend(FIBER_DARK, NUCLEUS, 0.25),
        d if d < wall * 2.0 => blend(color, COLLAGEN_LIGHT, 0.6),
        _ => color,
    }
}

/// Means of 4 × 4 blocks, colors weighted by opacity.
fn block_mean(rgba: &[u8], n: usize) -> Vec<u8> {
    let side = n / SMALL;
    let mut out = vec![0u8; side * side * 4];
    out.par_chunks_mut(4).enumerate().for_each(|(i, px)| {
        let (x0, y0) = (i % side * SMALL, i / side * SMALL);
        let mut sum = [0u32; 4];
        for at in (0..SMALL * SMALL).map(|k| ((y0 + k / SMALL) * n + x0 + k % SMALL) * 4) {
            let alpha = u32::from(rgba[at + 3]);
            (0..3).for_each(|c| sum[c] += u32::from(rgba[at + c]) * alpha);
            sum[3] += alpha;
        }
        for c in 0..3 {
            px[c] = (sum[c] + sum[3] / 2).checked_div(sum[3]).unwrap_or(244) as u8;
        }
        px[3] = (sum[3] / (SMALL * SMALL) as u32) as u8;
    });
    out
}
