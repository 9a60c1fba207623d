//! Numbers of the heart as an analysis keeps them.

/// Numbers with what they are and how they were made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// In the order of the method.
    pub rows: Vec<MeasuredValue>,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredValue {
    /// As `lv`, `myo` or a segment's number.
    pub region: String,
    /// As `ED`, a phase's number, or empty where it belongs to the whole beat.
    pub phase: String,
    /// As `ejection_fraction`.
    pub metric: String,
    /// The number.
    pub value: f64,
    /// As `mL`; empty where the image gives none.
    pub unit: String,
    /// Definition, anchor, phases: whatever else could have been chosen.
    pub method: String,
}
