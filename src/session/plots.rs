//! What plots of spots by category show: violins of what is painted, dots of several genes. Both are made in the
//! background and are no part of the study.

use super::{Outcome, Session};
use crate::base::{Error, Progress, Result};
use crate::model::Section;
use crate::omics::{Categories, Dots, Violin, dots, leading_genes, violins};
use crate::scene::{SpotGroups, SpotValues};
use std::sync::Arc;

/// Places that densities of violins are found at.
const PLACES: usize = 101;
/// Genes of a plot of dots.
pub const MOST_DOT_GENES: usize = 120;

/// Which genes a plot of dots has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DotGenes {
    /// These, by name or identifier.
    Named(Vec<String>),
    /// So many that stand out in each category.
    Leading(usize),
}

/// What may be plotted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlotAction {
    /// What the spots are colored by, as a violin for each category.
    Violins,
    /// Genes by category as dots.
    Dots(DotGenes),
}

/// Violins with what they were made from.
#[derive(Clone, Debug, PartialEq)]
pub struct ViolinPlot {
    /// The numbers.
    pub values: Arc<SpotValues>,
    /// The categories.
    pub groups: Arc<SpotGroups>,
    /// One for each category; `None` for one without numbers.
    pub violins: Vec<Option<Violin>>,
}

/// Dots with what they were made from.
#[derive(Clone, Debug, PartialEq)]
pub struct DotPlot {
    /// What was asked for.
    pub asked: DotGenes,
    /// The categories.
    pub groups: Arc<SpotGroups>,
    /// Names of the genes, in order.
    pub genes: Vec<String>,
    /// Names that no gene has.
    pub unknown: Vec<String>,
    /// Genes × categories.
    pub dots: Dots,
    /// What the means are of, as `log1p CP10k`.
    pub unit: String,
}

impl Session {
    /// The newest violins.
    #[must_use]
    pub fn violins(&self) -> Option<&Arc<ViolinPlot>> {
        self.violins.as_ref().filter(|v| self.study.section(v.groups.section).is_some())
    }

    /// The newest plot of dots.
    #[must_use]
    pub fn dot_plot(&self) -> Option<&Arc<DotPlot>> {
        self.dot_plot.as_ref().filter(|d| self.study.section(d.groups.section).is_some())
    }

    pub(super) fn plot(&mut self, action: PlotAction) -> Result<()> {
        let none = || Error::parameter("the spots of the section shown have no categories; find clusters or mark regions first");
        let groups = Arc::clone(self.derived.groups.as_ref().ok_or_else(none)?);
        let id = groups.section;
        match action {
            PlotAction::Violins => {
                let values = self.derived.spot_values.get(&id).filter(|v| v.categories.is_empty());
                let values = values.ok_or_else(|| Error::parameter("paint a gene, a score or a number first"))?;
                let values = Arc::clone(values);
                self.jobs.start("violins", "Finding densities", move |p| {
                    let categories = Categories { codes: &groups.codes, n: groups.names.len() };
                    let violins = violins(&values.values, categories, PLACES, p)?;
                    Ok(Outcome::Violins(Arc::new(ViolinPlot { values, groups, violins })))
                });
            }
            PlotAction::Dots(asked) => {
                let section = self.study.section(id).filter(|s| s.expression.is_some()).cloned();
                let section = section.ok_or_else(|| Error::parameter("the section shown has no genes"))?;
                self.jobs.start("dots", "Counting spots by category", move |p| {
                    Ok(Outcome::Dots(Arc::new(dot_plot(&section, groups, asked, p)?)))
                });
            }
        }
        Ok(())
    }
}

fn dot_plot(section: &Section, groups: Arc<SpotGroups>, asked: DotGenes, progress: &Progress) -> Result<DotPlot> {
    let e = section.expression.as_ref().ok_or_else(|| Error::parameter("the section shown has no genes"))?;
    let categories = Categories { codes: &groups.codes, n: groups.names.len() };
    let (mut genes, mut unknown): (Vec<usize>, Vec<String>) = (Vec::new(), Vec::new());
    match &asked {
        DotGenes::Named(names) => {
            for name in names {
                match e.find_gene(name) {
                    Some(gene) if !genes.contains(&gene) => genes.push(gene),
                    Some(_) => {}
                    None => unknown.push(name.clone()),
                }
            }
        }
        DotGenes::Leading(most) => {
            for found in leading_genes(e, categories, *most, &progress.part(0.0, 0.8))?.iter().flatten() {
                if !genes.contains(&found.gene) {
                    genes.push(found.gene);
                }
            }
        }
    }
    if genes.is_empty() {
        let what = match asked {
            DotGenes::Named(_) => "no gene of the section has such a name",
            DotGenes::Leading(_) => "no gene stands out in a category",
        };
        return Err(Error::parameter(what));
    }
    genes.truncate(MOST_DOT_GENES);
    let dots = dots(e, &genes, categories, &progress.part(0.8, 1.0))?;
    let unit = if e.unit == "counts" { "log1p CP10k".to_owned() } else { e.unit.clone() };
    let genes = genes.into_iter().map(|g| e.genes()[g].clone()).collect();
    Ok(DotPlot { asked, groups, genes, unknown, dots, unit })
}
