//! The spot under a place of a section: an index for each section, made once, so that the cursor costs the same on
//! a hundred spots and on a million.

use super::{Outcome, Session};
use crate::model::{ElementId, Spots};
use crate::space::{DVec2, PointGrid};
use std::sync::Arc;

/// From here on the index is made in the background.
const MANY: usize = 50_000;

/// The index of a section's spots and what it was made from.
#[derive(Debug)]
pub struct SpotIndex {
    spots: Arc<Spots>,
    grid: PointGrid,
}

impl SpotIndex {
    fn of(spots: Arc<Spots>) -> Self {
        Self { grid: PointGrid::new(&spots.px), spots }
    }
}

impl Session {
    /// Makes the missing indices and lets go of those that nothing uses.
    pub(super) fn index_spots(&mut self) {
        let current = |id: &ElementId| self.study.section(*id).and_then(|s| s.spots.clone());
        self.spot_index.retain(|id, i| current(id).is_some_and(|s| Arc::ptr_eq(&s, &i.spots)));
        let missing: Vec<(ElementId, Arc<Spots>)> = (self.study.sections())
            .filter(|(id, _)| !self.spot_index.contains_key(id))
            .filter_map(|(id, s)| Some((id, s.spots.clone()?)))
            .collect();
        for (id, spots) in missing {
            if spots.px.len() < MANY {
                self.spot_index.insert(id, SpotIndex::of(spots));
                continue;
            }
            self.jobs.start(&format!("spot index {}", id.0), "Indexing spots", move |progress| {
                progress.step(0.0, "sorting spots into a grid")?;
                Ok(Outcome::SpotIndex(id, Box::new(SpotIndex::of(spots))))
            });
        }
    }

    pub(super) fn add_spot_index(&mut self, id: ElementId, index: SpotIndex) {
        let spots = self.study.section(id).and_then(|s| s.spots.clone());
        if spots.is_some_and(|s| Arc::ptr_eq(&s, &index.spots)) {
            self.spot_index.insert(id, index);
            self.revision += 1;
        }
    }

    /// The spot of a section whose disc (or, between spots, whose neighborhood of one diameter) holds a place in
    /// section mm. None while the index is being made.
    #[must_use]
    pub fn spot_at(&self, id: ElementId, mm: DVec2) -> Option<usize> {
        let section = self.study.section(id)?;
        let spots = section.spots.as_ref()?;
        let index = self.spot_index.get(&id)?;
        index.grid.nearest(&spots.px, mm / section.mm_per_px(), spots.diameter_px.max(1.0))
    }
}
