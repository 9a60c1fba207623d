//! Lines of a scan: prediction from the neighbors, the regular mode and the run mode (T.87 A.3 to A.7, B).

use super::bits::Bits;
use super::model::{Coding, Model, RUN_ORDER};
use crate::base::Result;

/// More components than any photometric interpretation has.
pub(super) const MOST_COMPONENTS: usize = 4;

/// How the components of a scan are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interleave {
    /// A line of each component after the other; also for a single component.
    Line,
    /// Pixel by pixel.
    Sample,
}

/// Where samples go.
#[derive(Debug)]
pub(super) struct Place {
    pub columns: usize,
    /// Components of the image.
    pub n_all: usize,
    /// Those of this scan.
    pub components: Vec<usize>,
    /// Lower bits that were cut off (point transform).
    pub shift: u32,
}

/// The line before and the present one of a component, with one sample of edge on both sides.
#[derive(Clone, Debug)]
struct Rows {
    above: Vec<i32>,
    line: Vec<i32>,
}

impl Rows {
    fn new(columns: usize) -> Self {
        Self { above: vec![0; columns + 2], line: vec![0; columns + 2] }
    }

    /// Edges of the next line (A.2.1).
    fn begin(&mut self, columns: usize) {
        std::mem::swap(&mut self.above, &mut self.line);
        self.above[columns + 1] = self.above[columns];
        self.line[0] = self.above[1];
    }

    /// Neighbors a (left), b (above), c (above left), d (above right) of the sample at 1…columns.
    fn around(&self, x: usize) -> [i32; 4] {
        [self.line[x - 1], self.above[x], self.above[x - 1], self.above[x + 1]]
    }
}

/// Decodes all lines of a scan into interleaved samples.
pub(super) fn decode_scan(
    bits: &mut Bits<'_>,
    coding: Coding,
    interleave: Interleave,
    place: &Place,
    samples: &mut [u16],
) -> Result<()> {
    let mut lines = Lines {
        model: Model::new(coding),
        rows: vec![Rows::new(place.columns); place.components.len()],
        columns: place.columns,
        run_index: vec![0; place.components.len()],
    };
    for out in samples.chunks_exact_mut(place.columns * place.n_all) {
        for rows in &mut lines.rows {
            rows.begin(place.columns);
        }
        match interleave {
            Interleave::Sample => lines.line(bits, 0, place.components.len())?,
            Interleave::Line => (0..place.components.len()).try_for_each(|c| lines.line(bits, c, c + 1))?,
        }
        for (rows, &component) in lines.rows.iter().zip(&place.components) {
            for (pixel, &value) in out.chunks_exact_mut(place.n_all).zip(&rows.line[1..]) {
                pixel[component] = (value << place.shift) as u16;
            }
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Lines {
    model: Model,
    rows: Vec<Rows>,
    columns: usize,
    /// Of each component; that of the first where pixels are interleaved.
    run_index: Vec<usize>,
}

/// Median edge prediction (A.4.1).
fn predicted([a, b, c, _]: [i32; 4]) -> i32 {
    if c >= a.max(b) {
        a.min(b)
    } else if c <= a.min(b) {
        a.max(b)
    } else {
        a + b - c
    }
}

impl Lines {
    /// One line of the components `from..to` side by side.
    fn line(&mut self, bits: &mut Bits<'_>, from: usize, to: usize) -> Result<()> {
        let mut x = 1;
        while x <= self.columns {
            let mut is_run = true;
            let mut contexts = [0; MOST_COMPONENTS];
            for component in from..to {
                let [a, b, c, d] = self.rows[component].around(x);
                contexts[component % MOST_COMPONENTS] = self.model.coding.context([d - b, b - c, c - a]);
                is_run &= contexts[component % MOST_COMPONENTS] == 0;
            }
            if is_run {
                x = self.run(bits, x, from, to)?;
                continue;
            }
            for component in from..to {
                let around = self.rows[component].around(x);
                let value = self.model.regular(bits, contexts[component % MOST_COMPONENTS], predicted(around))?;
                self.rows[component].line[x] = value;
            }
            x += 1;
        }
        Ok(())
    }

    /// A run from `x` on and the sample that ends it; gives where to go on (A.7).
    fn run(&mut self, bits: &mut Bits<'_>, x: usize, from: usize, to: usize) -> Result<usize> {
        let end = self.columns + 1;
        let mut at = x;
        while at < end && bits.take(1)? == 1 {
            let whole = 1 << RUN_ORDER[self.run_index[from]];
            if at + whole <= end && self.run_index[from] < 31 {
                self.run_index[from] += 1;
            }
            at = (at + whole).min(end);
        }
        let is_ended = at < end && {
            at += bits.take(RUN_ORDER[self.run_index[from]])? as usize;
            at < end
        };
        let at = at.min(end);
        for rows in &mut self.rows[from..to] {
            let value = rows.line[x - 1];
            rows.line[x..at].fill(value);
        }
        if !is_ended {
            return Ok(at);
        }
        for component in from..to {
            let [a, b, ..] = self.rows[component].around(at);
            let alike = to - from == 1 && (a - b).abs() <= self.model.coding.near;
            let error = self.model.interruption(bits, alike, self.run_index[from])?;
            let sign = if !alike && b < a { -1 } else { 1 };
            self.rows[component].line[at] = self.model.coding.rebuilt(if alike { a } else { b }, sign * error);
        }
        self.run_index[from] = self.run_index[from].saturating_sub(1);
        Ok(at + 1)
    }
}
