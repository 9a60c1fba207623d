//! `measure bullseye`: any number per segment as a bullseye.

use crate::base::{Error, Result};
use crate::cli::Run;
use crate::cli::snapshot::parse_size;
use crate::io::{self, Table};
use crate::model::{MeasuredValue, Study};
use crate::scene::{self, BullseyeScale, Caption, Derived, Inputs, PaintTheme, PaneKind, SceneCache, View};
use crate::session::{Disc, disc_scale, disc_table, text_scale};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `measure bullseye`.
#[derive(Args, Debug)]
pub struct Bullseye {
    /// A table of measures with segments 1 to 17 as regions.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Which number.
    #[arg(long)]
    metric: String,
    /// Of which phase; needed where there are several.
    #[arg(long)]
    phase: Option<String>,
    /// Of which subject; needed where there are several.
    #[arg(long)]
    subject: Option<String>,
    /// A second disc on the same color scale, from this table; the same table where only a phase or subject is given.
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// Phase of the second disc; that of the first where not given.
    #[arg(long, value_name = "PHASE")]
    beside_phase: Option<String>,
    /// Subject of the second disc.
    #[arg(long, value_name = "SUBJECT")]
    beside_subject: Option<String>,
    /// The first minus the second in one disc, centered on 0.
    #[arg(long)]
    difference: bool,
    /// Usual coronary territories as outlines.
    #[arg(long)]
    territories: bool,
    /// Lowest and highest color; the least and the greatest value where not given.
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    range: Option<String>,
    /// Width and height of a picture.
    #[arg(long, default_value = "900x800", value_name = "WxH")]
    size: String,
    /// `.svg`, `.png`, or a table.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Bullseye {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[Some(&self.out)])?;
        let discs = self.discs(run)?;
        let shown: Vec<&Disc> = discs.iter().collect();
        match io::bytes::ending(&self.out).as_str() {
            "svg" | "png" => self.draw(&shown)?,
            _ => disc_table(&shown)?.write(&self.out)?,
        }
        let disc = &discs[0];
        let n = disc.values.iter().flatten().count();
        if run.shared.json {
            let n_discs = discs.len();
            let object =
                json!({"metric": disc.metric, "phase": disc.phase, "n_segments": n, "unit": disc.unit, "n_discs": n_discs});
            run.printer.json(&object);
        } else {
            run.printer.line(&format!("{} of {n} segments: {}", disc.metric, self.out.display()));
        }
        Ok(0)
    }

    /// One disc, two, or their difference.
    fn discs(&self, run: &Run) -> Result<Vec<Disc>> {
        let first = self.disc(run, &self.table, (self.phase.as_deref(), self.subject.as_deref()))?;
        let asked = self.beside.is_some() || self.beside_phase.is_some() || self.beside_subject.is_some();
        if !asked {
            if self.difference {
                return Err(Error::parameter("--difference needs --beside, --beside-phase or --beside-subject"));
            }
            return Ok(vec![first]);
        }
        let phase = self.beside_phase.as_deref().or(self.phase.as_deref());
        let own_table = self.beside.is_none();
        let subject = self.beside_subject.as_deref().or(self.subject.as_deref().filter(|_| own_table));
        let second = self.disc(run, self.beside.as_deref().unwrap_or(&self.table), (phase, subject))?;
        Ok(if self.difference { vec![first.minus(&second)?] } else { vec![first, second] })
    }

    fn disc(&self, run: &Run, path: &Path, (phase, subject): (Option<&str>, Option<&str>)) -> Result<Disc> {
        let table = Table::read(path, &run.limits)?;
        let (rows, subjects) = rows_of(&table, subject).map_err(|e| e.at(path))?;
        let metric: BTreeSet<&String> =
            rows.iter().zip(&subjects).filter(|(r, _)| r.metric == self.metric).map(|(_, s)| s).collect();
        if metric.len() > 1 {
            let n = metric.len();
            let what = format!("{} has {n} subjects, which are not put into one bullseye; choose by --subject", self.metric);
            return Err(Error::parameter(what).at(path));
        }
        let whose = metric.first().map_or_else(String::new, |s| (*s).clone());
        let disc = Disc::of_rows(&rows, &self.metric, phase).map_err(|e| e.at(path))?;
        Ok(Disc { whose, ..disc })
    }

    fn draw(&self, discs: &[&Disc]) -> Result<()> {
        let size = parse_size(&self.size)?;
        let scale = self.scale(discs)?;
        let mut sentences = scale.notes.clone();
        sentences.push("Hatched: no value. For research, not for diagnosis".to_owned());
        let derived = Derived {
            bullseye: discs[0].cells(),
            bullseye_beside: discs.get(1).map(|d| d.cells()).unwrap_or_default(),
            bullseye_scale: Some(scale),
            ..Derived::default()
        };
        let (study, view) = (Study::default(), View::default());
        let theme = PaintTheme { pixels_per_point: text_scale(size), ..PaintTheme::default() };
        let caption = Caption::new(&sentences, size[0], &theme);
        let room = [size[0], size[1].saturating_sub(caption.height_px).max(16)];
        let inputs = Inputs { study: &study, view: &view, derived: &derived, pixels_per_point: theme.pixels_per_point };
        let scene = scene::build(&inputs, &mut SceneCache::default(), PaneKind::Bullseye, room);
        if io::bytes::ending(&self.out) == "svg" {
            let mut drawing = scene::draw_vectors(&scene, &caption, &theme);
            drawing.title = discs[0].title();
            drawing.description = sentences.join(". ");
            return io::write_svg(&self.out, &drawing);
        }
        let image = scene::paint_with_caption(&scene, &caption, &theme);
        io::write_png(&self.out, image.width, image.height, &image.rgba)
    }

    fn scale(&self, discs: &[&Disc]) -> Result<BullseyeScale> {
        let range = self.range.as_deref().map(|text| {
            let wrong = || Error::parameter(format!("--range {text}: expected LOW,HIGH with LOW under HIGH"));
            let (a, b) = text.split_once(',').ok_or_else(wrong)?;
            a.trim().parse().ok().zip(b.trim().parse().ok()).filter(|(a, b): &(f64, f64)| a < b).ok_or_else(wrong)
        });
        Ok(disc_scale(discs, range.transpose()?, self.territories))
    }
}

/// The rows of a table of measures with a number, of a subject where one is given, and whose they are.
fn rows_of(table: &Table, subject: Option<&str>) -> Result<(Vec<MeasuredValue>, Vec<String>)> {
    let texts = |name: &str| table.texts(name).map(|t| t.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
    let [subjects, regions, phases, metrics] = [texts("subject")?, texts("region")?, texts("phase")?, texts("metric")?];
    let (values, units, methods) = (table.numbers("value")?, texts("unit")?, texts("method")?);
    let wanted = |row: &usize| subject.is_none_or(|s| s == subjects[*row]);
    let rows = (0..table.n_rows()).filter(wanted);
    let one = |row: usize| MeasuredValue {
        region: regions[row].clone(),
        phase: phases[row].clone(),
        metric: metrics[row].clone(),
        value: values[row].unwrap_or(f64::NAN),
        unit: units[row].clone(),
        method: methods[row].clone(),
    };
    Ok(rows.map(|r| (one(r), subjects[r].clone())).unzip())
}
