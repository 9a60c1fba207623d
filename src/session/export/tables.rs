//! Tables of a study: spots, segments, landmark residuals, values of layers.

use super::places::{Named, SpotRow};
use super::{Exporter, unregistered};
use crate::base::{Error, Progress, Result};
use crate::cardiac;
use crate::imaging;
use crate::io::{self, Table, TableColumn};
use crate::model::{AnalysisId, AnalysisResult, Column, ElementId, LayerKind, MeasuredValue, Section, SpatialNumbers};
use crate::scene::{label_phase, phase_at};
use crate::space::DVec3;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Exporter {
    /// The spots of a section as their file's ending says.
    pub(super) fn spots(
        &self,
        id: ElementId,
        names: &[String],
        log_normalized: bool,
        path: &Path,
        progress: &Progress,
    ) -> Result<Vec<PathBuf>> {
        let values = self.all_values(id, names, log_normalized)?;
        progress.step(0.3, "placing spots")?;
        if io::bytes::ending(path) == "h5ad" {
            self.annotated(id, &values, path, progress)?;
        } else {
            let rows = self.rows(id)?;
            progress.step(0.6, "writing the table")?;
            spot_table(self.section(id)?, &rows, &values)?.write(path)?;
        }
        Ok(vec![path.to_path_buf()])
    }

    /// All counts, with patient coordinates, segments, exclusions and fields beside them.
    fn annotated(&self, id: ElementId, values: &[Named], path: &Path, progress: &Progress) -> Result<()> {
        let rows = self.registered_rows(id)?;
        let section = self.section(id)?;
        let Some(expression) = &section.expression else {
            return Err(Error::parameter(format!("{} has no genes; write its spots as .csv", section.name)));
        };
        let mut expression = (**expression).clone();
        let columns = &mut expression.columns;
        let words: [(&str, Vec<Option<String>>); 3] = [
            ("segment", rows.iter().map(|r| r.segment.as_ref().map(|(n, _)| n.to_string())).collect()),
            ("segment_name", rows.iter().map(|r| r.segment.as_ref().map(|(_, n)| n.clone())).collect()),
            ("excluded", rows.iter().map(|r| r.excluded.clone()).collect()),
        ];
        for (name, words) in words.iter().filter(|(_, words)| words.iter().any(Option::is_some)) {
            columns.insert((*name).to_owned(), category(words));
        }
        for v in values.iter().filter(|v| self.study.field(id, &v.name).is_some()) {
            columns.insert(v.column(), Column::Number(v.values.iter().map(|v| f64::from(*v)).collect()));
        }
        let lps = rows.iter().flat_map(|r| r.lps.unwrap_or(DVec3::NAN).to_array()).collect();
        let mut extras = io::h5ad::Extras::default();
        extras.obsm.insert("spatial_lps_mm".into(), (3, lps));
        let section = Section { expression: Some(Arc::new(expression)), ..(**section).clone() };
        let placed = self.placed(id).ok_or_else(unregistered)?;
        let moving = if section.has_unit() { io::LengthUnit::Um } else { io::LengthUnit::Px };
        extras.texts.insert("transform".into(), io::json::to_text(&placed.file(moving)?)?);
        extras.texts.insert("provenance".into(), self.summary_of(id));
        progress.step(0.6, "writing")?;
        io::write_h5ad_with(path, &section, &extras)
    }

    /// Mean of the spots of each segment for every value; where no section is given, what the bullseye shows.
    pub(super) fn segment_means(&self, id: Option<ElementId>, names: &[String], log_normalized: bool) -> Result<Table> {
        let mut rows: Vec<SegmentRow> = Vec::new();
        let Some(id) = id else {
            let scale = self.derived.bullseye_scale.clone();
            let (what, rule) = scale.map_or_else(Default::default, |s| (s.title, s.rule));
            if self.derived.bullseye.is_empty() {
                return Err(Error::parameter("there are no segments: open labels of the left ventricle"));
            }
            let row = |c: &crate::scene::BullseyeCell| SegmentRow {
                segment: c.segment,
                what: what.clone(),
                value: c.value,
                unit: String::new(),
                n: c.n,
                rule: rule.clone(),
            };
            return segment_table(&self.derived.bullseye.iter().map(row).collect::<Vec<_>>());
        };
        let spots = self.registered_rows(id)?;
        if spots.iter().all(|r| r.segment.is_none()) {
            return Err(Error::parameter("no spot lies in a segment: open labels of the left ventricle with the heart"));
        }
        for v in self.all_values(id, names, log_normalized)?.iter().filter(|v| v.categories.is_empty()) {
            for segment in 1..=17u8 {
                let inside = spots.iter().enumerate().filter(|(_, r)| r.counts() && is_in(r, segment));
                let found: Vec<f64> = inside.filter_map(|(i, _)| v.at(i)).collect();
                let value = (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64);
                let rule = "mean of spots on tissue".to_owned();
                rows.push(SegmentRow { segment, what: v.name.clone(), value, unit: v.unit.clone(), n: found.len(), rule });
            }
        }
        segment_table(&rows)
    }

    /// What the bullseye shows.
    pub(super) fn bullseye(&self) -> Result<Table> {
        if self.discs.is_empty() {
            return Err(Error::parameter("there are no segments: open labels of the left ventricle"));
        }
        crate::session::disc_table(&self.discs.iter().collect::<Vec<_>>())
    }

    /// The numbers of an analysis, as `measure` writes them; the subject is told by a hash, as a name may be a patient's.
    pub(super) fn measures(&self, id: u64) -> Result<Table> {
        let analysis = self.study.analyses.get(&AnalysisId(id)).ok_or_else(|| Error::parameter("there is no such analysis"))?;
        let AnalysisResult::Measures(found) = &analysis.result else {
            return Err(Error::parameter(format!("{} has no numbers of the heart", analysis.title)));
        };
        let name = self.study.provenance.get(&analysis.of).and_then(|p| p.path.as_ref()).and_then(|p| p.file_name());
        let subject = match name {
            Some(name) => io::project::path_key(Path::new(name))[..8].to_owned(),
            None => "built-in".into(),
        };
        let text = |name: &str, of: fn(&MeasuredValue) -> &str| TableColumn::text(name, found.rows.iter().map(|r| Some(of(r))));
        Table::new(vec![
            TableColumn::text("subject", found.rows.iter().map(|_| Some(subject.clone()))),
            text("region", |r| &r.region),
            text("phase", |r| &r.phase),
            text("metric", |r| &r.metric),
            TableColumn::numbers("value", found.rows.iter().map(|r| Some(r.value))),
            text("unit", |r| &r.unit),
            text("method", |r| &r.method),
        ])
    }

    /// Genes with how alike neighbors are, as `omics autocorrelation` writes them.
    pub(super) fn gene_table(&self, id: u64) -> Result<Table> {
        let analysis = self.study.analyses.get(&AnalysisId(id)).ok_or_else(|| Error::parameter("there is no such analysis"))?;
        let AnalysisResult::SpatialGenes(found) = &analysis.result else {
            return Err(Error::parameter(format!("{} has no table of genes", analysis.title)));
        };
        let column = |name: &str, of: &dyn Fn(&SpatialNumbers) -> Option<f64>| {
            TableColumn::numbers(name, found.genes.iter().map(|g| g.numbers.as_ref().and_then(of).filter(|v| v.is_finite())))
        };
        let mut columns = vec![
            TableColumn::text("gene", found.genes.iter().map(|g| Some(g.gene.clone()))),
            column("moran_i", &|n| Some(n.moran[0])),
            column("moran_z", &|n| Some(n.moran[1])),
            column("moran_p", &|n| Some(n.moran[2])),
            column("moran_q", &|n| Some(n.moran[3])),
            column("geary_c", &|n| Some(n.geary[0])),
            column("geary_z", &|n| Some(n.geary[1])),
            column("geary_p", &|n| Some(n.geary[2])),
        ];
        if found.genes.iter().filter_map(|g| g.numbers).any(|n| n.permuted.is_some()) {
            columns.push(column("moran_p_permuted", &|n| n.permuted.map(|p| p[0])));
            columns.push(column("geary_p_permuted", &|n| n.permuted.map(|p| p[1])));
        }
        Table::new(columns)
    }

    /// Landmark pairs with both places, what the fit leaves, and the error where each is left out.
    pub fn residuals(&self, id: ElementId) -> Result<Table> {
        let registration = self.study.registrations.get(&id).ok_or_else(unregistered)?;
        let pairs = &registration.landmarks.pairs;
        let quality = registration.fit.as_ref().map(|f| &f.quality);
        let error = |list: fn(&crate::model::Quality) -> &[crate::model::PairError], name: &str| {
            quality.and_then(|q| list(q).iter().find(|p| p.name == name)).and_then(|p| p.error_mm)
        };
        let moving = |axis: usize| pairs.iter().map(move |l| l.moving.map(|p| p.to_array()[axis] * 1000.0));
        let fixed = |axis: usize| pairs.iter().map(move |l| l.fixed.map(|p| p.to_array()[axis]));
        let unit = if self.section(id)?.has_unit() { "um" } else { "px" };
        Table::new(vec![
            TableColumn::text("name", pairs.iter().map(|l| Some(l.name.clone()))),
            TableColumn::whole("active", pairs.iter().map(|l| Some(i64::from(l.active)))),
            TableColumn::numbers(&format!("moving_x_{unit}"), moving(0)),
            TableColumn::numbers(&format!("moving_y_{unit}"), moving(1)),
            TableColumn::numbers("fixed_x_mm", fixed(0)),
            TableColumn::numbers("fixed_y_mm", fixed(1)),
            TableColumn::numbers("fixed_z_mm", fixed(2)),
            TableColumn::numbers("off_plane_mm", pairs.iter().map(|l| l.fixed.map(|p| registration.plane.distance_mm(p)))),
            TableColumn::numbers("residual_mm", pairs.iter().map(|l| error(|q| &q.residuals, &l.name))),
            TableColumn::numbers("leave_one_out_mm", pairs.iter().map(|l| error(|q| &q.leave_one_out, &l.name))),
        ])
    }

    /// One row per spot and visible image or segmentation that covers it.
    pub(super) fn layer_values(&self, id: ElementId, progress: &Progress) -> Result<Table> {
        let rows = self.registered_rows(id)?;
        let (mut ids, mut layers, mut values, mut words, mut units) = (vec![], vec![], vec![], vec![], vec![]);
        for (k, layer) in self.study.layers.iter().filter(|l| l.visible).enumerate() {
            progress.step(k as f64 / self.study.layers.len() as f64, "reading layers")?;
            for row in &rows {
                let Some(found) = row.lps.and_then(|p| self.layer_at(layer.element, &layer.kind, p)) else { continue };
                ids.push(Some(row.id.clone()));
                layers.push(Some(found.layer));
                values.push(found.value);
                words.push(found.word);
                units.push(Some(found.unit));
            }
        }
        Table::new(vec![
            TableColumn::text("id", ids),
            TableColumn::text("layer", layers),
            TableColumn::numbers("value", values),
            TableColumn::text("label", words),
            TableColumn::text("unit", units),
        ])
    }

    fn layer_at(&self, element: ElementId, kind: &LayerKind, lps: DVec3) -> Option<AtSpot> {
        match kind {
            LayerKind::Image { smooth, .. } => {
                let volume = self.study.volume(element)?;
                let phase = phase_at(volume, self.view.cardiac_phase);
                let value = imaging::sample(volume, phase, lps, *smooth)?;
                Some(AtSpot { layer: volume.name.clone(), value: Some(value), word: None, unit: volume.unit.clone() })
            }
            LayerKind::Labels { .. } => {
                let labels = self.study.labels(element)?;
                let heart = self.view.heart.and_then(|id| self.study.volume(id));
                let phase = heart.map_or(0, |v| label_phase(labels, v, phase_at(v, self.view.cardiac_phase)));
                let value = imaging::label_at(labels, phase, lps);
                let word = labels.entry(value).map(|e| e.name.clone());
                Some(AtSpot { layer: labels.name.clone(), value: Some(f64::from(value)), word, unit: "label".into() })
            }
            LayerKind::Picture | LayerKind::Spots { .. } => None,
        }
    }
}

struct AtSpot {
    layer: String,
    value: Option<f64>,
    word: Option<String>,
    unit: String,
}

struct SegmentRow {
    segment: u8,
    what: String,
    value: Option<f64>,
    unit: String,
    n: usize,
    rule: String,
}

fn is_in(row: &SpotRow, segment: u8) -> bool {
    row.segment.as_ref().is_some_and(|(n, _)| *n == segment)
}

fn segment_table(rows: &[SegmentRow]) -> Result<Table> {
    let text = |name: &str, of: fn(&SegmentRow) -> String| TableColumn::text(name, rows.iter().map(|r| Some(of(r))));
    Table::new(vec![
        TableColumn::whole("segment", rows.iter().map(|r| Some(i64::from(r.segment)))),
        text("name", |r| cardiac::segment_name(r.segment).unwrap_or_default().to_owned()),
        text("metric", |r| r.what.clone()),
        TableColumn::numbers("value", rows.iter().map(|r| r.value)),
        text("unit", |r| r.unit.clone()),
        TableColumn::whole("n", rows.iter().map(|r| Some(r.n as i64))),
        text("rule", |r| r.rule.clone()),
    ])
}

/// `id,section_x_um,section_y_um,lps_x_mm,…,segment,segment_name,in_tissue,excluded,<values>`.
fn spot_table(section: &Section, rows: &[SpotRow], values: &[Named]) -> Result<Table> {
    let unit = if section.has_unit() { "um" } else { "px" };
    let lps = |axis: usize| rows.iter().map(move |r| r.lps.map(|p| p.to_array()[axis]));
    let mut columns = vec![
        TableColumn::text("id", rows.iter().map(|r| Some(r.id.clone()))),
        TableColumn::numbers(&format!("section_x_{unit}"), rows.iter().map(|r| Some(r.section_mm.x * 1000.0))),
        TableColumn::numbers(&format!("section_y_{unit}"), rows.iter().map(|r| Some(r.section_mm.y * 1000.0))),
        TableColumn::numbers("lps_x_mm", lps(0)),
        TableColumn::numbers("lps_y_mm", lps(1)),
        TableColumn::numbers("lps_z_mm", lps(2)),
        TableColumn::whole("segment", rows.iter().map(|r| r.segment.as_ref().map(|(n, _)| i64::from(*n)))),
        TableColumn::text("segment_name", rows.iter().map(|r| r.segment.as_ref().map(|(_, n)| n.clone()))),
        TableColumn::whole("in_tissue", rows.iter().map(|r| Some(i64::from(r.in_tissue)))),
        TableColumn::text("excluded", rows.iter().map(|r| r.excluded.clone())),
    ];
    for v in values {
        let mut name = v.column();
        while columns.iter().any(|c| c.name == name) {
            name.push_str("_2");
        }
        columns.push(if v.categories.is_empty() {
            TableColumn::numbers(&name, (0..rows.len()).map(|i| v.at(i)))
        } else {
            TableColumn::text(&name, (0..rows.len()).map(|i| v.word(i)))
        });
    }
    Table::new(columns)
}

/// Words as codes into their sorted list.
fn category(words: &[Option<String>]) -> Column {
    let mut names: Vec<String> = words.iter().flatten().cloned().collect();
    // Numbers in their own order.
    names.sort_by_key(|n| (n.parse::<u64>().unwrap_or(u64::MAX), n.clone()));
    names.dedup();
    let code = |w: &Option<String>| w.as_ref().and_then(|w| names.iter().position(|n| n == w)).map_or(u32::MAX, |i| i as u32);
    let codes = words.iter().map(code).collect();
    Column::Category { codes, names }
}
