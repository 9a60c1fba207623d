//! Everything that is open: elements by id, registrations, layers. `check` lists violations.

use super::{
    Analysis, AnalysisId, Cohort, Column, Ecg, Excluded, Exclusion, Field, Figure, LabelMap, Layer, LayerKind, Mend,
    Registration, Section, SpotRegion, Volume,
};
use crate::base::Note;
use crate::space::{Affine, Atlas, DAffine3, DVec3, Link, Space};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Number of an element; never used twice in a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElementId(pub u64);

/// Something that can be shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// A volume or cine.
    Volume(Arc<Volume>),
    /// A segmentation.
    Labels(Arc<LabelMap>),
    /// A tissue section.
    Section(Arc<Section>),
    /// Patients side by side.
    Cohort(Arc<Cohort>),
    /// An electrocardiogram.
    Ecg(Arc<Ecg>),
}

impl Element {
    /// Its name on screen.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Volume(v) => &v.name,
            Self::Labels(l) => &l.name,
            Self::Section(s) => &s.name,
            Self::Cohort(c) => c.name(),
            Self::Ecg(e) => &e.name,
        }
    }
}

/// Where an element came from and what was assumed on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// The file or folder that was opened; `None` for the built-in case.
    pub path: Option<PathBuf>,
    /// Which of the things found in that path (0 first).
    pub item: usize,
    /// Seed of the built-in case.
    pub demo_seed: Option<u64>,
    /// What the reader said.
    pub notes: Vec<Note>,
    /// What was found, in one line: size, what sorted the phases.
    pub summary: String,
    /// What a person corrected since, in order.
    pub mends: Vec<Mend>,
}

/// All that is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Study {
    /// Elements by id.
    pub elements: BTreeMap<ElementId, Element>,
    /// Where they came from.
    pub provenance: BTreeMap<ElementId, Provenance>,
    /// One per registered section, by the section's id.
    pub registrations: BTreeMap<ElementId, Registration>,
    /// Drawing order.
    pub layers: Vec<Layer>,
    /// Results of analyses, oldest first.
    pub analyses: BTreeMap<AnalysisId, Arc<Analysis>>,
    /// What is left out of analyses, with reasons.
    pub exclusions: Vec<Exclusion>,
    /// What was drawn to measure, oldest first.
    pub figures: Vec<Figure>,
    /// Regions marked on sections, oldest first.
    pub regions: Vec<SpotRegion>,
    /// The next unused id.
    pub next_id: u64,
}

impl Study {
    /// The volume of an id.
    #[must_use]
    pub fn volume(&self, id: ElementId) -> Option<&Arc<Volume>> {
        match self.elements.get(&id) {
            Some(Element::Volume(v)) => Some(v),
            _ => None,
        }
    }

    /// The segmentation of an id.
    #[must_use]
    pub fn labels(&self, id: ElementId) -> Option<&Arc<LabelMap>> {
        match self.elements.get(&id) {
            Some(Element::Labels(l)) => Some(l),
            _ => None,
        }
    }

    /// The section of an id.
    #[must_use]
    pub fn section(&self, id: ElementId) -> Option<&Arc<Section>> {
        match self.elements.get(&id) {
            Some(Element::Section(s)) => Some(s),
            _ => None,
        }
    }

    /// The cohort of an id.
    #[must_use]
    pub fn cohort(&self, id: ElementId) -> Option<&Arc<Cohort>> {
        match self.elements.get(&id) {
            Some(Element::Cohort(c)) => Some(c),
            _ => None,
        }
    }

    /// All electrocardiograms, in order of id.
    pub fn ecgs(&self) -> impl Iterator<Item = (ElementId, &Arc<Ecg>)> {
        self.elements.iter().filter_map(|(&id, e)| match e {
            Element::Ecg(ecg) => Some((id, ecg)),
            _ => None,
        })
    }

    /// All volumes, in order of id.
    pub fn volumes(&self) -> impl Iterator<Item = (ElementId, &Arc<Volume>)> {
        self.elements.keys().filter_map(|&id| self.volume(id).map(|v| (id, v)))
    }

    /// All segmentations, in order of id.
    pub fn label_maps(&self) -> impl Iterator<Item = (ElementId, &Arc<LabelMap>)> {
        self.elements.keys().filter_map(|&id| self.labels(id).map(|l| (id, l)))
    }

    /// All sections, in order of id.
    pub fn sections(&self) -> impl Iterator<Item = (ElementId, &Arc<Section>)> {
        self.elements.keys().filter_map(|&id| self.section(id).map(|s| (id, s)))
    }

    /// All cohorts, in order of id.
    pub fn cohorts(&self) -> impl Iterator<Item = (ElementId, &Arc<Cohort>)> {
        self.elements.keys().filter_map(|&id| self.cohort(id).map(|c| (id, c)))
    }

    /// The painted values of this name on a section; of the newest analysis that has them.
    #[must_use]
    pub fn field(&self, section: ElementId, name: &str) -> Option<&Field> {
        self.fields(section).filter(|f| f.name == name).last()
    }

    /// Names of the categories of a field or column; `None` where it has numbers.
    #[must_use]
    pub fn categories(&self, section: ElementId, name: &str) -> Option<&[String]> {
        let expression = self.section(section).and_then(|s| s.expression.as_ref());
        if expression.is_some_and(|e| e.find_gene(name).is_some()) {
            return None;
        }
        match expression.and_then(|e| e.columns.get(name)) {
            Some(Column::Category { names, .. }) => Some(names),
            Some(_) => None,
            None => self.field(section, name).map(|f| &*f.categories).filter(|c| !c.is_empty()),
        }
    }

    /// All values per spot that analyses made for a section, oldest first.
    pub fn fields(&self, section: ElementId) -> impl Iterator<Item = &Field> {
        self.analyses.values().filter(move |a| a.of == section).flat_map(|a| &a.fields)
    }

    /// For each spot of a section, why it is left out; empty where none is. Cost: one pass over the spots.
    #[must_use]
    pub fn spots_left_out(&self, section: ElementId) -> Vec<Option<&str>> {
        let mut why: BTreeMap<&str, &str> = BTreeMap::new();
        for exclusion in &self.exclusions {
            if let Excluded::Spots { section: of, names } = &exclusion.what
                && *of == section
            {
                why.extend(names.iter().map(|n| (n.as_str(), exclusion.reason.as_str())));
            }
        }
        let expression = self.section(section).and_then(|s| s.expression.as_ref());
        match expression {
            Some(e) if !why.is_empty() => e.observations().iter().map(|o| why.get(o.as_str()).copied()).collect(),
            _ => Vec::new(),
        }
    }

    /// Subjects of a cohort that are left out, with the reason.
    #[must_use]
    pub fn subjects_left_out(&self, cohort: ElementId) -> BTreeMap<&str, &str> {
        let mut why = BTreeMap::new();
        for exclusion in &self.exclusions {
            match &exclusion.what {
                Excluded::Subject { cohort: id, subject } if *id == cohort => {
                    why.insert(subject.as_str(), exclusion.reason.as_str());
                }
                _ => {}
            }
        }
        why
    }

    /// Slices of a volume or segmentation that are left out, with the reason.
    #[must_use]
    pub fn slices_left_out(&self, element: ElementId) -> BTreeMap<usize, &str> {
        let mut why = BTreeMap::new();
        for exclusion in &self.exclusions {
            match &exclusion.what {
                Excluded::Slice { element: id, slice } if *id == element => {
                    why.insert(*slice, exclusion.reason.as_str());
                }
                _ => {}
            }
        }
        why
    }

    /// All links between spaces: voxels to patient, pixels to section, sections to planes to patient.
    #[must_use]
    pub fn atlas(&self) -> Atlas {
        let mut links = Vec::new();
        for (id, volume) in self.volumes() {
            links.push(Link::affine(Affine {
                to: Space::Patient,
                from: Space::Voxel(id.0),
                matrix: volume.grid.lps_from_voxel(),
            }));
        }
        for (id, labels) in self.label_maps() {
            links.push(Link::affine(Affine {
                to: Space::Patient,
                from: Space::Voxel(id.0),
                matrix: labels.grid.lps_from_voxel(),
            }));
        }
        for (id, section) in self.sections() {
            let scale = section.mm_per_px();
            let matrix = DAffine3::from_scale(DVec3::new(scale, scale, 1.0));
            links.push(Link::affine(Affine { to: Space::Section(id.0), from: Space::Pixel(id.0), matrix }));
        }
        for (id, r) in &self.registrations {
            links.push(Link::embed(Space::Plane(id.0), r.plane));
            if let Some(fit) = &r.fit {
                let sd = fit.quality.leave_one_out_median_mm;
                let link = Link::warp(Space::Plane(id.0), Space::Section(id.0), fit.plane_from_section.clone(), sd);
                links.push(Link { disabled: !r.enabled, ..link });
            }
        }
        Atlas { links }
    }

    /// Sentences about what is inconsistent; empty in a sound study. Runs after every edit in tests.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |fine: bool, what: String| {
            if !fine {
                wrong.push(what);
            }
        };
        for id in self.elements.keys() {
            expect(id.0 < self.next_id, format!("element {} is not below next_id {}", id.0, self.next_id));
        }
        for id in self.provenance.keys() {
            expect(self.elements.contains_key(id), format!("provenance of absent element {}", id.0));
        }
        for (id, r) in &self.registrations {
            expect(*id == r.section, format!("registration {} is of section {}", id.0, r.section.0));
            expect(self.section(r.section).is_some(), format!("registration of absent section {}", r.section.0));
            expect(self.volume(r.heart).is_some(), format!("registration to absent heart {}", r.heart.0));
        }
        for (id, analysis) in &self.analyses {
            expect(id.0 < self.next_id, format!("analysis {} is not below next_id {}", id.0, self.next_id));
            expect(self.elements.contains_key(&analysis.of), format!("analysis {} of absent element {}", id.0, analysis.of.0));
            let n = self.section(analysis.of).and_then(|s| s.spots.as_ref()).map_or(0, |s| s.px.len());
            let fits = analysis.fields.iter().all(|f| f.values.len() == n);
            expect(fits, format!("the values of analysis {} do not fit the {n} spots", id.0));
        }
        for exclusion in &self.exclusions {
            let there = self.elements.contains_key(&exclusion.what.element());
            expect(there && !exclusion.reason.is_empty(), format!("an exclusion does not fit the study: {exclusion}"));
        }
        for figure in &self.figures {
            let fine = figure.kind.takes(figure.points.len()) && self.volume(figure.image).is_some();
            expect(fine, format!("figure {} does not fit the study", figure.name));
        }
        for region in &self.regions {
            let n = self.section(region.section).and_then(|s| s.spots.as_ref()).map_or(0, |s| s.px.len());
            expect(region.fits(n), format!("region {} does not fit the {n} spots", region.name));
        }
        for layer in &self.layers {
            let fits = match layer.kind {
                LayerKind::Image { .. } => self.volume(layer.element).is_some(),
                LayerKind::Labels { .. } => self.labels(layer.element).is_some(),
                LayerKind::Picture | LayerKind::Spots { .. } => self.section(layer.element).is_some(),
            };
            expect(fits, format!("a layer does not fit element {}", layer.element.0));
        }
        wrong
    }
}
