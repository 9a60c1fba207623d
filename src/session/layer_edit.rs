//! Changing a layer while a handle is dragged: the picture follows at once, the history gets one step.

use super::Session;
use super::edit::{Change, Edit};
use crate::base::{Error, Result};
use crate::model::{Layer, LayerKind};

impl Session {
    /// Shows a changed layer without a step in the history.
    pub(super) fn preview_layer(&mut self, index: usize, layer: Layer) -> Result<()> {
        let before = self.study.layers.clone();
        let slot = self.study.layers.get_mut(index).ok_or_else(|| Error::parameter("there is no such layer"))?;
        if *slot == layer {
            return Ok(());
        }
        let recolor = values_of(&slot.kind) != values_of(&layer.kind);
        *slot = layer;
        self.preview.get_or_insert(before);
        self.revision += 1;
        if recolor {
            self.derive_colors();
        }
        Ok(())
    }

    /// Whether a preview waits to be kept.
    #[must_use]
    pub fn is_previewing(&self) -> bool {
        self.preview.is_some()
    }

    /// Makes everything previewed since the last call one step.
    pub(super) fn keep_layers(&mut self) {
        let Some(before) = self.preview.take() else { return };
        let after = std::mem::replace(&mut self.study.layers, before.clone());
        if after != before {
            self.commit(Edit { name: "change layer".into(), changes: vec![Change::Layers { before, after }] });
        }
    }
}

/// What the values of spots depend on.
fn values_of(kind: &LayerKind) -> Option<(&Option<String>, bool, &Option<crate::model::Range>)> {
    match kind {
        LayerKind::Spots { color_by, log_normalized, range, .. } => Some((color_by, *log_normalized, range)),
        _ => None,
    }
}
