//! DICOM segmentations to labels (PS3.3 A.51, C.8.20, C.8.31): binary and fractional segments and label maps.
//! Frames are put on one grid by their positions; segments that overlap are kept in further label maps.

use super::element::{DataSet, Element};
use super::geometry::{Placement, placement_within};
use super::header::FrameHeader;
use super::open::Opened;
use super::pixels::Voxel;
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::model::{LabelEntry, LabelMap, Samples, Volume};
use crate::space::{DAffine3, DMat3, Grid};
use dicom::core::Tag;
use dicom::dictionary_std::{tags, uids};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the pixels mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Binary,
    Fractional,
    LabelMap,
}

/// What a file says of its segments.
#[derive(Clone, Debug)]
pub(super) struct Segments {
    meaning: Meaning,
    /// Largest stored value of a fractional segment.
    most: f64,
    table: BTreeMap<u16, (String, Option<[u8; 3]>)>,
    is_tiled: bool,
}

/// Labels are bytes.
const MOST_LABELS: usize = 255;
/// Slices without a segment are left out of the file, so that gaps may be wide.
const MOST_SLICES: usize = 4096;

impl Segments {
    /// The segments of a file that is a segmentation; `None` for other files.
    pub fn find(data: &DataSet<'_>) -> Option<Self> {
        let text = |tag: Tag| data.find(tag).map(Element::text).unwrap_or_default();
        let class = text(tags::SOP_CLASS_UID);
        let is_map = class == uids::LABEL_MAP_SEGMENTATION_STORAGE || text(tags::SEGMENTATION_TYPE) == "LABELMAP";
        if class != uids::SEGMENTATION_STORAGE && !is_map {
            return None;
        }
        let big = data.syntax.big;
        let number = |set: &DataSet<'_>, tag: Tag| set.find(tag).and_then(|e| e.numbers(*b"US", big).first().copied());
        let table = data.items(tags::SEGMENT_SEQUENCE);
        let table = table.iter().filter_map(|item| {
            let value = number(item, tags::SEGMENT_NUMBER).filter(|n| (0.0..=65_535.0).contains(n))? as u16;
            let name: String = item.find(tags::SEGMENT_LABEL).map(Element::text).unwrap_or_default().chars().take(64).collect();
            let lab = item.find(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).map(|e| e.numbers(*b"US", big));
            Some((value, (name, lab.and_then(|v| rgb_from_lab(&v)))))
        });
        let meaning = match (is_map, text(tags::SEGMENTATION_TYPE).as_str()) {
            (true, _) => Meaning::LabelMap,
            (_, "FRACTIONAL") => Meaning::Fractional,
            _ => Meaning::Binary,
        };
        Some(Self {
            meaning,
            most: number(data, tags::MAXIMUM_FRACTIONAL_VALUE).filter(|v| *v >= 1.0).unwrap_or(1.0),
            table: table.collect(),
            is_tiled: data.find(tags::TOTAL_PIXEL_MATRIX_COLUMNS).is_some(),
        })
    }
}

/// sRGB of a stored CIE Lab color (PS3.3 C.10.7.1.1), white point D65 after PS3.3's D50 is left as it is: colors
/// are for telling labels apart.
fn rgb_from_lab(stored: &[f64]) -> Option<[u8; 3]> {
    let [l, a, b] = stored else { return None };
    let (l, a, b) = (l / 65_535.0 * 100.0, a / 65_535.0 * 255.0 - 128.0, b / 65_535.0 * 255.0 - 128.0);
    let y = (l + 16.0) / 116.0;
    let cube = |t: f64| if t > 6.0 / 29.0 { t * t * t } else { 3.0 * (6.0_f64 / 29.0).powi(2) * (t - 4.0 / 29.0) };
    let (x, y, z) = (0.950_47 * cube(y + a / 500.0), cube(y), 1.088_83 * cube(y - b / 200.0));
    let linear = [
        3.240_6 * x - 1.537_2 * y - 0.498_6 * z,
        -0.968_9 * x + 1.875_8 * y + 0.041_5 * z,
        0.055_7 * x - 0.204_0 * y + 1.057_0 * z,
    ];
    Some(linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let coded = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (coded * 255.0).round() as u8
    }))
}

/// Frames on a grid.
struct Layout<'a> {
    headers: &'a [FrameHeader],
    grid: Grid,
    /// Slot and phase of each frame.
    places: Vec<(usize, usize)>,
    times_ms: Vec<f64>,
}

/// Labels and, for fractions between 0 and 1, volumes of a file.
pub(super) enum Made {
    Labels(LabelMap),
    Fractions(Volume),
}

/// Everything in a segmentation file. `Unsupported` for tiles of a slide and for more than 255 segments.
pub(super) fn assemble(
    file: &Opened,
    headers: &[FrameHeader],
    segments: &Segments,
    reading: &mut Reading<'_>,
) -> Result<Vec<Made>> {
    if segments.is_tiled {
        return Err(Error::unsupported("segmentations of slide tiles are not read; export the masks as images"));
    }
    if segments.table.keys().any(|k| usize::from(*k) > MOST_LABELS) {
        return Err(Error::unsupported("more than 255 segments; split the segmentation"));
    }
    let layout = Layout::new(headers)?;
    let n_phases = layout.times_ms.len().max(1);
    let plane = (layout.grid.size()[0] * layout.grid.size()[1]) as u64;
    reading.limits.check("the labels of a segmentation", &[layout.grid.n_voxels() as u64, n_phases as u64], 1)?;
    reading.limits.check("the masks of a segmentation", &[plane, headers.len() as u64], 1)?;
    let mut maker = Maker {
        file,
        segments,
        layout,
        n_phases,
        maps: Vec::new(),
        masks: BTreeMap::new(),
        fractions: BTreeMap::new(),
        is_cut: false,
    };
    for (i, header) in headers.iter().enumerate() {
        reading.progress.step(i as f64 / headers.len() as f64, "reading segments")?;
        maker.add(i, header, reading)?;
    }
    maker.finish(reading)
}

impl<'a> Layout<'a> {
    fn new(headers: &'a [FrameHeader]) -> Result<Self> {
        let head = headers.first().ok_or_else(|| Error::malformed("the segmentation has no frames"))?;
        let nowhere = || Error::malformed("the segmentation does not say where its frames lie");
        let (right, down) = head.axes.ok_or_else(nowhere)?;
        let (dx, dy) = head.spacing_mm.ok_or_else(nowhere)?;
        if headers.iter().any(|h| h.axes.is_none_or(|(r, d)| (r - right).length() + (d - down).length() > 1e-3)) {
            return Err(Error::unsupported("frames of several orientations in one segmentation; split it"));
        }
        let normal = right.cross(down);
        let at = |h: &FrameHeader| h.position.map_or(f64::NAN, |p| p.dot(normal));
        let mut order: Vec<usize> = (0..headers.len()).collect();
        order.sort_by(|&a, &b| at(&headers[a]).total_cmp(&at(&headers[b])));
        let tolerance = head.slice_mm.map_or(0.01, |s| (0.1 * s).min(0.5));
        let (mut positions, mut slice_of, mut last) = (Vec::new(), vec![0; headers.len()], f64::NEG_INFINITY);
        for &i in &order {
            let position = headers[i].position.ok_or_else(nowhere)?;
            if at(&headers[i]) - last > tolerance {
                positions.push(position);
                last = at(&headers[i]);
            }
            slice_of[i] = positions.len() - 1;
        }
        let (first, step, slots, n_slots) = match placement_within(&positions, normal, MOST_SLICES) {
            _ if positions.len() == 1 => (positions[0], normal * head.slice_mm.unwrap_or(1.0), vec![0], 1),
            Placement::Uniform { first, step, slots, n_slots } => (first, step, slots, n_slots),
            Placement::Irregular(small, large, shift) => {
                return Err(Error::unsupported(format!(
                    "slices of the segmentation lie {small:.3} to {large:.3} mm apart, shifted by up to {shift:.3} mm, on no common grid"
                )));
            }
        };
        let matrix3 = DMat3::from_cols(right * dx, down * dy, step);
        let grid = Grid::new([head.layout.columns, head.layout.rows, n_slots], DAffine3 { matrix3, translation: first })?;
        let (times_ms, phase_of) = phases(headers);
        let places = slice_of.iter().zip(phase_of).map(|(&s, p)| (slots[s], p)).collect();
        Ok(Self { headers, grid, places, times_ms })
    }
}

/// Times and the phase of each frame: by trigger time, percentage or temporal position, where frames have one.
fn phases(headers: &[FrameHeader]) -> (Vec<f64>, Vec<usize>) {
    let values = |tag: usize| headers.iter().map(|h| h.phase_tags[tag]).collect::<Option<Vec<f64>>>();
    let Some(values) = (0..3).find_map(values) else { return (Vec::new(), vec![0; headers.len()]) };
    let mut times = values.clone();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let phase_of = values.iter().map(|v| times.partition_point(|t| t < v)).collect();
    (times, phase_of)
}

struct Maker<'a> {
    file: &'a Opened,
    segments: &'a Segments,
    layout: Layout<'a>,
    n_phases: usize,
    /// Phases of each label map.
    maps: Vec<Vec<Vec<u8>>>,
    /// Slices of each segment: first voxel, phase, mask.
    masks: BTreeMap<u16, Vec<(usize, usize, Vec<bool>)>>,
    /// Stored values of segments with fractions.
    fractions: BTreeMap<u16, Vec<Vec<u8>>>,
    is_cut: bool,
}

impl Maker<'_> {
    fn n_plane(&self) -> usize {
        self.layout.grid.size()[0] * self.layout.grid.size()[1]
    }

    fn empty(&self) -> Vec<Vec<u8>> {
        vec![vec![0; self.layout.grid.n_voxels()]; self.n_phases]
    }

    fn add(&mut self, frame: usize, header: &FrameHeader, reading: &Reading<'_>) -> Result<()> {
        let n = self.n_plane();
        let mut pixels = vec![0_u16; n];
        let mut short = vec![0_u8; n];
        let is_wide = self.file.layout.bits_allocated == 16;
        self.file.with_frame(header.frame, &reading.limits, |raw| {
            if is_wide { u16::fill(raw, (1.0, 0.0), &mut pixels) } else { u8::fill(raw, (1.0, 0.0), &mut short) }
        })?;
        if !is_wide {
            pixels = short.iter().map(|v| u16::from(*v)).collect();
        }
        let (slot, phase) = self.layout.places[frame];
        if self.segments.meaning == Meaning::LabelMap {
            if pixels.iter().any(|v| usize::from(*v) > MOST_LABELS) {
                return Err(Error::unsupported("label values above 255; split the segmentation"));
            }
            if self.maps.is_empty() {
                self.maps.push(self.empty());
            }
            let out = &mut self.maps[0][phase][slot * n..(slot + 1) * n];
            out.iter_mut().zip(&pixels).filter(|(_, v)| **v > 0).for_each(|(o, v)| *o = *v as u8);
            return Ok(());
        }
        let segment = header.segment.ok_or_else(|| Error::malformed(format!("frame {frame} does not name its segment")))?;
        if segment == 0 || usize::from(segment) > MOST_LABELS {
            return Err(Error::malformed(format!("frame {frame} names segment {segment}, 1 to 255 were expected")));
        }
        let most = if self.segments.meaning == Meaning::Fractional { self.segments.most } else { 1.0 };
        if self.segments.meaning == Meaning::Fractional {
            self.is_cut |= pixels.iter().any(|v| *v > 0 && f64::from(*v) < most);
            let empty = self.empty();
            let whole = self.fractions.entry(segment).or_insert(empty);
            whole[phase][slot * n..(slot + 1) * n].iter_mut().zip(&pixels).for_each(|(o, v)| *o = (*v).min(255) as u8);
        }
        let mask = pixels.iter().map(|v| f64::from(*v) * 2.0 >= most && *v > 0).collect();
        self.masks.entry(segment).or_default().push((slot * n, phase, mask));
        Ok(())
    }

    /// Gives every segment to the first map where it overlaps nothing.
    fn put_all(&mut self) {
        for (segment, masks) in std::mem::take(&mut self.masks) {
            let value = segment as u8;
            let is_free = |map: &Vec<Vec<u8>>| {
                masks.iter().all(|(from, phase, mask)| map[*phase][*from..].iter().zip(mask).all(|(v, m)| !*m || *v == 0))
            };
            let at = self.maps.iter().position(is_free).unwrap_or_else(|| {
                let empty = self.empty();
                self.maps.push(empty);
                self.maps.len() - 1
            });
            for (from, phase, mask) in &masks {
                self.maps[at][*phase][*from..].iter_mut().zip(mask).filter(|(_, m)| **m).for_each(|(v, _)| *v = value);
            }
        }
    }

    fn finish(mut self, reading: &mut Reading<'_>) -> Result<Vec<Made>> {
        self.put_all();
        let name = match self.layout.headers.first() {
            Some(head) if !head.description.is_empty() => head.description.clone(),
            Some(head) => format!("segmentation series {}", head.series_number),
            None => "segmentation".to_owned(),
        };
        if self.maps.len() > 1 {
            let what = format!("{name}: segments overlap and are kept in {} label maps", self.maps.len());
            reading.warnings.warn("overlapping-segments", what, None);
        }
        if self.segments.meaning == Meaning::Fractional {
            let what = format!("{name}: fractions of one half and more of {} are labels", self.segments.most);
            reading.warnings.note("fractional-labels", what, None);
        }
        let n_maps = self.maps.len();
        let mut made = Vec::new();
        for (i, phases) in self.maps.into_iter().enumerate() {
            let name = if n_maps > 1 { format!("{name}, part {}", i + 1) } else { name.clone() };
            let phases = phases.into_iter().map(Arc::from).collect();
            let mut map = LabelMap::new(name, self.layout.grid, phases)?;
            map.table.iter_mut().for_each(|entry| self.segments.describe(entry));
            map.phase_times_ms = if self.n_phases > 1 { self.layout.times_ms.clone() } else { Vec::new() };
            made.push(Made::Labels(map));
        }
        if self.is_cut {
            for (segment, phases) in self.fractions {
                let label = self.segments.table.get(&segment).map_or_else(String::new, |(label, _)| label.clone());
                let phases = phases.into_iter().map(|p| Samples::U8(p.into())).collect();
                let mut volume = Volume::without_window(format!("{name}, {label} (fraction)"), self.layout.grid, phases)?;
                (volume.slope, volume.window, volume.modality) = (1.0 / self.segments.most, (0.0, 1.0), "SEG".to_owned());
                made.push(Made::Fractions(volume));
            }
        }
        Ok(made)
    }
}

impl Segments {
    fn describe(&self, entry: &mut LabelEntry) {
        if let Some((label, rgb)) = self.table.get(&u16::from(entry.value)) {
            if !label.is_empty() {
                entry.name.clone_from(label);
            }
            entry.rgb = rgb.unwrap_or(entry.rgb);
        }
    }
}
