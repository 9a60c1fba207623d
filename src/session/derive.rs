//! Values that the study implies for display: segments of each segmentation, colors of spots, the bullseye.

use super::{Outcome, Session};
use crate::base::Severity;
use crate::cardiac::{SegmentSettings, Segmentation, cells, segment_labels, segment_name};
use crate::model::{ColorMap, ElementId, Exclusion, Field, LabelMap, Layer, LayerKind, Range, Section, Study};
use crate::scene::{BullseyeCell, BullseyeScale, SpotValues, field_values, phase_at, spot_values};
use crate::space::{DVec2, DVec3, Grid, Space};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The segments of a segmentation at end-diastole.
#[derive(Debug)]
pub struct SegmentsOf {
    /// The segmentation it was made from.
    source: Arc<LabelMap>,
    /// Segments, or why there are none.
    result: Result<Segmentation, String>,
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
                Ok(Outcome::Segments(id, Box::new(SegmentsOf { source: labels, result })))
            });
        }
    }

    pub(super) fn add_segments(&mut self, id: ElementId, segments: SegmentsOf) {
        // Labels that are being drawn are seldom whole; that is no news after every stroke.
        let drawn = |c: &super::Change| matches!(c, super::Change::Voxels { id: of, .. } if *of == id);
        let is_drawn = self.history.edits().iter().any(|e| e.changes.iter().any(drawn));
        match &segments.result {
            Ok(found) => {
                self.derived.segments.insert(id, Arc::new(found.labels.clone()));
                let notes: Vec<String> = found.findings.iter().map(|f| format!("{} {}", f.what, f.remedy)).collect();
                notes.into_iter().filter(|_| !is_drawn).for_each(|n| self.say(Severity::Warning, n));
            }
            Err(_) if is_drawn => {}
            Err(why) => self.say(Severity::Note, format!("No segments: {why}")),
        }
        self.segments.insert(id, Arc::new(segments));
        self.fill_bullseye();
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
    fn leave_out(&self, section: ElementId, values: &mut SpotValues) {
        let why = self.study.spots_left_out(section);
        let n = why.iter().flatten().count();
        if n == 0 {
            return;
        }
        let keep = |(v, why): (&f32, Option<&str>)| if why.is_some() { f32::NAN } else { *v };
        values.values = values.values.iter().zip(why).map(keep).collect();
        values.rule = format!("{}, {n} left out", values.rule);
    }

    fn fill_bullseye(&mut self) {
        (self.derived.bullseye, self.derived.bullseye_scale) = self.bullseye().map_or((Vec::new(), None), |(c, s)| (c, Some(s)));
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

    /// How the spots of the shown section are colored.
    fn spots_color_map(&self) -> Option<ColorMap> {
        let section = self.view.section?;
        self.study.layers.iter().find_map(|l| match &l.kind {
            LayerKind::Spots { color_map, .. } if l.element == section => Some(*color_map),
            _ => None,
        })
    }

    /// Mean of the shown gene over the spots of each segment; of the heart image where no section is fitted.
    fn bullseye(&self) -> Option<(Vec<BullseyeCell>, BullseyeScale)> {
        let segmentation = self.shown_segments().find_map(|s| s.result.as_ref().ok())?;
        let mut sums = [(0.0, 0usize); 18];
        let (title, rule, color_map) = if self.sum_spots(segmentation, &mut sums) {
            let color = self.view.section.and_then(|id| self.derived.spot_values.get(&id))?;
            let unit = color.rule.split(',').next().unwrap_or_default();
            let n = self.view.section.map_or(0, |id| self.study.spots_left_out(id).iter().flatten().count());
            let rest = if n > 0 { format!(", {n} left out") } else { String::new() };
            (color.title.clone(), format!("{unit}, mean of spots{rest}"), self.spots_color_map().unwrap_or(ColorMap::Viridis))
        } else {
            let n = self.sum_image(segmentation, &mut sums);
            let rest = if n > 0 { format!(", {n} slices left out") } else { String::new() };
            let name = self.heart().map(|v| v.name.clone()).unwrap_or_default();
            (name, format!("intensity, mean of voxels{rest}"), ColorMap::Cividis)
        };
        let (mut low, mut high) = limits(&sums);
        if color_map == ColorMap::BlueRed {
            // Signed values stay centered on 0.
            high = low.abs().max(high.abs());
            low = -high;
        }
        let cell = |cell: crate::cardiac::Cell| {
            let (sum, n) = sums[usize::from(cell.segment)];
            let value = (n > 0).then(|| sum / n as f64);
            BullseyeCell {
                segment: cell.segment,
                ring: cell.outline,
                label_at: cell.center,
                name: cell.name.to_owned(),
                value,
                n,
            }
        };
        Some((cells().into_iter().map(cell).collect(), BullseyeScale { title, rule, low, high, color_map, outlines: Vec::new() }))
    }

    fn sum_spots(&self, segmentation: &Segmentation, sums: &mut [(f64, usize); 18]) -> bool {
        let Some(id) = self.view.section else { return false };
        let (Some(section), Some(registration)) = (self.study.section(id), self.study.registrations.get(&id)) else {
            return false;
        };
        let (Some(spots), Some(values), Some(fit)) = (&section.spots, self.derived.spot_values.get(&id), registration.used_fit())
        else {
            return false;
        };
        let scale = section.mm_per_px();
        let source: Vec<DVec2> = spots.px.iter().map(|px| *px * scale).collect();
        let placed = fit.plane_from_section.apply_all(&source);
        let segment = |(i, p): (usize, &DVec2)| {
            let shown = spots.in_tissue.get(i) == Some(&true) && values.values.get(i).is_some_and(|v| !v.is_nan());
            shown.then(|| segmentation.frame.segment_at(registration.plane.lps_from_plane(*p)))?
        };
        let segments: Vec<Option<u8>> = placed.par_iter().enumerate().map(segment).collect();
        for (segment, value) in segments.into_iter().zip(values.values.iter()) {
            if let Some(segment) = segment {
                let cell = &mut sums[usize::from(segment)];
                *cell = (cell.0 + f64::from(*value), cell.1 + 1);
            }
        }
        true
    }

    /// Sums of the heart image by segment; the number of slices of the labels that are left out.
    fn sum_image(&self, segmentation: &Segmentation, sums: &mut [(f64, usize); 18]) -> usize {
        let Some(volume) = self.heart() else { return 0 };
        let (labels, phase) = (&segmentation.labels, phase_at(volume, 0.0));
        let same = labels.grid.same_place(&volume.grid, 0.01);
        let ([nx, ny, nz], Some(voxels)) = (labels.grid.size(), labels.voxels(0)) else { return 0 };
        let out: Vec<bool> = (0..nz).map(|k| self.slice_left_out(&labels.grid, k).is_some()).collect();
        for ((k, j, i), &segment) in voxels.indexed_iter().filter(|((k, ..), s)| (1..=17).contains(*s) && !out[*k]) {
            let value = if same {
                Some(volume.value(phase, i + nx * (j + ny * k)))
            } else {
                let lps = labels.grid.lps_from_voxel().transform_point3(DVec3::new(i as f64, j as f64, k as f64));
                crate::imaging::sample(volume, phase, lps, false)
            };
            if let Some(value) = value.filter(|v| v.is_finite()) {
                let cell = &mut sums[usize::from(segment)];
                *cell = (cell.0 + value, cell.1 + 1);
            }
        }
        out.iter().filter(|o| **o).count()
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
    /// Where the name is that of an analysis' values.
    field: Option<Field>,
    exclusions: Vec<Exclusion>,
}

impl Painting {
    fn of(study: &Study, layer: &Layer) -> Option<Self> {
        let LayerKind::Spots { color_by: Some(name), log_normalized, range, .. } = &layer.kind else { return None };
        let section = Arc::clone(study.section(layer.element)?);
        let is_gene = section.expression.as_ref().is_some_and(|e| e.find_gene(name).is_some() || e.columns.contains_key(name));
        let field = study.field(layer.element, name).filter(|_| !is_gene).cloned();
        let (name, log_normalized, range) = (name.clone(), *log_normalized, range.clone());
        let exclusions = study.exclusions.iter().filter(|e| e.what.element() == layer.element).cloned().collect();
        Some(Self { id: layer.element, section, name, log_normalized, range, field, exclusions })
    }

    fn values(&self) -> SpotValues {
        match &self.field {
            Some(field) => field_values(field, self.range.as_ref()),
            None => spot_values(&self.section, &self.name, self.log_normalized, self.range.as_ref()),
        }
    }

    /// Whether the values would be the same; large data by identity.
    fn is_same(&self, other: &Self) -> bool {
        let same_field = match (&self.field, &other.field) {
            (None, None) => true,
            (Some(a), Some(b)) => {
                Arc::ptr_eq(&a.values, &b.values) && (&a.name, &a.unit, &a.range) == (&b.name, &b.unit, &b.range)
            }
            _ => false,
        };
        same_field
            && Arc::ptr_eq(&self.section, &other.section)
            && (&self.name, self.log_normalized, &self.range) == (&other.name, other.log_normalized, &other.range)
            && self.exclusions == other.exclusions
    }
}

/// Least and greatest mean of the cells; never empty.
fn limits(sums: &[(f64, usize); 18]) -> (f64, f64) {
    let means = || sums.iter().filter(|(_, n)| *n > 0).map(|(sum, n)| sum / *n as f64);
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    match (low < high, low.is_finite()) {
        (true, _) => (low, high),
        (false, true) => (low, low + 1.0),
        (false, false) => (0.0, 1.0),
    }
}

/// The phase with the most voxels of label 3 (left ventricle): end-diastole.
fn largest_phase(labels: &LabelMap) -> usize {
    (0..labels.n_phases()).max_by_key(|&p| (labels.count(p, 3), usize::MAX - p)).unwrap_or(0)
}
