//! `register landmarks`: fits a transform to pairs and says how good it is.

use super::Run;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::io::{self, LengthUnit, PairRow, PairTable, TransformFile};
use crate::model::{PairError, Quality, TransformModel};
use crate::register::{assess_2d, assess_3d, fit_2d, fit_3d, plane_of_points};
use crate::space::{DVec2, DVec3};
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
    /// Space of 3-D fixed points.
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras"])]
    space: String,
    /// Write the transform there (JSON).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
        let table = io::read_pairs(&self.pairs, &mut run.reading())?;
        let fitted = self.fit(&table).map_err(|e| match e {
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

    fn fit(&self, table: &PairTable) -> Result<Fitted> {
        let model = TransformModel::from_name(&self.model).ok_or_else(|| Error::parameter(self.model.clone()))?;
        let unit = LengthUnit::from_name(&self.units).ok_or_else(|| Error::parameter(self.units.clone()))?;
        let rows: Vec<&PairRow> = table.rows.iter().filter(|r| r.active && r.moving.is_some() && r.fixed.is_some()).collect();
        let names: Vec<String> = rows.iter().map(|r| r.name.clone()).collect();
        let k = unit.mm_per_unit();
        let fixed_k = if table.fixed_dims == 3 { 1.0 } else { k };
        let moving: Vec<DVec3> = rows.iter().filter_map(|r| r.moving).map(|p| DVec3::from_array(p) * k).collect();
        let mirror = if table.fixed_dims == 3 && self.space == "ras" { DVec3::new(-1.0, -1.0, 1.0) } else { DVec3::ONE };
        let fixed: Vec<DVec3> = rows.iter().filter_map(|r| r.fixed).map(|p| DVec3::from_array(p) * fixed_k * mirror).collect();
        let flat = |points: &[DVec3]| points.iter().map(|p| p.truncate()).collect::<Vec<DVec2>>();
        match (table.moving_dims, table.fixed_dims) {
            (2, 2) => {
                let (moving, fixed) = (flat(&moving), flat(&fixed));
                let warp = fit_2d(model, self.stiffness, &moving, &fixed)?;
                let quality = assess_2d(model, self.stiffness, &names, &moving, &fixed)?;
                let mut file = TransformFile::from_warp(model, &warp, [unit, unit], None)?;
                file.stiffness = (model == TransformModel::ThinPlate).then_some(self.stiffness);
                Ok(Fitted { file, quality, mm_per_unit: k, unit: unit.name() })
            }
            (2, 3) => {
                let plane = plane_of_points(&fixed)?;
                let (moving, on_plane) = (flat(&moving), fixed.iter().map(|p| plane.plane_from_lps(*p)).collect::<Vec<_>>());
                let warp = fit_2d(model, self.stiffness, &moving, &on_plane)?;
                let quality = assess_2d(model, self.stiffness, &names, &moving, &on_plane)?;
                let mut file = TransformFile::from_warp(model, &warp, [unit, LengthUnit::Mm], Some(&plane))?;
                file.stiffness = (model == TransformModel::ThinPlate).then_some(self.stiffness);
                Ok(Fitted { file, quality, mm_per_unit: 1.0, unit: "mm" })
            }
            (3, 3) => {
                let affine = fit_3d(model, &moving, &fixed)?;
                let quality = assess_3d(model, &names, &moving, &fixed)?;
                let file = TransformFile::from_affine_3(model, &affine, [unit, LengthUnit::Mm])?;
                Ok(Fitted { file, quality, mm_per_unit: 1.0, unit: "mm" })
            }
            (m, f) => Err(Error::unsupported(format!("{m}-D moving points cannot be led to {f}-D fixed points"))),
        }
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
            "rms": self.told(q.rms_mm),
            "residuals": errors(&q.residuals),
            "leave_one_out": errors(&q.leave_one_out),
            "leave_one_out_median": q.leave_one_out_median_mm.map(|e| self.told(e)),
            "mirrored": {
                "suspected": q.mirror.suspected,
                "rms_proper": self.told(q.mirror.rms_proper_mm),
                "rms_reflected": self.told(q.mirror.rms_reflected_mm),
            },
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
                number(Some(q.rms_mm)),
                number(q.leave_one_out_median_mm),
                q.folds,
                u = self.unit
            ),
            format!("{:<32} {:>10} {:>14}", "pair", "residual", "leave one out"),
        ];
        for (a, b) in q.residuals.iter().zip(&q.leave_one_out) {
            lines.push(format!("{:<32} {:>10} {:>14}", a.name, number(a.error_mm), number(b.error_mm)));
        }
        if q.mirror.suspected {
            lines.push("The landmarks look mirrored: is the section face down?".into());
        }
        for [a, b] in &q.swapped_pairs {
            lines.push(format!("The pairs {a} and {b} look swapped."));
        }
        lines
    }
}
