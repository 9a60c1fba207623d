//! What marks are put on: pixels, or the list of shapes of a vector drawing. The marks decide where things
//! go, so both look alike.

use super::canvas::Canvas;
use super::text::{Style, draw_text};
use crate::model::ColorMap;
use crate::scene::color_table;
use crate::space::DVec2;

/// Takes the parts of marks, positions in pixels.
pub(super) trait Board {
    /// Width and height.
    fn size_px(&self) -> [u32; 2];

    /// Width and height.
    fn size(&self) -> DVec2 {
        let [w, h] = self.size_px();
        DVec2::new(f64::from(w), f64::from(h))
    }

    /// One line of text.
    fn text(&mut self, at: DVec2, text: &str, style: Style);

    /// Lines between pairs of points, with a dark edge of 1.5 points.
    fn stroke(&mut self, segments: &[[DVec2; 2]], rgb: [u8; 3], width: f64, point: f64);

    /// A filled polygon; hatched in steps of 7 points where the size of a point is given.
    fn fill(&mut self, points: &[DVec2], rgba: [u8; 4], hatch_point: Option<f64>);

    /// An upright color scale between its top left and bottom right corner.
    fn ramp(&mut self, corners: [DVec2; 2], map: ColorMap);
}

/// Distance of hatching lines in points.
pub(super) const HATCH: f64 = 7.0;

/// Width of the dark edge of lines in points.
pub(super) const HALO: f64 = 1.5;

impl Board for Canvas {
    fn size_px(&self) -> [u32; 2] {
        Canvas::size_px(self)
    }

    fn text(&mut self, at: DVec2, text: &str, style: Style) {
        draw_text(self, at, text, style);
    }

    fn stroke(&mut self, segments: &[[DVec2; 2]], rgb: [u8; 3], width: f64, point: f64) {
        let (half, soft) = ((width / 2.0) as f32, (HALO * point) as f32);
        let Some(field) = self.distances(segments, width / 2.0 + HALO * point) else { return };
        self.stamp(&field, [0; 3], |d| (1.0 - (d - half) / soft).clamp(0.0, 1.0) * 0.55);
        self.stamp(&field, rgb, |d| (half + 0.5 - d).clamp(0.0, 1.0) * (2.0 * half).min(1.0));
    }

    fn fill(&mut self, points: &[DVec2], [r, g, b, a]: [u8; 4], hatch_point: Option<f64>) {
        let (Some(low), Some(high)) = (points.iter().copied().reduce(DVec2::min), points.iter().copied().reduce(DVec2::max))
        else {
            return;
        };
        let Some(mut mask) = self.mask(low, high, 0.0) else { return };
        mask.polygon(points);
        if let Some(point) = hatch_point {
            let pitch = HATCH * point;
            for (i, share) in mask.share.iter_mut().enumerate() {
                let (x, y) = (mask.left + i % mask.width, mask.top + i / mask.width);
                let place = ((x + y) as f64 * std::f64::consts::FRAC_1_SQRT_2).rem_euclid(pitch);
                let distance = place.min(pitch - place);
                *share *= (0.5 * point + 0.5 - distance).clamp(0.0, 1.0) as f32;
            }
        }
        let opacity = f32::from(a) / 255.0;
        self.stamp(&mask, [r, g, b], |s| s.min(1.0) * opacity);
    }

    fn ramp(&mut self, [first, last]: [DVec2; 2], map: ColorMap) {
        let table = color_table(map);
        let height = (last.y - first.y).max(1.0);
        for y in 0..height as usize {
            let from = first + DVec2::Y * y as f64;
            let t = 1.0 - (y as f64 + 0.5) / height;
            if let Some(mask) = self.mask(from, DVec2::new(last.x, from.y + 1.0), 1.0) {
                self.stamp(&mask, table[(t * 255.0 + 0.5) as usize], |s| s);
            }
        }
    }
}
