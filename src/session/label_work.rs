//! Work on a whole segmentation, as values: what to do, in which phases, and the changes that come of it.

use crate::base::{Error, Limits, Progress, Result, Severity};
use crate::imaging::paint::{
    Connect, GrowSettings, copy_slice, fill_holes, grow, interpolate_slices, largest_piece, polygon_voxels,
};
use crate::imaging::{check_orientation, resample_labels, restored};
use crate::model::{LabelEdit, LabelMap, Volume};
use crate::scene::{label_phase, share_of_phase};
use crate::space::{DVec2, DVec3, Plane};
use std::path::Path;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelOp {
    /// Fill (or clear) a polygon on a plane.
    Polygon {
        /// The plane.
        plane: Plane,
        /// Corners in plane mm.
        corners: Vec<DVec2>,
        /// The label.
        value: u8,
        /// Takes the label away instead.
        erase: bool,
    },
    /// A region of like values grows from a place.
    Grow {
        /// Where, patient mm.
        from: DVec3,
        /// Its label.
        value: u8,
        /// How.
        settings: GrowSettings,
    },
    /// Holes of a label, in slices along an axis of the grid or in space.
    FillHoles {
        /// The label.
        value: u8,
        /// Axis of the slices; `None` is in space.
        axis: Option<usize>,
    },
    /// Slices between drawn ones.
    Interpolate {
        /// Labels; empty is all.
        values: Vec<u8>,
        /// Axis of the slices.
        axis: usize,
    },
    /// Only the largest piece of a label stays.
    Largest {
        /// The label.
        value: u8,
        /// Neighbors.
        connect: Connect,
    },
    /// A slice comes over from another.
    CopySlice {
        /// Axis of the slices.
        axis: usize,
        /// From.
        from: usize,
        /// To.
        to: usize,
        /// The label, or all.
        value: Option<u8>,
    },
    /// A whole phase comes over from another.
    CopyPhase {
        /// From.
        from: usize,
        /// To.
        to: usize,
        /// The label, or all.
        value: Option<u8>,
    },
    /// Says whether the labels fit the heart image better when turned; `mend` turns them.
    Orientation {
        /// Turn them where they do.
        mend: bool,
    },
    /// A new segmentation on the grid of the heart image.
    Resample,
}

/// In which phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// One.
    This(usize),
    /// All of them.
    All,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Made {
    /// Changes of the segmentation.
    Edits(Vec<LabelEdit>),
    /// Another segmentation.
    New(Box<LabelMap>),
    /// Only words.
    Nothing,
}

type Told = Vec<(Severity, String)>;

impl LabelOp {
    /// The label that it is about.
    fn value(&self) -> Option<u8> {
        match self {
            Self::Polygon { value, .. } | Self::Grow { value, .. } | Self::FillHoles { value, .. } => Some(*value),
            Self::Largest { value, .. } => Some(*value),
            Self::CopySlice { value, .. } | Self::CopyPhase { value, .. } => *value,
            Self::Interpolate { values, .. } if values.len() == 1 => values.first().copied(),
            _ => None,
        }
    }

    /// The name of the step, as `fill holes of Myocardium`.
    #[must_use]
    pub fn step(&self, map: &LabelMap) -> String {
        let label =
            self.value().map_or_else(|| "all labels".into(), |v| map.entry(v).map_or(format!("label {v}"), |e| e.name.clone()));
        match self {
            Self::Polygon { erase: false, .. } => format!("fill polygon with {label}"),
            Self::Polygon { .. } => format!("clear {label} in polygon"),
            Self::Grow { .. } => format!("grow {label}"),
            Self::FillHoles { .. } => format!("fill holes of {label}"),
            Self::Interpolate { .. } => format!("interpolate {label}"),
            Self::Largest { .. } => format!("keep largest piece of {label}"),
            Self::CopySlice { to, .. } => format!("copy {label} to slice {}", to + 1),
            Self::CopyPhase { to, .. } => format!("copy {label} to phase {}", to + 1),
            Self::Orientation { .. } => "turn labels to fit the image".into(),
            Self::Resample => format!("bring {} to the grid of the image", map.name),
        }
    }

    /// What the job is called.
    #[must_use]
    pub fn title(&self) -> String {
        let text = match self {
            Self::Polygon { .. } => "Filling a polygon",
            Self::Grow { .. } => "Growing a region",
            Self::FillHoles { .. } => "Filling holes",
            Self::Interpolate { .. } => "Interpolating slices",
            Self::Largest { .. } => "Finding the largest piece",
            Self::CopySlice { .. } | Self::CopyPhase { .. } => "Copying labels",
            Self::Orientation { .. } => "Comparing orientations",
            Self::Resample => "Bringing labels to the grid of the image",
        };
        text.to_owned()
    }
}

/// Does the work. `image` is the heart image shown, where one is.
pub(super) fn run(
    map: &LabelMap,
    image: Option<&Volume>,
    op: &LabelOp,
    which: Which,
    progress: &Progress,
) -> Result<(Made, Told)> {
    if let Some(value) = op.value().filter(|v| map.locked.contains(v)) {
        let name = map.entry(value).map_or(String::new(), |e| e.name.clone());
        return Err(Error::parameter(format!("{name} is locked; unlock it first")));
    }
    let needs_image = || image.ok_or_else(|| Error::parameter("show the image of the heart that the labels belong to first"));
    match op {
        LabelOp::Orientation { mend } => orientation(map, needs_image()?, *mend, progress),
        LabelOp::Resample => {
            let (made, n_outside) = resample_labels(map, &needs_image()?.grid, progress)?;
            let text = format!(
                "Each voxel of the image took the label of the nearest voxel of {} through both affines; {n_outside} labeled voxels lie outside of the image.",
                map.name
            );
            Ok((Made::New(Box::new(made)), vec![(Severity::Note, text)]))
        }
        _ => {
            let phases = match which {
                Which::This(p) => p..p + 1,
                Which::All => 0..map.n_phases(),
            };
            let n = phases.len();
            let (mut edits, mut last) = (Vec::new(), None);
            for (i, phase) in phases.enumerate() {
                let part = progress.part(i as f64 / n as f64, (i + 1) as f64 / n as f64);
                match in_phase(map, image, op, phase, &part) {
                    Ok(edit) => edits.push(edit),
                    // A phase without the label is no reason to leave the others.
                    Err(e @ Error::Degenerate(_)) => last = Some(e),
                    Err(e) => return Err(e),
                }
            }
            match last {
                Some(e) if edits.is_empty() => Err(e),
                _ => Ok((Made::Edits(edits), Vec::new())),
            }
        }
    }
}

fn in_phase(map: &LabelMap, image: Option<&Volume>, op: &LabelOp, phase: usize, progress: &Progress) -> Result<LabelEdit> {
    let no_phase = |p: usize| Error::parameter(format!("the segmentation has no phase {}; it has {}", p + 1, map.n_phases()));
    let voxels = map.phases.get(phase).ok_or_else(|| no_phase(phase))?;
    let (size, spacing) = (map.grid.size(), map.grid.spacing_mm().to_array());
    let wanted: Vec<(usize, u8)> = match op {
        LabelOp::Polygon { plane, corners, value, erase } => {
            let inside = polygon_voxels(&map.grid, plane, corners).into_iter();
            let new = if *erase { 0 } else { *value };
            inside.filter(|&at| !erase || voxels[at] == *value).map(|at| (at, new)).collect()
        }
        LabelOp::Grow { from, value, settings } => {
            let image = image.ok_or_else(|| Error::parameter("a region grows over an image; show one"))?;
            let seed =
                map.grid.index_at_lps(*from).ok_or_else(|| Error::parameter("that place lies outside the segmentation"))?;
            let at = image_phase(map, image, phase);
            grow(&map.grid, seed, (image, at), settings, progress)?.into_iter().map(|at| (at, *value)).collect()
        }
        LabelOp::FillHoles { value, axis } => fill_holes(voxels, size, *value, *axis, progress)?,
        LabelOp::Interpolate { values, axis } => {
            let found = interpolate_slices(voxels, (size, spacing), *axis, values, progress)?;
            found.into_iter().filter(|&(at, _)| voxels[at] == 0).collect()
        }
        LabelOp::Largest { value, connect } => largest_piece(voxels, size, *value, *connect, progress)?,
        LabelOp::CopySlice { axis, from, to, value } => copy_slice((voxels, voxels), size, *axis, [*from, *to], *value)?,
        LabelOp::CopyPhase { from, to, value } => {
            let source = map.phases.get(*from).ok_or_else(|| no_phase(*from))?;
            let target = map.phases.get(*to).ok_or_else(|| no_phase(*to))?;
            let is = |v: u8| value.map_or(v != 0, |value| v == value);
            let pairs = source.iter().zip(target.iter()).enumerate();
            let wanted = pairs.filter(|(_, (s, t))| is(**s) || is(**t)).map(|(at, (s, _))| (at, if is(*s) { *s } else { 0 }));
            return Ok(LabelEdit::of(*to, target, wanted, &map.locked));
        }
        LabelOp::Orientation { .. } | LabelOp::Resample => Vec::new(),
    };
    Ok(LabelEdit::of(phase, voxels, wanted, &map.locked))
}

/// The phase of an image that a phase of labels belongs to.
fn image_phase(map: &LabelMap, image: &Volume, phase: usize) -> usize {
    (0..image.n_phases()).find(|&p| label_phase(map, image, p) == phase).unwrap_or_else(|| {
        let share = phase as f64 / map.n_phases().max(1) as f64;
        (0..image.n_phases())
            .min_by(|a, b| {
                let off = |p: usize| (share_of_phase(image, p) - share).abs();
                off(*a).total_cmp(&off(*b))
            })
            .unwrap_or(0)
    })
}

fn orientation(map: &LabelMap, image: &Volume, mend: bool, progress: &Progress) -> Result<(Made, Told)> {
    let phase = (0..map.n_phases()).max_by_key(|&p| (map.phases[p].iter().filter(|v| **v != 0).count(), usize::MAX - p));
    let phase = phase.unwrap_or(0);
    let found = check_orientation((map, phase), (image, image_phase(map, image, phase)), progress)?;
    if !found.is_suspected() {
        return Ok((Made::Nothing, vec![(Severity::Note, found.sentence())]));
    }
    if !mend {
        return Ok((Made::Nothing, vec![(Severity::Warning, found.sentence())]));
    }
    let told = vec![(Severity::Note, format!("{} They were turned so.", found.sentence()))];
    let turned = restored(map, image, found.storage)?;
    if map.grid.same_place(&image.grid, 1e-3) {
        let between = |p: usize| LabelEdit::between(p, &map.phases[p], &turned.phases[p]);
        return Ok((Made::Edits((0..map.n_phases()).map(between).collect()), told));
    }
    Ok((Made::New(Box::new(turned)), told))
}

/// Segments an image with the network of a manifest: labels named after the manifest, and what was assumed.
#[cfg(feature = "onnx")]
pub(super) fn segment(image: &Volume, manifest: &Path, limits: Limits, progress: &Progress) -> Result<(LabelMap, Vec<String>)> {
    let network = crate::io::read_network(manifest, limits)?;
    let made = crate::predict::segment(image, &network.segmenter, &network.model, limits, progress)?;
    Ok((made.labels, made.assumed))
}

/// Networks are not part of this build.
#[cfg(not(feature = "onnx"))]
pub(super) fn segment(_: &Volume, manifest: &Path, _: Limits, _: &Progress) -> Result<(LabelMap, Vec<String>)> {
    Err(Error::unsupported("this program was built without networks (feature `onnx`)").at(manifest))
}

/// A segmentation after some work: the same as in the window, without one.
#[derive(Clone, Debug)]
pub struct Worked {
    /// The segmentation.
    pub labels: LabelMap,
    /// Voxels that changed, of all phases; `None` where the grid is another.
    pub n_changed: Option<usize>,
    /// What to say beside it.
    pub told: Vec<(Severity, String)>,
}

/// Does the work on a segmentation that is not in a study. `image` is the image that it belongs to, where the
/// work needs one. Errors as in the window: [`Error::Parameter`] for labels and slices that are not there,
/// [`Error::Degenerate`] where nothing can be done.
pub fn work_on_labels(map: &LabelMap, image: Option<&Volume>, op: &LabelOp, which: Which, progress: &Progress) -> Result<Worked> {
    let (made, told) = run(map, image, op, which, progress)?;
    Ok(match made {
        Made::Edits(edits) => {
            let n_changed = Some(edits.iter().map(LabelEdit::n_voxels).sum());
            Worked { labels: map.edited(&edits), n_changed, told }
        }
        Made::New(labels) => Worked { labels: *labels, n_changed: None, told },
        Made::Nothing => Worked { labels: map.clone(), n_changed: Some(0), told },
    })
}

/// Labels of an image by the network of a manifest, and what was assumed.
pub fn segment_volume(image: &Volume, manifest: &Path, limits: Limits, progress: &Progress) -> Result<(LabelMap, Vec<String>)> {
    segment(image, manifest, limits, progress)
}
