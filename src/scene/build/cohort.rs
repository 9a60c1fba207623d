//! Who has what: subjects across, views down; there is filled, missing is hatched, excluded is struck. Bars
//! above show batch and outcome. Subjects with the same views stand together, the commonest first.
//!
//! One pane millimeter is the width of one subject.

use super::Inputs;
use super::shared::Pane;
use crate::model::{Cohort, Covariate, ElementId, OUTCOME, Values};
use crate::scene::paint::text_width;
use crate::scene::{Camera, Corner, Ink, Mark, PaneKind, Scene, color};
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fill of what is there.
const PRESENT: [u8; 3] = [0x56, 0xB4, 0xE9];
const GRAY: [u8; 3] = [0x9A, 0xA1, 0xAA];
/// Levels of a bar (Okabe and Ito, without the blue of what is there).
const LEVELS: [[u8; 3]; 6] =
    [[0xE6, 0x9F, 0x00], [0x00, 0x9E, 0x73], [0xCC, 0x79, 0xA7], [0xF0, 0xE4, 0x42], [0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2]];
/// Covariates that are drawn as bars, from the top.
const BARS: [&str; 4] = [OUTCOME, "group", "batch", "site"];
/// More levels than this are no bar.
const MOST_LEVELS: usize = 6;
/// Text height in points, as the painters draw labels.
const TEXT: f64 = 11.0;

/// What lies under a place of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortHit {
    /// Number of the subject.
    pub subject: usize,
    /// Number of the view; `None` on the bars.
    pub view: Option<usize>,
    /// What to say: subject, view, reason.
    pub lines: Vec<String>,
}

/// The cohort that the view names, else the first.
pub(super) fn cohort<'a>(inputs: &Inputs<'a>) -> Option<(ElementId, &'a Arc<Cohort>)> {
    let named = inputs.view.cohort.and_then(|id| inputs.study.cohort(id).map(|c| (id, c)));
    named.or_else(|| inputs.study.cohorts().next())
}

/// Where everything is, in pane mm.
struct Plan<'a> {
    cohort: &'a Cohort,
    excluded: BTreeMap<&'a str, &'a str>,
    /// Subjects from left to right with their column.
    columns: Vec<(usize, f64)>,
    /// First column and number of columns of each pattern of views.
    blocks: Vec<(f64, usize)>,
    bars: Vec<&'a Covariate>,
    bar_height: f64,
    row_height: f64,
    gap: f64,
    /// Physical pixels per subject, per point.
    cell_px: f64,
    point: f64,
    camera: Camera,
}

impl<'a> Plan<'a> {
    fn of(inputs: &Inputs<'a>, size_px: [u32; 2]) -> Option<Self> {
        let (id, cohort) = cohort(inputs)?;
        let excluded = inputs.study.subjects_left_out(id);
        let (columns, blocks) = arrange(cohort, &excluded);
        let bars: Vec<&Covariate> = BARS.iter().filter_map(|b| cohort.covariate(b)).filter(|c| is_bar(c)).collect();
        let point = f64::from(inputs.pixels_per_point);
        let [width, height] = size_px.map(|v| f64::from(v) / point);
        let names = cohort.views().iter().map(row_name).chain(bars.iter().map(|b| b.name.clone()));
        let label = names.map(|n| text_width(&n, TEXT, false)).fold(40.0, f64::max) + 20.0;
        let right = columns.last().map_or(1.0, |c| c.1 + 1.0);
        let cell = ((width - label - 16.0) / right).clamp(1.5, 30.0);
        let (bar, gap, top, bottom) = (12.0, 4.0, 40.0, 84.0);
        let (n_bars, n_rows) = (bars.len() as f64, cohort.views().len().max(1) as f64);
        let room = height - top - bottom - n_bars * (bar + gap) - n_rows * gap;
        let row = (room / n_rows).clamp(10.0, 72.0);
        let used = n_bars * (bar + gap) + n_rows * (row + gap);
        // The map lies in the middle of what title and legend leave.
        let center_y = used / 2.0 + (bottom - top) / 2.0;
        let center_x = (right * cell - label) / 2.0;
        let fitted = Camera { center: DVec2::new(center_x, center_y) / cell, mm_per_px: 1.0 / (cell * point) };
        let own = inputs.view.panes.get(&PaneKind::Cohort).and_then(|p| p.camera);
        Some(Self {
            cohort,
            excluded,
            columns,
            blocks,
            bars,
            bar_height: bar / cell,
            row_height: row / cell,
            gap: gap / cell,
            cell_px: cell * point,
            point,
            camera: own.unwrap_or(fitted),
        })
    }

    fn bar_top(&self, bar: usize) -> f64 {
        bar as f64 * (self.bar_height + self.gap)
    }

    fn row_top(&self, view: usize) -> f64 {
        self.bar_top(self.bars.len()) + view as f64 * (self.row_height + self.gap)
    }

    fn reason(&self, subject: usize) -> Option<&'a str> {
        self.excluded.get(self.cohort.subjects()[subject].id.as_str()).copied()
    }

    /// Points as pane mm at the fitted zoom.
    fn mm(&self, points: f64) -> f64 {
        points * self.point / self.cell_px
    }
}

fn row_name(view: &crate::model::CohortView) -> String {
    let n = view.missing.iter().filter(|m| m.is_none()).count();
    format!("{} {n}/{}", view.name, view.missing.len())
}

fn is_bar(covariate: &Covariate) -> bool {
    let n = covariate.values.levels().len();
    n > 0 && (n <= MOST_LEVELS || matches!(covariate.values, Values::Number(_)))
}

/// Columns: kept subjects by pattern (commonest first), then by outcome; the excluded ones apart at the end.
fn arrange(cohort: &Cohort, excluded: &BTreeMap<&str, &str>) -> (Vec<(usize, f64)>, Vec<(f64, usize)>) {
    let is_kept = |i: usize| !excluded.contains_key(cohort.subjects()[i].id.as_str());
    let outcome = |i: &usize| cohort.outcome().and_then(|o| o.values.text(*i));
    let (mut columns, mut blocks) = (Vec::new(), Vec::new());
    for pattern in cohort.patterns(is_kept) {
        blocks.push((columns.len() as f64, pattern.subjects.len()));
        let mut subjects = pattern.subjects;
        subjects.sort_by_key(outcome);
        columns.extend(
            subjects.into_iter().enumerate().map(|(k, i)| (i, (blocks.last().map_or(0.0, |b: &(f64, usize)| b.0)) + k as f64)),
        );
    }
    let start = columns.len() as f64 + if columns.is_empty() { 0.0 } else { 0.8 };
    let apart = (0..cohort.subjects().len()).filter(|&i| !is_kept(i));
    columns.extend(apart.enumerate().map(|(k, i)| (i, start + k as f64)).collect::<Vec<_>>());
    (columns, blocks)
}

/// The subject and view under a place of the map.
#[must_use]
pub fn cohort_hit(inputs: &Inputs<'_>, size_px: [u32; 2], p: DVec2) -> Option<CohortHit> {
    let plan = Plan::of(inputs, size_px)?;
    let subject = plan.columns.iter().find(|(_, x)| (*x..x + 1.0).contains(&p.x))?.0;
    let view = (0..plan.cohort.views().len()).find(|&v| (plan.row_top(v)..plan.row_top(v) + plan.row_height).contains(&p.y));
    let bar = (0..plan.bars.len()).find(|&b| (plan.bar_top(b)..plan.bar_top(b) + plan.bar_height).contains(&p.y));
    let person = &plan.cohort.subjects()[subject];
    let mut lines = vec![person.id.clone()];
    if person.patient != person.id {
        lines[0] = format!("{} (patient {})", person.id, person.patient);
    }
    match (view, bar) {
        (Some(v), _) => lines.push(about_view(&plan, v, subject)),
        (None, Some(b)) => {
            let value = plan.bars[b].values.text(subject).unwrap_or("missing".into());
            lines.push(format!("{}: {value}", plan.bars[b].name));
        }
        (None, None) => return None,
    }
    if let Some(reason) = plan.reason(subject) {
        lines.push(format!("excluded: {reason}"));
    }
    Some(CohortHit { subject, view, lines })
}

fn about_view(plan: &Plan<'_>, view: usize, subject: usize) -> String {
    let of = &plan.cohort.views()[view];
    match &of.missing[subject] {
        Some(why) => format!("{}: missing, {why}", of.name),
        None => {
            let empty = of.row(subject).map_or(0, |r| r.iter().filter(|v| v.is_nan()).count());
            let n = of.features().len();
            if empty == 0 { format!("{}: {n} values", of.name) } else { format!("{}: {} of {n} values", of.name, n - empty) }
        }
    }
}

pub(super) fn cohort_scene(inputs: &Inputs<'_>, size_px: [u32; 2]) -> Scene {
    let Some(plan) = Plan::of(inputs, size_px) else {
        let how = "Drop a sample sheet here: a CSV with a column subject";
        return Pane::empty(inputs, size_px, &["Patients side by side, and which view is missing", how]);
    };
    let mut pane = Pane::new(inputs, size_px, plan.camera);
    for bar in 0..plan.bars.len() {
        draw_bar(&mut pane, &plan, bar);
    }
    for view in 0..plan.cohort.views().len() {
        draw_row(&mut pane, &plan, view);
    }
    counts(&mut pane, &plan);
    strikes(&mut pane, &plan);
    lit(&mut pane, inputs, &plan);
    let (n, left_out) = (plan.cohort.subjects().len(), plan.columns.iter().filter(|(i, _)| plan.reason(*i).is_some()).count());
    let mut title = format!("{}: {n} subjects", plan.cohort.name());
    if left_out > 0 {
        title = format!("{title}, {left_out} excluded");
    }
    pane.text(Corner::TopLeft, vec![title]);
    legend(&mut pane, &plan, size_px);
    pane.scene
}

fn cell(x: f64, width: f64, top: f64, height: f64, inset: f64) -> Vec<DVec2> {
    let (a, b) = (DVec2::new(x + inset, top), DVec2::new(x + width - inset, top + height));
    vec![a, DVec2::new(b.x, a.y), b, DVec2::new(a.x, b.y)]
}

/// Neighboring cells of one look, as one rectangle where a cell is too narrow to be told apart.
fn runs<T: PartialEq>(plan: &Plan<'_>, look: impl Fn(usize) -> T) -> Vec<(f64, f64, T)> {
    let joins = plan.cell_px < 4.0 * plan.point;
    let mut runs: Vec<(f64, f64, T)> = Vec::new();
    for &(subject, x) in &plan.columns {
        let look = look(subject);
        match runs.last_mut() {
            Some((start, width, last)) if joins && *last == look && (*start + *width - x).abs() < 1e-9 => *width += 1.0,
            _ => runs.push((x, 1.0, look)),
        }
    }
    runs
}

fn draw_row(pane: &mut Pane, plan: &Plan<'_>, view: usize) {
    let of = &plan.cohort.views()[view];
    let (top, height) = (plan.row_top(view), plan.row_height);
    let inset = if plan.cell_px < 4.0 * plan.point { 0.0 } else { plan.mm(0.75) };
    for (x, width, (missing, is_out)) in runs(plan, |i| (of.missing[i].is_some(), plan.reason(i).is_some())) {
        let points = cell(x, width, top, height, inset);
        let [r, g, b] = if missing { GRAY } else { PRESENT };
        let alpha = if is_out { 90 } else { 235 };
        if missing {
            let width_px = pane.px(1.0);
            pane.mark(Mark::Fill { points: points.clone(), rgba: [r, g, b, if is_out { 110 } else { 220 }], hatched: true });
            if plan.cell_px >= 8.0 * plan.point {
                pane.mark(Mark::Line { points, closed: true, ink: Ink::Rgb([0x4A, 0x50, 0x58]), width_px, dashed: false });
            }
        } else {
            pane.mark(Mark::Fill { points, rgba: [r, g, b, alpha], hatched: false });
        }
    }
    label(pane, plan, &row_name(of), top + height / 2.0, Ink::Plain);
}

/// A name that ends left of the map.
fn label(pane: &mut Pane, plan: &Plan<'_>, text: &str, y: f64, ink: Ink) {
    let half = text_width(text, TEXT, false) / 2.0 + 8.0;
    // The name stays beside the map at every zoom.
    let per_point = plan.point * plan.camera.mm_per_px;
    pane.mark(Mark::Label { at: DVec2::new(-half * per_point, y), text: text.to_owned(), ink });
}

fn bar_color(covariate: &Covariate, subject: usize) -> Option<[u8; 3]> {
    let levels = covariate.values.levels();
    match &covariate.values {
        Values::Number(v) if levels.len() > MOST_LEVELS => {
            let there = || v.iter().flatten().copied();
            let (low, high) = (there().fold(f64::INFINITY, f64::min), there().fold(f64::NEG_INFINITY, f64::max));
            let value = v[subject]?;
            Some(color(crate::model::ColorMap::Viridis, ((value - low) / (high - low).max(1e-12)) as f32))
        }
        _ => {
            let text = covariate.values.text(subject)?;
            let place = levels.iter().position(|l| *l == text)?;
            Some(level_color(covariate, place))
        }
    }
}

/// The first level of an outcome is quiet.
fn level_color(covariate: &Covariate, level: usize) -> [u8; 3] {
    match (covariate.name.as_str(), level) {
        (OUTCOME, 0) => [0x5F, 0x66, 0x70],
        (OUTCOME, n) => LEVELS[(n + 3) % LEVELS.len()],
        (_, n) => LEVELS[n % LEVELS.len()],
    }
}

fn draw_bar(pane: &mut Pane, plan: &Plan<'_>, bar: usize) {
    let covariate = plan.bars[bar];
    let (top, height) = (plan.bar_top(bar), plan.bar_height);
    let inset = if plan.cell_px < 4.0 * plan.point { 0.0 } else { plan.mm(0.75) };
    for (x, width, found) in runs(plan, |i| bar_color(covariate, i)) {
        let [r, g, b] = found.unwrap_or(GRAY);
        pane.mark(Mark::Fill { points: cell(x, width, top, height, inset), rgba: [r, g, b, 255], hatched: found.is_none() });
    }
    label(pane, plan, &covariate.name, top + height / 2.0, Ink::Dim);
}

/// How many subjects have each pattern, below it, with a line between patterns.
fn counts(pane: &mut Pane, plan: &Plan<'_>) {
    let n_views = plan.cohort.views().len();
    if n_views == 0 {
        return;
    }
    let bottom = plan.row_top(n_views);
    for &(start, n) in &plan.blocks {
        let text = n.to_string();
        if text_width(&text, TEXT, false) + 4.0 <= n as f64 * plan.cell_px / plan.point {
            let at = DVec2::new(start + n as f64 / 2.0, bottom + plan.mm(8.0));
            pane.mark(Mark::Label { at, text, ink: Ink::Dim });
        }
        if start > 0.0 {
            let points = vec![DVec2::new(start, plan.row_top(0)), DVec2::new(start, bottom + plan.mm(6.0))];
            pane.line(points, Ink::Dim, 1.0, false);
        }
    }
}

/// Excluded subjects are struck in every view.
fn strikes(pane: &mut Pane, plan: &Plan<'_>) {
    for &(_, x) in plan.columns.iter().filter(|(i, _)| plan.reason(*i).is_some()) {
        for view in 0..plan.cohort.views().len() {
            let (top, bottom) = (plan.row_top(view), plan.row_top(view) + plan.row_height);
            pane.line(vec![DVec2::new(x + 0.1, bottom), DVec2::new(x + 0.9, top)], Ink::Warning, 1.5, false);
        }
    }
}

/// A frame around the selected subject.
fn lit(pane: &mut Pane, inputs: &Inputs<'_>, plan: &Plan<'_>) {
    let Some(&(_, x)) = inputs.view.lit_subject.and_then(|s| plan.columns.iter().find(|(i, _)| *i == s)) else { return };
    let (top, bottom) = (-plan.mm(3.0), plan.row_top(plan.cohort.views().len()) - plan.gap + plan.mm(3.0));
    let width_px = pane.px(1.5);
    let points = cell(x, 1.0, top, bottom - top, -plan.mm(1.0));
    pane.mark(Mark::Line { points, closed: true, ink: Ink::Accent, width_px, dashed: false });
}

/// One thing that the legend explains.
struct Key {
    text: String,
    rgb: [u8; 3],
    hatched: bool,
    struck: bool,
}

fn keys(plan: &Plan<'_>) -> Vec<Key> {
    let key = |text: &str, rgb, hatched, struck| Key { text: text.to_owned(), rgb, hatched, struck };
    let mut keys =
        vec![key("there", PRESENT, false, false), key("missing", GRAY, true, false), key("excluded", GRAY, false, true)];
    for bar in &plan.bars {
        let levels = bar.values.levels();
        if levels.len() <= MOST_LEVELS {
            for (i, level) in levels.iter().enumerate() {
                keys.push(key(&format!("{} {level}", bar.name), level_color(bar, i), false, false));
            }
        }
    }
    keys
}

/// The legend fills lines from the bottom left of the pane, whatever the zoom.
fn legend(pane: &mut Pane, plan: &Plan<'_>, size_px: [u32; 2]) {
    let [width, height] = size_px.map(|v| f64::from(v) / plan.point);
    let keys = keys(plan);
    let wide = |k: &Key| text_width(&k.text, TEXT, false) + 32.0;
    let (mut lines, mut x): (Vec<Vec<(f64, &Key)>>, f64) = (vec![Vec::new()], 12.0);
    for key in &keys {
        if x + wide(key) > width - 8.0 && x > 12.0 {
            lines.push(Vec::new());
            x = 12.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, key));
        }
        x += wide(key);
    }
    let n = lines.len();
    let at = |x: f64, y: f64| plan.camera.mm_from_px(size_px, DVec2::new(x, y) * plan.point);
    for (row, line) in lines.into_iter().enumerate() {
        let y = height - 14.0 - (n - 1 - row) as f64 * 18.0;
        for (x, key) in line {
            let points = vec![at(x, y - 5.0), at(x + 10.0, y - 5.0), at(x + 10.0, y + 5.0), at(x, y + 5.0)];
            let [r, g, b] = key.rgb;
            let alpha = if key.struck { 90 } else { 255 };
            pane.mark(Mark::Fill { points, rgba: [r, g, b, alpha], hatched: key.hatched });
            if key.struck {
                pane.line(vec![at(x + 1.0, y + 5.0), at(x + 9.0, y - 5.0)], Ink::Warning, 1.5, false);
            }
            let half = text_width(&key.text, TEXT, false) / 2.0;
            pane.mark(Mark::Label { at: at(x + 15.0 + half, y), text: key.text.clone(), ink: Ink::Dim });
        }
    }
}
