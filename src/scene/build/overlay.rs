//! The section over the heart, in the plane it was cut in: two modalities, one picture, with the
//! landmarks of both and what is left between them.

use super::chain::{Chain, cursor_lps, registration, section, shown};
use super::heart::{draw_cut, heart};
use super::shared::{Pane, draw_section, heart_length, landmark_ink, landmark_mark};
use super::{Inputs, SceneCache, camera_of};
use crate::model::Registration;
use crate::scene::number::fixed;
use crate::scene::planes::cut_bounds;
use crate::scene::{Compare, CompareMode, Corner, Ink, Mark, PaneKind, Scene};
use crate::space::DVec2;

/// Side of the checker's squares in points.
const CHECKER: f32 = 48.0;

pub(super) fn overlay_scene(inputs: &Inputs<'_>, cache: &mut SceneCache, size_px: [u32; 2]) -> Scene {
    let Some(section) = section(inputs) else {
        return Pane::empty(inputs, size_px, &["The section over the heart", "Open a heart and a section first"]);
    };
    let Some(r) = registration(inputs) else {
        let how = "Register ▶ Bind section puts it on a plane of the heart";
        return Pane::empty(inputs, size_px, &["The section over the heart", how]);
    };
    let fixed = inputs.study.volume(r.heart).map(|v| (r.heart, v)).or_else(|| heart(inputs, PaneKind::Overlay));
    let plane = if inputs.view.neurological { r.plane.mirrored() } else { r.plane };
    let chain = Chain::of(inputs);
    let bounds = match (&fixed, &chain) {
        (_, Some(chain)) => warped_bounds(chain, section.1.bounds_mm()),
        (Some((_, volume)), None) => cut_bounds(&volume.grid, &plane),
        _ => [DVec2::splat(-50.0), DVec2::splat(50.0)],
    };
    let mut pane = Pane::new(inputs, size_px, camera_of(inputs, PaneKind::Overlay, bounds, size_px));
    if let Some(fixed) = fixed {
        draw_cut(&mut pane, inputs, fixed, plane);
    }
    if let Some(chain) = &chain {
        let (compare, mix) = compare(inputs);
        // Only spots without a chain become pies.
        let _ = draw_section(&mut pane, inputs, cache, section, (Some(chain), compare, mix));
    }
    landmarks(&mut pane, inputs, r, chain.as_ref());
    if let Some(at) = cursor_lps(inputs) {
        pane.mark(Mark::Cursor { at: plane.plane_from_lps(at), sd_mm: None });
    }
    pane.letters(&plane);
    pane.scale_bar(heart_length(fixed.is_none_or(|(_, v)| v.length_unit_known)));
    pane.text(Corner::TopLeft, vec![format!("{} → {}", section.1.name, fixed.map_or("?", |(_, v)| v.name.as_str()))]);
    pane.text(Corner::BottomLeft, state_lines(r));
    pane.scene
}

/// The mode with its number, and the share of the layers' opacity.
fn compare(inputs: &Inputs<'_>) -> (Compare, f64) {
    let view = inputs.view;
    match view.compare {
        CompareMode::Blend => (Compare::Blend, view.mix),
        CompareMode::Swipe => (Compare::Swipe(view.mix.clamp(0.0, 1.0) as f32), 1.0),
        CompareMode::Checker => (Compare::Checker(CHECKER * inputs.pixels_per_point), 1.0),
        CompareMode::Flicker => (Compare::Flicker(view.flicker_on), 1.0),
        CompareMode::Contour => (Compare::Contour, 1.0),
    }
}

fn warped_bounds(chain: &Chain<'_>, [low, high]: [DVec2; 2]) -> [DVec2; 2] {
    let share = |i: usize| DVec2::new((i % 9) as f64, (i / 9) as f64) / 8.0;
    let place = |i: usize| chain.shown(chain.warp.apply(low + (high - low) * share(i)));
    let points = || (0..81).map(place).filter(|p| p.is_finite());
    let (least, greatest) = (points().reduce(DVec2::min), points().reduce(DVec2::max));
    [least.unwrap_or(DVec2::splat(-50.0)), greatest.unwrap_or(DVec2::splat(50.0))]
}

/// Fixed sides as landmarks, moving sides as small crosses where the fit brings them, a line between.
fn landmarks(pane: &mut Pane, inputs: &Inputs<'_>, r: &Registration, chain: Option<&Chain<'_>>) {
    for (i, pair) in r.landmarks.pairs.iter().enumerate() {
        let fixed = pair.fixed.map(|p| shown(inputs.view.neurological, r.plane.plane_from_lps(p)));
        let moving = chain.zip(pair.moving).map(|(c, p)| c.shown(c.warp.apply(p)));
        let ink = landmark_ink(r, pair);
        if let Some(at) = moving {
            let arm = f64::from(pane.px(4.0)) * pane.scene.camera.mm_per_px;
            for arm in [DVec2::new(arm, arm), DVec2::new(arm, -arm)] {
                pane.line(vec![at - arm, at + arm], ink, 1.5, false);
            }
            if let Some(fixed) = fixed {
                pane.line(vec![fixed, at], Ink::Warning, 1.5, false);
            }
        }
        if let Some(at) = fixed {
            pane.mark(landmark_mark(inputs, (i, pair), at, ink));
        }
    }
}

/// What is missing, or how good it is.
fn state_lines(r: &Registration) -> Vec<String> {
    if !r.enabled {
        return vec!["the link from section to heart is off".into()];
    }
    let Some(fit) = &r.fit else {
        let missing = r.model.least_pairs().saturating_sub(r.landmarks.complete().len());
        let pairs = if missing == 1 { "pair" } else { "pairs" };
        let needs = format!("{} needs {missing} more {pairs}:", r.model.name());
        return match &r.problem {
            _ if missing > 0 => vec![needs, "place landmarks by clicking alternately in section and heart".into()],
            Some(problem) => vec![problem.clone()],
            None => vec!["not fitted yet".into()],
        };
    };
    let q = &fit.quality;
    let out = q.leave_one_out_median_mm.map_or_else(String::new, |v| format!(" · left out {} mm", fixed(v, 1)));
    if q.n_pairs == 0 {
        return vec!["transform from a file".to_owned(), "its error is not known".to_owned()];
    }
    let rms = q.rms_mm.map_or_else(|| "unknown".to_owned(), |rms| format!("{} mm", fixed(rms, 1)));
    let mut lines = vec![format!("{} · {} pairs", r.model.name(), q.n_pairs), format!("RMS {rms}{out}")];
    if q.folds > 0 {
        lines.push(format!("the warp folds at {} places", q.folds));
    }
    if q.suspected_mirror().is_some() {
        lines.push("the section looks mirrored".into());
    }
    lines
}
