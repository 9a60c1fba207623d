//! Histology through a mesh: triangles give every pixel its place in the picture, one level of the
//! pyramid gives the color.

use super::canvas::{Canvas, blend, shares};
use super::{PaintTheme, is_shown};
use crate::imaging::{glass_color, is_tissue};
use crate::model::PictureLevel;
use crate::scene::{Camera, Compare, PictureDrawn, WarpMesh};
use crate::space::DVec2;
use rayon::prelude::*;

/// Rows that are rasterized together.
const BAND: usize = 16;

/// Which level is sampled: with `f` full-resolution pixels per screen pixel (the root of the ratio of
/// areas of the whole mesh), the coarsest level whose `scale` is at most `f`, else the finest.
#[must_use]
pub fn picture_level(d: &PictureDrawn, camera: &Camera) -> usize {
    let area = |points: &[DVec2]| -> f64 {
        triangles(&d.mesh).map(|t| (points[t[1]] - points[t[0]]).perp_dot(points[t[2]] - points[t[0]]).abs()).sum()
    };
    let (source, target) = (area(&d.mesh.source), area(&d.mesh.target));
    let stretch = if source > 0.0 && target > 0.0 { (source / target).sqrt() } else { 1.0 };
    let px_per_px = camera.mm_per_px / d.mm_per_px * stretch * (1.0 + 1e-6);
    let levels = d.picture.levels.iter().enumerate();
    let fine = levels.filter(|(_, l)| l.scale <= px_per_px);
    fine.max_by(|a, b| a.1.scale.total_cmp(&b.1.scale)).map_or(0, |(i, _)| i)
}

/// Vertex numbers of all triangles: cell by cell, split along the diagonal from its first to its last
/// vertex.
fn triangles(mesh: &WarpMesh) -> impl Iterator<Item = [usize; 3]> + '_ {
    let (columns, rows) = (mesh.columns, mesh.rows);
    let whole = mesh.source.len() >= columns * rows && mesh.target.len() >= columns * rows;
    let cells = if whole { rows.saturating_sub(1) * columns.saturating_sub(1) } else { 0 };
    (0..cells).flat_map(move |c| {
        let first = c / (columns - 1) * columns + c % (columns - 1);
        let last = first + columns + 1;
        [[first, first + 1, last], [first, last, last - 1]]
    })
}

pub(super) fn paint_picture(canvas: &mut Canvas, d: &PictureDrawn, camera: &Camera, theme: &PaintTheme) {
    let Some(level) = d.picture.levels.get(picture_level(d, camera)) else { return };
    if d.compare == Compare::Flicker(false) {
        return;
    }
    let places = rasterize(canvas, d, camera);
    if d.compare == Compare::Contour {
        return paint_contour(canvas, level, &places, theme.accent, d.opacity);
    }
    let width = canvas.width;
    canvas.rows(|y, row| {
        for (x, pixel) in row.iter_mut().enumerate() {
            if is_shown(d.compare, x, y, width)
                && let Some(color) = bilinear(level, places[y * width + x])
            {
                blend(pixel, [color[0], color[1], color[2]], color[3] * d.opacity);
            }
        }
    });
}

/// Full-resolution picture position of every pixel, NaN where the mesh is not.
fn rasterize(canvas: &Canvas, d: &PictureDrawn, camera: &Camera) -> Vec<[f32; 2]> {
    let mut places = vec![[f32::NAN; 2]; canvas.width * canvas.height];
    let size_px = canvas.size_px();
    let screen: Vec<DVec2> = d.mesh.target.iter().map(|&p| camera.px_from_mm(size_px, p)).collect();
    let source: Vec<DVec2> = d.mesh.source.iter().map(|&p| p / d.mm_per_px).collect();
    let all: Vec<[usize; 3]> = triangles(&d.mesh).collect();
    let width = canvas.width;
    places.par_chunks_mut((width * BAND).max(1)).enumerate().for_each(|(band, pixels)| {
        for t in &all {
            fill_triangle(pixels, width, band * BAND, t.map(|i| screen[i]), t.map(|i| source[i]));
        }
    });
    places
}

fn fill_triangle(pixels: &mut [[f32; 2]], width: usize, top: usize, p: [DVec2; 3], s: [DVec2; 3]) {
    let (low, high) = (p[0].min(p[1]).min(p[2]), p[0].max(p[1]).max(p[2]));
    let twice_area = (p[1] - p[0]).perp_dot(p[2] - p[0]);
    let rows = pixels.len() / width.max(1);
    if !low.is_finite() || !high.is_finite() || twice_area == 0.0 || high.y < top as f64 || low.y > (top + rows) as f64 {
        return;
    }
    let end = |v: f64, n: usize| (v.ceil().max(0.0) as usize).min(n);
    for y in end(low.y - 0.5 - top as f64, rows)..end(high.y + 0.5 - top as f64, rows) {
        for x in end(low.x - 0.5, width)..end(high.x + 0.5, width) {
            let at = DVec2::new(x as f64 + 0.5, (top + y) as f64 + 0.5);
            let b = (at - p[0]).perp_dot(p[2] - p[0]) / twice_area;
            let c = (p[1] - p[0]).perp_dot(at - p[0]) / twice_area;
            let a = 1.0 - b - c;
            if a.min(b).min(c) >= -1e-9 {
                let place = s[0] * a + s[1] * b + s[2] * c;
                pixels[y * width + x] = [place.x as f32, place.y as f32];
            }
        }
    }
}

/// RGBA in 0..1 at a full-resolution position: four loads, clamped to the level, mixed gamma-encoded.
fn bilinear(level: &PictureLevel, place: [f32; 2]) -> Option<[f32; 4]> {
    if place[0].is_nan() {
        return None;
    }
    let (scale, offset) = (level.scale as f32, level.offset as f32);
    let p = place.map(|v| (v - offset) / scale);
    let (bx, by) = (p[0].floor(), p[1].floor());
    let (fx, fy) = (p[0] - bx, p[1] - by);
    let clamped = |v: f32, n: usize| (v.max(0.0) as usize).min(n - 1);
    let load = |x: f32, y: f32| {
        let at = (clamped(y, level.height) * level.width + clamped(x, level.width)) * 4;
        std::array::from_fn::<f32, 4, _>(|c| f32::from(level.rgba[at + c]) / 255.0)
    };
    let mix = |a: [f32; 4], b: [f32; 4], f: f32| std::array::from_fn(|c| a[c] + (b[c] - a[c]) * f);
    let row = |y: f32| mix(load(bx, y), load(bx + 1.0, y), fx);
    Some(mix(row(by), row(by + 1.0), fy))
}

/// The edge of the tissue (see `imaging::is_tissue`, with the glass of the level drawn): pixels on tissue
/// with a pixel that is not among the eight around the pixel one further; off the mesh is glass.
fn paint_contour(canvas: &mut Canvas, level: &PictureLevel, places: &[[f32; 2]], accent: [u8; 3], opacity: f32) {
    let glass = glass_color(level);
    let tissue: Vec<bool> = places
        .par_iter()
        .map(|&place| bilinear(level, place).is_some_and(|c| is_tissue(c.map(|v| (v * 255.0 + 0.5) as u8), glass)))
        .collect();
    let (w, h) = (canvas.width as i64, canvas.height as i64);
    let at = |x: i64, y: i64| (0..w).contains(&x) && (0..h).contains(&y) && tissue[(y * w + x) as usize];
    canvas.rows(|y, row| {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (x, y) = (x as i64, y as i64);
            let beside = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
            if at(x, y) && beside.into_iter().any(|(x, y)| !at(x, y)) {
                blend(pixel, shares(accent), opacity);
            }
        }
    });
}
