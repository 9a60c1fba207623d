//! Runs the binary; folders, tables and the demo that tests share.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What a run left on its streams.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one JSON object on standard output, after checking that there is exactly one.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.err);
        let mut values = serde_json::Deserializer::from_str(&self.out).into_iter::<Value>();
        let value = values.next().expect("no JSON").expect("broken JSON");
        assert!(value.is_object() && values.next().is_none(), "exactly one object: {}", self.out);
        value
    }

    /// Checks that it failed as an error does: status 2, nothing on standard output, one sentence, no backtrace.
    pub fn is_error(&self, part: &str) {
        assert_eq!(self.status, 2, "{}{}", self.out, self.err);
        assert!(self.out.is_empty(), "an error prints nothing on standard output: {}", self.out);
        let said = self.err.to_lowercase();
        assert!(said.contains("error") && said.contains(&part.to_lowercase()), "{part:?} is not in {}", self.err);
        assert!(!said.contains("panick") && !said.contains("backtrace") && !said.contains("stopped unexpectedly"), "{said}");
    }

    pub fn done(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self
    }
}

/// Runs the binary in `folder` without a display.
pub fn run_in<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myoscope"));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "MYOSCOPE_PANIC", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    let state = std::env::temp_dir().join("myoscope-cli-tests");
    let output = command.args(arguments).current_dir(folder).env("XDG_STATE_HOME", state).output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the binary on a line of words; `{}` stands for the next path.
pub fn run(line: &str, paths: &[&Path]) -> Ran {
    let mut paths = paths.iter();
    let words = line.split_whitespace().map(|word| match word {
        "{}" => paths.next().expect("a path for every {}").as_os_str().to_owned(),
        word => word.into(),
    });
    let words: Vec<_> = words.collect();
    assert!(paths.next().is_none(), "a {{}} for every path");
    run_in(&std::env::temp_dir(), words)
}

/// The demo of seed 3, written once.
pub fn demo() -> &'static Path {
    static DEMO: OnceLock<tempfile::TempDir> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run("demo --seed 3 --quiet --out {}", &[folder.path()]).done();
        folder
    })
    .path()
}

pub fn truth() -> Value {
    serde_json::from_slice(&std::fs::read(demo().join("truth/truth.json")).unwrap()).unwrap()
}

/// The numbers of a JSON list.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// As `x,y,z` on the command line.
pub fn joined(numbers: &[impl Display]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The cells of a line; a quoted one may hold commas.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// A CSV: header, rows.
pub struct Csv {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Csv {
    pub fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(cells);
        let header: Vec<String> = lines.next().unwrap();
        let rows: Vec<Vec<String>> = lines.collect();
        assert!(rows.iter().all(|r| r.len() == header.len()), "rows of one length:\n{text}");
        Self { header, rows }
    }

    pub fn column(&self, name: &str) -> Vec<String> {
        let at = self.header.iter().position(|h| h == name).unwrap_or_else(|| panic!("{name} is not in {:?}", self.header));
        self.rows.iter().map(|r| r[at].clone()).collect()
    }

    /// Numbers of a column; an empty cell is `None`.
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        self.column(name).iter().map(|c| (!c.is_empty()).then(|| c.parse().unwrap())).collect()
    }
}

/// The value of a tidy table of measures by region, phase and metric.
pub fn measures(csv: &Csv) -> BTreeMap<(String, String, String), f64> {
    assert_eq!(csv.header, ["subject", "region", "phase", "metric", "value", "unit", "method"]);
    let keys = csv.column("region").into_iter().zip(csv.column("phase")).zip(csv.column("metric"));
    keys.zip(csv.numbers("value")).map(|(((r, p), m), v)| ((r, p, m), v.unwrap())).collect()
}

/// All files below a folder with their bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
