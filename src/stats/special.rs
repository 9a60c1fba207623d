//! Functions of distributions: gamma and its derivatives, the incomplete beta function, and the tails of
//! the normal, t and F distributions and of the hypergeometric one.
//! Sources: C. Lanczos, SIAM J. Numer. Anal. 1 (1964) 86; M. Abramowitz, I. Stegun, "Handbook of
//! Mathematical Functions", chapters 6, 7 and 26; W. J. Lentz, Appl. Opt. 15 (1976) 668 for continued fractions.

use std::f64::consts::PI;

/// Lanczos coefficients for g = 7 and nine terms.
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];
/// Terms of a continued fraction at most.
const MOST_TERMS: usize = 5000;

/// Natural logarithm of the gamma function of a positive number.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        return (PI / (PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = LANCZOS.iter().enumerate().skip(1).fold(LANCZOS[0], |a, (i, c)| a + c / (x + i as f64));
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// First derivative of [`ln_gamma`] at a positive number.
#[must_use]
pub fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 12.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series =
        y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32_760.0)))));
    sum + x.ln() - 0.5 / x - series
}

/// Second derivative of [`ln_gamma`] at a positive number.
#[must_use]
pub fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 12.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y * (1.0 / 30.0 - y * (5.0 / 66.0 - y * 691.0 / 2730.0)))));
    sum + 1.0 / x + 0.5 * y + series / x
}

/// Third derivative of [`ln_gamma`] at a positive number.
fn tetragamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 14.0 {
        sum -= 2.0 / (x * x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum - y - y / x - y * y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 6.0 - y * (0.3 - y * 5.0 / 6.0))))
}

/// The positive number whose [`trigamma`] is `y` (positive); Newton's rule on its inverse.
#[must_use]
pub fn trigamma_inverse(y: f64) -> f64 {
    if y > 1e7 {
        return 1.0 / y.sqrt();
    }
    if y < 1e-6 {
        return 1.0 / y;
    }
    let mut x = 0.5 + 1.0 / y;
    for _ in 0..100 {
        let t = trigamma(x);
        let step = t * (1.0 - t / y) / tetragamma(x);
        x += step;
        if -step / x < 1e-14 {
            break;
        }
    }
    x
}

/// Regularized incomplete beta function of `x` in 0..1 for positive `a` and `b`; NaN outside.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) || a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(a, b, x) / a } else { 1.0 - front * fraction(b, a, 1.0 - x) / b }
}

/// Natural logarithm of the beta function; large arguments by the difference of Stirling's series, which
/// does not lose the digits that large logarithms share.
fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large < 50.0 {
        return ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    }
    let rest = |x: f64| {
        let y = 1.0 / (x * x);
        (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x
    };
    let sum = small + large;
    let ratio = rest(large) - rest(sum) - (large - 0.5) * (small / large).ln_1p() + small - small * sum.ln();
    ln_gamma(small) + ratio
}

/// The continued fraction of the incomplete beta function.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let kept = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / kept(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for m in 1..MOST_TERMS {
        let m = m as f64;
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / kept(1.0 + term * d);
            c = kept(1.0 + term / c);
            value *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// Chance that a t of `df` degrees of freedom is farther from 0 than `t`; infinite `df` is the normal distribution.
#[must_use]
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    if df > 1e12 {
        return 2.0 * normal_upper(t.abs());
    }
    let square = t * t;
    // The smaller of the two arguments keeps its digits, and a small chance is not what is left of 1.
    if square < DIRECT {
        1.0 - incomplete_beta(0.5, 0.5 * df, square / (df + square))
    } else if square < df {
        ln_t_two_sided(t, df).exp()
    } else {
        incomplete_beta(0.5 * df, 0.5, df / (df + square))
    }
}

/// Squares of t from which on the continued fraction of the chance itself converges.
const DIRECT: f64 = 4.0;

/// Natural logarithm of [`t_two_sided`], which does not underflow where `df` is finite.
#[must_use]
pub fn ln_t_two_sided(t: f64, df: f64) -> f64 {
    let square = t * t;
    if t.is_nan() || df.is_nan() || df <= 0.0 || df > 1e12 || square < DIRECT || square.is_infinite() {
        return t_two_sided(t, df).ln();
    }
    let (a, b) = (0.5 * df, 0.5);
    let front = -a * (square / df).ln_1p() + b * (square / (df + square)).ln() - ln_beta(a, b);
    front + (fraction(a, b, df / (df + square)) / a).ln()
}

/// The `t` that is exceeded with the chance `p` (0..0.5) at `df` degrees of freedom.
#[must_use]
pub fn t_quantile_upper(p: f64, df: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::INFINITY;
    }
    if p >= 0.5 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while 0.5 * t_two_sided(high, df) > p && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if 0.5 * t_two_sided(middle, df) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Chance that an F of these degrees of freedom exceeds `f`.
#[must_use]
pub fn f_upper(f: f64, df1: f64, df2: f64) -> f64 {
    if f <= 0.0 { 1.0 } else { incomplete_beta(0.5 * df2, 0.5 * df1, df2 / (df2 + df1 * f)) }
}

/// Chance that a standard normal number exceeds `z`.
#[must_use]
pub fn normal_upper(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - normal_upper(-z);
    }
    let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    if z < 3.0 {
        // Series of the integral from 0.
        let (mut term, mut sum, mut k) = (z, z, 1.0);
        while term > sum * 1e-17 && k < 400.0 {
            term *= z * z / (2.0 * k + 1.0);
            sum += term;
            k += 1.0;
        }
        return 0.5 - density * sum;
    }
    // Laplace's continued fraction, from its end.
    let tail = (1..=200).rev().fold(0.0, |t, k| f64::from(k) / (z + t));
    density / (z + tail)
}

/// Natural logarithm of n over k.
fn ln_choose(n: f64, k: f64) -> f64 {
    -(n + 1.0).ln() - ln_beta(n - k + 1.0, k + 1.0)
}

/// Chance of at least `hits` marked ones in a draw of `n_drawn` out of `n_all`, of which `n_marked` are marked.
#[must_use]
pub fn hypergeometric_at_least(hits: usize, n_all: usize, n_marked: usize, n_drawn: usize) -> f64 {
    let least = (n_marked + n_drawn).saturating_sub(n_all);
    if hits <= least {
        return 1.0;
    }
    let most = n_marked.min(n_drawn);
    let [all, marked, drawn] = [n_all, n_marked, n_drawn].map(|v| v as f64);
    let chance = |k: usize| {
        let k = k as f64;
        (ln_choose(marked, k) + ln_choose(all - marked, drawn - k) - ln_choose(all, drawn)).exp()
    };
    // The shorter tail is summed, smallest terms first.
    let (above, below) = (most + 1 - hits.min(most + 1), hits - least);
    let sum: f64 = if above <= below || above < 2000 {
        (hits..=most).rev().map(chance).sum()
    } else {
        1.0 - (least..hits).map(chance).sum::<f64>()
    };
    sum.clamp(0.0, 1.0)
}

/// Benjamini and Hochberg's false discovery rates (J. R. Stat. Soc. B 57 (1995) 289); NaN stays NaN and is not counted.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, 1.0, |p, n, rank| p * n / rank)
}

/// The same of natural logarithms, so that the smallest chances keep their order.
#[must_use]
pub fn benjamini_hochberg_ln(ln_p: &[f64]) -> Vec<f64> {
    step_up(ln_p, 0.0, |p, n, rank| p + (n / rank).ln())
}

/// From the largest value down: the least so far of values times their number by their rank.
fn step_up(p: &[f64], most: f64, times: impl Fn(f64, f64, f64) -> f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&i| !p[i].is_nan()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]).then(a.cmp(&b)));
    let n = order.len() as f64;
    let mut out = vec![f64::NAN; p.len()];
    let mut least = most;
    for (from_last, &i) in order.iter().enumerate() {
        least = least.min(times(p[i], n, n - from_last as f64));
        out[i] = least;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 2e-13 * want.abs().max(1e-280), "{got} instead of {want}");
    }

    /// Numbers of scipy 1.17.1 (`scipy.special`, `scipy.stats`).
    #[test]
    fn values_are_those_of_scipy() {
        close(ln_gamma(0.3), 1.095_797_994_818_075_6);
        close(ln_gamma(123.4), 469.336_097_442_190_6);
        close(digamma(0.37), -2.795_301_410_890_563_6);
        close(trigamma(0.37), 8.360_473_827_799_098);
        close(trigamma(41.0), 0.024_690_103_841_291_028);
        for y in [1e-8, 1e-3, 0.4, 3.0, 900.0, 1e9] {
            assert!((trigamma(trigamma_inverse(y)) / y - 1.0).abs() < 1e-6);
        }
        for y in [1e-3, 0.4, 3.0, 900.0] {
            close(trigamma(trigamma_inverse(y)), y);
        }
    }

    #[test]
    fn tails_agree_with_closed_forms() {
        // One and two degrees of freedom have closed forms.
        for t in [0.01_f64, 0.7, 3.0, 50.0, 1e6] {
            close(t_two_sided(t, 1.0), 2.0 / PI * (1.0 / t).atan());
            let root = (2.0 + t * t).sqrt();
            close(t_two_sided(t, 2.0), 2.0 / (root * (root + t)));
            close(f_upper(t, 2.0, 8.0), (1.0 + t / 4.0).powi(-4));
        }
        // Far tails, by `log(2) + scipy.stats.t.logsf`.
        close(ln_t_two_sided(10.0, 1000.0), -50.145_804_273_907_245);
        close(ln_t_two_sided(36.0, 4000.0), -564.984_728_830_864_4);
        close(ln_t_two_sided(1.0, 50.0), -1.132_813_607_372_127_3);
        close(t_two_sided(8.0, 40.0), 7.905_084_110_104_538e-10);
        close(ln_t_two_sided(1e150, 2.0), -300.0 * std::f64::consts::LN_10);
        assert!(ln_t_two_sided(100.0, 6000.0) < -2000.0);
        close(t_quantile_upper(0.25, 1.0), 1.0);
        assert!((t_two_sided(1.7, 1e11) / (2.0 * normal_upper(1.7)) - 1.0).abs() < 1e-9);
        close(normal_upper(1.0), 0.158_655_253_931_457_05);
        close(normal_upper(10.0), 7.619_853_024_160_527e-24);
        close(normal_upper(-1.0), 0.841_344_746_068_542_9);
        assert!((hypergeometric_at_least(7, 20_000, 150, 200) / 0.000_794_134_453_559_911_5 - 1.0).abs() < 1e-10);
        assert_eq!(hypergeometric_at_least(0, 10, 3, 4), 1.0);
        assert_eq!(hypergeometric_at_least(4, 10, 3, 4), 0.0);
    }

    #[test]
    fn rates_never_fall_with_p() {
        for (ln, p) in benjamini_hochberg_ln(&[0.01f64.ln(), 0.04f64.ln(), 0.5f64.ln()]).iter().zip([0.03, 0.06, 0.5]) {
            close(ln.exp(), p);
        }
        let q = benjamini_hochberg(&[0.01, f64::NAN, 0.04, 0.03, 0.5]);
        assert!(q[1].is_nan());
        for (got, want) in [q[0], q[2], q[3], q[4]].into_iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.5]) {
            close(got, want);
        }
    }
}
