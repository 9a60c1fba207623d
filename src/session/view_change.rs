//! Changes of the view, the live drag of landmarks, and what follows when the study changes under the view.

use super::action::{RegisterAction, Side, ViewAction};
use super::command::Command;
use super::edit::{Change, Edit};
use super::{Session, register_edit};
use crate::base::{Error, Result};
use crate::model::{ElementId, Landmarks, LayerKind, Registration, TransformModel, Volume};
use crate::scene::{HeartAxis, HeartView, Inputs, PaneKind, heart_axis, pane_plane, patient_plane};
use crate::space::{DVec2, Plane, Space};
use std::sync::{Arc, PoisonError};

impl Session {
    pub(super) fn change_view(&mut self, action: ViewAction) {
        match action {
            ViewAction::Cursor(at) => self.set_cursor(at),
            ViewAction::GoTo(lps) => self.go_to(lps),
            ViewAction::Follow(from, lps) => self.cut_through(lps, Some(from)),
            ViewAction::Camera(pane, camera) => self.pane(pane).camera = Some(camera),
            ViewAction::Plane(pane, plane) => self.pane(pane).plane = Some(plane),
            ViewAction::Pin(pane, heart) => {
                *self.pane(pane) = crate::scene::PaneView { heart, ..Default::default() };
            }
            ViewAction::Cut(pane, view) => self.cut_by_axis(pane, view),
            ViewAction::PatientCut(pane, kind) => {
                if let Some(volume) = self.heart_in(pane).cloned() {
                    let plane = patient_plane(kind, &volume, None);
                    *self.pane(pane) = crate::scene::PaneView { plane: Some(plane), camera: None, ..*self.pane(pane) };
                }
            }
            ViewAction::FoundPlane(pane) => {
                *self.pane(pane) = crate::scene::PaneView { plane: None, camera: None, ..*self.pane(pane) };
            }
            ViewAction::Axis(points) => self.cut_by_points(points),
            ViewAction::LightBoxPhases(on) => {
                self.view.light_box_phases = on;
                self.refit_panes(&[PaneKind::LightBox]);
            }
            ViewAction::Slice(pane, steps) => self.go_slices(pane, steps),
            ViewAction::Phase(share) => {
                self.view.cardiac_phase = share.rem_euclid(1.0);
                self.find_cursor_segment();
            }
            ViewAction::Play(on) => self.playing = on,
            ViewAction::Tick(seconds) => self.tick(seconds),
            ViewAction::Compare(mode) => self.view.compare = mode,
            ViewAction::Mix(mix) => self.view.mix = mix.clamp(0.0, 1.0),
            ViewAction::Flicker(on) => self.view.flicker_on = on,
            ViewAction::SelectPair(pair) => self.view.selected_pair = pair,
            ViewAction::Section(id) => {
                self.view.section = Some(id);
                (self.view.selected_pair, self.waiting_group) = (None, None);
                self.refit_panes(&[PaneKind::Section, PaneKind::Overlay]);
                self.derive();
            }
            ViewAction::Heart(id) => {
                self.view.heart = Some(id);
                self.derive();
            }
            ViewAction::Light(segment) => self.view.lit_segment = segment,
            ViewAction::SelectSegment(segment) => {
                (self.view.selected_segment, self.view.selected_group) = (segment, None);
            }
            ViewAction::LightGroup(code) => self.view.lit_group = code,
            ViewAction::SelectGroup(code) => {
                (self.view.selected_group, self.view.selected_segment) = (code, None);
            }
            ViewAction::Pies(on) => self.view.pies = on,
            ViewAction::LightSubject(subject) => self.view.lit_subject = subject,
            ViewAction::Cohort(id) => {
                self.view.cohort = Some(id);
                self.view.lit_subject = None;
                self.refit_panes(&[PaneKind::Cohort]);
            }
            ViewAction::Neurological(on) => self.view.neurological = on,
            ViewAction::Fit(pane) => self.pane(pane).camera = None,
        }
    }

    fn pane(&mut self, pane: PaneKind) -> &mut crate::scene::PaneView {
        self.view.panes.entry(pane).or_default()
    }

    /// The heart image in a pane: the one it is pinned to, else the one shown.
    #[must_use]
    pub fn heart_in(&self, pane: PaneKind) -> Option<&Arc<Volume>> {
        self.study.volume(self.view.heart_in(pane)?)
    }

    /// Long axis and right ventricle of an image from the labels drawn on it.
    #[must_use]
    pub fn heart_axis(&self, heart: crate::model::ElementId) -> Option<HeartAxis> {
        let volume = self.study.volume(heart)?;
        self.study.labels_on(heart).find_map(|(_, l)| heart_axis(volume, l))
    }

    fn cut_by_axis(&mut self, pane: PaneKind, view: HeartView) {
        let axis = self.view.heart_in(pane).and_then(|id| self.heart_axis(id)).or(self.axis);
        let Some(axis) = axis else {
            let remedy = "Open labels of both ventricles, or place apex, base and right ventricle (Image, Find planes).";
            let text = format!("{} needs the heart's axis.", view.title());
            self.say_from(crate::base::Severity::Warning, "View", text, remedy);
            return;
        };
        *self.pane(pane) = crate::scene::PaneView { plane: Some(axis.plane(view)), camera: None, ..*self.pane(pane) };
    }

    fn cut_by_points(&mut self, points: [crate::space::DVec3; 3]) {
        match HeartAxis::of_points(points) {
            Ok(axis) => {
                self.axis = Some(axis);
                let panes = [
                    (PaneKind::ShortAxis, HeartView::Short),
                    (PaneKind::TwoChamber, HeartView::Two),
                    (PaneKind::FourChamber, HeartView::Four),
                ];
                for (pane, view) in panes {
                    let plane = Some(axis.plane(view));
                    *self.pane(pane) = crate::scene::PaneView { plane, camera: None, ..*self.pane(pane) };
                }
                let text = "Planes by three places: the long axis from apex to base; the four-chamber plane through the right \
                            ventricle, the two-chamber plane at a right angle to it, the short axis across both.";
                self.say_from(crate::base::Severity::Note, "View", text, "");
            }
            Err(e) => self.say_error("View", &e),
        }
    }

    pub(super) fn refit_panes(&mut self, panes: &[PaneKind]) {
        panes.iter().for_each(|&p| self.pane(p).camera = None);
    }

    pub(super) fn view_command(&mut self, command: Command) {
        match command {
            Command::Play => self.playing = !self.playing,
            Command::NextPhase => self.step_phase(1.0),
            Command::PreviousPhase => self.step_phase(-1.0),
            Command::NextSlice => self.go_slices(PaneKind::ShortAxis, 1.0),
            Command::PreviousSlice => self.go_slices(PaneKind::ShortAxis, -1.0),
            Command::ResetViews => self.refit_panes(&PaneKind::ALL),
            Command::ToggleHeartGenes => self.view.genes_on_heart = !self.view.genes_on_heart,
            Command::ToggleNeurological => self.view.neurological = !self.view.neurological,
            Command::Compare(mode) => self.view.compare = mode,
            Command::ToggleLabels => self.toggle(|k| matches!(k, LayerKind::Labels { .. })),
            Command::ToggleSpots => self.toggle(|k| matches!(k, LayerKind::Spots { .. })),
            Command::ToggleHistology => self.toggle(|k| matches!(k, LayerKind::Picture)),
            Command::BindPlane => {
                if let Some(plane) = self.pane_plane(PaneKind::ShortAxis)
                    && let Err(e) = self.register(&RegisterAction::Bind(plane))
                {
                    self.say(crate::base::Severity::Error, e.to_string());
                }
            }
            _ => {}
        }
    }

    fn toggle(&mut self, which: impl Fn(&LayerKind) -> bool) {
        let mut after = self.study.layers.clone();
        let show = !after.iter().any(|l| which(&l.kind) && l.visible);
        after.iter_mut().filter(|l| which(&l.kind)).for_each(|l| l.visible = show);
        if after != self.study.layers {
            let name = if show { "show layers" } else { "hide layers" };
            self.commit(Edit { name: name.into(), changes: vec![Change::Layers { before: self.study.layers.clone(), after }] });
        }
    }

    fn step_phase(&mut self, steps: f64) {
        let n = self.heart().map_or(1, |v| v.n_phases()) as f64;
        let now = (self.view.cardiac_phase * n).floor();
        self.view.cardiac_phase = ((now + steps + 0.5) / n).rem_euclid(1.0);
    }

    fn tick(&mut self, seconds: f64) {
        if self.playing
            && let Some(heart) = self.heart()
        {
            let rr_ms = rr_ms(heart);
            self.view.cardiac_phase = (self.view.cardiac_phase + seconds * 1000.0 / rr_ms).rem_euclid(1.0);
        }
    }

    /// The heart image shown.
    #[must_use]
    pub fn heart(&self) -> Option<&Arc<Volume>> {
        self.study.volume(self.view.heart?)
    }

    /// The plane of a heart pane (its own, or the one found from the volume), or of the overlay.
    #[must_use]
    pub fn pane_plane(&self, pane: PaneKind) -> Option<Plane> {
        if pane == PaneKind::Overlay {
            return self.registration().map(|r| r.plane);
        }
        let inputs = Inputs { study: &self.study, view: &self.view, derived: &self.derived, pixels_per_point: 1.0 };
        let mut cache = self.planes.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = pane_plane(&inputs, &mut cache, pane)?;
        Some(if self.view.neurological { shown.mirrored() } else { shown })
    }

    fn go_slices(&mut self, pane: PaneKind, steps: f64) {
        let (Some(plane), Some(heart)) = (self.pane_plane(pane), self.heart_in(pane)) else { return };
        let n = plane.normal();
        let spacing = heart.grid.spacing_mm();
        let m = heart.grid.lps_from_voxel().matrix3;
        let axes = [m.x_axis, m.y_axis, m.z_axis];
        let along =
            (0..3).max_by(|&a, &b| axes[a].normalize_or_zero().dot(n).abs().total_cmp(&axes[b].normalize_or_zero().dot(n).abs()));
        let step_mm = along.map_or(1.0, |i| spacing[i]);
        self.pane(pane).plane = Some(plane.through(plane.origin() + n * (step_mm * steps)));
    }

    fn set_cursor(&mut self, at: Option<(PaneKind, DVec2)>) {
        let Some((pane, mm)) = at else { return };
        match pane {
            PaneKind::Section => {
                self.view.section_cursor = Some(mm);
                let id = self.view.section;
                self.view.cursor =
                    id.and_then(|id| self.study.atlas().transform(Space::Patient, Space::Section(id.0), mm.extend(0.0)).ok());
            }
            PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox => {}
            _ => {
                self.view.section_cursor = None;
                self.view.cursor = self.shown_plane(pane).map(|p| p.lps_from_plane(mm));
            }
        }
        self.find_cursor_segment();
    }

    /// The plane as displayed: mirrored in neurological display.
    #[must_use]
    pub fn shown_plane(&self, pane: PaneKind) -> Option<Plane> {
        let plane = self.pane_plane(pane)?;
        Some(if self.view.neurological { plane.mirrored() } else { plane })
    }

    fn go_to(&mut self, lps: crate::space::DVec3) {
        self.view.cursor = Some(lps);
        self.view.section_cursor = None;
        self.find_cursor_segment();
        self.cut_through(lps, None);
    }

    fn cut_through(&mut self, lps: crate::space::DVec3, but: Option<PaneKind>) {
        let follows = |p: &PaneKind| p.is_heart() && Some(*p) != but && self.view.heart_in(*p) == self.view.heart;
        for pane in PaneKind::ALL.into_iter().filter(follows).collect::<Vec<_>>() {
            if let Some(plane) = self.pane_plane(pane) {
                let moved = plane.through(plane.origin() + plane.normal() * plane.distance_mm(lps));
                self.pane(pane).plane = Some(moved);
            }
        }
    }

    /// Acts on the registration of the shown section; one is begun in the short-axis plane where there is none.
    pub(super) fn register(&mut self, action: &RegisterAction) -> Result<()> {
        match action {
            RegisterAction::Drag { .. } | RegisterAction::SetStiffness(_) => return self.drag(action),
            RegisterAction::EndDrag => {
                self.end_drag();
                return Ok(());
            }
            RegisterAction::CancelDrag => {
                self.cancel_drag();
                return Ok(());
            }
            _ => self.end_drag(),
        }
        let before = self.registration().cloned();
        let base = before.clone().map_or_else(|| self.new_registration(), Ok)?;
        let after = register_edit::after(action, &base, self.view.selected_pair, self.middle_x_mm(base.section))?;
        self.view.selected_pair = after.select;
        let change = Change::Registration {
            section: base.section,
            before: before.map(Box::new),
            after: Some(Box::new(after.registration)),
        };
        self.commit(Edit { name: after.name, changes: vec![change] });
        Ok(())
    }

    /// Moves the short-axis pane to where the shown section was cut.
    pub(super) fn show_section_plane(&mut self) {
        let Some(cut) = self.registration().map(|r| r.plane) else { return };
        if let Some(plane) = self.pane_plane(PaneKind::ShortAxis) {
            let moved = plane.through(plane.origin() + plane.normal() * plane.distance_mm(cut.origin()));
            self.pane(PaneKind::ShortAxis).plane = Some(moved);
        }
    }

    fn middle_x_mm(&self, section: ElementId) -> f64 {
        self.study.section(section).map_or(0.0, |s| s.bounds_mm().iter().map(|p| p.x).sum::<f64>() / 2.0)
    }

    fn new_registration(&self) -> Result<Registration> {
        let section = self.view.section.ok_or_else(|| Error::parameter("open a tissue section first"))?;
        let heart = self.view.heart.ok_or_else(|| Error::parameter("open a heart image first"))?;
        let plane = self.pane_plane(PaneKind::ShortAxis).ok_or_else(|| Error::parameter("the heart image has no plane"))?;
        let spacing = self.heart().map_or(8.0, |v| v.grid.spacing_mm().max_element());
        Ok(Registration {
            section,
            heart,
            plane,
            half_slice_mm: spacing / 2.0,
            landmarks: Landmarks::default(),
            model: TransformModel::Similarity,
            stiffness: 0.0,
            flip_x_mm: None,
            fit: None,
            problem: None,
            enabled: true,
        })
    }

    fn drag(&mut self, action: &RegisterAction) -> Result<()> {
        let Some(current) = self.registration().cloned() else { return Err(Error::parameter("no pair to move")) };
        let after = register_edit::after(action, &current, self.view.selected_pair, 0.0)?;
        if self.drag.is_none() {
            self.drag = Some(Box::new(current));
        }
        self.view.selected_pair = after.select;
        self.study.registrations.insert(after.registration.section, after.registration);
        self.revision += 1;
        Ok(())
    }

    fn end_drag(&mut self) {
        let Some(before) = self.drag.take() else { return };
        let Some(after) = self.study.registrations.get(&before.section).cloned() else { return };
        if *before == after {
            return;
        }
        let moved = before.landmarks.pairs.iter().zip(&after.landmarks.pairs).find(|(a, b)| a != b);
        let name = moved.map_or_else(|| "set stiffness".to_owned(), |(_, l)| format!("move pair {}", l.name));
        let change = Change::Registration { section: after.section, before: Some(before), after: Some(Box::new(after)) };
        self.commit(Edit { name, changes: vec![change] });
    }

    pub(super) fn cancel_drag(&mut self) {
        if let Some(before) = self.drag.take() {
            self.study.registrations.insert(before.section, *before);
            self.revision += 1;
        }
    }

    /// Points the view at something that exists.
    pub(super) fn repair_view(&mut self) {
        if self.view.heart.is_none_or(|id| self.study.volume(id).is_none()) {
            let cine = self.study.volumes().find(|(_, v)| v.n_phases() > 1).or_else(|| self.study.volumes().next());
            self.view.heart = cine.map(|(id, _)| id);
            for pane in [PaneKind::ShortAxis, PaneKind::TwoChamber, PaneKind::FourChamber] {
                *self.pane(pane) = crate::scene::PaneView { heart: self.pane(pane).heart, ..Default::default() };
            }
        }
        for pane in PaneKind::ALL {
            if self.view.panes.get(&pane).and_then(|p| p.heart).is_some_and(|id| self.study.volume(id).is_none()) {
                *self.pane(pane) = crate::scene::PaneView::default();
            }
        }
        if self.view.section.is_none_or(|id| self.study.section(id).is_none()) {
            self.view.section = self.study.sections().next().map(|(id, _)| id);
            self.refit_panes(&[PaneKind::Section, PaneKind::Overlay]);
        }
        if self.view.cohort.is_none_or(|id| self.study.cohort(id).is_none()) {
            self.view.cohort = self.study.cohorts().next().map(|(id, _)| id);
            self.view.lit_subject = None;
            self.refit_panes(&[PaneKind::Cohort]);
        }
        let n = self.registration().map_or(0, |r| r.landmarks.pairs.len());
        self.view.selected_pair = self.view.selected_pair.filter(|&p| p < n);
    }

    /// A side of a landmark for a click at pane mm of a pane.
    #[must_use]
    pub fn side_at(&self, pane: PaneKind, mm: DVec2) -> Option<Side> {
        match pane {
            PaneKind::Section => Some(Side::Moving(mm)),
            PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox => None,
            _ => self.shown_plane(pane).map(|p| Side::Fixed(p.lps_from_plane(mm))),
        }
    }
}

/// Length of a heart beat: the last phase time plus one step, or 1 s where times are unknown.
#[must_use]
pub fn rr_ms(volume: &Volume) -> f64 {
    match volume.phase_times_ms.as_slice() {
        [first, .., last] if last > first => (last - first) * volume.n_phases() as f64 / (volume.n_phases() - 1) as f64,
        _ => 1000.0,
    }
}
