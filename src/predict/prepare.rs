//! From sections to samples: spots on tissue with patch features and expression on one scale.

use super::features::{FEATURE_NAMES, patch_features};
use super::training::{Place, Training};
use super::verdict::Facts;
use crate::base::{Error, Progress, Result};
use crate::model::{ExpressionScale, Section};
use crate::space::DVec2;
use crate::stats::quantile_of;

/// What expression is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleChoice {
    /// Counts are scaled to the median total of the spots and their logarithm is taken; other values stay.
    Auto,
    /// Values as they are.
    AsIs,
    /// `ln(1 + count)`, as in the HEST protocol.
    Log1p,
    /// `ln(1 + scaled count)` with the median total as target.
    Log1pMedian,
}

/// Samples with what is known about them.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Features and expression.
    pub training: Training,
    /// Section and spot of each sample.
    pub spots: Vec<(usize, usize)>,
    /// What the expression is.
    pub expression: ExpressionScale,
    /// What findings are made from; who and what is held out is filled in later.
    pub facts: Facts,
}

/// Takes patches of `patch_um` around the spots on tissue of sections that all have `genes`.
/// [`Error::Parameter`] with what is missing. Cost: that of [`patch_features`].
pub fn prepare(
    sections: &[&Section],
    genes: &[String],
    patch_um: f64,
    choice: ScaleChoice,
    progress: &Progress,
) -> Result<Prepared> {
    let mut out = Prepared {
        training: Training {
            features: FEATURE_NAMES.iter().map(|n| (*n).to_owned()).collect(),
            genes: genes.to_vec(),
            x: vec![Vec::new(); FEATURE_NAMES.len()],
            y: vec![Vec::new(); genes.len()],
            places: Some(Vec::new()),
            samples: Vec::new(),
        },
        spots: Vec::new(),
        expression: ExpressionScale::AsIs,
        facts: Facts { n_sections: sections.len(), ..Facts::default() },
    };
    let inputs = sections.iter().map(|s| input(s)).collect::<Result<Vec<_>>>()?;
    out.expression = scale(&inputs, choice)?;
    let totals: Vec<f64> = inputs.iter().flat_map(|i| i.rows.iter().map(|&r| i.totals[r])).collect();
    if matches!(out.expression, ExpressionScale::Log1p | ExpressionScale::Log1pScaled { .. }) {
        out.facts.median_counts = Some(quantile_of(&totals, 0.5));
    }
    out.facts.n_genes_measured = inputs.iter().map(|i| i.section.expression.as_ref().map_or(0, |e| e.genes().len())).min();
    for (s, input) in inputs.iter().enumerate() {
        let part = progress.part(s as f64 / inputs.len() as f64, (s + 1) as f64 / inputs.len() as f64);
        add(&mut out, s, input, patch_um, &part)?;
    }
    Ok(out)
}

struct Input<'a> {
    section: &'a Section,
    px: &'a [DVec2],
    totals: Vec<f64>,
    /// Spots on tissue with something counted.
    rows: Vec<usize>,
}

fn input(section: &Section) -> Result<Input<'_>> {
    let missing = |what: &str| Error::parameter(format!("{} has no {what}, which prediction from histology needs", section.name));
    let spots = section.spots.as_ref().ok_or_else(|| missing("spots"))?;
    let expression = section.expression.as_ref().ok_or_else(|| missing("expression"))?;
    section.picture.as_ref().ok_or_else(|| missing("histology picture"))?;
    let totals = expression.totals();
    let rows: Vec<usize> = (0..spots.px.len()).filter(|&i| spots.in_tissue[i] && totals[i] != 0.0).collect();
    if rows.is_empty() {
        return Err(Error::degenerate(format!("{} has no spot on tissue with expression", section.name)));
    }
    Ok(Input { section, px: &spots.px, totals, rows })
}

/// The scale, with the target that all sections share.
fn scale(inputs: &[Input], choice: ScaleChoice) -> Result<ExpressionScale> {
    let counts = inputs.iter().all(|i| i.section.expression.as_ref().is_some_and(|e| e.unit == "counts"));
    match choice {
        ScaleChoice::AsIs => return Ok(ExpressionScale::AsIs),
        ScaleChoice::Auto if !counts => return Ok(ExpressionScale::AsIs),
        _ if !counts => {
            return Err(Error::parameter("the expression is not counts, so its logarithm may be taken twice; use it as it is"));
        }
        ScaleChoice::Log1p => return Ok(ExpressionScale::Log1p),
        ScaleChoice::Auto | ScaleChoice::Log1pMedian => {}
    }
    let totals: Vec<f64> = inputs.iter().flat_map(|i| i.rows.iter().map(|&r| i.totals[r])).collect();
    Ok(ExpressionScale::Log1pScaled { target: quantile_of(&totals, 0.5) })
}

fn add(out: &mut Prepared, s: usize, input: &Input, patch_um: f64, progress: &Progress) -> Result<()> {
    let section = input.section;
    let Some(expression) = &section.expression else { return Ok(()) };
    let find = |g: &String| {
        let found = expression.find_gene(g);
        found.ok_or_else(|| Error::parameter(format!("{} has no gene {g}; take names from its table", section.name)))
    };
    let genes = out.training.genes.iter().map(find).collect::<Result<Vec<usize>>>()?;
    let places: Vec<DVec2> = input.rows.iter().map(|&r| input.px[r]).collect();
    let features = patch_features(section, &places, patch_um, progress)?;
    let kept: Vec<usize> = (0..places.len()).filter(|&i| features.is_known(i)).collect();
    out.facts.n_without_tissue += places.len() - kept.len();
    let side = features.patch_px as f64;
    if out.facts.patch.is_none_or(|[px, _]| side < px) {
        out.facts.patch = Some([side, features.um_per_px]);
    }
    out.facts.is_dark |= features.is_dark;
    let mm = section.mm_per_px();
    for &i in &kept {
        let spot = input.rows[i];
        out.spots.push((s, spot));
        out.training.samples.push(expression.observations()[spot].clone());
        out.training.places.get_or_insert_default().push(Place { section: s, mm: places[i] * mm });
    }
    for (to, from) in out.training.x.iter_mut().zip(&features.columns) {
        to.extend(kept.iter().map(|&i| from[i]));
    }
    for (to, from) in out.training.y.iter_mut().zip(out.expression.columns(expression, &genes)) {
        to.extend(kept.iter().map(|&i| from[input.rows[i]]));
    }
    Ok(())
}
