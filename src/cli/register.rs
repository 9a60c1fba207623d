//! `register landmarks`: fits a transform to pairs and says how good it is.

use super::Run;
use super::points::{PointSpace, point};
use super::print::notes_json;
use crate::base::Warnings;
use crate::base::{Error, Result};
use crate::io::{self, LengthUnit, PairRow, PairTable, TransformFile};
use crate::model::{PairError, Quality, TransformModel};
use crate::register::{assess_2d, assess_3d, fit_2d, fit_3d, plane_of_points, plane_or_level};
use crate::space::{DVec2, DVec3, Plane};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to register by.
#[derive(Debug, Subcommand)]
pub enum Register {
    /// Landmark pairs.
    Landmarks(Landmarks),
}

/// `register landmarks`.
#[derive(Args, Debug)]
pub struct Landmarks {
    /// Table `name,moving_x,moving_y[,moving_z],fixed_x,fixed_y[,fixed_z][,active]`.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Family of maps.
    #[arg(long, value_parser = ["translation", "rigid", "similarity", "affine", "tps", "mls-rigid", "mls-similarity", "mls-affine"])]
    model: String,
    /// Smoothing of the thin plate.
    #[arg(long, default_value_t = 0.0, value_name = "L")]
    stiffness: f64,
    /// Unit of the moving columns, and of 2-D fixed columns; 3-D fixed columns are LPS mm.
    #[arg(long, default_value = "um", value_parser = ["um", "px", "mm"])]
    units: String,
    #[command(flatten)]
    space: PointSpace,
    /// A point of the plane that 2-D moving points are led onto, `x,y,z`; found from the fixed points where not given.
    #[arg(long, value_name = "POINT", requires_all = ["u", "v"], allow_hyphen_values = true)]
    origin: Option<String>,
    /// Direction of that plane's x, to the right, `x,y,z`.
    #[arg(long, value_name = "VECTOR", requires_all = ["origin", "v"], allow_hyphen_values = true)]
    u: Option<String>,
    /// Direction of that plane's y, downward, `x,y,z`.
    #[arg(long, value_name = "VECTOR", requires_all = ["origin", "u"], allow_hyphen_values = true)]
    v: Option<String>,
    /// Write the transform there (JSON).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Complete active pairs, mm or pixels.
struct Pairs {
    names: Vec<String>,
    moving: Vec<DVec3>,
    fixed: Vec<DVec3>,
    /// Coordinates of a moving and of a fixed point.
    dims: [usize; 2],
    unit: LengthUnit,
}

/// A fit with all that is told about it.
struct Fitted {
    file: TransformFile,
    quality: Quality,
    /// mm (or pixels) per unit of the errors told.
    mm_per_unit: f64,
    unit: &'static str,
}

impl Register {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Landmarks(c) => c.run(run),
        }
    }
}

impl Landmarks {
    fn run(self, run: &mut Run) -> Result<u8> {
        if !self.stiffness.is_finite() || self.stiffness < 0.0 {
            return Err(Error::parameter(format!("--stiffness {} is not a number from 0 upward", self.stiffness)));
        }
        Run::check_outputs(&[self.out.as_deref()])?;
        let table = io::read_pairs(&self.pairs, &mut run.reading())?;
        let pairs = self.pairs_of(&table, run)?;
        let plane = self.plane(run)?;
        let fitted = self.fit(&pairs, plane, &mut run.warnings).map_err(|e| match e {
            Error::Degenerate(text) => Error::Degenerate(format!("{text}: {}", self.pairs.display())),
            other => other.at(&self.pairs),
        })?;
        if let Some(out) = &self.out {
            io::write_transform(out, &fitted.file)?;
        }
        if run.shared.json {
            let mut report = fitted.report();
            if let Some(object) = report.as_object_mut() {
                object.insert("notes".into(), notes_json(&run.warnings.notes));
            }
            run.printer.json(&report);
        } else {
            fitted.lines().iter().for_each(|l| run.printer.line(l));
        }
        Ok(0)
    }

    /// Complete active pairs in mm (pixels stay pixels) and LPS.
    fn pairs_of(&self, table: &PairTable, run: &mut Run) -> Result<Pairs> {
        let unit = LengthUnit::from_name(&self.units).ok_or_else(|| Error::parameter(self.units.clone()))?;
        let rows: Vec<&PairRow> = table.rows.iter().filter(|r| r.active && r.moving.is_some() && r.fixed.is_some()).collect();
        let k = unit.mm_per_unit();
        let lps = self.space.to_lps(run)?;
        let in_space = |p: [f64; 3]| if table.fixed_dims == 3 { lps.transform_point3(p.into()) } else { DVec3::from(p) * k };
        Ok(Pairs {
            names: rows.iter().map(|r| r.name.clone()).collect(),
            moving: rows.iter().filter_map(|r| r.moving).map(|p| DVec3::from_array(p) * k).collect(),
            fixed: rows.iter().filter_map(|r| r.fixed).map(in_space).collect(),
            dims: [table.moving_dims, table.fixed_dims],
            unit,
        })
    }

    fn plane(&self, run: &mut Run) -> Result<Option<Plane>> {
        let (Some(origin), Some(u), Some(v)) = (&self.origin, &self.u, &self.v) else { return Ok(None) };
        let lps = self.space.to_lps(run)?;
        let along = |text: &str| point(text).map(|p| lps.transform_vector3(p));
        Plane::new(lps.transform_point3(point(origin)?), along(u)?, along(v)?).map(Some)
    }

    fn fit(&self, pairs: &Pairs, plane: Option<Plane>, warnings: &mut Warnings) -> Result<Fitted> {
        let model = TransformModel::from_name(&self.model).ok_or_else(|| Error::parameter(self.model.clone()))?;
        match pairs.dims {
            [2, 2] => self.fit_flat(model, pairs, None),
            [2, 3] => {
                let plane = match plane {
                    Some(plane) => plane,
                    None => found_plane(model, &pairs.fixed, warnings)?,
                };
                say_off_plane(&plane, &pairs.fixed, warnings);
                self.fit_flat(model, pairs, Some(plane))
            }
            [3, 3] => {
                let warp = fit_3d(model, self.stiffness, &pairs.moving, &pairs.fixed)?;
                let quality = assess_3d(model, self.stiffness, &pairs.names, &pairs.moving, &pairs.fixed)?;
                let mut file = TransformFile::from_warp_3(model, &warp, [pairs.unit, LengthUnit::Mm])?;
                file.stiffness = (model == TransformModel::ThinPlate).then_some(self.stiffness);
                Ok(Fitted { file, quality, mm_per_unit: 1.0, unit: "mm" })
            }
            [m, f] => Err(Error::unsupported(format!("{m}-D moving points cannot be led to {f}-D fixed points"))),
        }
    }

    /// From a section to a plane: that of the other picture, or one in the patient.
    fn fit_flat(&self, model: TransformModel, pairs: &Pairs, plane: Option<Plane>) -> Result<Fitted> {
        let flat = |points: &[DVec3]| points.iter().map(|p| p.truncate()).collect::<Vec<DVec2>>();
        let moving = flat(&pairs.moving);
        let fixed =
            plane.map_or_else(|| flat(&pairs.fixed), |plane| pairs.fixed.iter().map(|p| plane.plane_from_lps(*p)).collect());
        let warp = fit_2d(model, self.stiffness, &moving, &fixed)?;
        let quality = assess_2d(model, self.stiffness, &pairs.names, &moving, &fixed)?;
        let fixed_unit = if plane.is_some() { LengthUnit::Mm } else { pairs.unit };
        let mut file = TransformFile::from_warp(model, &warp, [pairs.unit, fixed_unit], plane.as_ref())?;
        file.stiffness = (model == TransformModel::ThinPlate).then_some(self.stiffness);
        Ok(Fitted { file, quality, mm_per_unit: fixed_unit.mm_per_unit(), unit: fixed_unit.name() })
    }
}

/// The plane of the fixed points; for a model that needs none, an assumed one is said.
fn found_plane(model: TransformModel, fixed: &[DVec3], warnings: &mut Warnings) -> Result<Plane> {
    if fixed.len() < model.least_pairs() {
        let (name, needed, n) = (model.name(), model.least_pairs(), fixed.len());
        return Err(Error::degenerate(format!("the model {name} needs {needed} complete active pairs, found {n}; place more")));
    }
    if model > TransformModel::Similarity {
        return plane_of_points(fixed);
    }
    let (plane, assumed) = plane_or_level(fixed)?;
    if let Some(said) = assumed {
        warnings.warn("plane-assumed", format!("{said}; give --origin, --u and --v where it is another"), None);
    }
    Ok(plane)
}

fn say_off_plane(plane: &Plane, fixed: &[DVec3], warnings: &mut Warnings) {
    let far = fixed.iter().map(|p| plane.distance_mm(*p).abs()).fold(0.0, f64::max);
    if far > 0.1 {
        let what = format!("fixed points lie up to {far:.2} mm off the plane of the section and are projected on it");
        warnings.note("off-plane", what, None);
    }
}

impl Fitted {
    fn told(&self, mm: f64) -> f64 {
        mm / self.mm_per_unit
    }

    fn report(&self) -> Value {
        let q = &self.quality;
        let errors = |list: &[PairError]| -> Vec<Value> {
            list.iter().map(|p| json!({"name": p.name, "error": p.error_mm.map(|e| self.told(e))})).collect()
        };
        json!({
            "model": self.file.model,
            "n_pairs": q.n_pairs,
            "fixed_from_moving": self.file.fixed_from_moving,
            "rms": q.rms_mm.map(|e| self.told(e)),
            "residuals": errors(&q.residuals),
            "leave_one_out": errors(&q.leave_one_out),
            "leave_one_out_median": q.leave_one_out_median_mm.map(|e| self.told(e)),
            "mirrored": q.mirror.map(|m| json!({
                "suspected": m.suspected,
                "rms_proper": self.told(m.rms_proper_mm),
                "rms_reflected": self.told(m.rms_reflected_mm),
            })),
            "swapped_pairs": q.swapped_pairs,
            "folds": q.folds,
            "scale": q.scale,
            "units": self.unit,
            "moving_units": self.file.units.name(),
            "space": self.file.space,
            "plane": self.file.plane,
        })
    }

    fn lines(&self) -> Vec<String> {
        let q = &self.quality;
        let number = |mm: Option<f64>| mm.map_or_else(|| "–".to_owned(), |e| crate::session::three_digits(self.told(e)));
        let mut lines = vec![
            format!("{} with {} pairs", self.file.model, q.n_pairs),
            format!(
                "RMS {} {u}, leave-one-out median {} {u}, folds {}",
                number(q.rms_mm),
                number(q.leave_one_out_median_mm),
                q.folds,
                u = self.unit
            ),
            format!("{:<32} {:>10} {:>14}", "pair", "residual", "leave one out"),
        ];
        for (a, b) in q.residuals.iter().zip(&q.leave_one_out) {
            lines.push(format!("{:<32} {:>10} {:>14}", a.name, number(a.error_mm), number(b.error_mm)));
        }
        if q.suspected_mirror().is_some() {
            lines.push("The landmarks look mirrored: is the section face down?".into());
        }
        for [a, b] in &q.swapped_pairs {
            lines.push(format!("The pairs {a} and {b} look swapped."));
        }
        lines
    }
}
