//! Export: pictures, tables, maps and transforms, to be handed on. What is chosen here becomes one
//! `Action::Export`; the name of the file is made from what it holds and the time.

use super::super::desk::{Desk, dim, small, title};
use super::super::pick::{Answer, Ask, Picker};
use super::super::tree::field;
use super::run_button;
use crate::model::{AnalysisId, AnalysisResult, ElementId};
use crate::scene::PaneKind;
use crate::session::{Action, ExportWhat, export_name, stamp};
use egui::{ComboBox, Label, TextEdit, Ui};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Width of the controls.
const WIDTH: f32 = 200.0;

/// What may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Picture,
    Spots,
    Map,
    Segments,
    Bullseye,
    Measures,
    GeneTable,
    Residuals,
    Layers,
    Transform,
    Labels,
    Figures,
    Regions,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Picture,
        Self::Spots,
        Self::Map,
        Self::Segments,
        Self::Bullseye,
        Self::Measures,
        Self::GeneTable,
        Self::Residuals,
        Self::Layers,
        Self::Transform,
        Self::Labels,
        Self::Figures,
        Self::Regions,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Picture => "Picture of a pane",
            Self::Spots => "Spots",
            Self::Map => "Gene map on the heart's grid",
            Self::Segments => "Genes by segment",
            Self::Bullseye => "Bullseye as shown",
            Self::Measures => "Numbers of the heart",
            Self::GeneTable => "Spatial genes",
            Self::Residuals => "Landmark residuals",
            Self::Layers => "Layer values at the spots",
            Self::Transform => "Transform",
            Self::Labels => "Segmentation",
            Self::Figures => "Ruler: lengths, angles, areas",
            Self::Regions => "Regions of spots",
        }
    }

    /// Word in the file's name.
    fn word(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Spots => "spots",
            Self::Map => "map",
            Self::Segments => "segments",
            Self::Bullseye => "bullseye",
            Self::Measures => "measures",
            Self::GeneTable => "autocorrelation",
            Self::Residuals => "residuals",
            Self::Layers => "layers",
            Self::Transform => "transform",
            Self::Labels => "labels",
            Self::Figures => "figures",
            Self::Regions => "regions",
        }
    }

    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Picture => &["png", "svg"],
            Self::Spots => &["h5ad", "csv", "tsv", "parquet"],
            Self::Map => &["nii.gz", "nii"],
            Self::Labels => &["nii.gz", "nii", "dcm"],
            Self::Segments
            | Self::Bullseye
            | Self::Measures
            | Self::GeneTable
            | Self::Residuals
            | Self::Layers
            | Self::Figures => &["csv", "tsv", "parquet"],
            Self::Regions => &["geojson"],
            Self::Transform => &["json", "tfm", "ngff.json"],
        }
    }

    /// What the file holds, with directions and units.
    fn about(self, ending: &str) -> &'static str {
        match (self, ending) {
            (Self::Picture, "svg") => "Text, marks and spots as vectors, images embedded; with scale bar, color bar and caption.",
            (Self::Picture, _) => "With scale bar, color bar and its rule, orientation letters and caption.",
            (Self::Spots, "h5ad") => {
                "All counts; obsm/spatial in pixels, obsm/spatial_lps_mm in patient LPS mm (x left, y back, z head), obs/segment."
            }
            (Self::Spots, _) => "One row per spot: section µm (y down), patient LPS mm, segment, tissue, exclusions, values.",
            (Self::Map, _) => "Mean of the spots in each voxel, NaN elsewhere; the number of spots beside it as _count.",
            (Self::Segments, _) => "Mean of the spots on tissue in each of the 17 segments, with their number.",
            (Self::Bullseye, _) => {
                "Segment, name, territory, metric, value, unit, n and definition of what the bullseye shows; two discs below each other."
            }
            (Self::Measures, _) => {
                "The newest numbers of the heart: region, phase, metric, value, unit and definition, one per row."
            }
            (Self::GeneTable, _) => "Moran's I and Geary's C of every gene with z, p and q, as the command line writes them.",
            (Self::Residuals, _) => "Both places of each pair, its residual and its error when left out, in mm.",
            (Self::Layers, _) => "Every visible image and segmentation, read at the spots through the chain.",
            (Self::Labels, "dcm") => "The segmentation drawn on, as a DICOM segmentation without anything of the patient.",
            (Self::Labels, _) => "The segmentation drawn on, on its own grid, all phases.",
            (Self::Figures, _) => {
                "One row per number: subject, region, phase, metric, value, unit, method; ± as METRIC_sd_pixel."
            }
            (Self::Regions, _) => "GeoJSON as QuPath reads it: an octagon about each spot, in pixels from the picture's corner.",
            (Self::Transform, "tfm") => "For ITK: maps fixed (patient mm) to moving points (section mm); linear models only.",
            (Self::Transform, "ngff.json") => "OME-NGFF: section µm to patient LPS mm; linear models only.",
            (Self::Transform, _) => "Section µm (y down) to patient LPS mm; whole numbers of pixels are pixel centers.",
        }
    }
}

/// Sizes offered for pictures; the first is the pane's own.
const SIZES: [(&str, [u32; 2]); 4] =
    [("As on the screen", [0, 0]), ("1200 × 1200", [1200, 1200]), ("2400 × 2400", [2400, 2400]), ("4000 × 4000", [4000, 4000])];

/// What is chosen and typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    kind: Kind,
    pane: Option<PaneKind>,
    size: usize,
    ending: usize,
    no_caption: bool,
    /// Empty is what is painted.
    value: String,
    counts: bool,
    /// The numbers of the heart to export; the newest where none was chosen.
    analysis: Option<AnalysisId>,
    folder: Option<String>,
    picker: Option<Picker>,
}

impl State {
    /// The table of figures is to be exported.
    pub(in crate::ui) fn choose_figures(&mut self) {
        (self.kind, self.ending) = (Kind::Figures, 0);
    }

    /// The regions of spots are to be exported.
    pub(in crate::ui) fn choose_regions(&mut self) {
        (self.kind, self.ending) = (Kind::Regions, 0);
    }

    /// The segmentation drawn on is to be exported.
    pub(in crate::ui) fn choose_labels(&mut self) {
        (self.kind, self.ending) = (Kind::Labels, 0);
    }

    /// A pane's picture is to be exported.
    pub(in crate::ui) fn choose_pane(&mut self, pane: PaneKind) {
        (self.kind, self.pane, self.ending) = (Kind::Picture, Some(pane), 0);
    }

    /// A pane is to be exported as a drawing of vectors.
    pub(in crate::ui) fn choose_drawing(&mut self, pane: PaneKind) {
        (self.kind, self.pane, self.ending) = (Kind::Picture, Some(pane), 1);
    }

    /// What the bullseye shows is to be exported as a table.
    pub(in crate::ui) fn choose_bullseye(&mut self) {
        (self.kind, self.ending) = (Kind::Bullseye, 0);
    }

    /// The genes of an analysis are to be exported as a table.
    pub(in crate::ui) fn choose_genes(&mut self, analysis: AnalysisId) {
        (self.kind, self.ending, self.analysis) = (Kind::GeneTable, 0, Some(analysis));
    }

    /// The numbers of an analysis are to be exported as a table.
    pub(in crate::ui) fn choose_measures(&mut self, analysis: AnalysisId) {
        (self.kind, self.ending, self.analysis) = (Kind::Measures, 0, Some(analysis));
    }
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Export", |_| {});
    if desk.session.study.elements.is_empty() {
        ui.add(
            Label::new(dim(
                desk.theme,
                "Open a heart or a section first; then pictures, tables and maps of it can be written here.",
            ))
            .wrap(),
        );
        return;
    }
    let mut state = std::mem::take(&mut desk.memo.analyze.export);
    choices(ui, desk, &mut state);
    let ending = state.kind.endings().get(state.ending).copied().unwrap_or_default();
    ui.add(Label::new(dim(desk.theme, state.kind.about(ending))).wrap());
    ui.add_space(8.0);
    let folder = folder(ui, desk, &mut state);
    let name = file_name(desk, &state, ending);
    ui.add(Label::new(small(desk.theme, &name)).wrap()).on_hover_text("The file's name; its provenance lies beside it");
    ui.add_space(4.0);
    let why_not = why_not(desk, &state, &folder);
    if run_button(ui, desk, "export", "Export", why_not.as_deref()) {
        let what = what(desk, &state);
        desk.act(Action::Export { what, path: folder.join(&name) });
    }
    written(ui, desk);
    desk.memo.analyze.export = state;
}

fn choices(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) {
    field(ui, desk, "What", |ui| {
        let shown_box = ComboBox::from_id_salt("export what").selected_text(state.kind.name()).width(WIDTH).show_ui(ui, |ui| {
            for kind in Kind::ALL {
                if ui.selectable_label(state.kind == kind, kind.name()).clicked() && state.kind != kind {
                    (state.kind, state.ending) = (kind, 0);
                }
            }
        });
        shown_box.response.accessible_name("What to export");
    });
    match state.kind {
        Kind::Picture => picture(ui, desk, state),
        Kind::Spots | Kind::Map | Kind::Segments => values(ui, desk, state),
        _ => {}
    }
    let endings = state.kind.endings();
    field(ui, desk, "Format", |ui| {
        let shown = endings.get(state.ending).copied().unwrap_or_default();
        let shown_box =
            ComboBox::from_id_salt("export format").selected_text(format!(".{shown}")).width(WIDTH).show_ui(ui, |ui| {
                for (i, ending) in endings.iter().enumerate() {
                    ui.selectable_value(&mut state.ending, i, format!(".{ending}"));
                }
            });
        shown_box.response.accessible_name("Format of the export");
    });
}

fn picture(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) {
    let chosen = pane(desk, state);
    field(ui, desk, "Pane", |ui| {
        let shown_box = ComboBox::from_id_salt("export pane").selected_text(chosen.title()).width(WIDTH).show_ui(ui, |ui| {
            for kind in PaneKind::ALL {
                let there = desk.has_content(kind);
                if ui.add_enabled(there, egui::Button::selectable(chosen == kind, kind.title())).clicked() {
                    state.pane = Some(kind);
                }
            }
        });
        shown_box.response.accessible_name("Pane to export");
    });
    field(ui, desk, "Size", |ui| {
        let shown_box =
            ComboBox::from_id_salt("export size").selected_text(SIZES[state.size.min(3)].0).width(WIDTH).show_ui(ui, |ui| {
                for (i, (name, _)) in SIZES.iter().enumerate() {
                    ui.selectable_value(&mut state.size, i, *name);
                }
            });
        shown_box.response.accessible_name("Size of the picture");
    });
    let mut caption = !state.no_caption;
    ui.checkbox(&mut caption, "Caption")
        .on_hover_text("What it shows, from what, how well registered, what is left out, by which version");
    state.no_caption = !caption;
}

fn values(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) {
    let painted = painted(desk);
    field(ui, desk, "Value", |ui| {
        let hint = painted.clone().unwrap_or_else(|| "Gene, as NPPA".into());
        let edit = TextEdit::singleline(&mut state.value).hint_text(hint).desired_width(WIDTH);
        ui.add(edit)
            .accessible_name("Value to export")
            .on_hover_text("A gene, a column or a result; empty takes what is painted. Several with commas, except in a map.");
    });
    let mut log = !state.counts;
    ui.checkbox(&mut log, "log1p CP10k").on_hover_text("ln(1 + 10⁴ · count / total of the spot); off writes counts");
    state.counts = !log;
}

/// The folder's field with the system's dialog beside it.
fn folder(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) -> PathBuf {
    if let Some(open) = &state.picker
        && let Answer::Paths(paths) = open.answer()
    {
        state.picker = None;
        if let Some(path) = paths.first() {
            state.folder = Some(path.display().to_string());
        }
    }
    let usual = || {
        let beside = desk.session.project.as_ref().and_then(|p| p.parent()).map(|p| p.display().to_string());
        beside.filter(|p| !p.is_empty()).or_else(|| std::env::current_dir().ok().map(|p| p.display().to_string()))
    };
    let text = state.folder.get_or_insert_with(|| usual().unwrap_or_else(|| ".".into()));
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "Folder"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.add_enabled(state.picker.is_none(), egui::Button::new("Browse…")).clicked() {
                let ctx = ui.ctx().clone();
                state.picker = Some(Picker::open(Ask::Folder, move || ctx.request_repaint()));
            }
            let edit = TextEdit::singleline(text).desired_width(ui.available_width());
            ui.add(edit).accessible_name("Folder for exports").on_hover_text(text.as_str());
        });
    });
    PathBuf::from(text.trim())
}

/// What was written last, with a button that copies its path.
fn written(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(path) = desk.session.exported.first().cloned() else { return };
    ui.add_space(8.0);
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let full = std::path::absolute(&path).unwrap_or(path).display().to_string();
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Copy path").on_hover_text(&full).clicked() {
                desk.memo.copy(ui.ctx(), &full);
            }
            let text = small(desk.theme, format!("Written: {name}")).color(desk.colors().good);
            ui.add(Label::new(text).truncate()).on_hover_text(&full);
        });
    });
    for other in desk.session.exported.iter().skip(1) {
        let name = other.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        ui.add(Label::new(dim(desk.theme, name)).truncate());
    }
}

/// The pane chosen, else the one looked at last, else the first with something to show.
fn pane(desk: &Desk<'_>, state: &State) -> PaneKind {
    let looked_at = desk.memo.pointer.map(|(kind, _)| kind);
    let all = state.pane.into_iter().chain(looked_at).chain(PaneKind::ALL);
    all.into_iter().find(|k| desk.has_content(*k)).unwrap_or(PaneKind::ShortAxis)
}

fn painted(desk: &Desk<'_>) -> Option<String> {
    let id = desk.session.view.section?;
    desk.session.derived.spot_values.get(&id).map(|v| v.title.clone())
}

fn names(desk: &Desk<'_>, state: &State) -> Vec<String> {
    let typed: Vec<String> = state.value.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    match (state.kind, typed.is_empty()) {
        (_, false) => typed,
        // The painted value, and in a table of spots all results.
        (Kind::Spots, true) => Vec::new(),
        _ => painted(desk).into_iter().collect(),
    }
}

fn what(desk: &Desk<'_>, state: &State) -> ExportWhat {
    let view = &desk.session.view;
    let id = |id: Option<ElementId>| id.map_or(0, |id| id.0);
    let (section, log_normalized) = (id(view.section), !state.counts);
    let values = names(desk, state);
    match state.kind {
        Kind::Picture => {
            let kind = pane(desk, state);
            let pane_px = desk.memo.drawn.get(&kind).map(|(_, size)| *size);
            let own = pane_px.unwrap_or([1200, 1200]).map(|s| s.clamp(200, 8192));
            let size_px = if state.size == 0 { own } else { SIZES[state.size.min(3)].1 };
            ExportWhat::Picture { pane: kind.title().into(), size_px, pane_px, caption: !state.no_caption }
        }
        Kind::Spots => ExportWhat::Spots { section, values, log_normalized },
        Kind::Map => {
            let value = values.into_iter().next().unwrap_or_default();
            ExportWhat::Map { section, value, log_normalized, heart: id(view.heart) }
        }
        Kind::Segments => {
            let section = view.section.filter(|id| is_registered(desk, *id)).map(|id| id.0);
            ExportWhat::Segments { section, values, log_normalized }
        }
        Kind::Bullseye => ExportWhat::Bullseye,
        Kind::Measures => ExportWhat::Measures { analysis: chosen(desk, state).map_or(0, |id| id.0) },
        Kind::GeneTable => ExportWhat::GeneTable { analysis: chosen(desk, state).map_or(0, |id| id.0) },
        Kind::Residuals => ExportWhat::Residuals { section },
        Kind::Layers => ExportWhat::Layers { section },
        Kind::Transform => ExportWhat::Transform { section },
        Kind::Labels => ExportWhat::Labels { labels: id(desk.session.drawn_labels()) },
        Kind::Figures => ExportWhat::Figures,
        Kind::Regions => ExportWhat::Regions { section },
    }
}

/// The analysis chosen, else the newest with numbers.
fn chosen(desk: &Desk<'_>, state: &State) -> Option<AnalysisId> {
    let all = &desk.session.study.analyses;
    let has = |id: &AnalysisId| match all.get(id).map(|a| &a.result) {
        Some(AnalysisResult::Measures(_)) => state.kind == Kind::Measures,
        Some(AnalysisResult::SpatialGenes(_)) => state.kind == Kind::GeneTable,
        _ => false,
    };
    state.analysis.filter(has).or_else(|| all.keys().rev().copied().find(has))
}

fn is_registered(desk: &Desk<'_>, section: ElementId) -> bool {
    desk.session.study.registrations.get(&section).is_some_and(|r| r.fit.is_some())
}

fn why_not(desk: &Desk<'_>, state: &State, folder: &std::path::Path) -> Option<String> {
    let section = desk.session.view.section;
    let registered = section.is_some_and(|id| is_registered(desk, id));
    let needs = match state.kind {
        Kind::Picture => None,
        Kind::Segments if desk.session.derived.bullseye.is_empty() => Some("Open labels of the left ventricle first."),
        Kind::Labels if desk.session.drawn_labels().is_none() => Some("Show a segmentation first."),
        Kind::Figures if desk.session.study.figures.is_empty() => Some("Measure something first (Ruler)."),
        Kind::Bullseye if desk.session.discs().is_empty() => Some("Open labels of the left ventricle first."),
        Kind::Measures if chosen(desk, state).is_none() => Some("Measure something in the Heart panel first."),
        Kind::GeneTable if chosen(desk, state).is_none() => Some("Find spatial genes in the Genes panel first."),
        Kind::Segments | Kind::Bullseye | Kind::Measures | Kind::GeneTable | Kind::Labels | Kind::Figures => None,
        _ if section.is_none() => Some("Open a section first."),
        Kind::Regions if desk.session.study.regions.iter().all(|r| Some(r.section) != section) => {
            Some("Mark a region first (Regions).")
        }
        Kind::Map if desk.session.view.heart.is_none() => Some("Open an image of the heart first: the map gets its grid."),
        Kind::Map if names(desk, state).len() != 1 => Some("A map is of one value: type one gene."),
        Kind::Map | Kind::Layers | Kind::Transform if !registered => {
            Some("Register the section first: place landmark pairs (L).")
        }
        Kind::Spots if !registered && state.ending == 0 => Some("Register the section first, or choose .csv."),
        _ => None,
    };
    let folder_missing = (!folder.is_dir()).then(|| format!("There is no folder {}.", folder.display()));
    needs.map(str::to_owned).or(folder_missing)
}

fn file_name(desk: &Desk<'_>, state: &State, ending: &str) -> String {
    let study = &desk.session.study;
    let project = desk.session.project.as_ref().and_then(|p| p.file_stem()).map(|s| s.to_string_lossy().into_owned());
    let is_demo = study.provenance.values().all(|p| p.demo_seed.is_some());
    let case = project.unwrap_or_else(|| if is_demo { "demo".into() } else { "case".into() });
    let section = desk.session.view.section.and_then(|id| study.section(id)).map_or_else(String::new, |s| s.name.clone());
    let word = match state.kind {
        Kind::Picture => pane(desk, state).title().to_lowercase(),
        kind => kind.word().to_owned(),
    };
    let value = match state.kind {
        Kind::Map | Kind::Segments | Kind::Spots => names(desk, state).join("+"),
        Kind::Picture => painted(desk).unwrap_or_default(),
        _ => String::new(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    export_name([&case, &section, &word, &value], &stamp(now), ending)
}
