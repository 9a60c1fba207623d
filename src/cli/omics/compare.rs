//! Step `compare`: two regions of spots side by side.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::{Reading, RegionUnit, Table, TableColumn, read_regions};
use crate::model::Region;
use crate::omics::{CompareSettings, Unit, compare, composed_of, composition, patients_of};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Name of the side that is all spots outside A.
const REST: &str = "rest";

/// Options of `compare`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `compare`: areas on the section (`GeoJSON` in pixels, as `QuPath` exports them).
    #[arg(long, value_name = "R.geojson")]
    areas: Option<PathBuf>,
    /// `compare`: name or class of the first region.
    #[arg(long, value_name = "NAME")]
    a: Option<String>,
    /// `compare`: name or class of the second region, or rest for all other spots on tissue.
    #[arg(long, value_name = "NAME", default_value = REST)]
    b: String,
}

impl Options {
    /// Writes `compare.csv`, and `composition.csv` where spots have categories.
    pub(super) fn run(&self, mut work: Work, run: &mut Run) -> Result<Work> {
        let (Some(path), Some(a)) = (&self.areas, &self.a) else {
            return Err(Error::parameter("compare needs --areas and --a"));
        };
        let Some(spots) = work.section.spots.clone() else {
            return Err(Error::degenerate("the observations have no positions, so no region holds them"));
        };
        let mut reading = Reading { limits: run.limits, progress: &run.progress, warnings: &mut run.warnings };
        let regions = read_regions(path, RegionUnit::Pixels, &mut reading)?;
        let on_tissue = |i: usize| spots.in_tissue.get(i).copied().unwrap_or(true);
        let members = |name: &str| -> Result<Vec<bool>> {
            let named: Vec<&Region> = regions.iter().filter(|r| r.name == name || r.class == name).collect();
            if named.is_empty() {
                let all: Vec<&str> = regions.iter().map(|r| if r.name.is_empty() { r.label() } else { &r.name }).collect();
                return Err(Error::parameter(format!("there is no region {name}; there are {}", all.join(", "))).at(path));
            }
            let mut inside = vec![false; spots.px.len()];
            for region in named {
                inside.iter_mut().zip(region.members(&spots.px)).for_each(|(i, m)| *i |= m);
            }
            Ok(inside)
        };
        let first = members(a)?;
        let second = if self.b == REST { first.iter().map(|i| !i).collect() } else { members(&self.b)? };
        let numbers = |inside: &[bool]| -> Vec<u32> {
            (0u32..).zip(inside).filter(|(n, i)| **i && on_tissue(*n as usize)).map(|(n, _)| n).collect()
        };
        let sets = [numbers(&first), numbers(&second)];
        self.compare(a, [&sets[0], &sets[1]], &mut work, run)?;
        Ok(work)
    }

    fn compare(&self, a: &str, sets: [&[u32]; 2], work: &mut Work, run: &Run) -> Result<()> {
        let patients = patients_of(&work.expression).map(|(_, codes)| codes);
        let settings = CompareSettings { top: usize::MAX, ..CompareSettings::default() };
        let found = compare(&work.expression, sets, patients.as_deref(), &settings, &run.progress)?;
        let rows = &found.genes;
        let genes: Vec<String> = rows.iter().map(|g| work.expression.genes()[g.gene].clone()).collect();
        let table = Table::new(vec![
            names_column("gene", &genes),
            filled("mean_a", rows.iter().map(|g| g.mean_a)),
            filled("mean_b", rows.iter().map(|g| g.mean_b)),
            filled("log2fc", rows.iter().map(|g| g.log2fc)),
            filled("effect", rows.iter().map(|g| g.effect)),
            filled("low", rows.iter().map(|g| g.low)),
            filled("high", rows.iter().map(|g| g.high)),
            filled("p", rows.iter().map(|g| g.ln_p.exp())),
            filled("q", rows.iter().map(|g| g.ln_q.exp())),
        ])?;
        work.table("compare.csv", table)?;
        let (mut columns, mut shares) = (Vec::new(), Vec::new());
        for name in composed_of(&work.expression) {
            for share in composition(&work.expression.columns[name], sets)? {
                columns.push(name.to_owned());
                shares.push(share);
            }
        }
        if !shares.is_empty() {
            let table = Table::new(vec![
                names_column("column", &columns),
                TableColumn::text("category", shares.iter().map(|s| Some(s.name.as_str()))),
                filled("n_a", shares.iter().map(|s| s.n[0] as f64)),
                filled("n_b", shares.iter().map(|s| s.n[1] as f64)),
                filled("share_a", shares.iter().map(|s| s.share[0])),
                filled("share_b", shares.iter().map(|s| s.share[1])),
            ])?;
            work.table("composition.csv", table)?;
        }
        let unit = match found.unit {
            Unit::Spots => "spots".to_owned(),
            Unit::PairedPatients(n) => format!("{n} patients with spots in both"),
            Unit::Patients([n, m]) => format!("{n} and {m} patients"),
        };
        let [n_a, n_b] = found.n_spots;
        work.lines.push(format!("{a} ({n_a} spots) against {} ({n_b}): {} genes; counted as one: {unit}", self.b, rows.len()));
        let report = json!({"a": a, "b": self.b, "n_a": n_a, "n_b": n_b, "unit": unit, "n_genes": found.n_genes});
        work.report.insert("compare".into(), report);
        work.findings.extend(found.findings);
        Ok(())
    }
}
