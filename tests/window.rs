//! The real window on a display: a graphics device that is lost costs the window, not the work. Where there is no
//! display and no virtual one, the test says so and passes.

#![cfg(feature = "gui")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A virtual display that ends with the test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn new() -> Option<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        Some(Self { server, name: format!(":{}", number.trim()) }).filter(|d| d.name.len() > 1)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn picture(display: &Display, out: &Path, loss: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myoscope"));
    command.args(["snapshot", "--view", "window", "--size", "800x500", "--out"]).arg(out);
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY");
    if !loss.is_empty() {
        command.env("MYOSCOPE_LOSE_DEVICE", loss);
    }
    let done = command.output().unwrap();
    (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn a_lost_device_costs_the_window_not_the_work() {
    let Some(display) = Display::new() else {
        eprintln!("Xvfb is not installed: the window was not opened");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("window.png");
    for loss in ["", "4"] {
        let (status, said) = picture(&display, &out, loss);
        assert_eq!(status, 0, "lost at {loss:?}: {said}");
        assert!(std::fs::metadata(&out).unwrap().len() > 10_000, "lost at {loss:?}: the window is empty");
        std::fs::remove_file(&out).unwrap();
    }
    // In the middle of a frame the window may be beyond help; then it is said, and what to do.
    let (status, said) = picture(&display, &out, "4!");
    assert!(out.exists() && status == 0 || status == 2 && said.contains("the next start offers it back"), "{status}: {said}");
}
