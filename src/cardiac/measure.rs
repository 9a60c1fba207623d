//! One measured number with everything that must travel with it.

/// A row of a tidy table: `subject,region,phase,metric,value,unit,method`.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Whose heart.
    pub subject: String,
    /// As `lv`, `myo` or a segment number.
    pub region: String,
    /// As `ED`, a phase number, or empty where it belongs to the whole beat.
    pub phase: String,
    /// As `ejection_fraction`.
    pub metric: &'static str,
    /// The number.
    pub value: f64,
    /// As `mL`.
    pub unit: &'static str,
    /// Definition, anchor, phases: whatever else could have been chosen.
    pub method: String,
}
