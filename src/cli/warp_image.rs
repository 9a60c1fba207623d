//! `warp image`: a picture or volume resampled through a transform onto the pixels of another.

use super::Run;
use crate::base::{Error, Result};
use crate::imaging::{Outside, warp_raster, warp_volume};
use crate::io::{self, LengthUnit, TransformFile};
use crate::space::{DAffine2, DVec2, Warp, one_after_other, pull_grid};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// How far a place may be from the exact inverse, in moving pixels.
const TOLERANCE_PX: f64 = 0.02;

/// `warp image`.
#[derive(Args, Debug)]
pub struct Image {
    /// The transform, moving to fixed; the picture is pulled through its inverse.
    #[arg(long, value_name = "FILE")]
    transform: PathBuf,
    /// The moving picture (PNG, JPEG, TIFF) or volume (NIfTI).
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// A picture or volume whose pixels the result has.
    #[arg(long, value_name = "FILE")]
    like: PathBuf,
    /// The result, of the input's number type; its ending gives the format.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Take the nearest pixel (for labels) instead of interpolating linearly.
    #[arg(long)]
    nearest: bool,
    /// Size of a pixel of the moving picture, where the transform is in µm or mm.
    #[arg(long, value_name = "UM")]
    moving_um_per_px: Option<f64>,
    /// Size of a pixel of the fixed picture, where the transform is in µm or mm.
    #[arg(long, value_name = "UM")]
    fixed_um_per_px: Option<f64>,
}

/// What is told of a result.
struct Told {
    size: Vec<usize>,
    kind: String,
    outside: Outside,
}

impl Image {
    /// Resamples and writes.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let transform = io::read_transform(&self.transform, &run.limits)?;
        let told = match (is_nifti(&self.input), is_nifti(&self.like)) {
            (false, false) => self.picture(run, &transform)?,
            (true, true) => self.volume(run, &transform)?,
            _ => {
                let what = "--in and --like must both be pictures or both be volumes; `export map` brings spots into a volume";
                return Err(Error::parameter(what));
            }
        };
        let value = if told.outside.value.is_nan() { "NaN" } else { "0" };
        if run.shared.json {
            let object = json!({
                "out": self.out.display().to_string(),
                "size": told.size,
                "type": told.kind,
                "interpolation": if self.nearest { "nearest" } else { "linear" },
                "n_outside": told.outside.n,
                "outside": value,
                "tolerance_px": TOLERANCE_PX,
            });
            run.printer.json(&object);
        } else {
            let size: Vec<String> = told.size.iter().map(usize::to_string).collect();
            let text = format!("{} of {}; {} of them have no source and are {value}", size.join("×"), told.kind, told.outside.n);
            run.printer.line(&text);
        }
        Ok(0)
    }

    fn picture(&self, run: &Run, transform: &TransformFile) -> Result<Told> {
        if transform.fixed_dims() == 3 {
            let what = "this transform leads into the patient, and a picture is flat; give a transform from plane to plane";
            return Err(Error::parameter(format!("{what}: {}", self.transform.display())));
        }
        let warp = self.px_warp(transform)?;
        let moving = io::read_raster(&self.input, &run.limits)?;
        let size = io::raster::raster_size(&self.like, &run.limits)?;
        run.limits.check("the result", &[size[0] as u64, size[1] as u64, moving.channels as u64], 8)?;
        let pull = pull_grid(&warp, size, TOLERANCE_PX, &run.progress.part(0.0, 0.5))?;
        let (warped, outside) = warp_raster(&moving, &pull, size, self.nearest, &run.progress.part(0.5, 1.0))?;
        io::write_raster(&self.out, &warped)?;
        Ok(Told { size: size.to_vec(), kind: format!("{} × {}", warped.type_name(), warped.channels), outside })
    }

    /// The transform between pixels of the two pictures.
    fn px_warp(&self, t: &TransformFile) -> Result<Warp> {
        let mm_per_px = |unit: LengthUnit, given: Option<f64>, flag: &str| match (unit, given) {
            (LengthUnit::Px, None) => Ok(1.0),
            (LengthUnit::Px, Some(_)) => Err(Error::parameter(format!("{flag} is not needed: the transform is in pixels"))),
            (_, Some(um)) if um.is_finite() && um > 0.0 => Ok(um / 1000.0),
            (_, Some(um)) => Err(Error::parameter(format!("{flag} {um} is not a size above 0"))),
            (unit, None) => {
                Err(Error::parameter(format!("the transform is in {}; say how large a pixel is with {flag}", unit.name())))
            }
        };
        let moving = mm_per_px(t.units, self.moving_um_per_px, "--moving-um-per-px")?;
        let fixed = mm_per_px(t.fixed_unit(), self.fixed_um_per_px, "--fixed-um-per-px")?;
        let scale = |k: f64| Warp::Affine(DAffine2::from_scale(DVec2::splat(k)));
        let warp = t.to_warp()?;
        let warp = if moving == 1.0 { warp } else { one_after_other(&scale(moving), &warp) };
        Ok(if fixed == 1.0 { warp } else { one_after_other(&warp, &scale(1.0 / fixed)) })
    }

    fn volume(&self, run: &mut Run, transform: &TransformFile) -> Result<Told> {
        let map = transform.to_affine_3().map_err(|e| e.at(&self.transform))?;
        let moving = io::read_volume_any(&self.input, &mut run.reading())?;
        let like = io::read_volume_any(&self.like, &mut run.reading())?;
        let size = like.grid.size();
        let n = size.map(|n| n as u64);
        run.limits.check("the result", &[n[0], n[1], n[2], moving.n_phases() as u64 + 1], 8)?;
        let (warped, outside) = warp_volume(&moving, &like.grid, &map, self.nearest, &run.progress)?;
        io::write_nifti_volume(&self.out, &warped)?;
        Ok(Told { size: size.to_vec(), kind: "voxels".into(), outside })
    }
}

fn is_nifti(path: &Path) -> bool {
    io::bytes::ending(path) == "nii"
}
