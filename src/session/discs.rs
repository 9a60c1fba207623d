//! Numbers of the 17 segments as a disc: chosen from a table of measures, compared with another disc, drawn, written.
//! The window and the command line share it, so that both give the same values.

use crate::base::{Error, Result};
use crate::cardiac::{Territory, cells, outline_of};
use crate::io::{Table, TableColumn};
use crate::model::{ColorMap, MeasuredValue};
use crate::scene::{BullseyeCell, BullseyeScale};
use std::collections::BTreeSet;

/// One number per segment with what must travel with it. Index 0 of the lists is not used.
#[derive(Clone, Debug, PartialEq)]
pub struct Disc {
    /// Whose heart, or empty.
    pub whose: String,
    /// As `wall_thickness_mean` or `NPPA`.
    pub metric: String,
    /// As `ED`; empty where it belongs to the whole beat.
    pub phase: String,
    /// As `mm`.
    pub unit: String,
    /// How the numbers were made.
    pub method: String,
    /// What stands under the color bar; empty is the unit.
    pub rule: String,
    /// Voxels or spots behind each number; 0 where nobody counted.
    pub counts: [usize; 18],
    /// The numbers; none is hatched.
    pub values: [Option<f64>; 18],
    /// The color table.
    pub color_map: ColorMap,
}

impl Disc {
    /// A disc without numbers.
    #[must_use]
    pub fn empty(metric: &str) -> Self {
        let (whose, phase, unit, method, rule) = Default::default();
        let color_map = ColorMap::Viridis;
        Self { whose, metric: metric.into(), phase, unit, method, rule, counts: [0; 18], values: [None; 18], color_map }
    }

    /// Mean of sums over `n` things per segment.
    #[must_use]
    pub fn of_sums(metric: &str, sums: &[(f64, usize); 18]) -> Self {
        let values = sums.map(|(sum, n)| (n > 0).then(|| sum / n as f64));
        Self { values, counts: sums.map(|(_, n)| n), ..Self::empty(metric) }
    }

    /// One metric of the segments 1 to 17, of a phase where one is given, with the voxels behind it where the rows
    /// count them. [`Error::Degenerate`] where no segment has it; [`Error::Parameter`] where rows of several phases
    /// or definitions would be mixed.
    pub fn of_rows(rows: &[MeasuredValue], metric: &str, phase: Option<&str>) -> Result<Self> {
        let wanted = |r: &&MeasuredValue| segment_of(r).is_some() && phase.is_none_or(|p| p == r.phase);
        let found: Vec<&MeasuredValue> = rows.iter().filter(wanted).filter(|r| r.metric == metric).collect();
        let Some(&first) = found.first() else {
            let there: BTreeSet<&str> = rows.iter().filter(wanted).map(|r| r.metric.as_str()).collect();
            let there = there.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::degenerate(format!("no segment has the metric {metric}; there are {there}")));
        };
        let phases: BTreeSet<&str> = found.iter().map(|r| r.phase.as_str()).collect();
        let methods: BTreeSet<&str> = found.iter().map(|r| r.method.as_str()).collect();
        for (what, n, option) in [("phases", phases.len(), "--phase"), ("definitions", methods.len(), "other columns")] {
            if n > 1 {
                return Err(Error::parameter(format!(
                    "{metric} has {n} {what}, which are not put into one bullseye; choose by {option}"
                )));
            }
        }
        let mut disc =
            Self { phase: first.phase.clone(), unit: first.unit.clone(), method: first.method.clone(), ..Self::empty(metric) };
        for row in found {
            disc.values[segment_of(row).unwrap_or(0)] = Some(row.value).filter(|v| v.is_finite());
        }
        for row in rows.iter().filter(wanted).filter(|r| r.metric == "n_voxels") {
            disc.counts[segment_of(row).unwrap_or(0)] = row.value.max(0.0) as usize;
        }
        Ok(disc)
    }

    /// This minus another, segment by segment; hatched where one has no number. [`Error::Parameter`] where units or
    /// definitions differ, as their difference means nothing.
    pub fn minus(&self, other: &Self) -> Result<Self> {
        let [own, others] = [&self.method, &other.method].map(|m| definition(m));
        for (what, a, b) in [("units", &self.unit, &other.unit), ("definitions", &own, &others)] {
            if a != b {
                return Err(Error::parameter(format!("the difference of two {what} means nothing: {a} and {b}")));
            }
        }
        let both = |i: usize| Some(self.values[i]? - other.values[i]?);
        let counts = std::array::from_fn(|i| self.counts[i].min(other.counts[i]));
        let metric =
            if self.metric == other.metric { self.metric.clone() } else { format!("{} − {}", self.metric, other.metric) };
        let method = format!("{} minus {}: {}", self.name(), other.name(), self.method);
        let phase = if self.phase == other.phase { self.phase.clone() } else { format!("{} − {}", self.phase, other.phase) };
        let whose = if self.whose == other.whose { self.whose.clone() } else { format!("{} − {}", self.whose, other.whose) };
        let values = std::array::from_fn(both);
        let (unit, rule) =
            (self.unit.clone(), if self.unit.is_empty() { "difference".into() } else { format!("difference, {}", self.unit) });
        Ok(Self { whose, metric, phase, unit, method, rule, counts, values, color_map: ColorMap::BlueRed })
    }

    /// As `wall thickness mean, ED`.
    #[must_use]
    pub fn title(&self) -> String {
        let metric = self.metric.replace('_', " ");
        if self.phase.is_empty() { metric } else { format!("{metric}, {}", frame_name(&self.phase)) }
    }

    /// As `wall thickness mean, ED · second patient`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.whose.is_empty() { self.title() } else { format!("{} · {}", self.title(), self.whose) }
    }

    /// One sentence for a caption.
    #[must_use]
    pub fn note(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        let method = if self.method.is_empty() { String::new() } else { format!(": {}", self.method) };
        format!("{}{unit}{method}", self.name())
    }

    /// The cells to draw.
    #[must_use]
    pub fn cells(&self) -> Vec<BullseyeCell> {
        let cell = |c: crate::cardiac::Cell| BullseyeCell {
            segment: c.segment,
            ring: c.outline,
            label_at: c.center,
            name: c.name.to_owned(),
            value: self.values[usize::from(c.segment)],
            n: self.counts[usize::from(c.segment)],
        };
        cells().into_iter().map(cell).collect()
    }

    fn least_and_most(&self) -> Option<(f64, f64)> {
        let values = || self.values.iter().flatten().copied().filter(|v| v.is_finite());
        Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
    }
}

/// Frames are counted from 1 for people.
fn frame_name(phase: &str) -> String {
    phase.parse::<usize>().map_or_else(|_| phase.to_owned(), |p| format!("frame {}", p + 1))
}

/// A method without what was found in the one frame: where its insertions and its base are.
fn definition(method: &str) -> String {
    let is_found = |part: &&str| part.starts_with("insertions found") || part.starts_with("base from");
    method.split("; ").filter(|part| !is_found(part)).collect::<Vec<_>>().join("; ")
}

fn segment_of(row: &MeasuredValue) -> Option<usize> {
    row.region.parse().ok().filter(|s| (1..=17).contains(s))
}

/// One scale for all discs: from the least to the greatest value of any, or the range given. Differences and other
/// signed colors are centered on 0. `territories` draws the usual coronary territories.
#[must_use]
pub fn disc_scale(discs: &[&Disc], range: Option<(f64, f64)>, territories: bool) -> BullseyeScale {
    let ends: Vec<(f64, f64)> = discs.iter().filter_map(|d| d.least_and_most()).collect();
    let low = ends.iter().map(|e| e.0).reduce(f64::min).unwrap_or(0.0);
    let high = ends.iter().map(|e| e.1).reduce(f64::max).unwrap_or(1.0);
    let color_map = discs.first().map_or(ColorMap::Viridis, |d| d.color_map);
    let (low, high) = match (range, color_map) {
        (Some(range), _) => range,
        (None, ColorMap::BlueRed) => {
            let reach = low.abs().max(high.abs());
            if reach > 0.0 { (-reach, reach) } else { (-1.0, 1.0) }
        }
        (None, _) if low < high => (low, high),
        (None, _) => (low, low + 1.0),
    };
    let outlines = if territories { Territory::ALL.into_iter().flat_map(outline_of).collect() } else { Vec::new() };
    let rule = |d: &Disc| if d.rule.is_empty() { d.unit.clone() } else { d.rule.clone() };
    let (title, rule) = discs.first().map_or_else(Default::default, |d| (d.metric.replace('_', " "), rule(d)));
    let names = if discs.len() > 1 { discs.iter().map(|d| d.name()).collect() } else { Vec::new() };
    let notes = discs.iter().map(|d| d.note()).collect();
    BullseyeScale { title, rule, low, high, color_map, outlines, names, notes }
}

/// `segment,name,territory,metric,value,unit,n,method`, and where there are two discs `disc` before all.
pub fn disc_table(discs: &[&Disc]) -> Result<Table> {
    let rows: Vec<(usize, &Disc, crate::cardiac::Cell)> =
        discs.iter().enumerate().flat_map(|(k, d)| cells().into_iter().map(move |c| (k, *d, c))).collect();
    let at = |c: &crate::cardiac::Cell| usize::from(c.segment);
    let text = |name: &str, of: fn(&Disc) -> String| TableColumn::text(name, rows.iter().map(|(_, d, _)| Some(of(d))));
    let mut columns = vec![
        TableColumn::whole("segment", rows.iter().map(|(_, _, c)| Some(i64::from(c.segment)))),
        TableColumn::text("name", rows.iter().map(|(_, _, c)| Some(c.name))),
        TableColumn::text("territory", rows.iter().map(|(_, _, c)| Some(c.territory.name()))),
        text("metric", |d| d.metric.clone()),
        TableColumn::numbers("value", rows.iter().map(|(_, d, c)| d.values[at(c)])),
        text("unit", |d| d.unit.clone()),
        TableColumn::whole("n", rows.iter().map(|(_, d, c)| Some(d.counts[at(c)] as i64).filter(|n| *n > 0))),
        text("method", |d| d.method.clone()),
    ];
    if discs.len() > 1 {
        let whole = TableColumn::whole("disc", rows.iter().map(|(k, _, _)| Some(*k as i64 + 1)));
        columns.insert(0, whole);
        columns.insert(1, text("subject", |d| d.whose.clone()));
        columns.insert(2, text("phase", |d| d.phase.clone()));
    }
    Table::new(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(region: &str, phase: &str, metric: &str, value: f64, method: &str) -> MeasuredValue {
        let [region, phase, metric, method] = [region, phase, metric, method].map(str::to_owned);
        MeasuredValue { region, phase, metric, value, unit: "mm".into(), method }
    }

    #[test]
    fn rows_of_one_phase_and_definition_make_a_disc() {
        let rows = [
            row("1", "ED", "t", 8.0, "radial"),
            row("2", "ED", "t", f64::NAN, "radial"),
            row("1", "ES", "t", 12.0, "radial"),
            row("1", "ED", "n_voxels", 40.0, "radial"),
            row("myo", "ED", "t", 9.0, "radial"),
        ];
        let disc = Disc::of_rows(&rows, "t", Some("ED")).unwrap();
        assert_eq!((disc.values[1], disc.values[2], disc.counts[1]), (Some(8.0), None, 40));
        assert!(matches!(Disc::of_rows(&rows, "t", None), Err(Error::Parameter(_))), "two phases");
        let mixed = [row("1", "", "t", 8.0, "radial"), row("2", "", "t", 8.0, "laplace")];
        assert!(matches!(Disc::of_rows(&mixed, "t", None), Err(Error::Parameter(_))), "two definitions");
        assert!(matches!(Disc::of_rows(&rows, "u", None), Err(Error::Degenerate(_))));
    }

    #[test]
    fn a_difference_is_centered_and_needs_one_definition() {
        let disc = |v: f64, method: &str| {
            Disc::of_rows(&[row("3", "", "t", v, method), row("4", "", "t", 9.0, method)], "t", None).unwrap()
        };
        let d = disc(8.0, "radial").minus(&disc(11.0, "radial")).unwrap();
        assert_eq!((d.values[3], d.values[4], d.values[5]), (Some(-3.0), Some(0.0), None));
        let scale = disc_scale(&[&d], None, false);
        assert_eq!((scale.low, scale.high, scale.color_map), (-3.0, 3.0, ColorMap::BlueRed));
        assert!(disc(8.0, "radial").minus(&disc(8.0, "laplace")).is_err());
        // What was found in each frame is no other definition.
        let found =
            |degrees: &str| disc(8.0, &format!("radial; insertions found from the RV label, {degrees} deg apart; thirds"));
        assert!(found("125.7").minus(&found("121.7")).is_ok());
    }

    #[test]
    fn two_discs_share_a_scale_and_a_table() {
        let disc = |v: f64| Disc::of_rows(&[row("3", "", "t", v, "radial")], "t", None).unwrap();
        let (a, b) = (disc(2.0), disc(7.0));
        let scale = disc_scale(&[&a, &b], None, true);
        assert_eq!((scale.low, scale.high, scale.names.len()), (2.0, 7.0, 2));
        assert!(!scale.outlines.is_empty());
        let table = disc_table(&[&a, &b]).unwrap();
        assert_eq!(table.n_rows(), 34);
    }
}
