//! `measure calcium`.

use super::{Output, named};
use crate::base::Result;
use crate::cardiac::{CalciumSettings, measure_calcium};
use crate::cli::Run;
use crate::io;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// `measure calcium`.
#[derive(Args, Debug)]
pub struct Calcium {
    /// CT in HU.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Arteries: every label above 0 counts, several are told apart.
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// Least density.
    #[arg(long, default_value_t = 130.0, value_name = "HU", allow_hyphen_values = true)]
    threshold: f64,
    /// Least area of a lesion in one slice.
    #[arg(long, default_value_t = 1.0, value_name = "MM2", allow_hyphen_values = true)]
    min_area: f64,
    /// Neighbors of a pixel that belong to the same lesion.
    #[arg(long, default_value = "8", value_parser = ["4", "8"])]
    connectivity: String,
    /// mg of hydroxyapatite per mL and HU, for the mass score.
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    calibration: Option<f64>,
    #[command(flatten)]
    output: Output,
}

impl Calcium {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let image = io::read_volume_any(&self.image, &mut run.reading())?;
        let mask = io::read_labels(&self.mask, &mut run.reading())?;
        let settings = CalciumSettings {
            threshold_hu: self.threshold,
            min_area_mm2: self.min_area,
            corners_join: self.connectivity == "8",
            mg_per_ml_hu: self.calibration,
        };
        let measured = measure_calcium(&image, &mask, &settings, &run.progress).map_err(|e| named(e, &self.mask))?;
        self.output.write(run, &measured.of(&self.output.subject_of(&self.image)), json!({}))
    }
}
