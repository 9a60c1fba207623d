//! Closed lines of equal value in a picture (marching squares; Lorensen and Cline 1987 in two dimensions).

use std::collections::BTreeMap;

/// An edge between neighboring pixels: column, row, and whether it goes down instead of right.
type Edge = (i64, i64, bool);

/// The closed lines on which linearly interpolated values cross `level`, in pixels (centers are whole
/// numbers). `values` are rows of `n_columns`; beyond the picture all is 0, so for a positive level lines
/// close around what touches the border. Higher values lie on the same side of every line. Where four
/// pixels are undecided their mean decides. O(pixels + c log c) for c crossed edges.
#[must_use]
pub fn isolines(values: &[f64], n_columns: usize, level: f64) -> Vec<Vec<[f64; 2]>> {
    if n_columns == 0 {
        return Vec::new();
    }
    let (nx, ny) = (n_columns as i64, (values.len() / n_columns) as i64);
    let at = |i: i64, j: i64| {
        if (0..nx).contains(&i) && (0..ny).contains(&j) { values[(j * nx + i) as usize] } else { 0.0 }
    };
    let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
    for j in -1..ny {
        for i in -1..nx {
            let corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            let edges = [(i, j, false), (i + 1, j, true), (i, j + 1, false), (i, j, true)];
            link(corners.map(|v| v >= level), corners.iter().sum::<f64>() / 4.0 >= level, edges, &mut next);
        }
    }
    let point = |(i, j, down): Edge| {
        let (a, b) = (at(i, j), if down { at(i, j + 1) } else { at(i + 1, j) });
        let t = ((level - a) / (b - a)).clamp(0.0, 1.0);
        if down { [i as f64, j as f64 + t] } else { [i as f64 + t, j as f64] }
    };
    let mut lines = Vec::new();
    while let Some((start, mut edge)) = next.pop_first() {
        let mut line = vec![point(start)];
        while edge != start {
            line.push(point(edge));
            match next.remove(&edge) {
                Some(after) => edge = after,
                None => break,
            }
        }
        lines.push(line);
    }
    lines
}

/// Joins the crossed edges of one square, walking around it: a line goes from where the walk leaves the
/// higher side to where it enters it.
fn link(inside: [bool; 4], middle: bool, edges: [Edge; 4], next: &mut BTreeMap<Edge, Edge>) {
    let crossed: Vec<(usize, bool)> = (0..4).filter(|&k| inside[k] != inside[(k + 1) % 4]).map(|k| (k, inside[k])).collect();
    let n = crossed.len();
    for (position, &(edge, leaves)) in crossed.iter().enumerate() {
        if leaves {
            // With four crossings the middle says whether a low or a high corner is cut off.
            let to = if middle || n == 2 { (position + 1) % n } else { (position + n - 1) % n };
            next.insert(edges[edge], edges[crossed[to].0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(line: &[[f64; 2]]) -> f64 {
        let n = line.len();
        (0..n).map(|i| line[i][0] * line[(i + 1) % n][1] - line[(i + 1) % n][0] * line[i][1]).sum::<f64>() / 2.0
    }

    #[test]
    fn circle_of_a_cone() {
        let value = |k: usize| 30.0 - ((k % 61) as f64 - 30.2).hypot((k / 61) as f64 - 29.7);
        let values: Vec<f64> = (0..61 * 61).map(value).collect();
        let lines = isolines(&values, 61, 10.0);
        assert_eq!(lines.len(), 1);
        assert!((area(&lines[0]).abs() / (std::f64::consts::PI * 400.0) - 1.0).abs() < 2e-3);
        assert!(lines[0].iter().all(|p| ((p[0] - 30.2).hypot(p[1] - 29.7) - 20.0).abs() < 0.01));
    }

    #[test]
    fn borders_saddles_and_holes() {
        let one = isolines(&[1.0], 1, 0.5);
        assert_eq!(one.len(), 1);
        assert!((area(&one[0]).abs() - 0.5).abs() < 1e-12);
        let saddle = [1.0, 0.0, 0.0, 1.0];
        assert_eq!(isolines(&saddle, 2, 0.5).len(), 1, "the mean joins");
        assert_eq!(isolines(&saddle, 2, 0.6).len(), 2, "the mean parts");
        let hole: Vec<f64> = (0..25).map(|k| if k == 12 { 0.0 } else { 1.0 }).collect();
        let lines = isolines(&hole, 5, 0.5);
        assert_eq!(lines.len(), 2);
        assert!(area(&lines[0]) * area(&lines[1]) < 0.0, "a hole turns the other way");
        assert!(isolines(&[], 0, 0.5).is_empty() && isolines(&[0.0; 9], 3, 0.5).is_empty());
    }
}
