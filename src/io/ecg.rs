//! Electrocardiograms as a table: `strip`, `time_ms` from the start of the recording, and one column per lead, named
//! with its unit as `V1_mV`. Missing samples are empty.

use super::table::{Table, TableColumn};
use crate::base::Result;
use crate::model::Ecg;
use std::path::Path;

/// Writes all strips one after the other (`.csv`, `.tsv`, `.parquet`); leads that a strip does not have are empty there.
pub fn write_ecg(path: &Path, ecg: &Ecg) -> Result<()> {
    let mut columns: Vec<(String, String)> = Vec::new();
    for lead in ecg.strips().iter().flat_map(|s| &s.leads) {
        let column = (lead.name.clone(), lead.unit.clone());
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let label = |i: usize, label: &str| if label.is_empty() { format!("strip {}", i + 1) } else { label.to_owned() };
    let strips = ecg.strips().iter();
    let names = strips.clone().enumerate().flat_map(|(i, s)| std::iter::repeat_n(Some(label(i, &s.label)), s.n_samples()));
    let times = strips.flat_map(|s| (0..s.n_samples()).map(move |i| Some(s.start_ms + 1000.0 * i as f64 / s.sampling_hz)));
    let mut table = vec![TableColumn::text("strip", names), TableColumn::numbers("time_ms", times)];
    for (name, unit) in &columns {
        let values = ecg.strips().iter().flat_map(|s| {
            let lead = s.leads.iter().find(|l| l.name == *name && l.unit == *unit);
            (0..s.n_samples()).map(move |i| lead.map(|l| shortest(l.samples[i])).filter(|v| v.is_finite()))
        });
        let title = if unit.is_empty() { name.clone() } else { format!("{name}_{unit}") };
        table.push(TableColumn::numbers(&title, values));
    }
    Table::new(table)?.write(path)
}

/// The double whose shortest text is that of the single.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}
