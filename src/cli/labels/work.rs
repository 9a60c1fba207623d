//! The commands that change a segmentation.

use super::{Files, check_out, finish, read_image, read_labels};
use crate::base::{Error, Result, Severity};
use crate::cli::Run;
use crate::cli::points::point;
use crate::imaging::paint::{Connect, GrowSettings};
use crate::model::{LabelMap, Volume};
use crate::session::{LabelOp, Which, work_on_labels};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Slices or space.
#[derive(Args, Clone, Copy, Debug)]
pub struct SliceAxis {
    /// Axis of the stored grid that the slices are stacked along: i, j or k.
    #[arg(long, value_enum, default_value = "k")]
    axis: AxisName,
}

/// An axis of the stored grid.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AxisName {
    /// Columns.
    I,
    /// Rows.
    J,
    /// Slices.
    K,
}

/// Which voxels are neighbors.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Neighbors {
    /// By faces.
    #[value(name = "6")]
    Six,
    /// By faces and edges.
    #[value(name = "18")]
    Eighteen,
    /// By faces, edges and corners.
    #[value(name = "26")]
    TwentySix,
}

impl From<Neighbors> for Connect {
    fn from(n: Neighbors) -> Self {
        match n {
            Neighbors::Six => Self::Faces,
            Neighbors::Eighteen => Self::Edges,
            Neighbors::TwentySix => Self::Corners,
        }
    }
}

/// Which phases.
#[derive(Args, Debug)]
pub struct Phases {
    /// Only this phase, from 0; all where not given.
    #[arg(long, value_name = "N")]
    phase: Option<usize>,
}

impl Phases {
    fn which(&self, map: &LabelMap) -> Result<Which> {
        match self.phase {
            None => Ok(Which::All),
            Some(p) if p < map.n_phases() => Ok(Which::This(p)),
            Some(p) => Err(Error::parameter(format!("--phase {p}: the labels have {} phases, counted from 0", map.n_phases()))),
        }
    }
}

/// The label must be there: a number that nobody drew is a slip of the pen.
fn known(map: &LabelMap, value: u8) -> Result<u8> {
    if map.table.iter().any(|e| e.value == value) {
        return Ok(value);
    }
    let there: Vec<String> = map.table.iter().map(|e| e.value.to_string()).collect();
    Err(Error::parameter(format!("--label {value}: no voxel has it; there are {}", there.join(", "))))
}

/// Works, writes and tells.
fn apply(run: &mut Run, files: &Files, map: &LabelMap, image: Option<&Volume>, op: &LabelOp, which: Which) -> Result<u8> {
    let worked = work_on_labels(map, image, op, which, &run.progress).map_err(|e| match e {
        Error::Degenerate(text) => Error::Degenerate(format!("{text}: {}", files.labels.display())),
        other => other,
    })?;
    let mut said: Vec<String> = worked.told.into_iter().map(|(_, text)| text).collect();
    said.extend(worked.n_changed.map(|n| format!("{}: {n} voxels changed", op.step(map))));
    finish(run, Some(&files.out), &worked.labels, &said, json!({"n_changed": worked.n_changed}))?;
    Ok(0)
}

/// `labels fill-holes`.
#[derive(Args, Debug)]
pub struct FillHoles {
    #[command(flatten)]
    files: Files,
    /// The label; every label where not given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    label: Option<u8>,
    /// Holes in space instead of in each slice.
    #[arg(long = "3d")]
    in_space: bool,
    #[command(flatten)]
    axis: SliceAxis,
    #[command(flatten)]
    phases: Phases,
}

impl FillHoles {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let mut map = read_labels(run, &self.files.labels)?;
        let which = self.phases.which(&map)?;
        let axis = (!self.in_space).then_some(self.axis.axis as usize);
        let values: Vec<u8> = match self.label {
            Some(value) => vec![known(&map, value)?],
            None => map.table.iter().map(|e| e.value).collect(),
        };
        let mut n_changed = 0;
        for value in values {
            let worked = work_on_labels(&map, None, &LabelOp::FillHoles { value, axis }, which, &run.progress)?;
            n_changed += worked.n_changed.unwrap_or(0);
            map = worked.labels;
        }
        let said = [format!("fill holes: {n_changed} voxels changed")];
        finish(run, Some(&self.files.out), &map, &said, json!({"n_changed": n_changed}))?;
        Ok(0)
    }
}

/// `labels interpolate`.
#[derive(Args, Debug)]
pub struct Interpolate {
    #[command(flatten)]
    files: Files,
    /// Labels to interpolate; all where not given.
    #[arg(long = "label", value_parser = clap::value_parser!(u8).range(1..))]
    labels: Vec<u8>,
    #[command(flatten)]
    axis: SliceAxis,
    #[command(flatten)]
    phases: Phases,
}

impl Interpolate {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let map = read_labels(run, &self.files.labels)?;
        let which = self.phases.which(&map)?;
        let values = self.labels.iter().map(|v| known(&map, *v)).collect::<Result<Vec<u8>>>()?;
        apply(run, &self.files, &map, None, &LabelOp::Interpolate { values, axis: self.axis.axis as usize }, which)
    }
}

/// `labels largest`.
#[derive(Args, Debug)]
pub struct Largest {
    #[command(flatten)]
    files: Files,
    /// The label.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    label: u8,
    /// Neighbors.
    #[arg(long, value_enum, default_value = "6")]
    connectivity: Neighbors,
    #[command(flatten)]
    phases: Phases,
}

impl Largest {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let map = read_labels(run, &self.files.labels)?;
        let which = self.phases.which(&map)?;
        let op = LabelOp::Largest { value: known(&map, self.label)?, connect: self.connectivity.into() };
        apply(run, &self.files, &map, None, &op, which)
    }
}

/// `labels grow`.
#[derive(Args, Debug)]
pub struct Grow {
    #[command(flatten)]
    files: Files,
    /// The image.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Where to grow from, `x,y,z` in patient LPS mm; several may be given.
    #[arg(long = "from", value_name = "POINT", required = true, allow_hyphen_values = true)]
    from: Vec<String>,
    /// Space of the points given.
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras", "voxel"])]
    space: String,
    /// The label given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    label: u8,
    /// Largest difference from the value there.
    #[arg(long)]
    tolerance: f64,
    /// Neighbors.
    #[arg(long, value_enum, default_value = "6")]
    connectivity: Neighbors,
    /// Not farther than this from the place.
    #[arg(long, value_name = "MM", default_value_t = 60.0)]
    most_mm: f64,
    /// Only in the slice (along k) of the place.
    #[arg(long)]
    in_slice: bool,
    /// Phase, from 0.
    #[arg(long, default_value_t = 0, value_name = "N")]
    phase: usize,
}

impl Grow {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let mut map = read_labels(run, &self.files.labels)?;
        let image = read_image(run, &self.image)?;
        let which = Phases { phase: Some(self.phase) }.which(&map)?;
        let to_lps = match self.space.as_str() {
            "ras" => crate::space::lps_from_ras(),
            "voxel" => map.grid.lps_from_voxel(),
            _ => crate::space::DAffine3::IDENTITY,
        };
        let settings = GrowSettings {
            tolerance: self.tolerance,
            connect: self.connectivity.into(),
            most_mm: self.most_mm,
            in_slice: self.in_slice.then_some(2),
        };
        let mut n_changed = 0;
        for text in &self.from {
            let from = to_lps.transform_point3(point(text)?);
            let op = LabelOp::Grow { from, value: self.label, settings };
            let worked = work_on_labels(&map, Some(&image), &op, which, &run.progress)?;
            n_changed += worked.n_changed.unwrap_or(0);
            map = worked.labels;
        }
        if map.entry(self.label).is_none() {
            map.table.push(crate::model::LabelEntry::usual(self.label));
            map.table.sort_by_key(|e| e.value);
        }
        let said = [format!("grow label {}: {n_changed} voxels changed", self.label)];
        finish(run, Some(&self.files.out), &map, &said, json!({"n_changed": n_changed}))?;
        Ok(0)
    }
}

/// `labels copy`.
#[derive(Args, Debug)]
pub struct Copy {
    #[command(flatten)]
    files: Files,
    /// The label; all where not given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    label: Option<u8>,
    /// Slice to copy from, from 0.
    #[arg(long, value_name = "N", requires = "to_slice", conflicts_with_all = ["from_phase", "to_phase"])]
    from_slice: Option<usize>,
    /// Slice to copy to.
    #[arg(long, value_name = "N", requires = "from_slice")]
    to_slice: Option<usize>,
    /// Phase to copy from, from 0.
    #[arg(long, value_name = "N", requires = "to_phase")]
    from_phase: Option<usize>,
    /// Phase to copy to.
    #[arg(long, value_name = "N", requires = "from_phase")]
    to_phase: Option<usize>,
    #[command(flatten)]
    axis: SliceAxis,
    #[command(flatten)]
    phases: Phases,
}

impl Copy {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let map = read_labels(run, &self.files.labels)?;
        let value = self.label.map(|v| known(&map, v)).transpose()?;
        let which = self.phases.which(&map)?;
        let op = match (self.from_slice, self.to_slice, self.from_phase, self.to_phase) {
            (Some(from), Some(to), ..) => LabelOp::CopySlice { axis: self.axis.axis as usize, from, to, value },
            (_, _, Some(from), Some(to)) => LabelOp::CopyPhase { from, to, value },
            _ => return Err(Error::parameter("say what to copy: --from-slice N --to-slice M, or --from-phase N --to-phase M")),
        };
        let which = if matches!(op, LabelOp::CopyPhase { .. }) { Which::This(0) } else { which };
        apply(run, &self.files, &map, None, &op, which)
    }
}

/// `labels resample`.
#[derive(Args, Debug)]
pub struct Resample {
    #[command(flatten)]
    files: Files,
    /// The image whose grid the labels get.
    #[arg(long, value_name = "FILE")]
    like: PathBuf,
}

impl Resample {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.files.out)?;
        let map = read_labels(run, &self.files.labels)?;
        let image = read_image(run, &self.like)?;
        apply(run, &self.files, &map, Some(&image), &LabelOp::Resample, Which::All)
    }
}

/// `labels check`: 1 where the labels look turned and are not mended.
#[derive(Args, Debug)]
pub struct Check {
    /// The segmentation.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Its image.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Write the labels there, turned where they look so.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Check {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        self.out.as_deref().map_or(Ok(()), check_out)?;
        let map = read_labels(run, &self.labels)?;
        let image = read_image(run, &self.image)?;
        let op = LabelOp::Orientation { mend: self.out.is_some() };
        let worked = work_on_labels(&map, Some(&image), &op, Which::All, &run.progress)?;
        let is_wrong = worked.told.iter().any(|(severity, _)| *severity == Severity::Warning);
        let turned = worked.n_changed != Some(0);
        let mut said: Vec<String> = worked.told.into_iter().map(|(_, text)| text).collect();
        if !map.grid.same_place(&image.grid, 1e-3) {
            said.push(format!(
                "grid-differs: the labels lie on a grid of {:?} voxels and the image on one of {:?}; `labels resample` brings them over.",
                map.grid.size(),
                image.grid.size()
            ));
        }
        let extra = json!({"suspected": is_wrong || turned, "turned": turned});
        finish(run, self.out.as_deref(), &worked.labels, &said, extra)?;
        Ok(u8::from(is_wrong))
    }
}
