//! Regions of spots: drawn with lasso and brush, added to and taken from, exchanged as `GeoJSON`, compared.

use super::edit::{Change, Edit};
use super::{Outcome, Session};
use crate::base::{Error, Progress, Result, Severity, Warnings};
use crate::io::{Reading, RegionUnit, read_regions, write_regions};
use crate::model::{ElementId, Finding, Polygon, Region, Section, SpotRegion};
use crate::omics::{CompareSettings, Comparison, Share, compare, composed_of, composition, patients_of};
use crate::scene::PaneKind;
use crate::space::DVec2;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the composition by the heart's segments, where no column is chosen.
const SEGMENTS: &str = "segment";

/// What was drawn, in mm of its pane.
#[derive(Clone, Debug, PartialEq)]
pub enum RegionShape {
    /// A free outline; spots whose centers lie inside (even–odd).
    Lasso(Vec<DVec2>),
    /// A disc along a path; spots whose centers it covers.
    Brush {
        /// Where it went.
        path: Vec<DVec2>,
        /// Its radius.
        radius_mm: f64,
    },
}

/// What becomes of the spots that were drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionMode {
    /// A new region.
    New,
    /// More of the region of this place in the list.
    Add(usize),
    /// Less of it.
    Take(usize),
}

/// The other side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The region of this place in the list.
    Region(usize),
    /// All spots on tissue that are not in the first.
    Rest,
}

/// What may be asked of regions.
#[derive(Clone, Debug, PartialEq)]
pub enum RegionAction {
    /// Draw on the section pane or the overlay.
    Draw {
        /// The pane.
        pane: PaneKind,
        /// What.
        shape: RegionShape,
        /// What becomes of the spots.
        mode: RegionMode,
    },
    /// Another name.
    Rename(usize, String),
    /// Another color, sRGB.
    Color(usize, [u8; 3]),
    /// Remove one.
    Remove(usize),
    /// Read areas of a `GeoJSON` file on the shown section, each as a region.
    Import(PathBuf),
    /// Compare two regions of the shown section.
    Compare {
        /// The first.
        a: usize,
        /// The second.
        b: Against,
        /// The column for the composition; `None` takes the first that fits.
        by: Option<String>,
    },
}

/// What was compared, with the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The section.
    pub section: ElementId,
    /// Names of both sides.
    pub names: [String; 2],
    /// Colors of both sides.
    pub rgb: [[u8; 3]; 2],
    /// Spots of both sides on tissue that are not left out.
    pub sets: [Vec<u32>; 2],
    /// Columns that the composition may be of.
    pub columns: Vec<String>,
    /// The column of the composition, and the shares; nothing where there are no categories.
    pub composition: Option<(String, Vec<Share>)>,
    /// All genes, or why there are none.
    pub genes: std::result::Result<Comparison, String>,
    /// Names of the genes of the comparison, in its order.
    pub gene_names: Vec<String>,
    /// Milliseconds that it took.
    pub ms: f64,
}

impl Compared {
    /// What was noticed.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.genes.as_ref().map_or(&[], |g| &g.findings)
    }
}

impl Session {
    /// The newest comparison of regions.
    #[must_use]
    pub fn compared(&self) -> Option<&Arc<Compared>> {
        self.compared.as_ref().filter(|c| self.study.section(c.section).is_some())
    }

    pub(super) fn region(&mut self, action: RegionAction) -> Result<()> {
        let before = self.study.regions.clone();
        let mut after = before.clone();
        let known = |i: usize| before.get(i).ok_or_else(|| Error::parameter("there is no such region"));
        let name = match action {
            RegionAction::Draw { pane, shape, mode } => self.draw_region(&mut after, pane, &shape, mode)?,
            RegionAction::Rename(i, name) => {
                let was = known(i)?;
                let name = name.trim();
                if name.is_empty() || before.iter().any(|r| r.section == was.section && r.name == name && r != was) {
                    return Err(Error::parameter("a region needs a name that no other one has"));
                }
                name.clone_into(&mut after[i].name);
                format!("rename region {}", was.name)
            }
            RegionAction::Color(i, rgb) => {
                let step = format!("color region {}", known(i)?.name);
                after[i].rgb = rgb;
                step
            }
            RegionAction::Remove(i) => {
                let step = format!("remove region {}", known(i)?.name);
                after.remove(i);
                step
            }
            RegionAction::Import(path) => return self.import_regions(path),
            RegionAction::Compare { a, b, by } => return self.compare_regions(a, b, by),
        };
        if before != after {
            self.commit(Edit { name, changes: vec![Change::Regions { before, after }] });
        }
        Ok(())
    }

    fn shown_spots(&self) -> Result<(ElementId, &Arc<Section>)> {
        let id = self.view.section.ok_or_else(|| Error::parameter("open a section with spots first"))?;
        let section = self.study.section(id).filter(|s| s.spots.is_some());
        section.map(|s| (id, s)).ok_or_else(|| Error::parameter("the section shown has no spots"))
    }

    /// Makes a region or changes one; the step's name.
    fn draw_region(&self, all: &mut Vec<SpotRegion>, pane: PaneKind, shape: &RegionShape, mode: RegionMode) -> Result<String> {
        let (section, _) = self.shown_spots()?;
        let centers = self.spots_in_pane(pane).ok_or_else(|| Error::parameter("regions are drawn on the section"))?;
        let inside = shape.members(&centers);
        let drawn = || (0u32..).zip(&inside).filter(|(_, i)| **i).map(|(n, _)| n);
        match mode {
            RegionMode::New => {
                let spots: Arc<[u32]> = drawn().collect();
                if spots.is_empty() {
                    return Err(Error::parameter("no center of a spot lies in what was drawn"));
                }
                let (name, rgb) = (free_name(all, section), free_color(all, section));
                all.push(SpotRegion { name: name.clone(), rgb, section, spots });
                Ok(format!("mark region {name}"))
            }
            RegionMode::Add(i) | RegionMode::Take(i) => {
                let region = all.get_mut(i).filter(|r| r.section == section);
                let region = region.ok_or_else(|| Error::parameter("there is no such region on this section"))?;
                let mut is_member = vec![false; centers.len()];
                for &spot in &*region.spots {
                    if let Some(slot) = is_member.get_mut(spot as usize) {
                        *slot = true;
                    }
                }
                let adds = matches!(mode, RegionMode::Add(_));
                drawn().for_each(|n| is_member[n as usize] = adds);
                let spots: Arc<[u32]> = (0u32..).zip(&is_member).filter(|(_, m)| **m).map(|(n, _)| n).collect();
                if spots.is_empty() {
                    return Err(Error::parameter("nothing would be left of the region; remove it instead"));
                }
                if spots != region.spots {
                    region.spots = spots;
                }
                let verb = if adds { "add to" } else { "take from" };
                Ok(format!("{verb} region {}", region.name))
            }
        }
    }

    /// Centers of the shown section's spots in mm of the section pane, or of the overlay through the fit.
    fn spots_in_pane(&self, pane: PaneKind) -> Option<Vec<DVec2>> {
        let (id, section) = self.shown_spots().ok()?;
        let scale = section.mm_per_px();
        let places: Vec<DVec2> = section.spots.as_ref()?.px.iter().map(|p| *p * scale).collect();
        match pane {
            PaneKind::Section => Some(places),
            PaneKind::Overlay => {
                let fit = self.study.registrations.get(&id)?.used_fit()?;
                let turn = |p: DVec2| if self.view.neurological { DVec2::new(-p.x, p.y) } else { p };
                Some(fit.plane_from_section.apply_all(&places).into_iter().map(turn).collect())
            }
            _ => None,
        }
    }

    fn import_regions(&mut self, path: PathBuf) -> Result<()> {
        let (section, _) = self.shown_spots()?;
        let limits = self.limits;
        let title = format!("Reading {}", super::open::leaf(&path));
        self.jobs.start("regions", &title, move |progress| {
            let mut warnings = Warnings::default();
            let mut reading = Reading { limits, progress, warnings: &mut warnings };
            let regions = read_regions(&path, RegionUnit::Pixels, &mut reading)?;
            Ok(Outcome::Regions(section, regions, warnings.notes))
        });
        Ok(())
    }

    /// Regions of a file become regions of a section, all in one step.
    pub(super) fn add_regions(&mut self, section: ElementId, found: &[Region], notes: Vec<crate::base::Note>) {
        notes.into_iter().for_each(|n| self.say(n.severity, n.message));
        let Some(spots) = self.study.section(section).and_then(|s| s.spots.clone()) else { return };
        let before = self.study.regions.clone();
        let mut after = before.clone();
        let mut empty = 0;
        for region in found {
            let inside = region.members(&spots.px);
            let members: Arc<[u32]> = (0u32..).zip(&inside).filter(|(_, i)| **i).map(|(n, _)| n).collect();
            if members.is_empty() {
                empty += 1;
                continue;
            }
            let wanted = if region.name.is_empty() { region.class.trim() } else { region.name.trim() };
            let is_free = |n: &str| !n.is_empty() && after.iter().all(|r| r.section != section || r.name != n);
            let numbered = (2..=after.len() + 2).map(|k| format!("{wanted} {k}")).find(|n| is_free(n));
            let name = match wanted {
                "" => free_name(&after, section),
                n if is_free(n) => n.to_owned(),
                _ => numbered.unwrap_or_else(|| free_name(&after, section)),
            };
            let rgb = region.color.unwrap_or_else(|| free_color(&after, section));
            after.push(SpotRegion { name, rgb, section, spots: members });
        }
        if empty > 0 {
            let text = format!("{empty} of {} regions have no center of a spot inside and are left out.", found.len());
            self.say(Severity::Warning, text);
        }
        if before != after {
            let name = format!("import {} regions", after.len() - before.len());
            self.commit(Edit { name, changes: vec![Change::Regions { before, after }] });
        }
    }

    fn compare_regions(&mut self, a: usize, b: Against, by: Option<String>) -> Result<()> {
        let (id, section) = self.shown_spots()?;
        let of = |i: usize| {
            let region = self.study.regions.get(i).filter(|r| r.section == id);
            region.ok_or_else(|| Error::parameter("there is no such region on this section"))
        };
        let first = of(a)?;
        let spots = section.spots.as_ref().map_or(0, |s| s.px.len()) as u32;
        let out = self.study.spots_left_out(id);
        let in_tissue = section.spots.as_ref().map(|s| s.in_tissue.clone()).unwrap_or_default();
        let counts = |s: &u32| {
            let i = *s as usize;
            in_tissue.get(i).copied().unwrap_or(true) && out.get(i).is_none_or(Option::is_none)
        };
        let kept = |spots: &[u32]| spots.iter().copied().filter(counts).collect::<Vec<u32>>();
        let (name, rgb, second) = match b {
            Against::Region(i) => {
                let r = of(i)?;
                (r.name.clone(), r.rgb, kept(&r.spots))
            }
            Against::Rest => {
                let rest: Vec<u32> = (0..spots).filter(|s| first.spots.binary_search(s).is_err()).collect();
                ("all others".to_owned(), [150, 150, 150], kept(&rest))
            }
        };
        let asked = Asked {
            id,
            section: Arc::clone(section),
            names: [first.name.clone(), name],
            rgb: [first.rgb, rgb],
            sets: [kept(&first.spots), second],
            by,
            segments: self.derived.spot_segments.get(&id).cloned(),
        };
        self.jobs.start("compare regions", "Comparing regions", move |p| Ok(Outcome::Compared(Arc::new(asked.answer(p)?))));
        Ok(())
    }
}

/// A comparison to be made.
struct Asked {
    id: ElementId,
    section: Arc<Section>,
    names: [String; 2],
    rgb: [[u8; 3]; 2],
    sets: [Vec<u32>; 2],
    by: Option<String>,
    /// Segment of each spot, 0 outside.
    segments: Option<Arc<[u8]>>,
}

impl Asked {
    fn answer(self, progress: &Progress) -> Result<Compared> {
        let began = std::time::Instant::now();
        let sets = [self.sets[0].as_slice(), self.sets[1].as_slice()];
        let expression = self.section.expression.as_deref();
        let mut columns: Vec<String> = expression.map_or_else(Vec::new, composed_of).into_iter().map(str::to_owned).collect();
        if self.segments.is_some() && !columns.iter().any(|c| c == SEGMENTS) {
            columns.push(SEGMENTS.into());
        }
        let chosen = self.by.filter(|b| columns.contains(b)).or_else(|| columns.first().cloned());
        let composed = chosen.map(|name| {
            let shares = match expression.and_then(|e| e.columns.get(&name)) {
                Some(column) => composition(column, sets),
                None => composition(&segment_column(self.segments.as_deref().unwrap_or_default()), sets),
            };
            shares.map(|s| (name, s))
        });
        let genes = match expression {
            None => Err("this section has no genes".to_owned()),
            Some(e) => {
                let patients = patients_of(e);
                let codes = patients.as_ref().map(|(_, codes)| codes.as_slice());
                let settings = CompareSettings { top: usize::MAX, ..CompareSettings::default() };
                match compare(e, sets, codes, &settings, progress) {
                    Err(Error::Cancelled) => return Err(Error::Cancelled),
                    other => other.map_err(|e| e.to_string()),
                }
            }
        };
        let names = expression.map_or(&[][..], |e| e.genes());
        let gene_names = genes.as_ref().map_or_else(|_| Vec::new(), |c| c.genes.iter().map(|g| names[g.gene].clone()).collect());
        Ok(Compared {
            section: self.id,
            names: self.names,
            rgb: self.rgb,
            columns,
            composition: composed.transpose()?,
            genes,
            gene_names,
            sets: self.sets,
            ms: began.elapsed().as_secs_f64() * 1e3,
        })
    }
}

/// The segments as categories; 0 is missing.
fn segment_column(segments: &[u8]) -> crate::model::Column {
    let codes = segments.iter().map(|&s| if s == 0 { u32::MAX } else { u32::from(s) - 1 }).collect();
    crate::model::Column::Category { codes, names: (1..=17).map(|s| s.to_string()).collect() }
}

impl RegionShape {
    /// Which of the centers lie inside. Cost: centers × corners for a lasso, within its box only; centers × steps for a
    /// brush.
    #[must_use]
    pub fn members(&self, centers: &[DVec2]) -> Vec<bool> {
        match self {
            Self::Lasso(corners) if corners.len() < 3 => vec![false; centers.len()],
            Self::Lasso(corners) => {
                let polygons = vec![Polygon { rings: vec![corners.clone()] }];
                Region { polygons, ..Region::default() }.members(centers)
            }
            Self::Brush { path, radius_mm } => {
                let near = |p: &DVec2, q: DVec2, r: DVec2| {
                    let way = r - q;
                    let t = if way.length_squared() > 0.0 { (*p - q).dot(way) / way.length_squared() } else { 0.0 };
                    p.distance_squared(q + way * t.clamp(0.0, 1.0)) <= radius_mm * radius_mm
                };
                let low = path.iter().copied().reduce(DVec2::min).unwrap_or_default() - *radius_mm;
                let high = path.iter().copied().reduce(DVec2::max).unwrap_or_default() + *radius_mm;
                let inside = |p: &DVec2| {
                    let steps = || path.windows(2).any(|w| near(p, w[0], w[1])) || path.first().is_some_and(|q| near(p, *q, *q));
                    p.cmpge(low).all() && p.cmple(high).all() && steps()
                };
                centers.iter().map(inside).collect()
            }
        }
    }
}

/// The next free letter, then AA and so on.
fn free_name(all: &[SpotRegion], section: ElementId) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    let name = |n: usize| if n < 26 { letter(n).to_string() } else { format!("{}{}", letter(n / 26 - 1), letter(n)) };
    let is_free = |n: &String| all.iter().all(|r| r.section != section || r.name != *n);
    (0..=all.len()).map(name).find(is_free).unwrap_or_default()
}

fn free_color(all: &[SpotRegion], section: ElementId) -> [u8; 3] {
    let used = |c: &[u8; 3]| all.iter().filter(|r| r.section == section && r.rgb == *c).count();
    SpotRegion::COLORS.into_iter().min_by_key(used).unwrap_or(SpotRegion::COLORS[0])
}

/// Writes the regions of a section as `GeoJSON`, in pixels from the corner of the picture as `QuPath` reads them.
pub(super) fn export_regions(all: &[SpotRegion], id: ElementId, section: &Section, path: &Path) -> Result<()> {
    let spots = section.spots.as_ref().ok_or_else(|| Error::parameter("this section has no spots"))?;
    let areas: Vec<Region> = all.iter().filter(|r| r.section == id).map(|r| r.areas(spots)).collect();
    if areas.is_empty() {
        return Err(Error::parameter("there is no region on this section; draw one first"));
    }
    write_regions(path, &areas, RegionUnit::Pixels)
}
