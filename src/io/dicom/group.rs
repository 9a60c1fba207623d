//! Frames to stacks: one series splits by orientation, matrix, spacing and magnitude or phase; series
//! with one slice each that lie on one grid become one stack.

use super::geometry::{Placement, placement};
use super::header::FrameHeader;
use super::sort::{Key, Sorted, sort};
use crate::base::Warnings;
use crate::space::DVec3;
use std::collections::BTreeMap;

const MAX_STACKS_PER_SERIES: usize = 1024;

/// Frames that belong together, sorted.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub frames: Vec<FrameHeader>,
    pub sorted: Sorted,
}

impl Stack {
    fn new(frames: Vec<FrameHeader>) -> Self {
        let normal = frames.first().and_then(|f| f.axes).map_or(DVec3::Z, |(right, down)| right.cross(down));
        let keys: Vec<Key> = frames
            .iter()
            .map(|f| Key { position_mm: f.position.map_or(0.0, |p| p.dot(normal)), tags: f.phase_tags, acquired: f.acquired })
            .collect();
        let slice_mm = frames.first().and_then(|f| f.slice_mm);
        let sorted = sort(&keys, slice_mm);
        Self { frames, sorted }
    }

    /// Unit vector along which slices rise; z where there is no orientation.
    pub fn normal(&self) -> DVec3 {
        self.frames.first().and_then(|f| f.axes).map_or(DVec3::Z, |(right, down)| right.cross(down))
    }

    /// Position of each slice: that of its first frame.
    pub fn positions(&self) -> Vec<DVec3> {
        let position =
            |s: usize| (0..self.sorted.n_phases).find_map(|p| self.sorted.frame(s, p)).and_then(|f| self.frames[f].position);
        (0..self.sorted.n_slices()).map(|s| position(s).unwrap_or_default()).collect()
    }
}

/// Groups and sorts the headers of all files. Deterministic: the order is by series number, then UID.
pub(super) fn stacks(mut headers: Vec<FrameHeader>, warnings: &mut Warnings) -> Vec<Stack> {
    for header in &mut headers {
        if header.axes.is_none() || header.position.is_none() {
            (header.axes, header.position) = (None, None);
        }
    }
    headers.sort_by(|a, b| {
        (a.series_number, &a.series_uid, a.file, a.frame).cmp(&(b.series_number, &b.series_uid, b.file, b.frame))
    });
    let mut groups: Vec<Vec<FrameHeader>> = Vec::new();
    let mut of_series: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut n_dropped = 0;
    for header in headers {
        let known = of_series.entry((header.study_uid.clone(), header.series_uid.clone())).or_default();
        if let Some(&at) = known.iter().rev().find(|&&g| groups[g].first().is_some_and(|first| same_stack(first, &header))) {
            groups[at].push(header);
        } else if known.len() < MAX_STACKS_PER_SERIES {
            known.push(groups.len());
            groups.push(vec![header]);
        } else {
            n_dropped += 1;
        }
    }
    if n_dropped > 0 {
        warnings.warn(
            "too-many-stacks",
            format!("{n_dropped} frames beyond {MAX_STACKS_PER_SERIES} orientations of a series are left out"),
            None,
        );
    }
    for (series, parts) in of_series.values().enumerate().filter(|(_, parts)| parts.len() > 1) {
        let name = groups[parts[0]][0].series_number;
        warnings.note(
            "split-series",
            format!(
                "series {name} (number {series} in the folder) holds {} orientations or image types, shown apart",
                parts.len()
            ),
            None,
        );
    }
    assemble_series(groups.into_iter().map(Stack::new).collect(), warnings)
}

fn close(a: Option<(f64, f64)>, b: Option<(f64, f64)>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a.0 - b.0).abs() <= 1e-4 * a.0 && (a.1 - b.1).abs() <= 1e-4 * a.1,
        (None, None) => true,
        _ => false,
    }
}

fn same_axes(a: &FrameHeader, b: &FrameHeader) -> bool {
    match (a.axes, b.axes) {
        (Some(a), Some(b)) => (a.0 - b.0).abs().max_element() < 1e-3 && (a.1 - b.1).abs().max_element() < 1e-3,
        // loops without a place are different views, even within a series
        (None, None) => a.file == b.file || (a.n_frames == 1 && b.n_frames == 1),
        _ => false,
    }
}

fn same_stack(a: &FrameHeader, b: &FrameHeader) -> bool {
    (a.layout.rows, a.layout.columns, a.layout.kind(), a.component)
        == (b.layout.rows, b.layout.columns, b.layout.kind(), b.component)
        && a.modality == b.modality
        && close(a.spacing_mm, b.spacing_mm)
        && same_axes(a, b)
}

/// Joins series of one slice each: same geometry but place, same number of phases, on one grid.
fn assemble_series(stacks: Vec<Stack>, warnings: &mut Warnings) -> Vec<Stack> {
    let mut candidates: Vec<Vec<usize>> = Vec::new();
    for (at, stack) in stacks.iter().enumerate() {
        if stack.sorted.n_slices() != 1 || stack.frames[0].axes.is_none() || stack.frames[0].n_frames > 1 {
            continue;
        }
        let fits = |list: &&mut Vec<usize>| fits_beside(&stacks, list, stack);
        match candidates.iter_mut().find(fits) {
            Some(list) => list.push(at),
            None => candidates.push(vec![at]),
        }
    }
    candidates.retain(|list| list.len() > 1 && on_one_grid(&stacks, list));
    let mut joined: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut taken = vec![false; stacks.len()];
    for list in candidates {
        for &at in &list {
            taken[at] = true;
        }
        joined.insert(list[0], list);
    }
    (0..stacks.len())
        .filter_map(|at| match joined.get(&at) {
            Some(list) => {
                warnings.note(
                    "assembled-series",
                    format!("{} series of one slice each lie on one grid and were joined to a stack", list.len()),
                    None,
                );
                Some(Stack::new(list.iter().flat_map(|&i| stacks[i].frames.iter().cloned()).collect()))
            }
            None => (!taken[at]).then(|| stacks[at].clone()),
        })
        .collect()
}

fn fits_beside(stacks: &[Stack], list: &[usize], stack: &Stack) -> bool {
    let (first, new) = (&stacks[list[0]], &stack.frames[0]);
    let old = &first.frames[0];
    let place = |s: &Stack| s.frames[0].position.unwrap_or_default().dot(first.normal());
    same_stack(old, new)
        && old.study_uid == new.study_uid
        && old.frame_of_reference == new.frame_of_reference
        && old.series_uid != new.series_uid
        && first.sorted.n_phases == stack.sorted.n_phases
        && first.sorted.tag == stack.sorted.tag
        && list.iter().all(|&other| (place(&stacks[other]) - place(stack)).abs() > 0.5)
}

fn on_one_grid(stacks: &[Stack], list: &[usize]) -> bool {
    let normal = stacks[list[0]].normal();
    let mut positions: Vec<DVec3> = list.iter().filter_map(|&at| stacks[at].frames[0].position).collect();
    positions.sort_by(|a, b| a.dot(normal).total_cmp(&b.dot(normal)));
    matches!(placement(&positions, normal), Placement::Uniform { .. })
}
