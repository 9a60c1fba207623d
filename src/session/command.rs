//! What a person can call by name: menus, palette, keys and the cheat sheet come from this one table.

use crate::model::{FigureKind, TransformModel};
use crate::scene::CompareMode;

/// A panel of the right side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Panel {
    /// Inspector and landmarks.
    #[default]
    Inspect,
    /// Segmentations by hand.
    Draw,
    /// Lengths, angles and areas.
    Figures,
    /// Regions of spots.
    Regions,
    /// Numbers of the heart.
    Heart,
    /// Genes as numbers.
    Genes,
    /// Spots by category.
    Plots,
    /// Views joined.
    Fusion,
    /// Genes from histology.
    Prediction,
    /// Subjects and what is left out.
    Cohort,
    /// Files to hand on.
    Export,
    /// What was found in the files, and corrections.
    Import,
}

impl Panel {
    /// All of them, in the order of their tabs.
    pub const ALL: [Self; 12] = [
        Self::Inspect,
        Self::Draw,
        Self::Figures,
        Self::Heart,
        Self::Genes,
        Self::Plots,
        Self::Regions,
        Self::Fusion,
        Self::Prediction,
        Self::Cohort,
        Self::Import,
        Self::Export,
    ];

    /// Name on its tab.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Inspect => "Inspect",
            Self::Draw => "Draw",
            Self::Figures => "Ruler",
            Self::Regions => "Regions",
            Self::Heart => "Heart",
            Self::Genes => "Genes",
            Self::Plots => "Plots",
            Self::Fusion => "Fusion",
            Self::Prediction => "Prediction",
            Self::Cohort => "Cohort",
            Self::Export => "Export",
            Self::Import => "Import",
        }
    }

    /// What it is for.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Inspect => "How the selected layer is shown, and the landmarks",
            Self::Draw => "Draw and mend segmentations by hand, with their volumes",
            Self::Figures => "Lengths, angles, areas and values inside, with their ±",
            Self::Regions => "Mark spots with lasso and brush, and compare two regions: composition and genes",
            Self::Heart => "Volumes, segments, wall and scar of one frame or of all",
            Self::Genes => "Components, clusters, spatial genes, gene sets, cell types, map",
            Self::Plots => "Violins, dots and map of spots by cluster, region or segment",
            Self::Fusion => "Join image features and expression",
            Self::Prediction => "Predict genes from histology and see how far it can be trusted",
            Self::Cohort => "Subjects, missing views, and what is left out and why",
            Self::Export => "Pictures, tables, maps and transforms to hand on",
            Self::Import => "What was found in the files, what was assumed, and corrections",
        }
    }
}

/// What the pointer does on a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Paint the chosen label.
    Brush,
    /// Take it away.
    Eraser,
    /// Fill a polygon with it.
    Polygon,
    /// Grow it over like values.
    Grow,
    /// A figure that measures.
    Figure(FigureKind),
    /// Mark spots by a free outline.
    Lasso,
    /// Mark spots by a disc.
    SpotBrush,
}

impl Tool {
    /// Whether it works on spots of a section; the others work on the heart.
    #[must_use]
    pub fn is_of_regions(self) -> bool {
        matches!(self, Self::Lasso | Self::SpotBrush)
    }
}

/// Everything that can be called without further words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Pick files.
    OpenFiles,
    /// Pick a folder.
    OpenFolder,
    /// The built-in case.
    OpenDemo,
    /// Save where it was saved last.
    Save,
    /// Pick a place.
    SaveAs,
    /// Save with the bytes of all inputs.
    SaveWithData,
    /// End the program.
    Quit,
    /// Take the last edit back.
    Undo,
    /// Make it again.
    Redo,
    /// Search all commands.
    Palette,
    /// All keys.
    CheatSheet,
    /// Go to typed coordinates.
    GoTo,
    /// Start or stop the cine.
    Play,
    /// One phase on.
    NextPhase,
    /// One phase back.
    PreviousPhase,
    /// Next slice of the pane under the pointer.
    NextSlice,
    /// Previous slice.
    PreviousSlice,
    /// Fit all panes.
    ResetViews,
    /// Restore the arrangement of panes.
    ResetLayout,
    /// Show or hide segmentations.
    ToggleLabels,
    /// Show or hide spots.
    ToggleSpots,
    /// Show or hide histology.
    ToggleHistology,
    /// Radiological or neurological.
    ToggleNeurological,
    /// Show genes on the heart cuts or not.
    ToggleHeartGenes,
    /// Dark or light.
    ToggleTheme,
    /// Larger interface.
    ScaleUp,
    /// Smaller interface.
    ScaleDown,
    /// Click to place landmarks.
    LandmarkTool,
    /// Remove the selected pair.
    DeletePair,
    /// Bind the section to the short-axis plane that is shown.
    BindPlane,
    /// Turn the section over where the landmarks look mirrored.
    MendMirror,
    /// Exchange the pairs that look swapped.
    MendSwap,
    /// Fit another family of maps.
    Model(TransformModel),
    /// Another way to compare.
    Compare(CompareMode),
    /// Show a panel of the right side.
    Panel(Panel),
    /// Stop all background work.
    CancelJobs,
    /// Choose which key calls what.
    EditKeys,
    /// Everything that was said or went wrong.
    Problems,
    /// Show or hide the panels at the left.
    ToggleStudy,
    /// Show or hide the panels at the right.
    ToggleProperties,
    /// The interface in its own size.
    ScaleReset,
    /// The keyboard acts on the next pane.
    NextPane,
    /// Take a tool, or lay it down.
    Tool(Tool),
    /// A larger (or smaller) brush.
    Brush(bool),
    /// An empty segmentation on the grid of the heart image.
    NewLabels,
    /// Asks for apex, base and right ventricle, and cuts by them.
    FindPlanes,
}

/// A command as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The command.
    pub command: Command,
    /// Its menu.
    pub menu: &'static str,
    /// Its text; an ellipsis where a dialog follows.
    pub text: &'static str,
    /// Its key, as `Ctrl+Z`, or empty.
    pub key: &'static str,
}

const fn spec(command: Command, menu: &'static str, text: &'static str, key: &'static str) -> Spec {
    Spec { command, menu, text, key }
}

/// All commands in the order of the menus.
pub const COMMANDS: &[Spec] = &[
    spec(Command::OpenFiles, "File", "Open files…", "Ctrl+O"),
    spec(Command::OpenFolder, "File", "Open folder…", "Ctrl+Shift+O"),
    spec(Command::OpenDemo, "File", "Open the built-in case", ""),
    spec(Command::Save, "File", "Save", "Ctrl+S"),
    spec(Command::SaveAs, "File", "Save as…", "Ctrl+Shift+S"),
    spec(Command::SaveWithData, "File", "Save with data…", ""),
    spec(Command::Panel(Panel::Import), "File", "What was imported…", "Shift+I"),
    spec(Command::Panel(Panel::Export), "File", "Export…", "Ctrl+E"),
    spec(Command::Quit, "File", "Quit", "Ctrl+Q"),
    spec(Command::Undo, "Edit", "Undo", "Ctrl+Z"),
    spec(Command::Redo, "Edit", "Redo", "Ctrl+Shift+Z"),
    spec(Command::Palette, "Edit", "Search everything…", "Ctrl+K"),
    spec(Command::GoTo, "Edit", "Go to coordinate…", "Ctrl+G"),
    spec(Command::ToggleLabels, "View", "Show segmentations", "G"),
    spec(Command::ToggleSpots, "View", "Show spots", "O"),
    spec(Command::ToggleHeartGenes, "View", "Show genes on heart cuts", "Shift+O"),
    spec(Command::ToggleHistology, "View", "Show histology", "H"),
    spec(Command::Compare(CompareMode::Blend), "View", "Overlay: blend", "1"),
    spec(Command::Compare(CompareMode::Swipe), "View", "Overlay: swipe", "2"),
    spec(Command::Compare(CompareMode::Checker), "View", "Overlay: checkerboard", "3"),
    spec(Command::Compare(CompareMode::Flicker), "View", "Overlay: flicker", "4"),
    spec(Command::Compare(CompareMode::Contour), "View", "Overlay: contour", "5"),
    spec(Command::ToggleNeurological, "View", "Neurological display", "N"),
    spec(Command::ResetViews, "View", "Fit all panes", "R"),
    spec(Command::Play, "Image", "Play cine", "P"),
    spec(Command::NextPhase, "Image", "Next phase", "ArrowRight"),
    spec(Command::PreviousPhase, "Image", "Previous phase", "ArrowLeft"),
    spec(Command::NextSlice, "Image", "Next slice", "ArrowUp"),
    spec(Command::PreviousSlice, "Image", "Previous slice", "ArrowDown"),
    spec(Command::NewLabels, "Image", "New segmentation", ""),
    spec(Command::Tool(Tool::Brush), "Image", "Brush", "E"),
    spec(Command::Tool(Tool::Eraser), "Image", "Eraser", "X"),
    spec(Command::Tool(Tool::Polygon), "Image", "Fill a polygon", "Y"),
    spec(Command::Tool(Tool::Grow), "Image", "Grow a region", "W"),
    spec(Command::Brush(true), "Image", "Larger brush", "]"),
    spec(Command::Brush(false), "Image", "Smaller brush", "["),
    spec(Command::Tool(Tool::Figure(FigureKind::Length)), "Image", "Measure a length", "M"),
    spec(Command::Tool(Tool::Figure(FigureKind::Angle)), "Image", "Measure an angle", "V"),
    spec(Command::Tool(Tool::Figure(FigureKind::Polygon)), "Image", "Measure an area", "Shift+Y"),
    spec(Command::Tool(Tool::Figure(FigureKind::Ellipse)), "Image", "Measure an ellipse", "Shift+M"),
    spec(Command::Tool(Tool::Lasso), "Image", "Mark spots with a lasso", "A"),
    spec(Command::Tool(Tool::SpotBrush), "Image", "Mark spots with a brush", "D"),
    spec(Command::FindPlanes, "Image", "Find planes by three clicks", ""),
    spec(Command::LandmarkTool, "Register", "Place landmark pairs", "L"),
    spec(Command::DeletePair, "Register", "Delete selected pair", "Delete"),
    spec(Command::BindPlane, "Register", "Bind section to the short-axis plane shown", "B"),
    spec(Command::Model(TransformModel::Translation), "Register", "Fit a translation", ""),
    spec(Command::Model(TransformModel::Rigid), "Register", "Fit a rigid transform", ""),
    spec(Command::Model(TransformModel::Similarity), "Register", "Fit a similarity", ""),
    spec(Command::Model(TransformModel::Affine), "Register", "Fit an affine", ""),
    spec(Command::Model(TransformModel::ThinPlate), "Register", "Fit a thin plate", ""),
    spec(Command::MendMirror, "Register", "Flip the section (mirrored landmarks)", ""),
    spec(Command::MendSwap, "Register", "Exchange the swapped pairs", ""),
    spec(Command::Panel(Panel::Draw), "Analyze", "Draw segmentations…", "Shift+E"),
    spec(Command::Panel(Panel::Figures), "Analyze", "Ruler…", "Shift+R"),
    spec(Command::Panel(Panel::Heart), "Analyze", "Heart in numbers…", "Shift+H"),
    spec(Command::Panel(Panel::Genes), "Analyze", "Genes as numbers…", "Shift+G"),
    spec(Command::Panel(Panel::Plots), "Analyze", "Plots of spots by category…", "Shift+V"),
    spec(Command::Panel(Panel::Regions), "Analyze", "Regions of spots…", "Shift+A"),
    spec(Command::Panel(Panel::Fusion), "Analyze", "Fusion…", "Shift+F"),
    spec(Command::Panel(Panel::Prediction), "Analyze", "Prediction…", "Shift+P"),
    spec(Command::Panel(Panel::Cohort), "Analyze", "Cohort…", "Shift+C"),
    spec(Command::CancelJobs, "Analyze", "Stop all background work", ""),
    spec(Command::ToggleTheme, "Window", "Dark or light", ""),
    spec(Command::ScaleUp, "Window", "Larger interface", "Ctrl+="),
    spec(Command::ScaleDown, "Window", "Smaller interface", "Ctrl+-"),
    spec(Command::ScaleReset, "Window", "Interface at 100 %", "Ctrl+0"),
    spec(Command::ToggleStudy, "Window", "Show the left side", "F9"),
    spec(Command::ToggleProperties, "Window", "Show the right side", "Shift+F9"),
    spec(Command::NextPane, "Window", "Keyboard to the next pane", "F6"),
    spec(Command::Problems, "Window", "Problems", "F8"),
    spec(Command::EditKeys, "Window", "Edit keys…", ""),
    spec(Command::Panel(Panel::Inspect), "Window", "Inspector and landmarks", "I"),
    spec(Command::ResetLayout, "Window", "Reset the arrangement of panes", ""),
    spec(Command::CheatSheet, "Help", "Keys", "?"),
];

/// Menus in order.
pub const MENUS: &[&str] = &["File", "Edit", "View", "Image", "Register", "Analyze", "Window", "Help"];

/// The table's row of a command.
#[must_use]
pub fn spec_of(command: Command) -> Option<&'static Spec> {
    COMMANDS.iter().find(|s| s.command == command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_do_not_fight() {
        let keys: Vec<&str> = COMMANDS.iter().map(|s| s.key).filter(|k| !k.is_empty()).collect();
        let unique: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(keys.len(), unique.len());
        assert!(COMMANDS.iter().all(|s| MENUS.contains(&s.menu)));
    }
}
