//! Seeded damage: takes good files and changes them in the ways files get changed, the same way every
//! time. A reader must answer with a value or an error, never with a panic.

use myoscope::base::stream_seed;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A reader and the good files that its damaged ones are made from.
pub struct Target {
    /// Name of the reader.
    pub name: &'static str,
    /// Good files.
    pub seeds: Vec<Vec<u8>>,
    /// Reads bytes; whatever it returns is dropped.
    pub read: fn(&[u8]),
}

/// When to stop: after a number of runs, or, where `MYOSCOPE_FUZZ_SECONDS` is set, after so long.
pub struct Budget {
    runs: u64,
    seconds: Option<f64>,
}

impl Budget {
    /// From `MYOSCOPE_FUZZ_RUNS` (default 2000) and `MYOSCOPE_FUZZ_SECONDS`.
    pub fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<f64>().ok());
        Self { runs: number("MYOSCOPE_FUZZ_RUNS").map_or(2_000, |n| n as u64), seconds: number("MYOSCOPE_FUZZ_SECONDS") }
    }

    fn is_over(&self, run: u64, start: Instant) -> bool {
        self.seconds.map_or(run >= self.runs, |s| start.elapsed() >= Duration::from_secs_f64(s))
    }
}

/// Small random numbers that are the same everywhere.
pub struct Stream {
    seed: u64,
    index: u64,
}

impl Stream {
    pub fn new(seed: u64) -> Self {
        Self { seed, index: 0 }
    }

    /// From 0 up to, not including, `end` (0 where `end` is 0).
    pub fn below(&mut self, end: usize) -> usize {
        self.index += 1;
        (stream_seed(self.seed, self.index) % end.max(1) as u64) as usize
    }
}

const EXTREMES: [[u8; 8]; 8] = [
    [0; 8],
    [0xff; 8],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0x80, 0, 0, 0, 0x80],
    // NaN and infinity of both precisions, low byte first.
    [0, 0, 0xc0, 0x7f, 0, 0, 0xf8, 0x7f],
    [0, 0, 0x80, 0x7f, 0, 0, 0xf0, 0x7f],
    [1, 0, 0, 0, 0, 0, 0, 0],
];

/// A damaged copy: up to four changes of `seed`, with pieces of `other`.
pub fn damaged(seed: &[u8], other: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=stream.below(4) {
        // Most damage is near the beginning, where headers are.
        let reach = if stream.below(2) == 0 { bytes.len().min(600) } else { bytes.len() };
        let at = stream.below(reach);
        let n = 1 + stream.below(8);
        match stream.below(7) {
            0 => bytes.truncate(at),
            1 | 2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << stream.below(8);
                }
            }
            3 | 4 => {
                let value = EXTREMES[stream.below(EXTREMES.len())];
                bytes.iter_mut().skip(at).zip(&value[..n.next_power_of_two().min(8)]).for_each(|(to, from)| *to = *from);
            }
            5 => {
                let from = stream.below(other.len());
                let piece = &other[from..(from + n * 8).min(other.len())];
                let end = (at + if stream.below(2) == 0 { piece.len() } else { 0 }).min(bytes.len());
                bytes.splice(at.min(end)..end, piece.iter().copied());
            }
            _ => {
                let end = (at + n * 4).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                bytes.splice(at.min(end)..at.min(end), piece);
            }
        }
    }
    bytes
}

/// Reads damaged files until the budget is over; panics with target, run and bytes where the reader did.
/// Returns how many were read.
pub fn attack(target: &Target, budget: &Budget) -> u64 {
    let start = Instant::now();
    let mut run = 0;
    while !budget.is_over(run, start) {
        let mut stream = Stream::new(run);
        let seed = &target.seeds[stream.below(target.seeds.len())];
        let other = &target.seeds[stream.below(target.seeds.len())];
        let bytes = damaged(seed, other, &mut stream);
        let survived = catch_unwind(AssertUnwindSafe(|| (target.read)(&bytes))).is_ok();
        assert!(
            survived,
            "{} panicked in run {run} on {} bytes: {:02x?}",
            target.name,
            bytes.len(),
            &bytes[..bytes.len().min(1024)]
        );
        run += 1;
    }
    run
}
