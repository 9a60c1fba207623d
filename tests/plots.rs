//! Violins, dots, leading genes and the volcano: numbers of numpy, scipy and scanpy from `golden/plots.json` (made by
//! `golden/gen_plots.py`); and stories of a session and of a window that select a category in one place and see it in all.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as they were measured"
)]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::Progress;
use myoscope::model::{ColorMap, Element, ElementId, Expression, Layer, LayerKind, PixelSize, Section, Spots, Study};
use myoscope::omics::{Categories, CompareSettings, compare, dots, leading_genes, violins};
use myoscope::scene::{
    Camera, Derived, Drawn, GroupBy, Inputs, Mark, PaintTheme, PaneKind, Pies, Scene, SceneCache, SpotGroups, View, build, paint,
};
use myoscope::session::{
    Action, Against, Command, DeconvolveTask, DotGenes, PlotAction, RegionAction, RegionMode, RegionShape, Session,
    SignatureRecord, Task, ViewAction,
};
use myoscope::space::DVec2;
use serde_json::Value;
use sessions::settle;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The small generator of `golden/lcg.py`.
struct Lcg(u64);

impl Lcg {
    fn uniform(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }
}

/// Observations, genes and groups of the table of `gen_plots.py`.
const N: usize = 120;
const M: usize = 8;
const K: usize = 3;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/plots.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

fn near(got: &[f64], want: &Value, tolerance: f64) {
    let want = numbers(want);
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(&want).enumerate() {
        assert!((g - w).abs() <= tolerance * w.abs().max(1.0), "{i}: {g} for {w}");
    }
}

fn table() -> (Expression, Vec<u32>) {
    let mut dice = Lcg(77);
    let (mut offsets, mut columns, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for i in 0..N {
        for g in 0..M {
            let u = dice.uniform();
            let count = (u * u * if g % K == i % K { 30.0 } else { 6.0 }).floor() as f32;
            if g < M - 1 && count > 0.0 {
                columns.push(g as u32);
                values.push(count);
            }
        }
        offsets.push(columns.len() as u64);
    }
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let e = Expression::from_rows(names("g", M), vec![], names("s", N), &offsets, &columns, &values).unwrap();
    (e, (0..N as u32).map(|i| i % K as u32).collect())
}

#[test]
fn violins_are_those_of_scipy() {
    let (e, codes) = table();
    let totals = e.totals();
    let log = |(v, t): (f32, &f64)| (1e4 * f64::from(v) / t).ln_1p() as f32;
    let values: Vec<f32> = e.dense(1).into_iter().zip(&totals).map(log).collect();
    let found = violins(&values, Categories { codes: &codes, n: K }, 9, &Progress::none()).unwrap();
    for (v, want) in found.iter().flatten().zip(golden()["violins"].as_array().unwrap()) {
        assert_eq!(v.n as u64, want["n"].as_u64().unwrap());
        near(&v.quantiles, &want["quantiles"], 1e-6);
        near(&[v.mean, v.bandwidth.unwrap()], &Value::from(vec![want["mean"].clone(), want["bandwidth"].clone()]), 1e-6);
        near(&v.density, &want["density"], 1e-7);
    }
    // A category without spots, one of missing values, one of a single value, one of equal values.
    let values = [f32::NAN, f32::NAN, 2.0, 3.0, 3.0, 9.0];
    let codes = [1, 1, 2, 3, 3, u32::MAX];
    let found = violins(&values, Categories { codes: &codes, n: 4 }, 5, &Progress::none()).unwrap();
    assert_eq!((found[0].is_none(), found[1].is_none()), (true, true));
    let one = found[2].as_ref().unwrap();
    assert_eq!((one.n, one.quantiles, one.bandwidth, one.density.len()), (1, [2.0; 5], None, 0));
    assert_eq!(found[3].as_ref().unwrap().bandwidth, None);
    assert!(violins(&values, Categories { codes: &codes[1..], n: 4 }, 5, &Progress::none()).is_err());
}

#[test]
fn dots_are_those_of_scanpy() {
    let (e, codes) = table();
    let found = dots(&e, &[4, 0, 7, 2], Categories { codes: &codes, n: K }, &Progress::none()).unwrap();
    let golden = golden();
    near(&found.fraction, &golden["fraction"], 1e-12);
    near(&found.mean, &golden["mean"], 1e-6);
    near(&found.scaled(), &golden["scaled"], 1e-5);
    assert!(dots(&e, &[8], Categories { codes: &codes, n: K }, &Progress::none()).is_err());
    let empty = dots(&e, &[0], Categories { codes: &vec![0; N], n: 2 }, &Progress::none()).unwrap();
    assert!(empty.mean[1].is_nan() && empty.fraction[1].is_nan() && empty.mean[0].is_finite());
}

#[test]
fn leading_genes_are_those_of_scanpy() {
    let (e, codes) = table();
    let found = leading_genes(&e, Categories { codes: &codes, n: K }, 3, &Progress::none()).unwrap();
    for (of, group) in found.iter().zip(["a", "b", "c"]) {
        let want = &golden()["leading"][group];
        // Only genes above 0 are given.
        let names: Vec<&str> = of.iter().map(|l| e.genes()[l.gene].as_str()).collect();
        let theirs: Vec<&str> = want["names"].as_array().unwrap().iter().take(names.len()).map(|v| v.as_str().unwrap()).collect();
        assert_eq!(names, theirs);
        let scores: Vec<f64> = of.iter().map(|l| l.score).collect();
        near(&scores, &Value::from(numbers(&want["scores"])[..scores.len()].to_vec()), 1e-4);
        assert!(scores.len() >= 2);
    }
}

#[test]
fn chances_of_a_comparison_are_those_of_scipy() {
    let (e, codes) = table();
    let of = |k: u32| (0..N as u32).filter(|&i| codes[i as usize] == k).collect::<Vec<u32>>();
    let settings = CompareSettings { top: usize::MAX, ..CompareSettings::default() };
    let mut found = compare(&e, [&of(0), &of(1)], None, &settings, &Progress::none()).unwrap().genes;
    found.sort_by_key(|g| g.gene);
    let golden = golden();
    let logs = |v: &Value| Value::from(numbers(v).into_iter().map(f64::ln).collect::<Vec<_>>());
    near(&found.iter().map(|g| g.ln_p).collect::<Vec<_>>(), &logs(&golden["p"]), 1e-8);
    near(&found.iter().map(|g| g.ln_q).collect::<Vec<_>>(), &logs(&golden["q"]), 1e-8);
}

fn demo() -> (Session, ElementId) {
    let session = sessions::demo(None);
    let id = session.view.section.unwrap();
    (session, id)
}

fn act(session: &mut Session, action: Action) {
    session.apply(action);
    settle(session);
}

fn scene(session: &Session, pane: PaneKind, size_px: [u32; 2]) -> Scene {
    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
    build(&inputs, &mut SceneCache::default(), pane, size_px)
}

/// Spots and opacity of each layer of spots in a pane.
fn layers(session: &Session, pane: PaneKind) -> Vec<(usize, f32)> {
    let spots = |d: &Drawn| match d {
        Drawn::Spots(s) => Some((s.positions.len(), s.opacity)),
        _ => None,
    };
    scene(session, pane, [600, 500]).drawn.iter().filter_map(spots).collect()
}

#[test]
fn a_lit_category_is_lit_in_all_panes() {
    let (mut session, id) = demo();
    let groups = Arc::clone(session.derived.groups.as_ref().unwrap());
    let n = session.study.section(id).unwrap().spots.as_ref().unwrap().px.len();
    assert_eq!((groups.section, groups.codes.len()), (id, n));
    act(&mut session, Action::GroupBy(GroupBy::Segments));
    let groups = Arc::clone(session.derived.groups.as_ref().unwrap());
    assert_eq!((groups.by.clone(), groups.names.len()), (GroupBy::Segments, 17));
    let code = (0..17).max_by_key(|&c| groups.sizes[c]).unwrap();
    let plain = [PaneKind::Section, PaneKind::Overlay].map(|p| layers(&session, p));
    act(&mut session, Action::View(ViewAction::SelectGroup(Some(code as u32))));
    for (pane, before) in [PaneKind::Section, PaneKind::Overlay].into_iter().zip(&plain) {
        let lit = layers(&session, pane);
        assert_eq!(lit.len(), before.len() + 2, "{pane:?}: a rim and the lit spots");
        assert!(lit[0].1 < 0.3 * before[0].1, "{pane:?}: the others step back");
        assert_eq!((lit[1].0, lit[2].0), (groups.sizes[code], groups.sizes[code]), "{pane:?}");
    }
    // One thing is selected at a time; what is pointed at is before what was clicked.
    act(&mut session, Action::View(ViewAction::LightGroup(Some(0))));
    assert_eq!(session.view.shown_group(), Some(0));
    act(&mut session, Action::View(ViewAction::LightGroup(None)));
    act(&mut session, Action::View(ViewAction::SelectSegment(Some(3))));
    assert_eq!((session.view.selected_group, session.view.selected_segment), (None, Some(3)));
    act(&mut session, Action::View(ViewAction::SelectGroup(Some(2))));
    assert_eq!((session.view.selected_group, session.view.selected_segment), (Some(2), None));
    // A project remembers it; other categories let it go.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.myo");
    act(&mut session, Action::Save { path: path.clone(), with_data: false });
    let mut opened = Session::new(Arc::new(|| {}));
    act(&mut opened, Action::Open(vec![path]));
    assert_eq!((opened.view.group_by.clone(), opened.view.selected_group), (Some(GroupBy::Segments), Some(2)));
    let other = session.group_choices().into_iter().find(|b| *b != GroupBy::Segments).unwrap();
    act(&mut session, Action::GroupBy(other));
    assert_eq!(session.view.selected_group, None);
}

#[test]
fn regions_are_categories_that_follow_the_history() {
    let (mut session, id) = demo();
    let [low, high] = session.study.section(id).unwrap().bounds_mm();
    let (center, half) = ((low + high) / 2.0, (high - low).min_element() / 2.0);
    for x in [-0.2, 0.2] {
        let outline =
            (0..40).map(|i| center + DVec2::new(half * x, 0.0) + DVec2::from_angle(f64::from(i) * 0.157_08) * half * 0.6);
        let (pane, shape) = (PaneKind::Section, RegionShape::Lasso(outline.collect()));
        act(&mut session, Action::Region(RegionAction::Draw { pane, shape, mode: RegionMode::New }));
    }
    act(&mut session, Action::GroupBy(GroupBy::Regions));
    let groups = Arc::clone(session.derived.groups.as_ref().unwrap());
    assert_eq!(groups.names, ["A", "B"]);
    assert_eq!(groups.rgb, session.study.regions.iter().map(|r| r.rgb).collect::<Vec<_>>());
    let first = &session.study.regions[0].spots;
    assert!(first.iter().all(|&s| groups.codes[s as usize] != 1), "a spot in both is in the first");
    act(&mut session, Action::Region(RegionAction::Rename(1, "scar".into())));
    assert_eq!(session.derived.groups.as_ref().unwrap().names, ["A", "scar"]);
    (0..3).for_each(|_| act(&mut session, Action::Command(Command::Undo)));
    assert_ne!(session.derived.groups.as_ref().unwrap().by, GroupBy::Regions, "without regions, what there is else");
}

#[test]
fn plots_are_made_of_what_is_shown() {
    let (mut session, id) = demo();
    act(&mut session, Action::GroupBy(GroupBy::Segments));
    act(&mut session, Action::Paint { section: id, name: "NPPA".into() });
    act(&mut session, Action::Plot(PlotAction::Violins));
    let found = Arc::clone(session.violins().unwrap());
    assert!(Arc::ptr_eq(&found.values, &session.derived.spot_values[&id]));
    for (code, violin) in found.violins.iter().enumerate() {
        let of = |(i, v): (usize, &f32)| found.groups.of(i) == Some(code as u32) && v.is_finite();
        let n = found.values.values.iter().enumerate().filter(|x| of(*x)).count();
        assert_eq!(violin.as_ref().map_or(0, |v| v.n), n);
    }
    let named = DotGenes::Named(["nppa", "MYH7", "nobody", "NPPA"].map(String::from).to_vec());
    act(&mut session, Action::Plot(PlotAction::Dots(named)));
    let dots = Arc::clone(session.dot_plot().unwrap());
    assert_eq!(
        (dots.genes.as_slice(), dots.unknown.as_slice()),
        (&["NPPA".to_owned(), "MYH7".into()][..], &["nobody".to_owned()][..])
    );
    assert_eq!(dots.dots.mean.len(), 2 * 17);
    act(&mut session, Action::Plot(PlotAction::Dots(DotGenes::Leading(1))));
    assert!(!session.dot_plot().unwrap().genes.is_empty());
    // What cannot be drawn says why.
    let said = session.messages.len();
    act(&mut session, Action::Plot(PlotAction::Dots(DotGenes::Named(vec!["nobody".into()]))));
    assert!(session.messages[said..].iter().any(|m| m.text.contains("no gene of the section")), "{:?}", session.messages);
    // The volcano has all genes with their chances.
    let [low, high] = session.study.section(id).unwrap().bounds_mm();
    let spots = vec![low, DVec2::new(high.x, low.y), (low + high) / 2.0, DVec2::new(low.x, f64::midpoint(low.y, high.y))];
    let (pane, shape) = (PaneKind::Section, RegionShape::Lasso(spots));
    act(&mut session, Action::Region(RegionAction::Draw { pane, shape, mode: RegionMode::New }));
    act(&mut session, Action::Region(RegionAction::Compare { a: 0, b: Against::Rest, by: None }));
    let compared = session.compared().unwrap();
    let genes = compared.genes.as_ref().unwrap();
    assert_eq!((genes.genes.len(), compared.gene_names.len()), (genes.n_genes, genes.n_genes));
    assert!(genes.genes.iter().all(|g| g.ln_p <= g.ln_q && g.ln_q <= 0.0));
}

/// A section of 60 × 60 large spots with three kinds of spots.
fn square(folder: &std::path::Path) -> std::path::PathBuf {
    let (side, m) = (60usize, 9usize);
    let (mut offsets, mut columns, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for spot in 0..side * side {
        for gene in 0..m {
            columns.push(gene as u32);
            values.push(if gene % 3 == spot % 3 { 40.0 } else { 2.0 });
        }
        offsets.push(columns.len() as u64);
    }
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let e = Expression::from_rows(names("G", m), vec![], names("s", side * side), &offsets, &columns, &values).unwrap();
    let px: Vec<DVec2> = (0..side * side).map(|i| DVec2::new((i % side) as f64, (i / side) as f64) * 100.0).collect();
    let section = Section {
        name: "square".into(),
        picture: None,
        pixel_size: PixelSize::Unknown,
        spots: Some(Arc::new(Spots { px: px.into(), diameter_px: 60.0, in_tissue: vec![true; side * side] })),
        expression: Some(Arc::new(e)),
    };
    let path = folder.join("square.h5ad");
    myoscope::io::write_h5ad_with(&path, &section, &myoscope::io::Extras::default()).unwrap();
    path
}

#[test]
fn spots_become_pies_where_they_are_large_and_few() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::new(Arc::new(|| {}));
    act(&mut session, Action::Open(vec![square(folder.path())]));
    let id = session.view.section.unwrap();
    let genes: Vec<String> = (0..9).map(|g| format!("G{g}")).collect();
    let values = (0..9).flat_map(|g| (0..3).map(move |t| if g % 3 == t { 9.0 } else { 0.5 })).collect();
    let signature = SignatureRecord { genes, types: ["muscle", "vessel", "rest"].map(String::from).to_vec(), values };
    let task = DeconvolveTask { signature, ..DeconvolveTask::usual(id) };
    act(&mut session, Action::Run(Task::Deconvolve(Box::new(task))));
    assert_eq!(session.derived.cell_types[&id].names, ["muscle", "vessel", "rest"], "{:?}", session.messages);
    let pies = |scene: &Scene| scene.marks.iter().find_map(|m| if let Mark::Pies(p) = m { Some(Arc::clone(p)) } else { None });
    let says = |scene: &Scene, what: &str| {
        scene.marks.iter().any(|m| matches!(m, Mark::Text { lines, .. } if lines.iter().any(|l| l.contains(what))))
    };
    assert!(pies(&scene(&session, PaneKind::Section, [1200, 1200])).is_none(), "off at first");
    act(&mut session, Action::View(ViewAction::Pies(true)));
    let small = scene(&session, PaneKind::Section, [300, 300]);
    assert!(pies(&small).is_none() && says(&small, "spots too small"));
    let many = scene(&session, PaneKind::Section, [1200, 1200]);
    assert!(pies(&many).is_none() && says(&many, "3600 spots in sight, at most 3000"));
    // Ten by ten spots about the middle of the section.
    let camera = Camera { center: DVec2::splat(2.95), mm_per_px: 1.0 / 600.0 };
    act(&mut session, Action::View(ViewAction::Camera(PaneKind::Section, camera)));
    let near = scene(&session, PaneKind::Section, [600, 600]);
    let found = pies(&near).unwrap();
    assert!(found.centers.len() >= 100 && found.centers.len() <= 144, "{}", found.centers.len());
    let fields = &session.study.analyses.last_key_value().unwrap().1.fields;
    for (i, center) in found.centers.iter().enumerate() {
        let spot = ((center.y * 10.0).round() * 60.0 + (center.x * 10.0).round()) as usize;
        let want: Vec<f32> = fields.iter().take(3).map(|f| f.values[spot]).collect();
        assert_eq!(found.shares[3 * i..3 * i + 3], want);
        let wedges: Vec<_> = found.wedges(i).collect();
        assert!((wedges.last().unwrap().2 - 1.0).abs() < 1e-5 && wedges[0].1 == 0.0);
    }
    assert_eq!(found.rgb, [0, 1, 2].map(|i| myoscope::scene::color_table(ColorMap::Categories)[i]));
    let legend = |m: &Mark| matches!(m, Mark::ColorBar { title, names, .. } if title == "Cell types" && names.len() == 3);
    assert!(near.marks.iter().any(legend));
    // On pixels: the color in the middle of the largest wedge of the pie nearest the middle.
    let nearest = (0..found.centers.len())
        .min_by(|&a, &b| found.centers[a].distance(camera.center).total_cmp(&found.centers[b].distance(camera.center)))
        .unwrap();
    let image = paint(&near, &PaintTheme::default());
    let (color, from, to) = found.wedges(nearest).max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1))).unwrap();
    let [x, y] = Pies::direction(f32::midpoint(from, to));
    let at =
        camera.px_from_mm([600, 600], found.centers[nearest] + DVec2::new(f64::from(x), f64::from(y)) * 0.5 * found.radius_mm);
    let pixel = 4 * (at.y as usize * image.width + at.x as usize);
    assert_eq!(image.rgba[pixel..pixel + 3], found.rgb[color]);
}

/// What plots and a lit category cost on a million spots; the plots are made in the background, the lit spots are found
/// once for each category.
#[test]
fn a_million_spots_are_plotted_and_lit() {
    let (n, k, mut dice) = (1_000_000usize, 20usize, Lcg(5));
    let codes: Vec<u32> = (0..n).map(|i| (i % k) as u32).collect();
    let values: Vec<f32> = (0..n).map(|_| dice.uniform()).map(|u| if u < 0.6 { 0.0 } else { (8.0 * u) as f32 }).collect();
    let ms = |began: Instant| began.elapsed().as_secs_f64() * 1e3;
    let began = Instant::now();
    let found = violins(&values, Categories { codes: &codes, n: k }, 101, &Progress::none()).unwrap();
    assert!(found.iter().flatten().all(|v| v.n == n / k && v.density.len() == 101));
    let violins_ms = ms(began);

    let px: Arc<[DVec2]> = (0..n).map(|i| DVec2::new((i % 1000) as f64, (i / 1000) as f64) * 10.0).collect();
    let spots = Spots { px, diameter_px: 8.0, in_tissue: vec![true; n] };
    let pixel_size = PixelSize::Known { um_per_px: 1.0, source: "test".into() };
    let section = Section { name: "large".into(), picture: None, pixel_size, spots: Some(Arc::new(spots)), expression: None };
    let id = ElementId(1);
    let mut study = Study { next_id: 2, ..Study::default() };
    study.elements.insert(id, Element::Section(Arc::new(section)));
    let kind = LayerKind::Spots { color_by: None, log_normalized: true, color_map: ColorMap::Viridis, range: None };
    study.layers.push(Layer { element: id, kind, visible: true, opacity: 1.0 });
    let names = (0..k).map(|i| i.to_string()).collect();
    let groups =
        SpotGroups { section: id, by: GroupBy::Regions, codes: codes.into(), names, rgb: vec![[9; 3]; k], sizes: vec![n / k; k] };
    let derived = Derived { groups: Some(Arc::new(groups)), ..Derived::default() };
    let (mut view, mut cache) = (View { section: Some(id), ..View::default() }, SceneCache::default());
    let mut frame = |lit: Option<u32>| {
        view.lit_group = lit;
        let began = Instant::now();
        let inputs = Inputs { study: &study, view: &view, derived: &derived, pixels_per_point: 1.0 };
        let scene = build(&inputs, &mut cache, PaneKind::Section, [900, 900]);
        (ms(began), scene.drawn.len())
    };
    frame(None);
    let (first, again) = (frame(Some(3)), frame(Some(3)));
    assert_eq!((first.1, again.1), (3, 3));
    println!(
        "1 M spots in 20 categories: violins {violins_ms:.0} ms in the background; lit {:.1} ms, then {:.2} ms",
        first.0, again.0
    );
    assert!(again.0 < 20.0, "a lit category costs {:.1} ms in every frame", again.0);
}

/// The window: a click in a plot lights the category in the section, a click on the section in the plot.
#[cfg(feature = "gui")]
mod window {
    use super::*;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;
    use myoscope::ui::{Setup, Workbench};

    type Window = Harness<'static, Option<Workbench>>;

    fn window() -> Window {
        let frame = |ui: &mut egui::Ui, state: &mut Option<Workbench>| match state {
            Some(workbench) => workbench.show(ui),
            None => *state = Some(Workbench::in_context(ui.ctx(), &Setup { isolated: true, ..Setup::default() }).unwrap()),
        };
        let mut harness = Harness::builder().with_size(egui::vec2(1440.0, 1400.0)).build_ui_state(frame, None);
        wait(&mut harness, |w| !w.session().study.elements.is_empty());
        harness
    }

    /// Runs frames until nothing works and something holds.
    fn wait(harness: &mut Window, holds: impl Fn(&Workbench) -> bool) {
        let began = Instant::now();
        while !harness.state().as_ref().is_some_and(|w| w.is_idle() && holds(w)) {
            assert!(began.elapsed() < Duration::from_mins(3), "it takes too long");
            std::thread::sleep(Duration::from_millis(10));
            harness.step();
        }
        harness.run_steps(3);
    }

    fn session(w: &Window) -> &Session {
        w.state().as_ref().unwrap().session()
    }

    fn act(w: &mut Window, action: Action) {
        w.state_mut().as_mut().unwrap().apply(action);
        w.run_steps(3);
    }

    #[test]
    fn what_is_clicked_in_one_place_is_lit_in_all() {
        let mut w = window();
        let id = session(&w).view.section.unwrap();
        w.get_by_label("Plots").click();
        w.run_steps(3);
        act(&mut w, Action::GroupBy(GroupBy::Segments));
        act(&mut w, Action::Paint { section: id, name: "NPPA".into() });
        wait(&mut w, |w| w.session().violins().is_some() && w.session().dot_plot().is_some());
        let groups = Arc::clone(session(&w).derived.groups.as_ref().unwrap());
        let code = (0..17u32).max_by_key(|&c| groups.sizes[c as usize]).unwrap();
        let name = format!("Violin of {}", groups.names[code as usize]);
        w.get_by_label(&name).hover();
        w.run_steps(3);
        assert_eq!(session(&w).view.lit_group, Some(code), "pointing lights");
        w.get_by_label(&name).click();
        w.run_steps(3);
        assert_eq!(session(&w).view.selected_group, Some(code));
        w.key_press(egui::Key::Escape);
        w.run_steps(3);
        assert_eq!(session(&w).view.selected_group, None, "Esc lets go");

        w.get_by_label("Genes of the dots").click();
        w.run_steps(2);
        w.get_by_label("Genes of the dots").type_text("NPPA MYH7");
        w.run_steps(2);
        w.key_press(egui::Key::Enter);
        w.run_steps(2);
        wait(&mut w, |w| w.session().dot_plot().is_some_and(|d| d.genes == ["NPPA", "MYH7"]));
        w.get_by_label(&format!("MYH7 in {}", groups.names[code as usize])).click();
        w.run_steps(3);
        assert_eq!(session(&w).view.selected_group, Some(code));
        assert_eq!(session(&w).derived.spot_values[&id].title, "MYH7", "the gene of the dot is painted");
        wait(&mut w, |w| w.session().violins().is_some_and(|v| v.values.title == "MYH7"));
        w.get_by_label(&name);
    }
}
