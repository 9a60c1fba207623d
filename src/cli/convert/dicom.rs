//! A folder of DICOM images: DICOM files rewritten without their patients, or an image of another form.

use super::Convert;
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::cli::print::notes_json;
use crate::io::dicom::deidentify::{Dates, Exported, KeptTags, Profile};
use crate::io::{self, Content, Found, SeriesFacts, make_folder, write_dicom_cine};
use crate::model::{Samples, Volume};
use serde_json::{Value, json};

impl Convert {
    /// Writes DICOM images; the status. `None` where the input holds no DICOM files.
    pub(super) fn deidentified(&self, run: &mut Run) -> Result<Option<u8>> {
        let dates = Dates::from_name(self.dates.as_deref().unwrap_or("remove"))?;
        let Some(files) = io::dicom_files(&self.input, &mut run.reading())? else { return Ok(None) };
        let found = if self.item.is_some() {
            Some(self.choose(io::open(&self.input, &mut run.reading())?, super::Target::Folder(super::FolderForm::Dicom))?)
        } else {
            None
        };
        let only: Vec<&str> = found.iter().flat_map(|f| &f.images).map(|i| i.uid.as_str()).collect();
        let profile = Profile { dates, seed: run.shared.seed };
        let done = io::deidentify_files(&files.paths, &self.output, profile, &only, &mut run.reading())?;
        self.report(&done, run);
        Ok(Some(0))
    }

    fn report(&self, done: &Exported, run: &mut Run) {
        let out = self.output.display().to_string();
        if run.shared.json {
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            let object = json!({"out": out, "kind": "dicom", "n_files": done.n_files, "n_series": done.n_series,
                "kept_tags": kept_json(&done.kept), "notes": notes});
            run.printer.json(&object);
        } else {
            let (n, series) = (done.n_files, done.n_series);
            run.printer.line(&format!(
                "{n} DICOM files of {series} series without patient written to {out}; kept_tags.csv lists the {} attributes that stayed",
                done.kept.len()
            ));
        }
    }

    /// Writes an image that was no DICOM as a series.
    pub(super) fn write_series(&self, found: &Found, run: &mut Run) -> Result<()> {
        let Content::Volume(volume) = &found.content else { return Err(Error::parameter("only images become DICOM files")) };
        if std::fs::read_dir(&self.output).is_ok_and(|mut d| d.next().is_some()) {
            let text = format!("the folder to write is not empty; choose another: {}", self.output.display());
            return Err(Error::parameter(text));
        }
        let whole = whole_numbers(volume)?;
        make_folder(&self.output)?;
        let facts =
            SeriesFacts { description: String::new(), series_number: 1, seed: seed_of(&whole) ^ run.shared.seed, rr_ms: None };
        let n = write_dicom_cine(&self.output, &whole, &facts)?;
        if !matches!(volume.phases.first(), Some(Samples::U8(_) | Samples::I16(_) | Samples::U16(_))) {
            let what = "voxels with fractions were written in 65,535 steps between their smallest and largest value";
            run.warnings.note("quantized", what, None);
        }
        run.warnings.note(
            "no-patient",
            format!("{n} files; nothing of a patient was in the image, identifiers are made from its voxels"),
            None,
        );
        Ok(())
    }
}

/// Identifiers follow from the voxels, so that the same image gives the same files.
fn seed_of(volume: &Volume) -> u64 {
    let mut seed = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bits: u64| seed = (seed ^ bits).wrapping_mul(0x0000_0100_0000_01b3);
    for phase in &volume.phases {
        (0..phase.len()).for_each(|i| add(u64::from(phase.stored(i).to_bits())));
    }
    volume.grid.lps_from_voxel().to_cols_array().iter().for_each(|v| add(v.to_bits()));
    seed
}

/// The volume with voxels of 16 bits; fractions are spread over them.
fn whole_numbers(volume: &Volume) -> Result<Volume> {
    if !volume.phases.iter().any(|p| matches!(p, Samples::F32(_))) {
        return Ok(volume.clone());
    }
    let values = || volume.phases.iter().flat_map(|p| (0..p.len()).map(move |i| p.stored(i))).filter(|v| v.is_finite());
    let (low, high) = values().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        return Err(Error::degenerate("no voxel of the image has a finite value"));
    }
    let (low, high) = (f64::from(low), f64::from(high));
    let step = if high > low { (high - low) / 65_535.0 } else { 1.0 };
    let stored = |v: f32| if v.is_finite() { ((f64::from(v) - low) / step).round().clamp(0.0, 65_535.0) as u16 } else { 0 };
    let mut whole = volume.clone();
    whole.phases = volume.phases.iter().map(|p| Samples::U16((0..p.len()).map(|i| stored(p.stored(i))).collect())).collect();
    whole.intercept = volume.intercept + volume.slope * low;
    whole.slope = volume.slope * step;
    Ok(whole)
}

fn kept_json(kept: &KeptTags) -> Value {
    kept.iter()
        .map(|(tag, k)| json!({"tag": tag, "name": k.name, "vr": k.vr, "action": k.action, "n_files": k.n_files}))
        .collect()
}
