//! One color over the whole pane.

use bytemuck::{Pod, Zeroable};

/// Twin of `FillUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct FillUniform {
    pub(in crate::render) rgba: [f32; 4],
}

impl FillUniform {
    pub(in crate::render) fn new(rgb: [u8; 3]) -> Self {
        Self { rgba: super::opaque(rgb) }
    }
}
