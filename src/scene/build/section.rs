//! The section as it lies on its slide: histology, spots, the moving sides of the landmarks, the cursor
//! with the error of the way there.

use super::chain::{Chain, cursor_section, registration, section};
use super::shared::{Length, Pane, draw_section, landmark_ink, landmark_mark};
use super::{Inputs, SceneCache, camera_of};
use crate::scene::{Compare, Corner, Mark, PaneKind, Scene};

pub(super) fn section_scene(inputs: &Inputs<'_>, cache: &mut SceneCache, size_px: [u32; 2]) -> Scene {
    let Some((id, section)) = section(inputs) else {
        let how = "Drop a Visium or Xenium folder, an h5ad file or a picture here";
        return Pane::empty(inputs, size_px, &["A tissue section with its genes", how]);
    };
    let camera = camera_of(inputs, PaneKind::Section, section.bounds_mm(), size_px);
    let mut pane = Pane::new(inputs, size_px, camera);
    let about_pies = draw_section(&mut pane, inputs, cache, (id, section), (None, Compare::Blend, 1.0));
    if let Some(r) = registration(inputs) {
        for (i, pair) in r.landmarks.pairs.iter().enumerate() {
            if let Some(at) = pair.moving {
                pane.mark(landmark_mark(inputs, (i, pair), at, landmark_ink(r, pair)));
            }
        }
    }
    if let Some(at) = cursor_section(inputs) {
        let sd_mm = Chain::of(inputs).and_then(|c| c.fit.quality.leave_one_out_median_mm);
        pane.mark(Mark::Cursor { at, sd_mm });
    }
    pane.scale_bar(if section.has_unit() { Length::Mm } else { Length::KiloPixel });
    pane.text(Corner::TopLeft, vec![section.name.clone()]);
    let n_spots = section.spots.as_ref().map_or(0, |s| s.px.len());
    if n_spots > 0 {
        let lines = about_pies.into_iter().chain([format!("{} spots", thousands(n_spots))]);
        pane.text(Corner::BottomLeft, lines.collect());
    }
    pane.scene
}

/// As `4,812`.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}
