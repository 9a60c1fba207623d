//! The processor painter: the reference of what a [`Scene`] looks like. The command line's pictures and
//! the tests use it; the GPU must agree with it. Same scene, same bytes.
//!
//! Colors are mixed gamma-encoded, `a + (b − a) · alpha`, in single precision and rounded once at the end.

mod board;
mod canvas;
mod caption;
mod marks;
mod picture;
mod slice;
mod spots;
#[cfg(test)]
mod tests;
mod text;
mod vector;

pub use caption::{Caption, paint_with_caption};
pub use picture::picture_level;
pub use slice::VoxelWalk;
pub use spots::{LEAST_RADIUS_PX, PLAIN_SPOT_RGB};
pub(super) use text::text_width;
pub use text::{FONT_REGULAR, FONT_SEMIBOLD};
pub use vector::{MOST_VECTOR_SPOTS, draw_vectors};

use super::{Compare, Drawn, Ink, Scene};
use canvas::Canvas;

/// A finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// RGBA, 8 bits each, gamma-encoded sRGB, opaque, row by row.
    pub rgba: Vec<u8>,
}

impl Image {
    /// The color of a pixel; black outside.
    #[must_use]
    pub fn rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 4;
        let inside = x < self.width && y < self.height;
        self.rgba.get(at..at + 3).filter(|_| inside).map_or([0; 3], |p| [p[0], p[1], p[2]])
    }
}

/// Colors and size of marks. Images lie on black in every theme, so the colors are the dark ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaintTheme {
    /// Physical pixels per point; text is 11 points high.
    pub pixels_per_point: f32,
    /// Plain overlay text and lines.
    pub text: [u8; 3],
    /// Less important.
    pub dim: [u8; 3],
    /// Cursor and selection.
    pub accent: [u8; 3],
    /// A warning.
    pub warning: [u8; 3],
    /// An error.
    pub error: [u8; 3],
}

impl Default for PaintTheme {
    fn default() -> Self {
        Self {
            pixels_per_point: 1.0,
            text: [0xE6, 0xE8, 0xEB],
            dim: [0x9A, 0xA1, 0xAA],
            accent: [0x4F, 0xB3, 0xBF],
            warning: [0xE8, 0xA3, 0x3D],
            error: [0xE5, 0x64, 0x6E],
        }
    }
}

impl PaintTheme {
    /// The color of an ink.
    #[must_use]
    pub fn rgb(&self, ink: Ink) -> [u8; 3] {
        match ink {
            Ink::Plain => self.text,
            Ink::Dim => self.dim,
            Ink::Accent => self.accent,
            Ink::Warning => self.warning,
            Ink::Error => self.error,
            Ink::Rgb(rgb) => rgb,
        }
    }
}

/// Paints a scene. Cost: some 10 ns per pixel and cut, on all processors.
#[must_use]
pub fn paint(scene: &Scene, theme: &PaintTheme) -> Image {
    let mut canvas = Canvas::new(scene.size_px, scene.background);
    paint_drawn(&mut canvas, &scene.drawn, scene, theme);
    for mark in &scene.marks {
        marks::paint_mark(&mut canvas, mark, &scene.camera, theme);
    }
    canvas.finish()
}

fn paint_drawn(canvas: &mut Canvas, drawn: &[Drawn], scene: &Scene, theme: &PaintTheme) {
    for drawn in drawn {
        match drawn {
            Drawn::Slice(d) => slice::paint_slice(canvas, d, &scene.camera),
            Drawn::Labels(d) => slice::paint_labels(canvas, d, &scene.camera),
            Drawn::Picture(d) => picture::paint_picture(canvas, d, &scene.camera, theme),
            Drawn::Spots(d) => spots::paint_spots(canvas, d, &scene.camera),
        }
    }
}

/// Whether a mode shows the section at a pixel of a pane of this width: the swipe at and right of
/// `share · width`, the checker on squares whose column and row number have an even sum (so the one at the
/// top left is shown).
#[must_use]
pub fn is_shown(compare: Compare, x: usize, y: usize, width: usize) -> bool {
    match compare {
        Compare::Blend | Compare::Contour => true,
        Compare::Flicker(on) => on,
        Compare::Swipe(share) => x as f32 + 0.5 >= share * width as f32,
        Compare::Checker(px) => {
            let square = |v: usize| ((v as f32 + 0.5) / px.max(1.0)).floor() as usize;
            (square(x) + square(y)).is_multiple_of(2)
        }
    }
}
