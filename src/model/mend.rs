//! What a person says otherwise than the files: the distance of slices, the order of phases, what is left away. A mend is
//! applied to what was read, never to the file, and is kept with the element by its text.

use super::volume::{Samples, Volume};
use crate::base::{Error, Result};
use crate::space::Grid;
use std::sync::Arc;

/// One correction of an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Mend {
    /// Distance of slice centers in mm; the first slice stays where it is.
    SliceSpacing(f64),
    /// The slices lie in the opposite order at the same places.
    TurnSlices,
    /// A slice is left away, from 0; only the first or the last, as the others would leave a gap.
    DropSlice(usize),
    /// The beat begins with this phase, from 0.
    FirstPhase(usize),
    /// The phases run backward.
    TurnPhases,
    /// A phase is left away, from 0.
    DropPhase(usize),
    /// The pictures are divided otherwise into slices and phases: this many phases. `by_slice`: the phases of a slice
    /// lie together in the stack.
    Phases {
        /// How many.
        n: usize,
        /// The phases of a slice come one after the other, before the next slice.
        by_slice: bool,
    },
    /// Length of a heart beat in ms; the phases are evenly spaced in it.
    BeatMs(f64),
}

impl Mend {
    /// As it is kept: `slice-spacing:8`.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::SliceSpacing(mm) => format!("slice-spacing:{mm}"),
            Self::TurnSlices => "turn-slices".into(),
            Self::DropSlice(k) => format!("drop-slice:{k}"),
            Self::FirstPhase(p) => format!("first-phase:{p}"),
            Self::TurnPhases => "turn-phases".into(),
            Self::DropPhase(p) => format!("drop-phase:{p}"),
            Self::Phases { n, by_slice } => format!("{}:{n}", if *by_slice { "phases-by-slice" } else { "phases" }),
            Self::BeatMs(ms) => format!("beat-ms:{ms}"),
        }
    }

    /// The mend of a text; `None` where it is none.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (word, number) = text.split_once(':').unwrap_or((text, ""));
        let whole = || number.parse::<usize>().ok();
        let real = || number.parse::<f64>().ok();
        Some(match word {
            "slice-spacing" => Self::SliceSpacing(real()?),
            "turn-slices" => Self::TurnSlices,
            "drop-slice" => Self::DropSlice(whole()?),
            "first-phase" => Self::FirstPhase(whole()?),
            "turn-phases" => Self::TurnPhases,
            "drop-phase" => Self::DropPhase(whole()?),
            "phases" => Self::Phases { n: whole()?, by_slice: false },
            "phases-by-slice" => Self::Phases { n: whole()?, by_slice: true },
            "beat-ms" => Self::BeatMs(real()?),
            _ => return None,
        })
    }

    /// For people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::SliceSpacing(mm) => format!("distance of slices typed: {mm} mm"),
            Self::TurnSlices => "order of slices turned around".into(),
            Self::DropSlice(k) => format!("slice {} left away", k + 1),
            Self::FirstPhase(p) => format!("the beat begins with phase {}", p + 1),
            Self::TurnPhases => "order of phases turned around".into(),
            Self::DropPhase(p) => format!("phase {} left away", p + 1),
            Self::Phases { n, by_slice } => {
                format!("divided into {n} phases, {}", if *by_slice { "slice by slice" } else { "phase by phase" })
            }
            Self::BeatMs(ms) => format!("length of the beat typed: {ms} ms"),
        }
    }

    /// The image with the correction. [`Error::Parameter`] where it cannot be made. O(voxels) where voxels move.
    pub fn apply(&self, volume: &Volume) -> Result<Volume> {
        let [nx, ny, nz] = volume.grid.size();
        let n = volume.n_phases();
        let phase = |p: usize| {
            if p < n { Ok(p) } else { Err(Error::parameter(format!("there is no phase {} of {n}", p + 1))) }
        };
        match *self {
            Self::SliceSpacing(mm) => spaced(volume, mm),
            Self::TurnSlices => Ok(with_slices(volume, volume.grid, |k| nz - 1 - k)),
            Self::DropSlice(k) if nz > 1 && (k == 0 || k + 1 == nz) => {
                let first = usize::from(k == 0);
                let mut map = volume.grid.lps_from_voxel();
                map.translation += map.matrix3.z_axis * first as f64;
                Ok(with_slices(volume, Grid::new([nx, ny, nz - 1], map)?, |k| k + first))
            }
            Self::DropSlice(_) => Err(Error::parameter("only the first or the last slice can be left away; leave others out")),
            Self::FirstPhase(p) => {
                let p = phase(p)?;
                Ok(with_phases(volume, (0..n).map(|i| (i + p) % n).collect(), false))
            }
            Self::TurnPhases => Ok(with_phases(volume, (0..n).rev().collect(), false)),
            Self::DropPhase(p) if n > 1 => {
                let p = phase(p)?;
                Ok(with_phases(volume, (0..n).filter(|i| *i != p).collect(), true))
            }
            Self::DropPhase(_) => Err(Error::parameter("the only phase cannot be left away")),
            Self::Phases { n: wanted, by_slice } => divided(volume, wanted, by_slice),
            Self::BeatMs(ms) if ms.is_finite() && ms > 0.0 => {
                let phase_times_ms = (0..n).map(|p| ms * p as f64 / n as f64).collect();
                Ok(Volume { phase_times_ms, ..volume.clone() })
            }
            Self::BeatMs(ms) => Err(Error::parameter(format!("a beat of {ms} ms is none"))),
        }
    }
}

fn spaced(volume: &Volume, mm: f64) -> Result<Volume> {
    if !(mm.is_finite() && mm > 0.0) {
        return Err(Error::parameter(format!("a distance of slices of {mm} mm is none")));
    }
    let mut map = volume.grid.lps_from_voxel();
    map.matrix3.z_axis *= mm / map.matrix3.z_axis.length();
    Ok(Volume { grid: Grid::new(volume.grid.size(), map)?, ..volume.clone() })
}

/// The slices `from(k)` for each new slice k.
fn with_slices(volume: &Volume, grid: Grid, from: impl Fn(usize) -> usize) -> Volume {
    let slice = grid.size()[0] * grid.size()[1];
    let places: Vec<usize> = (0..grid.size()[2]).map(from).collect();
    let phases = (0..volume.n_phases()).map(|p| gathered(volume, slice, places.iter().map(|k| (p, *k)))).collect();
    let moved = |(k, p): &(usize, usize)| Some((places.iter().position(|from| from == k)?, *p));
    let missing = volume.missing.iter().filter_map(moved).collect();
    Volume { grid, phases, missing, ..volume.clone() }
}

/// Phases in another order or number. Times stay those of the places where all phases are kept.
fn with_phases(volume: &Volume, order: Vec<usize>, own_times: bool) -> Volume {
    let times = &volume.phase_times_ms;
    let phase_times_ms =
        if own_times && times.len() == volume.n_phases() { order.iter().map(|&p| times[p]).collect() } else { times.clone() };
    let missing = volume.missing.iter().filter_map(|(k, p)| Some((*k, order.iter().position(|o| o == p)?))).collect();
    let phases = order.iter().map(|&p| volume.phases[p].clone()).collect();
    Volume { phases, phase_times_ms, missing, ..volume.clone() }
}

/// All pictures of the stack, phase by phase as they are stored, in another division.
fn divided(volume: &Volume, n: usize, by_slice: bool) -> Result<Volume> {
    let [nx, ny, nz] = volume.grid.size();
    let total = nz * volume.n_phases();
    if n == 0 || !total.is_multiple_of(n) {
        return Err(Error::parameter(format!("{total} pictures cannot be divided into {n} phases of equally many slices")));
    }
    let slices = total / n;
    let picture = |k: usize, p: usize| {
        let i = if by_slice { k * n + p } else { p * slices + k };
        (i / nz, i % nz)
    };
    let phases = (0..n).map(|p| gathered(volume, nx * ny, (0..slices).map(move |k| picture(k, p)))).collect();
    let grid = Grid::new([nx, ny, slices], volume.grid.lps_from_voxel())?;
    Ok(Volume { grid, phases, phase_times_ms: Vec::new(), missing: Vec::new(), ..volume.clone() })
}

/// Pictures (phase, slice) one after the other.
fn gathered(volume: &Volume, slice: usize, places: impl Iterator<Item = (usize, usize)>) -> Samples {
    fn copied<T: Copy>(
        slice: usize,
        places: impl Iterator<Item = (usize, usize)>,
        of: impl Fn(usize) -> Option<Arc<[T]>>,
    ) -> Arc<[T]> {
        let mut all: Vec<T> = Vec::new();
        for (phase, k) in places {
            if let Some(voxels) = of(phase) {
                all.extend_from_slice(&voxels[k * slice..(k + 1) * slice]);
            }
        }
        all.into()
    }
    macro_rules! of {
        ($kind:ident) => {
            Samples::$kind(copied(slice, places, |p| match &volume.phases[p] {
                Samples::$kind(v) => Some(Arc::clone(v)),
                _ => None,
            }))
        };
    }
    match &volume.phases[0] {
        Samples::U8(_) => of!(U8),
        Samples::I16(_) => of!(I16),
        Samples::U16(_) => of!(U16),
        Samples::F32(_) => of!(F32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, DVec3};

    /// Voxel value = 10 · phase + slice.
    fn cine(nz: usize, n: usize) -> Volume {
        let grid = Grid::new([1, 1, nz], DAffine3::from_scale(DVec3::new(1.0, 1.0, 8.0))).unwrap();
        let phases = (0..n).map(|p| Samples::U8((0..nz).map(|k| (10 * p + k) as u8).collect())).collect();
        let mut volume = Volume::new("c", grid, phases).unwrap();
        volume.phase_times_ms = (0..n).map(|p| 100.0 * p as f64).collect();
        volume
    }

    fn values(v: &Volume) -> Vec<Vec<f64>> {
        (0..v.n_phases()).map(|p| (0..v.grid.n_voxels()).map(|i| v.value(p, i)).collect()).collect()
    }

    #[test]
    fn each_does_what_its_sentence_says() {
        let v = cine(3, 2);
        assert_eq!(Mend::SliceSpacing(10.0).apply(&v).unwrap().grid.spacing_mm().z, 10.0);
        assert_eq!(values(&Mend::TurnSlices.apply(&v).unwrap()), [[2.0, 1.0, 0.0], [12.0, 11.0, 10.0]]);
        let dropped = Mend::DropSlice(0).apply(&v).unwrap();
        assert_eq!(values(&dropped), [[1.0, 2.0], [11.0, 12.0]]);
        assert_eq!(dropped.grid.lps_from_voxel().translation.z, 8.0, "the others stay where they are");
        assert!(Mend::DropSlice(1).apply(&v).is_err());
        assert_eq!(values(&Mend::FirstPhase(1).apply(&v).unwrap())[0][0], 10.0);
        assert_eq!(values(&Mend::TurnPhases.apply(&v).unwrap())[0][0], 10.0);
        assert_eq!(Mend::DropPhase(0).apply(&v).unwrap().phase_times_ms, [100.0]);
        assert_eq!(Mend::BeatMs(800.0).apply(&v).unwrap().phase_times_ms, [0.0, 400.0]);
        assert!(Mend::BeatMs(0.0).apply(&v).is_err() && Mend::SliceSpacing(f64::NAN).apply(&v).is_err());
    }

    #[test]
    fn pictures_are_divided_both_ways_and_back() {
        let v = cine(6, 1);
        let by_phase = Mend::Phases { n: 2, by_slice: false }.apply(&v).unwrap();
        assert_eq!(values(&by_phase), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
        let by_slice = Mend::Phases { n: 2, by_slice: true }.apply(&v).unwrap();
        assert_eq!(values(&by_slice), [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]);
        assert_eq!(values(&Mend::Phases { n: 1, by_slice: false }.apply(&by_phase).unwrap()), values(&v));
        assert!(Mend::Phases { n: 4, by_slice: false }.apply(&v).is_err());
    }

    #[test]
    fn texts_come_back() {
        let all = [
            Mend::SliceSpacing(7.5),
            Mend::TurnSlices,
            Mend::DropSlice(3),
            Mend::FirstPhase(2),
            Mend::TurnPhases,
            Mend::DropPhase(1),
            Mend::Phases { n: 25, by_slice: true },
            Mend::Phases { n: 25, by_slice: false },
            Mend::BeatMs(812.0),
        ];
        all.iter().for_each(|m| assert_eq!(Mend::from_text(&m.text()).as_ref(), Some(m)));
        assert_eq!(Mend::from_text("paint-it-blue"), None);
    }
}
