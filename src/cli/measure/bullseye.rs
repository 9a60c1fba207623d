//! `measure bullseye`: any number per segment as a bullseye.

use crate::base::{Error, Result};
use crate::cardiac::{Territory, cells, outline_of};
use crate::cli::Run;
use crate::cli::snapshot::parse_size;
use crate::io::{self, Table, TableColumn};
use crate::model::{ColorMap, Study};
use crate::scene::{self, BullseyeCell, BullseyeScale, Caption, Derived, Inputs, PaintTheme, PaneKind, SceneCache, View};
use crate::session::text_scale;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// `measure bullseye`.
#[derive(Args, Debug)]
pub struct Bullseye {
    /// A table of measures with segments 1 to 17 as regions.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Which number.
    #[arg(long)]
    metric: String,
    /// Of which phase; needed where there are several.
    #[arg(long)]
    phase: Option<String>,
    /// Of which subject; needed where there are several.
    #[arg(long)]
    subject: Option<String>,
    /// Usual coronary territories as outlines.
    #[arg(long)]
    territories: bool,
    /// Lowest and highest color; the least and the greatest value where not given.
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    range: Option<String>,
    /// Width and height of a picture.
    #[arg(long, default_value = "900x800", value_name = "WxH")]
    size: String,
    /// `.svg`, `.png`, or a table.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Values of one metric.
struct Chosen {
    values: [Option<f64>; 18],
    counts: [usize; 18],
    unit: String,
    method: String,
    phase: String,
}

impl Bullseye {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[Some(&self.out)])?;
        let table = Table::read(&self.table, &run.limits)?;
        let chosen = self.choose(&table).map_err(|e| e.at(&self.table))?;
        match io::bytes::ending(&self.out).as_str() {
            "svg" | "png" => self.draw(&chosen)?,
            _ => self.write(&chosen)?,
        }
        let n = chosen.values.iter().flatten().count();
        if run.shared.json {
            run.printer.json(&json!({"metric": self.metric, "phase": chosen.phase, "n_segments": n, "unit": chosen.unit}));
        } else {
            run.printer.line(&format!("{} of {n} segments: {}", self.metric, self.out.display()));
        }
        Ok(0)
    }

    fn choose(&self, table: &Table) -> Result<Chosen> {
        let texts = |name: &str| table.texts(name).map(|t| t.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let [subjects, regions, phases, metrics] = [texts("subject")?, texts("region")?, texts("phase")?, texts("metric")?];
        let (values, units, methods) = (table.numbers("value")?, texts("unit")?, texts("method")?);
        let segment = |row: usize| regions[row].parse::<usize>().ok().filter(|s| (1..=17).contains(s));
        let wanted = |row: &usize| {
            let own = |want: &Option<String>, is: &str| want.as_ref().is_none_or(|w| w == is);
            segment(*row).is_some() && own(&self.phase, &phases[*row]) && own(&self.subject, &subjects[*row])
        };
        let rows: Vec<usize> = (0..table.n_rows()).filter(|r| metrics[*r] == self.metric).filter(wanted).collect();
        let Some(&first) = rows.first() else {
            let there = metrics.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(Error::degenerate(format!("no segment has the metric {}; there are {there}", self.metric)));
        };
        for (what, column, option) in
            [("phases", &phases, "--phase"), ("subjects", &subjects, "--subject"), ("definitions", &methods, "other columns")]
        {
            let several: BTreeSet<&String> = rows.iter().map(|r| &column[*r]).collect();
            if several.len() > 1 {
                return Err(Error::parameter(format!(
                    "{} has {} {what}, which are not put into one bullseye; choose by {option}",
                    self.metric,
                    several.len()
                )));
            }
        }
        let mut chosen = Chosen {
            values: [None; 18],
            counts: [0; 18],
            unit: units[first].clone(),
            method: methods[first].clone(),
            phase: phases[first].clone(),
        };
        rows.iter().for_each(|r| chosen.values[segment(*r).unwrap_or(0)] = values[*r].filter(|v| v.is_finite()));
        for row in (0..table.n_rows()).filter(|r| metrics[*r] == "n_voxels").filter(wanted) {
            chosen.counts[segment(row).unwrap_or(0)] = values[row].unwrap_or(0.0) as usize;
        }
        Ok(chosen)
    }

    fn write(&self, chosen: &Chosen) -> Result<()> {
        let cells = cells();
        let at = |c: &crate::cardiac::Cell| usize::from(c.segment);
        let same = |text: &str| TableColumn::text("", cells.iter().map(|_| Some(text.to_owned()))).cells;
        let column = |name: &str, cells| TableColumn { name: name.to_owned(), cells };
        Table::new(vec![
            TableColumn::whole("segment", cells.iter().map(|c| Some(i64::from(c.segment)))),
            TableColumn::text("name", cells.iter().map(|c| Some(c.name))),
            TableColumn::text("territory", cells.iter().map(|c| Some(c.territory.name()))),
            column("metric", same(&self.metric)),
            TableColumn::numbers("value", cells.iter().map(|c| chosen.values[at(c)])),
            column("unit", same(&chosen.unit)),
            TableColumn::whole("n", cells.iter().map(|c| Some(chosen.counts[at(c)] as i64).filter(|n| *n > 0))),
            column("method", same(&chosen.method)),
        ])?
        .write(&self.out)
    }

    fn draw(&self, chosen: &Chosen) -> Result<()> {
        let size = parse_size(&self.size)?;
        let derived = Derived { bullseye: shown(chosen), bullseye_scale: Some(self.scale(chosen)?), ..Derived::default() };
        let (study, view) = (Study::default(), View::default());
        let theme = PaintTheme { pixels_per_point: text_scale(size), ..PaintTheme::default() };
        let phase = if chosen.phase.is_empty() { String::new() } else { format!(", {}", chosen.phase) };
        let what = format!("{}{phase} ({}): {}", self.metric, chosen.unit, chosen.method);
        let hatched = "Hatched: no value. For research, not for diagnosis".to_owned();
        let caption = Caption::new(&[what.clone(), hatched], size[0], &theme);
        let room = [size[0], size[1].saturating_sub(caption.height_px).max(16)];
        let inputs = Inputs { study: &study, view: &view, derived: &derived, pixels_per_point: theme.pixels_per_point };
        let scene = scene::build(&inputs, &mut SceneCache::default(), PaneKind::Bullseye, room);
        if io::bytes::ending(&self.out) == "svg" {
            let mut drawing = scene::draw_vectors(&scene, &caption, &theme);
            drawing.title = format!("{}{phase}", self.metric);
            drawing.description = what;
            return io::write_svg(&self.out, &drawing);
        }
        let image = scene::paint_with_caption(&scene, &caption, &theme);
        io::write_png(&self.out, image.width, image.height, &image.rgba)
    }

    fn scale(&self, chosen: &Chosen) -> Result<BullseyeScale> {
        let values = || chosen.values.iter().flatten().copied();
        let (mut low, mut high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        if let Some(text) = &self.range {
            let wrong = || Error::parameter(format!("--range {text}: expected LOW,HIGH with LOW under HIGH"));
            let (a, b) = text.split_once(',').ok_or_else(wrong)?;
            (low, high) =
                a.trim().parse().ok().zip(b.trim().parse().ok()).filter(|(a, b): &(f64, f64)| a < b).ok_or_else(wrong)?;
        }
        let outlines = if self.territories { Territory::ALL.into_iter().flat_map(outline_of).collect() } else { Vec::new() };
        let title = self.metric.replace('_', " ");
        Ok(BullseyeScale { title, rule: chosen.unit.clone(), low, high, color_map: ColorMap::Viridis, outlines })
    }
}

fn shown(chosen: &Chosen) -> Vec<BullseyeCell> {
    let cell = |c: crate::cardiac::Cell| BullseyeCell {
        segment: c.segment,
        ring: c.outline,
        label_at: c.center,
        name: c.name.to_owned(),
        value: chosen.values[usize::from(c.segment)],
        n: chosen.counts[usize::from(c.segment)],
    };
    cells().into_iter().map(cell).collect()
}
