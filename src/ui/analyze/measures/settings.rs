//! What is measured and how: layers by their names, settings with the defaults of the command line.

use super::super::super::desk::{Desk, dim};
use super::super::super::pick::{Answer, Ask, Picker};
use super::super::super::tree::field;
use super::labels;
use crate::model::{AnalysisId, ElementId};
use crate::session::{Body, EchoFiles, MeasureWhat, RadiomicsChoice, ScarChoice};
use egui::{ComboBox, DragValue, Label, Ui};

/// Width of lists.
const WIDTH: f32 = 168.0;
/// Definitions of thickness.
const DEFINITIONS: [&str; 4] = ["nearest", "centerline", "radial", "laplace"];
/// Rules for scar; `sd` takes a number.
const RULES: [&str; 5] = ["sd", "fwhm-max", "fwhm-min", "fwhm-remote", "otsu"];
/// Conventions of the segments.
const ANCHORS: [&str; 3] = ["anterior", "mid-septum", "both"];
/// Divisions of the levels.
const LEVELS: [&str; 2] = ["thirds", "continuous"];
/// Gray levels of texture.
const GRAY: [&str; 4] = ["whole", "none", "width", "count"];
/// Aggregations of texture.
const AGGREGATIONS: [&str; 7] = ["all six", "2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"];

/// What is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Ventricles,
    Segments,
    Wall,
    Scar,
    Ecv,
    Strain,
    Echo,
    Calcium,
    Radiomics,
    Compare,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Ventricles,
        Self::Segments,
        Self::Wall,
        Self::Scar,
        Self::Ecv,
        Self::Strain,
        Self::Echo,
        Self::Calcium,
        Self::Radiomics,
        Self::Compare,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ventricles => "Ventricles",
            Self::Segments => "17 segments",
            Self::Wall => "Wall thickness",
            Self::Scar => "Scar",
            Self::Ecv => "Extracellular volume",
            Self::Strain => "Strain",
            Self::Echo => "Echo, biplane",
            Self::Calcium => "Coronary calcium",
            Self::Radiomics => "Texture (IBSI)",
            Self::Compare => "Two readers",
        }
    }

    /// Whether one frame or all frames makes a difference.
    pub(super) fn has_frames(self) -> bool {
        !matches!(self, Self::Strain | Self::Echo | Self::Calcium)
    }

    fn has_segments(self) -> bool {
        matches!(self, Self::Segments | Self::Wall | Self::Scar | Self::Ecv | Self::Strain)
    }

    fn has_image(self) -> bool {
        matches!(self, Self::Segments | Self::Scar | Self::Calcium | Self::Radiomics)
    }
}

/// What is typed here.
#[derive(Debug)]
pub(in crate::ui) struct State {
    pub(super) kind: Kind,
    pub(super) labels: Option<ElementId>,
    image: Option<ElementId>,
    other: Option<ElementId>,
    remote: Option<ElementId>,
    maps: [Option<ElementId>; 2],
    hematocrit: f64,
    definition: &'static str,
    rule: &'static str,
    deviations: f64,
    min_voxels: usize,
    obstruction: bool,
    pub(super) anchor: &'static str,
    pub(super) levels: &'static str,
    pub(super) all_frames: bool,
    pub(super) body: Body,
    green: bool,
    close_drift: bool,
    pub(super) echo: EchoFiles,
    picking: Option<(usize, Picker)>,
    threshold_hu: f64,
    min_area_mm2: f64,
    corners_join: bool,
    calibration: Option<f64>,
    region: Option<u8>,
    resample_mm: Option<f64>,
    gray: &'static str,
    gray_width: f64,
    gray_count: u32,
    aggregation: &'static str,
    /// The metric listed; all where empty.
    pub(super) metric: String,
    /// The result shown; the newest where none was chosen.
    pub(super) shown: Option<AnalysisId>,
    /// The metric drawn over the beat.
    pub(super) curve: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            labels: None,
            image: None,
            other: None,
            remote: None,
            maps: [None; 2],
            hematocrit: 0.42,
            definition: DEFINITIONS[0],
            rule: "otsu",
            deviations: 5.0,
            min_voxels: 5,
            obstruction: false,
            anchor: ANCHORS[0],
            levels: LEVELS[0],
            all_frames: true,
            body: Body::default(),
            green: false,
            close_drift: false,
            echo: EchoFiles::default(),
            picking: None,
            threshold_hu: 130.0,
            min_area_mm2: 1.0,
            corners_join: true,
            calibration: None,
            region: None,
            resample_mm: None,
            gray: GRAY[0],
            gray_width: 25.0,
            gray_count: 32,
            aggregation: AGGREGATIONS[0],
            metric: String::new(),
            shown: None,
            curve: String::new(),
        }
    }
}

impl State {
    fn needs_remote(&self) -> bool {
        matches!(self.rule, "sd" | "fwhm-remote")
    }

    /// The settings as a task takes them.
    pub(super) fn what(&self, desk: &Desk<'_>) -> MeasureWhat {
        let id = |id: Option<ElementId>| id.map_or(0, |id| id.0);
        let volume = |chosen: Option<ElementId>| chosen.filter(|id| desk.session.study.volume(*id).is_some());
        match self.kind {
            Kind::Ventricles => MeasureWhat::Ventricles,
            Kind::Segments => MeasureWhat::Segments,
            Kind::Wall => MeasureWhat::Wall { definition: self.definition.into() },
            Kind::Scar => MeasureWhat::Scar(ScarChoice {
                rule: if self.rule == "sd" { format!("sd:{}", self.deviations) } else { self.rule.into() },
                min_voxels: self.min_voxels,
                remote: self.remote.filter(|_| self.needs_remote()).map(|r| r.0),
                obstruction: self.obstruction,
            }),
            Kind::Ecv => {
                MeasureWhat::Ecv { pre: id(volume(self.maps[0])), post: id(volume(self.maps[1])), hematocrit: self.hematocrit }
            }
            Kind::Strain | Kind::Echo => MeasureWhat::Strain { green: self.green, close_drift: self.close_drift },
            Kind::Calcium => MeasureWhat::Calcium {
                threshold_hu: self.threshold_hu,
                min_area_mm2: self.min_area_mm2,
                corners_join: self.corners_join,
                calibration: self.calibration,
            },
            Kind::Radiomics => MeasureWhat::Radiomics(RadiomicsChoice {
                label: self.region,
                resample_mm: self.resample_mm,
                resegment: None,
                discretize: match self.gray {
                    "none" => "none".into(),
                    "width" => format!("width:{}", self.gray_width),
                    "count" => format!("count:{}", self.gray_count),
                    _ => String::new(),
                },
                aggregation: if self.aggregation == AGGREGATIONS[0] { String::new() } else { self.aggregation.into() },
            }),
            Kind::Compare => MeasureWhat::Compare { other: id(self.other) },
        }
    }
}

/// The image measured in: the one chosen, else the one shown where the labels belong to it, else any that they do.
pub(super) fn image(desk: &Desk<'_>, state: &State, of: ElementId) -> Option<ElementId> {
    let study = &desk.session.study;
    let fits = |id: &ElementId| study.belonging(of, *id).is_some();
    let chosen = state.image.filter(|id| study.volume(*id).is_some());
    let shown = || desk.session.view.heart.filter(fits);
    chosen.or_else(shown).or_else(|| study.volumes().map(|(id, _)| id).find(fits)).filter(|_| state.kind.has_image())
}

/// Why it cannot be measured yet.
pub(super) fn why_not(desk: &Desk<'_>, state: &State) -> Option<String> {
    if state.kind == Kind::Echo {
        let none = state.echo.a4c.is_none() && state.echo.a2c.is_none();
        return none.then(|| "Choose contours of at least one view first.".into());
    }
    let Some((id, map)) = labels(desk, state.labels) else { return Some("Open a segmentation first.".into()) };
    let study = &desk.session.study;
    let missing = match state.kind {
        Kind::Scar | Kind::Calcium | Kind::Radiomics if image(desk, state, id).is_none() => "Choose the image first.",
        Kind::Scar if state.needs_remote() && state.remote.is_none() => {
            "This rule compares with remote muscle: choose the segmentation whose label 1 is it."
        }
        Kind::Ecv if state.maps.iter().any(|m| m.is_none_or(|m| study.volume(m).is_none())) => "Choose both T1 maps first.",
        Kind::Strain if map.n_phases() < 2 => "Strain needs labels of at least two phases.",
        Kind::Compare if state.other.is_none_or(|o| study.labels(o).is_none() || o == id) => {
            "Choose the second reader's segmentation first."
        }
        _ => return None,
    };
    Some(missing.into())
}

/// One of a few words; `name` is what a reader of the screen hears.
fn choice(ui: &mut Ui, name: &str, hint: &str, chosen: &mut &'static str, all: &[&'static str]) {
    let combo = ComboBox::from_id_salt(name).selected_text(*chosen).width(WIDTH);
    let shown = combo.show_ui(ui, |ui| {
        for word in all {
            ui.selectable_value(chosen, *word, *word);
        }
    });
    shown.response.accessible_name(format!("{name} {chosen}")).on_hover_text(hint);
}

/// One of the open elements by name; `usual` is what is taken where nothing is chosen.
fn element(ui: &mut Ui, name: &str, chosen: &mut Option<ElementId>, all: &[(ElementId, String)], usual: Option<ElementId>) {
    let now = chosen.filter(|id| all.iter().any(|(i, _)| i == id)).or(usual);
    let text = all.iter().find(|(id, _)| Some(*id) == now).map_or("choose…", |(_, n)| n.as_str());
    let combo = ComboBox::from_id_salt(name).selected_text(text).width(WIDTH).truncate();
    let shown = combo.show_ui(ui, |ui| {
        for (id, text) in all {
            if ui.selectable_label(now == Some(*id), text).clicked() {
                *chosen = Some(*id);
            }
        }
    });
    shown.response.accessible_name(format!("{name}: {text}")).on_hover_text(text);
}

fn maps(desk: &Desk<'_>) -> Vec<(ElementId, String)> {
    desk.session.study.label_maps().map(|(id, l)| (id, l.name.clone())).collect()
}

fn volumes(desk: &Desk<'_>) -> Vec<(ElementId, String)> {
    desk.session.study.volumes().map(|(id, v)| (id, v.name.clone())).collect()
}

/// A number that may be missing.
fn optional(ui: &mut Ui, name: &str, value: &mut Option<f64>, usual: f64, unit: &str) {
    let mut on = value.is_some();
    if let Some(v) = value {
        ui.add(DragValue::new(v).speed(0.5).range(0.001..=1e6).max_decimals(3).suffix(unit)).accessible_name(name);
    }
    if ui.checkbox(&mut on, "").on_hover_text(format!("Give the {name}")).changed() {
        *value = on.then_some(usual);
    }
}

/// All controls.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) {
    field(ui, desk, "Measure", |ui| {
        let combo = ComboBox::from_id_salt("measure").selected_text(state.kind.name()).width(WIDTH).height(320.0);
        let shown = combo.show_ui(ui, |ui| {
            for kind in Kind::ALL {
                ui.selectable_value(&mut state.kind, kind, kind.name());
            }
        });
        shown.response.accessible_name("What is measured");
    });
    if state.kind == Kind::Echo {
        echo(ui, desk, state);
        return;
    }
    let chosen = labels(desk, state.labels).map(|(id, _)| id);
    field(ui, desk, if state.kind == Kind::Calcium { "Arteries" } else { "Labels" }, |ui| {
        element(ui, "Labels measured", &mut state.labels, &maps(desk), chosen);
    });
    if state.kind.has_image() {
        let usual = chosen.and_then(|id| image(desk, state, id));
        field(ui, desk, "Image", |ui| element(ui, "Image measured", &mut state.image, &volumes(desk), usual));
    }
    if state.kind.has_frames() {
        field(ui, desk, "Frames", |ui| {
            ui.selectable_value(&mut state.all_frames, true, "all").on_hover_text("Every phase of the beat");
            ui.selectable_value(&mut state.all_frames, false, "this one").on_hover_text("The phase on the screen");
        });
    }
    match state.kind {
        Kind::Ventricles => body(ui, desk, state),
        Kind::Wall => field(ui, desk, "Thickness", |ui| {
            let hint = "nearest: to the nearest outer point; centerline: chords across the mid-curve; radial: rays from the \
                        middle; laplace: field lines";
            choice(ui, "Definition of thickness", hint, &mut state.definition, &DEFINITIONS);
        }),
        Kind::Scar => scar(ui, desk, state),
        Kind::Ecv => ecv(ui, desk, state),
        Kind::Strain => strain(ui, desk, state),
        Kind::Calcium => calcium(ui, desk, state),
        Kind::Radiomics => texture(ui, desk, state, chosen),
        Kind::Compare => field(ui, desk, "Second reader", |ui| {
            element(ui, "Second reader's labels", &mut state.other, &maps(desk), None);
        }),
        Kind::Segments | Kind::Echo => {}
    }
    if state.kind.has_segments() {
        field(ui, desk, "Segments from", |ui| {
            let hint = "anterior: 60° each from the anterior insertion; mid-septum: from the middle of the septum; both: the \
                        septum between the insertions in two";
            choice(ui, "Anchor of the segments", hint, &mut state.anchor, &ANCHORS);
        });
        field(ui, desk, "Levels", |ui| {
            choice(ui, "Levels", "Whole slices in thirds, or by the long axis", &mut state.levels, &LEVELS);
        });
    }
}

fn body(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    let body = &mut state.body;
    field(ui, desk, "Heart rate", |ui| optional(ui, "heart rate", &mut body.heart_rate, 65.0, " /min"));
    field(ui, desk, "Height", |ui| optional(ui, "height", &mut body.height_cm, 172.0, " cm"));
    field(ui, desk, "Weight", |ui| optional(ui, "weight", &mut body.weight_kg, 75.0, " kg"));
    field(ui, desk, "Body surface", |ui| {
        ui.selectable_value(&mut body.du_bois, false, "Mosteller");
        ui.selectable_value(&mut body.du_bois, true, "Du Bois");
    });
    field(ui, desk, "Healthy range of", |ui| {
        for (value, name) in [(Some(true), "women"), (Some(false), "men"), (None, "adults")] {
            ui.selectable_value(&mut body.female, value, name);
        }
    });
    ui.checkbox(&mut body.rv_own_phases, "Right ventricle has its own phases")
        .on_hover_text("Else its end-diastole and end-systole are those of the left");
}

fn scar(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    field(ui, desk, "Rule", |ui| {
        let hint = "sd: mean of remote muscle plus N deviations; fwhm-max: half of the maximum; fwhm-min: half way from \
                    minimum to maximum; fwhm-remote: half way from the remote mean; otsu: two classes";
        choice(ui, "Rule for scar", hint, &mut state.rule, &RULES);
    });
    if state.rule == "sd" {
        field(ui, desk, "Deviations", |ui| {
            ui.add(DragValue::new(&mut state.deviations).range(0.5..=10.0).speed(0.05)).accessible_name("Deviations");
        });
    }
    if state.needs_remote() {
        field(ui, desk, "Remote muscle", |ui| {
            element(ui, "Remote muscle", &mut state.remote, &maps(desk), None);
        });
        ui.add(Label::new(dim(desk.theme, "Label 1 of that segmentation is healthy muscle far from the scar.")).wrap());
    }
    field(ui, desk, "Least voxels", |ui| {
        ui.add(DragValue::new(&mut state.min_voxels).range(1..=10_000))
            .accessible_name("Least voxels of a piece of scar")
            .on_hover_text("Smaller connected pieces are no scar");
    });
    ui.checkbox(&mut state.obstruction, "Enclosed dark cores are scar").on_hover_text("Microvascular obstruction");
}

fn ecv(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    let all = volumes(desk);
    let [pre, post] = &mut state.maps;
    field(ui, desk, "T1 before", |ui| element(ui, "T1 map before contrast", pre, &all, None));
    field(ui, desk, "T1 after", |ui| element(ui, "T1 map after contrast", post, &all, None));
    field(ui, desk, "Hematocrit", |ui| {
        let drag = DragValue::new(&mut state.hematocrit).range(0.05..=0.8).speed(0.005).fixed_decimals(2);
        ui.add(drag).accessible_name("Hematocrit as a fraction").on_hover_text("A fraction; 42 % is 0.42");
    });
}

fn definition_of_strain(ui: &mut Ui, desk: &Desk<'_>, green: &mut bool) {
    field(ui, desk, "Strain", |ui| {
        ui.selectable_value(green, true, "Green–Lagrange").on_hover_text("(l² − l₀²) / 2 l₀²");
        ui.selectable_value(green, false, "engineering").on_hover_text("(l − l₀) / l₀");
    });
}

fn strain(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    definition_of_strain(ui, desk, &mut state.green);
    ui.checkbox(&mut state.close_drift, "Take drift out").on_hover_text("A line from the first to the last phase");
}

fn calcium(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    field(ui, desk, "Threshold", |ui| {
        ui.add(DragValue::new(&mut state.threshold_hu).suffix(" HU")).accessible_name("Least density in HU");
    });
    field(ui, desk, "Least area", |ui| {
        let drag = DragValue::new(&mut state.min_area_mm2).range(0.0..=100.0).speed(0.05).suffix(" mm²");
        ui.add(drag).accessible_name("Least area of a lesion in a slice");
    });
    field(ui, desk, "Neighbors", |ui| {
        ui.selectable_value(&mut state.corners_join, true, "8");
        ui.selectable_value(&mut state.corners_join, false, "4");
    });
    field(ui, desk, "Calibration", |ui| optional(ui, "calibration for the mass", &mut state.calibration, 0.8, " mg/mL/HU"));
}

fn texture(ui: &mut Ui, desk: &Desk<'_>, state: &mut State, labels: Option<ElementId>) {
    let table = labels.and_then(|id| desk.session.study.labels(id)).map(|l| l.table.clone()).unwrap_or_default();
    field(ui, desk, "Region", |ui| {
        let name = |region: Option<u8>| match region {
            None => "all labels".to_owned(),
            Some(v) => table.iter().find(|e| e.value == v).map_or_else(|| format!("label {v}"), |e| e.name.clone()),
        };
        let combo = ComboBox::from_id_salt("texture region").selected_text(name(state.region)).width(WIDTH);
        let shown = combo.show_ui(ui, |ui| {
            ui.selectable_value(&mut state.region, None, "all labels");
            for entry in &table {
                ui.selectable_value(&mut state.region, Some(entry.value), entry.name.as_str());
            }
        });
        shown.response.accessible_name("Label that is the region");
    });
    field(ui, desk, "Cubes", |ui| optional(ui, "side of the cubes to resample to", &mut state.resample_mm, 1.0, " mm"));
    field(ui, desk, "Gray levels", |ui| {
        let hint = "whole: whole intensities are levels; none: refuse others; width: bins of a width; count: a number of bins";
        choice(ui, "Gray levels", hint, &mut state.gray, &GRAY);
    });
    match state.gray {
        "width" => field(ui, desk, "Width of bins", |ui| {
            ui.add(DragValue::new(&mut state.gray_width).range(1e-6..=1e6)).accessible_name("Width of bins");
        }),
        "count" => field(ui, desk, "Bins", |ui| {
            ui.add(DragValue::new(&mut state.gray_count).range(1..=1024)).accessible_name("Number of bins");
        }),
        _ => {}
    }
    field(ui, desk, "Aggregation", |ui| {
        choice(ui, "Aggregation", "How slices and directions become one value", &mut state.aggregation, &AGGREGATIONS);
    });
}

/// Tables of contours, picked from disk.
fn echo(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    if let Some((which, picker)) = &state.picking
        && let Answer::Paths(paths) = picker.answer()
    {
        let path = paths.first().cloned();
        if path.is_some() {
            *(if *which == 0 { &mut state.echo.a4c } else { &mut state.echo.a2c }) = path;
        }
        state.picking = None;
    }
    for (which, name) in ["4-chamber", "2-chamber"].into_iter().enumerate() {
        field(ui, desk, name, |ui| {
            let path = if which == 0 { &state.echo.a4c } else { &state.echo.a2c };
            let text = path.as_ref().and_then(|p| p.file_name()).map_or("choose…".into(), |n| n.to_string_lossy().into_owned());
            let button = egui::Button::new(text).truncate().min_size(egui::vec2(WIDTH, 0.0));
            let hint = "A table phase,point,x_mm,y_mm: inner contours from one mitral hinge to the other";
            if ui.add_enabled(state.picking.is_none(), button).on_hover_text(hint).clicked() {
                let ctx = ui.ctx().clone();
                state.picking = Some((which, Picker::open(Ask::Files, move || ctx.request_repaint())));
            }
        });
    }
    field(ui, desk, "Length", |ui| {
        ui.selectable_value(&mut state.echo.mean_length, true, "mean");
        ui.selectable_value(&mut state.echo.mean_length, false, "shorter").on_hover_text("Of area–length, as the ASE does");
    });
    definition_of_strain(ui, desk, &mut state.echo.green);
}
