//! Contours of an echocardiogram from tables, measured in the background: the points become part of the recipe, so that
//! the numbers can be made again without the files.

use super::task::{EchoPoints, MeasureTask, MeasureWhat, Task};
use super::{Outcome, Session};
use crate::base::{Error, Limits, Result};
use crate::io::Table;
use crate::model::ElementId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Tables of contours and how they are measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EchoFiles {
    /// Four-chamber view: `phase,point,x_mm,y_mm`, hinge to hinge.
    pub a4c: Option<PathBuf>,
    /// Two-chamber view.
    pub a2c: Option<PathBuf>,
    /// Area–length by the mean of both lengths.
    pub mean_length: bool,
    /// Green–Lagrange instead of engineering strain.
    pub green: bool,
}

/// Points of one view: phase, number, x and y in mm. [`Error::Malformed`] where a number is missing, a phase is below 0
/// or a point is there twice; O(rows log rows).
pub fn read_echo_points(path: &Path, limits: &Limits) -> Result<EchoPoints> {
    let table = Table::read(path, limits)?;
    let read = || -> Result<EchoPoints> {
        let whole = |v: f64| v.fract() == 0.0 && v.abs() < 1e9;
        let column = |name: &str, is_whole: bool| -> Result<Vec<f64>> {
            let value = |(row, v): (usize, Option<f64>)| {
                let fits = v.filter(|v| v.is_finite() && (!is_whole || whole(*v)));
                let what = if is_whole { "whole" } else { "finite" };
                fits.ok_or_else(|| Error::malformed(format!("row {} has no {what} number in column {name}", row + 2)))
            };
            table.numbers(name)?.into_iter().enumerate().map(value).collect()
        };
        let (phases, order) = (column("phase", true)?, column("point", true)?);
        let (x, y) = (column("x_mm", false)?, column("y_mm", false)?);
        let mut seen = BTreeSet::new();
        let mut points = EchoPoints::new();
        for row in 0..phases.len() {
            if phases[row] < 0.0 {
                return Err(Error::malformed(format!("row {} has phase {}; phases count from 0", row + 2, phases[row])));
            }
            if !seen.insert((phases[row] as u64, order[row] as i64)) {
                let what = format!("row {} repeats point {} of phase {}", row + 2, order[row], phases[row]);
                return Err(Error::malformed(what));
            }
            points.push([phases[row], order[row], x[row], y[row]]);
        }
        Ok(points)
    };
    read().map_err(|e| e.at(path))
}

impl Session {
    /// Reads the tables and measures them; the numbers belong to an element that is open.
    pub(super) fn measure_echo(&mut self, of: ElementId, files: EchoFiles) -> Result<()> {
        if files.a4c.is_none() && files.a2c.is_none() {
            return Err(Error::parameter("choose contours of the four- or the two-chamber view"));
        }
        if !self.study.elements.contains_key(&of) {
            return Err(Error::parameter("open an image first: the numbers belong to it"));
        }
        let (study, limits) = (self.study.clone(), self.limits);
        self.jobs.start("measure", "Measuring the echocardiogram", move |progress| {
            progress.step(0.0, "reading contours")?;
            let read = |path: &Option<PathBuf>| path.as_ref().map_or(Ok(Vec::new()), |p| read_echo_points(p, &limits));
            let what = MeasureWhat::Echo {
                a4c: read(&files.a4c)?,
                a2c: read(&files.a2c)?,
                mean_length: files.mean_length,
                green: files.green,
            };
            let task = Task::Measure(Box::new(MeasureTask { what, ..MeasureTask::usual(of) }));
            task.run(&study, progress).map(|a| Outcome::Analyzed(Box::new(a)))
        });
        Ok(())
    }
}
