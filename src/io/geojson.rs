//! Regions on sections as `QuPath` exchanges them: a `GeoJSON` `FeatureCollection` (RFC 7946), or a plain list of features, of
//! polygons and multipolygons with holes, with name, class and color in their properties. `QuPath` counts pixels from their
//! corners, this program from their centers; files in µm say so.

use super::{Reading, bytes, json};
use crate::base::{Error, Result};
use crate::model::{Polygon, Region};
use crate::space::DVec2;
use serde_json::{Value, json};
use std::path::Path;

/// In what unit the corners of a file are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RegionUnit {
    /// Full-resolution pixels from the corner of the picture.
    Pixels,
    /// µm from the corner of the picture, with µm per pixel.
    Micrometers(f64),
}

/// Reads regions. Features that are no areas (points, lines) are left out and told.
pub fn read_regions(path: &Path, unit: RegionUnit, reading: &mut Reading) -> Result<Vec<Region>> {
    let data = bytes::read_inflated(path, &reading.limits)?;
    parse_regions(&data, unit, reading).map_err(|e| e.at(path))
}

/// The same from bytes.
pub fn parse_regions(data: &[u8], unit: RegionUnit, reading: &mut Reading) -> Result<Vec<Region>> {
    reading.limits.check("the regions", &[data.len() as u64], 16)?;
    let value: Value =
        serde_json::from_slice(data).map_err(|e| Error::malformed(format!("this is no GeoJSON ({e}); export it again")))?;
    let features = match (&value, value.get("features")) {
        (_, Some(Value::Array(list))) | (Value::Array(list), _) => list.clone(),
        (Value::Object(map), None) if map.contains_key("geometry") => vec![value.clone()],
        _ => return Err(Error::malformed("this JSON has no features; GeoJSON of regions was expected")),
    };
    let mut regions = Vec::new();
    let mut n_other = 0;
    for feature in &features {
        let geometry = feature.get("geometry").unwrap_or(&Value::Null);
        let coordinates = geometry.get("coordinates").and_then(Value::as_array);
        let polygons = match (geometry.get("type").and_then(Value::as_str), coordinates) {
            (Some("Polygon"), Some(rings)) => vec![polygon(rings, unit)?],
            (Some("MultiPolygon"), Some(parts)) => {
                let each = parts.iter().map(|p| p.as_array().map_or_else(|| Err(bad_corner()), |rings| polygon(rings, unit)));
                each.collect::<Result<Vec<_>>>()?
            }
            _ => {
                n_other += 1;
                continue;
            }
        };
        regions.push(region(feature.get("properties").unwrap_or(&Value::Null), polygons));
    }
    if n_other > 0 {
        let text = format!("{n_other} of {} features are no areas (points, lines) and are left out", features.len());
        reading.warnings.warn("features-skipped", text, None);
    }
    if regions.is_empty() {
        return Err(Error::malformed("there is no polygon among the features; draw areas and export them again"));
    }
    Ok(regions)
}

fn bad_corner() -> Error {
    Error::malformed("a polygon has a corner that is no pair of numbers, or fewer than three; export the regions again")
}

fn polygon(rings: &[Value], unit: RegionUnit) -> Result<Polygon> {
    let per_px = if let RegionUnit::Micrometers(um) = unit { um } else { 1.0 };
    let corner = |c: &Value| {
        let number = |i: usize| c.get(i).and_then(Value::as_f64).filter(|v| v.is_finite() && v.abs() < 1e9);
        Some(DVec2::new(number(0)?, number(1)?) / per_px - 0.5)
    };
    let ring = |r: &Value| {
        let mut corners: Vec<DVec2> = r.as_array()?.iter().map(corner).collect::<Option<_>>()?;
        // The last corner is the first again.
        if corners.len() > 3 && corners.first() == corners.last() {
            corners.pop();
        }
        (corners.len() >= 3).then_some(corners)
    };
    let rings: Option<Vec<Vec<DVec2>>> = rings.iter().map(ring).collect();
    rings.filter(|r| !r.is_empty()).map(|rings| Polygon { rings }).ok_or_else(bad_corner)
}

fn region(properties: &Value, polygons: Vec<Polygon>) -> Region {
    let class = properties.get("classification").unwrap_or(&Value::Null);
    let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or_default().to_owned();
    let names = class.get("names").and_then(Value::as_array);
    let joined = names.map(|n| n.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(": "));
    let named = class.as_str().map(str::to_owned).or(joined).unwrap_or_else(|| text(class.get("name")));
    let color = color(class.get("color")).or_else(|| color(class.get("colorRGB"))).or_else(|| color(properties.get("color")));
    Region { name: text(properties.get("name")), class: named, color, polygons }
}

/// Three numbers, or one of 32 bits as older versions wrote it.
fn color(value: Option<&Value>) -> Option<[u8; 3]> {
    match value? {
        Value::Array(list) => {
            let byte = |i: usize| list.get(i).and_then(Value::as_u64).and_then(|v| u8::try_from(v).ok());
            Some([byte(0)?, byte(1)?, byte(2)?])
        }
        packed => {
            let [_, r, g, b] = (packed.as_i64()? as u32).to_be_bytes();
            Some([r, g, b])
        }
    }
}

/// Writes regions as `QuPath` reads them, in pixels or µm from the corner of the picture.
pub fn write_regions(path: &Path, regions: &[Region], unit: RegionUnit) -> Result<()> {
    json::write_json(path, &regions_value(regions, unit))
}

fn regions_value(regions: &[Region], unit: RegionUnit) -> Value {
    let per_px = if let RegionUnit::Micrometers(um) = unit { um } else { 1.0 };
    let corner = |p: &DVec2| json!([(p.x + 0.5) * per_px, (p.y + 0.5) * per_px]);
    let ring = |r: &Vec<DVec2>| r.iter().chain(r.first()).map(corner).collect::<Vec<Value>>();
    let rings = |p: &Polygon| p.rings.iter().map(ring).collect::<Vec<_>>();
    let feature = |r: &Region| {
        let geometry = match r.polygons.as_slice() {
            [one] => json!({"type": "Polygon", "coordinates": rings(one)}),
            several => json!({"type": "MultiPolygon", "coordinates": several.iter().map(rings).collect::<Vec<_>>()}),
        };
        let mut properties = json!({"objectType": "annotation"});
        if !r.name.is_empty() {
            properties["name"] = json!(r.name);
        }
        if !r.class.is_empty() {
            properties["classification"] = json!({"name": r.class, "color": r.color.unwrap_or([200, 200, 200])});
        }
        json!({"type": "Feature", "geometry": geometry, "properties": properties})
    };
    json!({"type": "FeatureCollection", "features": regions.iter().map(feature).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run};
    use super::*;

    const QUPATH: &str = r#"{"type":"FeatureCollection","features":[
      {"type":"Feature","id":"a","geometry":{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]},
       "properties":{"objectType":"annotation","name":"one","classification":{"name":"Tumor","color":[200,0,0]}}},
      {"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[20,20],[22,20],[22,22],[20,20]]],[[[30,30],[32,30],[32,32],[30,30]]]]},
       "properties":{"classification":{"name":"Stroma","colorRGB":-3670016}}},
      {"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}]}"#;

    #[test]
    fn regions_of_qupath_come_and_go() {
        let (found, warnings) = run(|r| parse_regions(QUPATH.as_bytes(), RegionUnit::Pixels, r));
        let found = found.unwrap();
        assert_eq!((found.len(), codes(&warnings)), (2, vec!["features-skipped"]));
        assert_eq!((found[0].class.as_str(), found[0].color, found[0].polygons[0].rings.len()), ("Tumor", Some([200, 0, 0]), 2));
        assert_eq!((found[1].color, found[1].polygons.len()), (Some([200, 0, 0]), 2));
        let inside = found[0].members(&[DVec2::splat(-0.4), DVec2::splat(9.4), DVec2::splat(4.5), DVec2::splat(9.6)]);
        assert_eq!(inside, [true, true, false, false]);
        for unit in [RegionUnit::Pixels, RegionUnit::Micrometers(0.25)] {
            let text = regions_value(&found, unit).to_string();
            assert_eq!(run(|r| parse_regions(text.as_bytes(), unit, r)).0.unwrap(), found);
        }
        for bad in ["", "{}", "[]", r#"{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,null],[2,2]]]}}]}"#] {
            assert!(run(|r| parse_regions(bad.as_bytes(), RegionUnit::Pixels, r)).0.is_err(), "{bad}");
        }
    }
}
