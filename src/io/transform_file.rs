//! `T.json`: a map of moving points onto fixed points that can be read without this program. The
//! matrix is the linear part; thin plates and moving least squares have control points beside it.
//! Lengths are in the units that the file names.

use super::json;
use crate::base::{Error, Limits, Result};
use crate::model::TransformModel;
use crate::space::{DAffine2, DMat2, DVec2, DVec3, MlsKind, MovingLeastSquares, Plane, ThinPlate, Warp};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most control points that are read; a fit of more takes minutes.
const MOST_POINTS: usize = 100_000;

/// Unit of the points of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthUnit {
    /// Micrometers.
    Um,
    /// Full-resolution pixels, which stay pixels.
    Px,
    /// Millimeters.
    Mm,
}

impl LengthUnit {
    /// What a number of this unit is multiplied with before fitting; 1 for pixels.
    #[must_use]
    pub fn mm_per_unit(self) -> f64 {
        match self {
            Self::Um => 0.001,
            Self::Px | Self::Mm => 1.0,
        }
    }

    /// `um`, `px` or `mm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Um => "um",
            Self::Px => "px",
            Self::Mm => "mm",
        }
    }

    /// The unit of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Um, Self::Px, Self::Mm].into_iter().find(|u| u.name() == name)
    }
}

/// A landmark of a thin plate or of moving least squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlPoint {
    /// The moving point in `units`.
    pub moving: Vec<f64>,
    /// Where it goes, in `fixed_units`.
    pub fixed: Vec<f64>,
    /// Thin plates: what the kernel (`r² ln r` in the plane, `r` in space, of the distance in `units`) to this
    /// point is multiplied with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Vec<f64>>,
}

/// The plane in patient space that 2-D fixed points lie on: `origin + right · x + down · y`, LPS mm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaneRow {
    /// The point (0, 0).
    pub origin: [f64; 3],
    /// Unit vector of x.
    pub right: [f64; 3],
    /// Unit vector of y.
    pub down: [f64; 3],
}

/// The file, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformFile {
    /// Always `myoscope-transform`.
    #[serde(default = "format_word")]
    pub format: String,
    /// Version of this layout, 1.
    #[serde(default = "format_version")]
    pub version: u32,
    /// The word of a [`TransformModel`].
    pub model: String,
    /// Rows of the linear part for column vectors: 3×3 in the plane; 4×4 in space, and where a linear model
    /// leads a section into a volume (its third column is the plane's normal). A thin plate adds its
    /// bending to it; for moving least squares it is only the unweighted fit.
    pub fixed_from_moving: Vec<Vec<f64>>,
    /// Unit of moving points.
    pub units: LengthUnit,
    /// Unit of fixed points; where it is missing, that of moving points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_units: Option<LengthUnit>,
    /// Where fixed points are: `LPS` (patient) or `section`.
    #[serde(default)]
    pub space: String,
    /// Smoothing of a thin plate, 0 is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stiffness: Option<f64>,
    /// Formula of the thin plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Landmarks of thin plates and moving least squares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control_points: Vec<ControlPoint>,
    /// Where the fixed plane is, for a section led into a volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<PlaneRow>,
    /// Of a `chain`: transforms applied one after the other, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TransformFile>,
}

fn format_word() -> String {
    "myoscope-transform".to_owned()
}

fn format_version() -> u32 {
    1
}

/// Reads and checks a transform.
pub fn read_transform(path: &Path, limits: &Limits) -> Result<TransformFile> {
    let file: TransformFile = json::read_json(path, limits)?;
    file.check().map_err(|e| e.at(path))?;
    Ok(file)
}

/// A checked transform from the bytes of a file.
pub fn parse_transform(data: &[u8]) -> Result<TransformFile> {
    let file: TransformFile = json::parse_json(data)?;
    file.check()?;
    Ok(file)
}

/// Checks a transform and writes it atomically.
pub fn write_transform(path: &Path, transform: &TransformFile) -> Result<()> {
    transform.check().map_err(|e| e.at(path))?;
    json::write_json(path, transform)
}

impl TransformFile {
    /// A map in the plane, given mm to mm, in the units of a file; with `plane`, fixed points lie on it in
    /// mm. A chain becomes its parts.
    pub fn from_warp(model: TransformModel, warp: &Warp, units: [LengthUnit; 2], plane: Option<&Plane>) -> Result<Self> {
        let [moving_units, fixed_units] = units;
        let (s, q) = (1.0 / moving_units.mm_per_unit(), 1.0 / fixed_units.mm_per_unit());
        let mut file = Self::empty(model, moving_units, fixed_units);
        file.plane =
            plane.map(|p| PlaneRow { origin: p.origin().to_array(), right: p.right().to_array(), down: p.down().to_array() });
        file.space = String::from(if plane.is_some() { "LPS" } else { "section" });
        match warp {
            Warp::Affine(a) => {
                let a = scaled(*a, s, q);
                file.fixed_from_moving = plane.map_or_else(|| rows_2(&a), |p| rows_on_plane(&a, p));
            }
            Warp::ThinPlate(t) => {
                let t = scaled_thin_plate(t, s, q)?;
                file.fixed_from_moving = rows_2(&t.affine);
                file.formula = Some(
                    "fixed = fixed_from_moving * moving + sum(weight * r^2 * ln r), r = |moving - control point|".to_owned(),
                );
                let point = |(c, w): (&DVec2, &DVec2)| ControlPoint {
                    moving: c.to_array().to_vec(),
                    fixed: t.apply(*c).to_array().to_vec(),
                    weight: Some(w.to_array().to_vec()),
                };
                file.control_points = t.centers.iter().zip(&t.weights).map(point).collect();
            }
            Warp::MovingLeastSquares(m) => {
                file.fixed_from_moving = rows_2(&scaled(warp.linear_part(), s, q));
                file.formula =
                    Some("least squares with weights 1 / |moving - control point|^2 (Schaefer et al. 2006)".to_owned());
                let point = |(p, t): (&DVec2, &DVec2)| {
                    let (moving, fixed) = ((*p * s).to_array().to_vec(), (*t * q).to_array().to_vec());
                    ControlPoint { moving, fixed, weight: None }
                };
                file.control_points = m.source.iter().zip(&m.target).map(point).collect();
            }
            Warp::Chain(parts) => return Self::from_chain(model, parts, units, plane),
        }
        file.check()?;
        Ok(file)
    }

    pub(super) fn empty(model: TransformModel, units: LengthUnit, fixed_units: LengthUnit) -> Self {
        Self {
            format: format_word(),
            version: format_version(),
            model: model.name().to_owned(),
            fixed_from_moving: Vec::new(),
            units,
            fixed_units: Some(fixed_units),
            space: String::new(),
            stiffness: None,
            formula: None,
            control_points: Vec::new(),
            plane: None,
            parts: Vec::new(),
        }
    }

    /// Unit of fixed points.
    #[must_use]
    pub fn fixed_unit(&self) -> LengthUnit {
        self.fixed_units.unwrap_or(self.units)
    }

    /// Coordinates of a moving point: 2 or 3.
    #[must_use]
    pub fn moving_dims(&self) -> usize {
        if self.plane.is_some() { 2 } else { self.fixed_from_moving.len().saturating_sub(1) }
    }

    /// Coordinates of a fixed point: 3 in space or on a plane in the patient, else 2.
    #[must_use]
    pub fn fixed_dims(&self) -> usize {
        if self.plane.is_some() { 3 } else { self.moving_dims() }
    }

    /// The model's family.
    pub fn transform_model(&self) -> Result<TransformModel> {
        TransformModel::from_name(&self.model).ok_or_else(|| {
            let words: Vec<&str> = TransformModel::ALL.iter().map(|m| m.name()).collect();
            Error::malformed(format!("the model {:?} is none of {}", self.model, words.join(", ")))
        })
    }

    /// The plane in the patient that fixed points lie on, where there is one.
    pub fn lps_plane(&self) -> Result<Option<Plane>> {
        let make = |p: &PlaneRow| Plane::new(p.origin.into(), p.right.into(), p.down.into());
        self.plane.as_ref().map(make).transpose()
    }

    /// The map in the plane, moving mm to fixed mm (pixels are taken as they are).
    /// [`Error::Unsupported`] for a map in space.
    pub fn to_warp(&self) -> Result<Warp> {
        self.check()?;
        if self.is_chain() {
            return self.parts.iter().map(Self::to_warp).collect::<Result<_>>().map(Warp::Chain);
        }
        let in_plane = self.rows_in_plane()?;
        let [x, y, _] = in_plane.as_slice() else {
            return Err(Error::unsupported("this transform is in space (4×4); one in the plane (3×3) is needed here"));
        };
        let (s, q) = (self.units.mm_per_unit(), self.fixed_unit().mm_per_unit());
        let linear = DMat2::from_cols(DVec2::new(x[0], y[0]), DVec2::new(x[1], y[1]));
        let affine = DAffine2::from_mat2_translation(linear, DVec2::new(x[2], y[2]));
        let points = |side: fn(&ControlPoint) -> &[f64], k: f64| -> Vec<DVec2> {
            self.control_points.iter().map(|c| DVec2::from_slice(side(c)) * k).collect()
        };
        let mls = |kind| {
            Warp::MovingLeastSquares(MovingLeastSquares {
                kind,
                source: points(|c| &c.moving, s),
                target: points(|c| &c.fixed, q),
            })
        };
        Ok(match self.transform_model()? {
            TransformModel::ThinPlate => {
                let weights = points(|c| c.weight.as_deref().unwrap_or(&[0.0, 0.0]), 1.0);
                let plate = ThinPlate { affine, centers: points(|c| &c.moving, 1.0), weights };
                Warp::ThinPlate(scaled_thin_plate(&plate, s, q)?)
            }
            TransformModel::MlsRigid => mls(MlsKind::Rigid),
            TransformModel::MlsSimilarity => mls(MlsKind::Similarity),
            TransformModel::MlsAffine => mls(MlsKind::Affine),
            _ => Warp::Affine(scaled(affine, s, q)),
        })
    }

    /// The matrix between section and plane: 4×4 rows onto a plane are projected on it.
    fn rows_in_plane(&self) -> Result<Vec<Vec<f64>>> {
        let (Some(plane), [x, y, z, _]) = (self.lps_plane()?, self.fixed_from_moving.as_slice()) else {
            return Ok(self.fixed_from_moving.clone());
        };
        let column = |c: usize| DVec3::new(x[c], y[c], z[c]);
        let along = |v: DVec3| DVec2::new(v.dot(plane.right()), v.dot(plane.down()));
        let linear = DMat2::from_cols(along(column(0)), along(column(1)));
        Ok(rows_2(&DAffine2::from_mat2_translation(linear, plane.plane_from_lps(column(3)))))
    }

    /// Everything that could be wrong in a file from elsewhere.
    pub(super) fn check(&self) -> Result<()> {
        if self.format != format_word() {
            return Err(Error::malformed(format!("the format is {:?}, {:?} was expected", self.format, format_word())));
        }
        if self.version != 1 {
            return Err(Error::unsupported(format!("this transform has version {}; this program reads version 1", self.version)));
        }
        self.check_matrix()?;
        self.check_parts()?;
        if self.is_chain() {
            return Ok(());
        }
        let model = self.transform_model()?;
        let needs_points = model >= TransformModel::ThinPlate;
        if needs_points && self.plane.is_some() && self.fixed_from_moving.len() != 3 {
            let what = format!("{} onto a plane needs the matrix in the plane (3×3), not 4×4", self.model);
            return Err(Error::malformed(what));
        }
        if needs_points {
            self.check_points(model)?;
        }
        if self.stiffness.is_some_and(|s| !s.is_finite() || s < 0.0) {
            return Err(Error::malformed("the stiffness is negative or not finite"));
        }
        if self.plane.is_some() && self.fixed_unit() != LengthUnit::Mm {
            return Err(Error::malformed("a plane in the patient needs fixed_units mm"));
        }
        self.lps_plane().map(|_| ()).map_err(|e| Error::malformed(e.to_string()))
    }

    fn check_matrix(&self) -> Result<()> {
        let n = self.fixed_from_moving.len();
        if !(n == 3 || n == 4) || self.fixed_from_moving.iter().any(|row| row.len() != n) {
            return Err(Error::malformed("fixed_from_moving is not a 3×3 or 4×4 list of rows"));
        }
        if self.fixed_from_moving.iter().flatten().any(|v| !v.is_finite()) {
            return Err(Error::malformed("fixed_from_moving holds a number that is not finite"));
        }
        let last_is_unit = self.fixed_from_moving[n - 1].iter().enumerate().all(|(c, v)| *v == f64::from(u8::from(c == n - 1)));
        if last_is_unit {
            Ok(())
        } else {
            Err(Error::malformed("the last row of fixed_from_moving is not 0 … 0 1; perspective is unknown here"))
        }
    }

    fn check_points(&self, model: TransformModel) -> Result<()> {
        let (n, dims) = (self.control_points.len(), self.fixed_from_moving.len() - 1);
        if !(model.least_pairs()..=MOST_POINTS).contains(&n) {
            let least = model.least_pairs();
            return Err(Error::malformed(format!("{n} control points; {} takes from {least} to {MOST_POINTS}", self.model)));
        }
        let is_point = |v: &[f64]| v.len() == dims && v.iter().all(|x| x.is_finite());
        let is_plate = model == TransformModel::ThinPlate;
        let is_good =
            |c: &ControlPoint| is_point(&c.moving) && is_point(&c.fixed) && c.weight.as_deref().map_or(!is_plate, is_point);
        match self.control_points.iter().position(|c| !is_good(c)) {
            Some(i) => {
                Err(Error::malformed(format!("control point {i} lacks {dims} finite numbers for moving, fixed or weight")))
            }
            None => Ok(()),
        }
    }
}

/// Rows that lead (x, y, distance along the normal) of a section to the patient.
fn rows_on_plane(a: &DAffine2, plane: &Plane) -> Vec<Vec<f64>> {
    let lift = |v: DVec2| plane.right() * v.x + plane.down() * v.y;
    let (x, y, n, t) = (lift(a.matrix2.x_axis), lift(a.matrix2.y_axis), plane.normal(), plane.lps_from_plane(a.translation));
    let mut rows: Vec<Vec<f64>> = (0..3).map(|r| vec![x[r], y[r], n[r], t[r]]).collect();
    rows.push(vec![0.0, 0.0, 0.0, 1.0]);
    rows
}

pub(super) fn rows_2(a: &DAffine2) -> Vec<Vec<f64>> {
    let (m, t) = (a.matrix2, a.translation);
    vec![vec![m.x_axis.x, m.y_axis.x, t.x], vec![m.x_axis.y, m.y_axis.y, t.y], vec![0.0, 0.0, 1.0]]
}

/// The same map where source coordinates are multiplied with `s` and target ones with `q`.
pub(super) fn scaled(a: DAffine2, s: f64, q: f64) -> DAffine2 {
    DAffine2 { matrix2: a.matrix2 * (q / s), translation: a.translation * q }
}

/// The same for a thin plate. `U(r/s) = (r² ln r − r² ln s) / s²`; the second part is linear where the
/// weights sum to 0, as fitted ones do.
fn scaled_thin_plate(t: &ThinPlate, s: f64, q: f64) -> Result<ThinPlate> {
    let centers: Vec<DVec2> = t.centers.iter().map(|c| *c * s).collect();
    let weights: Vec<DVec2> = t.weights.iter().map(|w| *w * (q / (s * s))).collect();
    let mut affine = scaled(t.affine, s, q);
    if s != 1.0 {
        let sum: DVec2 = weights.iter().sum();
        let size: f64 = weights.iter().map(|w| w.length()).sum();
        // What is left of r² ln s at the points themselves; rounding leaves some where nothing bends.
        let reach = centers.iter().map(|c| c.distance_squared(centers[0])).fold(0.0, f64::max);
        let left = sum.length() * reach * s.ln().abs();
        if sum.length() > 1e-6 * size && left > 1e-9 * (affine.matrix2 * DVec2::splat(reach.sqrt())).length() {
            return Err(Error::degenerate("the weights of the thin plate do not sum to 0, so its unit cannot be changed"));
        }
        for (c, w) in centers.iter().zip(&weights) {
            affine.matrix2 += DMat2::from_cols(*w * c.x, *w * c.y) * (2.0 * s.ln());
            affine.translation -= *w * (c.length_squared() * s.ln());
        }
    }
    Ok(ThinPlate { affine, centers, weights })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate() -> Warp {
        // Weights of four points on a square sum to 0 and are perpendicular to x and y.
        let bend = [1.0, -1.0, 1.0, -1.0].map(|v| DVec2::new(0.02, -0.01) * v).to_vec();
        let centers = [(1.0, 1.0), (5.0, 1.0), (5.0, 5.0), (1.0, 5.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
        let affine = DAffine2::from_scale_angle_translation(DVec2::splat(1.2), 0.4, DVec2::new(-3.0, 8.0));
        Warp::ThinPlate(ThinPlate { affine, centers, weights: bend })
    }

    fn mls(kind: MlsKind) -> Warp {
        let source: Vec<DVec2> = [(0.0, 0.0), (9.0, 1.0), (4.0, 7.0), (2.0, 3.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
        let target = source.iter().map(|p| DVec2::new(p.x * 1.1 - 0.2 * p.y, p.y + 0.03 * p.x * p.x)).collect();
        Warp::MovingLeastSquares(MovingLeastSquares { kind, source, target })
    }

    #[test]
    fn every_model_comes_back_in_every_unit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.json");
        let plane = Plane::new(DVec3::new(1.0, 2.0, 3.0), DVec3::new(0.6, 0.8, 0.0), DVec3::Z).unwrap();
        let affine = Warp::Affine(DAffine2::from_scale_angle_translation(DVec2::new(0.9, 1.3), 0.3, DVec2::new(5.0, -2.0)));
        let cases = [
            (TransformModel::Affine, affine),
            (TransformModel::ThinPlate, plate()),
            (TransformModel::MlsRigid, mls(MlsKind::Rigid)),
            (TransformModel::MlsSimilarity, mls(MlsKind::Similarity)),
            (TransformModel::MlsAffine, mls(MlsKind::Affine)),
        ];
        for (model, warp) in &cases {
            for (units, plane) in [
                ([LengthUnit::Um, LengthUnit::Um], None),
                ([LengthUnit::Um, LengthUnit::Mm], Some(&plane)),
                ([LengthUnit::Px, LengthUnit::Px], None),
            ] {
                let file = TransformFile::from_warp(*model, warp, units, plane).unwrap();
                write_transform(&path, &file).unwrap();
                let back = read_transform(&path, &Limits::default()).unwrap();
                assert_eq!(back, file);
                let warp_back = back.to_warp().unwrap();
                for p in [DVec2::new(0.5, 0.25), DVec2::new(20.0, -7.0)] {
                    let miss = (warp_back.apply(p) - warp.apply(p)).length();
                    assert!(miss < 1e-9, "{model:?} {units:?}: {miss:e}");
                }
                assert_eq!((back.moving_dims(), back.fixed_dims()), (2, if plane.is_some() { 3 } else { 2 }));
                assert_eq!(back.lps_plane().unwrap().is_some(), plane.is_some());
            }
        }
    }

    #[test]
    fn micrometers_are_micrometers_in_the_file() {
        let warp = plate();
        let file = TransformFile::from_warp(TransformModel::ThinPlate, &warp, [LengthUnit::Um, LengthUnit::Mm], None).unwrap();
        let p_um = DVec2::new(2500.0, 3300.0);
        let m = &file.fixed_from_moving;
        let mut by_hand =
            DVec2::new(m[0][0] * p_um.x + m[0][1] * p_um.y + m[0][2], m[1][0] * p_um.x + m[1][1] * p_um.y + m[1][2]);
        for c in &file.control_points {
            let r = p_um.distance(DVec2::from_slice(&c.moving));
            by_hand += DVec2::from_slice(c.weight.as_ref().unwrap()) * (r * r * r.ln());
        }
        assert!((by_hand - warp.apply(p_um * 0.001)).length() < 1e-9);
    }

    #[test]
    fn hostile_files_are_refused_in_a_sentence() {
        let good = r#"{"model":"tps","fixed_from_moving":[[1,0,0],[0,1,0],[0,0,1]],"units":"um","control_points":[
            {"moving":[0,0],"fixed":[0,0],"weight":[0,0]},{"moving":[1,0],"fixed":[1,0],"weight":[0,0]},
            {"moving":[0,1],"fixed":[0,1],"weight":[0,0]}]}"#;
        assert!(parse_transform(good.as_bytes()).is_ok());
        for (from, to, part) in [
            ("\"tps\"", "\"warpy\"", "none of translation"),
            ("[1,0,0]", "[1,0]", "3×3 or 4×4"),
            ("[1,0,0]", "[1,0,1e999]", "JSON does not fit"),
            ("[0,0,1]]", "[0,0,2]]", "perspective"),
            ("\"um\"", "\"inch\"", "unknown variant"),
            ("{\"moving\":[1,0]", "{\"moving\":[1]", "control point 1"),
            (",\"weight\":[0,0]},{", "},{", "control point 0"),
            ("\"units\"", "\"version\":2,\"units\"", "version 2"),
            (
                "\"units\"",
                "\"plane\":{\"origin\":[0,0,0],\"right\":[0,0,0],\"down\":[0,1,0]},\"fixed_units\":\"mm\",\"units\"",
                "no plane",
            ),
        ] {
            let error = parse_transform(good.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
