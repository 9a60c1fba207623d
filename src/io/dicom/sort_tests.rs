//! Each way in which sorting can go wrong, on tables of frames.

use super::*;

const TRIGGER: usize = 0;
const PERCENT: usize = 1;
const CONTENT_TIME: usize = 3;
const INSTANCE: usize = 6;

/// A frame at (position, tag = value, instance).
fn key(position_mm: f64, tag: usize, value: f64, instance: usize) -> Key {
    let mut key = Key { position_mm, acquired: [0.0, 0.0, instance as f64], ..Key::default() };
    key.tags[INSTANCE] = Some(instance as f64);
    key.tags[tag] = Some(value);
    key
}

/// `n_slices` × `n_phases`, 10 mm and 30 units apart, in an order that is neither.
fn cine(n_slices: usize, n_phases: usize, tag: usize) -> Vec<Key> {
    let n = n_slices * n_phases;
    (0..n).map(|i| (i * 7919 + 13) % n).map(|i| key((i % n_slices) as f64 * 10.0, tag, (i / n_slices) as f64 * 30.0, i)).collect()
}

fn assert_in_order(keys: &[Key], sorted: &Sorted, tag: usize) {
    for s in 0..sorted.n_slices() {
        for p in 0..sorted.n_phases {
            let frame = sorted.frame(s, p).expect("complete");
            assert!((keys[frame].position_mm - sorted.positions_mm[s]).abs() < 0.5);
            assert_eq!(keys[frame].tags[tag], Some(sorted.values[p]));
        }
    }
}

#[test]
fn shuffled_cine_is_sorted_by_each_tag() {
    for tag in [TRIGGER, PERCENT, 2] {
        let keys = cine(12, 25, tag);
        let sorted = sort(&keys, Some(10.0));
        assert_eq!((sorted.n_slices(), sorted.n_phases, sorted.tag), (12, 25, Some(tag)));
        assert_in_order(&keys, &sorted, tag);
        assert!(sorted.missing().is_empty() && sorted.repeats.is_empty());
    }
}

#[test]
fn constant_trigger_time_falls_to_the_next_tag() {
    let mut keys = cine(3, 5, CONTENT_TIME);
    for key in &mut keys {
        key.tags[TRIGGER] = Some(0.0);
    }
    assert_eq!(sort(&keys, None).tag, Some(CONTENT_TIME));
    for key in &mut keys {
        key.tags[CONTENT_TIME] = None;
    }
    assert_eq!(sort(&keys, None).tag, Some(INSTANCE));
}

#[test]
fn jitter_of_positions_stays_in_a_slice() {
    let mut keys = cine(4, 9, TRIGGER);
    for (i, key) in keys.iter_mut().enumerate() {
        key.position_mm += (i % 5) as f64 * 0.01;
    }
    for slice_mm in [Some(10.0), Some(8.0)] {
        assert_eq!(sort(&keys, slice_mm).n_slices(), 4);
    }
}

#[test]
fn thin_slices_stay_apart_though_thickness_is_large() {
    let keys: Vec<Key> = (0..40).map(|i| key(f64::from(i) * 0.4, INSTANCE, f64::from(i), i as usize)).collect();
    for slice_mm in [None, Some(0.4), Some(5.0)] {
        let sorted = sort(&keys, slice_mm);
        assert_eq!((sorted.n_slices(), sorted.n_phases, sorted.tag), (40, 1, None));
    }
}

#[test]
fn repeated_image_keeps_the_latest() {
    let mut keys = cine(3, 4, TRIGGER);
    keys.push(Key { acquired: [1.0, 0.0, 99.0], ..key(10.0, TRIGGER, 60.0, 99) });
    let sorted = sort(&keys, Some(10.0));
    assert_eq!(sorted.n_phases, 4);
    assert_eq!(sorted.frame(1, 2), Some(12));
    assert_eq!(sorted.repeats.len(), 1);
    assert_eq!((keys[sorted.repeats[0]].position_mm, keys[sorted.repeats[0]].tags[TRIGGER]), (10.0, Some(60.0)));
}

#[test]
fn slice_acquired_again_at_another_heart_rate_keeps_the_latest_run() {
    let mut keys = cine(5, 6, TRIGGER);
    keys.extend((0..6).map(|p| Key { acquired: [2.0, 0.0, 0.0], ..key(20.0, TRIGGER, f64::from(p) * 31.0 + 1.0, 200) }));
    let sorted = sort(&keys, Some(10.0));
    assert_eq!((sorted.n_phases, sorted.repeats.len()), (6, 6));
    assert!((0..6).all(|p| sorted.frame(2, p) == Some(30 + p)));
}

#[test]
fn whole_stack_acquired_twice_is_a_repeat() {
    let mut keys = cine(3, 5, TRIGGER);
    keys.extend(cine(3, 5, TRIGGER).into_iter().map(|k| Key { acquired: [2.0, 0.0, 0.0], ..k }));
    let sorted = sort(&keys, Some(10.0));
    assert_eq!((sorted.n_phases, sorted.tag, sorted.repeats.len()), (5, Some(TRIGGER), 15));
    assert!(sorted.cells.iter().all(|c| c.is_some_and(|f| f >= 15)));
}

#[test]
fn missing_phase_is_found_by_time() {
    for (tag, instance_counts_on) in [(TRIGGER, false), (INSTANCE, true)] {
        let mut keys: Vec<Key> = (0..4)
            .flat_map(|s| {
                (0..10).map(move |p| {
                    key(
                        f64::from(s) * 8.0,
                        tag,
                        if instance_counts_on { f64::from(s * 10 + p) } else { f64::from(p) * 30.0 + f64::from(s) },
                        0,
                    )
                })
            })
            .collect();
        keys.remove(2 * 10 + 6);
        let sorted = sort(&keys, None);
        assert_eq!((sorted.n_phases, sorted.tag), (10, Some(tag)));
        assert_eq!(sorted.missing(), vec![(2, 6)]);
        assert_eq!(sorted.frame(2, 7), Some(26));
    }
}

#[test]
fn static_volume_with_a_repeat_has_one_phase() {
    let mut keys: Vec<Key> = (0..20).map(|i| key(f64::from(19 - i) * 3.0, CONTENT_TIME, f64::from(i), i as usize)).collect();
    keys.push(key(30.0, CONTENT_TIME, 100.0, 77));
    let sorted = sort(&keys, Some(3.0));
    assert_eq!((sorted.n_slices(), sorted.n_phases, sorted.tag, sorted.repeats.len()), (20, 1, None, 1));
    assert_eq!(sorted.frame(10, 0), Some(20));
    assert_eq!(sorted.frame(0, 0), Some(19));
}

#[test]
fn nothing_to_sort() {
    assert_eq!(sort(&[], None).n_slices(), 0);
    let one = sort(&[Key::default()], None);
    assert_eq!((one.n_slices(), one.n_phases, one.tag), (1, 1, None));
    let same = vec![Key::default(); 5];
    let sorted = sort(&same, None);
    assert_eq!((sorted.n_phases, sorted.repeats.len()), (1, 4));
}
