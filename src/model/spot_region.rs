//! Regions that a person marked on a section, as sets of spots.

use super::{ElementId, Polygon, Region, Spots};
use crate::space::DVec2;
use std::sync::Arc;

/// A named set of spots of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotRegion {
    /// As `A`; different from all others of the section.
    pub name: String,
    /// sRGB.
    pub rgb: [u8; 3],
    /// The section.
    pub section: ElementId,
    /// Numbers of the spots, rising, each once.
    pub spots: Arc<[u32]>,
}

impl SpotRegion {
    /// Colors of new regions in order: those of Okabe and Ito that people with any color vision tell apart.
    pub const COLORS: [[u8; 3]; 7] =
        [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]];

    /// Whether the spots are numbers below `n`, rising, each once.
    #[must_use]
    pub fn fits(&self, n: usize) -> bool {
        self.spots.windows(2).all(|w| w[0] < w[1]) && self.spots.last().is_none_or(|&s| (s as usize) < n)
    }

    /// The region as areas: an octagon about the center of each spot, so small that no center of another spot lies in
    /// it; reading it back gives the same spots. Cost: sorting the spots, and those within a diameter of each.
    #[must_use]
    pub fn areas(&self, spots: &Spots) -> Region {
        let centers: Vec<DVec2> = self.spots.iter().filter_map(|&i| spots.px.get(i as usize)).copied().collect();
        let radius = free_radius(&self.spots, spots);
        let corner = |c: DVec2, k: u8| {
            let (sin, cos) = ((f64::from(k) + 0.5) * std::f64::consts::FRAC_PI_4).sin_cos();
            c + DVec2::new(cos, sin) * radius
        };
        let polygons = centers.iter().map(|&c| Polygon { rings: vec![(0..8).map(|k| corner(c, k)).collect()] }).collect();
        Region { name: self.name.clone(), class: self.name.clone(), color: Some(self.rgb), polygons }
    }
}

/// Half the diameter of a spot, or less where another center is near.
fn free_radius(members: &[u32], spots: &Spots) -> f64 {
    let usual = (spots.diameter_px / 2.0).max(0.5);
    let mut is_member = vec![false; spots.px.len()];
    for &i in members {
        if let Some(slot) = is_member.get_mut(i as usize) {
            *slot = true;
        }
    }
    let mut order: Vec<usize> = (0..spots.px.len()).filter(|&i| spots.px[i].is_finite()).collect();
    order.sort_by(|&a, &b| spots.px[a].x.total_cmp(&spots.px[b].x));
    let mut nearest = 2.0 * usual;
    for (k, &a) in order.iter().enumerate() {
        for &b in &order[k + 1..] {
            if spots.px[b].x - spots.px[a].x >= nearest {
                break;
            }
            let d = spots.px[a].distance(spots.px[b]);
            if is_member[a] != is_member[b] && d > 0.0 {
                nearest = nearest.min(d);
            }
        }
    }
    usual.min(nearest * 0.49)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_hold_their_spots_and_no_others() {
        let px: Vec<DVec2> = (0..200).map(|i| DVec2::new(f64::from(i % 20) * 3.0, f64::from(i / 20) * 2.0)).collect();
        // Spots as wide as this lie over each other.
        for diameter_px in [1.0, 9.0] {
            let spots = Spots { px: px.clone().into(), diameter_px, in_tissue: vec![true; 200] };
            let region = SpotRegion {
                name: "A".into(),
                rgb: SpotRegion::COLORS[0],
                section: ElementId(1),
                spots: (0..200).filter(|i| i % 7 < 3).collect(),
            };
            assert!(region.fits(200) && !region.fits(100));
            let inside = region.areas(&spots).members(&px);
            let found: Vec<u32> = (0..200).filter(|&i| inside[i as usize]).collect();
            assert_eq!(found, region.spots.to_vec(), "{diameter_px}");
        }
    }
}
