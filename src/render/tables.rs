//! All color tables as one texture: a row of 256 colors for each.

use super::gpu::{Link, Rows};
use crate::model::ColorMap;
use crate::scene::color_table;

/// Row of a color map in the texture.
pub(super) fn row(map: ColorMap) -> u32 {
    ColorMap::ALL.iter().position(|&m| m == map).unwrap_or(0) as u32
}

/// The texture (7 KB, uploaded once).
pub(super) fn texture(link: &Link) -> wgpu::TextureView {
    let size = [256, ColorMap::ALL.len() as u32, 1];
    let texture = link.texture("color tables", size, false, wgpu::TextureFormat::Rgba8Unorm);
    let bytes: Vec<u8> = ColorMap::ALL.iter().flat_map(|&map| color_table(map).iter().flat_map(|&rgb| opaque(rgb))).collect();
    link.write_texture(&texture, [0; 3], size, Rows { bytes: &bytes, offset: 0, row_bytes: 1024 });
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}
