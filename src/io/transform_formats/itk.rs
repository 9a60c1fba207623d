//! Transforms as ITK writes them in text: `Parameters` and `FixedParameters` of a class. They map fixed
//! points to moving points, in the physical units of the images (mm; pixels where a picture has no
//! spacing), so both directions are inverted at this door.

use super::{DAffine3, DMat3, DVec3, LengthUnit, PIXEL_RULE, TransformFile, as_text, direction, linear, number, numbers};
use super::{from_rows_2, from_rows_3, units_comment, units_in_comment};
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::PointMap;

/// Most transforms in one file.
const MOST: usize = 64;

/// One block of the file.
#[derive(Debug, Default)]
struct Block {
    class: String,
    parameters: Vec<f64>,
    fixed: Vec<f64>,
}

/// The linear transform of an ITK file, composites included, as moving to fixed points. Known classes:
/// identity, translation, `Euler2D`, `Rigid2D`, `Similarity2D`, `Euler3D`, `VersorRigid3D`, `Similarity3D`,
/// affine and matrix–offset. `units` holds where the file does not say `units:` in a comment; else mm.
pub fn parse_itk(data: &[u8], units: Option<LengthUnit>) -> Result<TransformFile> {
    let text = as_text(data)?;
    let said = text.lines().filter(|l| l.starts_with('#')).find_map(units_in_comment);
    let units = said.unwrap_or_else(|| [units.unwrap_or(LengthUnit::Mm); 2]);
    let mut whole: Option<(DAffine3, TransformModel, usize)> = None;
    for block in blocks(text)?.iter().filter(|b| !b.class.starts_with("CompositeTransform")) {
        let (map, model, dims) = block.moving_from_fixed()?;
        whole = Some(match whole {
            None => (map, model, dims),
            Some((_, _, other)) if other != dims => {
                return Err(Error::malformed(format!("the file mixes transforms of {other} and {dims} dimensions")));
            }
            // The last of a composite is applied first.
            Some((before, other, _)) => (before * map, other.max(model), dims),
        });
    }
    let (moving_from_fixed, model, dims) =
        whole.ok_or_else(|| Error::malformed("there is no Transform: line; an ITK transform file was expected"))?;
    let determinant = moving_from_fixed.matrix3.determinant();
    if !determinant.is_finite() || determinant.abs() < 1e-300 {
        return Err(Error::malformed(format!("the ITK transform has no inverse (determinant {determinant:e})")));
    }
    let a = moving_from_fixed.inverse();
    let row = |r: usize| [a.matrix3.x_axis[r], a.matrix3.y_axis[r], a.matrix3.z_axis[r], a.translation[r]];
    if dims == 3 {
        return from_rows_3(&[row(0), row(1), row(2)], Some(model), units);
    }
    let flat = |r: usize| [row(r)[0], row(r)[1], row(r)[3]];
    from_rows_2(&[flat(0), flat(1)], Some(model), units)
}

fn blocks(text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
        if blocks.len() > MOST {
            return Err(Error::unsupported(format!("more than {MOST} transforms in one file")));
        }
        match (key.trim(), blocks.last_mut()) {
            ("Transform", _) => blocks.push(Block { class: value.trim().to_owned(), ..Block::default() }),
            ("Parameters", Some(block)) => block.parameters = numbers(value, i + 1)?,
            ("FixedParameters", Some(block)) => block.fixed = numbers(value, i + 1)?,
            _ => {}
        }
    }
    Ok(blocks)
}

impl Block {
    /// The map in three dimensions (z passes in two), its family and its dimensions.
    fn moving_from_fixed(&self) -> Result<(DAffine3, TransformModel, usize)> {
        let dims = if self.class.contains("_3_3") || self.class.contains("3D") { 3 } else { 2 };
        let p = &self.parameters;
        let kind = self.class.split('_').next().unwrap_or_default().trim_end_matches("Transform");
        let need = |n: usize| {
            let found = p.len();
            let wrong = || Error::malformed(format!("{} has {found} parameters; {n} were expected", self.class));
            if found == n { Ok(()) } else { Err(wrong()) }
        };
        let turn = |angle: f64| DMat3::from_rotation_z(angle);
        let (matrix, shift, model) = match (kind, dims) {
            ("Identity", _) => (DMat3::IDENTITY, DVec3::ZERO, TransformModel::Translation),
            ("Translation", _) => {
                need(dims)?;
                (DMat3::IDENTITY, self.vector(0, dims), TransformModel::Translation)
            }
            ("Euler2D" | "Rigid2D", 2) => {
                need(3)?;
                (turn(p[0]), self.vector(1, 2), TransformModel::Rigid)
            }
            ("Similarity2D", 2) => {
                need(4)?;
                let scale = DMat3::from_diagonal(DVec3::new(p[0], p[0], 1.0));
                (turn(p[1]) * scale, self.vector(2, 2), TransformModel::Similarity)
            }
            ("Euler3D", 3) => {
                need(6)?;
                (self.euler(), self.vector(3, 3), TransformModel::Rigid)
            }
            ("VersorRigid3D", 3) => {
                need(6)?;
                (versor(self.vector(0, 3))?, self.vector(3, 3), TransformModel::Rigid)
            }
            ("Similarity3D", 3) => {
                need(7)?;
                (versor(self.vector(0, 3))? * p[6], self.vector(3, 3), TransformModel::Similarity)
            }
            ("Affine" | "MatrixOffsetTransformBase", _) => {
                need(dims * dims + dims)?;
                (self.matrix(dims), self.vector(dims * dims, dims), TransformModel::Affine)
            }
            _ => {
                return Err(Error::unsupported(format!(
                    "the ITK class {:?} cannot be read; linear classes can, in 2 or 3 dimensions",
                    self.class.chars().take(60).collect::<String>()
                )));
            }
        };
        let center = DVec3::from_array([0, 1, 2].map(|i| if i < dims { self.fixed.get(i).copied().unwrap_or(0.0) } else { 0.0 }));
        Ok((DAffine3 { matrix3: matrix, translation: shift + center - matrix * center }, model, dims))
    }

    fn vector(&self, at: usize, dims: usize) -> DVec3 {
        DVec3::from_array([0, 1, 2].map(|i| if i < dims { self.parameters[at + i] } else { 0.0 }))
    }

    /// Row by row.
    fn matrix(&self, dims: usize) -> DMat3 {
        let entry = |r: usize, c: usize| {
            if r < dims && c < dims { self.parameters[r * dims + c] } else { f64::from(u8::from(r == c)) }
        };
        DMat3::from_cols_array_2d(&[0, 1, 2].map(|c| [0, 1, 2].map(|r| entry(r, c))))
    }

    /// Rotations about x, y, z; applied in the order y, x, z unless the file asks for x, y, z.
    fn euler(&self) -> DMat3 {
        let p = &self.parameters;
        let (x, y, z) = (DMat3::from_rotation_x(p[0]), DMat3::from_rotation_y(p[1]), DMat3::from_rotation_z(p[2]));
        if self.fixed.get(3).is_some_and(|v| *v != 0.0) { z * y * x } else { z * x * y }
    }
}

/// The rotation of a versor: the vector part of a unit quaternion.
fn versor(v: DVec3) -> Result<DMat3> {
    let w2 = 1.0 - v.length_squared();
    if w2 < -1e-9 {
        return Err(Error::malformed(format!("the versor {v} is longer than 1")));
    }
    let (w, x, y, z) = (w2.max(0.0).sqrt(), v.x, v.y, v.z);
    Ok(DMat3::from_cols(
        DVec3::new(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)),
        DVec3::new(2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)),
        DVec3::new(2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)),
    ))
}

/// The text of a linear transform: an affine class, fixed to moving, lengths in mm (pixels stay). A section
/// led into a volume becomes three-dimensional: its z is the distance along the plane's normal.
pub fn to_itk(t: &TransformFile) -> Result<String> {
    let units = [t.units, t.fixed_unit()].map(|u| if u == LengthUnit::Um { LengthUnit::Mm } else { u });
    let (a, dims) = match linear(t, ".tfm")? {
        PointMap::Flat(warp) => {
            let a = warp.linear_part();
            let (x, y) = (a.matrix2.x_axis, a.matrix2.y_axis);
            let matrix3 = DMat3::from_cols(x.extend(0.0), y.extend(0.0), DVec3::Z);
            (DAffine3 { matrix3, translation: a.translation.extend(0.0) }, 2)
        }
        PointMap::Embedded(warp, plane) => {
            let a = warp.linear_part();
            let lift = |v: crate::space::DVec2| plane.right() * v.x + plane.down() * v.y;
            let matrix3 = DMat3::from_cols(lift(a.matrix2.x_axis), lift(a.matrix2.y_axis), plane.normal());
            (DAffine3 { matrix3, translation: plane.lps_from_plane(a.translation) }, 3)
        }
        PointMap::Space(a) => (a, 3),
    };
    let back = crate::space::inverse(&a)?;
    let rows = (0..dims).flat_map(|r| (0..dims).map(move |c| back.matrix3.col(c)[r]));
    let parameters: Vec<String> = rows.chain((0..dims).map(|r| back.translation[r])).map(number).collect();
    let zeros = vec!["0"; dims].join(" ");
    Ok(format!(
        "#Insight Transform File V1.0\n# As ITK resamples: maps FIXED points to MOVING points; the inverse of {}\n# {}; {PIXEL_RULE}\n#Transform 0\nTransform: AffineTransform_double_{dims}_{dims}\nParameters: {}\nFixedParameters: {zeros}\n",
        direction(t),
        units_comment(units),
        parameters.join(" "),
    ))
}
