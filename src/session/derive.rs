//! Values that the study implies for display: segments of each segmentation, colors of spots.

use super::{Outcome, Session};
use crate::base::{Progress, Severity};
use crate::cardiac::{SegmentSettings, Segmentation, segment_labels, segment_name};
use crate::model::{ColorMap, ElementId, Exclusion, Field, LabelEntry, LabelMap, Layer, LayerKind, Range, Section, Study};
use crate::scene::{SpotValues, field_values, spot_values};
use crate::space::{DVec3, Grid, Space};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Color of a segment that lights up, sRGB.
const LIT: [u8; 3] = [0xFF, 0xF6, 0xD6];

/// The segments of a segmentation at end-diastole.
#[derive(Debug)]
pub struct SegmentsOf {
    /// The segmentation it was made from.
    pub(super) source: Arc<LabelMap>,
    /// Segments, or why there are none.
    pub(super) result: Result<Segmentation, String>,
    /// The segments of all phases by the axis and insertions of end-diastole, to light up.
    pub(super) shown: Option<Arc<LabelMap>>,
}

impl SegmentsOf {
    /// Number and name of the segment at a patient point.
    #[must_use]
    pub fn at(&self, lps: DVec3) -> Option<(u8, String)> {
        let segment = self.result.as_ref().ok()?.frame.segment_at(lps)?;
        Some((segment, segment_name(segment)?.to_owned()))
    }
}

impl Session {
    /// Brings everything derived up to date; long work goes to the background.
    pub(super) fn derive(&mut self) {
        self.start_segments();
        self.index_spots();
        self.derived.spot_values = self.colors();
        self.fill_bullseye();
        self.group_spots();
        self.find_cell_types();
    }

    /// Colors and bullseye only, after a change of how spots are shown.
    pub(super) fn derive_colors(&mut self) {
        self.derived.spot_values = self.colors();
        self.fill_bullseye();
    }

    fn start_segments(&mut self) {
        self.segments.retain(|id, s| self.study.labels(*id).is_some_and(|l| Arc::ptr_eq(l, &s.source)));
        self.derived.segments.retain(|id, _| self.segments.contains_key(id));
        let wanted: Vec<(ElementId, Arc<LabelMap>)> = self
            .study
            .label_maps()
            .filter(|(id, l)| !self.segments.contains_key(id) && l.phases.iter().any(|p| p.contains(&3)))
            .map(|(id, l)| (id, Arc::clone(l)))
            .collect();
        for (id, labels) in wanted {
            self.jobs.start(&format!("segments {}", id.0), "Finding the 17 segments", move |progress| {
                progress.step(0.0, "segments")?;
                let phase = largest_phase(&labels);
                let result = segment_labels(&labels, phase, &SegmentSettings::default()).map_err(|e| e.to_string());
                let shown = result.as_ref().ok().map(|s| in_all_phases(&labels, s, progress)).transpose()?;
                Ok(Outcome::Segments(id, Box::new(SegmentsOf { source: labels, result, shown })))
            });
        }
    }

    pub(super) fn add_segments(&mut self, id: ElementId, segments: SegmentsOf) {
        // Labels that are being drawn are seldom whole; that is no news after every stroke.
        let drawn = |c: &super::Change| matches!(c, super::Change::Voxels { id: of, .. } if *of == id);
        let is_drawn = self.history.edits().iter().any(|e| e.changes.iter().any(drawn));
        match &segments.result {
            Ok(found) => {
                self.derived.segments.extend(segments.shown.clone().map(|s| (id, s)));
                let notes: Vec<String> = found.findings.iter().map(|f| format!("{} {}", f.what, f.remedy)).collect();
                notes.into_iter().filter(|_| !is_drawn).for_each(|n| self.say(Severity::Warning, n));
            }
            Err(_) if is_drawn => {}
            Err(why) => self.say(Severity::Note, format!("No segments: {why}")),
        }
        self.segments.insert(id, Arc::new(segments));
        self.fill_bullseye();
        self.group_spots();
    }

    /// Values of all layers of spots; those whose recipe did not change are the same objects as before.
    fn colors(&mut self) -> BTreeMap<ElementId, Arc<SpotValues>> {
        let recipes: Vec<Painting> = self.study.layers.iter().filter_map(|l| Painting::of(&self.study, l)).collect();
        let mut values = BTreeMap::new();
        for recipe in recipes {
            let id = recipe.id;
            let old = self.derived.spot_values.get(&id).filter(|_| self.painted.get(&id).is_some_and(|p| p.is_same(&recipe)));
            let found = old.cloned().unwrap_or_else(|| {
                let mut found = recipe.values();
                self.leave_out(id, &mut found);
                Arc::new(found)
            });
            values.insert(id, found);
            self.painted.insert(id, recipe);
        }
        self.painted.retain(|id, _| values.contains_key(id));
        values
    }

    /// Spots that are left out have no value anywhere, and the rule says how many they are.
    pub(super) fn leave_out(&self, section: ElementId, values: &mut SpotValues) {
        let why = self.study.spots_left_out(section);
        let n = why.iter().flatten().count();
        if n == 0 {
            return;
        }
        let keep = |(v, why): (&f32, Option<&str>)| if why.is_some() { f32::NAN } else { *v };
        values.values = values.values.iter().zip(why).map(keep).collect();
        values.rule = format!("{}, {n} left out", values.rule);
    }

    /// The segmentation whose segments are shown.
    #[must_use]
    pub fn shown_segmentation(&self) -> Option<ElementId> {
        let shown = self.shown_segments().find(|s| s.result.is_ok())?;
        self.segments.iter().find(|(_, s)| Arc::ptr_eq(s, shown)).map(|(id, _)| *id)
    }

    /// Segments of the heart shown: only of segmentations that belong to it; of any where no image is open.
    pub(super) fn shown_segments(&self) -> impl Iterator<Item = &Arc<SegmentsOf>> {
        let fitted = self.registration().filter(|r| r.used_fit().is_some()).map(|r| r.heart);
        let heart = fitted.or(self.view.heart);
        let fits = move |id: ElementId| heart.is_none_or(|heart| self.study.belonging(id, heart).is_some());
        self.segments.iter().filter(move |(id, _)| fits(**id)).map(|(_, s)| s)
    }

    /// Why a slice of a grid is left out: itself or a slice of the shown heart, or of labels, at the same place.
    #[must_use]
    pub fn slice_left_out(&self, grid: &Grid, slice: usize) -> Option<&str> {
        let [nx, ny, _] = grid.size();
        let center = DVec3::new((nx as f64 - 1.0) / 2.0, (ny as f64 - 1.0) / 2.0, slice as f64);
        let lps = grid.lps_from_voxel().transform_point3(center);
        self.slice_left_out_at(lps)
    }

    /// Why the slice of the shown heart, or of labels, at a patient point is left out.
    #[must_use]
    pub fn slice_left_out_at(&self, lps: DVec3) -> Option<&str> {
        let heart = self.view.heart.and_then(|id| Some((id, &self.study.volume(id)?.grid)));
        let labels = self.study.label_maps().map(|(id, l)| (id, &l.grid));
        labels.chain(heart).find_map(|(id, grid)| {
            let k = grid.voxel_from_lps().transform_point3(lps).z.round();
            self.study.slices_left_out(id).get(&(k as usize)).copied().filter(|_| k >= 0.0)
        })
    }

    /// The patient position of a section point through the chain.
    #[must_use]
    pub fn lps_of_section(&self, id: ElementId, mm: crate::space::DVec2) -> Option<DVec3> {
        self.study.atlas().transform(Space::Patient, Space::Section(id.0), mm.extend(0.0)).ok()
    }
}

/// What the values of a section's spots are made from.
#[derive(Debug)]
pub(super) struct Painting {
    id: ElementId,
    section: Arc<Section>,
    name: String,
    log_normalized: bool,
    range: Option<Range>,
    /// Categories have colors of their own.
    by_entry: bool,
    /// Where the name is that of an analysis' values.
    field: Option<Field>,
    exclusions: Vec<Exclusion>,
}

impl Painting {
    pub(super) fn of(study: &Study, layer: &Layer) -> Option<Self> {
        let LayerKind::Spots { color_by: Some(name), log_normalized, color_map, range } = &layer.kind else { return None };
        let section = Arc::clone(study.section(layer.element)?);
        let is_gene = section.expression.as_ref().is_some_and(|e| e.find_gene(name).is_some() || e.columns.contains_key(name));
        let field = study.field(layer.element, name).filter(|_| !is_gene).cloned();
        let (name, log_normalized, range) = (name.clone(), *log_normalized, range.clone());
        let exclusions = study.exclusions.iter().filter(|e| e.what.element() == layer.element).cloned().collect();
        let by_entry = *color_map == ColorMap::Categories && range.is_none();
        Some(Self { id: layer.element, section, name, log_normalized, range, by_entry, field, exclusions })
    }

    pub(super) fn values(&self) -> SpotValues {
        let values = match &self.field {
            Some(field) => field_values(field, self.range.as_ref()),
            None => spot_values(&self.section, &self.name, self.log_normalized, self.range.as_ref()),
        };
        if self.by_entry { values.by_entry() } else { values }
    }

    /// Whether the values would be the same; large data by identity.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_field = match (&self.field, &other.field) {
            (None, None) => true,
            (Some(a), Some(b)) => {
                Arc::ptr_eq(&a.values, &b.values)
                    && (&a.name, &a.unit, &a.range, &a.categories) == (&b.name, &b.unit, &b.range, &b.categories)
            }
            _ => false,
        };
        same_field
            && Arc::ptr_eq(&self.section, &other.section)
            && (&self.name, self.log_normalized, &self.range, self.by_entry)
                == (&other.name, other.log_normalized, &other.range, other.by_entry)
            && self.exclusions == other.exclusions
    }
}

/// The muscle of every phase in the segments that end-diastole found: its own phase as it is, the others by the sector
/// and level of each voxel. Costs one pass over the voxels.
fn in_all_phases(labels: &LabelMap, found: &Segmentation, progress: &Progress) -> crate::base::Result<Arc<LabelMap>> {
    let [nx, ny, _] = labels.grid.size();
    let map = labels.grid.lps_from_voxel();
    let lps = |i: usize| map.transform_point3(DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / (nx * ny)) as f64));
    let mut phases = Vec::with_capacity(labels.n_phases());
    for (p, voxels) in labels.phases.iter().enumerate() {
        progress.step(p as f64 / labels.n_phases() as f64, "segments of all phases")?;
        if p == found.phase {
            phases.push(Arc::clone(&found.labels.phases[0]));
            continue;
        }
        let segment = |(i, v): (usize, &u8)| {
            if *v == found.settings.myo { found.frame.segment_at(lps(i)).unwrap_or(0) } else { 0 }
        };
        phases.push(voxels.iter().enumerate().map(segment).collect());
    }
    // One light color: a segment that lights up shows on any image and beside any label.
    let table = found.labels.table.iter().map(|e| LabelEntry { rgb: LIT, ..e.clone() }).collect();
    Ok(Arc::new(LabelMap { phases, table, phase_times_ms: labels.phase_times_ms.clone(), ..found.labels.clone() }))
}

/// The phase with the most voxels of label 3 (left ventricle): end-diastole.
fn largest_phase(labels: &LabelMap) -> usize {
    (0..labels.n_phases()).max_by_key(|&p| (labels.count(p, 3), usize::MAX - p)).unwrap_or(0)
}
