//! Marks of a scene with the window's painter: the same meaning and sizes as the processor painter. Text and
//! lines have a soft dark halo and no plate.

use super::polygon;
use super::theme::Theme;
use crate::model::ColorMap;
use crate::scene::{Camera, Corner, LEGEND_ROWS, Mark, Pies, Scene, color, rule_lines, significant};
use crate::space::DVec2;
use egui::{Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

const MARGIN: f32 = 8.0;
const PITCH: f32 = 15.0;

/// A pane's painter: pane mm to points of the window.
pub(super) struct Pen<'a> {
    pub(super) painter: Painter,
    pub(super) rect: Rect,
    pub(super) camera: Camera,
    pub(super) size_px: [u32; 2],
    pub(super) pixels_per_point: f32,
    pub(super) theme: &'a Theme,
}

impl Pen<'_> {
    /// The window position of a point in pane mm.
    pub(super) fn at(&self, p: DVec2) -> Pos2 {
        let px = self.camera.px_from_mm(self.size_px, p) / f64::from(self.pixels_per_point);
        self.rect.min + vec2(px.x as f32, px.y as f32)
    }

    /// Pane mm of a window position.
    pub(super) fn mm(&self, p: Pos2) -> DVec2 {
        let px = (p - self.rect.min) * self.pixels_per_point;
        self.camera.mm_from_px(self.size_px, DVec2::new(f64::from(px.x), f64::from(px.y)))
    }

    /// All marks of a scene, in order.
    pub(super) fn draw(&self, scene: &Scene) {
        scene.marks.iter().for_each(|m| self.mark(m));
    }

    fn mark(&self, mark: &Mark) {
        match mark {
            Mark::Letters(letters) => self.letters(letters),
            Mark::ScaleBar { mm, label } => self.scale_bar(*mm, label),
            Mark::ColorBar { color_map, low, high, title, rule, names } if names.is_empty() => {
                self.color_bar(*color_map, (*low, *high), title, rule);
            }
            Mark::ColorBar { color_map, low, high, title, names, .. } => self.legend(*color_map, (*low, *high), title, names),
            Mark::Text { corner, lines } => self.corner_text(*corner, lines),
            Mark::Label { at, text, ink } => self.label(self.at(*at), text, self.theme.ink(*ink)),
            Mark::Line { points, closed, ink, width_px, dashed } => {
                let points: Vec<Pos2> = points.iter().map(|&p| self.at(p)).collect();
                let width = width_px / self.pixels_per_point;
                self.line(&points, *closed, Stroke::new(width, self.theme.ink(*ink)), *dashed);
            }
            Mark::Fill { points, rgba, hatched } => self.fill(points, *rgba, *hatched),
            Mark::Landmark { at, number, name, hollow, selected, ink } => {
                let text = if *selected && !name.is_empty() { format!("{number} {name}") } else { number.to_string() };
                self.landmark(self.at(*at), &text, *hollow, *selected, self.theme.ink(*ink));
            }
            Mark::Pies(pies) => self.pies(pies),
            Mark::Cursor { at, sd_mm } => self.cursor(*at, *sd_mm),
        }
    }

    fn font(&self, bold: bool) -> FontId {
        if bold { Theme::strong(self.theme.size.overlay) } else { self.theme.overlay_font() }
    }

    /// A line of text with a halo.
    pub(super) fn text(&self, at: Pos2, align: Align2, text: &str, font: FontId, ink: Color32) -> Rect {
        let galley = self.painter.layout_no_wrap(text.to_owned(), font, ink);
        let rect = align.anchor_size(at, galley.size());
        let dark = Color32::from_black_alpha(110);
        for offset in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)] {
            let at = rect.min + vec2(offset.0, offset.1);
            self.painter.galley_with_override_text_color(at, galley.clone(), dark);
        }
        self.painter.galley(rect.min, galley, ink);
        rect
    }

    /// A centered label; one that is wider than the pane is broken into lines, the first where it belongs.
    fn label(&self, at: Pos2, text: &str, ink: Color32) {
        let room = self.rect.width() - 2.0 * MARGIN;
        let mut line = String::new();
        let mut lines = Vec::new();
        let width = |t: &str| self.painter.layout_no_wrap(t.to_owned(), self.font(false), ink).size().x;
        if width(text) > room {
            for word in text.split(' ') {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if width(&longer) > room && !line.is_empty() {
                    lines.push(std::mem::replace(&mut line, word.to_owned()));
                } else {
                    line = longer;
                }
            }
            lines.push(line);
        } else {
            lines.push(text.to_owned());
        }
        for (i, line) in lines.iter().enumerate() {
            self.text(at + vec2(0.0, i as f32 * PITCH), Align2::CENTER_CENTER, line, self.font(false), ink);
        }
    }

    fn letters(&self, [left, right, top, bottom]: &[String; 4]) {
        let (r, ink) = (self.rect.shrink(MARGIN), self.theme.on_image().text);
        let font = Theme::strong(self.theme.size.overlay + 1.0);
        let places = [
            (r.left_center(), Align2::LEFT_CENTER, left),
            (r.right_center(), Align2::RIGHT_CENTER, right),
            (r.center_top(), Align2::CENTER_TOP, top),
            (r.center_bottom(), Align2::CENTER_BOTTOM, bottom),
        ];
        for (at, align, text) in places {
            self.text(at, align, text, font.clone(), ink);
        }
    }

    fn scale_bar(&self, mm: f64, label: &str) {
        let length = (mm / self.camera.mm_per_px) as f32 / self.pixels_per_point;
        let end = self.rect.max - vec2(MARGIN + 4.0, MARGIN + 4.0);
        let start = end - vec2(length, 0.0);
        let (tick, stroke) = (vec2(0.0, 3.0), Stroke::new(1.5, self.theme.on_image().text));
        for part in [[start, end], [start - tick, start + tick], [end - tick, end + tick]] {
            self.line(&part, false, stroke, false);
        }
        let middle = start + (end - start) * 0.5 - vec2(0.0, 4.0);
        let galley = self.painter.layout_no_wrap(label.to_owned(), self.font(false), stroke.color);
        let x = middle.x.min(self.rect.right() - galley.size().x / 2.0 - MARGIN);
        self.text(pos2(x, middle.y), Align2::CENTER_BOTTOM, label, self.font(false), stroke.color);
    }

    fn color_bar(&self, map: ColorMap, (low, high): (f64, f64), title: &str, rule: &str) {
        let top = MARGIN + 22.0;
        let height = (self.rect.height() * 0.5 - top - 44.0).clamp(16.0, 160.0);
        let right = self.rect.right() - MARGIN - 4.0;
        let first = pos2(right - 10.0, self.rect.top() + top);
        let bar = Rect::from_min_max(first, pos2(right, first.y + height));
        self.painter.rect_filled(bar.expand(1.5), 1.0, Color32::from_black_alpha(140));
        let mut mesh = Mesh::default();
        for i in 0..=32u32 {
            let t = i as f32 / 32.0;
            let [r, g, b] = color(map, 1.0 - t);
            let y = bar.top() + t * bar.height();
            mesh.colored_vertex(pos2(bar.left(), y), Color32::from_rgb(r, g, b));
            mesh.colored_vertex(pos2(bar.right(), y), Color32::from_rgb(r, g, b));
            if i > 0 {
                let k = 2 * i;
                mesh.add_triangle(k - 2, k - 1, k);
                mesh.add_triangle(k - 1, k + 1, k);
            }
        }
        self.painter.add(Shape::mesh(mesh));
        let middle = if low < 0.0 && high > 0.0 { 0.0 } else { f64::midpoint(low, high) };
        let ticks: &[f64] = if height > 60.0 { &[low, middle, high] } else { &[low, high] };
        let colors = self.theme.on_image();
        for &value in ticks {
            let t = if high > low { ((value - low) / (high - low)) as f32 } else { 0.0 };
            let at = pos2(bar.left() - 5.0, bar.bottom() - t * height);
            self.text(at, Align2::RIGHT_CENTER, &significant(value, 3), self.font(false), colors.text);
        }
        let bold = Theme::strong(self.theme.size.overlay + 1.0);
        self.text(pos2(right, self.rect.top() + MARGIN), Align2::RIGHT_TOP, title, bold, colors.text);
        for (i, line) in rule_lines(rule, 26).iter().enumerate() {
            let at = pos2(right, bar.bottom() + 8.0 + 14.0 * i as f32);
            self.text(at, Align2::RIGHT_TOP, &self.fitting(line), self.font(false), colors.dim);
        }
    }

    /// Categories with their colors, above the letter in the middle of the edge; those without room are counted.
    fn legend(&self, map: ColorMap, (low, high): (f64, f64), title: &str, names: &[String]) {
        let (colors, right) = (self.theme.on_image(), self.rect.right() - MARGIN - 4.0);
        let bold = Theme::strong(self.theme.size.overlay + 1.0);
        self.text(pos2(right, self.rect.top() + MARGIN), Align2::RIGHT_TOP, title, bold, colors.text);
        let top = self.rect.top() + MARGIN + 22.0;
        let room = (((self.rect.height() * 0.5 - 14.0 - MARGIN - 22.0) / PITCH) as usize).clamp(1, LEGEND_ROWS);
        let shown = if names.len() > room { room - 1 } else { names.len() };
        for (code, name) in names.iter().take(shown).enumerate() {
            let [r, g, b] = color(map, ((code as f64 - low) / (high - low).max(1e-12)) as f32);
            let middle = top + PITCH * (code as f32 + 0.5);
            let patch = Rect::from_min_max(pos2(right - 10.0, middle - 5.0), pos2(right, middle + 5.0));
            self.painter.rect_filled(patch.expand(1.5), 1.0, Color32::from_black_alpha(140));
            self.painter.rect_filled(patch, 1.0, Color32::from_rgb(r, g, b));
            self.text(pos2(right - 16.0, middle), Align2::RIGHT_CENTER, &self.fitting(name), self.font(false), colors.text);
        }
        if shown < names.len() {
            let at = pos2(right, top + PITCH * (shown as f32 + 0.5));
            let text = format!("{} more", names.len() - shown);
            self.text(at, Align2::RIGHT_CENTER, &text, self.font(false), colors.dim);
        }
    }

    fn corner_text(&self, corner: Corner, lines: &[String]) {
        let r = self.rect.shrink(MARGIN);
        let (align, below) = match corner {
            Corner::TopLeft => (Align2::LEFT_TOP, false),
            Corner::TopRight => (Align2::RIGHT_TOP, false),
            Corner::BottomLeft => (Align2::LEFT_BOTTOM, true),
            Corner::BottomRight => (Align2::RIGHT_BOTTOM, true),
        };
        // Where the text would meet the letter in the middle of the edge, it makes room for it.
        let half = self.rect.width() / 2.0 - MARGIN - 26.0;
        let width = |line: &String| self.painter.layout_no_wrap(line.clone(), self.font(false), Color32::WHITE).size().x;
        let at_edge = if below { lines.last() } else { lines.first() };
        let lift = if at_edge.is_some_and(|l| width(l) > half) { 1.0 } else { 0.0 };
        for (i, line) in lines.iter().enumerate() {
            let shift = if below { -((lines.len() - 1 - i) as f32) - lift } else { i as f32 + lift } * PITCH;
            let at = align.pos_in_rect(&r) + vec2(0.0, shift);
            self.text(at, align, &self.fitting(line), self.font(false), self.theme.on_image().text);
        }
    }

    /// As much of a line of text as the pane has room for, with an ellipsis where it is cut.
    fn fitting(&self, line: &str) -> String {
        let room = self.rect.width() - 2.0 * MARGIN;
        let width = |t: &str| self.painter.layout_no_wrap(t.to_owned(), self.font(false), Color32::WHITE).size().x;
        let mut text = line.to_owned();
        while width(&text) > room && text.chars().count() > 2 {
            text = text.trim_end_matches('…').chars().take(text.chars().count().saturating_sub(2)).collect::<String>() + "…";
        }
        text
    }

    /// A line with a halo.
    pub(super) fn line(&self, points: &[Pos2], closed: bool, stroke: Stroke, dashed: bool) {
        let mut path = points.to_vec();
        if closed && let Some(first) = points.first() {
            path.push(*first);
        }
        let halo = Stroke::new(stroke.width + 2.0, Color32::from_black_alpha(80));
        if dashed {
            self.painter.extend(Shape::dashed_line(&path, halo, 5.0, 4.0));
            self.painter.extend(Shape::dashed_line(&path, stroke, 5.0, 4.0));
        } else if closed {
            self.painter.add(Shape::closed_line(points.to_vec(), halo));
            self.painter.add(Shape::closed_line(points.to_vec(), stroke));
        } else {
            self.painter.add(Shape::line(path.clone(), halo));
            self.painter.add(Shape::line(path, stroke));
        }
    }

    fn fill(&self, points: &[DVec2], [r, g, b, a]: [u8; 4], hatched: bool) {
        let points: Vec<Pos2> = points.iter().map(|&p| self.at(p)).collect();
        let color = Color32::from_rgba_unmultiplied(r, g, b, a);
        if hatched {
            for part in polygon::hatching(&points, 7.0) {
                self.painter.line_segment(part, Stroke::new(1.0, color));
            }
            return;
        }
        let mut mesh = Mesh::default();
        points.iter().for_each(|p| mesh.colored_vertex(*p, color));
        for [a, b, c] in polygon::triangles(&points) {
            mesh.add_triangle(a as u32, b as u32, c as u32);
        }
        self.painter.add(Shape::mesh(mesh));
    }

    fn landmark(&self, at: Pos2, text: &str, hollow: bool, selected: bool, ink: Color32) {
        let dark = Stroke::new(3.5, Color32::from_black_alpha(90));
        if selected {
            self.painter.circle_stroke(at, 8.5, dark);
            self.painter.circle_stroke(at, 8.5, Stroke::new(1.5, self.theme.on_image().accent));
        }
        self.painter.circle_stroke(at, 5.0, dark);
        self.painter.circle_stroke(at, 5.0, Stroke::new(1.5, ink));
        if !hollow {
            self.painter.circle_filled(at, 3.0, ink);
        }
        self.text(at + vec2(9.0, -5.0), Align2::LEFT_BOTTOM, text, self.font(true), ink);
    }

    /// All discs in one mesh of triangles.
    fn pies(&self, pies: &Pies) {
        let radius = (pies.radius_mm / self.camera.mm_per_px) as f32 / self.pixels_per_point;
        let around = (radius * self.pixels_per_point * 1.5).clamp(16.0, 72.0);
        let mut mesh = Mesh::default();
        for (i, center) in pies.centers.iter().enumerate() {
            let center = self.at(*center);
            for (color, from, to) in pies.wedges(i) {
                let [r, g, b] = pies.rgb[color];
                let ink = Color32::from_rgba_unmultiplied(r, g, b, pies.opacity[i]);
                let steps = (((to - from) * around).ceil() as u32).max(1);
                let first = mesh.vertices.len() as u32;
                mesh.colored_vertex(center, ink);
                for s in 0..=steps {
                    let [x, y] = Pies::direction(from + (to - from) * s as f32 / steps as f32);
                    mesh.colored_vertex(center + vec2(x, y) * radius, ink);
                    if s > 0 {
                        mesh.add_triangle(first, first + s, first + s + 1);
                    }
                }
            }
        }
        self.painter.add(Shape::mesh(mesh));
    }

    fn cursor(&self, at: DVec2, sd_mm: Option<f64>) {
        let (center, accent) = (self.at(at), self.theme.on_image().accent);
        for direction in [vec2(1.0, 0.0), vec2(0.0, 1.0), vec2(-1.0, 0.0), vec2(0.0, -1.0)] {
            self.line(&[center + direction * 4.0, center + direction * 14.0], false, Stroke::new(1.5, accent), false);
        }
        let radius = (sd_mm.unwrap_or(0.0) / self.camera.mm_per_px) as f32 / self.pixels_per_point;
        if radius.is_finite() && radius > 2.0 && radius < 4.0 * self.rect.size().max_elem() {
            let n = ((radius * 1.5) as usize).clamp(24, 360);
            let ring: Vec<Pos2> =
                (0..n).map(|i| center + egui::Vec2::angled(i as f32 / n as f32 * std::f32::consts::TAU) * radius).collect();
            self.line(&ring, true, Stroke::new(1.0, accent), true);
        }
    }
}
