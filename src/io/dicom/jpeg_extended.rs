//! JPEG extended sequential (ITU-T T.81 process 4): gray images of 12 bits, which the JPEG decoder of the
//! `dicom` crates refuses. Names in the code are those of the standard.

use crate::base::{Error, Result};
use std::f64::consts::PI;

/// Order in which coefficients are written (figure A.6).
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42,
    49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Whether the stream is one for this decoder: sequential Huffman with samples of 12 bits.
pub(super) fn is_extended(stream: &[u8]) -> bool {
    let mut pos = 2;
    std::iter::from_fn(|| marker(stream, &mut pos)).any(|(code, body)| code == 0xC1 && body.first() == Some(&12))
}

fn damaged(what: &str) -> Error {
    Error::malformed(format!("the JPEG frame is damaged: {what}; copy the file again"))
}

/// Code and content of the next marker segment, up to the first scan and with it.
fn marker<'a>(stream: &'a [u8], pos: &mut usize) -> Option<(u8, &'a [u8])> {
    loop {
        let (&mark, &code) = (stream.get(*pos)?, stream.get(*pos + 1)?);
        if mark != 0xFF || matches!(code, 0x00 | 0x01 | 0xFF | 0xD0..=0xD9) {
            *pos += 1;
            continue;
        }
        let length = usize::from(word(stream, *pos + 2)?);
        let body = stream.get(*pos + 4..*pos + 2 + length)?;
        *pos += 2 + length;
        return Some((code, body));
    }
}

fn word(bytes: &[u8], pos: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(pos..pos.checked_add(2)?)?.try_into().ok()?))
}

/// A Huffman table as the first code and the first value of each length (annex F.2.2.3).
#[derive(Clone, Debug, Default)]
struct Huffman {
    /// Largest code of each length and where its values end; `None` where no code is so long.
    of_length: [Option<(u32, usize)>; 17],
    values: Vec<u8>,
}

impl Huffman {
    fn new(counts: &[u8], values: &[u8]) -> Self {
        let (mut code, mut at) = (0, 0);
        let mut of_length = [None; 17];
        for (length, &count) in (1..=16).zip(counts) {
            code += u32::from(count);
            at += usize::from(count);
            of_length[length] = (count > 0).then(|| (code - 1, at - 1));
            code <<= 1;
        }
        Self { of_length, values: values.to_vec() }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | bits.take(1);
            if let Some((largest, at)) = self.of_length[length]
                && code <= largest
            {
                let value = at.checked_sub((largest - code) as usize).and_then(|i| self.values.get(i));
                return value.copied().ok_or_else(|| damaged("a code has no value"));
            }
        }
        Err(damaged("a code is in no table"))
    }
}

/// Entropy-coded bits; zeros follow after the end.
#[derive(Debug)]
struct Bits<'a> {
    data: &'a [u8],
    pos: usize,
    byte: u8,
    n_left: u32,
}

impl Bits<'_> {
    fn take(&mut self, n: u32) -> u32 {
        (0..n).fold(0, |value, _| {
            if self.n_left == 0 {
                self.byte = self.next_byte();
                self.n_left = 8;
            }
            self.n_left -= 1;
            value << 1 | u32::from(self.byte >> self.n_left & 1)
        })
    }

    fn next_byte(&mut self) -> u8 {
        match (self.data.get(self.pos), self.data.get(self.pos + 1)) {
            (Some(0xFF), Some(0)) => {
                self.pos += 2;
                0xFF
            }
            (Some(0xFF) | None, _) => 0,
            (Some(&byte), _) => {
                self.pos += 1;
                byte
            }
        }
    }

    /// Goes behind the next restart marker.
    fn restart(&mut self) {
        self.n_left = 0;
        while let Some(&byte) = self.data.get(self.pos) {
            let is_marker = byte == 0xFF && self.data.get(self.pos + 1).is_some_and(|c| matches!(c, 0xD0..=0xD7));
            self.pos += if is_marker { 2 } else { 1 };
            if is_marker {
                return;
            }
        }
    }

    /// A number of `n` bits with its sign (table F.1).
    fn extended(&mut self, n: u32) -> i32 {
        let value = self.take(n).cast_signed();
        if n > 0 && value < 1 << (n - 1) { value - (1 << n) + 1 } else { value }
    }
}

/// Tables of a stream.
#[derive(Debug, Default)]
struct Tables {
    quantization: [Option<[f64; 64]>; 4],
    huffman: [[Option<Huffman>; 4]; 2],
    restart: usize,
}

impl Tables {
    fn quantization(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((&head, rest)) = body.split_first() {
            let size = if head >> 4 == 0 { 1 } else { 2 };
            let raw = rest.get(..64 * size).ok_or_else(|| damaged("a quantization table is cut off"))?;
            let mut table = [0.0; 64];
            for (&at, step) in ZIGZAG.iter().zip(raw.chunks_exact(size)) {
                table[at] = step.iter().fold(0.0, |sum, &b| sum * 256.0 + f64::from(b));
            }
            self.quantization[usize::from(head & 3)] = Some(table);
            body = &rest[64 * size..];
        }
        Ok(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((&head, rest)) = body.split_first() {
            let short = || damaged("a code table is cut off");
            let counts = rest.get(..16).ok_or_else(short)?;
            let n = counts.iter().map(|c| usize::from(*c)).sum::<usize>();
            let values = rest.get(16..16 + n).ok_or_else(short)?;
            self.huffman[usize::from(head >> 4 & 1)][usize::from(head & 3)] = Some(Huffman::new(counts, values));
            body = &rest[16 + n..];
        }
        Ok(())
    }
}

/// Decodes a stream of `columns` × `rows` gray pixels to 16-bit samples.
pub(super) fn decode(stream: &[u8], columns: usize, rows: usize) -> Result<Vec<u16>> {
    let (mut tables, mut pos, mut frame) = (Tables::default(), 2, None);
    while let Some((code, body)) = marker(stream, &mut pos) {
        match code {
            0xDB => tables.quantization(body)?,
            0xC4 => tables.huffman(body)?,
            0xDD => tables.restart = word(body, 0).map_or(0, usize::from),
            0xC1 => {
                if body.get(5) != Some(&1) {
                    return Err(Error::unsupported("color JPEG of 12 bits is not supported; convert the file"));
                }
                if (word(body, 3).map(usize::from), word(body, 1).map(usize::from)) != (Some(columns), Some(rows)) {
                    return Err(damaged("its size is not that of the file's header"));
                }
                frame = body.get(8).map(|q| usize::from(q & 3));
            }
            0xDA => {
                let selector = *body.get(2).ok_or_else(|| damaged("its scan header is cut off"))?;
                let quantization = frame.and_then(|q| tables.quantization[q]).ok_or_else(|| damaged("a table is missing"))?;
                let [dc, ac] = [selector >> 4 & 3, selector & 3].map(usize::from);
                let (Some(dc), Some(ac)) = (&tables.huffman[0][dc], &tables.huffman[1][ac]) else {
                    return Err(damaged("a table is missing"));
                };
                let bits = Bits { data: stream.get(pos..).unwrap_or_default(), pos: 0, byte: 0, n_left: 0 };
                return Scan { bits, dc, ac, quantization, restart: tables.restart }.decode(columns, rows);
            }
            _ => {}
        }
    }
    Err(damaged("it has no scan"))
}

struct Scan<'a> {
    bits: Bits<'a>,
    dc: &'a Huffman,
    ac: &'a Huffman,
    quantization: [f64; 64],
    restart: usize,
}

impl Scan<'_> {
    fn decode(mut self, columns: usize, rows: usize) -> Result<Vec<u16>> {
        let mut out = vec![0; columns * rows];
        let cosines = cosines();
        let (mut predicted, mut n_blocks) = (0_i32, 0);
        for top in (0..rows).step_by(8) {
            for left in (0..columns).step_by(8) {
                if self.restart > 0 && n_blocks > 0 && n_blocks % self.restart == 0 {
                    self.bits.restart();
                    predicted = 0;
                }
                n_blocks += 1;
                let block = inverse(&self.block(&mut predicted)?, &cosines);
                for (y, line) in block.chunks_exact(8).enumerate().take(rows - top) {
                    let at = (top + y) * columns + left;
                    for (o, v) in out[at..].iter_mut().zip(line).take(columns - left) {
                        *o = (v + 2048.0).round().clamp(0.0, 4095.0) as u16;
                    }
                }
            }
        }
        Ok(out)
    }

    /// Dequantized coefficients of the next block.
    fn block(&mut self, predicted: &mut i32) -> Result<[f64; 64]> {
        let mut block = [0.0; 64];
        let size = self.dc.next(&mut self.bits)?;
        if size > 15 {
            return Err(damaged("a coefficient is too large"));
        }
        *predicted = predicted.wrapping_add(self.bits.extended(u32::from(size)));
        block[0] = f64::from(*predicted) * self.quantization[0];
        let mut k = 1;
        while k < 64 {
            let code = self.ac.next(&mut self.bits)?;
            let (run, size) = (usize::from(code >> 4), u32::from(code & 15));
            if size == 0 && run != 15 {
                break;
            }
            k += run;
            if size > 0 {
                let at = *ZIGZAG.get(k).ok_or_else(|| damaged("a block has more than 64 coefficients"))?;
                block[at] = f64::from(self.bits.extended(size)) * self.quantization[at];
            }
            k += 1;
        }
        Ok(block)
    }
}

/// `[x][u]` of the inverse transform in one direction (A.3.3).
fn cosines() -> [[f64; 8]; 8] {
    std::array::from_fn(|x| {
        std::array::from_fn(|u| {
            let scale = if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
            0.5 * scale * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos()
        })
    })
}

/// Inverse cosine transform: along rows, then along columns.
fn inverse(block: &[f64; 64], cosines: &[[f64; 8]; 8]) -> [f64; 64] {
    let one = |line: [f64; 8], x: usize| -> f64 { (0..8).map(|u| line[u] * cosines[x][u]).sum() };
    let half: [f64; 64] = std::array::from_fn(|i| one(std::array::from_fn(|u| block[i / 8 * 8 + u]), i % 8));
    std::array::from_fn(|i| one(std::array::from_fn(|v| half[v * 8 + i % 8]), i / 8))
}
