//! Running analyses, painting what they give, and leaving things out with a reason.

use super::edit::{Change, Edit};
use super::task::Task;
use super::{Outcome, Session};
use crate::base::{Error, Result, Severity};
use crate::model::{Analysis, AnalysisId, ColorMap, Element, ElementId, Excluded, Exclusion, Field, Layer, LayerKind};
use std::sync::Arc;

impl Session {
    /// Starts a task on a snapshot of the study; a running one of the same method is cancelled.
    pub(super) fn run_task(&mut self, task: Task) -> Result<()> {
        if !self.study.elements.contains_key(&task.of()) {
            return Err(Error::parameter("open a section first: there is nothing to analyze"));
        }
        let study = self.study.clone();
        let title = task.title();
        self.jobs.start(task.slot(), title, move |p| task.run(&study, p).map(|a| Outcome::Analyzed(Box::new(a))));
        Ok(())
    }

    /// Makes a finished analysis part of the study, and paints its first values.
    pub(super) fn add_analysis(&mut self, analysis: Analysis) {
        if !self.study.elements.contains_key(&analysis.of) {
            self.say(Severity::Note, format!("{} was closed while it was analyzed.", analysis.title));
            return;
        }
        let text = format!("{}: {}", analysis.title, analysis.sentence);
        let severity = analysis.findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Note);
        let id = AnalysisId(self.study.next_id.max(1));
        let mut changes = Vec::new();
        if let Some(layers) = analysis.fields.first().and_then(|f| self.painted(analysis.of, f)) {
            changes.push(Change::Layers { before: self.study.layers.clone(), after: layers });
        }
        let name = format!("run {}", analysis.title);
        changes.insert(0, Change::Analysis { id, before: None, after: Some(Arc::new(analysis)) });
        self.commit(Edit { name, changes });
        self.say(severity.min(Severity::Warning), text);
    }

    pub(super) fn remove_analysis(&mut self, id: AnalysisId) -> Result<()> {
        let before = self.study.analyses.get(&id).cloned().ok_or_else(|| Error::parameter("there is no such analysis"))?;
        let name = format!("remove {}", before.title);
        let mut changes = Vec::new();
        let painted = |l: &Layer| match &l.kind {
            LayerKind::Spots { color_by: Some(name), .. } => {
                l.element == before.of && before.fields.iter().any(|f| f.name == *name)
            }
            _ => false,
        };
        if self.study.layers.iter().any(painted) {
            let mut after = self.study.layers.clone();
            for layer in after.iter_mut().filter(|l| painted(l)) {
                if let LayerKind::Spots { color_by, color_map, range, .. } = &mut layer.kind {
                    (*color_by, *range) = (None, None);
                    *color_map = if *color_map == ColorMap::Categories { ColorMap::Viridis } else { *color_map };
                }
            }
            changes.push(Change::Layers { before: self.study.layers.clone(), after });
        }
        changes.push(Change::Analysis { id, before: Some(before), after: None });
        self.commit(Edit { name, changes });
        Ok(())
    }

    /// Paints a field of an analysis, a gene or a column on the spots of a section.
    pub(super) fn paint(&mut self, section: ElementId, name: &str) -> Result<()> {
        let field = self.study.field(section, name).cloned();
        let after = match &field {
            Some(field) => self.painted(section, field),
            None if self.study.categories(section, name).is_some() => self.colored(section, name, ColorMap::Categories),
            None => self.colored(section, name, ColorMap::Viridis),
        };
        let after = after.ok_or_else(|| Error::parameter("the section has no spots to paint"))?;
        if after != self.study.layers {
            let changes = vec![Change::Layers { before: self.study.layers.clone(), after }];
            self.commit(Edit { name: format!("paint {name}"), changes });
        }
        Ok(())
    }

    fn painted(&self, section: ElementId, field: &Field) -> Option<Vec<Layer>> {
        let map = match field {
            _ if !field.categories.is_empty() => ColorMap::Categories,
            _ if field.signed => ColorMap::BlueRed,
            _ => ColorMap::Viridis,
        };
        self.colored(section, &field.name, map)
    }

    fn colored(&self, section: ElementId, name: &str, map: ColorMap) -> Option<Vec<Layer>> {
        let mut layers = self.study.layers.clone();
        let of = |l: &&mut Layer| l.element == section && matches!(l.kind, LayerKind::Spots { .. });
        let layer = layers.iter_mut().find(of)?;
        let LayerKind::Spots { color_by, color_map, range, .. } = &mut layer.kind else { return None };
        *color_by = Some(name.to_owned());
        *range = None;
        *color_map = map;
        layer.visible = true;
        Some(layers)
    }

    /// Leaves something out, with a reason.
    pub(super) fn exclude(&mut self, what: Excluded, reason: &str) -> Result<()> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Error::parameter("say why it is left out: the reason is printed with every result"));
        }
        self.check_excluded(&what)?;
        let mut after = self.study.exclusions.clone();
        let exclusion = Exclusion { what, reason: reason.to_owned() };
        let name = format!("leave out {exclusion}");
        after.retain(|e| e.what != exclusion.what);
        after.push(exclusion);
        self.commit(Edit { name, changes: vec![Change::Exclusions { before: self.study.exclusions.clone(), after }] });
        Ok(())
    }

    fn check_excluded(&self, what: &Excluded) -> Result<()> {
        let element = self.study.elements.get(&what.element());
        let fits = match (what, element) {
            (Excluded::Slice { slice, .. }, Some(Element::Volume(v))) => *slice < v.grid.size()[2],
            (Excluded::Slice { slice, .. }, Some(Element::Labels(l))) => *slice < l.grid.size()[2],
            (Excluded::Spots { names, .. }, Some(Element::Section(s))) => !names.is_empty() && s.expression.is_some(),
            (Excluded::Subject { subject, .. }, Some(Element::Cohort(c))) => c.position(subject).is_some(),
            _ => false,
        };
        if fits { Ok(()) } else { Err(Error::parameter("there is no such thing to leave out")) }
    }

    /// Takes an exclusion back.
    pub(super) fn include(&mut self, index: usize) -> Result<()> {
        let mut after = self.study.exclusions.clone();
        if index >= after.len() {
            return Err(Error::parameter("there is no such exclusion"));
        }
        let name = format!("take back {}", after.remove(index));
        self.commit(Edit { name, changes: vec![Change::Exclusions { before: self.study.exclusions.clone(), after }] });
        Ok(())
    }
}
