//! Electrocardiograms (PS3.3 A.34, C.10.9): multiplexed channels become leads with a unit. A value is
//! sample · sensitivity · correction + baseline; voltages become mV.

use super::element::{DataSet, Element, u16_at, u32_at};
use super::header::describe;
use crate::base::{Error, Limits, Result};
use crate::model::{Ecg, EcgLead, EcgStrip};
use dicom::core::Tag;
use dicom::dictionary_std::tags;

/// More channels than any recorder has.
const MOST_CHANNELS: usize = 512;

/// The waveforms of a file; `None` where it has none.
pub(super) fn waveform(data: &DataSet<'_>, limits: &Limits) -> Option<Result<Ecg>> {
    let groups = data.items(tags::WAVEFORM_SEQUENCE);
    if groups.is_empty() {
        return None;
    }
    Some(groups.iter().map(|group| strip(group, limits)).collect::<Result<Vec<_>>>().and_then(|strips| {
        let about = describe(data);
        let kind = if about.modality.is_empty() { "waveform" } else { &about.modality };
        let name =
            if about.description.is_empty() { format!("{kind} series {}", about.series_number) } else { about.description };
        Ecg::new(name, strips)
    }))
}

fn text(data: &DataSet<'_>, tag: Tag) -> String {
    data.find(tag).map(Element::text).unwrap_or_default().chars().take(32).collect()
}

fn number(data: &DataSet<'_>, tag: Tag, vr: [u8; 2]) -> Option<f64> {
    data.find(tag)?.numbers(vr, data.syntax.big).first().copied().filter(|v| v.is_finite())
}

/// How samples are written (PS3.3 C.10.9.1.5).
#[derive(Clone, Copy, Debug)]
struct Coding {
    n_bytes: usize,
    signed: bool,
    big: bool,
}

impl Coding {
    fn of(group: &DataSet<'_>) -> Result<Self> {
        let said = text(group, tags::WAVEFORM_SAMPLE_INTERPRETATION);
        let (n_bytes, signed) = match said.as_str() {
            "SB" => (1, true),
            "UB" => (1, false),
            "SS" => (2, true),
            "US" => (2, false),
            "SL" => (4, true),
            "UL" => (4, false),
            _ => {
                return Err(Error::unsupported(format!(
                    "waveform samples are coded as {said:?}; SB, UB, SS, US, SL and UL are read"
                )));
            }
        };
        let bits = number(group, tags::WAVEFORM_BITS_ALLOCATED, *b"US").unwrap_or(n_bytes as f64 * 8.0);
        if bits != n_bytes as f64 * 8.0 {
            return Err(Error::malformed(format!("waveform samples are {said}, but {bits} bits are allocated")));
        }
        Ok(Self { n_bytes, signed, big: group.syntax.big })
    }

    fn sample(self, bytes: &[u8], at: usize) -> Option<f64> {
        Some(match (self.n_bytes, self.signed) {
            (1, true) => f64::from(bytes.get(at)?.cast_signed()),
            (1, false) => f64::from(*bytes.get(at)?),
            (2, true) => f64::from(u16_at(bytes, at, self.big)?.cast_signed()),
            (2, false) => f64::from(u16_at(bytes, at, self.big)?),
            (_, true) => f64::from(u32_at(bytes, at, self.big)?.cast_signed()),
            (_, false) => f64::from(u32_at(bytes, at, self.big)?),
        })
    }
}

fn strip(group: &DataSet<'_>, limits: &Limits) -> Result<EcgStrip> {
    let coding = Coding::of(group)?;
    let whole = |tag: Tag, vr, what: &str| {
        let value = number(group, tag, vr).filter(|v| *v >= 1.0 && v.fract() == 0.0);
        value.map(|v| v as usize).ok_or_else(|| Error::malformed(format!("the waveform does not say its number of {what}")))
    };
    let n_channels = whole(tags::NUMBER_OF_WAVEFORM_CHANNELS, *b"US", "channels")?;
    let declared = whole(tags::NUMBER_OF_WAVEFORM_SAMPLES, *b"UL", "samples")?;
    if n_channels > MOST_CHANNELS {
        return Err(Error::unsupported(format!("{n_channels} waveform channels; at most {MOST_CHANNELS} are read")));
    }
    let data = group.find(tags::WAVEFORM_DATA).map_or(&[][..], |e| e.value);
    let n_samples = declared.min(data.len() / (n_channels * coding.n_bytes));
    if n_samples == 0 {
        return Err(Error::malformed(format!("the waveform declares {declared} samples, but holds none")));
    }
    limits.check("the samples of a waveform", &[n_samples as u64, n_channels as u64], 4)?;
    let sampling_hz = number(group, tags::SAMPLING_FREQUENCY, *b"DS").filter(|hz| *hz > 0.0);
    let sampling_hz = sampling_hz.ok_or_else(|| Error::malformed("the waveform does not say how often it was sampled"))?;
    let padding = group.find(tags::WAVEFORM_PADDING_VALUE).and_then(|e| coding.sample(e.value, 0));
    let channels = group.items(tags::CHANNEL_DEFINITION_SEQUENCE);
    let lead = |c: usize| {
        let raw = |i: usize| coding.sample(data, (i * n_channels + c) * coding.n_bytes).filter(|v| Some(*v) != padding);
        lead(channels.get(c), c, n_samples, raw)
    };
    Ok(EcgStrip {
        label: text(group, tags::MULTIPLEX_GROUP_LABEL),
        derived: text(group, tags::WAVEFORM_ORIGINALITY) == "DERIVED",
        sampling_hz,
        start_ms: number(group, tags::MULTIPLEX_GROUP_TIME_OFFSET, *b"DS").unwrap_or(0.0),
        from_trigger_ms: from_trigger(group, sampling_hz),
        leads: (0..n_channels).map(lead).collect(),
    })
}

/// Time from the trigger to the first sample: sample position counts from 1.
fn from_trigger(group: &DataSet<'_>, sampling_hz: f64) -> Option<f64> {
    let offset = number(group, tags::TRIGGER_TIME_OFFSET, *b"DS");
    let position = number(group, tags::TRIGGER_SAMPLE_POSITION, *b"UL").filter(|p| *p >= 1.0);
    match (position, offset) {
        (Some(position), _) => Some(-1000.0 * (position - 1.0) / sampling_hz),
        (None, offset) => offset,
    }
}

fn lead(channel: Option<&DataSet<'_>>, c: usize, n_samples: usize, raw: impl Fn(usize) -> Option<f64>) -> EcgLead {
    let factor = |tag: Tag| channel.and_then(|d| number(d, tag, *b"DS"));
    let sensitivity = factor(tags::CHANNEL_SENSITIVITY);
    let scale = sensitivity.unwrap_or(1.0) * factor(tags::CHANNEL_SENSITIVITY_CORRECTION_FACTOR).unwrap_or(1.0);
    let baseline = factor(tags::CHANNEL_BASELINE).unwrap_or(0.0);
    let unit = channel.and_then(|d| d.items(tags::CHANNEL_SENSITIVITY_UNITS_SEQUENCE).into_iter().next());
    let unit = unit.map_or_else(String::new, |u| text(&u, tags::CODE_VALUE));
    let (unit, to_unit) = match (sensitivity, unit.as_str()) {
        (None, _) => ("", 1.0),
        (_, "uV" | "\u{b5}V") => ("mV", 1e-3),
        (_, "mV") => ("mV", 1.0),
        (_, "V") => ("mV", 1e3),
        (_, other) => (other, 1.0),
    };
    let value = |v: f64| ((v * scale + baseline) * to_unit) as f32;
    EcgLead {
        name: lead_name(channel).unwrap_or_else(|| format!("channel {}", c + 1)),
        unit: unit.to_owned(),
        samples: (0..n_samples).map(|i| raw(i).map_or(f32::NAN, value)).collect(),
    }
}

/// `aVR` of `Lead aVR`, `I` of `Lead I (Einthoven)`; else the label of the channel.
fn lead_name(channel: Option<&DataSet<'_>>) -> Option<String> {
    let channel = channel?;
    let source = channel.items(tags::CHANNEL_SOURCE_SEQUENCE);
    let meaning = source.first().map_or_else(String::new, |s| text(s, tags::CODE_MEANING));
    let name = if meaning.is_empty() { text(channel, tags::CHANNEL_LABEL) } else { meaning };
    let plain = name.split('(').next().unwrap_or_default().trim();
    let is_lead = plain.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("lead "));
    let plain = if is_lead { plain[5..].trim() } else { plain };
    (!plain.is_empty()).then(|| plain.to_owned())
}
