//! What a fit allows to say: findings with their evidence and remedy, and one sentence.

use super::features::COARSEST_NUCLEI_UM;
use super::fit::Fitted;
use super::training::Training;
use crate::base::Severity;
use crate::model::Finding;

/// What is known about the input beside its numbers; `None` where it does not apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What is held out, as `spatial blocks of 1.5 mm` or `patients`.
    pub held_out: String,
    /// Number of patients (or samples that stand for them).
    pub n_patients: usize,
    /// Number of sections.
    pub n_sections: usize,
    /// Genes in the input, chosen or not.
    pub n_genes_measured: Option<usize>,
    /// Median of all counts per spot.
    pub median_counts: Option<f64>,
    /// Spots left out because their patch has too little tissue.
    pub n_without_tissue: usize,
    /// Side of a patch in pixels, and µm per pixel, of the coarsest picture.
    pub patch: Option<[f64; 2]>,
    /// How far expression goes together, and the buffer around held-out blocks, mm.
    pub range_and_buffer_mm: Option<[f64; 2]>,
    /// Whether the glass of a picture is dark, so that stains cannot be told apart.
    pub is_dark: bool,
}

/// Below these the numbers prove nothing.
const LEAST_SPOTS: usize = 200;
const LEAST_COUNTS: f64 = 500.0;
const LEAST_GENES: usize = 200;
const LEAST_SAMPLES_PER_FEATURE: f64 = 10.0;
const LEAST_PATCH_PX: f64 = 8.0;
/// A correlation below this is not told as a success.
const WORTH_TELLING: f64 = 0.1;

/// Findings, the gravest first.
pub(super) fn findings(fitted: &Fitted, training: &Training, facts: &Facts) -> Vec<Finding> {
    let mut out = input_findings(training, facts);
    out.extend(result_findings(fitted, training));
    out.sort_by_key(|f| std::cmp::Reverse(f.severity));
    out
}

fn finding(severity: Severity, code: &'static str, what: String, evidence: &[(&str, f64)], remedy: &str) -> Finding {
    let evidence = evidence.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
    Finding { severity, code, what, evidence, remedy: remedy.to_owned() }
}

fn input_findings(training: &Training, facts: &Facts) -> Vec<Finding> {
    let (n, p) = (training.n(), training.features.len());
    let spots = training.places.is_some();
    let word = if spots { "spots" } else { "samples" };
    let mut out = Vec::new();
    if spots && n < LEAST_SPOTS {
        let what = format!("only {n} spots are learned from");
        let remedy = "take sections with more spots on tissue; with so few a held-out correlation is chance";
        out.push(finding(Severity::Error, "few-spots", what, &[("n_spots", n as f64)], remedy));
    }
    if let Some(counts) = facts.median_counts.filter(|c| *c < LEAST_COUNTS) {
        let what = format!("spots hold {counts:.0} counts in the median; sound Visium spots hold thousands");
        let remedy = "take the whole matrix: counts that were cut or shallow are mostly noise";
        out.push(finding(Severity::Error, "few-counts", what, &[("median_counts", counts)], remedy));
    }
    if let Some(genes) = facts.n_genes_measured.filter(|g| *g < LEAST_GENES) {
        let what = format!("the input holds {genes} genes; totals over so few do not normalize a spot");
        let remedy = "take the whole matrix, or values that were normalized before genes were cut";
        out.push(finding(Severity::Error, "few-genes", what, &[("n_genes", genes as f64)], remedy));
    }
    if (n as f64) < LEAST_SAMPLES_PER_FEATURE * p as f64 {
        let what = format!("{n} {word} for {p} features");
        let remedy = "trust only the held-out numbers, and use fewer features or more samples";
        let evidence = [("n", n as f64), ("n_features", p as f64)];
        out.push(finding(Severity::Warning, "few-samples-for-features", what, &evidence, remedy));
    }
    if facts.n_patients < 2 {
        let what = "everything comes from one patient: held-out parts of a section say nothing about another patient".into();
        let evidence = [("n_patients", facts.n_patients as f64), ("n_sections", facts.n_sections as f64)];
        out.push(finding(Severity::Note, "one-patient", what, &evidence, "fit sections of several patients with --group"));
    }
    if let Some([px, um]) = facts.patch.filter(|[px, um]| *px < LEAST_PATCH_PX || *um > COARSEST_NUCLEI_UM) {
        let lost = if px < LEAST_PATCH_PX { "texture and nuclei" } else { "nuclei" };
        let what = format!("a patch is {px:.0} pixels of {um:.1} µm wide: {lost} are not resolved");
        let remedy = "use a finer picture, or a larger patch";
        out.push(finding(Severity::Warning, "coarse-picture", what, &[("patch_px", px), ("um_per_px", um)], remedy));
    }
    if let Some([range, buffer]) = facts.range_and_buffer_mm.filter(|[range, buffer]| range > buffer) {
        let what = format!("expression goes together over {range:.2} mm, farther than the buffer of {buffer:.2} mm");
        let remedy = "use a wider buffer with larger blocks; until then read the score as the best case";
        out.push(finding(Severity::Warning, "buffer-below-range", what, &[("range_mm", range), ("buffer_mm", buffer)], remedy));
    }
    if facts.is_dark {
        let what = "the glass is dark: this is no bright field, and stains cannot be told apart".into();
        let remedy = "use a picture stained with hematoxylin and eosin";
        out.push(finding(Severity::Warning, "dark-background", what, &[], remedy));
    }
    if facts.n_without_tissue > 0 {
        let n = facts.n_without_tissue;
        let what = format!("{n} spots are left out: their patch shows less than a tenth tissue");
        out.push(finding(
            Severity::Note,
            "patch-without-tissue",
            what,
            &[("n_spots", n as f64)],
            "nothing, unless tissue is meant to be there",
        ));
    }
    out
}

fn result_findings(fitted: &Fitted, training: &Training) -> Vec<Finding> {
    let mut out = Vec::new();
    let n_genes = fitted.genes.len();
    if fitted.n_constant > 0 {
        let n = fitted.n_constant;
        let what = format!("{n} of {n_genes} genes have one value everywhere; they have no correlation and count in no mean");
        out.push(finding(Severity::Warning, "constant-genes", what, &[("n_constant", n as f64)], "choose genes that vary"));
    }
    if fitted.mean_r2.is_some_and(|r2| r2 <= 0.0) {
        let what = "on average over genes the held-out error is not below that of the training mean".into();
        let remedy = "read nothing into these maps";
        out.push(finding(Severity::Error, "not-above-mean", what, &[("mean_r2", fitted.mean_r2.unwrap_or(0.0))], remedy));
    }
    let (r, place) = (fitted.mean_pearson.unwrap_or(0.0), fitted.mean_position_pearson);
    if let Some(place) = place.filter(|place| r <= *place) {
        let what = format!("histology (r {r:.2}) does not predict better than position alone (r {place:.2})");
        let remedy = "do not claim that the picture shows these genes; look at the genes where it is above";
        let evidence = [("mean_pearson", r), ("mean_position_pearson", place)];
        out.push(finding(Severity::Warning, "not-above-position", what, &evidence, remedy));
    }
    let coverage: Vec<f64> = fitted.genes.iter().filter_map(|g| g.score.coverage_90.filter(|_| !g.is_constant)).collect();
    let coverage = coverage.iter().sum::<f64>() / coverage.len().max(1) as f64;
    if coverage > 0.0 && !(0.85..=0.95).contains(&coverage) {
        let what = format!("90 % intervals hold {:.0} % of the held-out values", 100.0 * coverage);
        out.push(finding(
            Severity::Warning,
            "intervals-off",
            what,
            &[("coverage_90", coverage)],
            "read standard deviations as rough",
        ));
    }
    let ratios: Vec<f64> = fitted.genes.iter().filter_map(|g| g.score.variance_ratio).collect();
    let ratio = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    if !ratios.is_empty() && ratio < 0.5 {
        let what = format!("predicted maps vary less than observed ones (variance ratio {ratio:.2} in the mean)");
        let remedy = "show predictions and observations on one scale, and the ratio beside them";
        out.push(finding(Severity::Note, "over-smooth", what, &[("variance_ratio", ratio)], remedy));
    }
    let tested = fitted.held_out[0].iter().filter(|v| v.is_finite()).count();
    if tested < training.n() {
        let (n, left) = (training.n(), training.n() - tested);
        let what = format!("{left} of {n} samples are held out by no fold; the scores are of the others");
        out.push(finding(Severity::Note, "never-held-out", what, &[("n", left as f64)], "use smaller blocks or buffers"));
    }
    out
}

/// One sentence: how well, against what, and what it does not show.
pub(super) fn sentence(fitted: &Fitted, facts: &Facts) -> String {
    let Some(r) = fitted.mean_pearson else {
        return "No gene varies, so nothing can be predicted.".into();
    };
    let n = fitted.genes.len() - fitted.n_constant;
    let above = fitted.genes.iter().filter(|g| is_shown(g.score.pearson, g.position_pearson)).count();
    let against = match fitted.mean_position_pearson {
        Some(place) => format!("position alone {}", signed(place)),
        None => "no positions to compare with".into(),
    };
    let numbers = format!("Held out by {}: mean r {} over {n} genes ({against})", facts.held_out, signed(r));
    let grave: Vec<&str> = fitted.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.what.as_str()).collect();
    if !grave.is_empty() {
        return format!("{numbers}. This proves nothing: {}.", grave.join("; "));
    }
    let shown = match (above, fitted.mean_position_pearson) {
        (0, Some(_)) => "no gene is predicted better than by position, so the picture shows none of them".to_owned(),
        (0, None) => format!("no gene reaches r {WORTH_TELLING}"),
        (k, Some(_)) => format!("{k} of them are predicted better than by position and with r of at least {WORTH_TELLING}"),
        (k, None) => format!("{k} of them reach r {WORTH_TELLING}"),
    };
    let limit = if facts.n_patients < 2 { "; one patient, so it may not hold in another" } else { "" };
    format!("{numbers}; {shown}{limit}.")
}

/// Whether a gene's held-out correlation is worth telling: at least 0.1 and above that of positions.
#[must_use]
pub fn is_shown(pearson: Option<f64>, position: Option<f64>) -> bool {
    pearson.is_some_and(|r| r >= WORTH_TELLING && position.is_none_or(|p| r > p))
}

fn signed(r: f64) -> String {
    let text = format!("{:.2}", r.abs());
    if r < 0.0 && text != "0.00" { format!("−{text}") } else { text }
}
