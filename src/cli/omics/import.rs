//! `import`: results of other programs and regions of `QuPath` join the observations.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::{self, AttachedKind, Reading, RegionUnit, Table, TableColumn};
use crate::model::{Column, PixelSize, Region};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Unit of the corners of regions.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Units {
    /// Full-resolution pixels.
    Px,
    /// Micrometers.
    Um,
}

/// Options of `import`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `import`: a table of the observations (CSV, TSV, Parquet): cell types of cell2location, RCTD or Tangram,
    /// coordinates of a model, or other columns; may be given several times.
    #[arg(long, value_name = "TABLE")]
    table: Vec<PathBuf>,
    /// `import`: regions drawn in `QuPath` (`GeoJSON`); their class becomes the column `region`.
    #[arg(long, value_name = "R.geojson")]
    regions: Option<PathBuf>,
    /// `import`: unit of the regions.
    #[arg(long, value_enum, default_value = "px")]
    region_units: Units,
}

impl Options {
    /// Joins everything that is given.
    pub(super) fn run(&self, mut work: Work, run: &mut Run) -> Result<Work> {
        if self.table.is_empty() && self.regions.is_none() {
            return Err(Error::parameter("import needs --table TABLE.csv or --regions R.geojson"));
        }
        let mut report = Vec::new();
        for path in &self.table {
            report.push(join(&mut work, path, run)?);
        }
        if let Some(path) = &self.regions {
            report.push(self.regions(&mut work, path, run)?);
        }
        work.h5ad = Some("imported.h5ad");
        work.report.insert("import".into(), json!(report));
        Ok(work)
    }

    fn regions(&self, work: &mut Work, path: &Path, run: &mut Run) -> Result<serde_json::Value> {
        let Some(spots) = &work.section.spots else {
            return Err(Error::parameter(format!(
                "the observations have no positions, so regions cannot be laid over them: {}",
                path.display()
            )));
        };
        let unit = match (self.region_units, &work.section.pixel_size) {
            (Units::Px, _) => RegionUnit::Pixels,
            (Units::Um, PixelSize::Known { um_per_px, .. }) => RegionUnit::Micrometers(*um_per_px),
            (Units::Um, PixelSize::Unknown) => {
                return Err(Error::parameter("--region-units um: the size of a pixel of this section is not known"));
            }
        };
        let mut reading = Reading { limits: run.limits, progress: &run.progress, warnings: &mut run.warnings };
        let regions = io::read_regions(path, unit, &mut reading)?;
        let (column, n_several) = assign(&regions, &spots.px);
        let n_inside =
            if let Column::Category { codes, .. } = &column { codes.iter().filter(|c| **c != u32::MAX).count() } else { 0 };
        if n_several > 0 {
            let text = format!("{n_several} observations lie in several regions; the first in the file counts");
            run.warnings.warn("regions-overlap", text, Some(path));
        }
        if n_inside == 0 {
            let text = "no observation lies in a region; regions and positions may be in different units (--region-units)";
            run.warnings.warn("regions-empty", text.to_owned(), Some(path));
        }
        work.expression.columns.insert("region".into(), column);
        work.lines.push(format!("{n_inside} of {} observations lie in {} regions", spots.px.len(), regions.len()));
        Ok(json!({"file": path.display().to_string(), "kind": "regions", "n_regions": regions.len(), "n_observations": n_inside}))
    }
}

/// The first region of each point, and how many points lie in several.
fn assign(regions: &[Region], px: &[crate::space::DVec2]) -> (Column, usize) {
    let mut names: Vec<String> = Vec::new();
    let mut codes = vec![u32::MAX; px.len()];
    let mut several = vec![false; px.len()];
    for region in regions {
        let label = if region.label().is_empty() { "unnamed" } else { region.label() };
        let code = names.iter().position(|n| n == label).unwrap_or_else(|| {
            names.push(label.to_owned());
            names.len() - 1
        });
        for (i, _) in region.members(px).into_iter().enumerate().filter(|(_, inside)| *inside) {
            if codes[i] == u32::MAX {
                codes[i] = code as u32;
            } else {
                several[i] |= codes[i] != code as u32;
            }
        }
    }
    (Column::Category { codes, names }, several.into_iter().filter(|s| *s).count())
}

/// Joins one table.
fn join(work: &mut Work, path: &Path, run: &mut Run) -> Result<serde_json::Value> {
    let mut reading = Reading { limits: run.limits, progress: &run.progress, warnings: &mut run.warnings };
    let found = io::read_attached(path, work.expression.observations(), &mut reading)?;
    let k = found.names.len();
    let kind = match found.kind {
        AttachedKind::Composition => {
            let shares = found.fractions();
            let mut columns = vec![names_column("id", work.expression.observations())];
            for (j, name) in found.names.iter().enumerate() {
                columns.push(filled(name, shares.iter().skip(j).step_by(k).copied()));
            }
            columns.push(TableColumn::numbers("residual", (0..work.expression.observations().len()).map(|_| None)));
            work.table("fractions.csv", Table::new(columns)?)?;
            work.arrays.insert("fractions".into(), (k, shares));
            "composition"
        }
        AttachedKind::Embedding => {
            let name = io::bytes::stem(path);
            let name = if name.starts_with("X_") { name } else { format!("X_{name}") };
            if found.n_matched < work.expression.observations().len() {
                return Err(Error::parameter(format!(
                    "only {} of {} observations have coordinates; every one needs them: {}",
                    found.n_matched,
                    work.expression.observations().len(),
                    path.display()
                )));
            }
            work.lines.push(format!("coordinates are used with --use-rep {name}"));
            work.arrays.insert(name, (k, found.values.clone()));
            "embedding"
        }
        AttachedKind::Columns => "columns",
    };
    let n_columns = found.columns.len();
    work.expression.columns.extend(found.columns);
    work.lines.push(format!("{kind} of {} observations: {}", found.n_matched, found.source));
    Ok(json!({"file": path.display().to_string(), "kind": kind, "source": found.source, "names": found.names,
        "n_columns": n_columns, "n_observations": found.n_matched}))
}
