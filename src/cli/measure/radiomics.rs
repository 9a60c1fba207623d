//! `measure radiomics`: the features of the Image Biomarker Standardisation Initiative for one region.

use crate::base::{Error, Result};
use crate::cardiac::{Aggregation, Discretize, Radiomics as Found, RadiomicsSettings, radiomics};
use crate::cli::Run;
use crate::cli::print::notes_json;
use crate::io::{self, Table, TableColumn};
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// `measure radiomics`.
#[derive(Args, Debug)]
pub struct Radiomics {
    /// The image.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The region, on the image's grid.
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// The label that is the region (default: every label but 0).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    label: Option<u8>,
    /// Phase of a 4-D image and mask, from 0.
    #[arg(long, default_value_t = 0)]
    phase: usize,
    /// Resample to cubes of this size first, trilinear.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    resample: Option<f64>,
    /// Only these intensities count.
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true)]
    resegment: Option<String>,
    /// Gray levels: none (the intensities themselves), bins of a width or a number of bins. Where not given,
    /// whole intensities are gray levels, and others give no histogram and texture.
    #[arg(long, value_name = "none|width:W|count:N")]
    discretize: Option<String>,
    /// One aggregation of the texture families (default: all six).
    #[arg(long, value_name = "NAME", value_parser = ["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"])]
    aggregation: Option<String>,
    /// Write the table there (`.csv`, `.tsv`, `.parquet`).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Radiomics {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.out.as_deref()])?;
        let settings = self.settings()?;
        settings.check()?;
        let image = io::read_volume_any(&self.image, &mut run.reading())?;
        let mask = io::read_labels(&self.mask, &mut run.reading())?;
        // A region of one phase belongs to every phase of the image.
        let mask_phase = if mask.n_phases() == 1 { 0 } else { self.phase };
        let found = radiomics((&image, self.phase), (&mask, mask_phase), &settings, &run.limits, &run.progress).map_err(|e| {
            if let Error::Degenerate(text) = e { Error::Degenerate(format!("{text}: {}", self.mask.display())) } else { e }
        })?;
        for note in &found.notes {
            run.warnings.warn("radiomics", note, None);
        }
        if let Some(path) = &self.out {
            let table = Table::new(vec![
                TableColumn::text("tag", found.features.iter().map(|f| Some(&f.tag))),
                TableColumn::numbers("value", found.features.iter().map(|f| f.value)),
            ])?;
            table.write(path)?;
        }
        if run.shared.json {
            let object = self.json(&found, run);
            run.printer.json(&object);
        } else if self.out.is_none() {
            for f in &found.features {
                let value = f.value.map_or_else(String::new, |v| v.to_string());
                run.printer.line(&format!("{:<34} {value}", f.tag));
            }
        }
        Ok(0)
    }

    fn settings(&self) -> Result<RadiomicsSettings> {
        let resegment = self.resegment.as_deref().map(|text| {
            let wrong = || Error::parameter(format!("--resegment {text}: two intensities were expected, as -50,400"));
            let (low, high) = text.split_once(',').ok_or_else(wrong)?;
            let number = |t: &str| t.trim().parse::<f64>().map_err(|_| wrong());
            Ok::<_, Error>((number(low)?, number(high)?))
        });
        let aggregation = self.aggregation.as_deref().and_then(|name| Aggregation::ALL.into_iter().find(|a| a.tag() == name));
        Ok(RadiomicsSettings {
            label: self.label,
            resample_mm: self.resample,
            resegment: resegment.transpose()?,
            discretize: self.discretize.as_deref().map_or(Ok(Discretize::IfWhole), Discretize::from_name)?,
            aggregation,
        })
    }

    fn json(&self, found: &Found, run: &Run) -> Value {
        let features: Map<String, Value> = found.features.iter().map(|f| (f.tag.clone(), json!(f.value))).collect();
        json!({
            "features": features,
            "n_voxels": found.n_voxels,
            "n_levels": found.n_levels,
            "settings": {
                "label": self.label, "phase": self.phase, "resample_mm": self.resample, "resegment": self.resegment,
                "discretize": self.discretize, "aggregation": self.aggregation,
            },
            "notes": notes_json(&run.warnings.notes),
        })
    }
}
