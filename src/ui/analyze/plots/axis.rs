//! A scale of numbers with round ticks.

use crate::scene::{fixed, round_length};
use egui::Rangef;

/// From numbers to places on the screen.
#[derive(Clone, Copy, Debug)]
pub(in crate::ui::analyze) struct Axis {
    pub(in crate::ui::analyze) low: f64,
    pub(in crate::ui::analyze) high: f64,
    /// Places of both; `min` belongs to `low`, wherever it is.
    pub(in crate::ui::analyze) places: Rangef,
}

impl Axis {
    /// The place of a number.
    pub(in crate::ui::analyze) fn at(&self, value: f64) -> f32 {
        let span = if self.high > self.low { self.high - self.low } else { 1.0 };
        let share = ((value - self.low) / span) as f32;
        self.places.min + (self.places.max - self.places.min) * share
    }
}

/// Round numbers within limits, about `n` of them, as they are written.
pub(in crate::ui::analyze) fn ticks(low: f64, high: f64, n: usize) -> Vec<(f64, String)> {
    if !low.is_finite() || !high.is_finite() || high <= low {
        return if low.is_finite() { vec![(low, crate::scene::significant(low, 3))] } else { Vec::new() };
    }
    // The round step below one and a half times the wanted one is the nearest.
    let step = round_length((high - low) / (n.max(2) - 1) as f64 * 1.5);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let first = (low / step - 1e-9).ceil();
    let count = ((high - first * step) / step + 1e-9).floor().max(-1.0) as i64;
    (0..=count.min(20)).map(|i| (first + i as f64) * step).map(|v| (v, fixed(v, decimals))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let words = |low, high| ticks(low, high, 5).into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(words(0.0, 4.2), ["0", "1", "2", "3", "4"]);
        assert_eq!(words(-0.3, 0.31), ["−0.2", "0.0", "0.2"]);
        assert_eq!(words(0.0, 800.0), ["0", "200", "400", "600", "800"]);
        assert_eq!(words(3.0, 3.0), ["3.00"]);
        assert!(words(f64::NAN, 1.0).is_empty());
        let axis = Axis { low: 1.0, high: 3.0, places: Rangef::new(100.0, 0.0) };
        assert_eq!([axis.at(1.0), axis.at(2.0), axis.at(3.0)], [100.0, 50.0, 0.0]);
    }
}
