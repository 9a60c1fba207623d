//! `demo`: the built-in case as ordinary files, with the truth beside them.

use super::Run;
use crate::base::{Error, Result};
use crate::io::{self, LengthUnit, PairTable, SeriesFacts, Table, TableColumn, TransformFile};
use crate::model::{Cohort, TransformModel};
use crate::phantom::{Case, CohortTruth, make_case};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// `demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// The folder to write; it is made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Demo {
    /// Makes the case of `--seed` and writes it.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let case = make_case(run.shared.seed, &run.progress.part(0.0, 0.5))?;
        let folder = |name: &str| {
            let path = self.out.join(name);
            std::fs::create_dir_all(&path).map_err(|e| Error::io("writing", e, &path)).map(|()| path)
        };
        let out = folder("")?;
        let truth = folder("truth")?;
        write_heart(&case, &out, run)?;
        write_section(&case, &out, run)?;
        write_truth(&case, &truth)?;
        io::write_cohort(&self.out.join("cohort"), &case.cohort.cohort)?;
        write_cohort_truth(&case.cohort.truth, &case.cohort.cohort, &truth)?;
        let files = [
            "cine-dicom/",
            "cine.nii.gz",
            "cine-labels.nii.gz",
            "lge.nii.gz",
            "lge-labels.nii.gz",
            "visium/",
            "section.h5ad",
            "landmarks.csv",
            "cohort/",
            "truth/",
        ];
        if run.shared.json {
            let object = json!({"out": self.out.display().to_string(), "seed": run.shared.seed, "files": files});
            run.printer.json(&object);
        } else {
            run.printer.line(&format!("Seed {} written to {}: {}", run.shared.seed, self.out.display(), files.join(", ")));
        }
        Ok(0)
    }
}

fn write_heart(case: &Case, out: &Path, run: &Run) -> Result<()> {
    run.progress.step(0.5, "writing the heart")?;
    let rr_ms = case.cine.phase_times_ms.get(1).map_or(1000.0, |step| step * case.cine.n_phases() as f64);
    let series =
        SeriesFacts { description: "cine short axis".into(), series_number: 1, seed: run.shared.seed, rr_ms: Some(rr_ms) };
    let dicom = out.join("cine-dicom");
    std::fs::create_dir_all(&dicom).map_err(|e| Error::io("writing", e, &dicom))?;
    io::write_dicom_cine(&dicom, &case.cine, &series)?;
    io::write_nifti_volume(&out.join("cine.nii.gz"), &case.cine)?;
    io::write_nifti_labels(&out.join("cine-labels.nii.gz"), &case.cine_labels)?;
    io::write_nifti_volume(&out.join("lge.nii.gz"), &case.lge)?;
    io::write_nifti_labels(&out.join("lge-labels.nii.gz"), &case.lge_labels)
}

fn write_section(case: &Case, out: &Path, run: &Run) -> Result<()> {
    run.progress.step(0.7, "writing the section")?;
    io::write_visium(&out.join("visium"), &case.section, &case.array)?;
    run.progress.step(0.9, "writing the section")?;
    io::write_h5ad(&out.join("section.h5ad"), &case.section)?;
    io::write_pairs(&out.join("landmarks.csv"), &PairTable::from_landmarks(&case.landmarks_half, 0.001))
}

fn write_truth(case: &Case, folder: &Path) -> Result<()> {
    let truth = &case.truth;
    io::write_pairs(&folder.join("landmarks.csv"), &PairTable::from_landmarks(&truth.landmarks, 0.001))?;
    let units = [LengthUnit::Um, LengthUnit::Mm];
    let transform = TransformFile::from_warp(TransformModel::ThinPlate, &truth.plane_from_section, units, Some(&case.plane))?;
    io::write_transform(&folder.join("transform.json"), &transform)?;
    io::write_nifti_labels(&folder.join("scar.nii.gz"), &truth.scar_mask)?;
    io::write_nifti_labels(&folder.join("remote.nii.gz"), &truth.remote_mask)?;
    io::write_nifti_labels(&folder.join("segments.nii.gz"), &truth.segments)?;
    volumes(case)?.write(&folder.join("volumes.csv"))?;
    genes(case)?.write(&folder.join("genes.csv"))?;
    spots(case)?.write(&folder.join("spots.csv"))?;
    let plane_lps = [case.plane.origin(), case.plane.right(), case.plane.down()].map(|v| v.to_array());
    let facts = json!({
        "insertions_lps_mm": truth.insertions_lps.map(|p| p.to_array()),
        "apex_lps_mm": truth.apex_lps.to_array(),
        "base_lps_mm": truth.base_lps.to_array(),
        "shrinkage": truth.shrinkage,
        "ejection_fraction_percent": truth.ejection_fraction,
        "scar_mass_g": truth.scar_mass_g,
        "wall_thickness_mm": truth.thickness_mm,
        "plane_lps": plane_lps,
        "half_slice_mm": case.half_slice_mm,
        "segments": "anchor anterior (equal 60 degrees), thirds",
    });
    io::write_bytes(&folder.join("truth.json"), format!("{facts:#}\n").as_bytes())
}

fn volumes(case: &Case) -> Result<Table> {
    let (lv, myo) = (&case.truth.lv_volume_ml, &case.truth.myo_volume_ml);
    let n = lv.rasterized_ml.len();
    let some = |v: &[f64]| v.iter().copied().map(Some).collect::<Vec<_>>();
    Table::new(vec![
        TableColumn::whole("phase", (0..n).map(|p| Some(p as i64))),
        TableColumn::numbers("lv_analytic_ml", some(&lv.analytic_ml)),
        TableColumn::numbers("lv_rasterized_ml", some(&lv.rasterized_ml)),
        TableColumn::numbers("myo_analytic_ml", some(&myo.analytic_ml)),
        TableColumn::numbers("myo_rasterized_ml", some(&myo.rasterized_ml)),
    ])
}

fn genes(case: &Case) -> Result<Table> {
    let (classes, share) = (&case.truth.gene_classes, &case.truth.histology_share);
    Table::new(vec![
        TableColumn::text("gene", classes.keys().map(|g| Some(g.clone()))),
        TableColumn::text("class", classes.values().map(|c| Some(c.clone()))),
        TableColumn::numbers("histology_share", classes.keys().map(|g| share.get(g).copied())),
    ])
}

fn spots(case: &Case) -> Result<Table> {
    let (lps, tissue) = (&case.truth.spots_lps, &case.truth.tissue);
    let ids = case.section.expression.as_ref().map(|e| e.observations().to_vec()).unwrap_or_default();
    Table::new(vec![
        TableColumn::text("id", ids.into_iter().map(Some)),
        TableColumn::numbers("x_mm", lps.iter().map(|p| Some(p.x))),
        TableColumn::numbers("y_mm", lps.iter().map(|p| Some(p.y))),
        TableColumn::numbers("z_mm", lps.iter().map(|p| Some(p.z))),
        TableColumn::text("area", tissue.iter().map(|t| Some(t.area.name()))),
        TableColumn::text("state", tissue.iter().map(|t| Some(t.state.name()))),
        TableColumn::numbers("depth", tissue.iter().map(|t| t.depth)),
        TableColumn::whole("segment", tissue.iter().map(|t| t.segment.map(i64::from))),
    ])
}

/// `cohort_factors.csv`, `cohort_features.csv`, `cohort_outcome.csv` and `cohort_missing.csv`.
fn write_cohort_truth(truth: &CohortTruth, cohort: &Cohort, folder: &Path) -> Result<()> {
    let mut factors = vec![TableColumn::text("subject", cohort.subjects().iter().map(|s| Some(s.id.clone())))];
    for (k, name) in truth.factor_names.iter().enumerate() {
        factors.push(TableColumn::numbers(name, truth.factors.iter().map(|f| Some(f[k]))));
    }
    factors.push(TableColumn::numbers("outcome_probability", truth.probability.iter().copied().map(Some)));
    Table::new(factors)?.write(&folder.join("cohort_factors.csv"))?;

    let f = &truth.features;
    let mut features = vec![
        TableColumn::text("view", f.iter().map(|f| Some(f.view))),
        TableColumn::text("feature", f.iter().map(|f| Some(f.feature.clone()))),
        TableColumn::text("kind", f.iter().map(|f| Some(f.kind))),
        TableColumn::numbers("mean", f.iter().map(|f| f.mean)),
        TableColumn::numbers("sd", f.iter().map(|f| f.sd)),
    ];
    for (k, name) in truth.factor_names.iter().enumerate() {
        features.push(TableColumn::numbers(name, f.iter().map(|f| f.loadings.get(k).copied())));
    }
    features.push(TableColumn::numbers("age_per_decade", f.iter().map(|f| f.age)));
    features.push(TableColumn::numbers("batch_b", f.iter().map(|f| f.batch)));
    features.push(TableColumn::numbers("noise", f.iter().map(|f| f.noise)));
    Table::new(features)?.write(&folder.join("cohort_features.csv"))?;

    let outcome = vec![
        TableColumn::text("term", truth.outcome.iter().map(|(t, _)| Some(t.clone()))),
        TableColumn::numbers("log_odds", truth.outcome.iter().map(|(_, v)| Some(*v))),
    ];
    Table::new(outcome)?.write(&folder.join("cohort_outcome.csv"))?;
    let missing = vec![
        TableColumn::text("view", truth.missing.iter().map(|m| Some(m.0))),
        TableColumn::numbers("log_odds_missing", truth.missing.iter().map(|m| Some(m.1))),
        TableColumn::numbers("per_remodeling", truth.missing.iter().map(|m| Some(m.2))),
    ];
    Table::new(missing)?.write(&folder.join("cohort_missing.csv"))
}
