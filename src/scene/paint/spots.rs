//! Spots and cells as discs with an edge one pixel soft, in the order of the list.

use super::canvas::{Canvas, blend, shares};
use super::is_shown;
use crate::scene::{Camera, Compare, SpotsDrawn, color_index, color_table};
use rayon::prelude::*;

/// No spot is drawn smaller than this, in pixels.
pub const LEAST_RADIUS_PX: f32 = 0.75;

/// Color of spots that are colored by nothing.
pub const PLAIN_SPOT_RGB: [u8; 3] = [0x56, 0xB4, 0xE9];

const BAND: usize = 32;

struct Disc {
    x: f32,
    y: f32,
    rgb: [f32; 3],
}

/// Coverage is `clamp(r + 0.5 − d, 0, 1)`; in the contour mode the disc is a ring, `clamp(1 − |d − r + 0.5|, 0, 1)`.
pub(super) fn paint_spots(canvas: &mut Canvas, d: &SpotsDrawn, camera: &Camera) {
    if d.compare == Compare::Flicker(false) || canvas.width == 0 || canvas.height == 0 {
        return;
    }
    let radius = (f64::from(d.radius_mm) / camera.mm_per_px) as f32;
    let radius = radius.max(LEAST_RADIUS_PX);
    let bands = sort_into_bands(canvas, d, camera, radius);
    let (width, compare) = (canvas.width, d.compare);
    canvas.rgb.par_chunks_mut(width * BAND).zip(bands).enumerate().for_each(|(band, (pixels, discs))| {
        for disc in &discs {
            let low = |v: f32| (v - radius - 0.5).floor().max(0.0) as usize;
            let high = |v: f32, n: usize| ((v + radius + 1.5).ceil().max(0.0) as usize).min(n);
            let (top, rows) = (band * BAND, pixels.len() / width);
            for y in low(disc.y).max(top)..high(disc.y, top + rows) {
                for x in low(disc.x)..high(disc.x, width) {
                    let (dx, dy) = (x as f32 + 0.5 - disc.x, y as f32 + 0.5 - disc.y);
                    let distance = (dx * dx + dy * dy).sqrt();
                    let share = match compare {
                        Compare::Contour => 1.0 - (distance - radius + 0.5).abs(),
                        _ => radius + 0.5 - distance,
                    };
                    if share > 0.0 && is_shown(compare, x, y, width) {
                        blend(&mut pixels[(y - top) * width + x], disc.rgb, share.min(1.0) * d.opacity);
                    }
                }
            }
        }
    });
}

fn sort_into_bands(canvas: &Canvas, d: &SpotsDrawn, camera: &Camera, radius: f32) -> Vec<Vec<Disc>> {
    let size = canvas.size_px();
    let scale = (1.0 / camera.mm_per_px) as f32;
    let start = camera.px_from_mm(size, crate::space::DVec2::ZERO);
    let (start_x, start_y) = (start.x as f32, start.y as f32);
    let table = color_table(d.color_map).map(shares);
    let span = if d.high > d.low { d.high - d.low } else { 1e-9 };
    let n_bands = canvas.height.div_ceil(BAND);
    let mut bands: Vec<Vec<Disc>> = (0..n_bands).map(|_| Vec::new()).collect();
    for (i, p) in d.positions.iter().enumerate() {
        let value = d.values.as_ref().map(|v| v.get(i).copied().unwrap_or(f32::NAN));
        let (x, y) = (start_x + p[0] * scale, start_y + p[1] * scale);
        let reach = radius + 1.0;
        let outside = x < -reach || y < -reach || x > canvas.width as f32 + reach || y > canvas.height as f32 + reach;
        if value.is_some_and(f32::is_nan) || !x.is_finite() || !y.is_finite() || outside {
            continue;
        }
        let rgb = value.map_or(shares(d.plain), |v| table[color_index((v - d.low) / span)]);
        let first = ((y - reach).max(0.0) as usize) / BAND;
        let last = (((y + reach).max(0.0) as usize) / BAND).min(n_bands - 1);
        (first..=last).for_each(|b| bands[b].push(Disc { x, y, rgb }));
    }
    bands
}
