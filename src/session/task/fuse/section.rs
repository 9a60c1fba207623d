//! The two views of a registered section: what images and labels show at each spot, carried through the
//! chain, and components of the spots' normalized genes.

use super::FuseTask;
use crate::base::{Error, Progress, Result};
use crate::cardiac::{half_maximum, wall_places};
use crate::imaging::sample;
use crate::model::{ElementId, Expression, Finding, Fusion, LabelMap, Loadings, Section, Study, ViewTable, Views, Volume};
use crate::omics::{
    ComponentSettings, Components, NormalizeSettings, Target, VariableSettings, components, normalize, variable_genes,
};
use crate::space::{DVec3, Space};
use crate::stats::{pearson, spatial_range_mm};
use std::sync::Arc;

/// Counts per spot after normalization.
const TARGET: f64 = 1e4;

/// Views with what is needed to tell their result.
pub(super) struct SectionViews {
    pub(super) name: String,
    pub(super) views: Views,
    /// Section mm of each sample.
    pub(super) points_mm: Vec<[f64; 2]>,
    /// Spot of each sample.
    pub(super) spots: Vec<usize>,
    pub(super) n_spots: usize,
    /// Largest range of autocorrelation among the first components.
    pub(super) range_mm: f64,
    pub(super) settings: Vec<(String, String)>,
    pub(super) findings: Vec<Finding>,
    table: Expression,
    found: Components,
}

/// What the images give at spots.
struct Sources<'a> {
    heart: &'a Arc<LabelMap>,
    phase: usize,
    volumes: Vec<&'a Arc<Volume>>,
    /// Late enhancement, with the segmentation that its threshold is taken from.
    late: Option<(&'a Arc<Volume>, &'a Arc<LabelMap>)>,
}

/// Usable spots, and the names of the image features.
pub(super) fn preview(study: &Study, id: ElementId) -> Result<(usize, Vec<String>)> {
    let section = ready(study, id)?;
    let sources = Sources::of(study, id)?;
    Ok((usable(study, id, section).len(), sources.names()))
}

fn ready(study: &Study, id: ElementId) -> Result<&Arc<Section>> {
    let section = study.section(id).ok_or_else(|| Error::parameter("Open a section with spots and counts first."))?;
    if section.expression.is_none() || section.spots.is_none() {
        return Err(Error::parameter(format!("{} has no spots with counts.", section.name)));
    }
    if !section.has_unit() {
        return Err(Error::parameter(format!("The size of a pixel of {} is not known: type it in Inspect first.", section.name)));
    }
    if study.registrations.get(&id).is_none_or(|r| r.fit.is_none()) {
        return Err(Error::parameter("Register the section to the heart first: place landmark pairs until there is a fit."));
    }
    Ok(section)
}

/// Spots on tissue that are not left out.
fn usable(study: &Study, id: ElementId, section: &Section) -> Vec<usize> {
    let why = study.spots_left_out(id);
    let Some(spots) = &section.spots else { return Vec::new() };
    (0..spots.px.len()).filter(|&i| spots.in_tissue[i] && why.get(i).is_none_or(Option::is_none)).collect()
}

/// The phase with the largest left cavity.
fn diastole(labels: &LabelMap) -> usize {
    (0..labels.n_phases()).max_by_key(|&p| (labels.count(p, 3), std::cmp::Reverse(p))).unwrap_or(0)
}

impl<'a> Sources<'a> {
    fn of(study: &'a Study, id: ElementId) -> Result<Self> {
        let heart = study.registrations.get(&id).map(|r| r.heart);
        let heart_volume = heart.and_then(|h| study.volume(h));
        let labels_on = |volume: &Volume| study.label_maps().map(|(_, l)| l).find(|l| l.grid.same_place(&volume.grid, 1e-3));
        let first = study.label_maps().map(|(_, l)| l).next();
        let labels = heart_volume.and_then(|v| labels_on(v)).or(first);
        let labels =
            labels.ok_or_else(|| Error::parameter("Open a segmentation of the heart first: places in the wall come from it."))?;
        let volumes: Vec<&Arc<Volume>> = study.volumes().map(|(_, v)| v).collect();
        let is_late = |v: &Volume| {
            let name = v.name.to_lowercase();
            v.n_phases() == 1 && ["lge", "late", "psir", "enhancement"].iter().any(|w| name.contains(w))
        };
        let late = volumes.iter().copied().find(|v| is_late(v)).map(|v| (v, labels_on(v).unwrap_or(labels)));
        Ok(Self { heart: labels, phase: diastole(labels), volumes, late })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.volumes.iter().map(|v| format!("{} intensity", v.name)).collect();
        if let Some((late, _)) = self.late {
            names.push(format!("scar ({} above half maximum)", late.name));
        }
        names.extend(["distance to endocardium [mm]", "distance to epicardium [mm]", "transmural depth"].map(str::to_owned));
        names
    }

    /// Features of patient points, row by row; NaN where an image or the wall does not reach. Settings that
    /// say the rules come with them.
    fn features(&self, points: &[DVec3], progress: &Progress) -> Result<(Vec<f64>, Vec<(String, String)>)> {
        let places = wall_places(self.heart, self.phase, points, progress)?;
        let level = self.late.map(|(late, labels)| half_maximum(late, labels, diastole(labels))).transpose()?;
        let mut values = Vec::new();
        for (p, place) in points.iter().zip(places) {
            let at = |v: &Volume| sample(v, self.phase.min(v.n_phases() - 1), *p, true).unwrap_or(f64::NAN);
            values.extend(self.volumes.iter().map(|v| at(v)));
            if let (Some((late, _)), Some(level)) = (self.late, level) {
                let intensity = at(late);
                values.push(if intensity.is_nan() { f64::NAN } else { f64::from(u8::from(intensity >= level)) });
            }
            values.extend(place.map_or([f64::NAN; 3], |w| [w.endo_mm, w.epi_mm, w.depth]));
        }
        let mut settings = vec![("places in the wall".to_owned(), format!("{} at phase {}", self.heart.name, self.phase + 1))];
        if let (Some((late, _)), Some(level)) = (self.late, level) {
            settings.push(("scar".into(), format!("{} ≥ {level:.1}, half of the 99th percentile of the myocardium", late.name)));
        }
        Ok((values, settings))
    }
}

impl SectionViews {
    pub(super) fn new(task: &FuseTask, study: &Study, progress: &Progress) -> Result<Self> {
        let id = ElementId(task.of);
        let section = ready(study, id)?;
        let (Some(spots), Some(expression)) = (&section.spots, &section.expression) else {
            return Err(Error::parameter("the section has no spots"));
        };
        let totals = expression.totals();
        let keep: Vec<usize> = usable(study, id, section).into_iter().filter(|&i| totals[i] > 0.0).collect();
        progress.step(0.05, "image features")?;
        let atlas = study.atlas();
        let mm = |i: usize| spots.px[i] * section.mm_per_px();
        let lps = |i: &usize| atlas.transform(Space::Patient, Space::Section(id.0), mm(*i).extend(0.0));
        let points = keep.iter().map(lps).collect::<Result<Vec<DVec3>>>()?;
        let sources = Sources::of(study, id)?;
        let (image, mut settings) = sources.features(&points, &progress.part(0.1, 0.3))?;
        let ids: Vec<String> = keep.iter().map(|&i| expression.observations()[i].clone()).collect();
        let image = ViewTable::new("image", ids.clone(), sources.names(), image)?;

        let (table, found, mut findings) = reduced(task, expression.subset(&keep)?, &progress.part(0.3, 1.0))?;
        let names = (1..=found.pca.k).map(|c| format!("PC{c}")).collect();
        let genes = ViewTable::new("expression", ids, names, found.pca.scores.clone())?;
        let points_mm: Vec<[f64; 2]> = keep.iter().map(|&i| mm(i).to_array()).collect();
        let ranges = (0..found.pca.k.min(3)).map(|c| spatial_range_mm(&points_mm, &genes.column(c)));
        let range_mm = ranges.collect::<Result<Vec<_>>>()?.into_iter().fold(0.0, f64::max);
        settings.push((
            "expression".into(),
            format!("log1p CP10k, {} variable genes, {} components", found.genes.len(), found.pca.k),
        ));
        settings.push(("registration".into(), registered(study, id)));
        findings.extend(found.findings.iter().cloned());
        Ok(Self {
            name: section.name.clone(),
            views: Views::new(vec![image, genes])?,
            points_mm,
            spots: keep,
            n_spots: spots.px.len(),
            range_mm,
            settings,
            findings,
            table,
            found,
        })
    }

    /// Replaces the components in the second view's tables by the genes behind them: weights through the
    /// components' loadings, correlations with each gene's own values.
    pub(super) fn genes_for_components(&self, fusion: &mut Fusion) {
        let (k, pairs) = (self.found.pca.k, fusion.pairs.len());
        let features: Vec<String> = self.found.genes.iter().map(|&g| self.table.genes()[g].clone()).collect();
        let place: std::collections::BTreeMap<&str, usize> =
            self.table.observations().iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
        let rows: Vec<usize> = fusion.ids.iter().filter_map(|id| place.get(id.as_str()).copied()).collect();
        let (Some(weights), Some(scores)) = (fusion.weights.get(1), fusion.scores.get(1)) else { return };
        let (mut through, mut correlations) = (Vec::new(), Vec::new());
        for (at, &gene) in self.found.genes.iter().enumerate() {
            let dense = self.table.dense(gene);
            let values: Vec<f64> = rows.iter().map(|&r| f64::from(dense[r])).collect();
            for pair in 0..pairs {
                through.push((0..k).map(|c| self.found.pca.loadings[at * k + c] * weights.values[c * pairs + pair]).sum());
                let score: Vec<f64> = scores.iter().skip(pair).step_by(pairs).copied().collect();
                correlations.push(pearson(&values, &score));
            }
        }
        let loadings = |values| Loadings { features: features.clone(), n_components: pairs, values };
        fusion.weights[1] = loadings(through);
        fusion.correlations[1] = loadings(correlations);
    }
}

/// Normalized genes, and their components.
fn reduced(task: &FuseTask, counts: Expression, progress: &Progress) -> Result<(Expression, Components, Vec<Finding>)> {
    let mut findings = Vec::new();
    let target = Target::Total(TARGET);
    let table = if counts.unit == "counts" {
        let done = normalize(counts, &NormalizeSettings { target, log1p: true }, &progress.part(0.0, 0.3))?;
        findings.extend(done.findings);
        done.expression
    } else {
        counts
    };
    let settings = VariableSettings { n: task.n_genes as usize, target, ..VariableSettings::default() };
    let variable = variable_genes(&table, &settings, &progress.part(0.3, 0.6))?;
    let settings = ComponentSettings { n: task.n_components as usize, scale: false, seed: task.seed };
    let found = components(&table, Some(&variable.variable), &settings, &progress.part(0.6, 1.0))?;
    Ok((table, found, findings))
}

fn registered(study: &Study, id: ElementId) -> String {
    let Some(registration) = study.registrations.get(&id) else { return "none".into() };
    let error = registration.fit.as_ref().and_then(|f| f.quality.leave_one_out_median_mm);
    let error = error.map_or_else(|| "not known".to_owned(), |e| format!("{e:.2} mm"));
    format!("{}, leave-one-out error {error}", registration.model.name())
}
