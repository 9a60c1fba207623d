//! `predict apply`.

use super::super::Run;
use super::input;
use crate::base::{Error, Result};
use crate::io::{self, Extras};
use crate::model::{Column, Expression, Picture, PixelSize, Predictor, Section, Spots};
use crate::predict::{FEATURE_NAMES, Predicted, apply, known_um_per_px, patch_features};
use crate::space::DVec2;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// `predict apply`.
#[derive(Args, Debug)]
pub struct Apply {
    /// A model that `predict fit` wrote.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Histology picture, or a Visium folder or h5ad with one.
    #[arg(long, value_name = "PATH", conflicts_with = "x")]
    image: Option<PathBuf>,
    /// A section whose spots are predicted, in pixels of the picture; without it a lattice over the tissue.
    #[arg(long, value_name = "PATH", conflicts_with = "x")]
    section: Option<PathBuf>,
    /// Table of features, for a model that was learned from a table.
    #[arg(long, value_name = "FILE")]
    x: Option<PathBuf>,
    /// Distance between places of the lattice.
    #[arg(long, default_value_t = 100.0, value_name = "UM")]
    step_um: f64,
    /// µm per full-resolution pixel, where the picture does not say it.
    #[arg(long, value_name = "UM")]
    um_per_px: Option<f64>,
    /// Write the map there.
    #[arg(long, value_name = "FILE.h5ad")]
    out: PathBuf,
}

/// Most places of a lattice.
const MOST_PLACES: f64 = 4e6;

impl Apply {
    pub(super) fn run(self, run: &mut Run) -> Result<u8> {
        let (model, _) = io::read_predictor(&self.model, &run.limits)?;
        let (base, columns) = match (&self.x, model.patch_um) {
            (Some(_), None) => self.table(run, &model)?,
            (None, Some(patch_um)) => self.picture(run, &model, patch_um)?,
            (Some(_), Some(_)) => return Err(Error::parameter("this model was learned from patches; give --image or --section")),
            (None, None) => return Err(Error::parameter("this model was learned from a table; give the features with --x")),
        };
        let n = base.expression.as_ref().map_or(0, |e| e.observations().len());
        run.limits.check("the predicted map", &[n as u64, model.genes.len() as u64], 48)?;
        let prediction = apply(&model, &columns, &run.progress.part(0.8, 0.95))?;
        let map = map(base, &model, &prediction)?;
        let extras = Extras {
            layers: vec![("standard_deviation", &prediction.standard_deviations)],
            expression: Some(model.expression),
            ..Extras::default()
        };
        io::write_h5ad_with(&self.out, &map, &extras)?;
        self.tell(run, &model, &prediction);
        Ok(0)
    }

    fn tell(&self, run: &Run, model: &Predictor, prediction: &Predicted) {
        let n = prediction.in_domain.len();
        let n_known = prediction.distance.iter().filter(|d| d.is_finite()).count();
        let n_in = prediction.in_domain.iter().filter(|d| **d).count();
        let share = if n_known > 0 { n_in as f64 / n_known as f64 } else { 0.0 };
        if run.shared.json {
            run.printer.json(&json!({
                "out": self.out.display().to_string(), "n_locations": n, "n_predicted": n_known, "n_in_domain": n_in,
                "genes": model.genes.len(), "expression": model.expression.words(),
            }));
        } else {
            run.printer
                .line(&format!("{} genes at {n_known} of {n} places, {n_in} within the training domain", model.genes.len()));
        }
        if n_known > 0 && share < 0.9 {
            let percent = 100.0 * (1.0 - share);
            run.printer.remark(&format!(
                "warning [domain-shift]: {percent:.0} % of the places look like nothing that was learned from; do not read their values"
            ));
        }
    }

    fn table(&self, run: &mut Run, model: &Predictor) -> Result<(Section, Vec<Vec<f64>>)> {
        let Some(path) = &self.x else { return Err(Error::parameter("give --x")) };
        let view = input::view(run, path)?;
        let find = |name: &String| {
            let found = view.names.iter().position(|n| n == name);
            found.ok_or_else(|| Error::malformed(format!("there is no column {name}, which the model needs")).at(path))
        };
        let order = model.features.iter().map(|f| find(&f.name)).collect::<Result<Vec<_>>>()?;
        let columns = order.into_iter().map(|j| view.columns[j].clone()).collect();
        let expression = empty(view.ids)?;
        let section = Section {
            name: "samples".into(),
            picture: None,
            pixel_size: PixelSize::Unknown,
            spots: None,
            expression: Some(Arc::new(expression)),
        };
        Ok((section, columns))
    }

    fn picture(&self, run: &mut Run, model: &Predictor, patch_um: f64) -> Result<(Section, Vec<Vec<f64>>)> {
        if model.features.iter().map(|f| f.name.as_str()).ne(FEATURE_NAMES) {
            return Err(
                Error::unsupported("this model uses other patch features than this program; fit it again").at(&self.model)
            );
        }
        let image = self.image.as_ref().map(|p| one(input::sections(run, p, self.um_per_px)?)).transpose()?;
        let placed = self.section.as_ref().map(|p| one(input::sections(run, p, self.um_per_px)?)).transpose()?;
        let (section, on_lattice) = match (image, placed) {
            (Some(image), Some(placed)) => (combined(image, placed)?, false),
            (None, Some(placed)) => (placed, false),
            (Some(image), None) => (self.lattice(&image)?, true),
            (None, None) => return Err(Error::parameter("give a picture with --image, a section with --section, or both")),
        };
        let Some(spots) = section.spots.clone() else {
            return Err(Error::parameter(format!("{} has no spots; leave --section out for a lattice", section.name)));
        };
        let features = patch_features(&section, &spots.px, patch_um, &run.progress.part(0.1, 0.8))?;
        if !on_lattice {
            return Ok((section, features.columns));
        }
        // A lattice keeps the places on tissue only.
        let keep: Vec<usize> = (0..spots.px.len()).filter(|&i| features.is_known(i)).collect();
        if keep.is_empty() {
            return Err(Error::degenerate("no patch of the picture shows enough tissue to predict from"));
        }
        let kept = Spots {
            px: keep.iter().map(|&i| spots.px[i]).collect(),
            diameter_px: spots.diameter_px,
            in_tissue: vec![true; keep.len()],
        };
        let expression = section.expression.as_ref().map(|e| e.subset(&keep)).transpose()?.map(Arc::new);
        let columns = features.columns.iter().map(|c| keep.iter().map(|&i| c[i]).collect()).collect();
        Ok((Section { spots: Some(Arc::new(kept)), expression, ..section }, columns))
    }

    /// The picture with places every `step_um` in rows and columns.
    fn lattice(&self, image: &Section) -> Result<Section> {
        let um = known_um_per_px(image)?;
        let Some(picture) = &image.picture else {
            return Err(Error::parameter(format!("{} has no picture", image.name)));
        };
        let step = self.step_um / um;
        if !step.is_finite() || step <= 0.0 {
            return Err(Error::parameter(format!("--step-um {} is not above 0", self.step_um)));
        }
        let [columns, rows] = picture.full_size.map(|s| (s / step).floor().max(1.0));
        if columns * rows > MOST_PLACES {
            let places = columns * rows;
            return Err(Error::parameter(format!("--step-um {} gives {places:.0} places; use a larger step", self.step_um)));
        }
        let (columns, rows) = (columns as usize, rows as usize);
        let at = |i: usize| DVec2::new(((i % columns) as f64 + 0.5) * step - 0.5, ((i / columns) as f64 + 0.5) * step - 0.5);
        let px: Arc<[DVec2]> = (0..columns * rows).map(at).collect();
        let names = (0..columns * rows).map(|i| format!("r{}c{}", i / columns, i % columns)).collect();
        let spots = Spots { diameter_px: step, in_tissue: vec![true; px.len()], px };
        Ok(Section { spots: Some(Arc::new(spots)), expression: Some(Arc::new(empty(names)?)), ..image.clone() })
    }
}

fn empty(observations: Vec<String>) -> Result<Expression> {
    Expression::new(Vec::new(), Vec::new(), observations, vec![0], Vec::new(), Vec::new())
}

fn one(sections: Vec<Section>) -> Result<Section> {
    let n = sections.len();
    let mut all = sections.into_iter();
    match (all.next(), n) {
        (Some(section), 1) => Ok(section),
        _ => Err(Error::parameter(format!("there are {n} sections in this path; give one of them"))),
    }
}

/// Spots of one section over the picture of another, both with pixels of the same full resolution.
fn combined(image: Section, placed: Section) -> Result<Section> {
    let Some(picture) = image.picture else { return Err(Error::parameter(format!("{} has no picture", image.name))) };
    let known = |scale: f64| match (&placed.pixel_size, &image.pixel_size) {
        (PixelSize::Unknown, PixelSize::Known { um_per_px, source }) => {
            PixelSize::Known { um_per_px: um_per_px / scale, source: source.clone() }
        }
        (own, _) => own.clone(),
    };
    let Some(own) = &placed.picture else {
        let pixel_size = known(1.0);
        return Ok(Section { picture: Some(picture), pixel_size, ..placed });
    };
    let [x, y] = [0, 1].map(|a| own.full_size[a] / picture.full_size[a]);
    if (x / y - 1.0).abs() > 0.02 {
        let [a, b] = [picture.full_size, own.full_size];
        return Err(Error::parameter(format!(
            "a picture of {}×{} px does not fit a section of {}×{} px",
            a[0], a[1], b[0], b[1]
        )));
    }
    let scale = 0.5 * (x + y);
    // Pixel centers are whole numbers, so a larger pixel's center moves by half of what it grew.
    let grow = |l: &crate::model::PictureLevel| crate::model::PictureLevel {
        scale: l.scale * scale,
        offset: l.offset * scale + (scale - 1.0) / 2.0,
        ..l.clone()
    };
    let levels = picture.levels.iter().map(grow).collect();
    let (full_size, pixel_size) = (own.full_size, known(scale));
    Ok(Section { picture: Some(Arc::new(Picture { levels, full_size })), pixel_size, ..placed })
}

/// The section with predictions as its expression.
fn map(section: Section, model: &Predictor, prediction: &Predicted) -> Result<Section> {
    let before = section.expression.as_ref();
    let n = prediction.in_domain.len();
    let names = before.map(|e| e.observations().to_vec()).unwrap_or_default();
    let genes: Vec<String> = model.genes.iter().map(|g| g.name.clone()).collect();
    let offsets = (0..=genes.len()).map(|g| (g * n) as u64).collect();
    let rows = genes.iter().flat_map(|_| 0..n as u32).collect();
    let values = prediction.values.iter().flatten().map(|v| *v as f32).collect();
    let mut expression = Expression::new(genes, Vec::new(), names, offsets, rows, values)?;
    expression.columns = before.map(|e| e.columns.clone()).unwrap_or_default();
    let inside = prediction.in_domain.iter().map(|d| f64::from(u8::from(*d))).collect();
    expression.columns.insert("in_domain".into(), Column::Number(inside));
    expression.columns.insert("domain_distance".into(), Column::Number(prediction.distance.clone()));
    expression.unit = model.expression.words();
    Ok(Section { expression: Some(Arc::new(expression)), ..section })
}
