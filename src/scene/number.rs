//! Numbers as they are written on the screen: significant digits and a true minus sign.

/// `value` with this many significant digits and `−` for minus; `–` where it is not finite. No
/// exponent between 10⁻⁴ and 10⁶.
///
/// ```
/// use myoscope::scene::significant;
/// assert_eq!(significant(-12.345, 3), "−12.3");
/// assert_eq!(significant(1234.5, 3), "1230");
/// ```
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = digits.max(1) as i32;
    let scientific = format!("{:.*e}", (digits - 1) as usize, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let text = if (-4..6).contains(&power) {
        let rounded: f64 = scientific.parse().unwrap_or(value);
        format!("{rounded:.*}", (digits - 1 - power).max(0) as usize)
    } else {
        format!("{mantissa}e{power}")
    };
    text.replace('-', "−")
}

/// A length or other number with fixed decimals and `−` for minus; never `−0`.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
}

/// The largest of 1, 2, 5 × 10ⁿ that is not above `limit` (positive).
#[must_use]
pub fn round_length(limit: f64) -> f64 {
    let power = 10f64.powf(limit.max(1e-12).log10().floor());
    let steps = [5.0, 2.0, 1.0];
    steps.into_iter().map(|s| s * power).find(|&v| v <= limit * (1.0 + 1e-9)).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        let cases = [(0.0, "0"), (3.0, "3.00"), (0.012_34, "0.0123"), (99.96, "100"), (1e7, "1.00e7"), (-2e-7, "−2.00e−7")];
        for (value, text) in cases {
            assert_eq!(significant(value, 3), text);
        }
        assert_eq!(fixed(-0.01, 1), "0.0");
        assert_eq!(fixed(-1.26, 1), "−1.3");
        assert_eq!([0.3, 7.0, 20.0, 49.0].map(round_length), [0.2, 5.0, 20.0, 20.0]);
    }
}
