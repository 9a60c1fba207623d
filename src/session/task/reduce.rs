//! Normalization, variable genes and principal components of a section, as a task.

use super::Made;
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{AnalysisResult, ElementId, Expression, Field, Finding, GeneDispersion, Loadings, Reduction, Section, Study};
use crate::omics::{
    ComponentSettings, Components, Flavor, NormalizeSettings, Target, VariableGenes, VariableSettings, components, normalize,
    variable_genes,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Settings of the task, in the words of the command line. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceTask {
    /// The section.
    pub section: u64,
    /// Total of each spot after normalization; none is the median.
    pub target: Option<f64>,
    /// Whether the logarithm of 1 + value follows.
    pub log1p: bool,
    /// Rule for variable genes.
    pub flavor: FlavorRecord,
    /// Number of variable genes.
    pub n_genes: usize,
    /// Number of components.
    pub n_components: usize,
    /// Whether genes are divided by their standard deviation.
    pub scale: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// [`Flavor`] on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlavorRecord {
    /// Dispersion in bins of equal width.
    Seurat,
    /// Dispersion in bins of percentiles.
    CellRanger,
    /// Variance beside a trend.
    SeuratV3,
}

impl FlavorRecord {
    /// All, in the order that menus show them.
    pub const ALL: [Self; 3] = [Self::Seurat, Self::CellRanger, Self::SeuratV3];

    /// The rule.
    #[must_use]
    pub fn flavor(self) -> Flavor {
        match self {
            Self::Seurat => Flavor::Seurat,
            Self::CellRanger => Flavor::CellRanger,
            Self::SeuratV3 => Flavor::SeuratV3,
        }
    }
}

impl ReduceTask {
    /// The usual settings for a section: `CP10k`, `log1p`, 2000 genes by `seurat`, 20 components.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        Self {
            section: section.0,
            target: Some(10_000.0),
            log1p: true,
            flavor: FlavorRecord::Seurat,
            n_genes: 2000,
            n_components: 20,
            scale: false,
            seed: 0,
        }
    }

    pub(super) fn inputs(&self) -> BTreeSet<ElementId> {
        BTreeSet::from([ElementId(self.section)])
    }

    pub(super) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let Reduced { name, n_spots, keep, table, variable, found, findings } = self.reduced(study, progress)?;
        Ok(Made {
            title: format!("Components of {name}"),
            settings: self.settings(&table),
            sentence: sentence(&table, &found),
            fields: fields(&found, &keep, n_spots),
            result: AnalysisResult::Reduction(reduction(&table, &variable, &found)),
            findings,
        })
    }

    /// The components, for this task and for those that begin with them.
    pub(super) fn reduced(&self, study: &Study, progress: &Progress) -> Result<Reduced> {
        let (target, flavor) = (self.target.map_or(Target::Median, Target::Total), self.flavor.flavor());
        progress.step(0.0, "choosing spots")?;
        let mut findings = Vec::new();
        let InUse { section, keep, part, n_spots } = InUse::of(study, ElementId(self.section), &mut findings)?;
        let settings = VariableSettings { flavor, n: self.n_genes, target };
        let (table, variable) = self.prepare(part, &settings, &progress.part(0.05, 0.4), &mut findings)?;
        findings.extend(variable.findings.iter().cloned());
        let settings = ComponentSettings { n: self.n_components, scale: self.scale, seed: self.seed };
        let found = components(&table, Some(&variable.variable), &settings, &progress.part(0.4, 1.0))?;
        findings.extend(found.findings.iter().cloned());
        Ok(Reduced { name: section.name.clone(), n_spots, keep, table, variable, found, findings })
    }

    /// The normalized table and its variable genes; `seurat_v3` sees the counts.
    fn prepare(
        &self,
        counts: Expression,
        settings: &VariableSettings,
        progress: &Progress,
        findings: &mut Vec<Finding>,
    ) -> Result<(Expression, VariableGenes)> {
        let first = match settings.flavor {
            Flavor::SeuratV3 => Some(variable_genes(&counts, settings, &progress.part(0.0, 0.5))?),
            _ => None,
        };
        let table = if counts.unit == "counts" {
            let done = normalize(counts, &NormalizeSettings { target: settings.target, log1p: self.log1p }, progress)?;
            findings.extend(done.findings);
            done.expression
        } else {
            findings.push(as_they_are(&counts.unit));
            counts
        };
        let variable = match first {
            Some(found) => found,
            None => variable_genes(&table, settings, &progress.part(0.5, 1.0))?,
        };
        Ok((table, variable))
    }

    pub(super) fn settings(&self, table: &Expression) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("values", table.unit.clone()),
            pair("variable genes", format!("{} by {}", self.n_genes, self.flavor.flavor())),
            pair("components", self.n_components.to_string()),
            pair("genes scaled", if self.scale { "to unit variance" } else { "no, centered only" }.to_owned()),
        ]
    }
}

/// Values that are no counts are not normalized.
pub(super) fn as_they_are(unit: &str) -> Finding {
    Finding {
        severity: Severity::Note,
        code: "not-normalized",
        what: format!("the values are {unit} and were used as they are"),
        evidence: Vec::new(),
        remedy: String::new(),
    }
}

/// Components with what they were made of.
pub(super) struct Reduced {
    /// Of the section.
    pub name: String,
    /// All spots of the section.
    pub n_spots: usize,
    /// Numbers of those in use.
    pub keep: Vec<usize>,
    pub table: Expression,
    pub variable: VariableGenes,
    pub found: Components,
    pub findings: Vec<Finding>,
}

/// The spots of a section that analyses use, with their counts.
pub(super) struct InUse {
    pub section: Arc<Section>,
    /// Numbers of the spots.
    pub keep: Vec<usize>,
    /// Their counts.
    pub part: Expression,
    /// All spots of the section.
    pub n_spots: usize,
}

impl InUse {
    pub(super) fn of(study: &Study, id: ElementId, findings: &mut Vec<Finding>) -> Result<Self> {
        let section = study.section(id).ok_or_else(|| Error::parameter("the section is not open any more"))?;
        let Some(expression) = &section.expression else {
            return Err(Error::parameter(format!("{} has no genes to analyze", section.name)));
        };
        let keep = usable(section, expression, &study.spots_left_out(id), findings);
        let part = expression.subset(&keep)?;
        Ok(Self { section: Arc::clone(section), keep, part, n_spots: expression.observations().len() })
    }

    /// One value per spot of the section from one per spot in use.
    pub(super) fn spread(keep: &[usize], n_spots: usize, value: impl Fn(usize) -> f32) -> Arc<[f32]> {
        let mut values = vec![f32::NAN; n_spots];
        keep.iter().enumerate().for_each(|(row, &spot)| values[spot] = value(row));
        values.into()
    }
}

/// Spots on tissue, with counts, not left out.
fn usable(section: &Section, expression: &Expression, left_out: &[Option<&str>], findings: &mut Vec<Finding>) -> Vec<usize> {
    let totals = expression.totals();
    let on_tissue = |i: usize| section.spots.as_ref().is_none_or(|s| s.in_tissue.get(i).copied().unwrap_or(true));
    let is_in = |i: usize| left_out.get(i).is_none_or(Option::is_none);
    let keep: Vec<usize> = (0..totals.len()).filter(|&i| on_tissue(i) && is_in(i) && totals[i] != 0.0).collect();
    if keep.len() < totals.len() {
        let excluded = (0..totals.len()).filter(|&i| !is_in(i)).count();
        let without = if excluded > 0 { format!(", without the {excluded} that are left out") } else { String::new() };
        findings.push(Finding {
            severity: Severity::Note,
            code: "spots-used",
            what: format!("{} of {} spots are used: on tissue and with counts{without}.", keep.len(), totals.len()),
            evidence: vec![("used".into(), keep.len() as f64)],
            remedy: String::new(),
        });
    }
    keep
}

/// Names of genes by size of their loading on a component, largest first.
fn leading<'a>(table: &'a Expression, found: &Components, component: usize) -> Vec<&'a str> {
    let weight = |at: usize| found.pca.loadings[at * found.pca.k + component].abs();
    let mut order: Vec<usize> = (0..found.genes.len()).collect();
    order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
    order.iter().map(|&at| table.genes()[found.genes[at]].as_str()).collect()
}

fn sentence(table: &Expression, found: &Components) -> String {
    let share = |n: usize| 100.0 * found.pca.ratio.iter().take(n).sum::<f64>();
    let top = leading(table, found, 0);
    let spots = table.observations().len();
    let few = if spots < 100 { " With so few spots, the later components are mostly noise." } else { "" };
    format!(
        "{} components hold {:.1} % of the variance of {} genes at {spots} spots; the first holds {:.1} %, led by {}. \
         They describe this section only.{few}",
        found.pca.k,
        share(found.pca.k),
        found.genes.len(),
        share(1),
        top.iter().take(3).copied().collect::<Vec<_>>().join(", ")
    )
}

fn fields(found: &Components, keep: &[usize], n_spots: usize) -> Vec<Field> {
    let k = found.pca.k;
    let one = |component: usize| {
        let values = InUse::spread(keep, n_spots, |row| found.pca.scores[row * k + component] as f32);
        let name = format!("PC{}", component + 1);
        Field { name, values, unit: "score".into(), signed: true, range: None, categories: Arc::default() }
    };
    (0..k).map(one).collect()
}

fn reduction(table: &Expression, variable: &VariableGenes, found: &Components) -> Reduction {
    let name = |&g: &usize| table.genes()[g].clone();
    let gene = |g: usize| GeneDispersion {
        gene: table.genes()[g].clone(),
        mean: variable.mean[g],
        dispersion: variable.score[g],
        variable: variable.variable[g],
    };
    Reduction {
        variance: found.pca.variance.clone(),
        variance_ratio: found.pca.ratio.clone(),
        loadings: Loadings {
            features: found.genes.iter().map(name).collect(),
            n_components: found.pca.k,
            values: found.pca.loadings.clone(),
        },
        genes: (0..table.genes().len()).map(gene).collect(),
        n_spots: table.observations().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::*;
    use crate::base::Cancel;
    use crate::model::{Element, Excluded, Exclusion, PixelSize, Spots};
    use crate::space::DVec2;
    use crate::stats::Stream;

    /// 60 spots, of which the last is off tissue, the last but one empty and the first left out.
    fn study() -> (Study, ElementId) {
        let (n, m) = (60, 40);
        let mut random = Stream::new(4, 0);
        let (mut offsets, mut columns, mut values) = (vec![0_u64], Vec::new(), Vec::new());
        for spot in 0..n {
            for gene in 0..m {
                let mean = if gene < 5 { 2.0 + 30.0 * f64::from(spot % 2) } else { 6.0 };
                let count = random.negative_binomial(mean, 4.0) as f32;
                if count > 0.0 && spot != n - 2 {
                    columns.push(gene as u32);
                    values.push(count);
                }
            }
            offsets.push(columns.len() as u64);
        }
        let names = |word: &str, n: i32| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
        let expression = Expression::from_rows(names("g", m), vec![], names("s", n), &offsets, &columns, &values).unwrap();
        let px: Vec<DVec2> = (0..n).map(|i| DVec2::new(f64::from(i), 0.0)).collect();
        let in_tissue = (0..n).map(|i| i + 1 < n).collect();
        let section = Section {
            name: "ring".into(),
            picture: None,
            pixel_size: PixelSize::Unknown,
            spots: Some(Arc::new(Spots { px: px.into(), diameter_px: 1.0, in_tissue })),
            expression: Some(Arc::new(expression)),
        };
        let mut study = Study::default();
        let id = ElementId(1);
        study.elements.insert(id, Element::Section(Arc::new(section)));
        let what = Excluded::Spots { section: id, names: vec!["s0".into()] };
        study.exclusions.push(Exclusion { what, reason: "folded".into() });
        (study, id)
    }

    #[test]
    fn components_of_the_spots_in_use() {
        let (study, id) = study();
        for flavor in FlavorRecord::ALL {
            let task = ReduceTask { n_genes: 40, n_components: 3, flavor, ..ReduceTask::usual(id) };
            let flavor = flavor.flavor();
            let made = Task::Reduce(task).run(&study, &Progress::none()).unwrap();
            let AnalysisResult::Reduction(found) = &made.result else { panic!() };
            assert_eq!((found.n_spots, found.loadings.n_components, made.fields.len()), (57, 3, 3), "{flavor}");
            let missing: Vec<usize> = (0..60).filter(|&i| made.fields[0].values[i].is_nan()).collect();
            assert_eq!(missing, [0, 58, 59]);
            // The first component is the planted difference between odd and even spots.
            let sides =
                [1, 2].map(|first| (first..57).step_by(2).map(|i| f64::from(made.fields[0].values[i]).signum()).sum::<f64>());
            assert!(sides[0] * sides[1] < 0.0 && sides.iter().all(|s| s.abs() > 25.0), "{flavor}: {sides:?}");
            assert!(made.fields[0].signed && made.sentence.contains("57 spots"));
            assert!(made.findings.iter().any(|f| f.what.contains("57 of 60")));
        }
    }

    #[test]
    fn bad_settings_and_a_cancel_are_answered() {
        let (study, id) = study();
        let usual = ReduceTask::usual(id);
        for task in [
            ReduceTask { target: Some(0.0), ..usual.clone() },
            ReduceTask { n_genes: 0, ..usual.clone() },
            ReduceTask { n_components: 0, ..usual.clone() },
        ] {
            assert!(matches!(Task::Reduce(task).run(&study, &Progress::none()), Err(Error::Parameter(_))));
        }
        let cancel = Cancel::default();
        cancel.cancel();
        let stopped = Task::Reduce(usual).run(&study, &Progress::new(cancel, |_, _| {}));
        assert!(matches!(stopped, Err(Error::Cancelled)));
    }
}
