//! Where the spots of a section are: on the section, in the patient through the chain, in which segment;
//! and what they are worth.

use super::{Exporter, unregistered};
use crate::base::{Error, Result};
use crate::io::{LengthUnit, TransformFile};
use crate::model::{ElementId, Registration, TransformModel};
use crate::scene::{self, SpotValues};
use crate::space::{DVec2, DVec3, Plane, Warp};
use std::sync::Arc;

/// The way from a section to the patient with its quality.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Section mm to plane mm.
    pub warp: Warp,
    /// The plane in the patient.
    pub plane: Plane,
    /// Its family; `None` where the warp came from a file as a chain.
    pub model: Option<TransformModel>,
    /// Pairs it was fitted to; 0 for a transform from a file.
    pub n_pairs: usize,
    /// Root of the mean squared residual in mm.
    pub rms_mm: Option<f64>,
    /// Median leave-one-out error in mm.
    pub leave_one_out_median_mm: Option<f64>,
    /// Places where it folds.
    pub folds: usize,
    /// SHA-256 of the file that it came from.
    pub source: Option<String>,
}

impl Placed {
    /// Of a fitted registration.
    #[must_use]
    pub fn of(registration: &Registration) -> Option<Self> {
        let fit = registration.fit.as_ref()?;
        let q = &fit.quality;
        Some(Self {
            warp: fit.plane_from_section.clone(),
            plane: registration.plane,
            model: Some(registration.model),
            n_pairs: q.n_pairs,
            rms_mm: q.rms_mm.filter(|v| v.is_finite()),
            leave_one_out_median_mm: q.leave_one_out_median_mm,
            folds: q.folds,
            source: None,
        })
    }

    /// Of a file; [`Error::Parameter`] where it does not lead into a patient.
    pub fn of_file(file: &TransformFile) -> Result<Self> {
        let plane =
            file.lps_plane()?.ok_or_else(|| Error::parameter("--transform does not lead into a volume: it has no plane"))?;
        Ok(Self {
            warp: file.to_warp()?,
            plane,
            model: file.transform_model().ok(),
            n_pairs: 0,
            rms_mm: None,
            leave_one_out_median_mm: None,
            folds: 0,
            source: None,
        })
    }

    /// The patient point (mm) of a section point (mm).
    #[must_use]
    pub fn lps(&self, section_mm: DVec2) -> DVec3 {
        self.plane.lps_from_plane(self.warp.apply(section_mm))
    }

    /// As a file from section to patient.
    pub fn file(&self, moving: LengthUnit) -> Result<TransformFile> {
        // A section without a unit is a thousand pixels to the millimeter.
        let pixel = crate::space::DAffine2::from_scale(DVec2::splat(0.001));
        let warp = match moving {
            LengthUnit::Px => crate::space::one_after_other(&Warp::Affine(pixel), &self.warp),
            _ => self.warp.clone(),
        };
        TransformFile::from_warp(self.model.unwrap_or(TransformModel::Affine), &warp, [moving, LengthUnit::Mm], Some(&self.plane))
    }

    /// As `similarity by 6 pairs, RMS 0.8 mm, left out 1.4 mm`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let model = self.model.map_or("chain", TransformModel::name);
        if self.n_pairs == 0 {
            return format!("{model} from a file, its error is not known");
        }
        let mm = |what: &str, v: Option<f64>| v.map_or_else(String::new, |v| format!(", {what} {} mm", scene::fixed(v, 1)));
        let (rms, out) = (mm("RMS", self.rms_mm), mm("left out", self.leave_one_out_median_mm));
        let folds = if self.folds > 0 { format!(", folds at {} places", self.folds) } else { String::new() };
        format!("{model} by {} pairs{rms}{out}{folds}", self.n_pairs)
    }
}

/// One spot.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotRow {
    /// Its name.
    pub id: String,
    /// Section mm (a thousandth of a pixel where the pixel size is unknown).
    pub section_mm: DVec2,
    /// Patient LPS mm through the chain.
    pub lps: Option<DVec3>,
    /// One of the 17 segments, with its name.
    pub segment: Option<(u8, String)>,
    /// On tissue.
    pub in_tissue: bool,
    /// Why it is left out, where it is.
    pub excluded: Option<String>,
}

impl SpotRow {
    /// Whether it counts in means and maps.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.in_tissue && self.excluded.is_none()
    }
}

impl Exporter {
    /// The way of a section into the patient: the one given, else that of its registration.
    #[must_use]
    pub fn placed(&self, id: ElementId) -> Option<Placed> {
        let given = self.given.as_ref().filter(|(of, _)| *of == id).map(|(_, placed)| placed.clone());
        given.or_else(|| Placed::of(self.study.registrations.get(&id)?))
    }

    /// All spots of a section. [`Error::Parameter`] where it has none.
    pub fn rows(&self, id: ElementId) -> Result<Vec<SpotRow>> {
        let section = self.section(id)?;
        let spots = section.spots.as_ref().ok_or_else(|| Error::parameter(format!("{} has no spots", section.name)))?;
        let names = section.expression.as_ref().map(|e| e.observations()).unwrap_or_default();
        let (placed, scale) = (self.placed(id), section.mm_per_px());
        let left_out = self.study.spots_left_out(id);
        let row = |(i, px): (usize, &DVec2)| {
            let section_mm = *px * scale;
            let lps = placed.as_ref().map(|p| p.lps(section_mm)).filter(|p| p.is_finite());
            SpotRow {
                id: names.get(i).cloned().unwrap_or_else(|| format!("spot {}", i + 1)),
                section_mm,
                lps,
                segment: lps.and_then(|p| self.segments.values().find_map(|s| s.at(p))),
                in_tissue: spots.in_tissue.get(i).copied().unwrap_or(true),
                excluded: left_out.get(i).copied().flatten().map(str::to_owned),
            }
        };
        Ok(spots.px.iter().enumerate().map(row).collect())
    }

    /// The rows of a registered section; [`Error::Parameter`] where it has no way into the patient.
    pub(super) fn registered_rows(&self, id: ElementId) -> Result<Vec<SpotRow>> {
        let rows = self.rows(id)?;
        if self.placed(id).is_some() { Ok(rows) } else { Err(unregistered()) }
    }

    /// Values of a field of an analysis, a gene or a column.
    pub(super) fn values(&self, id: ElementId, name: &str, log_normalized: bool) -> Result<SpotValues> {
        match self.study.field(id, name) {
            Some(field) => Ok(scene::field_values(field, None)),
            None => scene::try_spot_values(self.section(id)?, name, log_normalized, None),
        }
    }

    /// The values asked for; where none are, what is painted and every field of an analysis.
    pub(super) fn all_values(&self, id: ElementId, names: &[String], log_normalized: bool) -> Result<Vec<Named>> {
        let named = |name: &String| self.values(id, name, log_normalized).map(|v| Named::new(name, v));
        if !names.is_empty() {
            return names.iter().map(named).collect();
        }
        let painted = self.derived.spot_values.get(&id).filter(|v| v.values.iter().any(|v| !v.is_nan()));
        let mut all: Vec<Named> = painted.map(|v| Named::new(&v.title, (**v).clone())).into_iter().collect();
        for field in self.study.fields(id) {
            if all.iter().all(|n| n.name != field.name) {
                all.push(Named::new(&field.name, scene::field_values(field, None)));
            }
        }
        Ok(all)
    }
}

/// Values under the name they were asked by.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub name: String,
    pub values: Arc<[f32]>,
    /// As `log1p CP10k`, or empty.
    pub unit: String,
    /// Names of the codes, for categories.
    pub categories: Vec<String>,
}

impl Named {
    fn new(name: &str, v: SpotValues) -> Self {
        let unit = v.rule.split_once(", ").map_or_else(String::new, |(unit, _)| unit.to_owned());
        let name = if v.title.is_empty() { name.to_owned() } else { v.title.clone() };
        Self { name, values: v.values, unit, categories: v.categories }
    }

    /// With its unit, as `NPPA_log1p_cp10k`.
    pub fn column(&self) -> String {
        let unit: String = self.unit.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        if unit.is_empty() { self.name.clone() } else { format!("{}_{unit}", self.name) }
    }

    /// The value of a spot; `None` where it has none.
    pub fn at(&self, i: usize) -> Option<f64> {
        self.values.get(i).copied().filter(|v| v.is_finite()).map(f64::from)
    }

    /// The category of a spot.
    pub fn word(&self, i: usize) -> Option<String> {
        self.at(i).and_then(|code| self.categories.get(code as usize).cloned())
    }
}
