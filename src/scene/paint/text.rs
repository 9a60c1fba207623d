//! Text on images: Inter, with tabular digits, on a soft dark halo and never on a plate.

use super::canvas::{Canvas, Mask};
use crate::space::DVec2;
use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont};
use std::sync::OnceLock;

/// Inter Regular: Latin, Greek, arrows; its digits are tabular.
pub const FONT_REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");

/// Inter Semi Bold, as [`FONT_REGULAR`].
pub const FONT_SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// Height of a capital letter as a share of the em.
const CAPITAL: f64 = 0.727;

/// How a line of text is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Em in pixels.
    pub em: f64,
    pub bold: bool,
    pub rgb: [u8; 3],
    /// Which point of the line `at` is: (0, 0) the left end at the capitals' top, (1, 1) the right end
    /// of the baseline.
    pub anchor: DVec2,
    pub halo: bool,
}

struct Line {
    glyphs: Vec<(GlyphId, f64)>,
    width: f64,
}

fn font(bold: bool) -> Option<&'static FontRef<'static>> {
    static FONTS: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| [FONT_REGULAR, FONT_SEMIBOLD].map(|bytes| FontRef::try_from_slice(bytes).ok()));
    fonts[usize::from(bold)].as_ref()
}

fn scale(font: &FontRef<'_>, em: f64) -> PxScale {
    // A `PxScale` is the height from ascender to descender, not the em.
    let em_units = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(em as f32 * font.height_unscaled() / em_units)
}

fn set_line(font: &FontRef<'_>, text: &str, em: f64) -> Line {
    let scaled = font.as_scaled(scale(font, em));
    let (mut glyphs, mut width, mut last) = (Vec::new(), 0.0, None);
    for c in text.chars() {
        let id = scaled.glyph_id(c);
        if let Some(last) = last {
            width += f64::from(scaled.kern(last, id));
        }
        glyphs.push((id, width));
        width += f64::from(scaled.h_advance(id));
        last = Some(id);
    }
    Line { glyphs, width }
}

/// Width of a line in pixels.
pub(in crate::scene) fn text_width(text: &str, em: f64, bold: bool) -> f64 {
    font(bold).map_or(0.0, |f| set_line(f, text, em).width)
}

/// Draws one line; the baseline and the left end fall on whole pixels.
pub(super) fn draw_text(canvas: &mut Canvas, at: DVec2, text: &str, style: Style) {
    let Some(font) = font(style.bold) else { return };
    let line = set_line(font, text, style.em);
    let cap = style.em * CAPITAL;
    let start = DVec2::new(at.x - style.anchor.x * line.width, at.y + (1.0 - style.anchor.y) * cap).round();
    let low = start - DVec2::new(2.0, style.em * 1.2);
    let high = start + DVec2::new(line.width + 2.0, style.em * 0.5);
    let Some(mut mask) = canvas.mask(low, high, 0.0) else { return };
    draw_glyphs(&mut mask, font, &line, style.em, start);
    if style.halo {
        let radius = (style.em / 9.0).round().max(1.0) as usize;
        if let Some(halo) = mask.halo(canvas, radius) {
            canvas.stamp(&halo, [0; 3], |s| (s * 1.5).min(1.0) * 0.8);
        }
    }
    canvas.stamp(&mask, style.rgb, |s| s.min(1.0));
}

fn draw_glyphs(mask: &mut Mask, font: &FontRef<'_>, line: &Line, em: f64, start: DVec2) {
    let scale = scale(font, em);
    for &(id, x) in &line.glyphs {
        let glyph = id.with_scale_and_position(scale, ab_glyph::point((start.x + x) as f32, start.y as f32));
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let bounds = outline.px_bounds();
        let (left, top) = (bounds.min.x as i64 - mask.left as i64, bounds.min.y as i64 - mask.top as i64);
        outline.draw(|dx, dy, share| {
            let (x, y) = (left + i64::from(dx), top + i64::from(dy));
            if (0..mask.width as i64).contains(&x) && (0..mask.height as i64).contains(&y) {
                mask.share[y as usize * mask.width + x as usize] += share;
            }
        });
    }
}
