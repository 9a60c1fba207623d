//! A surface of triangles in the patient.

use crate::base::{Error, Result};
use crate::space::DVec3;
use std::collections::BTreeMap;

/// Triangles over shared vertices.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    /// What it is called on screen.
    pub name: String,
    vertices: Vec<DVec3>,
    triangles: Vec<[u32; 3]>,
}

impl Surface {
    /// Vertices in patient LPS mm, triangles counterclockwise as seen from outside. `Malformed` where a vertex is
    /// not finite, a triangle names one that is not there, or there is no triangle.
    pub fn new(name: impl Into<String>, vertices: Vec<DVec3>, triangles: Vec<[u32; 3]>) -> Result<Self> {
        if triangles.is_empty() {
            return Err(Error::malformed("the mesh has no triangles"));
        }
        if let Some(i) = vertices.iter().position(|v| !v.is_finite()) {
            return Err(Error::malformed(format!("vertex {} of the mesh is not finite", i + 1)));
        }
        if let Some(bad) = triangles.iter().flatten().find(|v| **v as usize >= vertices.len()) {
            return Err(Error::malformed(format!("a triangle names vertex {} of {}", u64::from(*bad) + 1, vertices.len())));
        }
        Ok(Self { name: name.into(), vertices, triangles })
    }

    /// Vertices, LPS mm.
    #[must_use]
    pub fn vertices(&self) -> &[DVec3] {
        &self.vertices
    }

    /// Indices of vertices.
    #[must_use]
    pub fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }

    /// Corners of a triangle.
    #[must_use]
    pub fn corners(&self, triangle: [u32; 3]) -> [DVec3; 3] {
        triangle.map(|v| self.vertices[v as usize])
    }

    /// Area in mm².
    #[must_use]
    pub fn area_mm2(&self) -> f64 {
        let area = |t: &[u32; 3]| {
            let [a, b, c] = self.corners(*t);
            (b - a).cross(c - a).length() / 2.0
        };
        self.triangles.iter().map(area).sum()
    }

    /// Volume inside in mm³, positive where triangles turn counterclockwise as seen from outside; it means nothing
    /// for an open surface. By the divergence theorem, from the middle of the vertices so that far places lose no digits.
    #[must_use]
    pub fn volume_mm3(&self) -> f64 {
        let middle = self.vertices.iter().sum::<DVec3>() / self.vertices.len().max(1) as f64;
        let six = |t: &[u32; 3]| {
            let [a, b, c] = self.corners(*t).map(|v| v - middle);
            a.dot(b.cross(c))
        };
        self.triangles.iter().map(six).sum::<f64>() / 6.0
    }

    /// Edges of an odd number of triangles, as (from, to) of the triangle that is left over; empty for a closed
    /// surface. O(n log n).
    #[must_use]
    pub fn open_edges(&self) -> Vec<(u32, u32)> {
        let open = |((a, b), (n, sum)): ((u32, u32), (u32, i64))| (n % 2 == 1).then_some(if sum > 0 { (a, b) } else { (b, a) });
        self.edges().into_iter().filter_map(open).collect()
    }

    /// Whether neighboring triangles turn the same way everywhere, so that a closed surface has an inside.
    #[must_use]
    pub fn is_oriented(&self) -> bool {
        self.edges().values().all(|(n, sum)| sum.unsigned_abs() <= u64::from(n % 2))
    }

    /// How many triangles each edge has, and how many more run from the lower to the higher vertex than back.
    fn edges(&self) -> BTreeMap<(u32, u32), (u32, i64)> {
        let mut count: BTreeMap<(u32, u32), (u32, i64)> = BTreeMap::new();
        for t in &self.triangles {
            for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
                if a != b {
                    let edge = count.entry((a.min(b), a.max(b))).or_default();
                    *edge = (edge.0 + 1, edge.1 + if a < b { 1 } else { -1 });
                }
            }
        }
        count
    }

    /// The surface with vertices that lie at the same place made one, and triangles without area left out.
    /// Files of loose triangles become connected by it. O(n log n).
    pub fn welded(&self) -> Result<Self> {
        let mut order: Vec<u32> = (0..self.vertices.len() as u32).collect();
        let key = |v: u32| self.vertices[v as usize].to_array().map(|x| if x == 0.0 { 0.0 } else { x });
        let compare = |a: &u32, b: &u32| {
            let (a, b) = (key(*a), key(*b));
            a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])).then(a[2].total_cmp(&b[2]))
        };
        order.sort_by(|a, b| compare(a, b).then(a.cmp(b)));
        let mut first_of = vec![0_u32; self.vertices.len()];
        let mut first = None;
        for &v in &order {
            let same = first.filter(|f| compare(f, &v).is_eq());
            let at = *first.insert(same.unwrap_or(v));
            first_of[v as usize] = at;
        }
        let (mut vertices, mut number) = (Vec::new(), vec![u32::MAX; self.vertices.len()]);
        let mut triangles = Vec::with_capacity(self.triangles.len());
        for t in &self.triangles {
            let t = t.map(|v| first_of[v as usize]);
            if t[0] == t[1] || t[1] == t[2] || t[2] == t[0] {
                continue;
            }
            triangles.push(t.map(|v| {
                if number[v as usize] == u32::MAX {
                    number[v as usize] = vertices.len() as u32;
                    vertices.push(self.vertices[v as usize]);
                }
                number[v as usize]
            }));
        }
        Self::new(self.name.clone(), vertices, triangles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tetrahedron() -> Surface {
        let vertices = vec![DVec3::ZERO, DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 4.0];
        Surface::new("t", vertices, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]).unwrap()
    }

    #[test]
    fn a_tetrahedron_has_its_volume() {
        let t = tetrahedron();
        assert!((t.volume_mm3() - 4.0).abs() < 1e-12 && t.open_edges().is_empty());
        let open = Surface::new("o", t.vertices().to_vec(), t.triangles()[..3].to_vec()).unwrap();
        assert_eq!((open.open_edges().len(), open.is_oriented()), (3, true));
        let mut turned = t.triangles().to_vec();
        turned[0].swap(0, 1);
        let turned = Surface::new("t", t.vertices().to_vec(), turned).unwrap();
        assert_eq!((turned.open_edges().len(), turned.is_oriented()), (0, false));
    }

    #[test]
    fn loose_triangles_are_joined() {
        let t = tetrahedron();
        let vertices: Vec<DVec3> = t.triangles().iter().flat_map(|t2| t.corners(*t2)).collect();
        let loose = Surface::new("l", vertices, (0..4).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect()).unwrap();
        assert_eq!(loose.open_edges().len(), 12);
        let joined = loose.welded().unwrap();
        assert_eq!((joined.vertices().len(), joined.open_edges().len()), (4, 0));
        assert!((joined.volume_mm3() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_mesh_is_refused() {
        assert!(Surface::new("e", vec![DVec3::ZERO], Vec::new()).is_err());
        assert!(Surface::new("e", vec![DVec3::ZERO], vec![[0, 0, 1]]).is_err());
        assert!(Surface::new("e", vec![DVec3::NAN; 3], vec![[0, 1, 2]]).is_err());
    }
}
