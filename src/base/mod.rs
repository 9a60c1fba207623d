//! What every storey stands on: errors by who must act, progress that can be cancelled, notes on
//! what was assumed, limits checked before memory is taken, and seeded random streams.

mod error;
mod limits;
mod notes;
mod progress;
mod seed;

pub use error::{Error, Result};
pub use limits::Limits;
pub use notes::{Note, Severity, Warnings};
pub use progress::{Cancel, Progress};
pub use seed::stream_seed;
