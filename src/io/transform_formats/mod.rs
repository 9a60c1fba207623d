//! Transforms as other programs write them: ITK text files, `BigWarp` landmarks, the matrices of Xenium and
//! `QuPath`, OME-NGFF metadata. Every file written says direction, units and where pixel centers are.
//!
//! Directions differ: ITK maps fixed to moving points, all others (and this program) moving to fixed.

pub mod bigwarp;
pub mod itk;
pub mod matrix;
pub mod ngff;

use super::landmarks::PairTable;
use super::transform_file::{LengthUnit, TransformFile, parse_transform};
use super::{bytes, json};
use crate::base::{Error, Limits, Result};
use crate::model::TransformModel;
use crate::space::{DAffine2, DAffine3, DMat2, DMat3, DVec2, DVec3, Plane, PointMap, Warp};
use std::path::Path;

/// Who reads such files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransformFormat {
    /// `T.json` of this program.
    Myoscope,
    /// ITK, ANTs, Slicer: `.tfm`, `.txt`.
    Itk,
    /// `BigWarp`: landmark pairs.
    BigWarp,
    /// Xenium Explorer and `QuPath`: a 2×3 or 3×3 matrix.
    Matrix,
    /// `coordinateTransformations` of OME-NGFF.
    Ngff,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum TransformContent {
    /// A transform.
    Transform(Box<TransformFile>),
    /// Landmark pairs that a transform has to be fitted to.
    Pairs(PairTable),
}

impl TransformFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Myoscope, Self::Itk, Self::BigWarp, Self::Matrix, Self::Ngff];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Myoscope => "myoscope",
            Self::Itk => "itk",
            Self::BigWarp => "bigwarp",
            Self::Matrix => "matrix",
            Self::Ngff => "ngff",
        }
    }

    /// The format of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// By the ending of a file to be written. `.csv` is a matrix for linear transforms and `BigWarp` landmarks
    /// for others; `.ngff.json` is NGFF, other `.json` that of this program.
    pub fn of_ending(path: &Path, is_linear: bool) -> Result<Self> {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().to_lowercase());
        match bytes::ending(path).as_str() {
            "tfm" | "txt" => Ok(Self::Itk),
            "csv" if name.contains("bigwarp") || name.contains("landmark") || !is_linear => Ok(Self::BigWarp),
            "csv" => Ok(Self::Matrix),
            "json" if name.ends_with("ngff.json") => Ok(Self::Ngff),
            "json" => Ok(Self::Myoscope),
            other => Err(Error::parameter(format!(
                "{other:?} is no ending of a transform; use .json, .tfm, .csv or .ngff.json: {}",
                path.display()
            ))),
        }
    }
}

/// Reads a transform of any of these formats, recognized by content. `units` is the unit of files that do
/// not say theirs (mm for ITK, pixels for matrices and `BigWarp` where it is `None`).
pub fn read_any_transform(path: &Path, units: Option<LengthUnit>, limits: &Limits) -> Result<TransformContent> {
    let data = bytes::read_inflated(path, limits)?;
    parse_any_transform(&data, units).map_err(|e| e.at(path))
}

/// A transform from the bytes of a file.
pub fn parse_any_transform(data: &[u8], units: Option<LengthUnit>) -> Result<TransformContent> {
    let found = |t| TransformContent::Transform(Box::new(t));
    let start = data.trim_ascii_start();
    if start.starts_with(b"{") || start.starts_with(b"[") {
        let value: serde_json::Value = json::parse_json(data)?;
        let is_own = value.get("fixed_from_moving").is_some();
        return if is_own { parse_transform(data) } else { ngff::parse_ngff(data) }.map(found);
    }
    if start.starts_with(b"#Insight Transform File") || contains(start, b"Transform:") {
        return itk::parse_itk(data, units).map(found);
    }
    if bigwarp::is_bigwarp(data) {
        return bigwarp::parse_bigwarp(data).map(TransformContent::Pairs);
    }
    matrix::parse_matrix(data, units).map(found)
}

fn contains(data: &[u8], word: &[u8]) -> bool {
    data.windows(word.len()).take(4096).any(|w| w == word)
}

/// Writes a transform atomically in a format.
pub fn write_any_transform(path: &Path, transform: &TransformFile, format: TransformFormat) -> Result<()> {
    let text = match format {
        TransformFormat::Myoscope => json::to_text(transform),
        TransformFormat::Itk => itk::to_itk(transform),
        TransformFormat::BigWarp => bigwarp::to_bigwarp(transform),
        TransformFormat::Matrix => {
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().to_lowercase());
            matrix::to_matrix(transform, name.contains("imagealignment"))
        }
        TransformFormat::Ngff => ngff::to_ngff(transform),
    };
    bytes::write_bytes(path, text.map_err(|e| e.at(path))?.as_bytes())
}

/// The sentence about pixels.
const PIXEL_RULE: &str = "whole numbers are pixel and voxel centers";

/// `moving [um] (x right, y down) to fixed [mm] (patient LPS …)`, for comments.
fn direction(t: &TransformFile) -> String {
    let place = |dims: usize| if dims == 3 { "x left, y back, z head (patient LPS)" } else { "x right, y down" };
    format!(
        "moving points in {} ({}) to fixed points in {} ({})",
        t.units.name(),
        place(t.moving_dims()),
        t.fixed_unit().name(),
        place(t.fixed_dims())
    )
}

/// Units that a comment `units: moving um, fixed mm` names.
fn units_in_comment(line: &str) -> Option<[LengthUnit; 2]> {
    let mut words = line.split("units:").nth(1)?.split([',', ';']).map(|part| part.split_whitespace().last());
    let mut unit = || LengthUnit::from_name(words.next()??.trim_end_matches('.'));
    Some([unit()?, unit()?])
}

fn units_comment(units: [LengthUnit; 2]) -> String {
    format!("units: moving {}, fixed {}", units[0].name(), units[1].name())
}

/// The map in `mm` where it is linear; [`Error::Unsupported`] with what to do instead where it bends.
fn linear(t: &TransformFile, format: &str) -> Result<PointMap> {
    if t.is_linear() {
        return t.to_point_map();
    }
    Err(Error::unsupported(format!(
        "{} bends, and a {format} holds linear transforms only; write a .json, or the landmarks of a thin plate as .csv for BigWarp",
        t.model
    )))
}

/// A linear map in the plane from two rows of three numbers, in file units.
fn from_rows_2(rows: &[[f64; 3]; 2], model: Option<TransformModel>, units: [LengthUnit; 2]) -> Result<TransformFile> {
    let [x, y] = rows;
    let matrix = DMat2::from_cols(DVec2::new(x[0], y[0]), DVec2::new(x[1], y[1]));
    let [k, q] = units.map(LengthUnit::mm_per_unit);
    let a = DAffine2 { matrix2: matrix * (q / k), translation: DVec2::new(x[2], y[2]) * q };
    check_invertible(matrix.determinant())?;
    TransformFile::from_warp(model.unwrap_or_else(|| model_of_2(&matrix)), &Warp::Affine(a), units, None)
}

/// A linear map in space from three rows of four numbers, in file units.
fn from_rows_3(rows: &[[f64; 4]; 3], model: Option<TransformModel>, units: [LengthUnit; 2]) -> Result<TransformFile> {
    let column = |c: usize| DVec3::new(rows[0][c], rows[1][c], rows[2][c]);
    let matrix = DMat3::from_cols(column(0), column(1), column(2));
    let [k, q] = units.map(LengthUnit::mm_per_unit);
    let a = DAffine3 { matrix3: matrix * (q / k), translation: column(3) * q };
    check_invertible(matrix.determinant())?;
    TransformFile::from_affine_3(model.unwrap_or(TransformModel::Affine), &a, units)
}

/// A linear map of a plane into the patient from three rows of three numbers, in file units.
fn from_rows_2_to_3(rows: &[[f64; 3]; 3], units: [LengthUnit; 2]) -> Result<TransformFile> {
    let [k, q] = units.map(LengthUnit::mm_per_unit);
    let column = |c: usize, scale: f64| DVec3::new(rows[0][c], rows[1][c], rows[2][c]) * scale;
    let (x, y, origin) = (column(0, q / k), column(1, q / k), column(2, q));
    let plane = Plane::new(origin, x, y)?;
    let within = |v: DVec3| DVec2::new(v.dot(plane.right()), v.dot(plane.down()));
    let matrix = DMat2::from_cols(within(x), within(y));
    check_invertible(matrix.determinant())?;
    let a = Warp::Affine(DAffine2::from_mat2_translation(matrix, DVec2::ZERO));
    TransformFile::from_warp(model_of_2(&matrix), &a, units, Some(&plane))
}

fn check_invertible(determinant: f64) -> Result<()> {
    if determinant.is_finite() && determinant.abs() > 1e-300 {
        Ok(())
    } else {
        Err(Error::malformed(format!("the matrix has no inverse (determinant {determinant:e})")))
    }
}

/// The narrowest family that a matrix of the plane belongs to.
fn model_of_2(m: &DMat2) -> TransformModel {
    let (a, b) = (m.x_axis, m.y_axis);
    let size = a.length().max(b.length());
    let is_similar = (DVec2::new(-a.y, a.x) - b).length() <= 1e-9 * size;
    match (is_similar, (size - 1.0).abs() <= 1e-9, (a - DVec2::X).length() <= 1e-12) {
        (true, true, true) => TransformModel::Translation,
        (true, true, false) => TransformModel::Rigid,
        (true, false, _) => TransformModel::Similarity,
        (false, ..) => TransformModel::Affine,
    }
}

/// A number as text that reads back the same.
fn number(v: f64) -> String {
    super::table::number_text(if v == 0.0 { 0.0 } else { v })
}

/// Numbers of a line, by commas, semicolons, tabs or spaces; [`Error::Malformed`] for another word.
fn numbers(line: &str, at: usize) -> Result<Vec<f64>> {
    let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';' || c == '[' || c == ']').filter(|w| !w.is_empty());
    let parse = |w: &str| w.trim_matches('"').parse::<f64>().ok().filter(|v| v.is_finite());
    words
        .map(|w| {
            let shown: String = w.chars().take(40).collect();
            parse(w).ok_or_else(|| Error::malformed(format!("line {at} holds {shown:?}; finite numbers were expected")))
        })
        .collect()
}

fn as_text(data: &[u8]) -> Result<&str> {
    let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    std::str::from_utf8(data).map_err(|e| Error::malformed(format!("byte {} is not UTF-8 text", e.valid_up_to())))
}

#[cfg(test)]
mod tests;
