//! `measure strain` and `measure echo`.

use super::heart::Cut;
use super::{Output, named};
use crate::base::{Error, Result};
use crate::cardiac::{
    ContourKey, EchoSettings, EchoView, Measure as Row, Measured, StrainSettings, StrainView, TrackedContours, cube_mass_g,
    measure_echo, measure_strain, segment_labels_or_wall, strain_of_labels,
};
use crate::cli::Run;
use crate::io::{self, Table};
use crate::space::DVec3;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `measure strain`.
#[derive(Args, Debug)]
pub struct Strain {
    /// Followed points: `phase,view,slice,border,point,x_mm,y_mm,z_mm`.
    #[arg(long, value_name = "FILE", conflicts_with = "labels")]
    contours: Option<PathBuf>,
    /// Segmentation of all phases (4-D).
    #[arg(long, value_name = "FILE", required_unless_present = "contours")]
    labels: Option<PathBuf>,
    /// The cine of the labels; its phases must be as many.
    #[arg(long, value_name = "FILE", requires = "labels")]
    image: Option<PathBuf>,
    /// Green-Lagrange instead of engineering strain.
    #[arg(long)]
    green: bool,
    /// Take out drift linearly: the last phase is the end of the beat.
    #[arg(long)]
    close_drift: bool,
    #[command(flatten)]
    cut: Cut,
    #[command(flatten)]
    output: Output,
}

/// `measure echo`.
#[derive(Args, Debug)]
pub struct Echo {
    /// Contours of the four-chamber view: `phase,point,x_mm,y_mm`, hinge to hinge.
    #[arg(long, value_name = "FILE")]
    a4c: Option<PathBuf>,
    /// Contours of the two-chamber view.
    #[arg(long, value_name = "FILE")]
    a2c: Option<PathBuf>,
    /// Area-length by the mean of both lengths instead of the shorter.
    #[arg(long)]
    mean_length: bool,
    /// Volumes of all phases.
    #[arg(long)]
    all_phases: bool,
    /// Green-Lagrange instead of engineering strain.
    #[arg(long)]
    green: bool,
    /// Septum, cavity and posterior wall at end-diastole in mm, for the mass by the cube formula.
    #[arg(long, value_name = "IVS,LVID,PW")]
    diameters_mm: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Strain {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let settings = StrainSettings { green: self.green, close_drift: self.close_drift };
        let (file, measured) = match (&self.contours, &self.labels) {
            (Some(file), _) => (file, measure_strain(&read_contours(run, file)?, settings).map_err(|e| named(e, file))?),
            (None, Some(file)) => (file, self.of_labels(run, file, settings)?),
            (None, None) => return Err(Error::parameter("give --contours, or --labels of all phases")),
        };
        self.output.write(run, &measured.of(&self.output.subject_of(file)), json!({}))
    }

    fn of_labels(&self, run: &mut Run, file: &Path, settings: StrainSettings) -> Result<Measured> {
        let labels = io::read_labels(file, &mut run.reading())?;
        if let Some(path) = &self.image {
            let image = io::read_volume_any(path, &mut run.reading())?;
            if image.n_phases() != labels.n_phases() {
                let what = format!(
                    "the cine has {} phases and the labels {}; strain needs labels of every phase",
                    image.n_phases(),
                    labels.n_phases()
                );
                return Err(Error::Degenerate(format!("{what}: {}", path.display())));
            }
        }
        let cut = self.cut.settings(&labels)?;
        let mut frames = Vec::new();
        for phase in 0..labels.n_phases() {
            run.progress.step(0.3 * phase as f64 / labels.n_phases() as f64, "cutting the wall")?;
            frames.push(segment_labels_or_wall(&labels, phase, &cut).map_err(|e| named(e, file))?);
        }
        strain_of_labels(&frames, &labels, settings, &run.progress.part(0.3, 1.0)).map_err(|e| named(e, file))
    }
}

impl Echo {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let mut views: Vec<(&str, EchoView)> = Vec::new();
        for (name, path) in [("4ch", &self.a4c), ("2ch", &self.a2c)] {
            if let Some(path) = path {
                views.push((name, read_echo(run, path)?));
            }
        }
        let mut measured = Measured::default();
        if !views.is_empty() {
            let settings = EchoSettings { mean_length: self.mean_length, green: self.green, all_phases: self.all_phases };
            let views: Vec<(&str, &EchoView)> = views.iter().map(|(name, v)| (*name, v)).collect();
            measured = measure_echo(&views, settings)?;
        }
        if let Some(text) = &self.diameters_mm {
            measured.rows.push(cube_row(text)?);
        }
        if measured.rows.is_empty() {
            return Err(Error::parameter("give contours with --a4c and --a2c, or diameters with --diameters-mm"));
        }
        let unnamed = PathBuf::new();
        let file = self.a4c.as_ref().or(self.a2c.as_ref()).unwrap_or(&unnamed);
        self.output.write(run, &measured.of(&self.output.subject_of(file)), json!({}))
    }
}

fn cube_row(text: &str) -> Result<Row> {
    let wrong = || Error::parameter(format!("--diameters-mm {text}: expected septum,cavity,posterior wall in mm"));
    let numbers: Vec<f64> = text.split(',').map(|t| t.trim().parse::<f64>().map_err(|_| wrong())).collect::<Result<_>>()?;
    let diameters: [f64; 3] = numbers.try_into().map_err(|_| wrong())?;
    Ok(Row {
        subject: String::new(),
        region: "myo".into(),
        phase: "ED".into(),
        metric: "mass".into(),
        value: cube_mass_g(diameters)?,
        unit: "g",
        method: "cube: 0.8 x 1.04 ((IVS + LVID + PW)^3 - LVID^3) + 0.6".into(),
    })
}

/// Whole numbers of a column, all there.
fn whole(table: &Table, column: &str) -> Result<Vec<i64>> {
    let value = |(row, v): (usize, Option<f64>)| {
        let whole = v.filter(|v| v.fract() == 0.0 && v.abs() < 1e9).map(|v| v as i64);
        whole.ok_or_else(|| Error::malformed(format!("row {} has no whole number in column {column}", row + 2)))
    };
    table.numbers(column)?.into_iter().enumerate().map(value).collect()
}

/// Points of rows; z is 0 where there is no such column.
fn points(table: &Table) -> Result<Vec<DVec3>> {
    let axis = |name: &str| -> Result<Vec<f64>> {
        let value = |(row, v): (usize, Option<f64>)| {
            let finite = v.filter(|v| v.is_finite());
            finite.ok_or_else(|| Error::malformed(format!("row {} has no finite number in column {name}", row + 2)))
        };
        table.numbers(name)?.into_iter().enumerate().map(value).collect()
    };
    let (x, y) = (axis("x_mm")?, axis("y_mm")?);
    let z = if table.column("z_mm").is_some() { axis("z_mm")? } else { vec![0.0; x.len()] };
    Ok(x.into_iter().zip(y).zip(z).map(|((x, y), z)| DVec3::new(x, y, z)).collect())
}

fn phase_of(value: i64, row: usize) -> Result<usize> {
    usize::try_from(value).map_err(|_| Error::malformed(format!("row {} has phase {value}; phases count from 0", row + 2)))
}

fn read_echo(run: &Run, path: &Path) -> Result<EchoView> {
    Ok(crate::session::echo_view(&crate::session::read_echo_points(path, &run.limits)?))
}

fn read_contours(run: &Run, path: &Path) -> Result<TrackedContours> {
    let table = Table::read(path, &run.limits)?;
    let read = || -> Result<TrackedContours> {
        let (phases, slices, order) = (whole(&table, "phase")?, whole(&table, "slice")?, whole(&table, "point")?);
        let (views, borders, points) = (table.texts("view")?, table.texts("border")?, points(&table)?);
        let mut found: BTreeMap<ContourKey, BTreeMap<usize, BTreeMap<i64, DVec3>>> = BTreeMap::new();
        for row in 0..table.n_rows() {
            let view = views[row].as_deref().and_then(|v| StrainView::from_name(v.trim()));
            let view = view.ok_or_else(|| Error::malformed(format!("row {}: view must be sax, 2ch, 3ch or 4ch", row + 2)))?;
            let outer = match borders[row].as_deref().map(str::trim) {
                Some("endo") => false,
                Some("epi") => true,
                _ => return Err(Error::malformed(format!("row {}: border must be endo or epi", row + 2))),
            };
            let contour = found.entry(ContourKey { view, slice: slices[row], outer }).or_default();
            if contour.entry(phase_of(phases[row], row)?).or_default().insert(order[row], points[row]).is_some() {
                return Err(Error::malformed(format!("row {} repeats point {} of its contour", row + 2, order[row])));
            }
        }
        let ordered = |phases: BTreeMap<usize, BTreeMap<i64, DVec3>>| {
            phases.into_iter().map(|(phase, points)| (phase, points.into_values().collect())).collect()
        };
        Ok(found.into_iter().map(|(key, phases)| (key, ordered(phases))).collect())
    };
    read().map_err(|e| e.at(path))
}
