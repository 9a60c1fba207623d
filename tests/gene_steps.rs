//! Steps on the genes of a section in the window, without a window: the numbers of the command line, undo and redo,
//! projects that compute them again without the files.

#![allow(clippy::unwrap_used, reason = "a failed test stops here")]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::Limits;
use myoscope::io::Table;
use myoscope::model::{
    Analysis, AnalysisResult, ColorMap, ElementId, Expression, LayerKind, PixelSize, Section, SpatialNumbers, Spots,
};
use myoscope::session::{
    Action, ClusterTask, Command, DeconvolveTask, EmbedTask, ExportWhat, GraphRecord, ReduceTask, ScoreTask, Session,
    SpatialGenesTask, Task,
};
use myoscope::space::DVec2;
use sessions::settle;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Spots in a row of the square section, and genes.
const SIDE: usize = 18;
const N_GENES: usize = 60;

/// A section of three stripes with genes of their own, as an h5ad; counts by a fixed rule.
fn write_section(folder: &Path) -> PathBuf {
    let n = SIDE * SIDE;
    let (mut offsets, mut columns, mut values) = (vec![0_u64], Vec::new(), Vec::new());
    let mut state = 7_u32;
    for spot in 0..n {
        for gene in 0..N_GENES {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let own = gene < 30 && gene / 10 == spot % SIDE * 3 / SIDE;
            let count = (state >> 24) % if own { 40 } else { 6 };
            if count > 0 {
                columns.push(gene as u32);
                values.push(count as f32);
            }
        }
        offsets.push(columns.len() as u64);
    }
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let expression = Expression::from_rows(names("G", N_GENES), vec![], names("s", n), &offsets, &columns, &values).unwrap();
    let px: Vec<DVec2> = (0..n).map(|i| DVec2::new((i % SIDE) as f64, (i / SIDE) as f64) * 100.0).collect();
    let section = Section {
        name: "stripes".into(),
        picture: None,
        pixel_size: PixelSize::Unknown,
        spots: Some(Arc::new(Spots { px: px.into(), diameter_px: 50.0, in_tissue: vec![true; n] })),
        expression: Some(Arc::new(expression)),
    };
    let path = folder.join("stripes.h5ad");
    myoscope::io::write_h5ad_with(&path, &section, &myoscope::io::Extras::default()).unwrap();
    path
}

struct Bench {
    folder: tempfile::TempDir,
    input: PathBuf,
    session: Session,
    section: ElementId,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = write_section(folder.path());
        let mut session = Session::new(Arc::new(|| {}));
        session.apply(Action::Open(vec![input.clone()]));
        settle(&mut session);
        let section = session.study.sections().next().unwrap_or_else(|| panic!("{:?}", session.messages)).0;
        Self { folder, input, session, section }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The table that steps of the command line write.
    fn command(&self, steps: &str, more: &[&str], file: &str) -> Table {
        let out = self.at("cli");
        let mut all = vec!["omics", steps, self.input.to_str().unwrap(), "--out", out.to_str().unwrap()];
        all.extend(more);
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_myoscope")).args(&all).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{all:?}: {}", String::from_utf8_lossy(&run.stderr));
        Table::read(&out.join(file), &Limits::default()).unwrap()
    }

    fn run(&mut self, action: Action) -> Arc<Analysis> {
        let before = (self.session.study.analyses.len(), self.session.messages.len());
        self.session.apply(action);
        settle(&mut self.session);
        let said = &self.session.messages[before.1..];
        assert_eq!(self.session.study.analyses.len(), before.0 + 1, "{said:?}");
        Arc::clone(self.session.study.analyses.last_key_value().unwrap().1)
    }

    /// Undo and redo bring the same analysis; a project computes it again, without the files that `forget` names.
    fn comes_back(&mut self, made: &Arc<Analysis>, forget: &[&Path]) {
        let n = self.session.study.analyses.len();
        self.session.apply(Action::Command(Command::Undo));
        assert_eq!(self.session.study.analyses.len(), n - 1);
        self.session.apply(Action::Command(Command::Redo));
        assert_eq!(self.session.study.analyses.last_key_value().unwrap().1, made);
        let project = self.at("p.myo");
        self.session.apply(Action::Save { path: project.clone(), with_data: false });
        settle(&mut self.session);
        forget.iter().for_each(|p| std::fs::remove_file(p).unwrap());
        let mut again = Session::new(Arc::new(|| {}));
        again.apply(Action::Open(vec![project]));
        settle(&mut again);
        let restored = again.study.analyses.last_key_value().unwrap_or_else(|| panic!("{:?}", again.messages)).1;
        assert_eq!((&restored.result, &restored.settings, &restored.sentence), (&made.result, &made.settings, &made.sentence));
        for (a, b) in restored.fields.iter().zip(&made.fields) {
            assert_eq!((&a.name, &a.values, &a.categories), (&b.name, &b.values, &b.categories));
        }
        assert_eq!(again.study.layers, self.session.study.layers);
    }

    fn painted(&self) -> (Option<String>, ColorMap) {
        let layers = &self.session.study.layers;
        let of = layers.iter().find_map(|l| match &l.kind {
            LayerKind::Spots { color_by, color_map, .. } => Some((color_by.clone(), *color_map)),
            _ => None,
        });
        of.unwrap()
    }
}

fn column(table: &Table, name: &str) -> Vec<Option<f64>> {
    table.numbers(name).unwrap()
}

/// The settings that both sides get.
const NORMAL: [&str; 4] = ["--target", "10000", "--log1p", "--quiet"];

fn reduce(section: ElementId) -> ReduceTask {
    ReduceTask { n_genes: 40, n_components: 8, seed: 3, ..ReduceTask::usual(section) }
}

#[test]
fn clusters_are_those_of_the_command_line() {
    let mut bench = Bench::new();
    let task = ClusterTask { reduce: reduce(bench.section), k: 12, resolution: 0.8 };
    let made = bench.run(Action::Run(Task::Cluster(Box::new(task))));
    let more = ["--n", "40", "--n", "8", "--k", "12", "--resolution", "0.8", "--seed", "3"];
    let table = bench.command("normalize+variable+pca+neighbors+cluster", &[&NORMAL[..], &more].concat(), "clusters.csv");
    let ours: Vec<Option<f64>> = made.fields[0].values.iter().map(|v| Some(f64::from(*v))).collect();
    assert_eq!(ours, column(&table, "cluster"));
    let AnalysisResult::Clusters(found) = &made.result else { panic!("clusters") };
    assert_eq!((found.sizes.iter().sum::<usize>(), found.sizes.len()), (SIDE * SIDE, made.fields[0].categories.len()));
    assert!(found.sizes.len() >= 3 && found.sizes.is_sorted_by(|a, b| a >= b), "{:?}", found.sizes);
    assert!(made.findings.iter().any(|f| f.code == "one-section"));
    // Painted as categories: the color of a cluster does not depend on how many there are.
    assert_eq!(bench.painted(), (Some("Cluster".into()), ColorMap::Categories));
    let shown = &bench.session.derived.spot_values[&bench.section];
    assert_eq!((shown.low, shown.high, shown.categories.len()), (0.0, 255.0, found.sizes.len()));
    bench.comes_back(&made, &[]);
    bench.session.apply(Action::Paint { section: bench.section, name: "G3".into() });
    assert_eq!(bench.painted(), (Some("G3".into()), ColorMap::Viridis));
}

#[test]
fn spatial_genes_are_those_of_the_command_line() {
    let mut bench = Bench::new();
    let usual = SpatialGenesTask::usual(bench.section);
    let graphs: [(GraphRecord, &[&str]); 5] = [
        (GraphRecord::Auto, &[]),
        (GraphRecord::Hex, &["--kind", "hex"]),
        (GraphRecord::Knn { k: 4 }, &["--kind", "knn", "--k", "4"]),
        (GraphRecord::Radius { px: 150.0 }, &["--kind", "radius", "--radius", "150"]),
        (GraphRecord::Delaunay, &["--kind", "delaunay", "--spatial-permutations", "9"]),
    ];
    for (graph, more) in graphs {
        let n_permutations = if graph == GraphRecord::Delaunay { 9 } else { 0 };
        let task = SpatialGenesTask { graph, n_permutations, ..usual.clone() };
        let made = bench.run(Action::Run(Task::SpatialGenes(Box::new(task))));
        let table = bench.command("normalize+autocorrelation", &[&NORMAL[..], more].concat(), "autocorrelation.csv");
        let AnalysisResult::SpatialGenes(found) = &made.result else { panic!("spatial genes") };
        let ours = |of: fn(&SpatialNumbers) -> f64| found.genes.iter().map(|g| g.numbers.as_ref().map(of)).collect::<Vec<_>>();
        assert_eq!(ours(|n| n.moran[0]), column(&table, "moran_i"), "{graph:?}");
        assert_eq!(ours(|n| n.moran[3]), column(&table, "moran_q"), "{graph:?}");
        assert_eq!(ours(|n| n.geary[0]), column(&table, "geary_c"), "{graph:?}");
        let id = bench.session.study.analyses.last_key_value().unwrap().0.0;
        let path = bench.at("window.csv");
        bench.session.apply(Action::Export { what: ExportWhat::GeneTable { analysis: id }, path: path.clone() });
        settle(&mut bench.session);
        let bytes = |p: &Path| std::fs::read(p).unwrap();
        assert_eq!(bytes(&path), bytes(&bench.at("cli").join("autocorrelation.csv")), "{graph:?}: the same bytes");
    }
    let made = bench.run(Action::Run(Task::SpatialGenes(Box::new(usual))));
    bench.comes_back(&made, &[]);
}

#[test]
fn gene_sets_are_those_of_the_command_line() {
    let mut bench = Bench::new();
    let sets = bench.at("sets.gmt");
    std::fs::write(&sets, "left\tx\tG0\tG1\tG2\tG3\nmiddle\tx\tG10\tG11\tG12\tnobody\nfew\tx\tG1\n").unwrap();
    for method in ["ulm", "ora"] {
        let task = ScoreTask { score: method.into(), ..ScoreTask::usual(bench.section) };
        let made = bench.run(Action::RunFrom { task: Box::new(Task::Score(Box::new(task))), file: Some(sets.clone()) });
        let more = ["--sets", sets.to_str().unwrap(), "--method", method];
        let table = bench.command("normalize+score", &[&NORMAL[..], &more].concat(), "scores.csv");
        let theirs = column(&table, "score");
        assert_eq!(made.fields.len(), 2);
        for (j, field) in made.fields.iter().enumerate() {
            let theirs: Vec<Option<f32>> = theirs.iter().skip(j).step_by(2).map(|v| v.map(|v| v as f32)).collect();
            assert_eq!(field.values.iter().map(|v| Some(*v)).collect::<Vec<_>>(), theirs, "{method}");
        }
        assert!(made.findings.iter().any(|f| f.code == "small-sets"));
        assert!(made.settings.iter().any(|(_, v)| v.starts_with("sets.gmt, sha256 ")));
    }
    let made = Arc::clone(bench.session.study.analyses.last_key_value().unwrap().1);
    bench.comes_back(&made, &[&sets]);
    // The built-in sets name genes that this section does not have.
    let task = Task::Score(Box::new(ScoreTask::usual(bench.section)));
    let n = bench.session.study.analyses.len();
    bench.session.apply(Action::RunFrom { task: Box::new(task), file: None });
    settle(&mut bench.session);
    assert_eq!(bench.session.study.analyses.len(), n);
    assert!(bench.session.messages.last().unwrap().text.contains("none of"), "{:?}", bench.session.messages.last());
}

#[test]
fn cell_types_are_those_of_the_command_line() {
    let mut bench = Bench::new();
    let signature = bench.at("signature.csv");
    let line = |g: usize| format!("G{g},{},{},0.5\n", if g < 10 { 9 } else { 1 }, if (10..20).contains(&g) { 7 } else { 1 });
    std::fs::write(&signature, format!("gene,muscle,vessel,rest\n{}", (0..40).map(line).collect::<String>())).unwrap();
    let task = Task::Deconvolve(Box::new(DeconvolveTask::usual(bench.section)));
    let made = bench.run(Action::RunFrom { task: Box::new(task.clone()), file: Some(signature.clone()) });
    let table = bench.command("deconvolve", &["--signature", signature.to_str().unwrap(), "--quiet"], "fractions.csv");
    for (field, name) in made.fields.iter().zip(["muscle", "vessel", "rest", "residual"]) {
        let theirs: Vec<Option<f32>> = column(&table, name).into_iter().map(|v| v.map(|v| v as f32)).collect();
        assert_eq!(field.values.iter().map(|v| Some(*v)).collect::<Vec<_>>(), theirs, "{name}");
    }
    assert_eq!(made.fields.len(), 4);
    bench.comes_back(&made, &[&signature]);
    let n = bench.session.study.analyses.len();
    for action in [Action::RunFrom { task: Box::new(task.clone()), file: None }, Action::Run(task)] {
        bench.session.apply(action);
        settle(&mut bench.session);
        assert!(bench.session.messages.last().unwrap().text.contains("choose a signature"));
    }
    assert_eq!(bench.session.study.analyses.len(), n);
}

#[test]
fn the_map_is_that_of_the_command_line() {
    let mut bench = Bench::new();
    let usual = EmbedTask::usual(bench.section);
    let task = EmbedTask { reduce: reduce(bench.section), k: 12, epochs: 40, ..usual };
    let made = bench.run(Action::Run(Task::Embed(Box::new(task))));
    let more = ["--n", "40", "--n", "8", "--k", "12", "--epochs", "40", "--seed", "3"];
    let table = bench.command("normalize+variable+pca+neighbors+embed", &[&NORMAL[..], &more].concat(), "embedding.csv");
    let AnalysisResult::Map(found) = &made.result else { panic!("a map") };
    for (axis, name) in ["umap1", "umap2"].into_iter().enumerate() {
        let ours: Vec<Option<f64>> = found.places.iter().map(|p| Some(f64::from(p[axis]))).collect();
        assert_eq!(ours, column(&table, name));
    }
    bench.comes_back(&made, &[]);
}
