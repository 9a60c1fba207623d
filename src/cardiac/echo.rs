//! Echocardiography: volumes by discs and by area and length, ejection fraction, longitudinal strain, and
//! mass by the cube formula (Lang et al. 2015).

use super::measure::Measured;
use crate::base::{Error, Result, Severity};
use crate::space::DVec3;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Discs of Simpson's rule.
const N_DISCS: usize = 20;
/// Largest difference of lengths between views that passes without a word.
const LENGTHS_DIFFER: f64 = 0.10;
/// Largest tilt of the basal line that passes without a word, degrees.
const SLANT_DEG: f64 = 6.0;

/// Inner contours of one view by phase, from one mitral hinge to the other (mm).
pub type EchoView = BTreeMap<usize, Vec<DVec3>>;

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EchoSettings {
    /// Area–length with the mean of both lengths instead of the shorter.
    pub mean_length: bool,
    /// Green–Lagrange instead of engineering strain.
    pub green: bool,
    /// Volumes of all phases, not of end-diastole and end-systole only.
    pub all_phases: bool,
}

/// A contour in its own plane.
struct Traced {
    /// Length from the middle of the hinges to the apex, mm.
    length: f64,
    /// Area inside, mm².
    area: f64,
    /// Widths of discs from base to apex, mm.
    widths: [f64; N_DISCS],
    /// Length of the contour, mm.
    contour: f64,
    /// Angle between the basal line and the perpendicular of the axis, degrees.
    slant_deg: f64,
}

impl Traced {
    fn new(points: &[DVec3], what: &str) -> Result<Self> {
        let none = |why: &str| Error::degenerate(format!("the contour of {what} {why}"));
        let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Err(none("has no points")) };
        if points.len() < 5 {
            return Err(none("has fewer than 5 points"));
        }
        let middle = first.midpoint(last);
        let apex = points.iter().copied().fold(middle, |far, p| if p.distance(middle) > far.distance(middle) { p } else { far });
        let length = apex.distance(middle);
        let axis = (apex - middle).try_normalize().ok_or_else(|| none("has no length"))?;
        let base = last - first;
        let across = (base - axis * base.dot(axis)).try_normalize().ok_or_else(|| none("has both hinges on its axis"))?;
        // Along the axis from the base, and across it.
        let flat: Vec<[f64; 2]> = points.iter().map(|p| [(*p - middle).dot(axis), (*p - middle).dot(across)]).collect();
        let closed = || flat.iter().zip(flat.iter().cycle().skip(1));
        let area = 0.5 * closed().map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>().abs();
        let width = |disc: usize| {
            let level = (disc as f64 + 0.5) / N_DISCS as f64 * length;
            let cut = |(a, b): (&[f64; 2], &[f64; 2])| {
                ((a[0] <= level) != (b[0] <= level)).then(|| a[1] + (b[1] - a[1]) * (level - a[0]) / (b[0] - a[0]))
            };
            let cuts: Vec<f64> = closed().filter_map(cut).collect();
            let (low, high) =
                (cuts.iter().copied().fold(f64::INFINITY, f64::min), cuts.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            if high > low { high - low } else { 0.0 }
        };
        let widths = std::array::from_fn(width);
        let contour = points.windows(2).map(|w| w[0].distance(w[1])).sum();
        let slant_deg = base.dot(axis).abs().atan2(base.dot(across).abs()).to_degrees();
        if !(area > 0.0 && area.is_finite() && length > 0.0) {
            return Err(none("encloses no area"));
        }
        Ok(Self { length, area, widths, contour, slant_deg })
    }
}

/// One phase seen in one or two views.
struct Moment {
    views: Vec<Traced>,
}

impl Moment {
    /// mL by discs: `π/4 Σ a b L/20` with the longer L; of one view with circular discs.
    fn discs_ml(&self) -> f64 {
        let longer = self.views.iter().map(|v| v.length).fold(0.0, f64::max);
        let (a, b) = (&self.views[0], &self.views[self.views.len() - 1]);
        PI / 4.0 * a.widths.iter().zip(&b.widths).map(|(a, b)| a * b).sum::<f64>() * longer / N_DISCS as f64 / 1000.0
    }

    /// mL by `8 A₁ A₂ / 3πL`.
    fn area_length_ml(&self, mean: bool) -> f64 {
        let (a, b) = (&self.views[0], &self.views[self.views.len() - 1]);
        let length = if mean { f64::midpoint(a.length, b.length) } else { a.length.min(b.length) };
        8.0 * a.area * b.area / (3.0 * PI * length) / 1000.0
    }
}

/// `volume` (mL) at `ED` and `ES`, `stroke_volume`, `ejection_fraction` (%) by discs and by area–length, and
/// `gls` (%, at end-systole, mean of the views) from contours of the four- and the two-chamber view, or of
/// one alone. ED is the phase with the largest and ES with the smallest volume by discs.
/// [`Error::Degenerate`] where no phase is in all views. O(points · discs).
pub fn measure_echo(views: &[(&str, &EchoView)], settings: EchoSettings) -> Result<Measured> {
    let first = views.first().ok_or_else(|| Error::parameter("give contours of the four- or the two-chamber view"))?;
    let shared = first.1.keys().filter(|p| views.iter().all(|(_, v)| v.contains_key(p)));
    let mut moments: BTreeMap<usize, Moment> = BTreeMap::new();
    for phase in shared {
        let traced = views.iter().map(|(name, v)| Traced::new(&v[phase], &format!("{name} in phase {phase}")));
        moments.insert(*phase, Moment { views: traced.collect::<Result<_>>()? });
    }
    let largest = moments.iter().rev().max_by(|a, b| a.1.discs_ml().total_cmp(&b.1.discs_ml()));
    let smallest = moments.iter().min_by(|a, b| a.1.discs_ml().total_cmp(&b.1.discs_ml())).filter(|_| moments.len() > 1);
    let Some((ed, large)) = largest else { return Err(Error::degenerate("no phase has a contour in all views")) };
    let mut measured = Measured::default();
    doubts(views, &moments, &mut measured);
    let names = views.iter().map(|v| v.0).collect::<Vec<_>>().join(" and ");
    let phases =
        smallest.map_or_else(|| format!("{names}; ED phase {ed}"), |(es, _)| format!("{names}; ED phase {ed}, ES phase {es}"));
    let discs = if views.len() > 1 { "biplane discs" } else { "single-plane discs" };
    let which = if settings.mean_length && views.len() > 1 { "mean length" } else { "shorter length" };
    let methods: [(String, Box<dyn Fn(&Moment) -> f64>); 2] = [
        (format!("{discs}; 20 discs along the longer length; {phases}"), Box::new(Moment::discs_ml)),
        (format!("area-length; {which}; {phases}"), Box::new(move |m| m.area_length_ml(settings.mean_length))),
    ];
    for (method, volume) in &methods {
        measured.row(("lv", "ED"), ("volume", volume(large), "mL"), method);
        if let Some((_, small)) = smallest {
            measured.row(("lv", "ES"), ("volume", volume(small), "mL"), method);
            measured.row(("lv", ""), ("stroke_volume", volume(large) - volume(small), "mL"), method);
            measured.row(("lv", ""), ("ejection_fraction", 100.0 * (1.0 - volume(small) / volume(large)), "%"), method);
        }
        for (phase, moment) in moments.iter().filter(|_| settings.all_phases) {
            measured.row(("lv", &phase.to_string()), ("volume", volume(moment), "mL"), method);
        }
    }
    if let Some((_, small)) = smallest {
        let strain = |(a, b): (&Traced, &Traced)| {
            let ratio = b.contour / a.contour;
            100.0 * if settings.green { 0.5 * (ratio * ratio - 1.0) } else { ratio - 1.0 }
        };
        let gls = large.views.iter().zip(&small.views).map(strain).sum::<f64>() / views.len() as f64;
        let definition = if settings.green { "Green-Lagrange" } else { "engineering" };
        let how = format!("{definition}; length of whole inner contours at end-systole, mean of views; {phases}");
        measured.row(("lv", ""), ("gls", gls, "%"), &how);
    }
    Ok(measured)
}

fn doubts(views: &[(&str, &EchoView)], moments: &BTreeMap<usize, Moment>, measured: &mut Measured) {
    for (phase, moment) in moments {
        let lengths = moment.views.iter().map(|v| v.length);
        let (short, long) = (lengths.clone().fold(f64::INFINITY, f64::min), lengths.fold(0.0, f64::max));
        if long > (1.0 + LENGTHS_DIFFER) * short {
            let what = format!(
                "In phase {phase} the views differ in length by {:.0} % ({short:.1} and {long:.1} mm); one may be foreshortened.",
                100.0 * (long / short - 1.0)
            );
            let remedy = "Choose views in which the apex is not cut.";
            measured.say(Severity::Warning, "lengths-differ", what, &[("shorter in mm", short), ("longer in mm", long)], remedy);
        }
        for (view, traced) in views.iter().zip(&moment.views).filter(|(_, t)| t.slant_deg > SLANT_DEG) {
            let what = format!(
                "The basal line of {} in phase {phase} is tilted by {:.1}° from the perpendicular of the axis; volumes by discs may be wrong by 10 mL.",
                view.0, traced.slant_deg
            );
            measured.say(
                Severity::Warning,
                "basal-slant",
                what,
                &[("tilt in degrees", traced.slant_deg)],
                "Check both hinge points.",
            );
        }
    }
    if views.iter().any(|(_, v)| v.len() > moments.len()) {
        let what = format!("Only the {} phases that both views have are used.", moments.len());
        measured.say(Severity::Note, "phases-left-out", what, &[("phases used", moments.len() as f64)], "");
    }
}

/// Mass in g of the left ventricle from septum, cavity and posterior wall at end-diastole (mm):
/// `0.8 · 1.04 ((s + d + p)³ − d³) + 0.6` with lengths in cm. [`Error::Parameter`] unless all are above 0.
pub fn cube_mass_g([septum_mm, cavity_mm, posterior_mm]: [f64; 3]) -> Result<f64> {
    for (name, value) in [("septum", septum_mm), ("cavity", cavity_mm), ("posterior wall", posterior_mm)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(Error::parameter(format!("the {name} measures {value} mm; it must be above 0")));
        }
    }
    let (all, cavity) = ((septum_mm + cavity_mm + posterior_mm) / 10.0, cavity_mm / 10.0);
    Ok(0.8 * 1.04 * (all.powi(3) - cavity.powi(3)) + 0.6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half an ellipse from hinge to hinge, in cm.
    fn half_ellipse(a: f64, length: f64, n: usize) -> Vec<DVec3> {
        let at = |k: usize| PI * k as f64 / n as f64;
        (0..=n).map(|k| DVec3::new(10.0 * a * at(k).cos(), 3.0, -10.0 * length * at(k).sin())).collect()
    }

    #[test]
    fn half_ellipsoid_is_the_golden_one() {
        let view = |a: f64, s: f64| EchoView::from([(0, half_ellipse(a, 8.0, 4000)), (1, half_ellipse(a * s, 8.0 * s, 4000))]);
        let (four, two) = (view(2.5, 0.8), view(2.2, 0.8));
        let measured = measure_echo(&[("4ch", &four), ("2ch", &two)], EchoSettings::default()).unwrap();
        let volumes: Vec<f64> =
            measured.rows.iter().filter(|r| r.metric == "volume" && r.phase == "ED").map(|r| r.value).collect();
        assert!((volumes[0] - 92.182_182_437_958).abs() < 1e-4, "{}", volumes[0]);
        assert!((volumes[1] - 92.153_384_505_300).abs() < 1e-4, "{}", volumes[1]);
        assert!((measured.value("lv", "", "ejection_fraction").unwrap() - 100.0 * (1.0 - 0.512)).abs() < 1e-6);
        assert!((measured.value("lv", "", "gls").unwrap() + 20.0).abs() < 1e-9);
        assert!(measured.findings.is_empty(), "{:?}", measured.findings);
    }

    #[test]
    fn doubts_are_said() {
        let (four, two) =
            (EchoView::from([(0, half_ellipse(2.5, 8.0, 200))]), EchoView::from([(0, half_ellipse(2.2, 6.5, 200))]));
        let measured = measure_echo(&[("4ch", &four), ("2ch", &two)], EchoSettings::default()).unwrap();
        assert_eq!(measured.findings[0].code, "lengths-differ");
        let mut slanted = half_ellipse(2.5, 8.0, 200);
        slanted[0].z -= 12.0;
        let measured = measure_echo(&[("4ch", &EchoView::from([(0, slanted)]))], EchoSettings::default()).unwrap();
        assert!(measured.findings.iter().any(|f| f.code == "basal-slant"));
        assert!(measure_echo(&[("4ch", &EchoView::from([(0, vec![DVec3::ZERO; 9])]))], EchoSettings::default()).is_err());
        assert!(measure_echo(&[("4ch", &EchoView::new())], EchoSettings::default()).is_err());
    }

    #[test]
    fn cube_of_a_usual_heart() {
        assert!((cube_mass_g([10.0, 50.0, 10.0]).unwrap() - (0.832 * (343.0 - 125.0) + 0.6)).abs() < 1e-9);
        assert!(cube_mass_g([0.0, 50.0, 10.0]).is_err());
    }
}
