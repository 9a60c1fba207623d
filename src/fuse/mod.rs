//! Joint models of several views of the same samples.
