//! The failure-mode checks: values in, findings out. Every report prints what they find.

mod availability;

pub use availability::{Availability, Outcome, availability, availability_findings, fisher_exact};
