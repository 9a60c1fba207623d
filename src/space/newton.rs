//! Damped Newton steps toward a point that a map leads to a target, in the plane and in space.

use std::ops::{Mul, Sub};

/// Most steps; a smooth warp needs fewer than ten.
const MOST_STEPS: usize = 60;

/// From `start` on, halves each step until the miss gets smaller. `miss(p)` is where the map leads `p` minus the
/// target, `step(p, miss)` the Newton step to subtract (`None` where the derivative is singular), `size` a
/// length. The last point where its miss is at most `tolerance`, else `None`. Costs a few maps and derivatives
/// a step.
pub(super) fn damped_newton<V>(
    start: V,
    tolerance: f64,
    miss: impl Fn(V) -> V,
    step: impl Fn(V, V) -> Option<V>,
    size: impl Fn(V) -> f64,
) -> Option<V>
where
    V: Copy + Sub<Output = V> + Mul<f64, Output = V>,
{
    let (mut p, mut now) = (start, miss(start));
    for _ in 0..MOST_STEPS {
        if size(now) <= tolerance {
            return Some(p);
        }
        let Some(full) = step(p, now) else { break };
        let mut share = 1.0;
        let (next, next_miss) = loop {
            let next = p - full * share;
            let next_miss = miss(next);
            if size(next_miss) < size(now) || share < 1e-4 {
                break (next, next_miss);
            }
            share *= 0.5;
        };
        (p, now) = (next, next_miss);
    }
    (size(now) <= tolerance).then_some(p)
}
