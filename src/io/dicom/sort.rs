//! Which slice and phase each frame is: a pure function of positions and time tags.
//! Slices are clusters of the position along the normal; phases are ordered by the first tag that
//! tells them apart; what cannot be placed is named, never reshaped.

/// What is known of a frame for sorting.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    /// Position along the normal, mm.
    pub position_mm: f64,
    /// Values of the phase tags, in the order in which they are tried.
    pub tags: [Option<f64>; 8],
    /// Acquisition number, time, instance; the later of two repeats is larger.
    pub acquired: [f64; 3],
}

/// Result of [`sort`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sorted {
    /// Mean position of each slice, rising.
    pub positions_mm: Vec<f64>,
    pub n_phases: usize,
    /// Index of the tag that ordered the phases; `None` where there is one phase.
    pub tag: Option<usize>,
    /// Value of that tag for each phase: median over the complete slices.
    pub values: Vec<f64>,
    /// Frame of (slice, phase) at `slice + n_slices · phase`.
    pub cells: Vec<Option<usize>>,
    /// Frames left out because a later one fills the same (slice, phase).
    pub repeats: Vec<usize>,
}

impl Sorted {
    pub fn n_slices(&self) -> usize {
        self.positions_mm.len()
    }

    pub fn frame(&self, slice: usize, phase: usize) -> Option<usize> {
        self.cells.get(slice + self.n_slices() * phase).copied().flatten()
    }

    /// (slice, phase) without a frame.
    pub fn missing(&self) -> Vec<(usize, usize)> {
        let n = self.n_slices().max(1);
        self.cells.iter().enumerate().filter(|(_, c)| c.is_none()).map(|(i, _)| (i % n, i / n)).collect()
    }
}

/// Tags before this one have the same meaning in every slice; values of later ones are taken relative to
/// the first of the slice.
const N_ABSOLUTE: usize = 3;

/// Sorts frames to slices and phases. `slice_mm` is the declared distance of slices, used only for the
/// tolerance. O(n log n).
pub(super) fn sort(keys: &[Key], slice_mm: Option<f64>) -> Sorted {
    let (slice_of, positions_mm) = clusters(keys, slice_mm);
    let mut slices = vec![Vec::new(); positions_mm.len()];
    for (frame, &slice) in slice_of.iter().enumerate() {
        slices[slice].push(frame);
    }
    let mut repeats = Vec::new();
    let tag = choose_tag(keys, &slices);
    for slice in &mut slices {
        drop_repeats(keys, tag, slice, &mut repeats);
    }
    if tag.is_some() {
        drop_earlier_runs(keys, tag, &mut slices, &mut repeats);
    }
    repeats.sort_unstable();
    let n_phases = slices.iter().map(Vec::len).max().unwrap_or(0);
    let values = tag.map_or_else(Vec::new, |t| reference(keys, t, &slices, n_phases));
    let mut cells = vec![None; slices.len() * n_phases];
    for (s, slice) in slices.iter().enumerate() {
        for (&frame, phase) in slice.iter().zip(phases_of(keys, tag, slice, &values, n_phases)) {
            cells[s + positions_mm.len() * phase] = Some(frame);
        }
    }
    Sorted { n_phases, tag: tag.filter(|_| n_phases > 1), values, cells, repeats, positions_mm }
}

/// Slice of each frame and the mean position of each slice. Tolerance min(0.1 × spacing, 0.5 mm).
fn clusters(keys: &[Key], slice_mm: Option<f64>) -> (Vec<usize>, Vec<f64>) {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[a].position_mm.total_cmp(&keys[b].position_mm).then(a.cmp(&b)));
    let gaps = || order.windows(2).map(|w| keys[w[1]].position_mm - keys[w[0]].position_mm);
    let from_gaps = || {
        let mut real: Vec<f64> = gaps().filter(|g| *g > 1e-3).collect();
        real.sort_by(f64::total_cmp);
        real.get(real.len() / 2).copied()
    };
    let limit = |spacing: Option<f64>| spacing.map_or(0.5, |s| (0.1 * s).min(0.5));
    let mut tolerance = limit(slice_mm.or_else(from_gaps));
    let chained = |tolerance: f64| {
        let mut width = 0.0;
        gaps().any(|g| {
            width = if g > tolerance { 0.0 } else { width + g };
            width > tolerance
        })
    };
    if chained(tolerance) {
        tolerance = limit(from_gaps()); // the declared distance was too large
    }
    let (mut slice_of, mut sums) = (vec![0; keys.len()], Vec::<(f64, f64)>::new());
    let mut last = f64::NEG_INFINITY;
    for &frame in &order {
        let position = keys[frame].position_mm;
        if sums.is_empty() || position - last > tolerance {
            sums.push((0.0, 0.0));
        }
        last = position;
        let at = sums.len() - 1;
        sums[at] = (sums[at].0 + position, sums[at].1 + 1.0);
        slice_of[frame] = at;
    }
    (slice_of, sums.iter().map(|(sum, n)| sum / n).collect())
}

/// The first tag that tells most frames of a slice apart, or that repeats the same values for the whole stack.
fn choose_tag(keys: &[Key], slices: &[Vec<usize>]) -> Option<usize> {
    let mut counts: Vec<usize> = slices.iter().map(Vec::len).collect();
    counts.sort_unstable();
    if counts.get(counts.len() / 2).is_none_or(|&n| n <= 1) {
        return None;
    }
    let n_tags = keys.first().map_or(0, |k| k.tags.len());
    let distinct = |tag: usize, slice: &[usize]| -> Option<usize> {
        let mut values: Vec<f64> = slice.iter().map(|&f| keys[f].tags[tag]).collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        values.dedup();
        Some(values.len())
    };
    let total = |tag: usize| -> Option<usize> { slices.iter().map(|s| distinct(tag, s)).sum() };
    let tells_apart = |tag: &usize| total(*tag).is_some_and(|n| n * 2 > keys.len());
    let whole_repeat =
        |tag: &usize| slices.iter().all(|s| distinct(*tag, s).is_some_and(|n| n >= 2 && s.len() % n == 0 && s.len() > n));
    (0..N_ABSOLUTE)
        .find(tells_apart)
        .or_else(|| (0..N_ABSOLUTE).find(whole_repeat))
        .or_else(|| (N_ABSOLUTE..n_tags).find(tells_apart))
}

fn later(keys: &[Key], a: usize, b: usize) -> std::cmp::Ordering {
    let (ka, kb) = (&keys[a].acquired, &keys[b].acquired);
    ka.iter().zip(kb).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or_else(|| a.cmp(&b))
}

fn value(keys: &[Key], tag: Option<usize>, frame: usize) -> f64 {
    tag.and_then(|t| keys[frame].tags[t]).unwrap_or(0.0)
}

/// Orders a slice by the tag; of equal values only the latest acquisition stays.
fn drop_repeats(keys: &[Key], tag: Option<usize>, slice: &mut Vec<usize>, repeats: &mut Vec<usize>) {
    slice.sort_by(|&a, &b| value(keys, tag, a).total_cmp(&value(keys, tag, b)).then_with(|| later(keys, a, b)));
    let mut kept: Vec<usize> = Vec::with_capacity(slice.len());
    for &frame in slice.iter() {
        if let Some(last) = kept.last_mut()
            && value(keys, tag, *last) == value(keys, tag, frame)
        {
            repeats.push(std::mem::replace(last, frame));
        } else {
            kept.push(frame);
        }
    }
    *slice = kept;
}

/// A slice with a whole multiple of the usual number of phases was acquired again at another heart rate:
/// only its latest run stays.
fn drop_earlier_runs(keys: &[Key], tag: Option<usize>, slices: &mut [Vec<usize>], repeats: &mut Vec<usize>) {
    let usual = slices.iter().map(Vec::len).find(|&n| slices.iter().filter(|s| s.len() == n).count() * 2 > slices.len());
    let Some(usual) = usual.filter(|&n| n >= 2) else { return };
    for slice in slices.iter_mut().filter(|s| s.len() > usual && s.len() % usual == 0) {
        slice.sort_by(|&a, &b| later(keys, a, b));
        repeats.extend(slice.drain(..slice.len() - usual));
        slice.sort_by(|&a, &b| value(keys, tag, a).total_cmp(&value(keys, tag, b)));
    }
}

/// Values of a slice, from its first where the tag counts through all slices.
fn slice_values(keys: &[Key], tag: usize, slice: &[usize]) -> Vec<f64> {
    let raw: Vec<f64> = slice.iter().map(|&f| value(keys, Some(tag), f)).collect();
    let zero = if tag < N_ABSOLUTE { 0.0 } else { raw.first().copied().unwrap_or(0.0) };
    raw.iter().map(|v| v - zero).collect()
}

fn reference(keys: &[Key], tag: usize, slices: &[Vec<usize>], n_phases: usize) -> Vec<f64> {
    let full: Vec<Vec<f64>> = slices.iter().filter(|s| s.len() == n_phases).map(|s| slice_values(keys, tag, s)).collect();
    (0..n_phases)
        .map(|p| {
            let mut at: Vec<f64> = full.iter().map(|v| v[p]).collect();
            at.sort_by(f64::total_cmp);
            at.get(at.len() / 2).copied().unwrap_or(0.0)
        })
        .collect()
}

/// Phase of each frame of a slice: its rank where the slice is complete, else the rising assignment with
/// the least sum of distances to the reference values.
fn phases_of(keys: &[Key], tag: Option<usize>, slice: &[usize], values: &[f64], n_phases: usize) -> Vec<usize> {
    let n = slice.len();
    let Some(tag) = tag.filter(|_| n < n_phases && n * n_phases <= 4_000_000) else { return (0..n).collect() };
    let own = slice_values(keys, tag, slice);
    // cost[i][j]: first i frames in the first j phases
    let width = n_phases + 1;
    let mut cost = vec![f64::INFINITY; (n + 1) * width];
    cost[..width].fill(0.0);
    for i in 1..=n {
        for j in i..=n_phases {
            let taken = cost[(i - 1) * width + j - 1] + (own[i - 1] - values[j - 1]).abs();
            cost[i * width + j] = taken.min(cost[i * width + j - 1]);
        }
    }
    let (mut i, mut j, mut phases) = (n, n_phases, vec![0; n]);
    while i > 0 && j > 0 {
        if j > i && cost[i * width + j] == cost[i * width + j - 1] {
            j -= 1;
        } else {
            phases[i - 1] = j - 1;
            (i, j) = (i - 1, j - 1);
        }
    }
    phases
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
