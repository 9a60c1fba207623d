//! `transform`: shows transforms, puts them one after the other, and writes them for other programs.

use super::Run;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::io::{self, LengthUnit, PairTable, TransformContent, TransformFile, TransformFormat, write_any_transform};
use crate::model::TransformModel;
use crate::register::{fit_2d, fit_3d};
use crate::space::{DVec2, DVec3, PointMap};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Transform {
    /// What a transform does, in which units, between which spaces.
    Show(Show),
    /// One transform that applies the first, then the second.
    Compose(Compose),
    /// Write a transform in another format, by the ending.
    Convert(Convert),
}

/// How to read a file that does not say everything.
#[derive(Args, Debug)]
pub struct Foreign {
    /// Unit of files that do not say theirs: mm for ITK, px for matrices and `BigWarp` where not given.
    #[arg(long, value_parser = ["um", "px", "mm"])]
    units: Option<String>,
    /// Family fitted to landmarks: `BigWarp`'s own thin plate in the plane, affine in space where not given.
    #[arg(long, value_parser = ["translation", "rigid", "similarity", "affine", "tps", "mls-rigid", "mls-similarity", "mls-affine"])]
    model: Option<String>,
}

/// `transform show`.
#[derive(Args, Debug)]
pub struct Show {
    /// The transform: T.json, ITK .tfm, `BigWarp` or matrix .csv, NGFF .json.
    transform: PathBuf,
    #[command(flatten)]
    foreign: Foreign,
}

/// `transform compose`.
#[derive(Args, Debug)]
pub struct Compose {
    /// Applied first.
    first: PathBuf,
    /// Applied to what comes out of the first.
    second: PathBuf,
    /// The transform of both; its ending gives the format.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    foreign: Foreign,
}

/// `transform convert`.
#[derive(Args, Debug)]
pub struct Convert {
    /// The transform, in any of the formats.
    input: PathBuf,
    /// Where to: .json, .tfm or .txt (ITK), .csv (a matrix, or `BigWarp` landmarks of a thin plate), .ngff.json.
    output: PathBuf,
    /// Format to write, where the ending is not enough.
    #[arg(long, value_parser = ["myoscope", "itk", "bigwarp", "matrix", "ngff"])]
    to: Option<String>,
    #[command(flatten)]
    foreign: Foreign,
}

impl Transform {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Show(c) => c.run(run),
            Self::Compose(c) => c.run(run),
            Self::Convert(c) => c.run(run),
        }
    }
}

impl Foreign {
    /// A transform of any format; landmarks are fitted.
    fn read(&self, path: &Path, run: &mut Run) -> Result<TransformFile> {
        let units = self.units.as_deref().and_then(LengthUnit::from_name);
        match io::read_any_transform(path, units, &run.limits)? {
            TransformContent::Transform(t) => Ok(*t),
            TransformContent::Pairs(pairs) => self.fit(&pairs, units.unwrap_or(LengthUnit::Px), path, run),
        }
    }

    fn fit(&self, pairs: &PairTable, unit: LengthUnit, path: &Path, run: &mut Run) -> Result<TransformFile> {
        let k = unit.mm_per_unit();
        let placed = pairs.rows.iter().filter(|r| r.active).filter_map(|r| Some((r.moving?, r.fixed?)));
        let (moving, fixed): (Vec<DVec3>, Vec<DVec3>) =
            placed.map(|(m, f)| (DVec3::from_array(m) * k, DVec3::from_array(f) * k)).unzip();
        let is_flat = pairs.moving_dims == 2;
        let usual = if is_flat { TransformModel::ThinPlate } else { TransformModel::Affine };
        let model = self.model.as_deref().and_then(TransformModel::from_name).unwrap_or(usual);
        let what = format!("{} was fitted to {} landmarks; the file holds no transform", model.name(), moving.len());
        run.warnings.note("landmarks-fitted", what, Some(path));
        let named = |e: Error| match e {
            Error::Degenerate(text) => Error::Degenerate(format!("{text}: {}", path.display())),
            other => other.at(path),
        };
        if is_flat {
            let flat = |points: &[DVec3]| points.iter().map(|p| p.truncate()).collect::<Vec<DVec2>>();
            let warp = fit_2d(model, 0.0, &flat(&moving), &flat(&fixed)).map_err(named)?;
            let mut file = TransformFile::from_warp(model, &warp, [unit, unit], None)?;
            file.stiffness = (model == TransformModel::ThinPlate).then_some(0.0);
            return Ok(file);
        }
        let warp = fit_3d(model, 0.0, &moving, &fixed).map_err(named)?;
        TransformFile::from_warp_3(model, &warp, [unit, unit])
    }
}

impl Show {
    fn run(self, run: &mut Run) -> Result<u8> {
        let transform = self.foreign.read(&self.transform, run)?;
        if run.shared.json {
            let mut object = shown(&transform)?;
            if let Some(object) = object.as_object_mut() {
                object.insert("notes".into(), notes_json(&run.warnings.notes));
            }
            run.printer.json(&object);
        } else {
            lines(&transform)?.iter().for_each(|l| run.printer.line(l));
        }
        Ok(0)
    }
}

impl Compose {
    fn run(self, run: &mut Run) -> Result<u8> {
        let (first, second) = (self.foreign.read(&self.first, run)?, self.foreign.read(&self.second, run)?);
        let whole = first.then(&second)?;
        let format = TransformFormat::of_ending(&self.out, whole.is_linear())?;
        write_any_transform(&self.out, &whole, format)?;
        told(run, &self.out, &whole, format);
        Ok(0)
    }
}

impl Convert {
    fn run(self, run: &mut Run) -> Result<u8> {
        let transform = self.foreign.read(&self.input, run)?;
        let named = self.to.as_deref().and_then(TransformFormat::from_name);
        let format = named.map_or_else(|| TransformFormat::of_ending(&self.output, transform.is_linear()), Ok)?;
        write_any_transform(&self.output, &transform, format)?;
        told(run, &self.output, &transform, format);
        Ok(0)
    }
}

fn told(run: &Run, out: &Path, t: &TransformFile, format: TransformFormat) {
    if run.shared.json {
        let object = json!({
            "out": out.display().to_string(),
            "format": format.name(),
            "model": t.model,
            "units": t.units.name(),
            "fixed_units": t.fixed_unit().name(),
            "direction": direction(format),
            "parts": t.parts.len(),
            "notes": notes_json(&run.warnings.notes),
        });
        run.printer.json(&object);
    } else {
        let (from, to, n) = (t.units.name(), t.fixed_unit().name(), t.parts.len());
        let parts = if n > 0 { format!(" of {n} parts") } else { String::new() };
        run.printer.line(&format!("{}{parts}, {from} to {to}, written for {}: {}", t.model, format.name(), direction(format)));
    }
}

fn direction(format: TransformFormat) -> &'static str {
    if format == TransformFormat::Itk { "fixed to moving" } else { "moving to fixed" }
}

/// The file in numbers that people ask for.
fn shown(t: &TransformFile) -> Result<Value> {
    let map = t.to_point_map()?;
    let facts = Facts::of(&map);
    let parts: Vec<Value> = t.parts.iter().map(shown).collect::<Result<_>>()?;
    Ok(json!({
        "model": t.model,
        "is_linear": t.is_linear(),
        "direction": "moving to fixed",
        "units": t.units.name(),
        "fixed_units": t.fixed_unit().name(),
        "space": t.space,
        "moving_dims": t.moving_dims(),
        "fixed_dims": t.fixed_dims(),
        "pixel_rule": "whole numbers are pixel and voxel centers",
        "fixed_from_moving": t.fixed_from_moving,
        "scale": facts.scale,
        "rotation_deg": facts.rotation_deg,
        "determinant": facts.determinant,
        "mirrored": facts.determinant < 0.0,
        "n_control_points": t.control_points.len(),
        "stiffness": t.stiffness,
        "plane": t.plane,
        "parts": parts,
    }))
}

/// Of the linear part, mm to mm.
struct Facts {
    scale: f64,
    /// In the plane only.
    rotation_deg: Option<f64>,
    determinant: f64,
}

impl Facts {
    fn of(map: &PointMap) -> Self {
        match map {
            PointMap::Flat(w) | PointMap::Embedded(w, _) => {
                let m = w.linear_part().matrix2;
                let d = m.determinant();
                // The rotation nearest to the matrix; of a mirrored one, after mirroring x.
                let (x, y) = if d < 0.0 { (-m.x_axis, m.y_axis) } else { (m.x_axis, m.y_axis) };
                let angle = (x.y - y.x).atan2(x.x + y.y);
                Self { scale: d.abs().sqrt(), rotation_deg: Some(angle.to_degrees()), determinant: d }
            }
            PointMap::Space(a) => {
                let d = a.matrix3.determinant();
                Self { scale: d.abs().cbrt(), rotation_deg: None, determinant: d }
            }
        }
    }
}

fn lines(t: &TransformFile) -> Result<Vec<String>> {
    let facts = Facts::of(&t.to_point_map()?);
    let digits = crate::session::three_digits;
    let place = |d: usize, space: &str| {
        if d == 3 { "patient LPS (x left, y back, z head)".to_owned() } else { format!("{space} (x right, y down)") }
    };
    let mut lines = vec![
        format!("{}: moving to fixed points", t.model),
        format!("from {} in {}", place(t.moving_dims(), "section"), t.units.name()),
        format!(
            "to   {} in {}",
            place(t.fixed_dims(), if t.space.is_empty() { "plane" } else { &t.space }),
            t.fixed_unit().name()
        ),
        "whole numbers of pixels are pixel centers".to_owned(),
    ];
    let turn = facts.rotation_deg.map_or_else(String::new, |a| format!(", rotation {a:.2}°"));
    let mirror = if facts.determinant < 0.0 { ", mirrored" } else { "" };
    lines.push(format!("scale {} (mm to mm){turn}{mirror}", digits(facts.scale)));
    for row in &t.fixed_from_moving {
        lines.push(row.iter().map(|v| format!("{v:>16.8}")).collect::<String>());
    }
    if !t.control_points.is_empty() {
        let stiffness = t.stiffness.map_or_else(String::new, |s| format!(", stiffness {s}"));
        lines.push(format!("{} control points{stiffness}", t.control_points.len()));
    }
    for (i, part) in t.parts.iter().enumerate() {
        lines.push(format!("part {}: {}, {} to {}", i + 1, part.model, part.units.name(), part.fixed_unit().name()));
    }
    Ok(lines)
}
