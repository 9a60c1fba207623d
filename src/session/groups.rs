//! The categories that the spots of the shown section are grouped by, for plots and for what lights up; and the cell
//! types that spots are drawn with.

use super::Session;
use crate::base::{Error, Result};
use crate::model::{AnalysisResult, ColorMap, Column, ElementId, Exclusion, Section, SpotRegion};
use crate::scene::{Fractions, GroupBy, SpotGroups, color_table};
use std::sync::Arc;

/// Categories that plots have rows for.
const MOST_GROUPS: usize = 255;

/// What categories were made from.
#[derive(Debug)]
pub(super) struct Grouping {
    id: ElementId,
    section: Arc<Section>,
    by: GroupBy,
    field: Option<Arc<[f32]>>,
    segments: Option<Arc<[u8]>>,
    regions: Vec<SpotRegion>,
    exclusions: Vec<Exclusion>,
}

impl Grouping {
    /// Whether the categories would be the same; large data by identity.
    fn is_same(&self, other: &Self) -> bool {
        fn same<T: ?Sized>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
            match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                _ => false,
            }
        }
        Arc::ptr_eq(&self.section, &other.section)
            && same(self.field.as_ref(), other.field.as_ref())
            && same(self.segments.as_ref(), other.segments.as_ref())
            && (self.id, &self.by, &self.regions, &self.exclusions) == (other.id, &other.by, &other.regions, &other.exclusions)
    }
}

impl Session {
    /// What the spots of the shown section can be grouped by: fields of analyses, the newest first, columns, regions,
    /// segments.
    #[must_use]
    pub fn group_choices(&self) -> Vec<GroupBy> {
        let Some(id) = self.view.section else { return Vec::new() };
        let Some(section) = self.study.section(id).filter(|s| s.spots.is_some()) else { return Vec::new() };
        let fits = |names: &[String]| (1..=MOST_GROUPS).contains(&names.len());
        let mut fields: Vec<&str> = self.study.fields(id).filter(|f| fits(&f.categories)).map(|f| f.name.as_str()).collect();
        fields.reverse();
        let columns = section.expression.iter().flat_map(|e| &e.columns);
        let columns = columns.filter(|(_, c)| matches!(c, Column::Category { names, .. } if fits(names)));
        let named = fields.into_iter().chain(columns.map(|(n, _)| n.as_str()));
        let mut all: Vec<GroupBy> = named.map(|n| GroupBy::Column(n.to_owned())).collect();
        if self.study.regions.iter().any(|r| r.section == id) {
            all.push(GroupBy::Regions);
        }
        if self.derived.spot_segments.contains_key(&id) {
            all.push(GroupBy::Segments);
        }
        all
    }

    /// Groups the spots by something else that there is.
    pub(super) fn group_by(&mut self, by: GroupBy) -> Result<()> {
        if !self.group_choices().contains(&by) {
            return Err(Error::parameter(format!("the spots of the section shown have no categories by {}", by.title())));
        }
        (self.view.group_by, self.waiting_group) = (Some(by), None);
        self.group_spots();
        Ok(())
    }

    /// Brings the categories up to date; where they are others than before, none is lit. While what was chosen is not
    /// there yet (segments are found in the background), its selected category waits. Cost: one pass over the spots.
    pub(super) fn group_spots(&mut self) {
        let choices = self.group_choices();
        let is_there = self.view.group_by.as_ref().is_none_or(|b| choices.contains(b));
        if !is_there {
            self.waiting_group = self.view.selected_group.take().or(self.waiting_group);
        }
        let chosen = self.view.group_by.clone().filter(|_| is_there).or_else(|| choices.into_iter().next());
        let found = self.view.section.zip(chosen).and_then(|(id, by)| self.grouping(id, by));
        let is_same = match (&self.grouped, &found) {
            (Some(a), Some(b)) => a.is_same(b),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        let groups = found.as_ref().and_then(|g| self.groups_of(g)).map(Arc::new);
        let key = |g: &Option<Arc<SpotGroups>>| g.as_ref().map(|g| (g.section, g.by.clone(), g.names.clone()));
        if key(&groups) != key(&self.derived.groups) && self.derived.groups.is_some() {
            (self.view.lit_group, self.view.selected_group) = (None, None);
        }
        if is_there && let Some(code) = self.waiting_group.take() {
            self.view.selected_group = Some(code);
        }
        let n = groups.as_ref().map_or(0, |g| g.names.len());
        self.view.selected_group = self.view.selected_group.filter(|&c| (c as usize) < n);
        (self.grouped, self.derived.groups) = (found, groups);
    }

    fn grouping(&self, id: ElementId, by: GroupBy) -> Option<Grouping> {
        let section = Arc::clone(self.study.section(id)?);
        let mut found = Grouping { id, section, by, field: None, segments: None, regions: Vec::new(), exclusions: Vec::new() };
        match &found.by {
            GroupBy::Column(name) => found.field = self.study.field(id, name).map(|f| Arc::clone(&f.values)),
            GroupBy::Regions => found.regions = self.study.regions.iter().filter(|r| r.section == id).cloned().collect(),
            GroupBy::Segments => found.segments = self.derived.spot_segments.get(&id).cloned(),
        }
        found.exclusions = self.study.exclusions.iter().filter(|e| e.what.element() == id).cloned().collect();
        Some(found)
    }

    fn groups_of(&self, g: &Grouping) -> Option<SpotGroups> {
        let spots = g.section.spots.as_ref()?;
        let n = spots.px.len();
        let table = color_table(ColorMap::Categories);
        let (mut codes, names, rgb) = match &g.by {
            GroupBy::Column(name) => {
                let (codes, names) = self.column_codes(g, name)?;
                let rgb = (0..names.len()).map(|i| table[i.min(255)]).collect();
                (codes, names, rgb)
            }
            GroupBy::Regions => {
                let mut codes = vec![u32::MAX; n];
                for (code, region) in g.regions.iter().enumerate().rev() {
                    region.spots.iter().for_each(|&s| {
                        if let Some(slot) = codes.get_mut(s as usize) {
                            *slot = code as u32;
                        }
                    });
                }
                let (names, rgb) = g.regions.iter().map(|r| (r.name.clone(), r.rgb)).unzip();
                (codes, names, rgb)
            }
            GroupBy::Segments => {
                let code = |&s: &u8| if s == 0 { u32::MAX } else { u32::from(s) - 1 };
                let codes = g.segments.as_ref()?.iter().map(code).collect();
                let name = |s: u8| crate::cardiac::segment_name(s).map_or_else(|| s.to_string(), |n| format!("{s} {n}"));
                (codes, (1..=17).map(name).collect(), (0..17).map(|i| table[i]).collect())
            }
        };
        codes.resize(n, u32::MAX);
        let why = self.study.spots_left_out(g.id);
        let mut sizes = vec![0; names.len()];
        for (i, code) in codes.iter_mut().enumerate() {
            let counts = spots.in_tissue.get(i).copied().unwrap_or(true) && why.get(i).is_none_or(Option::is_none);
            match sizes.get_mut(*code as usize).filter(|_| counts) {
                Some(size) => *size += 1,
                None => *code = u32::MAX,
            }
        }
        Some(SpotGroups { section: g.id, by: g.by.clone(), codes: codes.into(), names, rgb, sizes })
    }

    fn column_codes(&self, g: &Grouping, name: &str) -> Option<(Vec<u32>, Vec<String>)> {
        if let Some(Column::Category { codes, names }) = g.section.expression.as_ref().and_then(|e| e.columns.get(name)) {
            return Some((codes.clone(), names.clone()));
        }
        let field = self.study.field(g.id, name)?;
        let code = |v: &f32| if v.is_finite() && *v >= 0.0 { *v as u32 } else { u32::MAX };
        Some((field.values.iter().map(code).collect(), field.categories.to_vec()))
    }

    /// The cell types of the newest deconvolution of each section.
    pub(super) fn find_cell_types(&mut self) {
        let old = std::mem::take(&mut self.derived.cell_types);
        for analysis in self.study.analyses.values() {
            let AnalysisResult::CellTypes(found) = &analysis.result else { continue };
            let fields = analysis.fields.iter().take(found.types.len());
            let (names, values): (Vec<String>, Vec<Arc<[f32]>>) = fields.map(|f| (f.name.clone(), Arc::clone(&f.values))).unzip();
            let is_same = |f: &&Arc<Fractions>| {
                f.names == names && f.values.len() == values.len() && f.values.iter().zip(&values).all(|(a, b)| Arc::ptr_eq(a, b))
            };
            let kept = old.get(&analysis.of).filter(is_same).cloned();
            self.derived.cell_types.insert(analysis.of, kept.unwrap_or_else(|| Arc::new(Fractions { names, values })));
        }
    }
}
