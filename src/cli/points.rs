//! Points on the command line: `x,y,z`, and the space they are given in.

use super::Run;
use crate::base::{Error, Result};
use crate::io;
use crate::space::{DAffine3, DVec3, lps_from_ras};
use clap::Args;
use std::path::PathBuf;

/// Space of 3-D points.
#[derive(Args, Debug)]
pub struct PointSpace {
    /// Space of the 3-D points given: patient LPS or RAS in mm, or voxels of `--volume`.
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras", "voxel"])]
    space: String,
    /// The volume whose voxels `--space voxel` counts, from 0, centers at whole numbers.
    #[arg(long, value_name = "FILE")]
    volume: Option<PathBuf>,
}

impl PointSpace {
    /// LPS mm from the space given; [`Error::Parameter`] for voxels without their volume.
    pub fn to_lps(&self, run: &mut Run) -> Result<DAffine3> {
        match (self.space.as_str(), &self.volume) {
            ("ras", _) => Ok(lps_from_ras()),
            ("voxel", Some(path)) => Ok(io::read_volume_any(path, &mut run.reading())?.grid.lps_from_voxel()),
            ("voxel", None) => Err(Error::parameter("--space voxel counts the voxels of a volume; give it with --volume")),
            _ => Ok(DAffine3::IDENTITY),
        }
    }
}

/// Three numbers with commas between.
pub fn point(text: &str) -> Result<DVec3> {
    let numbers: Vec<f64> = text.split(',').filter_map(|t| t.trim().parse().ok()).filter(|v: &f64| v.is_finite()).collect();
    match numbers[..] {
        [x, y, z] if text.split(',').count() == 3 => Ok(DVec3::new(x, y, z)),
        _ => Err(Error::parameter(format!("{text:?} is not a point: expected x,y,z"))),
    }
}
