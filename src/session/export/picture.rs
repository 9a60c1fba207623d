//! Panes as pictures with everything a reader needs below them.

use super::Exporter;
use crate::base::{Error, Progress, Result};
use crate::io;
use crate::model::LayerKind;
use crate::scene::{self, Caption, Inputs, Mark, PaintTheme, PaneKind, Scene, SceneCache, View};
use std::path::{Path, PathBuf};

/// Sides of a picture, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 64..=8192;

/// Pixels per point of a picture of this size: text is as large in a large picture as in a small one.
#[must_use]
pub fn text_scale(size_px: [u32; 2]) -> f32 {
    let shorter = size_px[0].min(size_px[1]) as f32;
    (shorter / 800.0 * 4.0).round().max(4.0) / 4.0
}

impl Exporter {
    /// Paints or draws a pane; `(pane_px, caption)` as in the record.
    pub(super) fn picture(
        &self,
        pane: &str,
        size_px: [u32; 2],
        (pane_px, caption): (Option<[u32; 2]>, bool),
        path: &Path,
        progress: &Progress,
    ) -> Result<Vec<PathBuf>> {
        let kind = PaneKind::ALL.into_iter().find(|k| k.title() == pane);
        let kind = kind.ok_or_else(|| Error::parameter(format!("there is no pane {pane:?}")))?;
        if !size_px.iter().all(|s| SIDES.contains(s)) {
            let (least, most) = (SIDES.start(), SIDES.end());
            return Err(Error::parameter(format!(
                "a picture of {}×{} pixels; sides go from {least} to {most}",
                size_px[0], size_px[1]
            )));
        }
        let theme = PaintTheme { pixels_per_point: text_scale(size_px), ..PaintTheme::default() };
        let bar = self.pane_scene(kind, size_px, pane_px, theme.pixels_per_point).marks;
        let sentences = if caption { self.sentences(kind, &bar) } else { Vec::new() };
        let caption = Caption::new(&sentences, size_px[0], &theme);
        let room = [size_px[0], size_px[1].saturating_sub(caption.height_px).max(16)];
        let scene = self.pane_scene(kind, room, pane_px, theme.pixels_per_point);
        if io::bytes::ending(path) == "svg" {
            let mut drawing = scene::draw_vectors(&scene, &caption, &theme);
            drawing.title = sentences.first().cloned().unwrap_or_else(|| pane.to_owned());
            drawing.description = sentences.join(". ");
            progress.step(0.7, "writing")?;
            io::write_svg(path, &drawing)?;
        } else if io::bytes::ending(path) == "png" {
            let image = scene::paint_with_caption(&scene, &caption, &theme);
            progress.step(0.7, "writing")?;
            io::write_png(path, image.width, image.height, &image.rgba)?;
        } else {
            return Err(Error::parameter(format!("a picture ends in .png or .svg: {}", path.display())));
        }
        Ok(vec![path.to_path_buf()])
    }

    /// The pane without the cursor; what the pane showed on the screen is shown whole.
    fn pane_scene(&self, kind: PaneKind, size_px: [u32; 2], pane_px: Option<[u32; 2]>, pixels_per_point: f32) -> Scene {
        let mut view: View = self.view.clone();
        if let (Some(shown), Some(pane)) = (pane_px, view.panes.get_mut(&kind))
            && let Some(camera) = &mut pane.camera
        {
            let share = |i: usize| f64::from(shown[i].max(1)) / f64::from(size_px[i].max(1));
            camera.mm_per_px *= share(0).max(share(1));
        }
        let inputs = Inputs { study: &self.study, view: &view, derived: &self.derived, pixels_per_point };
        let mut scene = scene::build(&inputs, &mut SceneCache::default(), kind, size_px);
        scene.marks.retain(|m| !matches!(m, Mark::Cursor { .. }));
        scene
    }

    /// What a pane shows, from what, how good, what is left out, by which program. The gene and its rule are
    /// those of the color bar among its marks.
    fn sentences(&self, kind: PaneKind, marks: &[Mark]) -> Vec<String> {
        let section = self.view.section.and_then(|id| Some((id, self.study.section(id)?)));
        let heart = self.view.heart.and_then(|id| self.study.volume(id));
        let bar = marks.iter().find_map(|m| match m {
            Mark::ColorBar { title, rule, .. } => Some((title, rule)),
            _ => None,
        });
        let shows_spots = matches!(kind, PaneKind::Section | PaneKind::Overlay | PaneKind::Bullseye) || bar.is_some();
        let mut what = kind.title().to_owned();
        if let Some((title, rule)) = bar {
            what = format!("{what}: {title} ({rule})");
        }
        let mut of = Vec::new();
        if let Some((_, section)) = section.filter(|_| shows_spots) {
            of.push(section.name.clone());
        }
        if let Some(heart) = heart.filter(|_| kind != PaneKind::Section) {
            of.push(heart.name.clone());
        }
        if !of.is_empty() {
            what = format!("{what} · {}", of.join(" → "));
        }
        let mut sentences = vec![what];
        if let Some(scale) = self.derived.bullseye_scale.as_ref().filter(|_| kind == PaneKind::Bullseye) {
            sentences.extend(scale.notes.iter().cloned());
        }
        if let Some((id, _)) = section.filter(|_| shows_spots) {
            let registered = self.placed(id).map_or_else(|| "not registered".to_owned(), |p| p.sentence());
            sentences.push(format!("Registration: {registered}"));
            let name = self.study.layers.iter().find_map(|l| match &l.kind {
                LayerKind::Spots { color_by: Some(name), .. } if l.element == id => Some(name),
                _ => None,
            });
            let of_field =
                |a: &&std::sync::Arc<crate::model::Analysis>| a.of == id && a.fields.iter().any(|f| Some(&f.name) == name);
            sentences.extend(self.study.analyses.values().rev().find(of_field).map(|a| format!("{}: {}", a.title, a.sentence)));
        }
        let left_out: Vec<String> = self.study.exclusions.iter().map(ToString::to_string).collect();
        sentences.push(format!("Left out: {}", if left_out.is_empty() { "nothing".into() } else { left_out.join("; ") }));
        sentences.push(concat!("Myoscope ", env!("CARGO_PKG_VERSION"), " · for research, not for diagnosis").to_owned());
        sentences
    }
}
