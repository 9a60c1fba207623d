//! What is on the screen, as a value; and the processor painter that is its reference.
//!
//! A [`Scene`] is one pane: what is drawn (cuts, labels, pictures, spots) in order, then the marks on
//! top of it. It is comparable and testable without a GPU; `render` draws the same value on one.

mod drawn;
mod mark;
mod view;

pub use drawn::{Compare, Drawn, LabelsDrawn, PictureDrawn, SliceDrawn, SpotsDrawn, WarpMesh};
pub use mark::{Corner, Ink, Mark};
pub use view::{Camera, CompareMode, PaneKind, PaneView, View};

/// One pane's draw list.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width and height in physical pixels.
    pub size_px: [u32; 2],
    /// Where the pane looks.
    pub camera: Camera,
    /// sRGB behind everything.
    pub background: [u8; 3],
    /// From back to front.
    pub drawn: Vec<Drawn>,
    /// Lines, letters, bars: on top, in order.
    pub marks: Vec<Mark>,
}
