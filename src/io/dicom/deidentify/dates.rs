//! Dates that are removed, moved by whole days, or kept.

use crate::base::{Error, Result};

/// What becomes of the dates and times of an acquisition. Birth dates always go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dates {
    /// Removed; where a file would not be valid without, 1 January 1900.
    #[default]
    Remove,
    /// As they are (PS3.15 E.3.6, retain full dates).
    Keep,
    /// Moved by so many days, the same for all files; times of day stay (modified dates).
    Shift(i32),
}

impl Dates {
    /// `remove`, `keep` or `shift:DAYS`.
    pub fn from_name(name: &str) -> Result<Self> {
        let days = |text: &str| text.parse::<i32>().ok().filter(|d| *d != 0 && d.abs() <= 40_000).map(Self::Shift);
        match name {
            "remove" => Ok(Self::Remove),
            "keep" => Ok(Self::Keep),
            _ => name.strip_prefix("shift:").and_then(days).ok_or_else(|| {
                Error::parameter(format!(
                    "dates {name:?}: remove, keep, or shift:DAYS with a whole number that is not 0 was expected"
                ))
            }),
        }
    }

    /// A date (`YYYYMMDD`, maybe more behind it) after this; `None` where it is none.
    pub(super) fn apply(self, text: &str) -> Option<String> {
        let text = text.trim_matches(['\0', ' ']);
        let Self::Shift(days) = self else {
            return text.bytes().all(|b| b.is_ascii_digit() || b"+-.: ".contains(&b)).then(|| text.to_owned());
        };
        let (date, rest) = (text.get(..8)?, text.get(8..)?);
        let number = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
        let (y, m, d) = civil(days_from_civil(number(0, 4)?, number(4, 6)?, number(6, 8)?) + i64::from(days));
        let is_time = rest.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
        is_time.then(|| format!("{y:04}{m:02}{d:02}{rest}"))
    }
}

/// Days after 1 March 0000 in the proleptic Gregorian calendar.
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let (y, m) = if m > 2 { (y, m - 3) } else { (y - 1, m + 9) };
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + d - 1
}

fn civil(days: i64) -> (i64, i64, i64) {
    let mut y = days.div_euclid(365) + 1;
    while days_from_civil(y, 3, 1) > days {
        y -= 1;
    }
    let of_year = days - days_from_civil(y, 3, 1);
    let m = (5 * of_year + 2) / 153;
    let d = of_year - (153 * m + 2) / 5 + 1;
    if m < 10 { (y, m + 3, d) } else { (y + 1, m - 9, d) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_move_over_leap_years() {
        for (from, days, to) in [
            ("20240228", 1, "20240229"),
            ("20240228", 2, "20240301"),
            ("19000228", 1, "19000301"),
            ("20000101", -1, "19991231"),
            ("20261125120000.5", 365, "20271125120000.5"),
            ("20260101", -40_000, "19160627"),
        ] {
            assert_eq!(Dates::Shift(days).apply(from).as_deref(), Some(to));
        }
        assert_eq!(Dates::Shift(1).apply("DOE"), None);
        assert_eq!(Dates::Keep.apply("20240101DOE"), None);
    }

    #[test]
    fn words_are_read() {
        assert_eq!(Dates::from_name("shift:-30").unwrap(), Dates::Shift(-30));
        assert!(["", "shift:", "shift:0", "shift:1e9", "all"].iter().all(|w| Dates::from_name(w).is_err()));
    }
}
