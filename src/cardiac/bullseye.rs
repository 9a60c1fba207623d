//! The bullseye: base outside, apex in the middle, anterior on top, septum on the left, as a short-axis
//! slice looks from the apex (Cerqueira 2002). Coordinates are x right, y down, radius 1.

use super::frame::Level;
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// Outer radii of apex, apical, mid and basal ring.
const RADII: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// Points per full circle of an outline.
const CIRCLE_POINTS: f64 = 144.0;

/// Usual coronary territory; it differs between patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Territory {
    /// Left anterior descending artery.
    Lad,
    /// Right coronary artery.
    Rca,
    /// Left circumflex artery.
    Lcx,
}

impl Territory {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Lad, Self::Rca, Self::Lcx];

    /// `LAD`, `RCA` or `LCx`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lad => "LAD",
            Self::Rca => "RCA",
            Self::Lcx => "LCx",
        }
    }
}

/// One of the 17 cells, ready to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// 1 to 17.
    pub segment: u8,
    /// As `basal anterior`.
    pub name: &'static str,
    /// Usual artery.
    pub territory: Territory,
    /// Where its number stands.
    pub center: DVec2,
    /// Closed outline, without repeating the first point.
    pub outline: Vec<DVec2>,
}

/// Name of a segment, `None` outside 1 to 17.
#[must_use]
pub fn segment_name(segment: u8) -> Option<&'static str> {
    const NAMES: [&str; 17] = [
        "basal anterior",
        "basal anteroseptal",
        "basal inferoseptal",
        "basal inferior",
        "basal inferolateral",
        "basal anterolateral",
        "mid anterior",
        "mid anteroseptal",
        "mid inferoseptal",
        "mid inferior",
        "mid inferolateral",
        "mid anterolateral",
        "apical anterior",
        "apical septal",
        "apical inferior",
        "apical lateral",
        "apex",
    ];
    NAMES.get(usize::from(segment).checked_sub(1)?).copied()
}

/// Usual coronary territory of a segment, `None` outside 1 to 17.
#[must_use]
pub fn territory(segment: u8) -> Option<Territory> {
    match segment {
        1 | 2 | 7 | 8 | 13 | 14 | 17 => Some(Territory::Lad),
        3 | 4 | 9 | 10 | 15 => Some(Territory::Rca),
        5 | 6 | 11 | 12 | 16 => Some(Territory::Lcx),
        _ => None,
    }
}

/// Ring, start and end angle in degrees, counter-clockwise from the right of the screen.
fn sector(segment: u8) -> (Level, f64, f64) {
    match segment {
        1..=6 => (Level::Basal, f64::from(segment) * 60.0, 60.0),
        7..=12 => (Level::Mid, f64::from(segment - 6) * 60.0, 60.0),
        13..=16 => (Level::Apical, f64::from(segment - 13) * 90.0 + 45.0, 90.0),
        _ => (Level::Apex, 0.0, 360.0),
    }
}

fn ring_radii(level: Level) -> (f64, f64) {
    match level {
        Level::Apex => (0.0, RADII[0]),
        Level::Apical => (RADII[0], RADII[1]),
        Level::Mid => (RADII[1], RADII[2]),
        Level::Basal => (RADII[2], RADII[3]),
    }
}

fn polar(radius: f64, degrees: f64) -> DVec2 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    DVec2::new(radius * cos, -radius * sin)
}

/// The 17 cells in order of their numbers.
#[must_use]
pub fn cells() -> Vec<Cell> {
    let cell = |segment: u8| {
        let (level, start, span) = sector(segment);
        let (inner, outer) = ring_radii(level);
        let n = (CIRCLE_POINTS * span / 360.0) as usize;
        let arc = |radius: f64| (0..=n).map(move |i| polar(radius, start + span * i as f64 / n as f64));
        let outline: Vec<DVec2> = if level == Level::Apex {
            arc(outer).take(n).collect()
        } else {
            arc(outer).chain(arc(inner).collect::<Vec<_>>().into_iter().rev()).collect()
        };
        let center = if level == Level::Apex { DVec2::ZERO } else { polar(f64::midpoint(inner, outer), start + span / 2.0) };
        Some(Cell { segment, name: segment_name(segment)?, territory: territory(segment)?, center, outline })
    };
    (1..=17).filter_map(cell).collect()
}

/// The border of a territory as open lines: the edges of its cells that no other of its cells has.
#[must_use]
pub fn outline_of(territory: Territory) -> Vec<Vec<DVec2>> {
    let cells: Vec<Cell> = cells().into_iter().filter(|c| c.territory == territory).collect();
    let key = |p: DVec2| [p.x, p.y].map(|v| (v * 1e6).round() as i64);
    let mut times: BTreeMap<[[i64; 2]; 2], usize> = BTreeMap::new();
    let edges = |c: &Cell| {
        let n = c.outline.len();
        (0..n).map(|i| [c.outline[i], c.outline[(i + 1) % n]]).collect::<Vec<_>>()
    };
    let either_way = |[a, b]: [DVec2; 2]| {
        let mut ends = [key(a), key(b)];
        ends.sort_unstable();
        ends
    };
    cells.iter().flat_map(edges).for_each(|e| *times.entry(either_way(e)).or_default() += 1);
    let mut lines: Vec<Vec<DVec2>> = Vec::new();
    for [a, b] in cells.iter().flat_map(edges).filter(|e| times[&either_way(*e)] == 1) {
        match lines.last_mut() {
            Some(line) if line.last().is_some_and(|p| key(*p) == key(a)) => line.push(b),
            _ => lines.push(vec![a, b]),
        }
    }
    lines
}

/// The segment under a point of the bullseye, `None` outside the disc.
#[must_use]
pub fn segment_at_disc(p: DVec2) -> Option<u8> {
    let radius = p.length();
    let angle = (-p.y).atan2(p.x).rem_euclid(TAU).to_degrees();
    let six = |from: u8| from + ((angle - 60.0).rem_euclid(360.0) / 60.0) as u8;
    match RADII.iter().position(|r| radius <= *r)? {
        0 => Some(17),
        1 => Some(13 + ((angle - 45.0).rem_euclid(360.0) / 90.0) as u8),
        2 => Some(six(7)),
        _ => Some(six(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_where_people_look_for_them() {
        let cells = cells();
        assert_eq!(cells.len(), 17);
        for cell in &cells {
            assert_eq!(segment_at_disc(cell.center), Some(cell.segment));
            assert!(cell.outline.len() >= 36 && cell.outline.iter().all(|p| p.length() < 1.0 + 1e-12));
        }
        let center = |segment: usize| cells[segment - 1].center;
        assert!(center(1).y < -0.8 && center(14).x < -0.3 && center(16).x > 0.3 && center(10).y > 0.6);
        assert!(center(2).x < 0.0 && center(6).x > 0.0);
        assert_eq!(segment_at_disc(DVec2::new(0.8, 0.8)), None);
        assert_eq!(segment_name(17), Some("apex"));
        assert!(segment_name(0).is_none() && territory(18).is_none());
    }

    #[test]
    fn territories_share_the_rim() {
        let length = |t: Territory| {
            outline_of(t).iter().flat_map(|l| l.windows(2).map(|w| w[0].distance(w[1])).collect::<Vec<_>>()).sum::<f64>()
        };
        for territory in Territory::ALL {
            let lines = outline_of(territory);
            assert!(!lines.is_empty() && length(territory) > 2.0 * std::f64::consts::PI / 3.0, "{territory:?}");
            let on_rim: f64 = lines
                .iter()
                .flat_map(|l| l.windows(2))
                .filter(|w| w.iter().all(|p| (p.length() - 1.0).abs() < 1e-9))
                .map(|w| w[0].distance(w[1]))
                .sum();
            assert!((on_rim - 2.0 * std::f64::consts::PI / 3.0).abs() < 1e-3, "a third of the rim each: {on_rim}");
        }
    }

    #[test]
    fn outlines_fill_the_disc() {
        let area = |p: &[DVec2]| (0..p.len()).map(|i| p[i].perp_dot(p[(i + 1) % p.len()])).sum::<f64>().abs() / 2.0;
        let total: f64 = cells().iter().map(|c| area(&c.outline)).sum();
        assert!((total / std::f64::consts::PI - 1.0).abs() < 1e-3, "{total}");
    }
}
