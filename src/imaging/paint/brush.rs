//! Brush and polygon on a plane through a grid, in patient mm: sheared and anisotropic grids draw round discs.

use crate::model::Volume;
use crate::space::{DVec2, DVec3, Grid, Plane};
use std::collections::BTreeSet;

/// Form of the brush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tip {
    /// A disc in the plane shown: voxels whose cell the plane cuts.
    #[default]
    Disc,
    /// A ball: neighboring slices too.
    Ball,
}

/// A brush on a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brush {
    /// The plane that is drawn on.
    pub plane: Plane,
    /// Form.
    pub tip: Tip,
    /// Radius in mm.
    pub radius_mm: f64,
}

/// Memory indices (rising) under a brush that moves straight from one patient point to another (mm; the same
/// for a dab): voxels whose center is within the radius of that line, and those that hold its ends.
///
/// A disc takes voxels whose cell the plane cuts, half-open, so that on a plane along the grid it is one
/// slice; the distance is that of the centers' feet on the plane. Cost: the voxels of the box around.
#[must_use]
pub fn brush_voxels(grid: &Grid, brush: &Brush, [from, to]: [DVec3; 2]) -> Vec<usize> {
    let radius = brush.radius_mm.max(0.0);
    let normal = brush.plane.normal();
    let reach = match brush.tip {
        Tip::Disc => cell_reach(grid, normal),
        Tip::Ball => 0.0,
    };
    let mut voxels: BTreeSet<usize> = [from, to].into_iter().filter_map(|p| grid.index_at_lps(p)).collect();
    let [low, high] = box_around(grid, &[from, to], |row| radius * row.length() + reach * row.dot(normal).abs());
    let lps_from_voxel = grid.lps_from_voxel();
    for (index, voxel) in voxels_of(grid, low, high) {
        let center = lps_from_voxel.transform_point3(voxel);
        let inside = match brush.tip {
            Tip::Ball => to_segment(center, from, to) <= radius,
            Tip::Disc => {
                let off = brush.plane.distance_mm(center);
                let foot = center - normal * off;
                (-reach..reach).contains(&off) && to_segment(foot, from, to) <= radius
            }
        };
        if inside {
            voxels.insert(index);
        }
    }
    voxels.into_iter().collect()
}

/// Memory indices (rising) of voxels whose cell the plane cuts and whose center's foot lies inside a polygon
/// of plane mm (even-odd rule). Fewer than 3 corners hold nothing. Cost: the box around, times corners.
#[must_use]
pub fn polygon_voxels(grid: &Grid, plane: &Plane, corners: &[DVec2]) -> Vec<usize> {
    if corners.len() < 3 {
        return Vec::new();
    }
    let normal = plane.normal();
    let reach = cell_reach(grid, normal);
    let points: Vec<DVec3> = corners.iter().map(|c| plane.lps_from_plane(*c)).collect();
    let [low, high] = box_around(grid, &points, |row| reach * row.dot(normal).abs());
    let lps_from_voxel = grid.lps_from_voxel();
    let inside = |(index, voxel)| {
        let center = lps_from_voxel.transform_point3(voxel);
        let fits = (-reach..reach).contains(&plane.distance_mm(center)) && holds(corners, plane.plane_from_lps(center));
        fits.then_some(index)
    };
    voxels_of(grid, low, high).filter_map(inside).collect()
}

/// Those of some voxels of a grid whose value in an image (nearest voxel) lies between two limits, both
/// included.
#[must_use]
pub fn within(grid: &Grid, voxels: &[usize], image: &Volume, phase: usize, [low, high]: [f64; 2]) -> Vec<usize> {
    let value = super::grow::values_of(grid, image, phase);
    voxels.iter().copied().filter(|&at| value(at).is_some_and(|v| (low..=high).contains(&v))).collect()
}

/// Half the extent of a voxel's cell along a unit direction, in mm.
fn cell_reach(grid: &Grid, normal: DVec3) -> f64 {
    let m = grid.lps_from_voxel().matrix3;
    [m.x_axis, m.y_axis, m.z_axis].iter().map(|a| a.dot(normal).abs()).sum::<f64>() / 2.0
}

/// Least and greatest voxel indices around points that reach as far as `margin` says along each row of the
/// matrix from mm to voxels; inside the grid.
fn box_around(grid: &Grid, points: &[DVec3], margin: impl Fn(DVec3) -> f64) -> [[usize; 3]; 2] {
    let voxel_from_lps = grid.voxel_from_lps();
    let rows = voxel_from_lps.matrix3.transpose();
    let margin = DVec3::new(margin(rows.x_axis), margin(rows.y_axis), margin(rows.z_axis));
    let at = |p: &DVec3| voxel_from_lps.transform_point3(*p);
    let low = points.iter().map(at).fold(DVec3::INFINITY, DVec3::min) - margin;
    let high = points.iter().map(at).fold(DVec3::NEG_INFINITY, DVec3::max) + margin;
    let size = grid.size();
    // Exclusive ends; an empty range where the box lies outside.
    let clamp = |v: f64, n: usize| v.clamp(0.0, n as f64) as usize;
    let first = std::array::from_fn(|a| clamp(low[a].floor(), size[a]));
    [first, std::array::from_fn(|a| clamp(high[a].ceil() + 1.0, size[a]))]
}

fn voxels_of(grid: &Grid, low: [usize; 3], high: [usize; 3]) -> impl Iterator<Item = (usize, DVec3)> {
    let [nx, ny, _] = grid.size();
    (low[2]..high[2]).flat_map(move |k| {
        (low[1]..high[1])
            .flat_map(move |j| (low[0]..high[0]).map(move |i| (i + nx * (j + ny * k), DVec3::new(i as f64, j as f64, k as f64))))
    })
}

fn to_segment(p: DVec3, from: DVec3, to: DVec3) -> f64 {
    let along = to - from;
    let share = if along.length_squared() > 0.0 { (p - from).dot(along) / along.length_squared() } else { 0.0 };
    p.distance(from + along * share.clamp(0.0, 1.0))
}

/// Even-odd rule; a point on an edge belongs to the polygon at its left or above.
fn holds(corners: &[DVec2], p: DVec2) -> bool {
    let mut inside = false;
    let mut before = corners[corners.len() - 1];
    for &corner in corners {
        if (corner.y > p.y) != (before.y > p.y) {
            let x = before.x + (p.y - before.y) / (corner.y - before.y) * (corner.x - before.x);
            inside ^= p.x < x;
        }
        before = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, DMat3};

    fn grid(columns: [[f64; 3]; 3], size: [usize; 3]) -> Grid {
        let m = DMat3::from_cols(columns[0].into(), columns[1].into(), columns[2].into());
        Grid::new(size, DAffine3::from_mat3_translation(m, DVec3::new(-7.0, 3.0, 11.0))).unwrap()
    }

    #[test]
    fn a_disc_is_what_a_search_finds_on_any_grid() {
        let sheared = grid([[0.9, 0.1, 0.0], [0.3, 1.7, 0.0], [0.4, -0.2, 6.0]], [40, 30, 5]);
        let center = sheared.lps_from_voxel().transform_point3(DVec3::new(18.0, 14.0, 2.0));
        let plane = Plane::axial(center);
        let brush = Brush { plane, tip: Tip::Disc, radius_mm: 5.0 };
        let found = brush_voxels(&sheared, &brush, [center, center + DVec3::new(3.0, 1.0, 0.0)]);
        let want: Vec<usize> = (0..sheared.n_voxels())
            .filter(|&n| {
                let v = DVec3::new((n % 40) as f64, (n / 40 % 30) as f64, (n / 1200) as f64);
                let p = sheared.lps_from_voxel().transform_point3(v);
                n / 1200 == 2 && to_segment(p, center, center + DVec3::new(3.0, 1.0, 0.0)) <= 5.0
            })
            .collect();
        assert_eq!(found, want);
        assert!(found.len() > 40 && found.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn area_of_a_disc_and_volume_of_a_ball() {
        let fine = grid([[0.25, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]], [200, 100, 40]);
        let center = fine.center_lps();
        let plane = Plane::axial(center);
        let disc = brush_voxels(&fine, &Brush { plane, tip: Tip::Disc, radius_mm: 10.0 }, [center; 2]);
        let area = disc.len() as f64 * 0.125;
        assert!((area - std::f64::consts::PI * 100.0).abs() < 4.0, "{area}");
        let ball = brush_voxels(&fine, &Brush { plane, tip: Tip::Ball, radius_mm: 10.0 }, [center; 2]);
        let volume = ball.len() as f64 * 0.125;
        assert!((volume / (4.0 / 3.0 * std::f64::consts::PI * 1000.0) - 1.0).abs() < 0.01, "{volume}");
        let tiny = brush_voxels(&fine, &Brush { plane, tip: Tip::Disc, radius_mm: 0.0 }, [center; 2]);
        assert_eq!(tiny, [fine.index_at_lps(center).unwrap()], "a brush smaller than a voxel draws the voxel under it");
        let outside = brush_voxels(&fine, &Brush { plane, tip: Tip::Ball, radius_mm: 2.0 }, [DVec3::splat(1e6); 2]);
        assert!(outside.is_empty());
    }

    #[test]
    fn a_plane_across_the_grid_draws_every_cell_it_cuts() {
        let grid = grid([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 8.0]], [30, 30, 6]);
        let center = grid.center_lps();
        let plane = Plane::new(center, DVec3::new(1.0, 0.0, 1.0), DVec3::Y).unwrap();
        let found = brush_voxels(&grid, &Brush { plane, tip: Tip::Disc, radius_mm: 6.0 }, [center; 2]);
        // Every place of the disc lies in a voxel that was drawn, but for the rim.
        for a in 0..32 {
            for r in [0.0, 2.0, 4.5] {
                let p = plane.lps_from_plane(DVec2::from_angle(f64::from(a) / 32.0 * std::f64::consts::TAU) * r);
                assert!(found.contains(&grid.index_at_lps(p).unwrap()), "{a} {r}");
            }
        }
    }

    #[test]
    fn a_polygon_holds_its_area() {
        let grid = grid([[0.2, 0.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 8.0]], [200, 200, 3]);
        let plane = Plane::axial(grid.center_lps());
        let corners = [DVec2::new(-10.0, -5.0), DVec2::new(10.0, -5.0), DVec2::new(0.0, 15.0)];
        let area = polygon_voxels(&grid, &plane, &corners).len() as f64 * 0.04;
        assert!((area - 200.0).abs() < 2.0, "{area}");
        assert!(polygon_voxels(&grid, &plane, &corners[..2]).is_empty());
        let star: Vec<DVec2> = [0, 2, 4, 1, 3].map(|i| DVec2::from_angle(f64::from(i) * 1.256_637) * 10.0).to_vec();
        let middle = grid.index_at_lps(grid.center_lps()).unwrap();
        assert!(!polygon_voxels(&grid, &plane, &star).contains(&middle), "even-odd: crossed twice is outside");
    }
}
