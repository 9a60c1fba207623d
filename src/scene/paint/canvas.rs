//! The pixels being painted, and the shapes that are stamped on them: distance fields of lines,
//! coverage of polygons and text, soft dark halos.

use super::Image;
use crate::space::DVec2;
use rayon::prelude::*;

/// RGB in 0..1.
pub(super) struct Canvas {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<[f32; 3]>,
}

/// A share per pixel of a rectangle that lies within the canvas.
pub(super) struct Mask {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    pub share: Vec<f32>,
}

/// Gamma-encoded color as shares.
pub(super) fn shares(rgb: [u8; 3]) -> [f32; 3] {
    rgb.map(|c| f32::from(c) / 255.0)
}

/// `a + (b − a) · alpha` on each channel.
pub(super) fn blend(pixel: &mut [f32; 3], rgb: [f32; 3], alpha: f32) {
    for (a, b) in pixel.iter_mut().zip(rgb) {
        *a += (b - *a) * alpha;
    }
}

impl Canvas {
    pub fn new(size_px: [u32; 2], background: [u8; 3]) -> Self {
        let [width, height] = size_px.map(|n| n as usize);
        Self { width, height, rgb: vec![shares(background); width * height] }
    }

    pub fn size_px(&self) -> [u32; 2] {
        [self.width as u32, self.height as u32]
    }

    /// Calls `paint(row number, row)` for every row, in parallel.
    pub fn rows(&mut self, paint: impl Fn(usize, &mut [[f32; 3]]) + Sync) {
        if self.width > 0 {
            self.rgb.par_chunks_mut(self.width).enumerate().for_each(|(y, row)| paint(y, row));
        }
    }

    pub fn finish(&self) -> Image {
        let mut rgba = vec![255u8; self.width * self.height * 4];
        rgba.chunks_exact_mut(4).zip(&self.rgb).for_each(|(out, rgb)| {
            (0..3).for_each(|c| out[c] = (rgb[c].clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        });
        Image { width: self.width, height: self.height, rgba }
    }

    /// A mask over a box of pixel positions that is `fill` everywhere; `None` off the canvas.
    pub fn mask(&self, low: DVec2, high: DVec2, fill: f32) -> Option<Mask> {
        let end = |v: f64, n: usize| v.clamp(0.0, n as f64) as usize;
        let (left, top) = (end(low.x.floor(), self.width), end(low.y.floor(), self.height));
        let (right, bottom) = (end(high.x.ceil(), self.width), end(high.y.ceil(), self.height));
        let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
        (width > 0 && height > 0).then(|| Mask { left, top, width, height, share: vec![fill; width * height] })
    }

    /// Blends a color with `opacity · alpha(share)` over a mask.
    pub fn stamp(&mut self, mask: &Mask, rgb: [u8; 3], alpha: impl Fn(f32) -> f32) {
        let rgb = shares(rgb);
        for (y, row) in mask.share.chunks_exact(mask.width).enumerate() {
            let start = (mask.top + y) * self.width + mask.left;
            for (pixel, &share) in self.rgb[start..start + mask.width].iter_mut().zip(row) {
                let a = alpha(share);
                if a > 0.0 {
                    blend(pixel, rgb, a);
                }
            }
        }
    }

    /// Lines between pairs of points as distances in pixels, known up to `reach`.
    pub fn distances(&self, segments: &[[DVec2; 2]], reach: f64) -> Option<Mask> {
        let finite = segments.iter().flatten().filter(|p| p.is_finite());
        let low = finite.clone().copied().reduce(DVec2::min)?;
        let high = finite.copied().reduce(DVec2::max)?;
        let margin = DVec2::splat(reach + 1.0);
        let mut field = self.mask(low - margin, high + margin, f32::MAX)?;
        segments.iter().filter(|s| s[0].is_finite() && s[1].is_finite()).for_each(|s| field.near(*s, margin));
        Some(field)
    }
}

impl Mask {
    fn near(&mut self, [a, b]: [DVec2; 2], margin: DVec2) {
        let (low, high) = (a.min(b) - margin, a.max(b) + margin);
        let clip = |v: f64, start: usize, n: usize| (v - start as f64).clamp(0.0, n as f64) as usize;
        let along = b - a;
        let length2 = along.length_squared();
        for y in clip(low.y, self.top, self.height)..clip(high.y.ceil(), self.top, self.height) {
            for x in clip(low.x, self.left, self.width)..clip(high.x.ceil(), self.left, self.width) {
                let p = DVec2::new((self.left + x) as f64 + 0.5, (self.top + y) as f64 + 0.5) - a;
                let t = if length2 > 0.0 { (p.dot(along) / length2).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (p - along * t).length() as f32;
                let cell = &mut self.share[y * self.width + x];
                *cell = cell.min(distance);
            }
        }
    }

    /// Coverage of a polygon (even–odd): four lines per pixel, exact along each.
    pub fn polygon(&mut self, points: &[DVec2]) {
        const LINES: usize = 4;
        let mut crossings: Vec<f64> = Vec::new();
        for line in 0..self.height * LINES {
            let y = self.top as f64 + (line as f64 + 0.5) / LINES as f64;
            crossings.clear();
            for (a, b) in points.iter().zip(points.iter().cycle().skip(1)) {
                if (a.y <= y) != (b.y <= y) {
                    crossings.push(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x) - self.left as f64);
                }
            }
            crossings.sort_by(f64::total_cmp);
            let start = line / LINES * self.width;
            let row = &mut self.share[start..start + self.width];
            for pair in crossings.chunks_exact(2) {
                cover(row, pair[0], pair[1], 1.0 / LINES as f32);
            }
        }
    }

    /// The mask grown by `radius` pixels and softened by as much again.
    pub fn halo(&self, canvas: &Canvas, radius: usize) -> Option<Mask> {
        let low = DVec2::new(self.left as f64, self.top as f64);
        let high = low + DVec2::new(self.width as f64, self.height as f64);
        let margin = DVec2::splat(2.0 * radius as f64);
        let mut out = canvas.mask(low - margin, high + margin, 0.0)?;
        let (dx, dy) = (self.left - out.left, self.top - out.top);
        for (y, row) in self.share.chunks_exact(self.width).enumerate() {
            let start = (y + dy) * out.width + dx;
            out.share[start..start + self.width].copy_from_slice(row);
        }
        out.filter(radius, |window| window.iter().copied().fold(0.0, f32::max));
        out.filter(radius, |window| window.iter().sum::<f32>() / window.len() as f32);
        Some(out)
    }

    fn filter(&mut self, radius: usize, reduce: impl Fn(&[f32]) -> f32) {
        let (w, h) = (self.width, self.height);
        let pass = |line: &[f32], i: usize| reduce(&line[i.saturating_sub(radius)..(i + radius + 1).min(line.len())]);
        for row in self.share.chunks_exact_mut(w) {
            let line = row.to_vec();
            row.iter_mut().enumerate().for_each(|(i, v)| *v = pass(&line, i));
        }
        for x in 0..w {
            let line: Vec<f32> = (0..h).map(|y| self.share[y * w + x]).collect();
            (0..h).for_each(|y| self.share[y * w + x] = pass(&line, y));
        }
    }
}

fn cover(row: &mut [f32], from: f64, to: f64, weight: f32) {
    let (from, to) = (from.clamp(0.0, row.len() as f64), to.clamp(0.0, row.len() as f64));
    for (x, cell) in row.iter_mut().enumerate().take(to.ceil() as usize).skip(from as usize) {
        let inside = (to.min(x as f64 + 1.0) - from.max(x as f64)).max(0.0);
        *cell += inside as f32 * weight;
    }
}
