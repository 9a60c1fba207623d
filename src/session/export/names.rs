//! Names of exported files: ASCII, no patient, the time given by the caller.

/// `<case>_<section>_<what>_<gene>_<yyyymmdd-hhmm>.<ending>`; empty parts are left out, letters that are
/// not ASCII become hyphens.
///
/// ```
/// use myoscope::session::export_name;
/// assert_eq!(export_name(["case 1", "Short-axis section", "map", "NPPA"], "20260102-0304", "nii.gz"), "case-1_Short-axis-section_map_NPPA_20260102-0304.nii.gz");
/// ```
#[must_use]
pub fn export_name(parts: [&str; 4], stamp: &str, ending: &str) -> String {
    let mut words: Vec<String> = parts.iter().chain([&stamp]).map(|p| plain(p)).filter(|p| !p.is_empty()).collect();
    if words.is_empty() {
        words.push("export".into());
    }
    format!("{}.{ending}", words.join("_"))
}

/// Letters, digits and single hyphens; at most 40 of them.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '.' || c == '+' {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.chars().take(40).collect::<String>().trim_matches(['-', '.']).to_owned()
}

/// `yyyymmdd-hhmm` in UTC of seconds since 1970 (Gregorian days by whole eras of 400 years).
///
/// ```
/// use myoscope::session::stamp;
/// assert_eq!(stamp(951_827_696), "20000229-1234");
/// ```
#[must_use]
pub fn stamp(unix_seconds: u64) -> String {
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    // Years begin in March, so that the leap day is the last of a year.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}-{:02}{:02}", seconds / 3600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_odd_letters() {
        assert_eq!(export_name(["", "Größe/../x", "spots", ""], "", "csv"), "Gr-e-..-x_spots.csv");
        assert_eq!(export_name([""; 4], "", "csv"), "export.csv");
        assert_eq!(export_name(["..", "a", "", ""], "t", "png"), "a_t.png");
    }

    #[test]
    fn days_by_the_calendar() {
        for (seconds, text) in [
            (0, "19700101-0000"),
            (1_709_164_800, "20240229-0000"),
            (1_767_225_599, "20251231-2359"),
            (4_107_542_400, "21000301-0000"),
        ] {
            assert_eq!(stamp(seconds), text);
        }
    }
}
