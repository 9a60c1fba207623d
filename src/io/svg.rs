//! A drawing as SVG: text, lines, areas and discs as vectors, pictures embedded as PNG. It refers to
//! nothing outside itself, and the same drawing gives the same bytes.

use super::picture::encode_png;
use super::write_bytes;
use crate::base::{Error, Result};
use crate::model::{Drawing, Shape};
use crate::space::DVec2;
use std::fmt::Write;
use std::path::Path;

/// Families that browsers look for, first to last.
const FONT: &str = "Inter, Helvetica, Arial, sans-serif";

/// Writes a drawing; the file appears whole or not at all.
pub fn write_svg(path: &Path, drawing: &Drawing) -> Result<()> {
    write_bytes(path, to_svg(drawing).map_err(|e| e.at(path))?.as_bytes())
}

/// The text of a drawing.
pub fn to_svg(drawing: &Drawing) -> Result<String> {
    let picture = |shape: &Shape| match shape {
        Shape::Picture { size, rgba, .. } => encode_png(size[0], size[1], rgba).map(|png| base64(&png)),
        _ => Ok(String::new()),
    };
    let pictures: Vec<String> = drawing.shapes.iter().map(picture).collect::<Result<_>>()?;
    let mut out = String::new();
    write_shapes(drawing, &pictures, &mut out).map_err(|_| Error::unsupported("the drawing cannot be written as text"))?;
    Ok(out)
}

fn write_shapes(drawing: &Drawing, pictures: &[String], out: &mut String) -> std::fmt::Result {
    let [w, h] = drawing.size_px;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" font-family=\"{FONT}\">"
    )?;
    writeln!(out, "<title>{}</title>", escaped(&drawing.title))?;
    writeln!(out, "<desc>{}</desc>", escaped(&drawing.description))?;
    writeln!(out, "<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>", hex(drawing.background))?;
    for (i, (shape, picture)) in drawing.shapes.iter().zip(pictures).enumerate() {
        write_shape(shape, picture, i, out)?;
    }
    writeln!(out, "</svg>")
}

fn write_shape(shape: &Shape, picture: &str, index: usize, out: &mut String) -> std::fmt::Result {
    match shape {
        Shape::Picture { at, size, .. } => {
            let (x, y, [w, h]) = (number(at.x), number(at.y), size);
            let place = format!("x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"");
            let data = format!("xlink:href=\"data:image/png;base64,{picture}\"");
            writeln!(out, "<image {place} preserveAspectRatio=\"none\" {data}/>")
        }
        Shape::Lines { lines, rgb, width, halo } => {
            let path = path_of(lines);
            let style = "fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";
            let dark = number(width + 2.0 * halo);
            writeln!(out, "<path d=\"{path}\" {style} stroke=\"#000000\" stroke-opacity=\"0.45\" stroke-width=\"{dark}\"/>")?;
            writeln!(out, "<path d=\"{path}\" {style} stroke=\"{}\" stroke-width=\"{}\"/>", hex(*rgb), number(*width))
        }
        Shape::Area { points, rgba, hatch } => write_area(points, *rgba, *hatch, index, out),
        Shape::Discs { radius, opacity, hollow, discs } => {
            let (kind, other) = if *hollow { ("stroke", " fill=\"none\" stroke-width=\"1\"") } else { ("fill", "") };
            let r = number(*radius);
            writeln!(out, "<g {kind}-opacity=\"{}\"{other}>", number(*opacity))?;
            for (at, rgb) in discs {
                writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{r}\" {kind}=\"{}\"/>", number(at.x), number(at.y), hex(*rgb))?;
            }
            writeln!(out, "</g>")
        }
        Shape::Ramp { corners, colors } => write_ramp(*corners, colors, index, out),
        Shape::Text { at, text, em, bold, rgb, anchor, halo } => {
            let place = if *anchor < 0.25 {
                "start"
            } else if *anchor < 0.75 {
                "middle"
            } else {
                "end"
            };
            let weight = if *bold { " font-weight=\"600\"" } else { "" };
            let edge = format!(
                " paint-order=\"stroke\" stroke=\"#000000\" stroke-opacity=\"0.7\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
                number(em / 4.5)
            );
            let (x, y, size, fill) = (number(at.x), number(at.y), number(*em), hex(*rgb));
            let (halo, text) = (if *halo { edge } else { String::new() }, escaped(text));
            let place = format!("x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight} text-anchor=\"{place}\"");
            writeln!(out, "<text {place} fill=\"{fill}\"{halo} xml:space=\"preserve\">{text}</text>")
        }
    }
}

fn write_area(points: &[DVec2], rgba: [u8; 4], hatch: Option<f64>, index: usize, out: &mut String) -> std::fmt::Result {
    let list: Vec<String> = points.iter().map(|p| format!("{},{}", number(p.x), number(p.y))).collect();
    let (fill, opacity) = (hex([rgba[0], rgba[1], rgba[2]]), number(f64::from(rgba[3]) / 255.0));
    let Some(pitch) = hatch else {
        return writeln!(out, "<polygon points=\"{}\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>", list.join(" "));
    };
    let (p, line) = (number(pitch), number(pitch / 7.0));
    writeln!(
        out,
        "<pattern id=\"hatch{index}\" width=\"{p}\" height=\"{p}\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"{line}\" height=\"{p}\" fill=\"{fill}\"/></pattern>"
    )?;
    writeln!(out, "<polygon points=\"{}\" fill=\"url(#hatch{index})\" fill-opacity=\"{opacity}\"/>", list.join(" "))
}

fn write_ramp([first, last]: [DVec2; 2], colors: &[[u8; 3]], index: usize, out: &mut String) -> std::fmt::Result {
    writeln!(out, "<linearGradient id=\"ramp{index}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">")?;
    let n = colors.len().saturating_sub(1).max(1) as f64;
    for (i, rgb) in colors.iter().enumerate() {
        writeln!(out, "<stop offset=\"{}\" stop-color=\"{}\"/>", number(i as f64 / n), hex(*rgb))?;
    }
    writeln!(out, "</linearGradient>")?;
    let (size, x, y) = (last - first, number(first.x), number(first.y));
    let (w, h) = (number(size.x), number(size.y));
    writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"url(#ramp{index})\"/>")
}

fn path_of(lines: &[Vec<DVec2>]) -> String {
    let mut path = String::new();
    for line in lines {
        let is_closed = line.len() > 2 && line.first() == line.last();
        let points = if is_closed { &line[..line.len() - 1] } else { &line[..] };
        for (i, p) in points.iter().enumerate() {
            path.push(if i == 0 { 'M' } else { 'L' });
            path.push_str(&number(p.x));
            path.push(' ');
            path.push_str(&number(p.y));
        }
        if is_closed {
            path.push('Z');
        }
    }
    path
}

/// At most three decimals, without trailing zeros.
fn number(v: f64) -> String {
    let text = format!("{:.3}", if v.is_finite() { v } else { 0.0 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text as XML: markup escaped, characters that XML forbids left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for k in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * k) & 63) as usize];
            out.push(if k <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn every_shape_in_valid_text() {
        let p = DVec2::new;
        let shapes = vec![
            Shape::Picture { at: DVec2::ZERO, size: [2, 1], rgba: vec![255, 0, 0, 255, 0, 0, 255, 255].into() },
            Shape::Lines {
                lines: vec![vec![p(0.0, 0.0), p(3.0, 0.5)], vec![p(1.0, 1.0), p(2.0, 1.0), p(2.0, 2.0), p(1.0, 1.0)]],
                rgb: [230, 232, 235],
                width: 1.5,
                halo: 0.75,
            },
            Shape::Area { points: vec![p(0.0, 0.0), p(9.0, 0.0), p(0.0, 9.0)], rgba: [1, 2, 3, 150], hatch: Some(7.0) },
            Shape::Discs { radius: 2.0, opacity: 0.5, hollow: false, discs: vec![(p(4.0, 5.0), [0, 128, 255])] },
            Shape::Ramp { corners: [p(0.0, 0.0), p(10.0, 100.0)], colors: vec![[0, 0, 0], [255, 255, 255]] },
            Shape::Text {
                at: p(1.0, -0.0001),
                text: "a<b & \"c\"\u{1}".into(),
                em: 11.0,
                bold: true,
                rgb: [255; 3],
                anchor: 1.0,
                halo: true,
            },
        ];
        let drawing = Drawing { size_px: [20, 10], title: "t".into(), description: "d".into(), background: [0; 3], shapes };
        let text = to_svg(&drawing).unwrap();
        assert_eq!(text, to_svg(&drawing).unwrap());
        for part in [
            "width=\"20\" height=\"10\" viewBox=\"0 0 20 10\"",
            "d=\"M0 0L3 0.5M1 1L2 1L2 2Z\"",
            "fill=\"url(#hatch2)\" fill-opacity=\"0.588\"",
            "<circle cx=\"4\" cy=\"5\" r=\"2\" fill=\"#0080ff\"/>",
            "<stop offset=\"1\" stop-color=\"#ffffff\"/>",
            "text-anchor=\"end\"",
            "y=\"0\"",
            "a&lt;b &amp; &quot;c&quot;</text>",
            "base64,iVBOR",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let short = Shape::Picture { at: DVec2::ZERO, size: [2, 2], rgba: vec![0; 4].into() };
        assert!(to_svg(&Drawing { shapes: vec![short], ..drawing }).is_err());
    }
}
