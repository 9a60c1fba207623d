//! Panels: they read the session and send actions.

use crate::base::{Error, Result};
use std::path::PathBuf;

/// How the window is opened.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Files and folders to open; none is the built-in case.
    pub paths: Vec<PathBuf>,
    /// Seed of the built-in case.
    pub seed: u64,
    /// Save a picture of the window of this size and close.
    pub snapshot: Option<(PathBuf, [u32; 2])>,
}

/// Opens the window.
pub fn run(_options: RunOptions) -> Result<()> {
    Err(Error::unsupported("no window yet"))
}
