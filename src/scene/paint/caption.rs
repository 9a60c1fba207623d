//! The sentences under a picture that is handed on: what it shows, from what, how good, by which program.

use super::board::Board;
use super::canvas::Canvas;
use super::text::{Style, text_width};
use super::{Image, PaintTheme, paint};
use crate::scene::Scene;
use crate::space::DVec2;

/// Text height, line pitch and margin in points.
const TEXT: f64 = 11.0;
const PITCH: f64 = 15.0;
const MARGIN: f64 = 10.0;

/// Behind the sentences.
const BAND: [u8; 3] = [0x15, 0x17, 0x1A];

/// Lines that fit a width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    lines: Vec<(String, bool)>,
    /// Height of the band they take, in pixels.
    pub height_px: u32,
    width_px: u32,
}

impl Caption {
    /// Breaks sentences between words so that they fit a width; the first is plain, the others dim.
    #[must_use]
    pub fn new(sentences: &[String], width_px: u32, theme: &PaintTheme) -> Self {
        let point = f64::from(theme.pixels_per_point);
        let room = f64::from(width_px) - 2.0 * MARGIN * point;
        let mut lines = Vec::new();
        for (i, sentence) in sentences.iter().enumerate() {
            let mut line = String::new();
            for word in sentence.split(' ').filter(|w| !w.is_empty()) {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if !line.is_empty() && text_width(&longer, TEXT * point, false) > room {
                    lines.push((std::mem::replace(&mut line, word.to_owned()), i == 0));
                } else {
                    line = longer;
                }
            }
            if !line.is_empty() {
                lines.push((line, i == 0));
            }
        }
        let height = if lines.is_empty() { 0.0 } else { (2.0 * MARGIN + (lines.len() as f64 - 1.0) * PITCH + TEXT) * point };
        Self { lines, height_px: height.ceil() as u32, width_px }
    }

    /// Puts the lines on a board, `top` pixels down.
    pub(super) fn write(&self, board: &mut dyn Board, top: f64, theme: &PaintTheme) {
        let point = f64::from(theme.pixels_per_point);
        let (width, bottom) = (f64::from(self.width_px), top + f64::from(self.height_px));
        let corners = [DVec2::new(0.0, top), DVec2::new(width, top), DVec2::new(width, bottom), DVec2::new(0.0, bottom)];
        if self.lines.is_empty() {
            return;
        }
        board.fill(&corners, [BAND[0], BAND[1], BAND[2], 255], None);
        for (i, (line, is_plain)) in self.lines.iter().enumerate() {
            let rgb = if *is_plain { theme.text } else { theme.dim };
            let at = DVec2::new(MARGIN * point, top + (MARGIN + i as f64 * PITCH) * point);
            board.text(at, line, Style { em: TEXT * point, bold: false, rgb, anchor: DVec2::ZERO, halo: false });
        }
    }
}

/// A scene with its caption below it: as high as both together.
#[must_use]
pub fn paint_with_caption(scene: &Scene, caption: &Caption, theme: &PaintTheme) -> Image {
    let mut image = paint(scene, theme);
    let mut band = Canvas::new([scene.size_px[0], caption.height_px], BAND);
    caption.write(&mut band, 0.0, theme);
    image.rgba.extend(band.finish().rgba);
    image.height += caption.height_px as usize;
    image
}
