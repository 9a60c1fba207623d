//! The views in the middle: panes that can be rearranged, tabbed and maximized, each a picture drawn by the
//! GPU with marks on top.

use super::desk::{Desk, dim};
use super::icon::{Icon, icon_button};
use super::marks::Pen;
use super::theme::Theme;
use super::tree::thousands;
use super::{cut_lines, pane_input, pane_keys};
use crate::model::Excluded;
use crate::render::PaneCallback;
use crate::scene::{CompareMode, Corner, Inputs, Mark, PaneKind, Scene, SceneCache, build};
use crate::session::{Action, Command, Panel, RegisterAction, ViewAction};
use crate::space::{DVec2, Space};
use egui::{Align, Align2, Layout, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, WidgetText, vec2};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, SimplificationOptions, TabState, Tabs, TileId, Tiles, Tree, UiResponse,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A tile of the arrangement: the number of a pane in [`PaneKind::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pane(u8);

impl Pane {
    fn of(kind: PaneKind) -> Self {
        Self(PaneKind::ALL.iter().position(|&k| k == kind).unwrap_or(0) as u8)
    }

    fn kind(self) -> PaneKind {
        PaneKind::ALL.get(usize::from(self.0)).copied().unwrap_or(PaneKind::ShortAxis)
    }
}

/// The arrangement of a new window: heart left, section and overlay right.
pub(super) fn default_tree() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let mut tabs = |kinds: &[PaneKind]| {
        let panes = kinds.iter().map(|&k| tiles.insert_pane(Pane::of(k))).collect();
        tiles.insert_tab_tile(panes)
    };
    let short = tabs(&[PaneKind::ShortAxis, PaneKind::LightBox]);
    let long = tabs(&[PaneKind::TwoChamber, PaneKind::FourChamber]);
    let bullseye = tabs(&[PaneKind::Bullseye, PaneKind::Cohort]);
    let section = tabs(&[PaneKind::Section]);
    let overlay = tabs(&[PaneKind::Overlay]);
    let mut split =
        |dir, children: [TileId; 2], share| tiles.insert_container(Container::Linear(Linear::new_binary(dir, children, share)));
    let lower = split(LinearDir::Horizontal, [long, bullseye], 0.5);
    let left = split(LinearDir::Vertical, [short, lower], 0.56);
    let right = split(LinearDir::Vertical, [section, overlay], 0.5);
    let root = split(LinearDir::Horizontal, [left, right], 0.5);
    Tree::new(egui::Id::unique("panes"), root, tiles)
}

/// Whether an arrangement holds every pane once.
pub(super) fn is_complete(tree: &Tree<Pane>) -> bool {
    PaneKind::ALL.iter().all(|&kind| {
        let same = |t: &egui_tiles::Tile<Pane>| matches!(t, egui_tiles::Tile::Pane(p) if p.kind() == kind);
        tree.tiles.tiles().filter(|t| same(t)).count() == 1
    })
}

/// Draws all panes, or the one that is maximized.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, tree: &mut Tree<Pane>, cache: &mut SceneCache) {
    if let Some(kind) = desk.memo.maximized {
        let height = desk.theme.size.control_height;
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        ui.painter().rect_filled(rect, 0.0, desk.colors().window);
        let mut bar = ui.new_child(
            egui::UiBuilder::new().max_rect(rect.shrink2(vec2(8.0, 0.0))).layout(Layout::left_to_right(Align::Center)),
        );
        bar.label(RichText::new(kind.title()).font(Theme::strong(desk.theme.size.control)));
        bar.with_layout(Layout::right_to_left(Align::Center), |ui| header_right(ui, desk, kind, true));
        canvas(ui, desk, cache, kind);
        return;
    }
    let mut arrangement = Arrangement { desk, cache };
    tree.ui(&mut arrangement, ui);
}

struct Arrangement<'a, 'b> {
    desk: &'a mut Desk<'b>,
    cache: &'a mut SceneCache,
}

impl Behavior<Pane> for Arrangement<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        canvas(ui, self.desk, self.cache, pane.kind());
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        let title = match pane.kind() {
            PaneKind::TwoChamber => "2-chamber",
            PaneKind::FourChamber => "4-chamber",
            other => other.title(),
        };
        RichText::new(title).font(Theme::strong(self.desk.theme.size.table)).into()
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, _: TileId, tabs: &Tabs, _: &mut f32) {
        if let Some(pane) = tabs.active.and_then(|id| tiles.get_pane(&id)) {
            ui.add_space(4.0);
            header_right(ui, self.desk, pane.kind(), tabs.children.len() == 1);
        }
    }

    fn tab_bar_color(&self, _: &egui::Visuals) -> egui::Color32 {
        self.desk.theme.colors().window
    }

    fn tab_bg_color(&self, _: &egui::Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> egui::Color32 {
        self.desk.theme.colors().window
    }

    fn tab_outline_stroke(&self, _: &egui::Visuals, _: &Tiles<Pane>, _: TileId, _: &TabState) -> Stroke {
        Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _: &egui::Visuals) -> Stroke {
        Stroke::NONE
    }

    fn tab_text_color(&self, _: &egui::Visuals, _: &Tiles<Pane>, _: TileId, state: &TabState) -> egui::Color32 {
        let colors = self.desk.theme.colors();
        if state.active { colors.text } else { colors.dim }
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        let colors = self.desk.theme.colors();
        let _ = style;
        match state {
            egui_tiles::ResizeState::Idle => Stroke::new(1.0, colors.line),
            egui_tiles::ResizeState::Hovering | egui_tiles::ResizeState::Dragging => Stroke::new(2.0, colors.accent),
        }
    }

    fn min_size(&self) -> f32 {
        96.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn cycle_tabs_with_keyboard(&self) -> bool {
        false
    }
}

/// What stands at the right of a pane's header, from the right.
fn header_right(ui: &mut Ui, desk: &mut Desk<'_>, kind: PaneKind, roomy: bool) {
    let big = desk.memo.maximized.is_some();
    let (icon, name) =
        if big { (Icon::Restore, "Restore (double click, Esc)") } else { (Icon::Maximize, "Maximize (double click)") };
    if icon_button(ui, icon, name).clicked() {
        desk.memo.maximized = if big { None } else { Some(kind) };
    }
    if kind == PaneKind::Overlay {
        overlay_tools(ui, desk);
        return;
    }
    if kind == PaneKind::Bullseye {
        super::bullseye::tools(ui, desk);
        return;
    }
    if kind.is_heart() {
        super::heart_pane::pin(ui, desk, kind);
        return;
    }
    if kind == PaneKind::LightBox {
        super::heart_pane::light_box_tools(ui, desk);
        return;
    }
    let shows = shows(desk, kind);
    if roomy && !shows.is_empty() && ui.available_width() > 150.0 {
        ui.add(egui::Label::new(dim(desk.theme, shows)).truncate());
    }
}

/// What a pane shows, in its header.
fn shows(desk: &Desk<'_>, kind: PaneKind) -> String {
    let (study, view) = (&desk.session.study, &desk.session.view);
    match kind {
        PaneKind::Section => {
            let section = view.section.and_then(|id| study.section(id));
            section.map_or_else(String::new, |s| s.name.clone())
        }
        PaneKind::Bullseye => desk.session.derived.bullseye_scale.as_ref().map_or_else(String::new, |b| b.title.clone()),
        PaneKind::Cohort => String::new(),
        _ => desk.session.heart_in(kind).map_or_else(String::new, |v| v.name.clone()),
    }
}

const MODES: [(CompareMode, &str); 5] = [
    (CompareMode::Blend, "Blend"),
    (CompareMode::Swipe, "Swipe"),
    (CompareMode::Checker, "Check"),
    (CompareMode::Flicker, "Flick"),
    (CompareMode::Contour, "Edge"),
];

fn overlay_tools(ui: &mut Ui, desk: &mut Desk<'_>) {
    let mode = desk.session.view.compare;
    ui.spacing_mut().item_spacing.x = 2.0;
    ui.spacing_mut().button_padding.x = 5.0;
    if matches!(mode, CompareMode::Blend | CompareMode::Swipe) && ui.available_width() > 380.0 {
        let mut mix = desk.session.view.mix;
        ui.spacing_mut().slider_width = 64.0;
        let hint = if mode == CompareMode::Blend { "Opacity of the section" } else { "Place of the divider" };
        let slider = egui::Slider::new(&mut mix, 0.0..=1.0).show_value(false);
        if ui.add(slider).accessible_name(hint).on_hover_text(hint).changed() {
            desk.view(ViewAction::Mix(mix));
        }
    }
    if ui.available_width() < 310.0 {
        let shown = MODES.iter().find(|(m, _)| *m == mode).map_or("", |(_, n)| n);
        let combo = egui::ComboBox::from_id_salt("compare").selected_text(shown).width(64.0);
        let list = combo.show_ui(ui, |ui| {
            for (m, name) in MODES {
                if ui.selectable_label(m == mode, name).clicked() {
                    desk.run(Command::Compare(m));
                }
            }
        });
        list.response.accessible_name(format!("How section and heart share the overlay: {shown}"));
        return;
    }
    for (i, (m, name)) in MODES.iter().enumerate().rev() {
        let text = RichText::new(*name).font(egui::FontId::proportional(desk.theme.size.table));
        let button = egui::Button::selectable(*m == mode, text);
        let spec = crate::session::spec_of(Command::Compare(*m));
        let tip = spec.map_or_else(String::new, |s| format!("{} ({})", s.text, i + 1));
        if ui.add(button).on_hover_text(tip).clicked() {
            desk.run(Command::Compare(*m));
        }
    }
}

/// The picture of a pane with its marks and its mouse.
fn canvas(ui: &mut Ui, desk: &mut Desk<'_>, cache: &mut SceneCache, kind: PaneKind) {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
    let name = format!("{} pane", kind.title());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
    if rect.width() < 8.0 || rect.height() < 8.0 {
        return;
    }
    let per = ui.pixels_per_point();
    let size_px = [(rect.width() * per).round().max(1.0) as u32, (rect.height() * per).round().max(1.0) as u32];
    desk.memo.pixels_per_point = per;
    let session = desk.session;
    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: per };
    let mut scene = build(&inputs, cache, kind, size_px);
    // The header says already what the pane shows.
    let shows = shows(desk, kind);
    scene.marks.retain(|m| !matches!(m, Mark::Text { corner: Corner::TopLeft, lines } if *lines == [shows.as_str()]));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0.0, egui::Color32::BLACK);
    let pen = Pen { painter, rect, camera: scene.camera, size_px, pixels_per_point: per, theme: desk.theme };
    let waits = !desk.has_content(kind) && !session.is_idle();
    if waits {
        waiting(ui, desk, rect, kind);
    } else {
        paint(&pen, kind, scene.clone());
    }
    if let Some((shown, of)) = desk.memo.shown_of.get(&kind).filter(|_| kind == PaneKind::Section) {
        let text = format!("{} of {} spots drawn at this zoom", thousands(*shown), thousands(*of));
        let at = rect.left_bottom() + vec2(8.0, -24.0);
        pen.text(at, Align2::LEFT_BOTTOM, &text, desk.theme.overlay_font(), desk.theme.on_image().dim);
    }
    if desk.has_content(kind) {
        pane_input::interact(ui, &response, desk, kind, &pen, &scene);
        pane_keys::interact(ui, &response, desk, kind, &pen, &scene);
        if let Some(hit) = desk.memo.cohort_hit.as_ref().filter(|_| kind == PaneKind::Cohort) {
            response.clone().on_hover_text_at_pointer(hit.lines.join("\n"));
        }
        if let Some((_, mm)) = desk.memo.pointer.filter(|(k, _)| *k == kind && kind == PaneKind::Bullseye)
            && let Some(text) = super::bullseye::about(desk, mm)
        {
            response.clone().on_hover_text_at_pointer(text);
        }
        if !desk.memo.landmark_tool || desk.memo.gesture.is_none() {
            menu(&response, desk, kind);
        }
    }
    super::draw::overlay(ui, desk, kind, &pen);
    super::lasso::overlay(ui, desk, kind, &pen);
    desk.memo.drawn.insert(kind, (scene.camera, size_px));
    if desk.memo.landmark_tool
        && desk.has_content(kind)
        && desk.memo.hovered == Some(kind)
        && !matches!(kind, PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox)
    {
        let text = pane_input::next_side(desk);
        let at = rect.center_bottom() - vec2(0.0, 26.0);
        pen.text(at, Align2::CENTER_BOTTOM, text, desk.theme.overlay_font(), desk.theme.on_image().accent);
    }
    if let Some(text) = super::heart_pane::axis_prompt(desk).filter(|_| kind.is_heart() && desk.has_content(kind)) {
        let at = rect.center_bottom() - vec2(0.0, 40.0);
        pen.text(at, Align2::CENTER_BOTTOM, text, desk.theme.overlay_font(), desk.theme.on_image().accent);
    }
    if desk.memo.hovered == Some(kind) && kind.is_heart() {
        cut_lines::draw_handles(desk, kind, &pen);
    }
}

fn paint(pen: &Pen<'_>, kind: PaneKind, scene: Scene) {
    let scene = Arc::new(scene);
    let pane_id = u64::from(Pane::of(kind).0);
    if !scene.drawn.is_empty() {
        let callback = PaneCallback { pane_id, scene: Arc::clone(&scene) };
        pen.painter.add(eframe::egui_wgpu::Callback::new_paint_callback(pen.rect, callback));
    }
    pen.draw(&scene);
}

/// A pane whose data are still on their way: a quiet shimmer and a sentence.
fn waiting(ui: &Ui, desk: &Desk<'_>, rect: Rect, kind: PaneKind) {
    let colors = desk.theme.on_image();
    let phase = (ui.ctx().time() * 0.6).fract() as f32;
    let inner = Rect::from_center_size(rect.center(), vec2(rect.width() * 0.5, 2.0));
    let painter = ui.painter_at(rect);
    painter.rect_filled(inner, 1.0, colors.raised);
    let x = inner.left() + (inner.width() + 60.0) * phase - 60.0;
    let glow = Rect::from_min_size(egui::pos2(x, inner.top()), vec2(60.0, 2.0)).intersect(inner);
    if glow.is_positive() {
        painter.rect_filled(glow, 1.0, colors.dim);
    }
    let job = desk.session.jobs().first().map_or_else(String::new, |j| format!("{} …", j.title));
    painter.text(inner.center() - vec2(0.0, 14.0), Align2::CENTER_BOTTOM, kind.title(), desk.theme.overlay_font(), colors.dim);
    painter.text(inner.center() + vec2(0.0, 14.0), Align2::CENTER_TOP, job, desk.theme.overlay_font(), colors.dim);
    ui.ctx().request_repaint_after_secs(0.5);
}

/// The menu of a right click.
fn menu(response: &egui::Response, desk: &mut Desk<'_>, kind: PaneKind) {
    response.context_menu(|ui| {
        let Some((_, mm)) = desk.memo.menu_at.filter(|(k, _)| *k == kind) else {
            ui.close();
            return;
        };
        ui.set_min_width(200.0);
        let value = super::readout::summary(desk.readout);
        if ui.add_enabled(!value.is_empty(), egui::Button::new("Copy value").frame_when_inactive(false)).clicked() {
            desk.memo.copy(ui.ctx(), &value);
            ui.close();
        }
        let item = |ui: &mut Ui, text: &str, enabled: bool| {
            ui.add_enabled(enabled, egui::Button::new(text).frame_when_inactive(false)).clicked()
        };
        let side = pane_input::side(desk, kind, mm);
        if item(ui, "Place landmark here", side.is_some() && desk.has_content(PaneKind::Overlay)) {
            pane_input::place(desk, kind, mm);
            ui.close();
        }
        let lps = lps_at(desk, kind, mm);
        if item(ui, "Go here in all views", lps.is_some())
            && let Some(lps) = lps
        {
            desk.view(ViewAction::GoTo(lps));
            ui.close();
        }
        if kind.is_heart() && item(ui, "Bind section to this plane", desk.has_content(PaneKind::Overlay)) {
            if let Some(plane) = desk.session.pane_plane(kind) {
                desk.act(Action::Register(RegisterAction::Bind(plane)));
            }
            ui.close();
        }
        leave_out(ui, desk, kind, mm);
        super::heart_pane::cuts(ui, desk, kind);
        ui.separator();
        if item(ui, "Export this pane…", desk.has_content(kind)) {
            desk.memo.analyze.export.choose_pane(kind);
            desk.run(Command::Panel(Panel::Export));
            ui.close();
        }
        if item(ui, "Fit this pane", true) {
            desk.view(ViewAction::Fit(kind));
            ui.close();
        }
        let big = desk.memo.maximized.is_some();
        if item(ui, if big { "Restore" } else { "Maximize" }, true) {
            desk.memo.maximized = if big { None } else { Some(kind) };
            ui.close();
        }
    });
}

/// Leaves out what is under the pointer, after asking why.
fn leave_out(ui: &mut Ui, desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) {
    let Some((text, what)) = to_leave_out(desk, kind, mm) else { return };
    if ui.add(egui::Button::new(text).frame_when_inactive(false)).clicked() {
        desk.memo.analyze.cohort.ask(what);
        desk.run(Command::Panel(crate::session::Panel::Cohort));
        ui.close();
    }
}

fn to_leave_out(desk: &Desk<'_>, kind: PaneKind, mm: DVec2) -> Option<(String, Excluded)> {
    let session = desk.session;
    if kind == PaneKind::Cohort {
        let (_, size_px) = *desk.memo.drawn.get(&kind)?;
        let inputs = pane_input::inputs_of(desk, desk.memo.pixels_per_point);
        let hit = crate::scene::cohort_hit(&inputs, size_px, mm)?;
        let id = session.view.cohort?;
        let subject = session.study.cohort(id)?.subjects().get(hit.subject)?.id.clone();
        return Some((format!("Leave {subject} out …"), Excluded::Subject { cohort: id, subject }));
    }
    if kind == PaneKind::Section {
        let id = session.view.section?;
        let spot = session.spot_at(id, mm)?;
        let name = session.study.section(id)?.expression.as_ref()?.observations().get(spot)?.clone();
        return Some(("Leave this spot out …".into(), Excluded::Spots { section: id, names: vec![name] }));
    }
    let lps = lps_at(desk, kind, mm).filter(|_| kind.is_heart())?;
    let id = session.view.heart_in(kind)?;
    let grid = &session.study.volume(id)?.grid;
    let k = grid.voxel_from_lps().transform_point3(lps).z.round();
    let slice = (0..grid.size()[2]).find(|&s| s as f64 == k)?;
    Some((format!("Leave slice {} out …", slice + 1), Excluded::Slice { element: id, slice }))
}

/// The patient point under a place of a pane.
pub(super) fn lps_at(desk: &Desk<'_>, kind: PaneKind, mm: DVec2) -> Option<crate::space::DVec3> {
    let session = desk.session;
    match kind {
        PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox => None,
        PaneKind::Section => {
            let id = session.view.section?;
            session.study.atlas().transform(Space::Patient, Space::Section(id.0), mm.extend(0.0)).ok()
        }
        _ => session.shown_plane(kind).map(|p| p.lps_from_plane(mm)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrangement_is_complete_and_comes_back_from_disk() {
        let tree = default_tree();
        assert!(is_complete(&tree));
        let text = serde_json::to_string(&tree).unwrap();
        let back: Tree<Pane> = serde_json::from_str(&text).unwrap();
        assert!(is_complete(&back) && back == tree);
    }
}
