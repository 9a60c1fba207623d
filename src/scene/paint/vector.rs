//! A scene as shapes: marks and spots stay vectors, cuts and histology become one picture behind them.

use super::board::{Board, HALO, HATCH};
use super::canvas::Canvas;
use super::caption::Caption;
use super::text::Style;
use super::{LEAST_RADIUS_PX, PaintTheme, marks, paint_drawn};
use crate::model::{ColorMap, Disc, Drawing, Shape};
use crate::scene::{Camera, Compare, Drawn, Scene, SpotsDrawn, color_index, color_table};
use crate::space::DVec2;

/// More spots than this become pixels: a drawing of them would be larger and slower than its picture.
pub const MOST_VECTOR_SPOTS: usize = 20_000;

/// Height of a capital letter as a share of the em.
const CAPITAL: f64 = 0.727;

/// Takes marks as shapes.
struct Shapes {
    size_px: [u32; 2],
    shapes: Vec<Shape>,
}

/// A scene with its caption below it, as shapes. Spots on top of everything else are discs, up to
/// [`MOST_VECTOR_SPOTS`] of them; what lies below is painted.
#[must_use]
pub fn draw_vectors(scene: &Scene, caption: &Caption, theme: &PaintTheme) -> Drawing {
    let is_vector = |d: &&Drawn| matches!(d, Drawn::Spots(s) if is_discs(s));
    let n_vectors = scene.drawn.iter().rev().take_while(is_vector).count();
    let (below, spots) = scene.drawn.split_at(scene.drawn.len() - n_vectors);
    let mut board = Shapes { size_px: scene.size_px, shapes: Vec::new() };
    if !below.is_empty() {
        let mut canvas = Canvas::new(scene.size_px, scene.background);
        paint_drawn(&mut canvas, below, scene, theme);
        let image = canvas.finish();
        let (size, rgba) = ([image.width, image.height], image.rgba.into());
        board.shapes.push(Shape::Picture { at: DVec2::ZERO, size, rgba });
    }
    for drawn in spots {
        if let Drawn::Spots(d) = drawn {
            board.shapes.push(discs(d, &scene.camera, scene.size_px));
        }
    }
    for mark in &scene.marks {
        marks::paint_mark(&mut board, mark, &scene.camera, theme);
    }
    caption.write(&mut board, f64::from(scene.size_px[1]), theme);
    let size_px = [scene.size_px[0], scene.size_px[1] + caption.height_px];
    let text = String::new();
    Drawing { size_px, title: text.clone(), description: text, background: scene.background, shapes: board.shapes }
}

fn is_discs(d: &SpotsDrawn) -> bool {
    matches!(d.compare, Compare::Blend | Compare::Contour) && d.positions.len() <= MOST_VECTOR_SPOTS
}

/// As the painter does: clipped to the pane, colors from the table, none for missing values.
fn discs(d: &SpotsDrawn, camera: &Camera, size_px: [u32; 2]) -> Shape {
    let radius = (f64::from(d.radius_mm) / camera.mm_per_px).max(f64::from(LEAST_RADIUS_PX));
    let table = color_table(d.color_map);
    let span = if d.high > d.low { d.high - d.low } else { 1e-9 };
    let [width, height] = size_px.map(f64::from);
    let disc = |(i, p): (usize, &[f32; 2])| -> Option<Disc> {
        let value = d.values.as_ref().map(|v| v.get(i).copied().unwrap_or(f32::NAN));
        let at = camera.px_from_mm(size_px, DVec2::new(f64::from(p[0]), f64::from(p[1])));
        let inside = at.x > -radius && at.y > -radius && at.x < width + radius && at.y < height + radius;
        if value.is_some_and(f32::is_nan) || !inside {
            return None;
        }
        Some((at, value.map_or(d.plain, |v| table[color_index((v - d.low) / span)])))
    };
    let discs = d.positions.iter().enumerate().filter_map(disc).collect();
    Shape::Discs { radius, opacity: f64::from(d.opacity), hollow: d.compare == Compare::Contour, discs }
}

impl Board for Shapes {
    fn size_px(&self) -> [u32; 2] {
        self.size_px
    }

    fn text(&mut self, at: DVec2, text: &str, style: Style) {
        let baseline = at + DVec2::Y * ((1.0 - style.anchor.y) * style.em * CAPITAL);
        let Style { em, bold, rgb, anchor, halo } = style;
        self.shapes.push(Shape::Text { at: baseline, text: text.to_owned(), em, bold, rgb, anchor: anchor.x, halo });
    }

    fn stroke(&mut self, segments: &[[DVec2; 2]], rgb: [u8; 3], width: f64, point: f64) {
        let mut lines: Vec<Vec<DVec2>> = Vec::new();
        for [a, b] in segments.iter().filter(|s| s[0].is_finite() && s[1].is_finite()) {
            match lines.last_mut() {
                Some(line) if line.last() == Some(a) => line.push(*b),
                _ => lines.push(vec![*a, *b]),
            }
        }
        if !lines.is_empty() {
            self.shapes.push(Shape::Lines { lines, rgb, width, halo: HALO * point * 0.5 });
        }
    }

    fn fill(&mut self, points: &[DVec2], rgba: [u8; 4], hatch_point: Option<f64>) {
        if points.len() >= 3 && points.iter().all(|p| p.is_finite()) {
            self.shapes.push(Shape::Area { points: points.to_vec(), rgba, hatch: hatch_point.map(|p| p * HATCH) });
        }
    }

    fn ramp(&mut self, corners: [DVec2; 2], map: ColorMap) {
        let table = color_table(map);
        let colors = (0..=32).map(|i| table[(i * 8).min(255)]).collect();
        self.shapes.push(Shape::Ramp { corners, colors });
    }
}
