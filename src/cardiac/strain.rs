//! Strain from contours followed in time: circumferential, radial and longitudinal, engineering or
//! Green–Lagrange, with the first phase as reference.

use super::measure::Measured;
use super::outline::{Outlines, closed_length};
use super::segments::Segmentation;
use super::wall_methods::{WallMethod, lines_across};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::LabelMap;
use crate::space::DVec3;
use std::collections::{BTreeMap, BTreeSet};

/// A view that contours are drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StrainView {
    /// Short axis: closed contours.
    ShortAxis,
    /// Two chambers: open contours from hinge to hinge, as the next two.
    TwoChamber,
    /// Three chambers.
    ThreeChamber,
    /// Four chambers.
    FourChamber,
}

impl StrainView {
    /// `sax`, `2ch`, `3ch` or `4ch`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ShortAxis => "sax",
            Self::TwoChamber => "2ch",
            Self::ThreeChamber => "3ch",
            Self::FourChamber => "4ch",
        }
    }

    /// The view of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ShortAxis, Self::TwoChamber, Self::ThreeChamber, Self::FourChamber].into_iter().find(|v| v.name() == name)
    }
}

/// One contour: the same material points in every phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContourKey {
    /// Its view.
    pub view: StrainView,
    /// Slice of the view.
    pub slice: i64,
    /// Outer border, else the inner one.
    pub outer: bool,
}

impl ContourKey {
    /// As `sax 0 endo`.
    fn region(self) -> String {
        format!("{} {} {}", self.view.name(), self.slice, if self.outer { "epi" } else { "endo" })
    }
}

/// Points (patient mm) by contour and phase.
pub type TrackedContours = BTreeMap<ContourKey, BTreeMap<usize, Vec<DVec3>>>;

/// Definition of strain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StrainSettings {
    /// Green–Lagrange `(l² − l₀²) / 2 l₀²` instead of engineering `(l − l₀) / l₀`.
    pub green: bool,
    /// Takes the drift out: a line from the first to the last phase, which then is the end of the beat.
    pub close_drift: bool,
}

impl StrainSettings {
    fn strain(self, length: f64, reference: f64) -> f64 {
        let ratio = length / reference;
        100.0 * if self.green { 0.5 * (ratio * ratio - 1.0) } else { ratio - 1.0 }
    }

    fn method(self, what: &str) -> String {
        let name = if self.green { "Green-Lagrange" } else { "engineering" };
        format!("{name}; reference phase 0; {what}{}", if self.close_drift { "; drift taken out linearly" } else { "" })
    }

    /// Strain over time of a length; phases without it are left out.
    fn curve(self, lengths: &BTreeMap<usize, f64>) -> Option<BTreeMap<usize, f64>> {
        let reference = *lengths.get(&0).filter(|l| **l > 0.0)?;
        let mut curve: BTreeMap<usize, f64> = lengths.iter().map(|(p, l)| (*p, self.strain(*l, reference))).collect();
        if let (true, Some((&last, &drift))) = (self.close_drift, curve.last_key_value()) {
            curve.iter_mut().filter(|_| last > 0).for_each(|(p, e)| *e -= drift * *p as f64 / last as f64);
        }
        Some(curve)
    }
}

type Curve = BTreeMap<usize, f64>;

/// `gcs`, `grs` and `gls` in % of the ventricle (`lv`): for every phase, and the peak of the beat with an
/// empty phase (least for shortening, greatest for thickening); then of each contour.
///
/// Circumferential and longitudinal strain are those of the length of whole contours, inner ones where
/// there are any, averaged over slices and over views. Radial strain is the mean of lines across the
/// wall: each inner point and the outer point in the direction from the middle, chosen at the reference.
/// [`Error::Degenerate`] without a reference phase. O(points²) for the pairing of one slice.
pub fn measure_strain(contours: &TrackedContours, settings: StrainSettings) -> Result<Measured> {
    check(contours)?;
    let mut measured = Measured::default();
    let sax = |k: &ContourKey| k.view == StrainView::ShortAxis;
    let lengths = |wanted: &dyn Fn(&ContourKey) -> bool| -> Vec<(ContourKey, Curve)> {
        let chosen = contours.iter().filter(|(k, _)| wanted(k));
        let curve = |(k, phases): (&ContourKey, &BTreeMap<usize, Vec<DVec3>>)| {
            let length = phases.iter().map(|(p, points)| (*p, length(points, sax(k)))).collect();
            Some((*k, settings.curve(&length)?))
        };
        chosen.filter_map(curve).collect()
    };
    let has_inner = |wanted: &dyn Fn(&ContourKey) -> bool| contours.keys().any(|k| wanted(k) && !k.outer);
    for (metric, wanted, what) in [
        ("gcs", &sax as &dyn Fn(&ContourKey) -> bool, "length of whole short-axis contours, mean of slices"),
        ("gls", &|k: &ContourKey| !sax(k), "length of whole long-axis contours, mean of views"),
    ] {
        let of_lv_outer = !has_inner(wanted);
        let curves = lengths(wanted);
        let lv: Vec<&Curve> = curves.iter().filter(|(k, _)| k.outer == of_lv_outer).map(|(_, c)| c).collect();
        let border = if of_lv_outer { "outer border" } else { "inner border" };
        tell(&mut measured, "lv", metric, &mean(&lv), &settings.method(&format!("{what}; {border}")));
        for (key, curve) in &curves {
            tell(&mut measured, &key.region(), metric, curve, &settings.method("length of the whole contour"));
        }
    }
    let radial: Vec<(i64, Curve)> =
        slices(contours).into_iter().filter_map(|s| Some((s, radial(contours, s, settings)?))).collect();
    let how = settings
        .method("lines from inner points to the outer point in the direction from the middle; mean of lines, then of slices");
    tell(&mut measured, "lv", "grs", &mean(&radial.iter().map(|(_, c)| c).collect::<Vec<_>>()), &how);
    for (slice, curve) in &radial {
        tell(&mut measured, &format!("sax {slice}"), "grs", curve, &how);
    }
    Ok(measured)
}

fn check(contours: &TrackedContours) -> Result<()> {
    if contours.is_empty() {
        return Err(Error::degenerate("there are no contours"));
    }
    for (key, phases) in contours {
        let what = key.region();
        let Some(reference) = phases.get(&0) else {
            return Err(Error::degenerate(format!("{what} has no contour in phase 0, the reference")));
        };
        let least = if key.view == StrainView::ShortAxis { 3 } else { 2 };
        for (phase, points) in phases {
            if points.len() < least {
                return Err(Error::degenerate(format!(
                    "{what} has {} points in phase {phase}; at least {least} make a contour",
                    points.len()
                )));
            }
        }
        if length(reference, key.view == StrainView::ShortAxis) <= 0.0 {
            return Err(Error::degenerate(format!("all points of {what} in phase 0 are the same")));
        }
    }
    Ok(())
}

fn length(points: &[DVec3], closed: bool) -> f64 {
    let open: f64 = points.windows(2).map(|w| w[0].distance(w[1])).sum();
    let last = points.first().zip(points.last()).map_or(0.0, |(a, b)| a.distance(*b));
    open + if closed { last } else { 0.0 }
}

/// Mean of curves at the phases that all have.
fn mean(curves: &[&Curve]) -> Curve {
    let Some(first) = curves.first() else { return Curve::new() };
    let shared = first.keys().filter(|p| curves.iter().all(|c| c.contains_key(p)));
    shared.map(|p| (*p, curves.iter().map(|c| c[p]).sum::<f64>() / curves.len() as f64)).collect()
}

fn tell(measured: &mut Measured, region: &str, metric: &'static str, curve: &Curve, method: &str) {
    let sign = if metric == "grs" { -1.0 } else { 1.0 };
    let peak = curve.iter().min_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
    let Some((phase, value)) = peak else { return };
    measured.row((region, ""), (metric, *value, "%"), &format!("{method}; peak, in phase {phase}"));
    for (phase, value) in curve {
        measured.row((region, &phase.to_string()), (metric, *value, "%"), method);
    }
}

fn slices(contours: &TrackedContours) -> BTreeSet<i64> {
    contours.keys().filter(|k| k.view == StrainView::ShortAxis).map(|k| k.slice).collect()
}

/// Mean strain of the lines across the wall of a slice.
fn radial(contours: &TrackedContours, slice: i64, settings: StrainSettings) -> Option<Curve> {
    let of = |outer| contours.get(&ContourKey { view: StrainView::ShortAxis, slice, outer });
    let (inner, outer) = (of(false)?, of(true)?);
    let (first, around) = (inner.get(&0)?, outer.get(&0)?);
    let middle = first.iter().sum::<DVec3>() / first.len() as f64;
    let partner = |p: &DVec3| {
        let along = (*p - middle).normalize_or_zero();
        let aligned = |q: &DVec3| (*q - middle).normalize_or_zero().dot(along);
        (0..around.len()).max_by(|a, b| aligned(&around[*a]).total_cmp(&aligned(&around[*b])))
    };
    let partners: Vec<usize> = first.iter().filter_map(partner).collect();
    let line = |i: usize| {
        let length = |(phase, points): (&usize, &Vec<DVec3>)| {
            Some((*phase, points.get(i)?.distance(*outer.get(phase)?.get(partners[i])?)))
        };
        settings.curve(&inner.iter().filter_map(length).collect())
    };
    let lines: Vec<Curve> = (0..partners.len()).filter_map(line).collect();
    (!lines.is_empty()).then(|| mean(&lines.iter().collect::<Vec<_>>()))
}

/// `gcs` and `grs` from the labels of a whole beat without following points: the change of the inner
/// outline's length and of the mean radial thickness in every disc that is closed in all phases. `frames`
/// are the segmentations of all phases in order. There is no longitudinal strain in a short-axis stack.
pub fn strain_of_labels(
    frames: &[Segmentation],
    labels: &LabelMap,
    settings: StrainSettings,
    progress: &Progress,
) -> Result<Measured> {
    if frames.len() < 2 {
        return Err(Error::degenerate("strain needs labels of at least two phases; follow the contours or label more phases"));
    }
    let n_discs = frames.iter().map(|f| f.frame.stack.discs.len()).min().unwrap_or(0);
    let closed: Vec<usize> = (0..n_discs).filter(|&d| frames.iter().all(|f| f.frame.stack.discs[d].is_ring)).collect();
    if closed.is_empty() {
        return Err(Error::degenerate("no slice has a closed wall in all phases"));
    }
    let (mut around, mut across) = (Vec::new(), Vec::new());
    for (done, &disc) in closed.iter().enumerate() {
        let (mut lengths, mut widths) = (Curve::new(), Curve::new());
        for (phase, frame) in frames.iter().enumerate() {
            progress.step((done * frames.len() + phase) as f64 / (closed.len() * frames.len()) as f64, "outlines of the beat")?;
            let Some(outlines) = Outlines::of(frame, labels, disc) else { continue };
            let lines = lines_across(&outlines, WallMethod::Radial);
            let arc: f64 = lines.iter().map(|l| l.3).sum();
            if arc > 0.0 {
                lengths.insert(phase, closed_length(&outlines.inner));
                widths.insert(phase, lines.iter().map(|l| l.2 * l.3).sum::<f64>() / arc);
            }
        }
        around.extend(settings.curve(&lengths));
        across.extend(settings.curve(&widths));
    }
    let mut measured = Measured::default();
    let how = settings
        .method(&format!("outlines of labels, points not followed; mean of {} slices closed in all phases", closed.len()));
    tell(&mut measured, "lv", "gcs", &mean(&around.iter().collect::<Vec<_>>()), &how);
    tell(&mut measured, "lv", "grs", &mean(&across.iter().collect::<Vec<_>>()), &how);
    measured.say(
        Severity::Note,
        "not-tracked",
        "The slices are fixed in space, so muscle moves through them; longitudinal strain needs long-axis contours.".into(),
        &[("slices used", closed.len() as f64)],
        "Give contours of followed points for strain of the tissue itself.",
    );
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn contours() -> TrackedContours {
        let circle = |r: f64| {
            (0..72)
                .map(|k| DVec3::new(r * (f64::from(k) / 72.0 * TAU).cos(), r * (f64::from(k) / 72.0 * TAU).sin(), 0.0))
                .collect()
        };
        let arch = |s: f64| {
            (0..=40)
                .map(|k| {
                    DVec3::new(
                        s * 20.0 * (f64::from(k) / 40.0 * TAU / 2.0).cos(),
                        0.0,
                        s * 80.0 * (f64::from(k) / 40.0 * TAU / 2.0).sin(),
                    )
                })
                .collect()
        };
        let key = |view, outer| ContourKey { view, slice: 0, outer };
        let over = |a: Vec<DVec3>, b: Vec<DVec3>| BTreeMap::from([(0, a), (1, b)]);
        TrackedContours::from([
            (key(StrainView::ShortAxis, false), over(circle(25.0), circle(20.0))),
            (key(StrainView::ShortAxis, true), over(circle(35.0), circle(33.0))),
            (key(StrainView::FourChamber, false), over(arch(1.0), arch(0.8))),
        ])
    }

    #[test]
    fn closed_forms_by_both_definitions() {
        let plain = measure_strain(&contours(), StrainSettings::default()).unwrap();
        let green = measure_strain(&contours(), StrainSettings { green: true, ..Default::default() }).unwrap();
        for (metric, want, want_green) in [("gcs", -20.0, -18.0), ("grs", 30.0, 34.5), ("gls", -20.0, -18.0)] {
            for (measured, want) in [(&plain, want), (&green, want_green)] {
                for phase in ["", "1"] {
                    let got = measured.value("lv", phase, metric).unwrap();
                    assert!((got - want).abs() < 1e-9, "{metric} {phase}: {got} instead of {want}");
                }
                assert!(measured.value("lv", "0", metric).unwrap().abs() < 1e-12);
            }
        }
    }

    #[test]
    fn drift_is_closed_and_nonsense_refused() {
        let mut drifting = contours();
        let last = drifting.values().map(|p| p[&1].clone()).collect::<Vec<_>>();
        drifting.values_mut().zip(last).for_each(|(p, l)| _ = p.insert(2, l));
        let closed = measure_strain(&drifting, StrainSettings { close_drift: true, ..Default::default() }).unwrap();
        assert!((closed.value("lv", "1", "gcs").unwrap() + 10.0).abs() < 1e-9);
        assert!(closed.value("lv", "2", "gcs").unwrap().abs() < 1e-12);
        let mut headless = contours();
        headless.values_mut().for_each(|p| _ = p.remove(&0));
        assert!(
            measure_strain(&headless, StrainSettings::default()).is_err()
                && measure_strain(&TrackedContours::new(), StrainSettings::default()).is_err()
        );
    }
}
