//! Joint models of several views of the same samples. A model is never told without what it is worth:
//! correlation in samples that it was not fitted to, a null, and a sentence that says what both allow.

mod cases;
mod cca;
mod evidence;
mod explained;
mod holdout;
mod settings;

pub use cases::{Cases, Dropped};
pub use cca::{CcaResult, cca};
pub use settings::{CcaSettings, Holdout};

#[cfg(test)]
mod tests;
