//! Meshes in and out: OBJ, PLY (text, both binary orders) and STL (text, binary). None of these forms says where its
//! points are: a comment `SPACE=RAS` or `SPACE=LPS` is followed, else patient LPS mm is assumed and said. Files
//! written here are LPS mm and say so.

mod obj;
mod ply;
mod stl;
#[cfg(test)]
mod tests;

pub use obj::parse_obj;
pub use ply::parse_ply;
pub use stl::parse_stl;

use super::{Content, Found, Reading, bytes};
use crate::base::{Error, Result};
use crate::model::Surface;
use crate::space::DVec3;
use std::path::Path;

/// How a mesh is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshKind {
    /// Wavefront OBJ.
    Obj,
    /// Stanford PLY.
    Ply,
    /// Stereolithography.
    Stl,
}

impl MeshKind {
    /// By the ending of a name; `None` for others.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match bytes::ending(path).as_str() {
            "obj" => Some(Self::Obj),
            "ply" => Some(Self::Ply),
            "stl" => Some(Self::Stl),
            _ => None,
        }
    }
}

/// Vertices and triangles as they stand in a file, and the space that a comment names.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub vertices: Vec<DVec3>,
    pub triangles: Vec<[u32; 3]>,
    pub space: Option<String>,
}

impl Raw {
    /// Notes the space of a comment.
    fn comment(&mut self, text: &str) {
        let upper = text.to_ascii_uppercase();
        for space in ["RAS", "LPS"] {
            if upper.contains(&format!("SPACE={space}")) || upper.contains(&format!("SPACE: {space}")) {
                self.space = Some(space.to_owned());
            }
        }
    }

    /// Adds a polygon as a fan; indices were checked to be whole and from 0.
    fn polygon(&mut self, corners: &[u32]) {
        self.triangles.extend(corners.windows(2).skip(1).map(|w| [corners[0], w[0], w[1]]));
    }
}

/// The kind of a file by its first bytes or its name; `None` for other files.
pub(super) fn kind_of(path: &Path, first: &[u8]) -> Option<MeshKind> {
    if first.starts_with(b"ply\n") || first.starts_with(b"ply\r") {
        return Some(MeshKind::Ply);
    }
    MeshKind::of(path)
}

/// The mesh of one file.
pub(super) fn read(path: &Path, kind: MeshKind, reading: &mut Reading) -> Result<Found> {
    let data = bytes::read_file(path, &reading.limits)?;
    let surface = parse_mesh(&data, kind, &bytes::stem(path), reading)?;
    Ok(Found::alone(Content::Surface(surface), path))
}

/// A mesh in memory, called `name`; points of the same place are made one.
pub fn parse_mesh(data: &[u8], kind: MeshKind, name: &str, reading: &mut Reading) -> Result<Surface> {
    // A vertex or triangle takes at least six bytes of text.
    reading.limits.check("the mesh", &[data.len() as u64 / 6], 24)?;
    let raw = match kind {
        MeshKind::Obj => obj::parse(data)?,
        MeshKind::Ply => ply::parse(data, &reading.limits)?,
        MeshKind::Stl => stl::parse(data)?,
    };
    let (flip, what) = match raw.space.as_deref() {
        Some("RAS") => (true, "the file says that its points are RAS; they were turned to LPS, lengths are taken as mm"),
        Some(_) => (false, "the file says that its points are LPS; lengths are taken as mm"),
        None => (false, "the file does not say where its points are; patient LPS mm is taken"),
    };
    reading.warnings.note("mesh-space", what, None);
    let turn = |v: DVec3| if flip { DVec3::new(-v.x, -v.y, v.z) } else { v };
    let surface = Surface::new(name, raw.vertices.into_iter().map(turn).collect(), raw.triangles)?;
    surface.welded()
}

/// Writes a mesh by the ending of the path: `.obj` and `.ply` as text with numbers that read back the same,
/// `.stl` binary in single precision. LPS mm, which a comment says.
pub fn write_mesh(path: &Path, surface: &Surface) -> Result<()> {
    let kind = MeshKind::of(path).ok_or_else(|| Error::parameter("a mesh ends in .obj, .ply or .stl"))?;
    let data = match kind {
        MeshKind::Obj => obj::written(surface),
        MeshKind::Ply => ply::written(surface),
        MeshKind::Stl => stl::written(surface),
    };
    bytes::write_bytes(path, &data)
}

/// A vertex index as text, from 0.
fn index(text: &str) -> Option<u32> {
    text.parse().ok()
}
