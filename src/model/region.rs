//! Regions that a person drew on a section: areas with a class, made of polygons with holes.

use crate::space::DVec2;

/// An outer border and its holes, each closed by itself; full-resolution pixels, whole numbers are pixel centers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygon {
    /// The border, then the holes.
    pub rings: Vec<Vec<DVec2>>,
}

/// An area on a section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Region {
    /// What this one is called; may be empty.
    pub name: String,
    /// What kind it is, as `Tumor`; may be empty.
    pub class: String,
    /// sRGB.
    pub color: Option<[u8; 3]>,
    /// Parts, which do not overlap.
    pub polygons: Vec<Polygon>,
}

impl Polygon {
    /// Whether a point lies inside, by the even–odd rule over all rings. Cost: one pass over the corners.
    #[must_use]
    pub fn contains(&self, p: DVec2) -> bool {
        let mut inside = false;
        for ring in &self.rings {
            let mut from = ring.last().copied().unwrap_or_default();
            for &to in ring {
                if (from.y > p.y) != (to.y > p.y) && p.x < (to.x - from.x) * (p.y - from.y) / (to.y - from.y) + from.x {
                    inside = !inside;
                }
                from = to;
            }
        }
        inside
    }

    /// Least and greatest corner; `None` without corners.
    fn bounds(&self) -> Option<[DVec2; 2]> {
        let border = self.rings.first()?;
        let low = border.iter().copied().reduce(DVec2::min)?;
        Some([low, border.iter().copied().reduce(DVec2::max)?])
    }
}

impl Region {
    /// What it is called on screen: its class, else its name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.class.is_empty() { &self.name } else { &self.class }
    }

    /// Which of the points lie inside.
    #[must_use]
    pub fn members(&self, points: &[DVec2]) -> Vec<bool> {
        let boxed: Vec<(&Polygon, [DVec2; 2])> = self.polygons.iter().filter_map(|p| Some((p, p.bounds()?))).collect();
        let within = |p: DVec2, [low, high]: [DVec2; 2]| p.cmpge(low).all() && p.cmple(high).all();
        points.iter().map(|&p| boxed.iter().any(|(polygon, b)| within(p, *b) && polygon.contains(p))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_outside() {
        let square = |a: f64, b: f64| vec![DVec2::new(a, a), DVec2::new(b, a), DVec2::new(b, b), DVec2::new(a, b)];
        let ring = Polygon { rings: vec![square(0.0, 10.0), square(4.0, 6.0)] };
        let other = Polygon { rings: vec![square(20.0, 21.0)] };
        let region = Region { class: "wall".into(), polygons: vec![ring, other], ..Region::default() };
        let points = [1.0, 5.0, 8.0, 15.0, 20.5].map(DVec2::splat);
        assert_eq!((region.members(&points), region.label()), (vec![true, false, true, false, true], "wall"));
    }
}
