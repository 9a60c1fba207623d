//! Where a section's picture shows tissue and where glass: glass is the median color of the picture's
//! border, tissue is what differs from it. It works on bright fields and on dark ones.

use crate::model::PictureLevel;

/// Largest difference of a channel from the glass, of 255, that is still glass.
pub const GLASS_DISTANCE: u8 = 26;

/// The median color, channel by channel, of the pixels at the border of a level. Cost: one border.
#[must_use]
pub fn glass_color(level: &PictureLevel) -> [u8; 3] {
    let (w, h) = (level.width, level.height);
    let rows = (0..w).flat_map(|x| [x, (h - 1) * w + x]);
    let border: Vec<usize> = rows.chain((0..h).flat_map(|y| [y * w, y * w + w - 1])).collect();
    std::array::from_fn(|c| {
        let mut values: Vec<u8> = border.iter().map(|&i| level.rgba[i * 4 + c]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable(middle).1
    })
}

/// Whether a pixel is opaque and at least one channel differs from the glass by more than
/// [`GLASS_DISTANCE`].
#[must_use]
pub fn is_tissue(rgba: [u8; 4], glass: [u8; 3]) -> bool {
    rgba[3] >= 128 && (0..3).any(|c| rgba[c].abs_diff(glass[c]) > GLASS_DISTANCE)
}

/// One answer per pixel of a level, row by row.
#[must_use]
pub fn tissue_mask(level: &PictureLevel) -> Vec<bool> {
    let glass = glass_color(level);
    level.rgba.chunks_exact(4).map(|p| is_tissue([p[0], p[1], p[2], p[3]], glass)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Picture;

    #[test]
    fn a_pink_square_on_white_and_a_green_one_on_black() {
        for (glass, tissue) in [([240, 238, 241], [220, 150, 190]), ([4, 4, 6], [10, 90, 20])] {
            let color = |i: usize| if (3..7).contains(&(i % 10)) && (2..8).contains(&(i / 10)) { tissue } else { glass };
            let rgba: Vec<u8> = (0..100)
                .flat_map(|i| {
                    let [r, g, b] = color(i);
                    [r, g, b, 255]
                })
                .collect();
            let picture = Picture::single(10, 10, rgba).unwrap();
            let mask = tissue_mask(&picture.levels[0]);
            assert_eq!(mask.iter().filter(|&&t| t).count(), 24);
            assert!(mask[25] && !mask[22]);
        }
    }
}
