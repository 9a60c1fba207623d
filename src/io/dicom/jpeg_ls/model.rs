//! The adaptive model of JPEG-LS: parameters, contexts, Golomb codes (T.87 annex A; names as there).

use super::bits::Bits;
use super::damaged;
use crate::base::Result;

/// Number of contexts of the regular mode.
const N_CONTEXTS: usize = 365;

/// Run-length orders (T.87 A.2.1, table J).
pub(super) const RUN_ORDER: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// What holds for a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coding {
    pub maxval: i32,
    pub near: i32,
    thresholds: [i32; 3],
    reset: i32,
    range: i32,
    qbpp: u32,
    limit: u32,
}

impl Coding {
    /// Presets that are 0 take their defaults (C.2.4.1.1).
    pub fn new(precision: u32, near: i32, presets: [i32; 5]) -> Result<Self> {
        let [maxval, t1, t2, t3, reset] = presets;
        let maxval = if maxval == 0 { (1 << precision) - 1 } else { maxval };
        if maxval >= 1 << precision || near > 255.min(maxval / 2) || maxval < 1 {
            return Err(damaged("its parameters are out of range"));
        }
        let usual = default_thresholds(maxval, near);
        let pick = |given: i32, usual: i32| if given == 0 { usual } else { given };
        let range = (maxval + 2 * near) / (2 * near + 1) + 1;
        let bpp = bits_for(maxval + 1).max(2);
        Ok(Self {
            maxval,
            near,
            thresholds: [pick(t1, usual[0]), pick(t2, usual[1]), pick(t3, usual[2])],
            reset: pick(reset, 64).max(3),
            range,
            qbpp: bits_for(range),
            limit: 2 * (bpp + bpp.max(8)),
        })
    }

    /// Region of a local gradient, -4..4 (A.3.3).
    fn quantized(&self, d: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let size = d.abs();
        let region = if size <= self.near {
            0
        } else if size < t1 {
            1
        } else if size < t2 {
            2
        } else if size < t3 {
            3
        } else {
            4
        };
        if d < 0 { -region } else { region }
    }

    /// Signed number of the context of three gradients.
    pub fn context(&self, gradients: [i32; 3]) -> i32 {
        let [a, b, c] = gradients.map(|d| self.quantized(d));
        81 * a + 9 * b + c
    }

    /// The sample of a prediction and an error (A.4.5).
    pub fn rebuilt(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let value = predicted + error * step;
        let wrapped = if value < -self.near {
            value + self.range * step
        } else if value > self.maxval + self.near {
            value - self.range * step
        } else {
            value
        };
        wrapped.clamp(0, self.maxval)
    }
}

fn bits_for(n: i32) -> u32 {
    (n - 1).max(0).checked_ilog2().map_or(0, |b| b + 1)
}

fn default_thresholds(maxval: i32, near: i32) -> [i32; 3] {
    let bounded = |value: i32, low: i32| if value > maxval || value < low { low } else { value };
    let (t1, t2, t3);
    if maxval >= 128 {
        let factor = (maxval.min(4095) + 128) / 256;
        t1 = bounded(factor + 2 + 3 * near, near + 1);
        t2 = bounded(factor * 4 + 3 + 5 * near, t1);
        t3 = bounded(factor * 17 + 4 + 7 * near, t2);
    } else {
        let factor = 256 / (maxval + 1);
        t1 = bounded((3 / factor + 3 * near).max(2), near + 1);
        t2 = bounded((7 / factor + 5 * near).max(3), t1);
        t3 = bounded((21 / factor + 7 * near).max(4), t2);
    }
    [t1, t2, t3]
}

/// Counters of one context: sum of sizes, bias, correction, number.
#[derive(Clone, Copy, Debug)]
struct Context {
    a: i32,
    b: i32,
    c: i32,
    n: i32,
}

/// Counters of a kind of run interruption.
#[derive(Clone, Copy, Debug)]
struct RunContext {
    a: i32,
    n: i32,
    n_negative: i32,
}

/// All counters of a scan.
#[derive(Debug)]
pub(super) struct Model {
    pub coding: Coding,
    contexts: Vec<Context>,
    runs: [RunContext; 2],
}

impl Model {
    pub fn new(coding: Coding) -> Self {
        let a = ((coding.range + 32) / 64).max(2);
        Self {
            coding,
            contexts: vec![Context { a, b: 0, c: 0, n: 1 }; N_CONTEXTS],
            runs: [RunContext { a, n: 1, n_negative: 0 }; 2],
        }
    }

    /// A mapped error in a limited Golomb code of order `k` (A.5.3).
    fn golomb(&self, bits: &mut Bits<'_>, k: u32, limit: u32) -> Result<i32> {
        let escape = limit - self.coding.qbpp - 1;
        let high = bits.zeros(escape)?;
        let value = if high < escape { high << k | bits.take(k)? } else { bits.take(self.coding.qbpp)? + 1 };
        if value > 1 << 17 {
            return Err(damaged("a code is out of range"));
        }
        Ok(value as i32)
    }

    /// One sample of the regular mode; `context` is signed, `predicted` the median edge prediction.
    pub fn regular(&mut self, bits: &mut Bits<'_>, context: i32, predicted: i32) -> Result<i32> {
        let sign = if context < 0 { -1 } else { 1 };
        let at = context.unsigned_abs() as usize;
        let Context { a, b, c, n } = self.contexts[at];
        let predicted = (predicted + sign * c).clamp(0, self.coding.maxval);
        let k = order(n, a)?;
        let mapped = self.golomb(bits, k, self.coding.limit)?;
        let turned = self.coding.near == 0 && k == 0 && 2 * b <= -n;
        let error = match (turned, mapped % 2 == 0) {
            (false, true) => mapped / 2,
            (false, false) => -(mapped + 1) / 2,
            (true, true) => -(mapped / 2) - 1,
            (true, false) => mapped / 2,
        };
        self.contexts[at].learn(error, &self.coding);
        Ok(self.coding.rebuilt(predicted, sign * error))
    }

    /// The error of the sample that ends a run (A.7.2). `alike` is whether its neighbors are.
    pub fn interruption(&mut self, bits: &mut Bits<'_>, alike: bool, run_index: usize) -> Result<i32> {
        let kind = i32::from(alike);
        let run = self.runs[usize::from(alike)];
        let k = order(run.n, if alike { run.a + (run.n >> 1) } else { run.a })?;
        let mapped = self.golomb(bits, k, self.coding.limit - RUN_ORDER[run_index] - 1)?;
        let odd = (mapped + kind) & 1 == 1;
        let size = (mapped + kind + i32::from(odd)) / 2;
        let error = if (k != 0 || 2 * run.n_negative >= run.n) == odd { -size } else { size };
        self.runs[usize::from(alike)].learn(error, (mapped + 1 - kind) >> 1, self.coding.reset);
        Ok(error)
    }
}

/// Order of the Golomb code: the least `k` with `n·2^k ≥ a`.
fn order(n: i32, a: i32) -> Result<u32> {
    (0..24).find(|k| i64::from(n) << k >= i64::from(a)).ok_or_else(|| damaged("its statistics run away"))
}

impl Context {
    /// Counters after an error, and the correction of the bias (A.6).
    fn learn(&mut self, error: i32, coding: &Coding) {
        self.b += error * (2 * coding.near + 1);
        self.a += error.abs();
        if self.n >= coding.reset {
            self.a >>= 1;
            self.b >>= 1;
            self.n >>= 1;
        }
        self.n += 1;
        if self.b <= -self.n {
            self.b = (self.b + self.n).max(1 - self.n);
            self.c = (self.c - 1).max(-128);
        } else if self.b > 0 {
            self.b = (self.b - self.n).min(0);
            self.c = (self.c + 1).min(127);
        }
    }
}

impl RunContext {
    fn learn(&mut self, error: i32, size: i32, reset: i32) {
        self.n_negative += i32::from(error < 0);
        self.a += size;
        if self.n >= reset {
            self.a >>= 1;
            self.n >>= 1;
            self.n_negative >>= 1;
        }
        self.n += 1;
    }
}
