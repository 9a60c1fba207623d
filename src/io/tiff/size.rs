//! How large a pixel is and what the channels are, from OME-XML and the notes of other programs.

use super::pages::Page;

/// What OME-XML says about the first image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ome {
    /// µm per pixel along x and y.
    pub(super) um_per_px: Option<[f64; 2]>,
    /// Number of channels, depths and times.
    pub(super) sizes: [usize; 3],
    /// As `XYCZT`.
    pub(super) order: String,
    /// Name and color (red, green, blue) of each channel.
    pub(super) channels: Vec<(String, Option<[u8; 3]>)>,
}

/// Reads OME-XML; `None` where a description is none.
pub(super) fn ome(description: &str) -> Option<Ome> {
    let start = description.find("<OME").or_else(|| description.find(":OME"))?;
    let text = &description[start..];
    let pixels = tag(text, "Pixels")?;
    let count = |name: &str| attribute(pixels, name).and_then(|v| v.parse::<usize>().ok()).unwrap_or(1).max(1);
    let length = |axis: &str| {
        let value: f64 = attribute(pixels, &format!("PhysicalSize{axis}"))?.parse().ok()?;
        let unit = attribute(pixels, &format!("PhysicalSize{axis}Unit")).unwrap_or_else(|| "µm".into());
        Some(value * um_of(&unit)?).filter(|um| um.is_finite() && *um > 0.0)
    };
    let from = text.find(pixels).unwrap_or(0);
    let until = text[from..].find("Pixels>").map_or(text.len(), |end| from + end);
    let mut channels = Vec::new();
    let mut rest = &text[from..until];
    while let Some(found) = tag(rest, "Channel") {
        let name = attribute(found, "Name").unwrap_or_default();
        let color = attribute(found, "Color").and_then(|c| c.parse::<i64>().ok()).map(|c| {
            let [r, g, b, _] = (c as i32).to_be_bytes();
            [r, g, b]
        });
        channels.push((name, color));
        let next = rest.find(found).unwrap_or(0) + found.len();
        rest = &rest[next..];
        if channels.len() > 1000 {
            break;
        }
    }
    Some(Ome {
        um_per_px: length("X").zip(length("Y")).map(|(x, y)| [x, y]),
        sizes: [count("SizeC"), count("SizeZ"), count("SizeT")],
        order: attribute(pixels, "DimensionOrder").unwrap_or_else(|| "XYCZT".into()),
        channels,
    })
}

impl Ome {
    /// Number of the page that holds a channel at the first depth and time.
    pub(super) fn page_of(&self, channel: usize) -> usize {
        let [_, z, t] = self.sizes;
        let before = self.order.split('C').next().unwrap_or_default();
        let step = (if before.contains('Z') { z } else { 1 }).saturating_mul(if before.contains('T') { t } else { 1 });
        channel.saturating_mul(step)
    }
}

/// The inside of the first tag of a name, with or without a prefix.
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(at) = text[from..].find(name) {
        let (start, end) = (from + at, from + at + name.len());
        let before =
            text[..start].rfind('<').is_some_and(|lt| text[lt + 1..start].chars().all(|c| c.is_alphanumeric() || c == ':'));
        let prefix = text[..start].chars().next_back();
        if before && matches!(prefix, Some('<' | ':')) && text[end..].starts_with([' ', '\n', '\r', '\t', '>', '/']) {
            let close = text[end..].find('>')?;
            return Some(&text[end..end + close]);
        }
        from = end;
    }
    None
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut from = 0;
    while let Some(at) = tag[from..].find(name) {
        let (start, end) = (from + at, from + at + name.len());
        let alone = tag[..start].ends_with([' ', '\n', '\r', '\t']);
        let rest = tag[end..].trim_start();
        if let (true, Some(value)) = (alone, rest.strip_prefix('=').map(str::trim_start)) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let inner = &value[1..];
            return Some(unescaped(&inner[..inner.find(quote)?]));
        }
        from = end;
    }
    None
}

fn unescaped(text: &str) -> String {
    let pairs =
        [("&#181;", "µ"), ("&#xB5;", "µ"), ("&#xb5;", "µ"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// µm in a unit of length; `None` where it is no length.
pub(in crate::io) fn um_of(unit: &str) -> Option<f64> {
    match unit.trim() {
        "µm" | "μm" | "um" | "micron" | "microns" | "\\u00B5m" => Some(1.0),
        "micrometer" | "micrometre" => Some(1.0),
        "nm" | "nanometer" | "nanometre" => Some(1e-3),
        "mm" | "millimeter" | "millimetre" => Some(1e3),
        "cm" => Some(1e4),
        "m" => Some(1e6),
        "in" | "inch" => Some(25_400.0),
        "Å" => Some(1e-4),
        _ => None,
    }
}

/// µm per pixel along x and y that a page tells, with where it says so and whether it was assumed.
pub(super) fn told_size(page: &Page, ome: Option<&Ome>) -> Option<([f64; 2], String)> {
    if let Some(um) = ome.and_then(|o| o.um_per_px) {
        return Some((um, "OME metadata".into()));
    }
    if let Some(mpp) = after(&page.description, "MPP = ").or_else(|| after(&page.description, "MPP=")) {
        return Some(([mpp; 2], "MPP in the description".into()));
    }
    let ([x, y], unit) = page.resolution?;
    // ImageJ keeps its unit in the description and pixels per unit in the resolution.
    if page.description.starts_with("ImageJ=") {
        let line = page.description.lines().find_map(|l| l.strip_prefix("unit="))?;
        let um = um_of(line)?;
        return Some(([um / x, um / y], "ImageJ's unit".into()));
    }
    let um = match unit {
        3 => 10_000.0,
        2 => 25_400.0,
        _ => return None,
    };
    let size = [um / x, um / y];
    // Coarser than this is the resolution of a screen or printer, which says nothing about tissue.
    size.iter().all(|s| (0.01..=20.0).contains(s)).then(|| (size, "TIFF resolution".into()))
}

fn after(text: &str, key: &str) -> Option<f64> {
    let rest = &text[text.find(key)? + key.len()..];
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    rest[..end].parse().ok().filter(|v: &f64| (0.01..=100.0).contains(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0"?><OME xmlns="x"><Image ID="Image:0" Name="a"><Pixels ID="Pixels:0"
        DimensionOrder="XYZCT" PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="0.26" SizeC="2" SizeT="1" SizeX="9"
        SizeY="7" SizeZ="3" Type="uint16"><Channel ID="Channel:0:0" Name="DAPI &amp; x" Color="65535"/><Channel ID="Channel:0:1"
        Name="WGA"/><TiffData/></Pixels></Image><Image><Pixels PhysicalSizeX="9"/></Image></OME>"#;

    #[test]
    fn the_first_image_of_ome() {
        let o = ome(XML).unwrap();
        assert_eq!((o.um_per_px, o.sizes), (Some([0.25, 0.26]), [2, 3, 1]));
        assert_eq!(o.channels, [("DAPI & x".into(), Some([0, 0, 255])), ("WGA".into(), None)]);
        assert_eq!((o.page_of(0), o.page_of(1)), (0, 3));
        assert_eq!(ome("ImageJ=1.5"), None);
        assert_eq!(ome("<OME><Pixels"), None);
    }

    #[test]
    fn sizes_that_may_be_believed() {
        let page = |description: &str, resolution| Page { description: description.into(), resolution, ..Page::default() };
        let size = |p: &Page| told_size(p, None).map(|s| s.0[0]);
        assert_eq!(size(&page("Aperio Image|AppMag = 40|MPP = 0.2520|x", None)), Some(0.252));
        assert_eq!(size(&page("", Some(([40_000.0, 40_000.0], 3)))), Some(0.25));
        assert_eq!(size(&page("", Some(([72.0, 72.0], 2)))), None);
        assert_eq!(size(&page("", Some(([1.0, 1.0], 1)))), None);
        assert_eq!(size(&page("ImageJ=1.53\nunit=micron\n", Some(([2.0, 2.0], 1)))), Some(0.5));
        assert_eq!(size(&page("ImageJ=1.53\n", Some(([2.0, 2.0], 3)))), None);
    }
}
