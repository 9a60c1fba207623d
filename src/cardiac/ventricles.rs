//! Ventricular volumes, mass and function by counting voxels.
//!
//! The volume of a voxel is the determinant of its affine, so slices count by the distance between
//! their centers, gaps included. Papillary muscles belong to whatever the labels say.

use super::Measure;
use crate::base::{Error, Result, Severity, Warnings};
use crate::model::{Finding, LabelMap};

/// Density of myocardium in g/mL.
const DENSITY: f64 = 1.05;
/// Definition, source of the spacing, convention.
const HOW: &str = "voxel count; papillary muscles as labeled; spacing from the affine, slices by the distance of their centers";

/// Mean and standard deviation of healthy women and men (UK Biobank, n = 804; Petersen et al. 2017).
const HEALTHY: [(&str, &str, [(f64, f64); 2]); 2] =
    [("lv", "ejection_fraction", [(61.0, 5.0), (58.0, 5.0)]), ("myo", "mass_index", [(42.0, 7.0), (53.0, 9.0)])];

/// Which labels are what, and what is known of the patient.
#[derive(Clone, Debug, PartialEq)]
pub struct VentricleSettings {
    /// Written into every row.
    pub subject: String,
    /// Label of the left ventricle's cavity.
    pub lv: u8,
    /// Label of its myocardium.
    pub myo: u8,
    /// Label of the right ventricle's cavity.
    pub rv: u8,
    /// Whether the right ventricle has its own end-diastole and end-systole (else the left's).
    pub rv_own_phases: bool,
    /// Beats per minute, for cardiac output.
    pub heart_rate: Option<f64>,
    /// Height in cm; with the weight, for indexed values.
    pub height_cm: Option<f64>,
    /// Weight in kg.
    pub weight_kg: Option<f64>,
    /// Du Bois' body surface instead of Mosteller's.
    pub du_bois: bool,
    /// Whether volumes of all phases are told, by phase number.
    pub all_phases: bool,
}

impl Default for VentricleSettings {
    fn default() -> Self {
        Self {
            subject: String::new(),
            lv: 3,
            myo: 2,
            rv: 1,
            rv_own_phases: false,
            heart_rate: None,
            height_cm: None,
            weight_kg: None,
            du_bois: false,
            all_phases: false,
        }
    }
}

impl VentricleSettings {
    fn check(&self) -> Result<()> {
        let named = [("heart rate", self.heart_rate), ("height", self.height_cm), ("weight", self.weight_kg)];
        for (name, value) in named {
            if let Some(v) = value.filter(|v| !(v.is_finite() && *v > 0.0)) {
                return Err(Error::parameter(format!("the {name} is {v}; it must be a number above 0")));
            }
        }
        if self.lv == self.myo || self.lv == self.rv || self.myo == self.rv || [self.lv, self.myo, self.rv].contains(&0) {
            return Err(Error::parameter(format!(
                "labels lv={}, myo={}, rv={} must be different and not 0",
                self.lv, self.myo, self.rv
            )));
        }
        Ok(())
    }

    /// Body surface in m²: Mosteller's, or Du Bois'.
    fn body_surface(&self) -> Option<f64> {
        let (height, weight) = (self.height_cm?, self.weight_kg?);
        Some(if self.du_bois { 0.007_184 * height.powf(0.725) * weight.powf(0.425) } else { (height * weight / 3600.0).sqrt() })
    }
}

/// A mask at one moment.
#[derive(Clone, Copy)]
struct Moment<'a> {
    labels: &'a LabelMap,
    phase: usize,
}

impl Moment<'_> {
    /// Volume of a label in mL, `None` where it has no voxel.
    fn volume(self, value: u8) -> Option<f64> {
        let n = self.labels.count(self.phase, value);
        (n > 0).then(|| n as f64 * self.labels.grid.voxel_mm3() / 1000.0)
    }
}

/// Volumes (mL) of `lv`, `rv`, `myo` at ED and ES, stroke volume, ejection fraction (%), mass (g),
/// cardiac output (L/min) and values per m² (Mosteller), as far as the labels and settings allow.
///
/// `labels` is end-diastole and `es` end-systole, or `labels` has several phases: then ED is the phase
/// with the largest and ES with the smallest left ventricle among those that have one.
/// [`Error::Degenerate`] where there is no left ventricle or lengths have no unit.
pub fn ventricles(
    labels: &LabelMap,
    es: Option<&LabelMap>,
    settings: &VentricleSettings,
    warnings: &mut Warnings,
) -> Result<Vec<Measure>> {
    settings.check()?;
    for map in [Some(labels), es].into_iter().flatten() {
        if !map.length_unit_known {
            return Err(Error::degenerate(format!(
                "unit-unknown: the file of '{}' does not say that its lengths are millimeters, so no milliliters are computed; set the unit in the file",
                map.name
            )));
        }
    }
    let mut sheet = Sheet { settings, warnings, rows: Vec::new() };
    let lv = moments(labels, es, settings.lv)?.ok_or_else(|| {
        Error::degenerate(format!(
            "no voxel has label {} (left ventricle) in '{}'; name the right label with --label lv=N",
            settings.lv, labels.name
        ))
    })?;
    let rv = if settings.rv_own_phases { moments(labels, es, settings.rv)?.unwrap_or(lv) } else { lv };
    sheet.ventricle("lv", settings.lv, lv);
    sheet.myocardium(lv);
    sheet.ventricle("rv", settings.rv, rv);
    if settings.all_phases {
        sheet.curve(labels);
    }
    Ok(sheet.rows)
}

/// A note for each value outside two standard deviations of healthy people: of women, of men, or where the
/// sex is not known of both. Published for ejection fraction and mass index.
#[must_use]
pub fn plausibility(rows: &[Measure], female: Option<bool>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (region, metric, [women, men]) in HEALTHY {
        let Some(row) = rows.iter().find(|r| r.region == region && r.metric == metric) else { continue };
        let (low, high, whom) = match female {
            Some(true) => (women.0 - 2.0 * women.1, women.0 + 2.0 * women.1, "healthy women"),
            Some(false) => (men.0 - 2.0 * men.1, men.0 + 2.0 * men.1, "healthy men"),
            None => {
                let [a, b] = [women, men].map(|(mean, sd)| (mean - 2.0 * sd, mean + 2.0 * sd));
                (a.0.min(b.0), a.1.max(b.1), "healthy adults")
            }
        };
        let outside = !(low..=high).contains(&row.value);
        let (value, unit) = (row.value, row.unit);
        findings.push(Finding {
            severity: if outside { Severity::Warning } else { Severity::Note },
            code: if outside { "outside-healthy-range" } else { "within-healthy-range" },
            what: format!(
                "{} {} of {value:.1} {unit} lies {} {low:.0} to {high:.0} {unit}, two standard deviations of {whom} (UK Biobank, Petersen 2017).",
                if region == "myo" { "Myocardial".to_owned() } else { region.to_uppercase() },
                metric.replace('_', " "),
                if outside { "outside" } else { "within" }
            ),
            evidence: vec![("value".into(), value), ("low".into(), low), ("high".into(), high)],
            remedy: if outside { "Check labels and phases; disease may explain it.".into() } else { String::new() },
        });
    }
    findings
}

/// The phase with the largest and, of several, the one with the smallest count of a label among those that
/// have it; 0 and none without it.
#[must_use]
pub fn systole_of(labels: &LabelMap, lv: u8) -> (usize, Option<usize>) {
    let found = moments(labels, None, lv).ok().flatten();
    found.map_or((0, None), |(ed, es)| (ed.phase, es.map(|m| m.phase)))
}

/// End-diastole and, where there is one, end-systole of a cavity.
fn moments<'a>(labels: &'a LabelMap, es: Option<&'a LabelMap>, value: u8) -> Result<Option<(Moment<'a>, Option<Moment<'a>>)>> {
    let at = |labels: &'a LabelMap, phase| Moment { labels, phase };
    if let Some(es) = es {
        if labels.n_phases() > 1 || es.n_phases() > 1 {
            return Err(Error::parameter(
                "give end-diastole and end-systole as two files of one phase each, or one file with all phases",
            ));
        }
        return Ok((labels.count(0, value) > 0).then(|| (at(labels, 0), Some(at(es, 0)))));
    }
    let counts: Vec<(usize, usize)> =
        (0..labels.n_phases()).map(|p| (p, labels.count(p, value))).filter(|(_, n)| *n > 0).collect();
    // The first of equals in both cases.
    let ed = counts.iter().rev().max_by_key(|(_, n)| *n);
    let es = counts.iter().min_by_key(|(_, n)| *n).filter(|_| counts.len() > 1);
    Ok(ed.map(|(p, _)| (at(labels, *p), es.map(|(p, _)| at(labels, *p)))))
}

struct Sheet<'a> {
    settings: &'a VentricleSettings,
    warnings: &'a mut Warnings,
    rows: Vec<Measure>,
}

impl Sheet<'_> {
    fn row(&mut self, region: &str, phase: &str, (metric, value, unit): (&'static str, f64, &'static str), method: &str) {
        let (subject, region, phase) = (self.settings.subject.clone(), region.to_owned(), phase.to_owned());
        self.rows.push(Measure { subject, region, phase, metric: metric.into(), value, unit, method: method.to_owned() });
    }

    /// The same number per m² of body surface, where that is known.
    fn indexed(&mut self, region: &str, phase: &str, (metric, value, unit): (&'static str, f64, &'static str), method: &str) {
        if let Some(area) = self.settings.body_surface() {
            let name = if self.settings.du_bois { "Du Bois" } else { "Mosteller" };
            self.row(region, phase, (metric, value / area, unit), &format!("{method}; BSA {name} {area:.4} m2"));
        }
    }

    fn ventricle(&mut self, region: &str, value: u8, (ed, es): (Moment, Option<Moment>)) {
        let method = how(ed, es);
        let Some(large) = ed.volume(value) else {
            self.warnings.note(
                "label-absent",
                format!("no voxel has label {value} ({region}) at end-diastole; its values are left out"),
                None,
            );
            return;
        };
        self.row(region, "ED", ("volume", large, "mL"), &method);
        self.indexed(region, "ED", ("volume_index", large, "mL/m2"), &method);
        let Some(es) = es else {
            self.warnings.note(
                "one-phase",
                format!("only one phase of {region} is labeled; stroke volume and ejection fraction are left out"),
                None,
            );
            return;
        };
        let Some(small) = es.volume(value) else {
            self.warnings.warn(
                "label-absent",
                format!("no voxel has label {value} ({region}) at end-systole; function is left out"),
                None,
            );
            return;
        };
        self.row(region, "ES", ("volume", small, "mL"), &method);
        self.indexed(region, "ES", ("volume_index", small, "mL/m2"), &method);
        if small > large {
            let said = format!(
                "{region} is larger at end-systole ({small:.1} mL) than at end-diastole ({large:.1} mL); check whether the two are exchanged"
            );
            self.warnings.warn("phases-exchanged", said, None);
        }
        let stroke = large - small;
        self.row(region, "", ("stroke_volume", stroke, "mL"), &method);
        self.indexed(region, "", ("stroke_volume_index", stroke, "mL/m2"), &method);
        self.row(region, "", ("ejection_fraction", 100.0 * stroke / large, "%"), &method);
        if let Some(rate) = self.settings.heart_rate.filter(|_| region == "lv") {
            let (output, method) = (stroke * rate / 1000.0, format!("{method}; {rate} beats/min"));
            self.row(region, "", ("cardiac_output", output, "L/min"), &method);
            self.indexed(region, "", ("cardiac_index", output, "L/min/m2"), &method);
        }
    }

    /// Volumes of all phases in which a label is there.
    fn curve(&mut self, labels: &LabelMap) {
        for (region, value) in [("lv", self.settings.lv), ("myo", self.settings.myo), ("rv", self.settings.rv)] {
            for phase in 0..labels.n_phases() {
                let Some(volume) = (Moment { labels, phase }).volume(value) else { continue };
                let at = labels.phase_times_ms.get(phase).map(|t| format!("; {t} ms")).unwrap_or_default();
                self.row(region, &phase.to_string(), ("volume", volume, "mL"), &format!("{HOW}{at}"));
            }
        }
    }

    fn myocardium(&mut self, (ed, es): (Moment, Option<Moment>)) {
        let (value, method) = (self.settings.myo, how(ed, es));
        if let Some(volume) = ed.volume(value) {
            self.row("myo", "ED", ("volume", volume, "mL"), &method);
            let (mass, method) = (volume * DENSITY, format!("{method}; {DENSITY} g/mL"));
            self.row("myo", "ED", ("mass", mass, "g"), &method);
            self.indexed("myo", "ED", ("mass_index", mass, "g/m2"), &method);
        } else {
            self.warnings.warn(
                "label-absent",
                format!("no voxel has label {value} (myocardium) at end-diastole; the mass is left out"),
                None,
            );
        }
        match es.map(|m| m.volume(value)) {
            Some(Some(volume)) => self.row("myo", "ES", ("volume", volume, "mL"), &method),
            Some(None) => {
                self.warnings.warn(
                    "label-absent",
                    format!("no voxel has label {value} (myocardium) at end-systole; its volume is left out"),
                    None,
                );
            }
            None => {}
        }
    }
}

fn how(ed: Moment, es: Option<Moment>) -> String {
    let phases = match es {
        Some(es) if std::ptr::eq(es.labels, ed.labels) => format!("; ED phase {}, ES phase {}", ed.phase, es.phase),
        _ if ed.labels.n_phases() > 1 => format!("; ED phase {}", ed.phase),
        _ => String::new(),
    };
    format!("{HOW}{phases}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, DVec3, Grid};

    /// Voxels of 1.5 × 1.5 × 10 mm; counts of (rv, myo, lv) in each phase.
    fn labels(phases: &[[usize; 3]]) -> LabelMap {
        let grid = Grid::new([10, 10, 10], DAffine3::from_scale(DVec3::new(-1.5, 1.5, 10.0))).unwrap();
        let fill = |counts: &[usize; 3]| {
            let mut voxels = vec![0u8; 1000];
            let mut next = 0;
            for (value, n) in (1..=3u8).zip(counts) {
                voxels[next..next + n].fill(value);
                next += n;
            }
            voxels.into()
        };
        LabelMap::new("test", grid, phases.iter().map(fill).collect()).unwrap()
    }

    fn value(rows: &[Measure], region: &str, phase: &str, metric: &str) -> Option<f64> {
        rows.iter().find(|m| m.region == region && m.phase == phase && m.metric == metric).map(|m| m.value)
    }

    #[test]
    fn closed_forms() {
        let ml = 0.0225;
        let settings =
            VentricleSettings { heart_rate: Some(60.0), height_cm: Some(180.0), weight_kg: Some(80.0), ..Default::default() };
        let cine = labels(&[[300, 150, 100], [200, 140, 200], [100, 160, 80], [250, 0, 0]]);
        let mut warnings = Warnings::default();
        let rows = ventricles(&cine, None, &settings, &mut warnings).unwrap();
        for (region, phase, metric, want) in [
            ("lv", "ED", "volume", 200.0 * ml),
            ("lv", "ES", "volume", 80.0 * ml),
            ("lv", "", "ejection_fraction", 60.0),
            ("lv", "", "cardiac_output", 120.0 * ml * 60.0 / 1000.0),
            ("lv", "", "stroke_volume_index", 120.0 * ml / 2.0),
            ("myo", "ED", "mass", 140.0 * ml * 1.05),
            ("myo", "ES", "volume", 160.0 * ml),
            ("rv", "ED", "volume", 200.0 * ml),
            ("rv", "ES", "volume", 100.0 * ml),
        ] {
            let got = value(&rows, region, phase, metric).unwrap();
            assert!((got - want).abs() < 1e-12 * want, "{region} {phase} {metric}: {got} instead of {want}");
        }
        let own = ventricles(&cine, None, &VentricleSettings { rv_own_phases: true, ..settings }, &mut warnings).unwrap();
        assert!((value(&own, "rv", "ED", "volume").unwrap() - 300.0 * ml).abs() < 1e-12);
    }

    #[test]
    fn what_is_absent_is_left_out_and_said() {
        let (ed, es) = (labels(&[[0, 150, 100]]), labels(&[[0, 0, 60]]));
        let mut warnings = Warnings::default();
        let rows = ventricles(&ed, Some(&es), &VentricleSettings::default(), &mut warnings).unwrap();
        assert!(value(&rows, "myo", "ES", "volume").is_none() && value(&rows, "rv", "ED", "volume").is_none());
        assert!((value(&rows, "lv", "", "ejection_fraction").unwrap() - 40.0).abs() < 1e-12);
        assert_eq!(warnings.notes.len(), 2);
        let one = ventricles(&ed, None, &VentricleSettings::default(), &mut warnings).unwrap();
        assert!(value(&one, "lv", "", "stroke_volume").is_none() && value(&one, "myo", "ED", "mass").is_some());
    }

    #[test]
    fn refusals() {
        let mut warnings = Warnings::default();
        let mut run = |labels: &LabelMap, settings: &VentricleSettings| ventricles(labels, None, settings, &mut warnings);
        assert!(matches!(run(&labels(&[[10, 10, 0]]), &VentricleSettings::default()), Err(Error::Degenerate(_))));
        let no_unit = LabelMap { length_unit_known: false, ..labels(&[[0, 10, 10]]) };
        assert!(run(&no_unit, &VentricleSettings::default()).unwrap_err().to_string().contains("unit-unknown"));
        let bad = VentricleSettings { heart_rate: Some(-1.0), ..Default::default() };
        assert!(matches!(run(&labels(&[[0, 10, 10]]), &bad), Err(Error::Parameter(_))));
    }
}
