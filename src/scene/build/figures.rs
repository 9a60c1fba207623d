//! Figures that measure, on the cuts that they lie in, with their number and its ±.

use super::Inputs;
use super::shared::Pane;
use crate::imaging::{ellipse_corners, figure_size};
use crate::model::{ElementId, Figure, FigureKind, Volume};
use crate::scene::number::significant;
use crate::scene::{Ink, Mark};
use crate::space::{DVec2, DVec3, Plane};

/// Figures of the image, where all of their points lie within half a voxel of the plane.
pub(super) fn draw(pane: &mut Pane, inputs: &Inputs<'_>, (id, volume): (ElementId, &Volume), plane: &Plane) {
    let near = half_step(volume, plane.normal());
    let lies_in = |f: &&Figure| f.image == id && f.points.iter().all(|p| plane.distance_mm(*p).abs() <= near + 1e-6);
    for figure in inputs.study.figures.iter().filter(lies_in) {
        let corners = outline(figure.kind, &figure.points);
        let flat: Vec<DVec2> = corners.iter().map(|p| plane.plane_from_lps(*p)).collect();
        let is_closed = matches!(figure.kind, FigureKind::Polygon | FigureKind::Ellipse);
        let width_px = pane.px(1.5);
        pane.mark(Mark::Line { points: flat.clone(), closed: is_closed, ink: Ink::Accent, width_px, dashed: false });
        if let Some(text) = figure_text(figure, volume) {
            let at = flat.iter().copied().fold(DVec2::NEG_INFINITY, |a, b| if b.y > a.y { b } else { a });
            pane.mark(Mark::Label { at: at + DVec2::new(0.0, 4.0), text, ink: Ink::Plain });
        }
    }
}

/// The points that a figure's line goes through.
#[must_use]
pub fn outline(kind: FigureKind, points: &[DVec3]) -> Vec<DVec3> {
    match kind {
        FigureKind::Ellipse => ellipse_corners(points),
        _ => points.to_vec(),
    }
}

/// As `23.4 ± 0.6 mm`; `None` where it measures nothing.
#[must_use]
pub fn figure_text(figure: &Figure, image: &Volume) -> Option<String> {
    let v = figure_size(figure.kind, &figure.points, image).ok()?;
    let unit = match v.unit.as_str() {
        "mm2" => " mm²",
        "deg" => "°",
        "1" => " (no unit)",
        _ => " mm",
    };
    let sd = v.sd.map_or_else(String::new, |sd| format!(" ± {}", significant(sd, 2)));
    Some(format!("{}{sd}{unit}", significant(v.value, 3)))
}

/// Half of a voxel's extent across a plane, in mm.
fn half_step(volume: &Volume, normal: DVec3) -> f64 {
    let m = volume.grid.lps_from_voxel().matrix3;
    [m.x_axis, m.y_axis, m.z_axis].iter().map(|a| a.dot(normal).abs()).sum::<f64>() / 2.0
}
