//! `labels segment`: an image through a person's own network.

use super::{check_out, finish, read_image};
use crate::base::Result;
use crate::cli::Run;
use crate::session::segment_volume;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// `labels segment`.
#[derive(Args, Debug)]
pub struct Segment {
    /// The image; all of its phases are segmented.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The manifest of the network (TOML), beside its ONNX file.
    #[arg(long, value_name = "MANIFEST")]
    model: PathBuf,
    /// The file to write: `.nii`, `.nii.gz`, or `.dcm`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Segment {
    pub fn run(self, run: &mut Run) -> Result<u8> {
        check_out(&self.out)?;
        let image = read_image(run, &self.image)?;
        let (map, assumed) = segment_volume(&image, &self.model, run.limits, &run.progress)?;
        finish(run, Some(&self.out), &map, &assumed, json!({"model": map.name}))?;
        Ok(0)
    }
}
