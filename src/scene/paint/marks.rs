//! Marks as vectors: letters, bars, lines, polygons, landmarks, the cursor. Lines are soft by one pixel
//! and have a thin dark halo, so that they read on bright and on dark images.

use super::PaintTheme;
use super::board::Board;
use super::text::{Style, text_width};
use crate::model::ColorMap;
use crate::scene::{Camera, Corner, LEGEND_ROWS, Mark, Pies, color, rule_lines, significant};
use crate::space::DVec2;

/// Text height, margin to the pane's edge and line pitch in points.
const TEXT: f64 = 11.0;
const MARGIN: f64 = 8.0;
const PITCH: f64 = 15.0;
/// Letters in a line of a color bar's rule.
const RULE_LETTERS: usize = 26;

struct Pen<'a> {
    board: &'a mut dyn Board,
    camera: &'a Camera,
    theme: &'a PaintTheme,
    point: f64,
}

/// Puts a mark on pixels or among shapes.
pub(super) fn paint_mark(board: &mut dyn Board, mark: &Mark, camera: &Camera, theme: &PaintTheme) {
    let mut pen = Pen { board, camera, theme, point: f64::from(theme.pixels_per_point) };
    match mark {
        Mark::Letters(letters) => pen.letters(letters),
        Mark::ScaleBar { mm, label } => pen.scale_bar(*mm, label),
        Mark::ColorBar { color_map, low, high, title, names, .. } if !names.is_empty() => {
            pen.legend(*color_map, [*low, *high], title, names);
        }
        Mark::ColorBar { color_map, low, high, title, rule, .. } => {
            let bottom = pen.color_bar(*color_map, *low, *high);
            pen.color_bar_text(bottom, title, rule);
        }
        Mark::Text { corner, lines } => pen.corner_text(*corner, lines),
        Mark::Label { at, text, ink } => {
            let rgb = theme.rgb(*ink);
            let at = pen.px(*at);
            pen.text(at, text, (TEXT, false), rgb, DVec2::splat(0.5));
        }
        Mark::Line { points, closed, ink, width_px, dashed } => {
            let points: Vec<DVec2> = points.iter().map(|&p| pen.px(p)).collect();
            pen.line(&points, *closed, theme.rgb(*ink), f64::from(*width_px), *dashed);
        }
        Mark::Fill { points, rgba, hatched } => pen.fill(points, *rgba, *hatched),
        Mark::Landmark { at, number, name, hollow, selected, ink } => {
            let text = if *selected && !name.is_empty() { format!("{number} {name}") } else { number.to_string() };
            pen.landmark(*at, &text, *hollow, *selected, theme.rgb(*ink));
        }
        Mark::Pies(pies) => pen.pies(pies),
        Mark::Cursor { at, sd_mm } => pen.cursor(*at, *sd_mm),
    }
}

impl Pen<'_> {
    fn px(&self, p: DVec2) -> DVec2 {
        self.camera.px_from_mm(self.board.size_px(), p)
    }

    fn text(&mut self, at: DVec2, text: &str, (height, bold): (f64, bool), rgb: [u8; 3], anchor: DVec2) {
        self.board.text(at, text, Style { em: height * self.point, bold, rgb, anchor, halo: true });
    }

    fn letters(&mut self, [left, right, top, bottom]: &[String; 4]) {
        let size = self.board.size();
        let (margin, rgb) = (MARGIN * self.point, self.theme.text);
        let middle = size / 2.0;
        let mut put = |x, y, text: &str, ax, ay| {
            self.text(DVec2::new(x, y), text, (TEXT + 1.0, true), rgb, DVec2::new(ax, ay));
        };
        put(margin, middle.y, left, 0.0, 0.5);
        put(size.x - margin, middle.y, right, 1.0, 0.5);
        put(middle.x, margin, top, 0.5, 0.0);
        put(middle.x, size.y - margin, bottom, 0.5, 1.0);
    }

    fn scale_bar(&mut self, mm: f64, label: &str) {
        let size = self.board.size();
        let end = size - DVec2::splat((MARGIN + 4.0) * self.point);
        let start = end - DVec2::X * (mm / self.camera.mm_per_px);
        let (tick, rgb) = (DVec2::Y * (3.0 * self.point), self.theme.text);
        let lines = [[start, end], [start - tick, start + tick], [end - tick, end + tick]];
        self.stroke(&lines, rgb, 1.5 * self.point);
        let middle = (start + end) / 2.0 - DVec2::Y * (6.0 * self.point);
        let half = text_width(label, TEXT * self.point, false) / 2.0;
        let at = DVec2::new(middle.x.min(size.x - half - MARGIN * self.point), middle.y);
        self.text(at, label, (TEXT, false), rgb, DVec2::new(0.5, 1.0));
    }

    fn bar_box(&self) -> [DVec2; 2] {
        let (size, point) = (self.board.size(), self.point);
        let top = (MARGIN + 22.0) * point;
        let height = (size.y * 0.5 - top - 44.0 * point).clamp(16.0 * point, 160.0 * point);
        let right = size.x - (MARGIN + 4.0) * point;
        [DVec2::new(right - 10.0 * point, top).round(), DVec2::new(right, top + height).round()]
    }

    /// Returns the y of the bar's lower end.
    fn color_bar(&mut self, map: ColorMap, low: f64, high: f64) -> f64 {
        let [first, last] = self.bar_box();
        let corners = [first, DVec2::new(last.x, first.y), last, DVec2::new(first.x, last.y)];
        self.line(&corners, true, [0; 3], 2.0 * self.point, false);
        let height = (last.y - first.y).max(1.0);
        self.board.ramp([first, last], map);
        let middle = if low < 0.0 && high > 0.0 { 0.0 } else { f64::midpoint(low, high) };
        let ticks: &[f64] = if height > 60.0 * self.point { &[low, middle, high] } else { &[low, high] };
        for &value in ticks {
            let t = if high > low { (value - low) / (high - low) } else { 0.0 };
            let at = DVec2::new(first.x - 5.0 * self.point, last.y - t * height);
            self.text(at, &significant(value, 3), (TEXT, false), self.theme.text, DVec2::new(1.0, 0.5));
        }
        last.y
    }

    /// Categories with their colors, above the letter in the middle of the edge; those without room are counted.
    fn legend(&mut self, map: ColorMap, [low, high]: [f64; 2], title: &str, names: &[String]) {
        let (size, point, text) = (self.board.size(), self.point, self.theme.text);
        let (right, top) = (size.x - (MARGIN + 4.0) * point, (MARGIN + 22.0) * point);
        self.text(DVec2::new(right, MARGIN * point), title, (TEXT + 1.0, true), text, DVec2::new(1.0, 0.0));
        let room = (((size.y * 0.5 - 14.0 * point - top) / (PITCH * point)) as usize).clamp(1, LEGEND_ROWS);
        let shown = if names.len() > room { room - 1 } else { names.len() };
        let middle = |row: usize| top + PITCH * (row as f64 + 0.5) * point;
        for (code, name) in names.iter().take(shown).enumerate() {
            let [r, g, b] = color(map, ((code as f64 - low) / (high - low).max(1e-12)) as f32);
            let first = DVec2::new(right - 10.0 * point, middle(code) - 5.0 * point);
            let last = first + DVec2::splat(10.0 * point);
            let corners = [first, DVec2::new(last.x, first.y), last, DVec2::new(first.x, last.y)];
            self.line(&corners, true, [0; 3], 2.0 * point, false);
            self.board.fill(&corners, [r, g, b, 255], None);
            self.text(DVec2::new(right - 16.0 * point, middle(code)), name, (TEXT, false), text, DVec2::new(1.0, 0.5));
        }
        if shown < names.len() {
            let more = format!("{} more", names.len() - shown);
            self.text(DVec2::new(right, middle(shown)), &more, (TEXT, false), text, DVec2::new(1.0, 0.5));
        }
    }

    fn color_bar_text(&mut self, bottom: f64, title: &str, rule: &str) {
        let right = self.board.size().x - (MARGIN + 4.0) * self.point;
        let text = self.theme.text;
        self.text(DVec2::new(right, MARGIN * self.point), title, (TEXT + 1.0, true), text, DVec2::new(1.0, 0.0));
        for (i, line) in rule_lines(rule, RULE_LETTERS).iter().enumerate() {
            let y = bottom + (12.0 + PITCH * i as f64) * self.point;
            self.text(DVec2::new(right, y), line, (TEXT, false), text, DVec2::new(1.0, 0.0));
        }
    }

    fn corner_text(&mut self, corner: Corner, lines: &[String]) {
        let (size, margin, pitch) = (self.board.size(), MARGIN * self.point, PITCH * self.point);
        let right = matches!(corner, Corner::TopRight | Corner::BottomRight);
        let below = matches!(corner, Corner::BottomLeft | Corner::BottomRight);
        let widest = lines.iter().map(|l| text_width(l, TEXT * self.point, false)).fold(0.0, f64::max);
        // Clear of the letter in the middle of the edge, and of the scale bar beyond it.
        let rows = match widest + 2.0 * margin {
            w if w < size.x * 0.5 - 16.0 * self.point => 0.0,
            w if w < size.x * 0.66 || !below => 1.0,
            _ => 2.0,
        };
        let margin_y = margin + rows * pitch;
        for (i, line) in lines.iter().enumerate() {
            let x = if right { size.x - margin } else { margin };
            let y = if below { size.y - margin_y - (lines.len() - 1 - i) as f64 * pitch } else { margin_y + i as f64 * pitch };
            let anchor = DVec2::new(f64::from(u8::from(right)), f64::from(u8::from(below)));
            self.text(DVec2::new(x, y), line, (TEXT, false), self.theme.text, anchor);
        }
    }

    fn line(&mut self, points: &[DVec2], closed: bool, rgb: [u8; 3], width: f64, dashed: bool) {
        let end = if closed { points.len() } else { points.len().saturating_sub(1) };
        let ring = points.iter().copied().zip(points.iter().copied().cycle().skip(1)).take(end);
        let whole: Vec<[DVec2; 2]> = ring.map(|(a, b)| [a, b]).collect();
        let parts = if dashed { dashes(&whole, 5.0 * self.point, 4.0 * self.point) } else { whole };
        self.stroke(&parts, rgb, width);
    }

    fn stroke(&mut self, segments: &[[DVec2; 2]], rgb: [u8; 3], width: f64) {
        self.board.stroke(segments, rgb, width, self.point);
    }

    fn fill(&mut self, points: &[DVec2], rgba: [u8; 4], hatched: bool) {
        let points: Vec<DVec2> = points.iter().map(|&p| self.px(p)).collect();
        self.board.fill(&points, rgba, hatched.then_some(self.point));
    }

    fn landmark(&mut self, at: DVec2, text: &str, hollow: bool, selected: bool, rgb: [u8; 3]) {
        let (at, point) = (self.px(at), self.point);
        if selected {
            self.ring(at, 8.5 * point, self.theme.accent, 1.5 * point, false);
        }
        self.ring(at, 5.0 * point, rgb, 1.5 * point, false);
        if !hollow {
            self.stroke(&[[at, at]], rgb, 6.0 * point);
        }
        let width = text_width(text, TEXT * point, true);
        let is_left = at.x + width + (9.0 + MARGIN) * point > self.board.size().x;
        let (dx, anchor) = if is_left { (-9.0, 1.0) } else { (9.0, 0.0) };
        self.text(at + DVec2::new(dx, -6.0) * point, text, (TEXT, true), rgb, DVec2::new(anchor, 1.0));
    }

    fn pies(&mut self, pies: &Pies) {
        let radius = pies.radius_mm / self.camera.mm_per_px;
        for (i, center) in pies.centers.iter().enumerate() {
            let center = self.px(*center);
            let place = |turn: f32| {
                let [x, y] = Pies::direction(turn);
                center + DVec2::new(f64::from(x), f64::from(y)) * radius
            };
            for (color, from, to) in pies.wedges(i) {
                let steps = ((f64::from(to - from) * radius * 4.0).ceil() as u32).clamp(1, 64);
                let arc = (0..=steps).map(|s| place(from + (to - from) * s as f32 / steps as f32));
                let points: Vec<DVec2> = if to - from < 1.0 { [center].into_iter().chain(arc).collect() } else { arc.collect() };
                let [r, g, b] = pies.rgb[color];
                self.board.fill(&points, [r, g, b, pies.opacity[i]], None);
            }
        }
    }

    fn ring(&mut self, at: DVec2, radius: f64, rgb: [u8; 3], width: f64, dashed: bool) {
        let n = ((radius * 1.5) as usize).clamp(24, 720);
        let angle = |i: usize| i as f64 / n as f64 * std::f64::consts::TAU;
        let points: Vec<DVec2> = (0..n).map(|i| at + DVec2::from_angle(angle(i)) * radius).collect();
        self.line(&points, true, rgb, width, dashed);
    }

    fn cursor(&mut self, at: DVec2, sd_mm: Option<f64>) {
        let (at, point, accent) = (self.px(at), self.point, self.theme.accent);
        let arms = [DVec2::X, DVec2::Y, DVec2::NEG_X, DVec2::NEG_Y];
        let lines = arms.map(|d| [at + d * (4.0 * point), at + d * (14.0 * point)]);
        self.stroke(&lines, accent, 1.5 * point);
        let radius = sd_mm.unwrap_or(0.0) / self.camera.mm_per_px;
        if radius.is_finite() && radius > 2.0 && radius < 4.0 * self.board.size().max_element() {
            self.ring(at, radius, accent, point, true);
        }
    }
}

/// The drawn parts of a dashed line.
fn dashes(segments: &[[DVec2; 2]], on: f64, off: f64) -> Vec<[DVec2; 2]> {
    const MOST: usize = 20_000;
    let mut parts = Vec::new();
    let mut along = 0.0f64;
    for [a, b] in segments {
        let length = a.distance(*b);
        if !length.is_finite() || length == 0.0 {
            continue;
        }
        let place = |s: f64| *a + (*b - *a) * ((s - along) / length).clamp(0.0, 1.0);
        let mut k = (along / (on + off)).floor();
        while k * (on + off) < along + length && parts.len() < MOST {
            let (from, to) = (k * (on + off), k * (on + off) + on);
            if to > along {
                parts.push([place(from), place(to)]);
            }
            k += 1.0;
        }
        along += length;
    }
    parts
}
