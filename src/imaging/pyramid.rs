//! Picture pyramids by block means, with the half-pixel shift that a block mean makes.

use crate::model::{Picture, PictureLevel};
use rayon::prelude::*;

/// The level of half the size: each pixel is the mean of the 2 × 2 pixels under it (of those that exist
/// at an odd edge), RGB weighted by alpha. Pixel 0 then lies at `scale / 2` more than before.
#[must_use]
pub fn block_mean(level: &PictureLevel) -> PictureLevel {
    let (width, height) = (level.width.div_ceil(2), level.height.div_ceil(2));
    let mut rgba = vec![0u8; width * height * 4];
    rgba.par_chunks_mut(width * 4).enumerate().for_each(|(y, row)| {
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            pixel.copy_from_slice(&mean_of_block(level, 2 * x, 2 * y));
        }
    });
    PictureLevel {
        width,
        height,
        rgba: rgba.into(),
        scale: level.scale * 2.0,
        offset: level.offset + level.scale * 0.5,
        name: format!("{} ÷ 2", level.name),
    }
}

/// Adds levels below the last one until neither side is longer than `least_px`.
#[must_use]
pub fn pyramid(mut picture: Picture, least_px: usize) -> Picture {
    let mut k = picture.levels.len();
    while let Some(last) = picture.levels.last().filter(|l| l.width.max(l.height) > least_px.max(1)) {
        let mut next = block_mean(last);
        next.name = format!("level {k}");
        picture.levels.push(next);
        k += 1;
    }
    picture
}

fn mean_of_block(level: &PictureLevel, x: usize, y: usize) -> [u8; 4] {
    let (mut color, mut alpha, mut n) = ([0u32; 3], 0u32, 0u32);
    for v in y..(y + 2).min(level.height) {
        for u in x..(x + 2).min(level.width) {
            let at = (v * level.width + u) * 4;
            let a = u32::from(level.rgba[at + 3]);
            (0..3).for_each(|c| color[c] += u32::from(level.rgba[at + c]) * a);
            alpha += a;
            n += 1;
        }
    }
    let part = |c: u32| (c + alpha / 2).checked_div(alpha).unwrap_or(0) as u8;
    [part(color[0]), part(color[1]), part(color[2]), ((alpha + n / 2) / n.max(1)) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_half_of_two_to_the_k_less_one() {
        let rgba: Vec<u8> = (0..8u8 * 8).flat_map(|i| [i * 4, 0, 0, 255]).collect();
        let picture = pyramid(Picture::single(8, 8, rgba).unwrap(), 1);
        let offsets: Vec<f64> = picture.levels.iter().map(|l| l.offset).collect();
        assert_eq!(offsets, [0.0, 0.5, 1.5, 3.5]);
        assert_eq!(picture.levels[3].rgba[0], 126);
        assert_eq!(picture.levels[1].rgba[0], 18);
    }

    #[test]
    fn clear_pixels_do_not_darken_and_odd_edges_keep() {
        let rgba = vec![200, 100, 50, 255, 0, 0, 0, 0, 10, 20, 30, 255];
        let half = block_mean(&Picture::single(3, 1, rgba).unwrap().levels[0]);
        assert_eq!(&half.rgba[..], &[200, 100, 50, 128, 10, 20, 30, 255]);
    }
}
