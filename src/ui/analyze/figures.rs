//! The ruler: lengths, angles, areas and values inside, each with its ±, as a list.

use super::super::desk::{Desk, dim, small, title};
use super::super::icon::{Icon, icon_button};
use crate::model::{Figure, FigureKind};
use crate::session::{Action, Command, FigureAction, Panel, Tool, ViewAction, figure_values, three_digits};
use egui::{Button, Label, Sense, TextEdit, Ui, vec2};

/// Numbers of figures as they were computed last: they cost a pass over the voxels inside.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    known: Vec<(Figure, Vec<String>)>,
    renaming: Option<(usize, String)>,
}

const TOOLS: [(FigureKind, &str, &str); 4] = [
    (FigureKind::Length, "Length", "Drag from end to end on a heart pane"),
    (FigureKind::Angle, "Angle", "Click an end, the vertex, the other end"),
    (FigureKind::Polygon, "Area", "Click corners; double click or Enter closes"),
    (FigureKind::Ellipse, "Ellipse", "Drag over the ellipse"),
];

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - 8.0);
    title(ui, desk.theme, "Ruler", |_| {});
    if desk.session.heart().is_none() {
        ui.add(Label::new(dim(desk.theme, "Open an image of the heart first: figures are drawn on it.")).wrap());
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (kind, name, about) in TOOLS {
            let tool = Tool::Figure(kind);
            let tip = desk.keys.hint(about, Command::Tool(tool));
            let button = Button::selectable(desk.memo.draw.tool == Some(tool), small(desk.theme, name));
            if ui.add(button).on_hover_text(tip).clicked() {
                desk.run(Command::Tool(tool));
            }
        }
    });
    let figures = desk.session.study.figures.clone();
    if figures.is_empty() {
        let hint =
            "Choose a tool and draw on a heart pane. ± is one standard deviation of points placed anywhere in their pixel.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    }
    let mut known = std::mem::take(&mut desk.memo.analyze.figures.known);
    known = figures.iter().map(|f| known.iter().find(|(k, _)| k == f).cloned().unwrap_or_else(|| numbers(desk, f))).collect();
    for (i, (figure, lines)) in known.iter().enumerate() {
        ui.add_space(4.0);
        row(ui, desk, i, figure);
        for line in lines {
            ui.add(Label::new(small(desk.theme, line)).wrap());
        }
    }
    desk.memo.analyze.figures.known = known;
    ui.add_space(8.0);
    if ui.button("Export as a table…").on_hover_text("One row per number, with definitions").clicked() {
        desk.memo.analyze.export.choose_figures();
        desk.run(Command::Panel(Panel::Export));
    }
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, i: usize, figure: &Figure) {
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, Icon::Close, &format!("Remove {} (can be undone)", figure.name)).clicked() {
                desk.act(Action::Figure(FigureAction::Remove(i)));
            }
            if icon_button(ui, Icon::Target, &format!("Go to {}", figure.name)).clicked()
                && let Some(first) = figure.points.first()
            {
                desk.view(ViewAction::GoTo(*first));
            }
            let renaming = desk.memo.analyze.figures.renaming.take_if(|(n, _)| *n == i);
            if let Some((n, mut text)) = renaming {
                let edit = ui
                    .add(TextEdit::singleline(&mut text).desired_width(ui.available_width()))
                    .accessible_name("Name of the figure");
                edit.request_focus();
                if ui.input(|i| i.key_pressed(egui::Key::Enter)) || edit.lost_focus() {
                    desk.act(Action::Figure(FigureAction::Rename(n, text)));
                } else if !ui.input(|i| i.key_pressed(egui::Key::Escape)) {
                    desk.memo.analyze.figures.renaming = Some((n, text));
                }
                return;
            }
            let name = Button::selectable(false, super::super::desk::strong(desk.theme, &figure.name)).right_text("");
            let width = ui.available_width();
            let response = ui.add(name.truncate().sense(Sense::click()).min_size(vec2(width, 20.0)));
            if response.on_hover_text("Double click: rename").double_clicked() {
                desk.memo.analyze.figures.renaming = Some((i, figure.name.clone()));
            }
        });
    });
}

/// The numbers of a figure as lines of text.
fn numbers(desk: &Desk<'_>, figure: &Figure) -> (Figure, Vec<String>) {
    let lines = match figure_values(&desk.session.study, figure) {
        Err(e) => vec![e.to_string()],
        Ok(values) => values
            .iter()
            .map(|v| {
                let sd = v.sd.map_or_else(String::new, |sd| format!(" ± {}", crate::scene::significant(sd, 2)));
                let unit = match v.unit.as_str() {
                    "1" => String::new(),
                    "deg" => "°".into(),
                    "mm2" => " mm²".into(),
                    other => format!(" {other}"),
                };
                let value = if v.metric == "n_voxels" { format!("{:.0}", v.value) } else { three_digits(v.value) };
                format!("{}  {value}{sd}{unit}", v.metric.replace('_', " "))
            })
            .collect(),
    };
    (figure.clone(), lines)
}
