//! Which shader files make which pass, as an explicit list.

/// A drawing or computing step with a program of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pass {
    /// Background.
    Fill,
    /// Cut through unsigned samples.
    SliceUint,
    /// Cut through signed samples.
    SliceSint,
    /// Cut through single precision samples.
    SliceFloat,
    /// Cut through a segmentation.
    Labels,
    /// Picture through a mesh.
    Picture,
    /// Spots as instanced squares.
    Discs,
    /// Spots into pixel numbers (compute).
    Splat,
    /// Pixel numbers into colors.
    Resolve,
}

macro_rules! compose {
    ($($file:literal),+) => { concat!($(include_str!(concat!("../../shaders/", $file, ".wgsl")), "\n"),+) };
}

impl Pass {
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::Fill,
        Self::SliceUint,
        Self::SliceSint,
        Self::SliceFloat,
        Self::Labels,
        Self::Picture,
        Self::Discs,
        Self::Splat,
        Self::Resolve,
    ];

    /// The whole program.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Fill => compose!("lib/pane", "lib/color", "lib/target", "pass/fill"),
            Self::SliceUint => {
                compose!("lib/pane", "lib/color", "lib/target", "lib/sample", "pass/volume_uint", "pass/slice")
            }
            Self::SliceSint => {
                compose!("lib/pane", "lib/color", "lib/target", "lib/sample", "pass/volume_sint", "pass/slice")
            }
            Self::SliceFloat => {
                compose!("lib/pane", "lib/color", "lib/target", "lib/sample", "pass/volume_float", "pass/slice")
            }
            Self::Labels => compose!("lib/pane", "lib/color", "lib/target", "lib/sample", "pass/labels"),
            Self::Picture => {
                compose!("lib/pane", "lib/color", "lib/target", "lib/sample", "lib/compare", "lib/tissue", "pass/picture")
            }
            Self::Discs => {
                compose!("lib/pane", "lib/color", "lib/target", "lib/compare", "lib/spot", "pass/spot_uniform", "pass/discs")
            }
            Self::Splat => compose!("lib/color", "lib/spot", "pass/spot_uniform", "pass/splat"),
            Self::Resolve => compose!("lib/pane", "lib/color", "lib/target", "lib/compare", "pass/spot_uniform", "pass/resolve"),
        }
    }
}

/// All pure functions, for the test against their twins.
#[cfg(test)]
pub(super) const LIBRARY: &str = compose!("lib/pane", "lib/color", "lib/sample", "lib/compare", "lib/spot", "lib/tissue");
