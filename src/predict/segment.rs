//! Segmenting an image with a person's own ONNX network, a slice or a volume at a time. Nothing is trained or
//! shipped here: the manifest says what the network wants, and what had to be assumed is told.

mod input;
mod network;

use crate::base::{Error, Limits, Progress, Result};
use crate::model::{ClassRule, LabelMap, Segmenter, Volume};
use input::Frame;
use network::Network;
use std::sync::Arc;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Segmented {
    /// Labels on the grid and with the phases of the image.
    pub labels: LabelMap,
    /// What was assumed, in sentences.
    pub assumed: Vec<String>,
}

/// Labels of every phase of an image by a network (the bytes of its ONNX file) as its manifest says.
///
/// The image is cut or padded about its middle to the network's size, resampled linearly to its spacing along
/// the axes of the grid, and normalized; what lies beyond the image is 0 after that. The output is read per
/// pixel, and each voxel of the image takes the class of the nearest pixel, none where it lies outside of them.
/// Slices are run one after another, so that a cancel is seen between them; a volume is one run.
/// [`Error::Malformed`] and [`Error::Unsupported`] name what is wrong with the network, [`Error::TooLarge`] what
/// does not fit the limits.
pub fn segment(image: &Volume, segmenter: &Segmenter, model: &[u8], limits: Limits, progress: &Progress) -> Result<Segmented> {
    segmenter.check()?;
    let frame = Frame::new(&image.grid, segmenter);
    let n_channels = segmenter.labels.len() as u64;
    limits.check("the input and output of the network", &[frame.n_pixels() as u64, n_channels + 1], 4)?;
    limits.check("the network", &[model.len() as u64], 4)?;
    progress.step(0.0, "loading the network")?;
    let network = Network::load(model)?;
    network.check(&frame, segmenter)?;
    let n_runs = image.n_phases() * frame.n_frames();
    let mut phases: Vec<Arc<[u8]>> = Vec::new();
    for phase in 0..image.n_phases() {
        let mut voxels = vec![0u8; image.grid.n_voxels()];
        let scale = if segmenter.per_slice_statistics { None } else { Some(input::scale(image, phase, None, segmenter)) };
        for at in 0..frame.n_frames() {
            progress.step((phase * frame.n_frames() + at) as f64 / n_runs as f64, "segmenting")?;
            let scale = scale.unwrap_or_else(|| input::scale(image, phase, Some(at), segmenter));
            let pixels = frame.pixels(image, (phase, at), scale, segmenter.layout);
            let output = network.run(pixels, &frame.shape(segmenter.layout))?;
            let classes = read_classes(&output, &frame, segmenter)?;
            frame.write_back(&mut voxels, at, &classes);
        }
        phases.push(voxels.into());
    }
    let mut labels = LabelMap::new(segmenter.name.clone(), image.grid, phases)?;
    labels.table.clone_from(&segmenter.table);
    labels.phase_times_ms.clone_from(&image.phase_times_ms);
    labels.length_unit_known = image.length_unit_known;
    Ok(Segmented { labels, assumed: frame.assumed(image, segmenter) })
}

/// The label of every pixel, columns fastest, from an output of shape `[1, channels, …]`.
fn read_classes(output: &network::Output, frame: &Frame, segmenter: &Segmenter) -> Result<Vec<u8>> {
    let wanted = frame.shape(segmenter.layout);
    let channels = match output.shape.as_slice() {
        [1, c, rest @ ..] if *rest == wanted[2..] => *c,
        other => {
            return Err(Error::unsupported(format!(
                "the network gave {other:?} numbers; [1, channels, {}] were expected, as its input",
                wanted[2..].iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )));
        }
    };
    let n = frame.n_pixels();
    let fits = match segmenter.reading {
        ClassRule::Greatest => (2..=256).contains(&channels),
        ClassRule::Threshold(_) => channels == 1,
    };
    if !fits || output.values.len() != n * channels {
        let wanted = if segmenter.reading == ClassRule::Greatest { "one channel for each class" } else { "one channel" };
        return Err(Error::unsupported(format!("the network gave {channels} channels; {wanted} was expected")));
    }
    let class = |p: usize| match segmenter.reading {
        ClassRule::Threshold(t) => usize::from(f64::from(output.values[p]) >= t),
        ClassRule::Greatest => {
            let values = (0..channels).map(|c| output.values[c * n + p]);
            values.enumerate().fold((0, f32::NEG_INFINITY), |best, (c, v)| if v > best.1 { (c, v) } else { best }).0
        }
    };
    let label = |p: usize| segmenter.labels.get(class(p)).copied().unwrap_or(0);
    Ok((0..n).map(|p| label(frame.place_in(segmenter.layout, p))).collect())
}

#[cfg(test)]
mod tests;
