//! The look: colors, sizes and fonts, read from `assets/theme.toml` and given to egui. Nothing else in the
//! window names a color or a size of its own.

use crate::base::{Error, Result};
use crate::scene::{FONT_REGULAR, FONT_SEMIBOLD, Ink};
use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, TextStyle, Visuals, vec2};
use serde::Deserialize;
use std::sync::Arc;

/// Colors of one theme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colors {
    pub(super) window: Color32,
    pub(super) pane: Color32,
    pub(super) raised: Color32,
    pub(super) hover: Color32,
    pub(super) line: Color32,
    pub(super) text: Color32,
    pub(super) dim: Color32,
    pub(super) accent: Color32,
    pub(super) selection: Color32,
    pub(super) warning: Color32,
    pub(super) error: Color32,
    pub(super) good: Color32,
}

/// Sizes in points at 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct Sizes {
    pub(super) control: f32,
    pub(super) table: f32,
    pub(super) overlay: f32,
    pub(super) title: f32,
    pub(super) step: f32,
    pub(super) control_height: f32,
    pub(super) corner: f32,
}

/// The tokens of the window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Theme {
    dark: Colors,
    light: Colors,
    pub(super) size: Sizes,
    pub(super) is_dark: bool,
}

#[derive(Deserialize)]
struct File {
    dark: Words,
    light: Words,
    size: Sizes,
}

#[derive(Deserialize)]
struct Words {
    window: String,
    pane: String,
    raised: String,
    hover: String,
    line: String,
    text: String,
    dim: String,
    accent: String,
    selection: String,
    warning: String,
    error: String,
    good: String,
}

impl Words {
    fn colors(&self) -> Result<Colors> {
        let color = |word: &String| {
            Color32::from_hex(word).map_err(|_| Error::malformed(format!("{word:?} in the theme is not a color like #15171A")))
        };
        Ok(Colors {
            window: color(&self.window)?,
            pane: color(&self.pane)?,
            raised: color(&self.raised)?,
            hover: color(&self.hover)?,
            line: color(&self.line)?,
            text: color(&self.text)?,
            dim: color(&self.dim)?,
            accent: color(&self.accent)?,
            selection: color(&self.selection)?,
            warning: color(&self.warning)?,
            error: color(&self.error)?,
            good: color(&self.good)?,
        })
    }
}

/// The family of headings.
pub(super) fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

impl Theme {
    /// The tokens of a file's text.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|e| Error::malformed(format!("the theme cannot be read: {e}")))?;
        Ok(Self { dark: file.dark.colors()?, light: file.light.colors()?, size: file.size, is_dark: true })
    }

    /// The built-in tokens.
    pub(super) fn built_in() -> Result<Self> {
        Self::parse(include_str!("../../assets/theme.toml"))
    }

    /// Colors of the panels.
    pub(super) fn colors(&self) -> &Colors {
        if self.is_dark { &self.dark } else { &self.light }
    }

    /// Colors of what lies on an image.
    pub(super) fn on_image(&self) -> &Colors {
        &self.dark
    }

    /// Tint of a mark.
    pub(super) fn ink(&self, ink: Ink) -> Color32 {
        let colors = self.on_image();
        match ink {
            Ink::Plain => colors.text,
            Ink::Dim => colors.dim,
            Ink::Accent => colors.accent,
            Ink::Warning => colors.warning,
            Ink::Error => colors.error,
            Ink::Rgb([r, g, b]) => Color32::from_rgb(r, g, b),
        }
    }

    /// Font of overlay text.
    pub(super) fn overlay_font(&self) -> FontId {
        FontId::proportional(self.size.overlay)
    }

    /// Semibold font of a size.
    pub(super) fn strong(size: f32) -> FontId {
        FontId::new(size, semibold())
    }

    /// Gives colors, sizes and spacing to egui.
    pub(super) fn apply(&self, ctx: &egui::Context) {
        ctx.set_theme(if self.is_dark { egui::Theme::Dark } else { egui::Theme::Light });
        ctx.all_styles_mut(|style| {
            let size = &self.size;
            style.text_styles = [
                (TextStyle::Small, FontId::proportional(size.overlay)),
                (TextStyle::Body, FontId::proportional(size.control)),
                (TextStyle::Monospace, FontId::proportional(size.table)),
                (TextStyle::Button, FontId::proportional(size.control)),
                (TextStyle::Heading, Self::strong(size.title)),
            ]
            .into();
            style.drag_value_text_style = TextStyle::Body;
            style.animation_time = 0.08;
            let s = &mut style.spacing;
            s.item_spacing = vec2(size.step * 1.5, size.step);
            s.button_padding = vec2(size.step * 2.0, 2.0);
            s.interact_size = vec2(size.control_height, size.control_height);
            s.indent = size.step * 4.0;
            s.icon_width = 14.0;
            s.icon_width_inner = 8.0;
            s.slider_width = 120.0;
            s.combo_width = 90.0;
            s.tooltip_width = 360.0;
            s.window_margin = egui::Margin::same(12);
            s.menu_margin = egui::Margin::same(4);
            style.visuals = self.visuals();
        });
    }

    fn visuals(&self) -> Visuals {
        let c = self.colors();
        let corner = CornerRadius::same(self.size.corner as u8);
        let mut v = if self.is_dark { Visuals::dark() } else { Visuals::light() };
        let line = Stroke::new(1.0, c.line);
        for (w, fill, stroke, text) in [
            (&mut v.widgets.noninteractive, c.window, line, c.text),
            (&mut v.widgets.inactive, c.raised, line, c.text),
            (&mut v.widgets.hovered, c.hover, Stroke::new(1.0, c.dim), c.text),
            (&mut v.widgets.active, c.selection, Stroke::new(1.0, c.accent), c.text),
            (&mut v.widgets.open, c.hover, line, c.text),
        ] {
            w.bg_fill = fill;
            w.weak_bg_fill = fill;
            w.bg_stroke = stroke;
            w.fg_stroke = Stroke::new(1.0, text);
            w.corner_radius = corner;
            w.expansion = 0.0;
        }
        v.widgets.inactive.bg_stroke = Stroke::new(1.0, c.dim.gamma_multiply(0.5));
        // Slider rails and check boxes need to be seen on a raised panel.
        v.widgets.inactive.bg_fill = c.line;
        v.selection.bg_fill = c.selection;
        v.selection.stroke = Stroke::new(1.0, c.text);
        v.weak_text_color = Some(c.dim);
        v.hyperlink_color = c.accent;
        v.faint_bg_color = c.raised;
        v.extreme_bg_color = c.pane;
        v.text_edit_bg_color = Some(c.pane);
        v.code_bg_color = c.raised;
        v.warn_fg_color = c.warning;
        v.error_fg_color = c.error;
        v.window_fill = c.raised;
        v.window_stroke = line;
        v.window_corner_radius = corner;
        v.menu_corner_radius = corner;
        v.window_shadow = egui::Shadow::NONE;
        v.popup_shadow = egui::Shadow::NONE;
        v.panel_fill = c.window;
        v.slider_trailing_fill = true;
        v.indent_has_left_vline = false;
        v.disabled_alpha = 0.45;
        v
    }
}

/// Gives the fonts to egui: Inter first, egui's own for what it lacks.
pub(super) fn set_fonts(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::default();
    let own: [(&str, &'static [u8]); 2] = [("Inter", FONT_REGULAR), ("Inter SemiBold", FONT_SEMIBOLD)];
    for (name, bytes) in own {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with = |name: &str| std::iter::once(name.to_owned()).chain(fallback.iter().cloned()).collect::<Vec<_>>();
    fonts.families.insert(semibold(), with("Inter SemiBold"));
    fonts.families.insert(FontFamily::Proportional, with("Inter"));
    ctx.set_fonts(fonts);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.
    fn luminance(c: Color32) -> f64 {
        let part = |v: u8| {
            let s = f64::from(v) / 255.0;
            if s <= 0.04045 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (x, y) = (luminance(a), luminance(b));
        (x.max(y) + 0.05) / (x.min(y) + 0.05)
    }

    #[test]
    fn every_text_can_be_read() {
        let theme = Theme::built_in().unwrap();
        for colors in [theme.dark, theme.light] {
            for ink in [colors.text, colors.dim, colors.accent, colors.warning, colors.error, colors.good] {
                for ground in [colors.window, colors.pane, colors.raised] {
                    assert!(contrast(ink, ground) >= 4.5, "{ink:?} on {ground:?}: {:.2}", contrast(ink, ground));
                }
            }
            assert!(contrast(colors.text, colors.selection) >= 4.5);
        }
    }
}
