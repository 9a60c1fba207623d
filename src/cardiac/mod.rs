//! Cardiac phenotypes: ventricles, segments.
