//! Color tables of 256 entries and the one rule that looks them up; the GPU uses the same table and rule.

use super::colormap_tables as tables;
use crate::model::ColorMap;
use std::sync::OnceLock;

/// 256 gamma-encoded sRGB colors, lowest first.
pub type ColorTable = [[u8; 3]; 256];

/// The table of a map. Decoded once.
#[must_use]
pub fn color_table(map: ColorMap) -> &'static ColorTable {
    static TABLES: OnceLock<[ColorTable; 7]> = OnceLock::new();
    let all = TABLES.get_or_init(|| ColorMap::ALL.map(decode));
    &all[ColorMap::ALL.iter().position(|&m| m == map).unwrap_or(0)]
}

/// The color of share `t`: entry `floor(clamp(t, 0, 1) · 255 + 0.5)`, not interpolated.
#[must_use]
pub fn color(map: ColorMap, t: f32) -> [u8; 3] {
    color_table(map)[color_index(t)]
}

/// The entry of share `t` (see [`color`]); 0 for NaN.
#[must_use]
pub fn color_index(t: f32) -> usize {
    (t.clamp(0.0, 1.0) * 255.0 + 0.5) as usize
}

fn decode(map: ColorMap) -> ColorTable {
    let text = match map {
        ColorMap::Gray => return std::array::from_fn(|i| [i as u8; 3]),
        ColorMap::Viridis => tables::VIRIDIS,
        ColorMap::Magma => tables::MAGMA,
        ColorMap::Inferno => tables::INFERNO,
        ColorMap::Cividis => tables::CIVIDIS,
        ColorMap::BlueRed => tables::BLUE_RED,
        ColorMap::Categories => return std::array::from_fn(category),
    }
    .as_bytes();
    let digit = |at: usize| text.get(at).map_or(0, |&c| (c as char).to_digit(16).unwrap_or(0) as u8);
    std::array::from_fn(|i| std::array::from_fn(|c| digit(6 * i + 2 * c) * 16 + digit(6 * i + 2 * c + 1)))
}

/// Okabe and Ito's colors with gray for black, which is not seen on black.
const CATEGORIES: [[u8; 3]; 8] = [
    [0xE6, 0x9F, 0x00],
    [0x56, 0xB4, 0xE9],
    [0x00, 0x9E, 0x73],
    [0xF0, 0xE4, 0x42],
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0xCC, 0x79, 0xA7],
    [0x99, 0x99, 0x99],
];

/// The color of a category: eight, lighter ones, darker ones, and from the start again.
fn category(i: usize) -> [u8; 3] {
    CATEGORIES[i % 8].map(|v| match i / 8 % 3 {
        0 => v,
        1 => v + (u16::from(255 - v) * 55 / 100) as u8,
        _ => (u16::from(v) * 55 / 100) as u8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_matplotlib() {
        let at = |map, i: usize| color_table(map)[i];
        assert_eq!(at(ColorMap::Viridis, 0), [68, 1, 84]);
        assert_eq!(at(ColorMap::Viridis, 128), [33, 145, 140]);
        assert_eq!(at(ColorMap::Viridis, 255), [253, 231, 37]);
        assert_eq!(at(ColorMap::Magma, 255), [252, 253, 191]);
        assert_eq!(at(ColorMap::Inferno, 255), [252, 255, 164]);
        assert_eq!(at(ColorMap::Cividis, 0), [0, 34, 78]);
        assert_eq!(at(ColorMap::BlueRed, 0), [5, 48, 97]);
        assert_eq!(at(ColorMap::BlueRed, 255), [103, 0, 31]);
        assert_eq!(at(ColorMap::Gray, 77), [77; 3]);
        assert_eq!((at(ColorMap::Categories, 1), at(ColorMap::Categories, 25)), ([0x56, 0xB4, 0xE9], [0x56, 0xB4, 0xE9]));
        let first: std::collections::BTreeSet<[u8; 3]> = (0..24).map(|i| at(ColorMap::Categories, i)).collect();
        assert_eq!(first.len(), 24);
        assert_eq!((color_index(0.5), color_index(-3.0), color_index(7.0), color_index(f32::NAN)), (128, 0, 255, 0));
    }
}
