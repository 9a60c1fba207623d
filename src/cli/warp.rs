//! `warp points`: carries the points of a table through a transform (`warp image` is beside it).

use super::Run;
use crate::base::{Error, Progress, Result};
use crate::io::{self, Cells, LengthUnit, Table, TableColumn, TransformFile};
use crate::space::{DAffine3, DVec2, DVec3, Plane, Warp as Map};
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
}

/// Smallest miss in mm that the inverse accepts.
const INVERSE_TOLERANCE_MM: f64 = 1e-9;

/// A transform ready for points in file units.
struct Carrier {
    map: Result2or3,
    plane: Option<Plane>,
    /// mm per unit of moving and fixed points.
    k: [f64; 2],
}

enum Result2or3 {
    Flat(Map),
    Space(DAffine3),
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
        let file = io::read_transform(&self.transform, &run.limits)?;
        let table = Table::read(&self.input, &run.limits)?;
        let carrier = Carrier::of(&file)?;
        let needs_z = if self.inverse { file.fixed_dims() == 3 } else { file.moving_dims() == 3 };
        let points = points(&table, needs_z).map_err(|e| e.at(&self.input))?;
        let warped = carrier.carry_all(&points, self.inverse, &run.progress)?;
        let gives_z = if self.inverse { file.moving_dims() == 3 } else { file.fixed_dims() == 3 };
        replaced(&table, &warped, gives_z)?.write(&self.out)?;
        if run.shared.json {
            let unit = if self.inverse { file.units } else { file.fixed_unit() };
            let object =
                serde_json::json!({"out": self.out.display().to_string(), "n_points": warped.len(), "units": unit.name()});
            run.printer.json(&object);
        }
        Ok(0)
    }
}

impl Carrier {
    fn of(file: &TransformFile) -> Result<Self> {
        let plane = file.lps_plane()?;
        let map =
            if file.moving_dims() == 3 { Result2or3::Space(file.to_affine_3()?) } else { Result2or3::Flat(file.to_warp()?) };
        let k = |unit: LengthUnit| unit.mm_per_unit();
        Ok(Self { map, plane, k: [k(file.units), k(file.fixed_unit())] })
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
            (Result2or3::Space(a), _) => a.transform_point3(p),
            (Result2or3::Flat(w), None) => w.apply(p.truncate()).extend(0.0),
            (Result2or3::Flat(w), Some(plane)) => plane.lps_from_plane(w.apply(p.truncate())),
        };
        fixed / self.k[1]
    }

    fn back(&self, p: DVec3) -> Result<DVec3> {
        let p = p * self.k[1];
        let moving = match (&self.map, &self.plane) {
            (Result2or3::Space(a), _) => {
                let det = a.matrix3.determinant();
                if det.abs() < 1e-15 {
                    return Err(Error::degenerate(format!("the transform has no inverse (determinant {det:e})")));
                }
                a.inverse().transform_point3(p)
            }
            (Result2or3::Flat(w), plane) => {
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
