//! Electrocardiograms: leads sampled in time, to be drawn beside a cine.

use crate::base::{Error, Result};
use std::sync::Arc;

/// One lead.
#[derive(Clone, Debug, PartialEq)]
pub struct EcgLead {
    /// As `I`, `aVR`, `V1`.
    pub name: String,
    /// Unit of the samples: `mV` wherever the file gives a voltage, else the file's unit, or empty where unknown.
    pub unit: String,
    /// Values in `unit`; NaN where the file says that nothing was recorded.
    pub samples: Arc<[f32]>,
}

/// Leads that were sampled together, all equally long: a rhythm strip, or a median beat that was made from one.
#[derive(Clone, Debug, PartialEq)]
pub struct EcgStrip {
    /// As `RHYTHM` or `MEDIAN BEAT`; may be empty.
    pub label: String,
    /// Whether the device derived it from another strip.
    pub derived: bool,
    /// Samples per second, above 0.
    pub sampling_hz: f64,
    /// Time of the first sample from the start of the recording, ms.
    pub start_ms: f64,
    /// Time from the trigger (as the R wave) to the first sample in ms, where the file gives it: negative where the
    /// strip starts before the trigger. Phase times of a cine count from the same R wave.
    pub from_trigger_ms: Option<f64>,
    /// The leads.
    pub leads: Vec<EcgLead>,
}

/// An electrocardiogram of one recording. Sample `i` of a strip lies at `start_ms + 1000 · i / sampling_hz`.
/// To draw it with a cine: take [`Self::rhythm`], a lead by [`EcgStrip::lead`], and [`EcgStrip::at`] for a time;
/// [`Self::r_peaks_ms`] gives the beats, the time after the latest of them is the trigger time of a phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Ecg {
    /// What it is called on screen; never a patient's name.
    pub name: String,
    /// Strips in the order of the file; never empty.
    strips: Vec<EcgStrip>,
}

impl EcgStrip {
    /// Number of samples of each lead.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.leads.first().map_or(0, |l| l.samples.len())
    }

    /// Length in ms.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        1000.0 * self.n_samples() as f64 / self.sampling_hz
    }

    /// The lead of a name, without regard to case.
    #[must_use]
    pub fn lead(&self, name: &str) -> Option<&EcgLead> {
        self.leads.iter().find(|l| l.name.eq_ignore_ascii_case(name))
    }

    /// Value of a lead at a time from the start of the strip in ms, linear between samples; `None` outside.
    #[must_use]
    pub fn at(&self, lead: &EcgLead, ms: f64) -> Option<f64> {
        let place = ms * self.sampling_hz / 1000.0;
        let last = lead.samples.len().checked_sub(1)?;
        if !(0.0..=last as f64).contains(&place) {
            return None;
        }
        let (before, t) = (place.floor() as usize, place.fract());
        let (a, b) = (f64::from(lead.samples[before]), f64::from(lead.samples[(before + 1).min(last)]));
        Some(if t == 0.0 { a } else { a + (b - a) * t })
    }
}

impl Ecg {
    /// `Malformed` where there is no strip, a strip has no sample, leads of one strip differ in length, or a rate
    /// is not above 0.
    pub fn new(name: impl Into<String>, strips: Vec<EcgStrip>) -> Result<Self> {
        if strips.is_empty() {
            return Err(Error::malformed("the electrocardiogram holds no strip of leads"));
        }
        for (i, strip) in strips.iter().enumerate() {
            let n = strip.n_samples();
            if n == 0 || strip.leads.iter().any(|l| l.samples.len() != n) {
                return Err(Error::malformed(format!("strip {} has no samples, or leads of different lengths", i + 1)));
            }
            if !(strip.sampling_hz.is_finite() && strip.sampling_hz > 0.0) {
                return Err(Error::malformed(format!("strip {} is sampled {} times a second", i + 1, strip.sampling_hz)));
            }
        }
        Ok(Self { name: name.into(), strips })
    }

    /// All strips.
    #[must_use]
    pub fn strips(&self) -> &[EcgStrip] {
        &self.strips
    }

    /// The longest strip that was recorded, not derived; the longest where all are derived.
    #[must_use]
    pub fn rhythm(&self) -> &EcgStrip {
        let mut best = &self.strips[0];
        for strip in &self.strips[1..] {
            let better = |a: &EcgStrip| (!a.derived, a.duration_ms());
            if better(strip).0 && !better(best).0 || (better(strip).0 == better(best).0 && better(strip).1 > better(best).1) {
                best = strip;
            }
        }
        best
    }

    /// Times of the beats of the rhythm strip in ms from its start: peaks of the summed squared slopes of all leads,
    /// smoothed over 80 ms, above a third of the usual peak of 2-s windows, at least 250 ms apart; each is moved to
    /// the largest summed deflection within 60 ms. Cost: one pass over the samples.
    #[must_use]
    pub fn r_peaks_ms(&self) -> Vec<f64> {
        let strip = self.rhythm();
        let n = strip.n_samples();
        let ms = |duration: f64| (duration * strip.sampling_hz / 1000.0).round().max(1.0) as usize;
        let energy = smoothed(&slope_energy(strip), ms(80.0));
        let mut tops: Vec<f64> = energy.chunks(ms(2000.0)).map(|c| c.iter().copied().fold(0.0, f64::max)).collect();
        tops.sort_by(f64::total_cmp);
        let limit = tops.get(tops.len() / 2).copied().unwrap_or(0.0) / 3.0;
        if limit <= 0.0 {
            return Vec::new();
        }
        let (apart, near) = (ms(250.0), ms(60.0));
        let deflection = deflection(strip);
        let mut peaks: Vec<usize> = Vec::new();
        let mut i = 0;
        while i < n {
            if energy[i] < limit {
                i += 1;
                continue;
            }
            let end = (i..n).find(|&j| energy[j] < limit).unwrap_or(n);
            let top = (i..end).max_by(|&a, &b| energy[a].total_cmp(&energy[b]).then(b.cmp(&a))).unwrap_or(i);
            let around = top.saturating_sub(near)..(top + near + 1).min(n);
            let peak = around.max_by(|&a, &b| deflection[a].total_cmp(&deflection[b]).then(b.cmp(&a))).unwrap_or(top);
            if peaks.last().is_none_or(|last| peak >= last + apart) {
                peaks.push(peak);
            }
            i = end;
        }
        peaks.into_iter().map(|p| 1000.0 * p as f64 / strip.sampling_hz).collect()
    }
}

/// Sum over leads of squared differences of neighboring samples.
fn slope_energy(strip: &EcgStrip) -> Vec<f64> {
    let mut sum = vec![0.0; strip.n_samples()];
    for lead in &strip.leads {
        for (i, pair) in lead.samples.windows(2).enumerate() {
            let d = f64::from(pair[1]) - f64::from(pair[0]);
            sum[i] += if d.is_finite() { d * d } else { 0.0 };
        }
    }
    sum
}

/// Sum over leads of the distance from the lead's median.
fn deflection(strip: &EcgStrip) -> Vec<f64> {
    let mut sum = vec![0.0; strip.n_samples()];
    for lead in &strip.leads {
        let mut sorted: Vec<f32> = lead.samples.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let middle = f64::from(sorted.get(sorted.len() / 2).copied().unwrap_or(0.0));
        for (s, &v) in sum.iter_mut().zip(lead.samples.iter()) {
            let d = (f64::from(v) - middle).abs();
            *s += if d.is_finite() { d } else { 0.0 };
        }
    }
    sum
}

/// Mean over `width` samples around each.
fn smoothed(values: &[f64], width: usize) -> Vec<f64> {
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(values.iter().scan(0.0, |s, v| {
            *s += v;
            Some(*s)
        }))
        .collect();
    let half = width / 2;
    (0..values.len())
        .map(|i| {
            let (a, b) = (i.saturating_sub(half), (i + half + 1).min(values.len()));
            (sums[b] - sums[a]) / (b - a) as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(hz: f64, beats_ms: &[f64], n: usize) -> EcgStrip {
        let value = |i: usize| {
            let ms = 1000.0 * i as f64 / hz;
            beats_ms.iter().map(|b| (-((ms - b) / 12.0).powi(2)).exp() + 0.2 * (-((ms - b - 250.0) / 60.0).powi(2)).exp()).sum()
        };
        let samples: Arc<[f32]> = (0..n)
            .map(|i| {
                let v: f64 = value(i);
                v as f32
            })
            .collect();
        let lead = |name: &str| EcgLead { name: name.into(), unit: "mV".into(), samples: Arc::clone(&samples) };
        EcgStrip {
            label: String::new(),
            derived: false,
            sampling_hz: hz,
            start_ms: 0.0,
            from_trigger_ms: None,
            leads: vec![lead("I"), lead("V1")],
        }
    }

    #[test]
    fn beats_are_found_where_they_were_put() {
        let beats = [300.0, 1140.0, 1900.0, 2710.0, 3600.0];
        for hz in [250.0, 500.0, 1000.0] {
            let ecg = Ecg::new("e", vec![strip(hz, &beats, (4.0 * hz) as usize)]).unwrap();
            let found = ecg.r_peaks_ms();
            assert_eq!(found.len(), beats.len(), "{found:?}");
            assert!(found.iter().zip(beats).all(|(f, b)| (f - b).abs() <= 1000.0 / hz), "{found:?}");
        }
        let flat = Ecg::new("e", vec![strip(500.0, &[], 1000)]).unwrap();
        assert!(flat.r_peaks_ms().is_empty());
    }

    #[test]
    fn values_between_samples_are_linear() {
        let mut s = strip(100.0, &[], 3);
        s.leads[0].samples = [0.0, 1.0, 3.0].into();
        let lead = s.lead("i").unwrap();
        assert_eq!([0.0, 5.0, 15.0, 20.0].map(|t| s.at(lead, t)), [Some(0.0), Some(0.5), Some(2.0), Some(3.0)]);
        assert_eq!([s.at(lead, -1.0), s.at(lead, 21.0), s.at(lead, f64::NAN)], [None; 3]);
    }

    #[test]
    fn what_is_not_an_ecg_is_refused() {
        assert!(Ecg::new("e", Vec::new()).is_err());
        let mut uneven = strip(500.0, &[], 100);
        uneven.leads[1].samples = [0.0; 3].into();
        assert!(Ecg::new("e", vec![uneven]).is_err());
        assert!(Ecg::new("e", vec![strip(0.0, &[], 10)]).is_err());
    }
}
