//! `export`: spots, maps, segments, tables, transforms and pictures to hand on, each with its provenance
//! beside it. The window's Export panel writes the same files.

use super::Run;
use super::headless::{session_of, settle};
use super::snapshot::{bind, parse_size};
use crate::base::{Error, Result};
use crate::io;
use crate::model::{ElementId, LayerKind};
use crate::scene::PaneKind;
use crate::session::{Action, ExportRecord, ExportWhat, Placed, Session, export_name, stamp};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What to write.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// Spots with their places in section and patient, segment, exclusions and values; .csv, .tsv, .parquet
    /// or .h5ad (all counts, patient coordinates in `obsm/spatial_lps_mm`).
    Spots(Values),
    /// A gene on the heart's grid: mean of the spots in each voxel, NaN elsewhere; .nii.gz and _count.nii.gz.
    Map(Map),
    /// Means of the spots in the 17 segments; without --gene and --transform what the bullseye shows.
    Segments(Values),
    /// Other tables of a section.
    Table(Table),
    /// The transform from section to patient; .json, .tfm, .csv or .ngff.json.
    Transform(Values),
    /// A pane with scale bar, color bar, orientation letters and caption; .png or .svg.
    Picture(Picture),
}

/// What is opened and where the result goes.
#[derive(Args, Debug)]
pub struct Inputs {
    /// Section, heart, labels; files and folders. None is the built-in case.
    paths: Vec<PathBuf>,
    /// The transform from the section to the patient, in the place of a registration.
    #[arg(long, value_name = "FILE")]
    transform: Option<PathBuf>,
    /// Labels of the left ventricle, for the segments.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The file; its ending gives the format. `….provenance.json` is written beside it. In a folder it is named
    /// after what it holds and the time (UTC).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Which values.
#[derive(Args, Debug)]
pub struct Values {
    #[command(flatten)]
    inputs: Inputs,
    /// Gene or column; may be repeated.
    #[arg(long = "gene", value_name = "GENE")]
    genes: Vec<String>,
    /// Counts instead of log1p of counts per ten thousand.
    #[arg(long)]
    counts: bool,
}

/// `export map`.
#[derive(Args, Debug)]
pub struct Map {
    #[command(flatten)]
    values: Values,
    /// The heart whose grid the map gets; the first volume opened where it is not given.
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
}

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    /// Landmark pairs with residuals and leave-one-out errors.
    Residuals,
    /// Values of all images and labels at the spots.
    Layers,
}

/// `export table`.
#[derive(Args, Debug)]
pub struct Table {
    /// Which.
    #[arg(value_enum)]
    table: TableName,
    #[command(flatten)]
    inputs: Inputs,
}

/// Panes by their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PaneName {
    /// Short axis of the heart.
    ShortAxis,
    /// Two chamber.
    TwoChamber,
    /// Four chamber.
    FourChamber,
    /// The section.
    Section,
    /// The section over the heart.
    Overlay,
    /// The seventeen segments.
    Bullseye,
}

/// `export picture`.
#[derive(Args, Debug)]
pub struct Picture {
    #[command(flatten)]
    inputs: Inputs,
    /// Which pane.
    #[arg(long, value_enum)]
    view: PaneName,
    /// Width and height in pixels.
    #[arg(long, default_value = "1200x1200", value_name = "WxH")]
    size: String,
    /// Gene or column that colors the spots.
    #[arg(long, value_name = "GENE")]
    gene: Option<String>,
    /// Counts instead of log1p of counts per ten thousand.
    #[arg(long)]
    counts: bool,
    /// Without the sentences below.
    #[arg(long)]
    no_caption: bool,
}

impl Export {
    /// Opens, arranges and writes.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Spots(c) => {
                let session = c.inputs.open(run, None)?;
                let section = section_of(&session)?;
                let what = ExportWhat::Spots { section: section.0, values: c.genes, log_normalized: !c.counts };
                c.inputs.write(run, &session, what)
            }
            Self::Map(c) => c.run(run),
            Self::Segments(c) => {
                let session = c.inputs.open(run, None)?;
                let section = session.view.section.filter(|_| !c.genes.is_empty() || c.inputs.transform.is_some()).map(|id| id.0);
                let what = ExportWhat::Segments { section, values: c.genes, log_normalized: !c.counts };
                c.inputs.write(run, &session, what)
            }
            Self::Table(c) => {
                let session = c.inputs.open(run, None)?;
                let section = section_of(&session)?.0;
                let what = match c.table {
                    TableName::Residuals => ExportWhat::Residuals { section },
                    TableName::Layers => ExportWhat::Layers { section },
                };
                c.inputs.write(run, &session, what)
            }
            Self::Transform(c) => {
                let session = c.inputs.open(run, None)?;
                let what = ExportWhat::Transform { section: section_of(&session)?.0 };
                c.inputs.write(run, &session, what)
            }
            Self::Picture(c) => c.run(run),
        }
    }
}

impl Inputs {
    /// A session with everything open; `more` is opened too.
    fn open(&self, run: &mut Run, more: Option<&PathBuf>) -> Result<Session> {
        let mut paths = self.paths.clone();
        for path in more.into_iter().chain(&self.labels) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        // One after the other, so that numbers of elements do not depend on which is read fastest.
        let mut session = session_of(run, paths.iter().take(1).cloned().collect())?;
        for path in paths.into_iter().skip(1) {
            if !path.exists() {
                return Err(Error::parameter(format!("no such file or folder: {}", path.display())));
            }
            session.apply(Action::Open(vec![path]));
            settle(run, &mut session)?;
        }
        if session.study.elements.is_empty() {
            let why = session.messages.iter().map(|m| m.text.clone()).collect::<Vec<_>>().join("; ");
            return Err(Error::degenerate(format!("nothing to export: {why}")));
        }
        Ok(session)
    }

    /// Writes one export and tells which files came of it.
    fn write(&self, run: &Run, session: &Session, what: ExportWhat) -> Result<u8> {
        let out = if self.out.is_dir() { self.out.join(usual_name(session, &what)) } else { self.out.clone() };
        let name = out.file_name().ok_or_else(|| Error::parameter(format!("no file name: {}", out.display())))?;
        let folder = out.parent().unwrap_or(Path::new(""));
        let mut exporter = session.exporter();
        if let (Some(path), Some(section)) = (&self.transform, session.view.section) {
            let file = io::read_transform(path, &run.limits)?;
            let mut placed = Placed::of_file(&file).map_err(|e| named(e, path))?;
            placed.source = Some(io::bytes::digest(path, &run.progress)?.sha256);
            exporter.given = Some((section, placed));
        }
        let record = ExportRecord { what, file: name.to_string_lossy().into_owned(), view: serde_json::Value::Null };
        let written = exporter.write(&record, folder, &run.progress)?;
        let names: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
        if run.shared.json {
            let placed = session.view.section.and_then(|id| exporter.placed(id));
            let object = json!({
                "files": names,
                "registration": placed.map(|p| p.sentence()),
                "excluded": session.study.exclusions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            });
            run.printer.json(&object);
        } else {
            run.printer.line(&format!("Written: {}", names.join(", ")));
        }
        Ok(0)
    }
}

/// `<case>_<section>_<what>_<gene>_<time>`, in the format most asked for.
fn usual_name(session: &Session, what: &ExportWhat) -> String {
    let (word, value, ending) = match what {
        ExportWhat::Picture { pane, .. } => (pane.to_lowercase(), String::new(), "png"),
        ExportWhat::Spots { values, .. } => ("spots".into(), values.join("+"), "csv"),
        ExportWhat::Map { value, .. } => ("map".into(), value.clone(), "nii.gz"),
        ExportWhat::Segments { values, .. } => ("segments".into(), values.join("+"), "csv"),
        ExportWhat::Bullseye => ("bullseye".into(), String::new(), "csv"),
        ExportWhat::Measures { .. } => ("measures".into(), String::new(), "csv"),
        ExportWhat::GeneTable { .. } => ("autocorrelation".into(), String::new(), "csv"),
        ExportWhat::Residuals { .. } => ("residuals".into(), String::new(), "csv"),
        ExportWhat::Layers { .. } => ("layers".into(), String::new(), "csv"),
        ExportWhat::Figures => ("figures".into(), String::new(), "csv"),
        ExportWhat::Regions { .. } => ("regions".into(), String::new(), "geojson"),
        ExportWhat::Labels { .. } => ("labels".into(), String::new(), "nii.gz"),
        ExportWhat::Transform { .. } => ("transform".into(), String::new(), "json"),
    };
    let is_demo = session.study.provenance.values().all(|p| p.demo_seed.is_some());
    let section = session.view.section.and_then(|id| session.study.section(id)).map_or("", |s| s.name.as_str());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    export_name([if is_demo { "demo" } else { "case" }, section, &word, &value], &stamp(now), ending)
}

fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Parameter(text) => Error::Parameter(format!("{text}: {}", path.display())),
        other => other.at(path),
    }
}

fn section_of(session: &Session) -> Result<ElementId> {
    session.view.section.ok_or_else(|| Error::parameter("there is no section; give one as PATH"))
}

impl Map {
    fn run(self, run: &mut Run) -> Result<u8> {
        let [gene] = self.values.genes.as_slice() else {
            return Err(Error::parameter("a map is of one value: give one --gene"));
        };
        let session = self.values.inputs.open(run, self.like.as_ref())?;
        let of_like = |id: &ElementId| session.study.provenance.get(id).is_some_and(|p| p.path == self.like);
        let heart = match &self.like {
            Some(path) => session
                .study
                .volumes()
                .map(|(id, _)| id)
                .find(of_like)
                .ok_or_else(|| Error::parameter(format!("--like holds no image of the heart: {}", path.display())))?,
            None => session.view.heart.ok_or_else(|| Error::parameter("give the heart with --like"))?,
        };
        let what = ExportWhat::Map {
            section: section_of(&session)?.0,
            value: gene.clone(),
            log_normalized: !self.values.counts,
            heart: heart.0,
        };
        self.values.inputs.write(run, &session, what)
    }
}

impl Picture {
    fn run(self, run: &mut Run) -> Result<u8> {
        let size_px = parse_size(&self.size)?;
        let mut session = self.inputs.open(run, None)?;
        if let Some(path) = &self.inputs.transform {
            let file = io::read_transform(path, &run.limits)?;
            bind(&mut session, &file)?;
        }
        self.paint(&mut session)?;
        settle(run, &mut session)?;
        let pane = match self.view {
            PaneName::ShortAxis => PaneKind::ShortAxis,
            PaneName::TwoChamber => PaneKind::TwoChamber,
            PaneName::FourChamber => PaneKind::FourChamber,
            PaneName::Section => PaneKind::Section,
            PaneName::Overlay => PaneKind::Overlay,
            PaneName::Bullseye => PaneKind::Bullseye,
        };
        let pane = pane.title().to_owned();
        let what = ExportWhat::Picture { pane, size_px, pane_px: None, caption: !self.no_caption };
        self.inputs.write(run, &session, what)
    }

    /// The gene asked for on the spots.
    fn paint(&self, session: &mut Session) -> Result<()> {
        for index in 0..session.study.layers.len() {
            let mut layer = session.study.layers[index].clone();
            let LayerKind::Spots { color_by, log_normalized, .. } = &mut layer.kind else { continue };
            *log_normalized = !self.counts;
            if let Some(gene) = &self.gene {
                super::snapshot::check_gene(session, layer.element, gene)?;
                *color_by = Some(gene.clone());
            }
            session.apply(Action::SetLayer { index, layer });
        }
        Ok(())
    }
}
