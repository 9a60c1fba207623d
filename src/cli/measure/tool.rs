//! `measure tool`: lengths, angles and areas of points in a table, with their ± from the size of a pixel.

use super::Output;
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::cli::print::notes_json;
use crate::imaging::measure_figure;
use crate::io::{self, Table};
use crate::model::{ElementId, Figure, FigureKind};
use crate::session::{FigureRow, figure_rows, figure_rows_table};
use crate::space::{DAffine3, DVec3, lps_from_ras};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// `measure tool`.
#[derive(Args, Debug)]
pub struct Tool {
    /// The image that the figures lie on; its pixels give the ±.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Table `name,kind,x_mm,y_mm,z_mm[,phase]`, one row a point, in order; kind is length, angle (vertex in the
    /// middle), polygon, or ellipse (center, ends of two half axes).
    #[arg(long, value_name = "CSV")]
    points: PathBuf,
    /// Space of the points; `voxel` counts voxels of the image from 0.
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras", "voxel"])]
    space: String,
    #[command(flatten)]
    output: Output,
}

impl Tool {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let image = io::read_volume_any(&self.image, &mut run.reading())?;
        let to_lps = match self.space.as_str() {
            "ras" => lps_from_ras(),
            "voxel" => image.grid.lps_from_voxel(),
            _ => DAffine3::IDENTITY,
        };
        let figures = self.figures(run, to_lps)?;
        let subject = self.output.subject_of(&self.image);
        let mut rows = Vec::new();
        for figure in &figures {
            let values = measure_figure(figure.kind, &figure.points, &image, figure.phase).map_err(|e| match e {
                Error::Degenerate(text) => Error::Degenerate(format!("{}: {text}: {}", figure.name, self.points.display())),
                other => other.at(&self.points),
            })?;
            rows.extend(figure_rows(&subject, figure, &values));
        }
        self.write(run, &rows)
    }

    fn figures(&self, run: &Run, to_lps: DAffine3) -> Result<Vec<Figure>> {
        let table = Table::read(&self.points, &run.limits)?;
        let read = || -> Result<Vec<Figure>> {
            let (names, kinds) = (table.texts("name")?, table.texts("kind")?);
            let axes = ["x_mm", "y_mm", "z_mm"].map(|a| table.numbers(a));
            let [xs, ys, zs] = axes;
            let (xs, ys, zs) = (xs?, ys?, zs?);
            let phases = if table.column("phase").is_some() { table.numbers("phase")? } else { vec![Some(0.0); names.len()] };
            let mut figures: Vec<Figure> = Vec::new();
            for (row, (name, kind)) in names.into_iter().zip(kinds).enumerate() {
                let line = row + 2;
                let wrong = |what: &str| Error::malformed(format!("row {line}: {what}"));
                let name = name.filter(|n| !n.is_empty()).ok_or_else(|| wrong("a figure needs a name"))?;
                let kind = kind.as_deref().and_then(FigureKind::from_name);
                let kind = kind.ok_or_else(|| wrong("kind is one of length, angle, polygon, ellipse"))?;
                let (Some(x), Some(y), Some(z)) = (xs[row], ys[row], zs[row]) else {
                    return Err(wrong("a point needs x_mm, y_mm and z_mm"));
                };
                let phase = phases[row].unwrap_or(0.0);
                if phase < 0.0 || phase.fract() != 0.0 {
                    return Err(wrong("phase is a whole number from 0"));
                }
                let point = to_lps.transform_point3(DVec3::new(x, y, z));
                match figures.iter_mut().find(|f| f.name == name) {
                    Some(f) if f.kind == kind && f.phase == phase as usize => f.points.push(point),
                    Some(_) => return Err(wrong("a figure has one kind and one phase; give another name")),
                    None => figures.push(Figure { name, kind, points: vec![point], image: ElementId(0), phase: phase as usize }),
                }
            }
            if figures.is_empty() {
                return Err(Error::malformed("there is no point in the table"));
            }
            Ok(figures)
        };
        read().map_err(|e| e.at(&self.points))
    }

    fn write(&self, run: &mut Run, rows: &[FigureRow]) -> Result<u8> {
        if let Some(out) = &self.output.out {
            figure_rows_table(rows)?.write(out)?;
        }
        if run.shared.json {
            let row = |r: &FigureRow| {
                let [subject, region, phase, metric] = &r.key;
                json!({"subject": subject, "region": region, "phase": phase, "metric": metric, "value": r.value, "unit": r.unit, "method": r.method})
            };
            let rows: Vec<_> = rows.iter().map(row).collect();
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            run.printer.json(&json!({"measures": rows, "findings": [], "notes": notes}));
        } else if self.output.out.is_none() {
            run.printer.line(&format!("{:<16} {:<2} {:<16} {:>12} unit  method", "region", "ph", "metric", "value"));
            for r in rows {
                let [_, region, phase, metric] = &r.key;
                let value = crate::session::three_digits(r.value);
                run.printer.line(&format!("{region:<16} {phase:<2} {metric:<16} {value:>12} {:<5} {}", r.unit, r.method));
            }
        }
        Ok(0)
    }
}
