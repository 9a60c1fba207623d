//! What kind of numbers a table holds: whether they can be counts, logarithms or anything else.

/// Facts of the stored values of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValueFacts {
    /// Values that are missing (NaN) or infinite.
    pub n_not_finite: usize,
    /// Values below zero.
    pub n_negative: usize,
    /// Finite values that are no whole numbers.
    pub n_fractions: usize,
    /// The largest value; 0 where none is above.
    pub largest: f32,
}

impl ValueFacts {
    /// Of some values.
    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        // From 2²³ on, single precision has whole numbers only; below, adding and taking away that much rounds the rest.
        const ALL_WHOLE: f32 = 8_388_608.0;
        let mut facts = Self::default();
        // Short counters in short pieces, so that several values are looked at by one instruction.
        for piece in values.chunks(1 << 12) {
            let (mut n_not_finite, mut n_negative, mut n_fractions, mut largest) = (0_u32, 0_u32, 0_u32, 0_f32);
            for &v in piece {
                let size = v.abs();
                n_not_finite += u32::from(!v.is_finite());
                n_negative += u32::from(v < 0.0);
                n_fractions += u32::from(size < ALL_WHOLE) * u32::from(size + ALL_WHOLE - ALL_WHOLE != size);
                largest = if v > largest { v } else { largest };
            }
            facts = facts.and(Self {
                n_not_finite: n_not_finite as usize,
                n_negative: n_negative as usize,
                n_fractions: n_fractions as usize,
                largest,
            });
        }
        facts
    }

    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            n_not_finite: self.n_not_finite + other.n_not_finite,
            n_negative: self.n_negative + other.n_negative,
            n_fractions: self.n_fractions + other.n_fractions,
            largest: self.largest.max(other.largest),
        }
    }

    /// Whether all are whole numbers from 0.
    #[must_use]
    pub fn are_counts(self) -> bool {
        self.n_not_finite == 0 && self.n_negative == 0 && self.n_fractions == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted() {
        let facts = ValueFacts::of(&[0.0, 3.0, -2.0, 0.5, -0.25, 3e9, 16_777_215.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        assert_eq!((facts.n_not_finite, facts.n_negative, facts.n_fractions), (3, 3, 2));
        assert_eq!(facts.largest, f32::INFINITY);
        assert!(!facts.are_counts() && ValueFacts::of(&[1.0, 2e20]).are_counts() && ValueFacts::default().are_counts());
        assert_eq!(ValueFacts::of(&[1.0, -0.5]).and(ValueFacts::of(&[7.0])), ValueFacts::of(&[1.0, -0.5, 7.0]));
    }
}
