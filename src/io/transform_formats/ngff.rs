//! `coordinateTransformations` of OME-NGFF: named axes with units for the side that goes in and the side
//! that comes out, matrices row by row over the axes in their order.

use super::{LengthUnit, PIXEL_RULE, TransformFile, direction, from_rows_2, from_rows_2_to_3, from_rows_3, linear};
use crate::base::{Error, Result};
use crate::io::json;
use crate::space::PointMap;
use serde_json::{Map, Value, json};

/// Transformations within each other that are followed.
const MOST_DEEP: usize = 8;

/// Most space axes.
const MOST_AXES: usize = 3;

/// A linear map over the axes of its two sides.
#[derive(Clone, Debug)]
struct Linear {
    /// Outputs × (inputs + 1).
    rows: Vec<Vec<f64>>,
}

/// The first transformation of a document, of its first multiscale, or the value itself. Read are affine,
/// scale, translation, rotation, identity and sequences of them.
pub fn parse_ngff(data: &[u8]) -> Result<TransformFile> {
    let value: Value = json::parse_json(data)?;
    let holder = value.get("multiscales").and_then(|m| m.get(0)).unwrap_or(&value);
    let listed = holder.get("coordinateTransformations").and_then(Value::as_array);
    let transformation = match listed {
        Some(list) => list.first().ok_or_else(|| Error::malformed("the list coordinateTransformations is empty"))?,
        None if holder.get("type").is_some() => holder,
        None => {
            return Err(Error::malformed(
                "neither a transform of this program (fixed_from_moving) nor coordinateTransformations of NGFF",
            ));
        }
    };
    let systems = holder.get("coordinateSystems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let side = |key: &str| -> Result<Option<Axes>> {
        let Some(name) = transformation.get(key).and_then(Value::as_str) else { return Ok(None) };
        systems.iter().find(|s| s.get("name").and_then(Value::as_str) == Some(name)).map(axes_of).transpose()
    };
    let (input, output) = (side("input")?, side("output")?);
    let n_in = input.as_ref().map(|a| a.order.len());
    let map = linear_of(transformation, n_in, MOST_DEEP)?;
    let (n_out, n_in) = (map.rows.len(), map.rows.first().map_or(0, |r| r.len().saturating_sub(1)));
    let fallback = |n: usize| Axes { order: (0..n).collect(), unit: LengthUnit::Px };
    let (input, output) = (input.unwrap_or_else(|| fallback(n_in)), output.unwrap_or_else(|| fallback(n_out)));
    if input.order.len() != n_in || output.order.len() != n_out {
        return Err(Error::malformed(format!(
            "the transformation is {n_out}×{}, its axes are {} and {}",
            n_in + 1,
            output.order.len(),
            input.order.len()
        )));
    }
    finish(&map, &input, &output)
}

/// Space axes in the order of the document: which of x, y, z each is.
#[derive(Debug)]
struct Axes {
    order: Vec<usize>,
    unit: LengthUnit,
}

fn axes_of(system: &Value) -> Result<Axes> {
    let axes = system.get("axes").and_then(Value::as_array).ok_or_else(|| Error::malformed("a coordinate system has no axes"))?;
    if axes.is_empty() || axes.len() > MOST_AXES {
        return Err(Error::unsupported(format!("{} axes; two or three of space are known here", axes.len())));
    }
    let mut order = Vec::new();
    let mut unit = None;
    for axis in axes {
        let name = axis.get("name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let which = ["x", "y", "z"]
            .iter()
            .position(|n| *n == name && !order.contains(&["x", "y", "z"].iter().position(|m| m == n).unwrap_or(3)));
        order.push(which.ok_or_else(|| {
            Error::unsupported(format!("the axis {:?} is none of x, y, z", name.chars().take(40).collect::<String>()))
        })?);
        let own = match axis.get("unit").and_then(Value::as_str) {
            Some("micrometer" | "um" | "µm") => LengthUnit::Um,
            Some("millimeter" | "mm") => LengthUnit::Mm,
            None | Some("pixel" | "px") => LengthUnit::Px,
            Some(other) => {
                return Err(Error::unsupported(format!("the unit {other:?}; micrometer and millimeter are known here")));
            }
        };
        if unit.is_some_and(|u| u != own) {
            return Err(Error::unsupported("axes of one coordinate system with different units"));
        }
        unit = Some(own);
    }
    if order.iter().any(|&a| a >= order.len()) {
        return Err(Error::malformed("two axes must be x and y"));
    }
    Ok(Axes { order, unit: unit.unwrap_or(LengthUnit::Px) })
}

fn floats(value: &Value) -> Result<Vec<f64>> {
    let wrong = || Error::malformed("a list of finite numbers was expected in a transformation");
    let list = value.as_array().ok_or_else(wrong)?;
    if list.len() > 16 {
        return Err(wrong());
    }
    list.iter().map(|v| v.as_f64().filter(|v| v.is_finite()).ok_or_else(wrong)).collect()
}

fn diagonal(scale: &[f64], shift: &[f64]) -> Linear {
    let n = scale.len();
    let row = |r: usize| {
        (0..=n)
            .map(|c| {
                if c == n {
                    shift[r]
                } else if c == r {
                    scale[r]
                } else {
                    0.0
                }
            })
            .collect()
    };
    Linear { rows: (0..n).map(row).collect() }
}

fn linear_of(t: &Value, n_in: Option<usize>, deep: usize) -> Result<Linear> {
    let kind = t.get("type").and_then(Value::as_str).unwrap_or_default();
    let of = |key: &str| t.get(key).ok_or_else(|| Error::malformed(format!("a transformation of type {kind} has no {key:?}")));
    match kind {
        "identity" => {
            let n = n_in.ok_or_else(|| Error::malformed("an identity without axes"))?;
            Ok(diagonal(&vec![1.0; n], &vec![0.0; n]))
        }
        "scale" => {
            let scale = floats(of("scale")?)?;
            Ok(diagonal(&scale, &vec![0.0; scale.len()]))
        }
        "translation" => {
            let shift = floats(of("translation")?)?;
            Ok(diagonal(&vec![1.0; shift.len()], &shift))
        }
        "rotation" => {
            let mut map = matrix(of("rotation")?, n_in)?;
            map.rows.iter_mut().for_each(|r| r.push(0.0));
            Ok(map)
        }
        "affine" => matrix(of("affine")?, n_in.map(|n| n + 1)),
        "sequence" if deep > 0 => {
            let parts = of("transformations")?.as_array().ok_or_else(|| Error::malformed("transformations is no list"))?;
            let mut whole: Option<Linear> = None;
            for part in parts.iter().take(64) {
                let next = linear_of(part, whole.as_ref().map(|w| w.rows.len()).or(n_in), deep - 1)?;
                whole = Some(whole.map_or(Ok(next.clone()), |w| after(&next, &w))?);
            }
            whole.ok_or_else(|| Error::malformed("a sequence without parts"))
        }
        _ => Err(Error::unsupported(format!(
            "the transformation type {:?}; affine, scale, translation, rotation, identity and sequence are known here",
            kind.chars().take(40).collect::<String>()
        ))),
    }
}

/// Rows of a list of rows, or of a flat list.
fn matrix(value: &Value, columns: Option<usize>) -> Result<Linear> {
    let list = value.as_array().ok_or_else(|| Error::malformed("a matrix is no list"))?;
    let rows: Vec<Vec<f64>> = if list.first().is_some_and(Value::is_array) {
        list.iter().take(5).map(floats).collect::<Result<_>>()?
    } else {
        let flat = floats(value)?;
        let columns = columns.or(match flat.len() {
            6 => Some(3),
            12 => Some(4),
            _ => None,
        });
        let columns = columns.filter(|c| *c > 0 && flat.len().is_multiple_of(*c));
        let columns = columns.ok_or_else(|| Error::malformed(format!("{} numbers are no matrix", flat.len())))?;
        flat.chunks(columns).map(<[f64]>::to_vec).collect()
    };
    let n = rows.first().map_or(0, Vec::len);
    if n == 0 || rows.len() > MOST_AXES || n > MOST_AXES + 1 || rows.iter().any(|r| r.len() != n) {
        return Err(Error::malformed(format!("a matrix of {} rows and {n} columns cannot be a transformation", rows.len())));
    }
    Ok(Linear { rows })
}

/// `first`, then `next`.
fn after(next: &Linear, first: &Linear) -> Result<Linear> {
    let (n_in, n_between) = (first.rows.first().map_or(1, Vec::len), first.rows.len());
    if next.rows.iter().any(|r| r.len() != n_between + 1) {
        return Err(Error::malformed("the parts of a sequence do not fit"));
    }
    let entry = |row: &[f64], c: usize| {
        let sum: f64 = (0..n_between).map(|k| row[k] * first.rows[k][c]).sum();
        if c + 1 == n_in { sum + row[n_between] } else { sum }
    };
    Ok(Linear { rows: next.rows.iter().map(|row| (0..n_in).map(|c| entry(row, c)).collect()).collect() })
}

/// In the order x, y, z on both sides.
fn finish(map: &Linear, input: &Axes, output: &Axes) -> Result<TransformFile> {
    let (n_in, n_out) = (input.order.len(), output.order.len());
    let units = [input.unit, output.unit];
    let place = |axes: &Axes, which: usize| axes.order.iter().position(|a| *a == which).unwrap_or(0);
    let entry = |r: usize, c: usize| {
        let row = &map.rows[place(output, r)];
        if c < n_in { row[place(input, c)] } else { row[n_in] }
    };
    match (n_in, n_out) {
        (2, 2) => from_rows_2(&[0, 1].map(|r| [0, 1, 2].map(|c| entry(r, c))), None, units),
        (2, 3) if units[1] == LengthUnit::Mm => from_rows_2_to_3(&[0, 1, 2].map(|r| [0, 1, 2].map(|c| entry(r, c))), units),
        (2, 3) => Err(Error::unsupported("a transformation from two to three dimensions needs millimeters where it ends")),
        (3, 3) => from_rows_3(&[0, 1, 2].map(|r| [0, 1, 2, 3].map(|c| entry(r, c))), None, units),
        _ => Err(Error::unsupported(format!("a transformation from {n_in} to {n_out} dimensions"))),
    }
}

/// The document of a linear transform.
pub fn to_ngff(t: &TransformFile) -> Result<String> {
    let map = linear(t, "document of NGFF")?;
    let rows: Vec<Vec<f64>> = match map {
        PointMap::Flat(_) => t.fixed_from_moving.iter().take(2).cloned().collect(),
        PointMap::Space(_) => t.fixed_from_moving.iter().take(3).cloned().collect(),
        // Rows onto a plane hold its normal in the third column, which a point of the plane does not have.
        PointMap::Embedded(..) => t.fixed_from_moving.iter().take(3).map(|r| vec![r[0], r[1], r[3]]).collect(),
    };
    let document = json!({
        "coordinateSystems": [axes("moving", t.moving_dims(), t.units), axes("fixed", t.fixed_dims(), t.fixed_unit())],
        "coordinateTransformations": [{"type": "affine", "input": "moving", "output": "fixed", "affine": rows}],
        "comment": format!("maps {}; {PIXEL_RULE}; the matrix is row by row, over the axes in the order x, y, z", direction(t)),
    });
    json::to_text(&document)
}

fn axes(name: &str, dims: usize, unit: LengthUnit) -> Value {
    let toward = ["right-to-left", "anterior-to-posterior", "inferior-to-superior"];
    let axis = |i: usize| {
        let mut axis = Map::new();
        axis.insert("name".into(), json!(["x", "y", "z"][i]));
        let word = match unit {
            LengthUnit::Um => Some("micrometer"),
            LengthUnit::Mm => Some("millimeter"),
            LengthUnit::Px => None,
        };
        axis.insert("type".into(), json!(if word.is_some() { "space" } else { "array" }));
        if let Some(word) = word {
            axis.insert("unit".into(), json!(word));
        }
        if dims == 3 {
            axis.insert("anatomicalOrientation".into(), json!({"type": "anatomical", "value": toward[i]}));
        }
        Value::Object(axis)
    };
    json!({"name": name, "axes": (0..dims).map(axis).collect::<Vec<_>>()})
}
