//! `predict`: expression from images. `fit` learns and holds out, `apply` makes maps, `evaluate` scores maps.

mod apply;
mod evaluate;
mod fit;
mod input;
mod report;

use super::Run;
use crate::base::Result;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Predict {
    /// Learn expression from histology patches or a table of features; every number told is held out.
    Fit(Box<fit::Fit>),
    /// Predict expression, with its standard deviation and whether it can be trusted.
    Apply(apply::Apply),
    /// Score predicted expression against observed.
    Evaluate(evaluate::Evaluate),
}

impl Predict {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Fit(c) => c.run(run),
            Self::Apply(c) => c.run(run),
            Self::Evaluate(c) => c.run(run),
        }
    }
}
