//! `warp points`: carries the points of a table through a transform (`warp image` is beside it).

use super::Run;
use super::points::PointSpace;
use crate::base::{Error, Progress, Result};
use crate::io::{self, Cells, LengthUnit, Table, TableColumn, TransformFile};
use crate::space::{DAffine3, DVec2, DVec3, Plane, Warp as Map, Warp3};
use clap::{Args, Subcommand};
use rayon::prelude::*;
use std::path::PathBuf;

/// What to warp.
#[derive(Debug, Subcommand)]
pub enum Warp {
    /// Points of a table.
    Points(Points),
    /// A picture or volume, resampled.
    Image(super::warp_image::Image),
}

/// `warp points`.
#[derive(Args, Debug)]
pub struct Points {
    /// The transform, moving to fixed.
    #[arg(long, value_name = "FILE")]
    transform: PathBuf,
    /// Table with columns `x,y[,z]` in the transform's units.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// The same columns, points replaced; `z` is added where the transform leads into a volume.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// From fixed to moving points.
    #[arg(long)]
    inverse: bool,
    /// Unit of the section's points; that of the transform where not given.
    #[arg(long, value_parser = ["um", "px", "mm"])]
    units: Option<String>,
    #[command(flatten)]
    space: PointSpace,
}

/// Smallest miss in mm that the inverse accepts.
const INVERSE_TOLERANCE_MM: f64 = 1e-9;

/// A transform ready for points in file units.
struct Carrier {
    map: MapOf2Or3,
    plane: Option<Plane>,
    /// mm per unit of moving and fixed points.
    k: [f64; 2],
    /// Patient LPS from the space of 3-D fixed points, and back.
    lps: [DAffine3; 2],
}

enum MapOf2Or3 {
    Flat(Map),
    Space(Warp3),
}

impl Warp {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Points(c) => c.run(run),
            Self::Image(c) => c.run(run),
        }
    }
}

impl Points {
    fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[Some(&self.out)])?;
        let file = io::read_transform(&self.transform, &run.limits)?;
        let table = Table::read(&self.input, &run.limits)?;
        let units = self.units(&file)?;
        let lps = if file.fixed_dims() == 3 { self.space.to_lps(run)? } else { DAffine3::IDENTITY };
        let carrier = Carrier::of(&file, units, lps)?;
        let needs_z = if self.inverse { file.fixed_dims() == 3 } else { file.moving_dims() == 3 };
        let points = points(&table, needs_z).map_err(|e| e.at(&self.input))?;
        let warped = carrier.carry_all(&points, self.inverse, &run.progress)?;
        let gives_z = if self.inverse { file.moving_dims() == 3 } else { file.fixed_dims() == 3 };
        replaced(&table, &warped, gives_z)?.write(&self.out)?;
        if run.shared.json {
            let unit = if self.inverse { units[0] } else { units[1] };
            let object =
                serde_json::json!({"out": self.out.display().to_string(), "n_points": warped.len(), "units": unit.name()});
            run.printer.json(&object);
        }
        Ok(0)
    }
}

impl Points {
    /// Units of moving and fixed points in the tables; pixels have no size, so they stay pixels.
    fn units(&self, file: &TransformFile) -> Result<[LengthUnit; 2]> {
        let given = self.units.as_deref().and_then(LengthUnit::from_name);
        let of = |own: LengthUnit, is_section: bool| match given.filter(|_| is_section) {
            Some(unit) if unit != own && (unit == LengthUnit::Px || own == LengthUnit::Px) => Err(Error::parameter(format!(
                "--units {} does not fit this transform in {}: a pixel has no size here",
                unit.name(),
                own.name()
            ))),
            Some(unit) => Ok(unit),
            None => Ok(own),
        };
        // Three-dimensional fixed points are of the patient, always in mm.
        Ok([of(file.units, true)?, of(file.fixed_unit(), file.fixed_dims() == 2)?])
    }
}

impl Carrier {
    fn of(file: &TransformFile, units: [LengthUnit; 2], lps: DAffine3) -> Result<Self> {
        let plane = file.lps_plane()?;
        let map = if file.moving_dims() == 3 { MapOf2Or3::Space(file.to_warp_3()?) } else { MapOf2Or3::Flat(file.to_warp()?) };
        Ok(Self { map, plane, k: units.map(LengthUnit::mm_per_unit), lps: [lps, lps.inverse()] })
    }

    fn carry_all(&self, points: &[Option<DVec3>], inverse: bool, progress: &Progress) -> Result<Vec<Option<DVec3>>> {
        let mut out = Vec::with_capacity(points.len());
        for part in points.chunks(65_536) {
            progress.step(out.len() as f64 / points.len() as f64, "warping points")?;
            let carried: Vec<Result<Option<DVec3>>> =
                part.par_iter().map(|p| p.map(|p| if inverse { self.back(p) } else { Ok(self.forth(p)) }).transpose()).collect();
            for point in carried {
                out.push(point?);
            }
        }
        Ok(out)
    }

    fn forth(&self, p: DVec3) -> DVec3 {
        let p = p * self.k[0];
        let fixed = match (&self.map, &self.plane) {
            (MapOf2Or3::Space(w), _) => w.apply(p),
            (MapOf2Or3::Flat(w), None) => w.apply(p.truncate()).extend(0.0),
            (MapOf2Or3::Flat(w), Some(plane)) => plane.lps_from_plane(w.apply(p.truncate())),
        };
        self.lps[1].transform_point3(fixed / self.k[1])
    }

    fn back(&self, p: DVec3) -> Result<DVec3> {
        let p = self.lps[0].transform_point3(p) * self.k[1];
        let moving = match (&self.map, &self.plane) {
            (MapOf2Or3::Space(w), _) => w.inverse_at(p, INVERSE_TOLERANCE_MM)?,
            (MapOf2Or3::Flat(w), plane) => {
                let flat = plane.map_or_else(|| DVec2::new(p.x, p.y), |plane| plane.plane_from_lps(p));
                w.inverse_at(flat, INVERSE_TOLERANCE_MM)?.extend(0.0)
            }
        };
        Ok(moving / self.k[0])
    }
}

fn points(table: &Table, needs_z: bool) -> Result<Vec<Option<DVec3>>> {
    let (x, y) = (table.numbers("x")?, table.numbers("y")?);
    let z = if needs_z { table.numbers("z")? } else { vec![Some(0.0); x.len()] };
    Ok(x.into_iter().zip(y).zip(z).map(|((x, y), z)| Some(DVec3::new(x?, y?, z?))).collect())
}

/// The table with its points replaced; a row without a point stays empty.
fn replaced(table: &Table, points: &[Option<DVec3>], gives_z: bool) -> Result<Table> {
    let column = |name: &str, of: fn(DVec3) -> f64| TableColumn::numbers(name, points.iter().map(|p| p.map(of)));
    let mut columns = Vec::new();
    for c in table.columns() {
        match c.name.as_str() {
            "x" => columns.push(column("x", |p| p.x)),
            "y" => {
                columns.push(column("y", |p| p.y));
                if gives_z {
                    columns.push(column("z", |p| p.z));
                }
            }
            "z" => {}
            _ => columns.push(TableColumn { name: c.name.clone(), cells: Cells::clone(&c.cells) }),
        }
    }
    Table::new(columns)
}
