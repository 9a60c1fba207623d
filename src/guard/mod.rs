//! The failure-mode checks: values in, findings out. Every report prints what they find.
