//! Measuring tools: figures of the study, their numbers, and the table of them.

use super::Session;
use super::edit::{Change, Edit};
use crate::base::{Error, Result};
use crate::imaging::{FigureValue, measure_figure};
use crate::io::{Table, TableColumn};
use crate::model::{ElementId, Figure, FigureKind, Study};
use crate::space::DVec3;

/// What may be asked of figures.
#[derive(Clone, Debug, PartialEq)]
pub enum FigureAction {
    /// A new one, on the heart image shown and its phase; it gets a name.
    Add(FigureKind, Vec<DVec3>),
    /// Other points for one.
    Move(usize, Vec<DVec3>),
    /// Another name.
    Rename(usize, String),
    /// Remove one.
    Remove(usize),
}

impl Session {
    pub(super) fn figure(&mut self, action: FigureAction) -> Result<()> {
        let before = self.study.figures.clone();
        let mut after = before.clone();
        let known = |i: usize| before.get(i).ok_or_else(|| Error::parameter("there is no such figure"));
        let name = match action {
            FigureAction::Add(kind, points) => {
                let image = self.view.heart.ok_or_else(|| Error::parameter("open an image of the heart first"))?;
                let volume = self.study.volume(image).ok_or_else(|| Error::parameter("open an image of the heart first"))?;
                let phase = crate::scene::phase_at(volume, self.view.cardiac_phase);
                measure_figure(kind, &points, volume, phase)?;
                let is_free = |n: &usize| before.iter().all(|f| f.name != format!("{} {n}", kind.name()));
                let number = (1..=before.len() + 1).find(is_free).unwrap_or(before.len() + 1);
                let name = format!("{} {number}", kind.name());
                after.push(Figure { name: name.clone(), kind, points, image, phase });
                format!("measure {name}")
            }
            FigureAction::Move(i, points) => {
                let figure = known(i)?;
                let volume = self.study.volume(figure.image).ok_or_else(|| Error::parameter("its image is not open"))?;
                measure_figure(figure.kind, &points, volume, figure.phase)?;
                after[i].points = points;
                format!("move {}", figure.name)
            }
            FigureAction::Rename(i, name) => {
                let was = &known(i)?.name;
                if name.trim().is_empty() {
                    return Err(Error::parameter("a figure needs a name"));
                }
                let step = format!("rename {was}");
                name.trim().clone_into(&mut after[i].name);
                step
            }
            FigureAction::Remove(i) => {
                let step = format!("remove {}", known(i)?.name);
                after.remove(i);
                step
            }
        };
        if before != after {
            self.commit(Edit { name, changes: vec![Change::Figures { before, after }] });
        }
        Ok(())
    }
}

/// What a figure of a study measures.
pub fn figure_values(study: &Study, figure: &Figure) -> Result<Vec<FigureValue>> {
    let image = study.volume(figure.image).ok_or_else(|| Error::parameter("the image of the figure is not open"))?;
    measure_figure(figure.kind, &figure.points, image, figure.phase)
}

/// The numbers of figures as a tidy table `subject,region,phase,metric,value,unit,method`; the ± of a number is
/// a row of its own, `METRIC_sd_pixel`. The subject is `image N` for the image's number in the study.
pub fn figure_table(study: &Study) -> Result<Table> {
    let mut rows = Vec::new();
    for figure in &study.figures {
        rows.extend(tidy(&subject(figure.image), figure, &figure_values(study, figure)?));
    }
    table_of(&rows)
}

fn subject(image: ElementId) -> String {
    format!("image {}", image.0)
}

/// A row of the table of figures.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureRow {
    /// Subject, region (name of the figure), phase, metric.
    pub key: [String; 4],
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Its definition.
    pub method: String,
}

/// The rows of a figure's numbers.
#[must_use]
pub fn tidy(subject: &str, figure: &Figure, values: &[FigureValue]) -> Vec<FigureRow> {
    let row = |metric: String, value: f64, v: &FigureValue| FigureRow {
        key: [subject.to_owned(), figure.name.clone(), figure.phase.to_string(), metric],
        value,
        unit: v.unit.clone(),
        method: v.method.to_owned(),
    };
    let mut rows = Vec::new();
    for v in values {
        rows.push(row(v.metric.to_owned(), v.value, v));
        rows.extend(v.sd.map(|sd| row(format!("{}_sd_pixel", v.metric), sd, v)));
    }
    rows
}

/// The table of rows.
pub fn table_of(rows: &[FigureRow]) -> Result<Table> {
    let key = |name: &str, i: usize| TableColumn::text(name, rows.iter().map(move |r| Some(r.key[i].as_str())));
    Table::new(vec![
        key("subject", 0),
        key("region", 1),
        key("phase", 2),
        key("metric", 3),
        TableColumn::numbers("value", rows.iter().map(|r| Some(r.value))),
        TableColumn::text("unit", rows.iter().map(|r| Some(r.unit.as_str()))),
        TableColumn::text("method", rows.iter().map(|r| Some(r.method.as_str()))),
    ])
}
