//! `snapshot`: a picture without a window, drawn by the processor painter: the same on any machine.

use super::Run;
use super::headless::{session_of, settle};
use crate::base::{Error, Result};
use crate::io;
use crate::model::{ElementId, Fit, LayerKind, Quality, Registration, TransformModel};
use crate::scene::{
    self, Caption, HeartView, Image, Inputs, PaintTheme, PaneKind, PatientPlane, Scene, SceneCache, patient_plane,
};
use crate::session::{Action, RegisterAction, Session, ViewAction};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViewName {
    /// A cut through the heart.
    Slice,
    /// The section.
    Section,
    /// The section over the heart.
    Overlay,
    /// The seventeen segments.
    Bullseye,
    /// Patients by views: what is there, missing, excluded.
    Cohort,
    /// All slices of the stack.
    Lightbox,
    /// All phases of the slice.
    Phases,
    /// The whole window, opened for a moment.
    Window,
}

/// `snapshot`.
#[derive(Args, Debug)]
pub struct Snapshot {
    /// Files and folders; none is the built-in case.
    paths: Vec<PathBuf>,
    /// What to draw.
    #[arg(long, value_enum)]
    view: ViewName,
    /// The picture: .png, or .svg with marks and spots as vectors.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Size in pixels.
    #[arg(long, default_value = "800x800", value_name = "WxH")]
    size: String,
    /// Plane of a slice.
    #[arg(long, default_value = "sax", value_parser = ["sax", "2ch", "3ch", "4ch", "axial", "coronal", "sagittal"])]
    plane: String,
    /// Position on the plane's axis in mm: LPS z, y or x for patient planes, along the normal else.
    #[arg(long, value_name = "MM", allow_hyphen_values = true)]
    at: Option<f64>,
    /// Phase of a cine, from 0.
    #[arg(long)]
    phase: Option<usize>,
    /// Gene or column that colors the spots.
    #[arg(long, value_name = "GENE")]
    color_by: Option<String>,
    /// Segmentation drawn over the slice.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Transform from the section to the heart.
    #[arg(long, value_name = "FILE")]
    transform: Option<PathBuf>,
    /// Window of the image.
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    window: Option<String>,
    /// Leave out letters, bars, cursor and margins.
    #[arg(long)]
    plain: bool,
    /// Mirrored display: the patient's left on the left.
    #[arg(long)]
    neurological: bool,
}

/// Draws a pane of a session.
#[must_use]
pub fn paint_pane(session: &Session, pane: PaneKind, size_px: [u32; 2], plain: bool) -> Image {
    scene::paint(&pane_scene(session, pane, size_px, plain), &PaintTheme::default())
}

fn pane_scene(session: &Session, pane: PaneKind, size_px: [u32; 2], plain: bool) -> Scene {
    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
    let build = if plain { scene::build_plain } else { scene::build };
    build(&inputs, &mut SceneCache::default(), pane, size_px)
}

impl Snapshot {
    /// Draws and writes.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[Some(&self.out)])?;
        let size = parse_size(&self.size)?;
        if self.view == ViewName::Window {
            return self.window_picture(run, size);
        }
        let mut paths = self.paths.clone();
        paths.extend(self.labels.clone());
        let mut session = session_of(run, paths)?;
        if session.study.elements.is_empty() {
            let why = session.messages.iter().map(|m| m.text.clone()).collect::<Vec<_>>().join("; ");
            return Err(Error::degenerate(format!("nothing to draw: {why}")));
        }
        self.check_labels(&session)?;
        self.arrange(run, &mut session)?;
        let pane = self.pane();
        self.check_there(&session)?;
        if io::bytes::ending(&self.out) == "svg" {
            let scene = pane_scene(&session, pane, size, self.plain);
            let theme = PaintTheme::default();
            let mut drawing = scene::draw_vectors(&scene, &Caption::new(&[], size[0], &theme), &theme);
            pane.title().clone_into(&mut drawing.title);
            io::write_svg(&self.out, &drawing)?;
        } else {
            let image = paint_pane(&session, pane, size, self.plain);
            io::write_png(&self.out, image.width, image.height, &image.rgba)?;
        }
        if run.shared.json {
            let object = serde_json::json!({"out": self.out.display().to_string(), "size": size, "view": pane.title()});
            run.printer.json(&object);
        }
        Ok(0)
    }

    /// Refuses a `--labels` file that opened as an image.
    fn check_labels(&self, session: &Session) -> Result<()> {
        let Some(path) = &self.labels else { return Ok(()) };
        let is_it = |id: &ElementId| session.study.provenance.get(id).and_then(|p| p.path.as_ref()) == Some(path);
        if session.study.label_maps().any(|(id, _)| is_it(&id)) {
            return Ok(());
        }
        let what = "this is not a segmentation; whole numbers from 0 to 255 and a name with gt, seg, label or mask were expected";
        Err(Error::malformed(what).at(path))
    }

    /// Refuses a picture of what is not there.
    fn check_there(&self, session: &Session) -> Result<()> {
        let no = |what: &str| Err(Error::parameter(format!("--view {what}")));
        let has_section = session.view.section.is_some();
        match self.view {
            ViewName::Section if !has_section => no("section needs a section (picture or spots); give one as PATH"),
            ViewName::Overlay if !has_section => no("overlay needs a section beside an image of the heart; give both as PATH"),
            ViewName::Overlay if session.registration().is_none_or(|r| r.fit.is_none()) => {
                no("overlay needs the section registered to an image of the heart; give both as PATH and a --transform")
            }
            ViewName::Bullseye if session.derived.bullseye.is_empty() => {
                no("bullseye needs a segmentation that the 17 segments can be found in; give one as PATH or with --labels")
            }
            _ if self.color_by.is_some() && !has_section => {
                Err(Error::parameter("--color-by needs a section with spots; give one as PATH"))
            }
            _ => Ok(()),
        }
    }

    fn pane(&self) -> PaneKind {
        match (self.view, self.plane.as_str()) {
            (ViewName::Section, _) => PaneKind::Section,
            (ViewName::Overlay, _) => PaneKind::Overlay,
            (ViewName::Bullseye, _) => PaneKind::Bullseye,
            (ViewName::Cohort, _) => PaneKind::Cohort,
            (ViewName::Lightbox | ViewName::Phases, _) => PaneKind::LightBox,
            (_, "2ch") => PaneKind::TwoChamber,
            (_, "4ch") => PaneKind::FourChamber,
            _ => PaneKind::ShortAxis,
        }
    }

    fn arrange(&self, run: &mut Run, session: &mut Session) -> Result<()> {
        if let Some(path) = &self.transform {
            let file = io::read_transform(path, &run.limits)?;
            bind(session, &file)?;
        }
        self.place_plane(session)?;
        if let Some(phase) = self.phase {
            let n = session.heart().map_or(1, |v| v.n_phases());
            if phase >= n {
                return Err(Error::parameter(format!("--phase {phase} of {n} phases (from 0)")));
            }
            session.apply(Action::View(ViewAction::Phase((phase as f64 + 0.5) / n as f64)));
        }
        session.apply(Action::View(ViewAction::Neurological(self.neurological)));
        session.apply(Action::View(ViewAction::LightBoxPhases(self.view == ViewName::Phases)));
        self.arrange_layers(session)?;
        settle(run, session)
    }

    fn place_plane(&self, session: &mut Session) -> Result<()> {
        let pane = self.pane();
        if !pane.is_heart() {
            return Ok(());
        }
        let heart = session.heart().cloned().ok_or_else(|| Error::parameter("no image of a heart to cut; give one as PATH"))?;
        if self.plane == "3ch" {
            if session.view.heart.and_then(|id| session.heart_axis(id)).is_none() {
                return Err(Error::parameter("--plane 3ch needs labels of both ventricles; give them with --labels"));
            }
            session.apply(Action::View(ViewAction::Cut(pane, HeartView::Three)));
        }
        if let Some(kind) = PatientPlane::from_name(&self.plane) {
            session.apply(Action::View(ViewAction::Plane(pane, patient_plane(kind, &heart, self.at))));
        } else if let (Some(at), Some(plane)) = (self.at, session.pane_plane(pane)) {
            let along = at - plane.origin().dot(plane.normal());
            session.apply(Action::View(ViewAction::Plane(pane, plane.through(plane.origin() + plane.normal() * along))));
        }
        Ok(())
    }

    fn arrange_layers(&self, session: &mut Session) -> Result<()> {
        let window = self.window.as_deref().map(parse_window).transpose()?;
        let heart = session.view.heart;
        for index in 0..session.study.layers.len() {
            let mut layer = session.study.layers[index].clone();
            match &mut layer.kind {
                LayerKind::Image { low, high, .. } if Some(layer.element) == heart => {
                    if let Some((l, h)) = window {
                        (*low, *high) = (l, h);
                    }
                }
                LayerKind::Labels { .. } => layer.visible |= self.labels.is_some(),
                LayerKind::Spots { color_by, .. } if self.color_by.is_some() => {
                    check_gene(session, layer.element, self.color_by.as_deref().unwrap_or_default())?;
                    color_by.clone_from(&self.color_by);
                }
                _ => {}
            }
            session.apply(Action::SetLayer { index, layer });
        }
        Ok(())
    }

    #[cfg(feature = "gui")]
    fn window_picture(self, run: &Run, size: [u32; 2]) -> Result<u8> {
        let options = crate::ui::RunOptions {
            paths: self.paths,
            seed: run.shared.seed,
            snapshot: Some((self.out, size)),
            ..Default::default()
        };
        crate::ui::run(options).map(|_| 0)
    }

    #[cfg(not(feature = "gui"))]
    fn window_picture(self, _run: &Run, _size: [u32; 2]) -> Result<u8> {
        Err(Error::unsupported("this build has no window (feature `gui`)"))
    }
}

pub(super) fn check_gene(session: &Session, id: ElementId, name: &str) -> Result<()> {
    let expression = session.study.section(id).and_then(|s| s.expression.clone());
    let known = expression.is_some_and(|e| e.find_gene(name).is_some() || e.columns.contains_key(name));
    if known { Ok(()) } else { Err(Error::parameter(format!("no gene or column is called {name:?} in this section"))) }
}

/// Registers the shown section by a transform that leads into the patient.
pub(super) fn bind(session: &mut Session, file: &io::TransformFile) -> Result<()> {
    let plane = file.lps_plane()?.ok_or_else(|| Error::parameter("--transform does not lead into a volume: it has no plane"))?;
    let warp = file.to_warp()?;
    session.apply(Action::Register(RegisterAction::Bind(plane)));
    let section = session.view.section.ok_or_else(|| Error::parameter("--transform needs a section; give one as PATH"))?;
    let registration = session
        .study
        .registrations
        .get_mut(&section)
        .ok_or_else(|| Error::parameter("--transform needs an image of the heart; give one as PATH"))?;
    given(registration, warp);
    session.apply(Action::View(ViewAction::Section(section)));
    Ok(())
}

/// A fit that came from a file: its quality is not known.
fn given(registration: &mut Registration, warp: crate::space::Warp) {
    let quality = Quality {
        n_pairs: 0,
        rms_mm: None,
        residuals: Vec::new(),
        leave_one_out: Vec::new(),
        leave_one_out_median_mm: None,
        mirror: None,
        swapped_pairs: Vec::new(),
        folds: 0,
        scale: warp.linear_part().matrix2.determinant().abs().sqrt(),
    };
    registration.model = TransformModel::Affine;
    registration.problem = None;
    registration.fit = Some(Fit { plane_from_section: warp, quality });
}

pub(super) fn parse_size(text: &str) -> Result<[u32; 2]> {
    let wrong = || Error::parameter(format!("--size {text}: expected WxH from 16x16 to 8192x8192"));
    let (w, h) = text.split_once('x').ok_or_else(wrong)?;
    let side = |t: &str| t.parse().ok().filter(|v| (16..=8192).contains(v)).ok_or_else(wrong);
    Ok([side(w)?, side(h)?])
}

fn parse_window(text: &str) -> Result<(f64, f64)> {
    let wrong = || Error::parameter(format!("--window {text}: expected LOW,HIGH with LOW below HIGH"));
    let (low, high) = text.split_once(',').ok_or_else(wrong)?;
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(wrong);
    let (low, high) = (number(low)?, number(high)?);
    if low < high { Ok((low, high)) } else { Err(wrong()) }
}
