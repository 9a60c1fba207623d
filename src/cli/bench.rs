//! `bench`: times the drawing of a scene. `start`, `demo` and `drag` open a window of 1600 × 1000; the others draw off
//! screen at that size, each frame finished before the next.

use super::Run;
use crate::base::{Error, Result};
use crate::render::bench::{FrameReport, bench_cine, bench_points, bench_warp};
use crate::ui::{BenchOptions, RunOptions, StartReport, run};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SceneName {
    /// Process start to the first useful picture.
    Start,
    /// The built-in case, its cine playing.
    Demo,
    /// The same while the cursor moves and a landmark of 64 pairs is dragged.
    Drag,
    /// A million spots, panned.
    #[value(name = "points-1m")]
    Points1m,
    /// Ten million.
    #[value(name = "points-10m")]
    Points10m,
    /// 512² × 12 × 30 cine playback.
    Cine,
    /// A thin plate of 64 pairs that follows the mouse.
    Warp,
}

/// `bench`.
#[derive(Args, Debug)]
pub struct Bench {
    /// What to draw.
    #[arg(value_enum)]
    scene: SceneName,
    /// How many frames.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    frames: u32,
}

impl Bench {
    /// Draws and tells.
    pub fn run(self, cli: &mut Run) -> Result<u8> {
        let n = self.frames as usize;
        let report = match self.scene {
            SceneName::Points1m => off_screen("points-1m", &bench_points(1_000_000, n)?),
            SceneName::Points10m => off_screen("points-10m", &bench_points(10_000_000, n)?),
            SceneName::Cine => off_screen("cine", &bench_cine(n)?),
            SceneName::Warp => off_screen("warp", &bench_warp(n)?),
            SceneName::Start => window("start", (0, false), cli.shared.seed)?,
            SceneName::Demo => window("demo", (n, false), cli.shared.seed)?,
            SceneName::Drag => window("drag", (n, true), cli.shared.seed)?,
        };
        if cli.shared.json {
            cli.printer.json(&report);
        } else {
            cli.printer.line(&machine_line(&report["adapter"]));
            cli.printer.line(&format!("{report:#}"));
        }
        Ok(0)
    }
}

fn off_screen(name: &str, report: &FrameReport) -> Value {
    json!({
        "scene": name,
        "adapter": report.adapter,
        "size_px": [1600, 1000],
        "frame_ms": {"least": report.least_ms, "median": report.median_ms, "p95": report.p95_ms, "p99": report.p99_ms},
        "processor_ms": report.processor_ms,
        "start_ms": {"window": Value::Null, "first_picture": report.first_ms},
        "upload_bytes": report.most_uploaded_bytes,
        "first_upload_bytes": report.first_uploaded_bytes,
        "shown_of": report.shown_of,
        "peak_rss_mb": peak_rss_mb(),
    })
}

fn window(name: &str, (n_frames, busy): (usize, bool), seed: u64) -> Result<Value> {
    let began = Instant::now().checked_sub(process_age()).unwrap_or_else(Instant::now);
    let bench = Some(BenchOptions { began, n_frames, size: [1600, 1000], busy });
    let report = run(RunOptions { seed, bench, ..RunOptions::default() })?
        .ok_or_else(|| Error::degenerate("the window was closed before anything was measured"))?;
    Ok(in_window(name, &report))
}

fn in_window(name: &str, report: &StartReport) -> Value {
    let quantiles = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |q: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * q).round() as usize).copied();
        json!({"median": at(0.5), "p95": at(0.95), "p99": at(0.99), "most": sorted.last()})
    };
    json!({
        "scene": name,
        "adapter": report.adapter,
        "size_px": [1600, 1000],
        "frame_ms": quantiles(&report.frame_ms),
        "own_ms": quantiles(&report.own_ms),
        "own_processor_ms": quantiles(&report.own_processor_ms),
        "start_ms": {"window": report.window_ms, "first_picture": report.first_picture_ms},
        "upload_bytes": report.upload_bytes,
        "peak_rss_mb": peak_rss_mb(),
    })
}

/// How long the process has been running, to a hundredth of a second; zero where the system does not say.
fn process_age() -> Duration {
    let age = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Fields after the name, which may hold spaces, begin with the third; the start is the 22nd.
        let started_ticks: f64 = stat.rsplit(')').next()?.split_whitespace().nth(19)?.parse().ok()?;
        let uptime: f64 = std::fs::read_to_string("/proc/uptime").ok()?.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_secs_f64((uptime - started_ticks / 100.0).max(0.0)))
    };
    age().unwrap_or_default()
}

fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}

fn machine_line(adapter: &Value) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok();
    let model = cpu.as_deref().and_then(|t| t.lines().find_map(|l| l.strip_prefix("model name")));
    let model = model.map_or("unknown processor", |m| m.trim_start_matches(['\t', ' ', ':']));
    let n = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{model}, {n} threads, {}", adapter.as_str().unwrap_or_default())
}
