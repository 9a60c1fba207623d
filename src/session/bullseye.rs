//! What the bullseye shows: numbers per segment of an analysis, of an image, of the spots of a section; one disc, two
//! beside each other, or their difference. Sums over an image are made in the background.

use super::derive::{Painting, SegmentsOf};
use super::discs::{Disc, disc_scale};
use super::{Outcome, Session};
use crate::base::{Error, Progress, Result, Severity};
use crate::cardiac::Segmentation;
use crate::model::{
    AnalysisId, AnalysisResult, ColorMap, ElementId, LabelMap, Layer, LayerKind, MeasuredValue, Section, Spots, Volume,
};
use crate::scene::{BullseyeOf, BullseyeView, PaneKind, SpotValues, label_phase, phase_at};
use crate::space::{DVec2, DVec3, Plane, Warp};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sums per segment and how many values they have.
type Sums = [(f64, usize); 18];

/// Sums of an image over the segments, and what they were made from.
#[derive(Debug)]
pub struct ImageSums {
    source: Arc<LabelMap>,
    volume: Arc<Volume>,
    out: Vec<bool>,
    sums: Sums,
}

impl ImageSums {
    fn is_of(&self, source: &Arc<LabelMap>, volume: &Arc<Volume>, out: &[bool]) -> bool {
        Arc::ptr_eq(&self.source, source) && Arc::ptr_eq(&self.volume, volume) && self.out == out
    }
}

/// The segment of every spot of a section, and what it was made from.
#[derive(Debug)]
struct PlacedSegments {
    found: Arc<SegmentsOf>,
    spots: Arc<Spots>,
    plane: Plane,
    warp: Warp,
    mm_per_px: f64,
    of: Arc<[u8]>,
}

/// What the bullseye remembers between changes of the study.
#[derive(Debug, Default)]
pub(super) struct Known {
    images: BTreeMap<(ElementId, ElementId), Arc<ImageSums>>,
    placed: BTreeMap<ElementId, PlacedSegments>,
    painted: Vec<(Painting, Arc<SpotValues>)>,
}

impl Session {
    /// Shows other numbers.
    pub(super) fn choose_bullseye(&mut self, bullseye: BullseyeView) {
        let two = |b: &BullseyeView| b.other.is_some() && !b.difference;
        if two(&bullseye) != two(&self.view.bullseye) {
            self.refit_panes(&[PaneKind::Bullseye]);
        }
        self.view.bullseye = bullseye;
        self.fill_bullseye();
        self.revision += 1;
    }

    /// Brings the discs up to date.
    pub(super) fn fill_bullseye(&mut self) {
        self.place_segments();
        let BullseyeView { of, other, difference, territories } = self.view.bullseye.clone();
        self.discs.clear();
        (self.derived.bullseye, self.derived.bullseye_scale) = (Vec::new(), None);
        self.derived.bullseye_beside.clear();
        let Some(first) = self.disc(&of) else { return };
        let mut discs = vec![first];
        if let Some(second) = other.as_ref().and_then(|of| self.disc(of)) {
            let both = if difference { discs[0].minus(&second) } else { Err(Error::Cancelled) };
            match both {
                Ok(minus) => discs = vec![minus],
                Err(Error::Cancelled) => discs.push(second),
                Err(why) => {
                    self.say_from(Severity::Warning, "Bullseye", why.to_string(), "They are shown beside each other.");
                    discs.push(second);
                }
            }
        }
        let shown: Vec<&Disc> = discs.iter().collect();
        self.derived.bullseye_scale = Some(disc_scale(&shown, None, territories));
        self.derived.bullseye = discs[0].cells();
        self.derived.bullseye_beside = discs.get(1).map(Disc::cells).unwrap_or_default();
        self.discs = discs;
    }

    /// The discs shown, one or two.
    #[must_use]
    pub fn discs(&self) -> &[Disc] {
        &self.discs
    }

    fn disc(&mut self, of: &BullseyeOf) -> Option<Disc> {
        match of {
            BullseyeOf::Shown => self.shown_disc(),
            BullseyeOf::Image(image) => self.image_disc(*image),
            BullseyeOf::Spots { section, name } => self.named_disc(*section, name),
            BullseyeOf::Measure { analysis, metric, phase } => Some(self.measured_disc(*analysis, metric, phase)),
        }
    }

    /// Mean of what colors the spots of the shown section; of the heart image where no section is fitted.
    fn shown_disc(&mut self) -> Option<Disc> {
        self.shown_segments().find(|s| s.result.is_ok())?;
        let spots = self.view.section.and_then(|id| {
            let values = Arc::clone(self.derived.spot_values.get(&id)?);
            self.spots_disc(id, &values, self.spots_color_map(id))
        });
        spots.or_else(|| self.image_disc(self.view.heart?)).or_else(|| Some(Disc::empty("")))
    }

    fn measured_disc(&self, id: AnalysisId, metric: &str, phase: &str) -> Disc {
        let gone = |why: String| Disc { method: why, phase: phase.to_owned(), ..Disc::empty(metric) };
        let Some(analysis) = self.study.analyses.get(&id) else { return gone("the analysis was removed".into()) };
        let AnalysisResult::Measures(found) = &analysis.result else { return gone("it has no numbers".into()) };
        let whose = self.study.elements.get(&analysis.of).map_or_else(String::new, |e| e.name().to_owned());
        match Disc::of_rows(&found.rows, metric, Some(phase)) {
            Ok(mut disc) => {
                if disc.counts.iter().all(|n| *n == 0) {
                    disc.counts = self.voxels_of(analysis.of);
                }
                Disc { whose, ..disc }
            }
            Err(why) => gone(why.to_string()),
        }
    }

    /// Voxels of each segment of a segmentation, where its segments were found.
    fn voxels_of(&self, labels: ElementId) -> [usize; 18] {
        let mut counts = [0; 18];
        if let Some(found) = self.segments.get(&labels).and_then(|s| s.result.as_ref().ok()) {
            found.labels.phases[0].iter().filter(|s| (1..=17).contains(*s)).for_each(|s| counts[usize::from(*s)] += 1);
        }
        counts
    }

    /// Metrics per segment of an analysis with their phases, in the order of its rows.
    #[must_use]
    pub fn segment_metrics(rows: &[MeasuredValue]) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for row in rows.iter().filter(|r| r.region.parse().is_ok_and(|s| (1..=17u8).contains(&s))) {
            let key = (row.metric.clone(), row.phase.clone());
            if !all.contains(&key) {
                all.push(key);
            }
        }
        all
    }

    /// Finds the segment of every spot of every registered section; what did not change stays the same object.
    fn place_segments(&mut self) {
        let mut known = std::mem::take(&mut self.bullseye_known.placed);
        self.derived.spot_segments.clear();
        for (&id, registration) in &self.study.registrations {
            let (Some(section), Some(fit)) = (self.study.section(id), registration.used_fit()) else { continue };
            let found = self.segments_on(registration.heart);
            let (Some(spots), Some(found)) = (&section.spots, found) else { continue };
            let (mm_per_px, plane, warp) = (section.mm_per_px(), registration.plane, &fit.plane_from_section);
            let same = |p: &PlacedSegments| {
                Arc::ptr_eq(&p.found, &found)
                    && Arc::ptr_eq(&p.spots, spots)
                    && (p.plane, p.mm_per_px) == (plane, mm_per_px)
                    && p.warp == *warp
            };
            let placed = known.remove(&id).filter(same).unwrap_or_else(|| {
                let of = segments_of_spots(section, spots, (plane, warp), &found);
                PlacedSegments { found, spots: Arc::clone(spots), plane, warp: warp.clone(), mm_per_px, of }
            });
            self.derived.spot_segments.insert(id, Arc::clone(&placed.of));
            self.bullseye_known.placed.insert(id, placed);
        }
    }

    /// The segments found on an image.
    fn segments_on(&self, heart: ElementId) -> Option<Arc<SegmentsOf>> {
        let fits = |id: ElementId| self.study.belonging(id, heart).is_some();
        self.segments.iter().find(|(id, s)| s.result.is_ok() && fits(**id)).map(|(_, s)| Arc::clone(s))
    }

    /// A gene, column or field by its name, on a section that need not be the one shown.
    fn named_disc(&mut self, id: ElementId, name: &str) -> Option<Disc> {
        let kind = self.study.layers.iter().find(|l| l.element == id && matches!(l.kind, LayerKind::Spots { .. }));
        let log_normalized = kind.is_none_or(|l| !matches!(l.kind, LayerKind::Spots { log_normalized: false, .. }));
        let kind =
            LayerKind::Spots { color_by: Some(name.to_owned()), log_normalized, color_map: ColorMap::Viridis, range: None };
        let layer = Layer { element: id, kind, visible: true, opacity: 1.0 };
        let Some(painting) = Painting::of(&self.study, &layer) else { return Some(Disc::empty(name)) };
        let old = self.bullseye_known.painted.iter().find(|(p, _)| p.is_same(&painting)).map(|(_, v)| Arc::clone(v));
        let values = old.unwrap_or_else(|| {
            let mut values = painting.values();
            self.leave_out(id, &mut values);
            let values = Arc::new(values);
            let known = &mut self.bullseye_known.painted;
            known.truncate(3);
            known.insert(0, (painting, Arc::clone(&values)));
            values
        });
        let signed = self.study.field(id, name).is_some_and(|f| f.signed);
        let color_map = if signed { ColorMap::BlueRed } else { ColorMap::Viridis };
        self.spots_disc(id, &values, color_map).or_else(|| {
            Some(Disc { method: "the section is not registered to a heart with segments".into(), ..Disc::empty(name) })
        })
    }

    fn spots_color_map(&self, section: ElementId) -> ColorMap {
        let map = self.study.layers.iter().find_map(|l| match &l.kind {
            LayerKind::Spots { color_map, .. } if l.element == section => Some(*color_map),
            _ => None,
        });
        map.unwrap_or(ColorMap::Viridis)
    }

    /// Mean of values over the spots on tissue in each segment.
    fn spots_disc(&self, id: ElementId, values: &SpotValues, color_map: ColorMap) -> Option<Disc> {
        let section = self.study.section(id)?;
        if !values.categories.is_empty() {
            let method = "categories have no mean".to_owned();
            return Some(Disc { whose: section.name.clone(), method, ..Disc::empty(&values.title) });
        }
        let (spots, segments) = (section.spots.as_ref()?, self.derived.spot_segments.get(&id)?);
        let mut sums: Sums = [(0.0, 0); 18];
        for (i, value) in values.values.iter().enumerate() {
            let segment = usize::from(segments.get(i).copied().unwrap_or(0)).min(17);
            if segment > 0 && spots.in_tissue.get(i) == Some(&true) && !value.is_nan() {
                sums[segment] = (sums[segment].0 + f64::from(*value), sums[segment].1 + 1);
            }
        }
        let unit = values.rule.split(',').next().unwrap_or_default().to_owned();
        let n = self.study.spots_left_out(id).iter().flatten().count();
        let rest = if n > 0 { format!(", {n} left out") } else { String::new() };
        let rule = format!("{unit}, mean of spots{rest}");
        let method = format!("mean of spots on tissue{rest}");
        Some(Disc { whose: section.name.clone(), unit, rule, method, color_map, ..Disc::of_sums(&values.title, &sums) })
    }

    /// Mean of an image over the voxels of each segment; without numbers while they are being summed.
    fn image_disc(&mut self, image: ElementId) -> Option<Disc> {
        let volume = Arc::clone(self.study.volume(image)?);
        let (labels, found) = self
            .segments
            .iter()
            .find(|(id, s)| s.result.is_ok() && self.study.belonging(**id, image).is_some())
            .map(|(id, s)| (*id, Arc::clone(s)))?;
        let (source, nz) = (Arc::clone(&found.source), found.source.grid.size()[2]);
        let out: Vec<bool> = (0..nz).map(|k| self.slice_left_out(&source.grid, k).is_some()).collect();
        let n_out = out.iter().filter(|o| **o).count();
        let rest = if n_out > 0 { format!(", {n_out} slices left out") } else { String::new() };
        let (rule, method) = (format!("intensity, mean of voxels{rest}"), format!("mean of voxels at end-diastole{rest}"));
        let (whose, unit) = (volume.name.clone(), volume.unit.clone());
        let key = (labels, image);
        let sums = match self.bullseye_known.images.get(&key).filter(|s| s.is_of(&source, &volume, &out)) {
            Some(known) => known.sums,
            None => {
                let what = volume.name.clone();
                self.jobs.start(&format!("bullseye {} {}", labels.0, image.0), "Averaging segments", move |progress| {
                    let sums = sum_image(&found, &volume, &out, progress)?;
                    let sums = ImageSums { source: Arc::clone(&found.source), volume, out, sums };
                    Ok(Outcome::ImageSums(key, Arc::new(sums)))
                });
                return Some(Disc { whose, unit, rule, method, color_map: ColorMap::Cividis, ..Disc::empty(&what) });
            }
        };
        let disc = Disc::of_sums(&volume.name, &sums);
        Some(Disc { whose, unit, rule, method, color_map: ColorMap::Cividis, ..disc })
    }

    pub(super) fn add_image_sums(&mut self, key: (ElementId, ElementId), sums: Arc<ImageSums>) {
        self.bullseye_known.images.retain(|(labels, image), s| {
            let alive = self.study.labels(*labels).is_some_and(|l| Arc::ptr_eq(l, &s.source));
            alive && self.study.volume(*image).is_some_and(|v| Arc::ptr_eq(v, &s.volume))
        });
        let is_current = self.study.labels(key.0).is_some_and(|l| Arc::ptr_eq(l, &sums.source))
            && self.study.volume(key.1).is_some_and(|v| Arc::ptr_eq(v, &sums.volume));
        if is_current {
            self.bullseye_known.images.insert(key, sums);
            self.fill_bullseye();
            self.revision += 1;
        }
    }

    /// The segment of the muscle under the cursor in the phase shown, or of the spot under it.
    pub(super) fn find_cursor_segment(&mut self) {
        self.derived.cursor_segment = self.segment_of_spot().or_else(|| self.segment_of_muscle());
    }

    fn segment_of_spot(&self) -> Option<u8> {
        let id = self.view.section?;
        let spot = self.spot_at(id, self.view.section_cursor?)?;
        self.derived.spot_segments.get(&id)?.get(spot).copied().filter(|s| *s > 0)
    }

    fn segment_of_muscle(&self) -> Option<u8> {
        let (lps, heart) = (self.view.cursor?, self.view.heart?);
        let (volume, found) = (self.study.volume(heart)?, self.segments_on(heart)?);
        let result = found.result.as_ref().ok()?;
        let phase = label_phase(&found.source, volume, phase_at(volume, self.view.cardiac_phase));
        let muscle = crate::imaging::label_at(&found.source, phase, lps) == result.settings.myo;
        muscle.then(|| result.frame.segment_at(lps))?
    }
}

/// The segment of every spot through the fit, 0 for none. In parallel; each spot on its own.
fn segments_of_spots(section: &Section, spots: &Spots, (plane, warp): (Plane, &Warp), found: &SegmentsOf) -> Arc<[u8]> {
    let Ok(segmentation) = &found.result else { return Arc::from([]) };
    let scale = section.mm_per_px();
    let source: Vec<DVec2> = spots.px.iter().map(|px| *px * scale).collect();
    let placed = warp.apply_all(&source);
    let segment = |p: &DVec2| segmentation.frame.segment_at(plane.lps_from_plane(*p)).unwrap_or(0);
    placed.par_iter().map(segment).collect::<Vec<u8>>().into()
}

/// Sums of an image over the segments at end-diastole. O(voxels).
fn sum_image(found: &SegmentsOf, volume: &Volume, out: &[bool], progress: &Progress) -> Result<Sums> {
    let mut sums: Sums = [(0.0, 0); 18];
    let Ok(Segmentation { labels, phase, .. }) = &found.result else { return Ok(sums) };
    let phase = if volume.n_phases() == found.source.n_phases() { *phase } else { phase_at(volume, 0.0) };
    let same = labels.grid.same_place(&volume.grid, 0.01);
    let ([nx, ny, nz], Some(voxels)) = (labels.grid.size(), labels.voxels(0)) else { return Ok(sums) };
    for (k, slice) in voxels.outer_iter().enumerate().filter(|(k, _)| !out.get(*k).copied().unwrap_or(false)) {
        progress.step(k as f64 / nz as f64, "voxels of the segments")?;
        for ((j, i), &segment) in slice.indexed_iter().filter(|(_, s)| (1..=17).contains(*s)) {
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
    }
    Ok(sums)
}
