//! Where the observations of an `AnnData` file lie: positions, the sections they belong to, how large
//! a pixel is, and the pictures beneath.

use super::arrays::coordinates;
use super::frame::{numbers, texts};
use crate::base::Result;
use crate::io::Reading;
use crate::io::stored::{Kind, Stored};
use crate::io::visium::{Levels, Scale, measure::measure};
use crate::model::{Column, Expression, Picture, PixelSize, Section, Spots};
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Names that a column of sections goes by.
const SECTION_COLUMNS: [&str; 10] =
    ["section", "section_id", "library_id", "library", "slide", "slide_id", "image_id", "sample", "sample_id", "orig.ident"];
/// Names that columns of pixel positions go by: x, y.
const POSITION_COLUMNS: [(&str, &str); 4] =
    [("x", "y"), ("pxl_col_in_fullres", "pxl_row_in_fullres"), ("imagecol", "imagerow"), ("X", "Y")];

/// One section, or one for each value of the column that tells sections apart.
pub(super) fn place(file: &dyn Stored, expression: Expression, path: &Path, reading: &mut Reading) -> Result<Vec<Section>> {
    let name = path.file_stem().map_or_else(|| "AnnData".into(), |s| s.to_string_lossy().into_owned());
    let Some((px, source)) = positions_of(file, expression.observations().len(), &expression.columns) else {
        let expression = Some(Arc::new(expression));
        return Ok(vec![Section { name, picture: None, pixel_size: PixelSize::Unknown, spots: None, expression }]);
    };
    let n_lost = px.iter().filter(|p| !p.is_finite()).count();
    if n_lost > 0 {
        let text = format!("{n_lost} of {} observations have no position in {source} and are left out", px.len());
        reading.warnings.warn("spots-dropped", text, Some(path));
    }
    let Some((column, groups)) = split(&expression, &px) else {
        let keep: Vec<usize> = (0..px.len()).filter(|&i| px[i].is_finite()).collect();
        let placed = if n_lost == 0 { expression } else { expression.subset(&keep)? };
        return Ok(vec![section(file, (name, None), placed, pick(&px, &keep), (path, reading))]);
    };
    let names: Vec<&str> = groups.iter().map(|(n, _)| n.as_str()).collect();
    let text = format!(
        "{} sections ({}) by the column {column}: their positions in {source} overlap, so each is taken to have pixels of its own",
        groups.len(),
        names.join(", ")
    );
    reading.warnings.note("split-by-section", text, Some(path));
    let mut sections = Vec::new();
    for (group, keep) in &groups {
        let part = expression.subset(keep)?;
        sections.push(section(file, (group.clone(), Some(group)), part, pick(&px, keep), (path, reading)));
    }
    Ok(sections)
}

/// The table as one section, whichever sections it holds; observations without a position stay.
pub(super) fn whole(file: &dyn Stored, expression: Expression, path: &Path, reading: &mut Reading) -> Section {
    let name = path.file_stem().map_or_else(|| "AnnData".into(), |s| s.to_string_lossy().into_owned());
    match positions_of(file, expression.observations().len(), &expression.columns) {
        Some((px, _)) => section(file, (name, None), expression, px, (path, reading)),
        None => {
            let expression = Some(Arc::new(expression));
            Section { name, picture: None, pixel_size: PixelSize::Unknown, spots: None, expression }
        }
    }
}

fn pick(px: &[DVec2], keep: &[usize]) -> Vec<DVec2> {
    keep.iter().map(|&i| px[i]).collect()
}

type Positions = (Vec<DVec2>, String);

/// Pixel positions of n observations and where they were found.
pub(super) fn positions_of(file: &dyn Stored, n: usize, columns: &BTreeMap<String, Column>) -> Option<Positions> {
    for name in ["spatial", "X_spatial"] {
        let Ok(Some((width, values))) = coordinates(file, name) else { continue };
        if !(2..=16).contains(&width) || values.len() != n * width {
            continue;
        }
        let rows = values.chunks_exact(width);
        return Some((rows.map(|r| DVec2::new(r[0], r[1])).collect(), format!("obsm/{name}")));
    }
    POSITION_COLUMNS.iter().find_map(|(x, y)| {
        let column = |name: &str| columns.get(name).and_then(numbers);
        let px = column(x)?.into_iter().zip(column(y)?).map(|(x, y)| DVec2::new(x, y)).collect();
        Some((px, format!("obs columns {x} and {y}")))
    })
}

type Groups = Vec<(String, Vec<usize>)>;

/// The column that tells sections apart, where groups share the same pixels.
fn split(expression: &Expression, px: &[DVec2]) -> Option<(&'static str, Groups)> {
    SECTION_COLUMNS.iter().find_map(|name| {
        let values = texts(expression.columns.get(*name)?);
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, value) in values.into_iter().enumerate().filter(|(i, _)| px[*i].is_finite()) {
            groups.entry(value).or_default().push(i);
            if groups.len() > 200 {
                return None;
            }
        }
        let boxes: Vec<[DVec2; 2]> = groups.values().map(|g| bounds(px, g)).collect();
        let pairs = (0..boxes.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let overlap = pairs.map(|(i, j)| shared(boxes[i], boxes[j])).fold(0.0, f64::max);
        (groups.len() > 1 && overlap > 0.25).then(|| (*name, groups.into_iter().collect()))
    })
}

fn bounds(px: &[DVec2], keep: &[usize]) -> [DVec2; 2] {
    let start = [DVec2::INFINITY, DVec2::NEG_INFINITY];
    keep.iter().fold(start, |[low, high], &i| [low.min(px[i]), high.max(px[i])])
}

/// Common area as a part of the smaller box.
fn shared(a: [DVec2; 2], b: [DVec2; 2]) -> f64 {
    let area = |low: DVec2, high: DVec2| (high - low).max(DVec2::ZERO).element_product();
    area(a[0].max(b[0]), a[1].min(b[1])) / area(a[0], a[1]).min(area(b[0], b[1])).max(f64::MIN_POSITIVE)
}

fn section(
    file: &dyn Stored,
    (name, library): (String, Option<&String>),
    expression: Expression,
    px: Vec<DVec2>,
    (path, reading): (&Path, &mut Reading),
) -> Section {
    let column = |name: &str| expression.columns.get(name).and_then(numbers);
    let (scale, picture) = library_of(file, library, path, reading);
    let array = column("array_row").zip(column("array_col"));
    let array = array.map(|(r, c)| r.into_iter().zip(c).collect::<Vec<_>>());
    let (pixel_size, diameter_px) =
        measure(&px, (array.as_deref(), expression.observations()), &scale, (&name, path), reading.warnings);
    let tissue = expression.columns.get("in_tissue").map(texts);
    let in_tissue = tissue.map_or_else(
        || vec![true; px.len()],
        |t| t.iter().map(|v| !matches!(v.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "")).collect(),
    );
    let spots = Spots { px: px.into(), diameter_px, in_tissue };
    Section { name, picture, pixel_size, spots: Some(Arc::new(spots)), expression: Some(Arc::new(expression)) }
}

/// Scale factors and pictures of the named library, or of the only one.
fn library_of(file: &dyn Stored, name: Option<&String>, path: &Path, reading: &mut Reading) -> (Scale, Option<Arc<Picture>>) {
    let none = (Scale::default(), None);
    if !file.is_group("uns/spatial") {
        return none;
    }
    let Ok(libraries) = file.children("uns/spatial") else { return none };
    let libraries = libraries.groups;
    let Some(library) = libraries.iter().find(|l| Some(*l) == name).or(libraries.first().filter(|_| libraries.len() == 1)) else {
        return none;
    };
    let factor = |key: &str| {
        let value = file.number(&format!("uns/spatial/{library}/scalefactors/{key}"));
        value.filter(|v| v.is_finite() && *v > 0.0)
    };
    let scale = Scale::from_keys(factor);
    let mut levels = Levels::default();
    for (key, factor) in [("hires", scale.hires), ("lowres", scale.lowres)] {
        let at = format!("uns/spatial/{library}/images/{key}");
        if let (true, Some(factor)) = (file.is_array(&at), factor) {
            match pixels(file, &at) {
                Ok(picture) => levels.add(key, &picture, factor, (path, reading.warnings)),
                Err(why) => reading.warnings.warn("image-skipped", format!("{at} is left out: {why}"), Some(path)),
            }
        }
    }
    (scale, levels.finish().map(Arc::new))
}

fn pixels(file: &dyn Stored, at: &str) -> Result<Picture> {
    let shape = file.shape(at)?;
    let [height, width, channels] = shape[..] else {
        return Err(crate::base::Error::malformed(format!("an image of shape {shape:?}, expected rows × columns × 3 or 4")));
    };
    if file.kind(at)? != Kind::Number || !(3..=4).contains(&channels) {
        return Err(crate::base::Error::malformed(format!("an image of shape {shape:?}, expected rows × columns × 3 or 4")));
    }
    file.limits().check(at, &[height, width], 24)?;
    // Shares of 1 or bytes: known only when all were seen, so the picture is read twice, a piece at a time.
    let mut factor = 255.0;
    for (start, count) in file.pieces(at)? {
        if file.f32s_at(at, start, count)?.iter().any(|v| *v > 1.0) {
            factor = 1.0;
            break;
        }
    }
    let byte = |v: f32| (v * factor).round().clamp(0.0, 255.0) as u8;
    let opaque = |p: &[f32]| [byte(p[0]), byte(p[1]), byte(p[2]), p.get(3).map_or(255, |a| byte(*a))];
    let mut rgba: Arc<[u8]> = std::iter::repeat_n(0, (height * width * 4) as usize).collect();
    let mut out = Arc::make_mut(&mut rgba).chunks_exact_mut(4);
    for (start, count) in file.pieces(at)? {
        let values = file.f32s_at(at, start, count)?;
        values.chunks_exact(channels as usize).zip(out.by_ref()).for_each(|(p, o)| o.copy_from_slice(&opaque(p)));
    }
    Picture::shared(width as usize, height as usize, rgba)
}
