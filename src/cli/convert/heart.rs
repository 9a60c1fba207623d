//! Contours, meshes and electrocardiograms: brought onto the grid of an image, or made from labels.

use super::Convert;
use super::target::{Target, listed};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::imaging::{fill_contours, fill_surface, grid_of_contours, grid_of_surface, surface_of_mask, trace_labels};
use crate::io::{self, Content, Found};
use crate::model::{ContourSpace, Contours, ImageName, ImagePlace, LabelMap, Surface};
use crate::space::{DAffine3, DVec3, Grid};
use std::path::Path;
use std::sync::Arc;

/// An image that gives its grid.
struct Like {
    grid: Grid,
    n_phases: usize,
    times_ms: Vec<f64>,
    unit_known: bool,
    images: Vec<ImagePlace>,
    /// Whether images were numbered here, as the file does not.
    is_counted: bool,
}

impl Convert {
    /// Contours or a mesh as labels.
    pub(super) fn labels_of(&self, content: &Content, run: &mut Run) -> Result<Option<LabelMap>> {
        match content {
            Content::Contours(contours) => self.filled(&self.counted_from_zero(contours), run).map(Some),
            Content::Surface(surface) => self.solid(surface, run).map(Some),
            _ => Ok(None),
        }
    }

    /// Contours on pixels, counted from 0.
    fn counted_from_zero(&self, contours: &Contours) -> Contours {
        let mut counted = contours.clone();
        if counted.space == ContourSpace::Pixels {
            let first = f64::from(self.first_pixel);
            let points = counted.lines.iter_mut().flat_map(|l| &mut l.points);
            points.for_each(|p| *p -= DVec3::new(first, first, 0.0));
        }
        counted
    }

    fn filled(&self, contours: &Contours, run: &mut Run) -> Result<LabelMap> {
        let like = self.like.as_deref().map(|path| like(path, contours, run)).transpose()?;
        let is_pixels = contours.space == ContourSpace::Pixels;
        let (placed, grid) = match &like {
            Some(like) => (place(contours, like, run)?, like.grid),
            None => {
                let what = "no image is given with --like; labels are on a grid of 1 mm pixels made for the contours";
                let what = if is_pixels {
                    "no image is given with --like; labels are on the pixels of the contours, one slice for each image, of unknown size"
                } else {
                    what
                };
                run.warnings.note("own-grid", what, None);
                grid_of_contours(contours)?
            }
        };
        let filled = fill_contours(&placed, &grid, like.as_ref().map_or(1, |l| l.n_phases), &run.progress)?;
        if filled.n_open + filled.n_off_plane > 0 {
            let what = format!(
                "{} of {} contours are not filled: {} are open or have no label, {} lie across or outside the slices",
                filled.n_open + filled.n_off_plane,
                placed.lines.len(),
                filled.n_open,
                filled.n_off_plane
            );
            run.warnings.warn("contours-not-filled", what, None);
        }
        let mut labels = filled.labels;
        match like {
            Some(like) => {
                labels.length_unit_known = like.unit_known;
                if like.times_ms.len() == labels.n_phases() {
                    labels.phase_times_ms = like.times_ms;
                }
            }
            None => labels.length_unit_known = !is_pixels,
        }
        Ok(labels)
    }

    fn solid(&self, surface: &Surface, run: &mut Run) -> Result<LabelMap> {
        let grid = match self.like.as_deref() {
            Some(path) => like_grid(path, run)?.grid,
            None => {
                run.warnings.note(
                    "own-grid",
                    "no image is given with --like; labels are on a grid of cubes made for the mesh",
                    None,
                );
                grid_of_surface(surface)?
            }
        };
        let (labels, n_open) = fill_surface(surface, &grid, self.label.unwrap_or(1), &run.progress)?;
        if n_open > 0 {
            let what = format!("the mesh is open at {n_open} edges; its holes were closed flat");
            run.warnings.warn("open-mesh", what, None);
        }
        Ok(labels)
    }

    /// The images of the series that labels belong to, given with `--source`.
    pub(super) fn source_images(&self, labels: &LabelMap, run: &mut Run) -> Result<Vec<ImagePlace>> {
        let Some(path) = self.source.as_deref() else { return Ok(Vec::new()) };
        let found = images(path, run)?;
        let tolerance_mm = 0.01 * labels.grid.spacing_mm().min_element();
        let fits = |f: &&Found| matches!(&f.content, Content::Volume(v) if v.grid.same_place(&labels.grid, tolerance_mm));
        let one = found.iter().filter(fits).find(|f| !f.images.is_empty()).ok_or_else(|| {
            Error::parameter(format!("no DICOM series of --source lies on the grid of the labels: {}", path.display()))
        })?;
        let what = "the study, series and images of --source are named by their identifiers in the file, the patient is not";
        run.warnings.note("source-identifiers", what, None);
        Ok(one.images.clone())
    }

    /// The surface of a label.
    pub(super) fn surface_of(&self, labels: &LabelMap, run: &mut Run) -> Result<Surface> {
        let present: Vec<String> = labels.table.iter().map(|e| format!("{} {}", e.value, e.name)).collect();
        let value = match (self.label, labels.table.as_slice()) {
            (Some(value), _) => value,
            (None, [only]) => only.value,
            (None, _) => {
                return Err(Error::parameter(format!(
                    "choose the label of the mesh with --label N; there are {}",
                    present.join(", ")
                )));
            }
        };
        let phase = self.phase.unwrap_or(0);
        let voxels = labels
            .phases
            .get(phase)
            .ok_or_else(|| Error::parameter(format!("there is no phase {phase}; the labels have {}", labels.n_phases())))?;
        let mask: Vec<bool> = voxels.iter().map(|v| *v == value).collect();
        let name = labels.entry(value).map_or_else(|| format!("label {value}"), |e| e.name.clone());
        surface_of_mask(&name, &labels.grid, &mask, &run.progress).map_err(|e| match e {
            Error::Degenerate(_) => {
                Error::degenerate(format!("phase {phase} has no voxel of label {value}; there are {}", present.join(", ")))
            }
            other => other,
        })
    }

    /// Writes a table: cells × genes, contours, outlines of labels, or the samples of an electrocardiogram.
    pub(super) fn write_table(&self, content: &Content, run: &mut Run) -> Result<()> {
        match content {
            Content::Section(section) => io::write_expression_table(&self.output, section, &run.limits),
            Content::Labels(labels) => io::write_points(&self.output, &trace_labels(labels, &run.progress)?),
            Content::Ecg(ecg) => io::write_ecg(&self.output, ecg),
            Content::Contours(contours) => {
                let contours = &self.counted_from_zero(contours);
                let like = self.like.as_deref().map(|path| like(path, contours, run)).transpose()?;
                let placed = like.map(|like| place(contours, &like, run)).transpose()?;
                io::write_points(&self.output, placed.as_ref().unwrap_or(contours))
            }
            _ => Err(Error::parameter(format!("only {} can be written", Target::Table.name()))),
        }
    }

    /// Writes the outlines of labels as contour text; the number of files.
    pub(super) fn write_contour_text(&self, labels: &LabelMap, run: &mut Run) -> Result<usize> {
        let contours = trace_labels(labels, &run.progress)?;
        io::make_folder(&self.output)?;
        io::write_sunnybrook(&self.output, &contours, labels)
    }
}

/// The one image of a path, or the one whose series the contours were drawn on.
fn like(path: &Path, contours: &Contours, run: &mut Run) -> Result<Like> {
    let found = images(path, run)?;
    let fits = |f: &Found| contours.placed(&f.images).0.lines.len();
    if contours.space == ContourSpace::Pixels && found.len() > 1 {
        let best = found.iter().max_by_key(|f| (fits(f), usize::MAX - f.item)).filter(|f| fits(f) > 0);
        if let Some(best) = best {
            return as_like(best);
        }
    }
    one(&found, path)
}

fn like_grid(path: &Path, run: &mut Run) -> Result<Like> {
    let found = images(path, run)?;
    one(&found, path)
}

fn images(path: &Path, run: &mut Run) -> Result<Vec<Found>> {
    if !path.exists() {
        return Err(Error::parameter(format!("no such file or folder: {}", path.display())));
    }
    let found = io::open(path, &mut run.reading())?;
    Ok(found.into_iter().filter(|f| matches!(f.content, Content::Volume(_) | Content::Labels(_))).collect())
}

fn one(found: &[Found], path: &Path) -> Result<Like> {
    match found {
        [] => Err(Error::parameter(format!("--like holds no image: {}", path.display()))),
        [one] => as_like(one),
        several => Err(Error::parameter(format!(
            "--like holds several images, give the file of one: {}: {}",
            listed(&several.iter().collect::<Vec<_>>()),
            path.display()
        ))),
    }
}

fn as_like(found: &Found) -> Result<Like> {
    let (grid, n_phases, times_ms, unit_known) = match &found.content {
        Content::Volume(v) => (v.grid, v.n_phases(), v.phase_times_ms.clone(), v.length_unit_known),
        Content::Labels(l) => (l.grid, l.n_phases(), l.phase_times_ms.clone(), l.length_unit_known),
        _ => return Err(Error::parameter("--like is not an image")),
    };
    let is_counted = found.images.is_empty();
    let images = if is_counted { counted(&grid, n_phases) } else { found.images.clone() };
    Ok(Like { grid, n_phases, times_ms, unit_known, images, is_counted })
}

/// Images of a file that does not number them: slice · phases + phase + 1.
fn counted(grid: &Grid, n_phases: usize) -> Vec<ImagePlace> {
    let (lps, series) = (grid.lps_from_voxel(), Arc::default());
    (0..grid.size()[2] * n_phases)
        .map(|i| {
            let (slice, phase) = (i / n_phases, i % n_phases);
            let translation = lps.transform_point3(DVec3::new(0.0, 0.0, slice as f64));
            let lps_from_pixel = DAffine3 { matrix3: lps.matrix3, translation };
            ImagePlace {
                number: u32::try_from(i + 1).ok(),
                uid: String::new(),
                series: Arc::clone(&series),
                slice,
                phase,
                lps_from_pixel,
            }
        })
        .collect()
}

/// Contours in the patient.
fn place(contours: &Contours, like: &Like, run: &mut Run) -> Result<Contours> {
    if contours.space != ContourSpace::Pixels {
        return Ok(contours.clone());
    }
    let by_uid = contours.lines.iter().any(|l| matches!(l.image, Some(ImageName::Uid(_))));
    if like.is_counted && by_uid {
        return Err(Error::parameter("the contours name images by DICOM identifiers; give the DICOM series with --like"));
    }
    let (placed, n_without) = contours.placed(&like.images);
    if placed.lines.is_empty() {
        return Err(Error::degenerate(format!(
            "none of {} contours was drawn on an image of the series given with --like; check that they belong together",
            contours.lines.len()
        )));
    }
    if like.is_counted {
        let what = "the image does not number its slices; they are counted slice by slice, phases first, from 1";
        run.warnings.warn("images-counted", what, None);
    }
    if n_without > 0 {
        let what = format!("{n_without} of {} contours name images that are not in the series", contours.lines.len());
        run.warnings.warn("contours-without-image", what, None);
    }
    Ok(placed)
}
