//! Workspaces of cvi42 (`.cvi42wsx`): contours per image, by its SOP Instance UID. Points are column and row times
//! the subpixel factor of their contour. Patient data in the file are not looked at.

use super::xml::{Node, parse};
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::model::{Border, Contour, ContourSpace, Contours, ImageName};
use crate::space::DVec3;

const KEY: &str = "Hash:key";

/// Contours of a workspace. Names are kept in their own words where they are not of the ventricles; empty contours
/// are left out. `Malformed` for a file without contours.
pub fn parse_cvi42(data: &[u8], reading: &mut Reading) -> Result<Contours> {
    let text = std::str::from_utf8(data).map_err(|e| Error::malformed(format!("the workspace is not UTF-8 text: {e}")))?;
    let root = parse(text, &reading.limits)?;
    let mut found = Vec::new();
    let mut open = vec![&root];
    let mut states: Vec<&Node> = Vec::new();
    while let Some(node) = open.pop() {
        if node.attribute(KEY) == Some("ImageStates") {
            states.push(node);
        } else {
            open.extend(node.children.iter().rev());
        }
    }
    for image in states.iter().flat_map(|s| &s.children) {
        let Some(uid) = image.attribute(KEY) else { continue };
        let contours = image.children.iter().filter(|c| c.attribute(KEY) == Some("Contours"));
        for contour in contours.flat_map(|c| &c.children) {
            found.extend(line(contour, uid)?);
        }
    }
    if found.is_empty() {
        return Err(Error::malformed("the workspace has no contours under ImageStates"));
    }
    let mut uids: Vec<String> =
        found.iter().filter_map(|l| if let Some(ImageName::Uid(u)) = &l.image { Some(u.clone()) } else { None }).collect();
    uids.sort();
    uids.dedup();
    for line in &mut found {
        if let Some(ImageName::Uid(uid)) = &line.image {
            line.slice = uids.binary_search(uid).map_or(0, |i| i as i64);
        }
    }
    Ok(Contours { name: String::new(), space: ContourSpace::Pixels, lines: found })
}

fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.children.iter().find(|c| c.attribute(KEY) == Some(key))
}

fn line(node: &Node, uid: &str) -> Result<Option<Contour>> {
    let name = node.attribute(KEY).unwrap_or_default();
    let factor = child(node, "SubpixelResolution").map_or(Ok(1.0), |n| n.text.trim().parse::<f64>());
    let factor = factor.ok().filter(|f| f.is_finite() && *f > 0.0);
    let factor =
        factor.ok_or_else(|| Error::malformed(format!("contour {name} has a subpixel factor that is no number above 0")))?;
    let Some(list) = child(node, "Points") else { return Ok(None) };
    let mut points = Vec::with_capacity(list.children.len());
    for (i, point) in list.children.iter().enumerate() {
        let axis = |axis: &str| {
            let node = point.children.iter().find(|c| c.name == axis)?;
            node.text.trim().parse::<f64>().ok().filter(|v| v.is_finite())
        };
        let place = axis("Point:x").zip(axis("Point:y"));
        let (x, y) = place.ok_or_else(|| Error::malformed(format!("point {} of contour {name} has no x and y", i + 1)))?;
        points.push(DVec3::new(x / factor, y / factor, 0.0));
    }
    if points.is_empty() {
        return Ok(None);
    }
    let (border, view) = kind(name);
    let closed = name.ends_with("Contour") && !name.ends_with("OpenContour") && points.len() > 2 && view == "sax";
    Ok(Some(Contour {
        border,
        view: view.into(),
        slice: 0,
        phase: 0,
        closed,
        points,
        image: Some(ImageName::Uid(uid.to_owned())),
    }))
}

/// Border and view of a word of the program: `sa` is short axis, `la` long axis, `rv` right.
fn kind(name: &str) -> (Border, &'static str) {
    let low = name.to_lowercase();
    let view = match low.get(..2) {
        Some("sa") => "sax",
        Some("la") => "lax",
        _ => "",
    };
    let border = match low.as_str() {
        "saendocardialcontour" | "laendocardialcontour" => Border::Endo,
        "saepicardialcontour" | "laepicardialcontour" => Border::Epi,
        "sarvendocardialcontour" | "larvendocardialcontour" => Border::RvEndo,
        "sarvepicardialcontour" | "larvepicardialcontour" => Border::RvEpi,
        _ if low.starts_with("sapapilmusc") => Border::Papillary,
        _ => Border::Other(name.chars().take(64).collect()),
    };
    (border, view)
}
