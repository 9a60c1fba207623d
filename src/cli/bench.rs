//! `bench`: times the drawing of a scene.

use super::Run;
use crate::base::Result;
use clap::{Args, ValueEnum};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SceneName {
    /// Process start to the first useful picture.
    Start,
    /// The built-in case.
    Demo,
    /// A million spots, panned.
    #[value(name = "points-1m")]
    Points1m,
    /// Ten million.
    #[value(name = "points-10m")]
    Points10m,
    /// 512² × 12 × 30 cine playback.
    Cine,
    /// A thin plate of 64 pairs that follows the mouse.
    Warp,
}

/// `bench`.
#[derive(Args, Debug)]
pub struct Bench {
    /// What to draw.
    #[arg(value_enum)]
    scene: SceneName,
    /// How many frames.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    frames: u32,
}

impl Bench {
    /// Draws and tells.
    pub fn run(self, _run: &mut Run) -> Result<u8> {
        let _ = self.frames;
        Err(crate::base::Error::unsupported(format!("{:?}", self.scene)))
    }
}
