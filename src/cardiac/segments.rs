//! The 17 segments of the left ventricle (Cerqueira et al. 2002) in patient space.
//!
//! The sense of the angle comes from the long axis alone and never from the right ventricle: where that
//! lies on the wrong side, the data are mirrored and the finding says so.

use super::bullseye::segment_name;
use super::frame::{Level, SegmentFrame, angle_deg};
use super::insertions::Insertions;
use super::stack::{Stack, position};
use crate::base::{Error, Result, Severity};
use crate::model::{Finding, LabelEntry, LabelMap};
use crate::space::DVec3;

/// Where the angle starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// At the anterior insertion of the right ventricle, six times 60°.
    #[default]
    Anterior,
    /// 60° before the middle of the septum, six times 60°.
    MidSeptum,
    /// Septum between both insertions in two arcs, free wall in four.
    Both,
}

impl Anchor {
    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anterior => "anterior",
            Self::MidSeptum => "mid-septum",
            Self::Both => "both",
        }
    }

    /// The anchor of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Anterior, Self::MidSeptum, Self::Both].into_iter().find(|a| a.name() == name)
    }
}

/// How basal, mid and apical are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Levels {
    /// Thirds of the slices that have muscle all around.
    #[default]
    Thirds,
    /// Thirds of the cavity's length along the long axis.
    Continuous,
}

impl Levels {
    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Thirds => "thirds",
            Self::Continuous => "continuous",
        }
    }

    /// The levels of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Thirds, Self::Continuous].into_iter().find(|l| l.name() == name)
    }
}

/// What can be chosen or given. Points are patient LPS mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentSettings {
    /// Where the angle starts.
    pub anchor: Anchor,
    /// How levels are told apart.
    pub levels: Levels,
    /// Anterior and inferior insertion; found from the right ventricle where not given.
    pub insertions: Option<[DVec3; 2]>,
    /// Apical end of the cavity.
    pub apex: Option<DVec3>,
    /// Middle of the mitral annulus.
    pub base: Option<DVec3>,
    /// Label of the left ventricle's cavity.
    pub lv: u8,
    /// Label of its myocardium.
    pub myo: u8,
    /// Label of the right ventricle's cavity.
    pub rv: u8,
}

impl Default for SegmentSettings {
    fn default() -> Self {
        Self { anchor: Anchor::Anterior, levels: Levels::Thirds, insertions: None, apex: None, base: None, lv: 3, myo: 2, rv: 1 }
    }
}

/// The result.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// Values 1 to 17 on the grid of the input, one phase.
    pub labels: LabelMap,
    /// Anterior and inferior insertion, given or found (patient mm).
    pub insertions: [DVec3; 2],
    /// Apical end of the cavity on the long axis (patient mm).
    pub apex: DVec3,
    /// Its basal end (patient mm).
    pub base: DVec3,
    /// Anchor, levels and sources, for every export.
    pub method: String,
    /// Mirrored data, assumptions, discs left out.
    pub findings: Vec<Finding>,
    /// Which segment any point lies in.
    pub frame: SegmentFrame,
    /// The settings used.
    pub settings: SegmentSettings,
    /// The phase of the input.
    pub phase: usize,
    /// Whether the septum is known; without it the numbers of segments mean nothing.
    pub septum_known: bool,
}

/// Assigns every myocardial voxel of one phase to a segment; voxels in slices that are left out get 0.
/// [`Error::Degenerate`] without cavity, muscle, a closed ring or a known septum. Costs one pass over
/// the voxels.
pub fn segment_labels(labels: &LabelMap, phase: usize, settings: &SegmentSettings) -> Result<Segmentation> {
    let stack = Stack::new(labels, phase, settings)?;
    if !stack.discs.iter().any(|d| d.is_ring) {
        return Err(Error::degenerate(format!(
            "no slice of '{}' has myocardium (label {}) in all directions around the cavity (label {})",
            labels.name, settings.myo, settings.lv
        )));
    }
    let insertions = Insertions::of(labels, phase, settings, &stack)?;
    let (anterior, septum_deg) = anchor(settings.anchor, &insertions, stack.axis);
    let ends = cavity_ends(&stack, settings)?;
    let frame = SegmentFrame {
        disc_levels: disc_levels(&stack, settings.levels),
        anterior,
        septum_deg,
        levels: settings.levels,
        cavity_mm: ends.map(|p| p.dot(stack.axis)),
        stack,
    };
    let (segments, n_left_out) = assign(&labels.phases[phase], settings.myo, &frame);
    let mut findings = mirror_findings(&insertions, labels, phase, settings, &frame.stack);
    findings.extend(assumptions(&frame, n_left_out, labels.length_unit_known));
    Ok(Segmentation {
        labels: as_label_map(labels, segments)?,
        insertions: insertions.points,
        apex: ends[0],
        base: ends[1],
        method: method(settings, &insertions, &frame),
        findings,
        frame,
        settings: *settings,
        phase,
        septum_known: true,
    })
}

/// The same, and where only the septum is missing (no insertions given, no right ventricle), the wall
/// without meaningful segments: `septum_known` is false and a finding says so.
pub fn segment_labels_or_wall(labels: &LabelMap, phase: usize, settings: &SegmentSettings) -> Result<Segmentation> {
    let error = match segment_labels(labels, phase, settings) {
        Err(Error::Degenerate(text)) if settings.insertions.is_none() => text,
        other => return other,
    };
    let stack = Stack::new(labels, phase, settings)?;
    let middle = stack.discs.iter().find(|d| d.n_cavity > 0).map_or(DVec3::ZERO, |d| d.centroid);
    let anywhere = stack.basis().map(|direction| middle + direction * 1e3);
    let mut seg = segment_labels(labels, phase, &SegmentSettings { insertions: Some(anywhere), ..*settings })
        .map_err(|_| Error::Degenerate(error.clone()))?;
    seg.septum_known = false;
    seg.settings = *settings;
    seg.method = "whole wall, no segments".into();
    seg.findings.retain(|f| f.code != "mirrored-labels");
    seg.findings.push(Finding {
        severity: Severity::Warning,
        code: "septum-unknown",
        what: format!("The wall is measured as a whole and not per segment: {error}."),
        evidence: Vec::new(),
        remedy: "Give both insertions of the right ventricle, or label it.".into(),
    });
    Ok(seg)
}

/// Direction of the border 1|2 and width of the septum.
fn anchor(anchor: Anchor, insertions: &Insertions, axis: DVec3) -> (DVec3, f64) {
    let turned = |degrees: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        insertions.anterior * cos + insertions.anterior.cross(axis) * sin
    };
    match anchor {
        Anchor::Anterior => (insertions.anterior, 120.0),
        Anchor::MidSeptum => (turned(insertions.septum_deg / 2.0 - 60.0), 120.0),
        Anchor::Both => (insertions.anterior, insertions.septum_deg),
    }
}

/// Apical and basal end of the cavity on the long axis: the given points, else the outer faces of the
/// last discs with a cavity.
fn cavity_ends(stack: &Stack, settings: &SegmentSettings) -> Result<[DVec3; 2]> {
    let with_cavity = || stack.discs.iter().filter(|d| d.n_cavity > 0);
    let lowest = with_cavity().min_by(|a, b| a.level_mm.total_cmp(&b.level_mm));
    let highest = with_cavity().max_by(|a, b| a.level_mm.total_cmp(&b.level_mm));
    let (Some(lowest), Some(highest)) = (lowest, highest) else {
        return Err(Error::degenerate("the left ventricle has no cavity in any slice"));
    };
    let on_axis = |centroid: DVec3, level: f64| centroid + stack.axis * (level - centroid.dot(stack.axis));
    let half = stack.thickness_mm / 2.0;
    let apex = settings.apex.unwrap_or_else(|| on_axis(lowest.centroid, lowest.level_mm - half));
    let base = settings.base.unwrap_or_else(|| on_axis(highest.centroid, highest.level_mm + half));
    if (base - apex).dot(stack.axis) <= 0.0 {
        return Err(Error::degenerate(format!("the apex {apex} does not lie below the base {base} along the long axis")));
    }
    Ok([apex, base])
}

fn disc_levels(stack: &Stack, levels: Levels) -> Vec<Option<Level>> {
    let discs = &stack.discs;
    let mut rings: Vec<usize> = (0..discs.len()).filter(|&i| discs[i].is_ring).collect();
    rings.sort_by(|&a, &b| discs[b].level_mm.total_cmp(&discs[a].level_mm));
    let n = rings.len();
    let lowest_cavity = discs.iter().filter(|d| d.n_cavity > 0).map(|d| d.level_mm).fold(f64::INFINITY, f64::min);
    let third = |i: usize| match rings.iter().position(|&r| r == i) {
        Some(k) if k < n.div_ceil(3) => Some(Level::Basal),
        Some(k) if k < (2 * n).div_ceil(3) => Some(Level::Mid),
        Some(_) => Some(Level::Apical),
        None if discs[i].level_mm < lowest_cavity && discs[i].n_wall > 0 => Some(Level::Apex),
        None => None,
    };
    let any = |i: usize| (discs[i].n_wall > 0).then_some(Level::Mid);
    (0..discs.len()).map(|i| if levels == Levels::Thirds { third(i) } else { any(i) }).collect()
}

fn assign(voxels: &[u8], myo: u8, frame: &SegmentFrame) -> (Vec<u8>, usize) {
    let mut n_left_out = 0;
    let segment = |(index, value): (usize, &u8)| {
        if *value != myo {
            return 0;
        }
        let segment = frame.segment_in_disc(frame.stack.disc_of(index), position(&frame.stack.grid, index));
        n_left_out += usize::from(segment.is_none());
        segment.unwrap_or(0)
    };
    let segments = voxels.iter().enumerate().map(segment).collect();
    (segments, n_left_out)
}

fn as_label_map(labels: &LabelMap, segments: Vec<u8>) -> Result<LabelMap> {
    let mut map = LabelMap::new(format!("{} segments", labels.name), labels.grid, vec![segments.into()])?;
    map.length_unit_known = labels.length_unit_known;
    map.table = map.table.iter().map(|e| entry(e.value)).collect();
    Ok(map)
}

/// Hue goes around the ventricle, lightness from base to apex.
fn entry(value: u8) -> LabelEntry {
    let (turn, light) = match value {
        1..=6 => (f64::from(value - 1) / 6.0, 0.45),
        7..=12 => (f64::from(value - 7) / 6.0, 0.6),
        13..=16 => (f64::from(value - 13) / 4.0, 0.75),
        _ => (0.0, 0.9),
    };
    let channel = |k: f64| {
        let wave = 0.5 + 0.5 * ((turn + k) * std::f64::consts::TAU).cos();
        ((light + (1.0 - light) * 0.7 * (wave - 0.5)) * 255.0).round().clamp(0.0, 255.0) as u8
    };
    LabelEntry {
        value,
        name: segment_name(value).unwrap_or("segment").to_owned(),
        rgb: [channel(0.0), channel(2.0 / 3.0), channel(1.0 / 3.0)],
    }
}

fn method(settings: &SegmentSettings, insertions: &Insertions, frame: &SegmentFrame) -> String {
    let source = if insertions.found { "found from the RV label" } else { "given" };
    let left = &frame.stack.base_from;
    format!(
        "AHA 17; anchor {}; insertions {source}, {:.1} deg apart; levels {}; base from {left}",
        settings.anchor.name(),
        insertions.septum_deg,
        settings.levels.name()
    )
}

/// The right ventricle or the inferior insertion on the wrong side, or an anterior wall that points to
/// the back and the feet.
fn mirror_findings(
    insertions: &Insertions,
    labels: &LabelMap,
    phase: usize,
    settings: &SegmentSettings,
    stack: &Stack,
) -> Vec<Finding> {
    let axis = stack.axis;
    let mut evidence = Vec::new();
    if insertions.septum_deg > 180.0 {
        evidence.push(("inferior insertion, degrees from the anterior one".to_owned(), insertions.septum_deg));
    }
    if let Some(right) = right_ventricle(&labels.phases[phase], settings, stack).filter(|_| !insertions.found) {
        let angle = angle_deg(right, insertions.anterior, axis);
        if angle > 180.0 {
            evidence.push(("right ventricle, degrees from the anterior insertion".to_owned(), angle));
        }
    }
    let mid = insertions.septum_deg.to_radians() / 2.0;
    let septal = insertions.anterior * mid.cos() + insertions.anterior.cross(axis) * mid.sin();
    let upright = axis.cross(septal).dot(DVec3::new(0.0, -1.0, 1.0).normalize());
    if upright < -0.5 {
        evidence.push(("cosine between the anterior wall and forward-upward".to_owned(), upright));
    }
    if evidence.is_empty() {
        return Vec::new();
    }
    vec![Finding {
        severity: Severity::Warning,
        code: "mirrored-labels",
        what: "The septum lies on the wrong side of the left ventricle: the labels are mirrored, or apex and base, or the two insertions, are exchanged.".into(),
        evidence,
        remedy: "Check the orientation in the file, the order of the insertions and which end is the apex; then measure again.".into(),
    }]
}

/// Direction of the right ventricle's middle from the left's, over the discs with a cavity.
fn right_ventricle(voxels: &[u8], settings: &SegmentSettings, stack: &Stack) -> Option<DVec3> {
    let (mut sum, mut n) = (DVec3::ZERO, 0usize);
    for (index, _) in voxels.iter().enumerate().filter(|(_, v)| **v == settings.rv) {
        if let Some(disc) = stack.discs.get(stack.disc_of(index)).filter(|d| d.n_cavity > 0) {
            sum += position(&stack.grid, index) - disc.centroid;
            n += 1;
        }
    }
    (n > 0).then(|| sum / n as f64)
}

fn assumptions(frame: &SegmentFrame, n_left_out: usize, unit_known: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |code, what: String, evidence: (&str, f64), remedy: &str| {
        let evidence = vec![(evidence.0.to_owned(), evidence.1)];
        findings.push(Finding { severity: Severity::Note, code, what, evidence, remedy: remedy.into() });
    };
    let n_rings = frame.stack.discs.iter().filter(|d| d.is_ring).count();
    if frame.levels == Levels::Thirds && n_rings < 3 {
        note(
            "few-slices",
            format!("Only {n_rings} slices have muscle all around, so not every level exists."),
            ("slices with a closed ring", n_rings as f64),
            "Use labels with at least 3 closed slices, or continuous levels.",
        );
    }
    if n_left_out > 0 {
        note(
            "slices-left-out",
            format!("{n_left_out} myocardial voxels lie in slices without muscle all around and belong to no segment."),
            ("voxels left out", n_left_out as f64),
            "Nothing, where these are the outflow tract; else close the gap in the labels.",
        );
    }
    if !unit_known {
        note(
            "unit-unknown",
            "The file does not say that its lengths are millimeters, so no volumes and no thickness are computed.".into(),
            ("voxel volume in unknown units", frame.stack.grid.voxel_mm3()),
            "Set the unit of length in the file.",
        );
    }
    if frame.stack.base_from.contains("assumed") {
        note(
            "long-axis-assumed",
            "Nothing in the labels tells apex from base; the base is taken to lie above, behind and to the right.".into(),
            ("slices", frame.stack.discs.len() as f64),
            "Give apex and base as points.",
        );
    }
    findings
}
