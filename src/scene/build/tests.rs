//! Panes of a small study with everything in it: what is drawn, what is remembered, what is said where
//! something is missing. With `MYOSCOPE_PREVIEW=DIR` the panes are also written as PPM files, to be looked at.

use super::*;
use crate::model::{
    ColorMap, Element, Expression, Fit, Landmark, Landmarks, Layer, LayerKind, Mirror, Picture, PixelSize, Quality, Registration,
    Samples, Section, Spots, TransformModel, Volume,
};
use crate::scene::{Drawn, Mark, PaintTheme, fixed, paint, spot_values};
use crate::space::{DAffine2, DAffine3, DMat3, Grid, ThinPlate, Warp};
use std::f64::consts::{PI, TAU};

const HEART: ElementId = ElementId(0);
const LABELS: ElementId = ElementId(1);
const SECTION: ElementId = ElementId(2);

/// 1 right ventricle, 2 wall, 3 left ventricle; the apex is left, in front and below.
fn heart_label(lps: DVec3) -> u8 {
    let down = DVec3::new(0.6, -0.6, -0.5).normalize();
    let along = lps.dot(down);
    let septal = (DVec3::new(-1.0, -1.0, 0.0) - down * DVec3::new(-1.0, -1.0, 0.0).dot(down)).normalize();
    let across = lps - down * along;
    let taper = (1.0 - ((along + 40.0) / 85.0).clamp(0.0, 1.0).powi(2)).max(0.0).sqrt();
    let (lv, rv) = (across.length(), (across - septal * 30.0).length());
    match () {
        () if !(-40.0..45.0).contains(&along) => 0,
        () if lv < 22.0 * taper => 3,
        () if lv < 22.0 * taper + 9.0 => 2,
        () if along < 30.0 && rv < 26.0 * taper => 1,
        () => 0,
    }
}

fn heart() -> (Volume, LabelMap) {
    let size = [72usize, 72, 11];
    let down = DVec3::new(0.6, -0.6, -0.5).normalize();
    let right = DVec3::new(0.7, 0.7, 0.0).normalize();
    let row = (-down).cross(right);
    let matrix3 = DMat3::from_cols(right * 2.0, row * 2.0, down * 10.0);
    let middle = matrix3 * DVec3::new(35.5, 35.5, 5.0);
    let grid = Grid::new(size, DAffine3 { matrix3, translation: -middle }).unwrap();
    let place = |n: usize| DVec3::new((n % 72) as f64, (n / 72 % 72) as f64, (n / 5184) as f64);
    let labels: Vec<u8> = (0..grid.n_voxels()).map(|n| heart_label(grid.lps_from_voxel().transform_point3(place(n)))).collect();
    let bright = |(n, &l): (usize, &u8)| [90i16, 620, 180, 700][usize::from(l)] + ((n * 7919) % 61) as i16;
    let values: Vec<i16> = labels.iter().enumerate().map(bright).collect();
    let phases = vec![Samples::I16(values.into()); 5];
    let mut volume = Volume::new("cine", grid, phases).unwrap();
    volume.phase_times_ms = (0..5).map(|p| f64::from(p) * 160.0).collect();
    (volume, LabelMap::new("segmentation", grid, vec![labels.into()]).unwrap())
}

/// A ring of tissue on glass, 0.05 mm per pixel, with a hexagonal lattice of spots.
fn section() -> Section {
    let (n, mm) = (420usize, 0.05);
    let wall = |p: DVec2| {
        let d = p - DVec2::new(10.5, 10.5);
        let angle = d.y.atan2(d.x);
        d.length() > 4.2 && d.length() < 8.2 + 0.5 * (3.0 * angle).sin()
    };
    let color = |i: usize| {
        let p = DVec2::new((i % n) as f64, (i / n) as f64) * mm;
        let grain = ((i * 7919) % 37) as u8;
        if wall(p) { [205 + grain / 2, 120 + grain, 160 + grain, 255] } else { [240, 238, 241, 255] }
    };
    let picture = crate::imaging::pyramid(Picture::single(n, n, (0..n * n).flat_map(color).collect()).unwrap(), 64);
    let lattice =
        (0..44 * 38).map(|i| DVec2::new(f64::from(i % 38) * 11.0 + f64::from(i / 38 % 2) * 5.5, f64::from(i / 38) * 9.6));
    let px: Vec<DVec2> = lattice.filter(|p| wall(*p * mm)).collect();
    let count = |p: &DVec2| (20.0 * (1.0 + (p.x / 60.0).sin())).round() as f32;
    let values: Vec<f32> = px.iter().flat_map(|p| [count(p), 400.0]).collect();
    let offsets: Vec<u64> = (0..=px.len() as u64).map(|i| i * 2).collect();
    let columns: Vec<u32> = px.iter().flat_map(|_| [0, 1]).collect();
    let names = (0..px.len()).map(|i| format!("s{i}")).collect();
    let genes = vec!["NPPA".into(), "ACTB".into()];
    let expression = Expression::from_rows(genes, vec![], names, &offsets, &columns, &values).unwrap();
    let in_tissue = vec![true; px.len()];
    Section {
        name: "S1".into(),
        picture: Some(Arc::new(picture)),
        pixel_size: PixelSize::Known { um_per_px: mm * 1000.0, source: "typed".into() },
        spots: Some(Arc::new(Spots { px: px.into(), diameter_px: 8.0, in_tissue })),
        expression: Some(Arc::new(expression)),
    }
}

fn registration(plane: Plane) -> Registration {
    let affine = DAffine2::from_scale_angle_translation(DVec2::splat(3.6), 0.25, DVec2::new(-28.0, -46.0));
    let centers: Vec<DVec2> = [(4.0, 4.0), (17.0, 5.0), (16.0, 16.0), (5.0, 17.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
    let weights = [0.02, -0.02, 0.02, -0.02].map(|w| DVec2::new(w, -w)).to_vec();
    let warp = Warp::ThinPlate(ThinPlate { affine, centers: centers.clone(), weights });
    let pair = |(i, c): (usize, &DVec2)| Landmark {
        name: ["anterior RV insertion", "lateral wall", "inferior wall", "inferior RV insertion"][i].into(),
        moving: Some(*c),
        fixed: Some(plane.lps_from_plane(warp.apply(*c) + DVec2::new(1.5, 0.5) * (i as f64 - 1.5))),
        active: true,
    };
    let mut pairs: Vec<Landmark> = centers.iter().enumerate().map(pair).collect();
    pairs.push(Landmark { moving: None, ..pairs[0].clone() });
    pairs[4].fixed = Some(plane.lps_from_plane(DVec2::new(2.0, 3.0)));
    let quality = Quality {
        n_pairs: 4,
        rms_mm: Some(0.84),
        residuals: vec![],
        leave_one_out: vec![],
        leave_one_out_median_mm: Some(1.4),
        mirror: Some(Mirror { suspected: false, rms_proper_mm: 1.0, rms_reflected_mm: 9.0 }),
        swapped_pairs: vec![],
        folds: 0,
        scale: 3.6,
    };
    Registration {
        section: SECTION,
        heart: HEART,
        plane,
        half_slice_mm: 5.0,
        landmarks: Landmarks { pairs },
        model: TransformModel::ThinPlate,
        stiffness: 0.0,
        flip_x_mm: None,
        fit: Some(Fit { plane_from_section: warp, quality }),
        problem: None,
        enabled: true,
    }
}

fn layer(element: ElementId, kind: LayerKind) -> Layer {
    Layer { element, kind, visible: true, opacity: 1.0 }
}

fn study() -> Study {
    let (volume, labels) = heart();
    let plane = crate::scene::default_planes(&volume, Some(&labels))[0];
    let mut study = Study { next_id: 3, ..Study::default() };
    let (low, high) = volume.window;
    study.elements.insert(HEART, Element::Volume(Arc::new(volume)));
    study.elements.insert(LABELS, Element::Labels(Arc::new(labels)));
    study.elements.insert(SECTION, Element::Section(Arc::new(section())));
    study.registrations.insert(SECTION, registration(plane));
    let spots =
        LayerKind::Spots { color_by: Some("NPPA".into()), log_normalized: true, color_map: ColorMap::Viridis, range: None };
    study.layers = vec![
        layer(HEART, LayerKind::Image { low, high, color_map: ColorMap::Gray, smooth: true }),
        layer(LABELS, LayerKind::Labels { fill: 0.3, outline_px: 1.5 }),
        layer(SECTION, LayerKind::Picture),
        layer(SECTION, spots),
    ];
    assert!(study.check().is_empty(), "{:?}", study.check());
    study
}

fn cell(segment: u8, (inner, outer): (f64, f64), (from, to): (f64, f64)) -> BullseyeCell {
    let at = |r: f64, a: f64| DVec2::new(a.cos(), -a.sin()) * r;
    let angle = |i: usize| from + (to - from) * i as f64 / 24.0;
    let outside = (0..=24).map(|i| at(outer, angle(i)));
    let inside = (0..=24).rev().filter(|_| inner > 0.0).map(|i| at(inner, angle(i)));
    let ring = outside.chain(inside).collect();
    let label_at = if inner == 0.0 { DVec2::ZERO } else { at(f64::midpoint(inner, outer), f64::midpoint(from, to)) };
    let value = (segment != 11).then(|| 8.0 + f64::from(segment) * 0.3);
    BullseyeCell { segment, ring, label_at, name: "ant.".into(), value, n: 40 }
}

fn bullseye() -> Vec<BullseyeCell> {
    let mut cells = Vec::new();
    for (level, (inner, outer)) in [(0u8, (0.75, 1.0)), (1, (0.5, 0.75))] {
        for i in 0..6u8 {
            let from = (60.0 + 60.0 * f64::from(i)).to_radians();
            cells.push(cell(level * 6 + i + 1, (inner, outer), (from, from + PI / 3.0)));
        }
    }
    for i in 0..4u8 {
        let from = (45.0 + 90.0 * f64::from(i)).to_radians();
        cells.push(cell(13 + i, (0.25, 0.5), (from, from + PI / 2.0)));
    }
    cells.push(cell(17, (0.0, 0.25), (0.0, TAU)));
    cells
}

fn derived(study: &Study) -> Derived {
    let values = spot_values(study.section(SECTION).unwrap(), "NPPA", true, None);
    Derived {
        segments: BTreeMap::new(),
        bullseye: bullseye(),
        bullseye_scale: None,
        spot_values: BTreeMap::from([(SECTION, Arc::new(values))]),
        ..Derived::default()
    }
}

fn inputs<'a>(study: &'a Study, view: &'a View, derived: &'a Derived) -> Inputs<'a> {
    Inputs { study, view, derived, pixels_per_point: 1.0 }
}

fn view() -> View {
    View { cursor: Some(DVec3::new(5.0, 5.0, 9.0)), selected_pair: Some(1), lit_segment: Some(8), ..View::default() }
}

fn labels_of(scene: &Scene) -> Vec<&str> {
    let text = |m: &'_ Mark| matches!(m, Mark::Label { .. });
    scene.marks.iter().filter(|m| text(m)).map(|m| if let Mark::Label { text, .. } = m { text.as_str() } else { "" }).collect()
}

#[test]
fn every_pane_has_its_things() {
    let (study, view) = (study(), View { genes_on_heart: false, ..view() });
    let derived = derived(&study);
    let (inputs, mut cache) = (inputs(&study, &view, &derived), SceneCache::default());
    let kinds = |scene: &Scene| -> Vec<u8> {
        let kind = |d: &Drawn| match d {
            Drawn::Slice(_) => b's',
            Drawn::Labels(_) => b'l',
            Drawn::Picture(_) => b'p',
            Drawn::Spots(_) => b'd',
        };
        scene.drawn.iter().map(kind).collect()
    };
    let expected: [&[u8]; 6] = [b"sl", b"sl", b"sl", b"pd", b"spd", b""];
    for (pane, expected) in PaneKind::ALL.into_iter().zip(expected) {
        let scene = build(&inputs, &mut cache, pane, [400, 400]);
        assert_eq!(kinds(&scene), expected, "{pane:?}");
        assert_eq!(scene, build(&inputs, &mut cache, pane, [400, 400]));
        let is_patient = pane.is_heart() || pane == PaneKind::Overlay;
        assert_eq!(scene.marks.iter().any(|m| matches!(m, Mark::Letters(_))), is_patient);
        assert_eq!(scene.marks.iter().any(|m| matches!(m, Mark::Cursor { .. })), pane != PaneKind::Bullseye);
        let plain = build_plain(&inputs, &mut cache, pane, [400, 400]);
        assert!(plain.marks.is_empty() && plain.camera.mm_per_px < scene.camera.mm_per_px);
    }
}

#[test]
fn nothing_large_is_made_twice() {
    let (study, mut view) = (study(), view());
    let mut derived = derived(&study);
    let mut cache = SceneCache::default();
    let drawn = |view: &View, derived: &Derived, cache: &mut SceneCache| {
        let scene = build(&inputs(&study, view, derived), cache, PaneKind::Overlay, [600, 500]);
        let mut found = (None, None);
        for d in scene.drawn {
            match d {
                Drawn::Picture(p) => found.0 = Some(p.mesh),
                Drawn::Spots(s) => found.1 = Some(s.positions),
                _ => {}
            }
        }
        (found.0.unwrap(), found.1.unwrap())
    };
    let first = drawn(&view, &derived, &mut cache);
    view.cardiac_phase = 0.4;
    view.cursor = None;
    let values = spot_values(study.section(SECTION).unwrap(), "ACTB", false, None);
    derived.spot_values.insert(SECTION, Arc::new(values));
    let start = std::time::Instant::now();
    let second = drawn(&view, &derived, &mut cache);
    let spent = start.elapsed();
    assert!(Arc::ptr_eq(&first.0, &second.0) && Arc::ptr_eq(&first.1, &second.1));
    eprintln!("overlay built again in {spent:?}");
    assert!(spent.as_millis() < 20, "{spent:?}");
    view.neurological = true;
    let third = drawn(&view, &derived, &mut cache);
    assert!((third.1[0][0] + first.1[0][0]).abs() < 1e-4, "mirrored: {} {}", third.1[0][0], first.1[0][0]);
}

#[test]
fn places_go_through_the_panes_and_back() {
    let (study, view) = (study(), view());
    let derived = derived(&study);
    let (inputs, mut cache) = (inputs(&study, &view, &derived), SceneCache::default());
    let p = DVec2::new(8.0, 9.0);
    let lps = lps_from_pane(&inputs, &mut cache, PaneKind::Section, p).unwrap();
    let plane = pane_plane(&inputs, &mut cache, PaneKind::Overlay).unwrap();
    assert!(plane.distance_mm(lps).abs() < 1e-9);
    let back = section_from_pane(&inputs, &mut cache, PaneKind::Overlay, plane.plane_from_lps(lps)).unwrap();
    assert!(back.distance(p) < 1e-5, "{back}");
    let (camera, size) = (Camera { center: DVec2::new(3.0, -7.0), mm_per_px: 0.37 }, [611, 433]);
    let px = DVec2::new(101.5, 30.25);
    assert!(camera.px_from_mm(size, camera.mm_from_px(size, px)).distance(px) < 1e-9);
    let near = camera.zoomed(size, px, 2.5);
    assert!(near.mm_from_px(size, px).distance(camera.mm_from_px(size, px)) < 1e-9);
}

#[test]
fn what_is_missing_is_said() {
    let (empty, view, none) = (Study::default(), View::default(), Derived::default());
    let mut cache = SceneCache::default();
    for pane in PaneKind::ALL {
        let scene = build(&inputs(&empty, &view, &none), &mut cache, pane, [300, 300]);
        assert!(scene.drawn.is_empty() && labels_of(&scene).len() >= 2, "{pane:?}: a title and what to do");
    }
    let mut study = study();
    let r = study.registrations.get_mut(&SECTION).unwrap();
    r.fit = None;
    r.landmarks.pairs.truncate(1);
    let scene = build(&inputs(&study, &view, &none), &mut cache, PaneKind::Overlay, [300, 300]);
    let says = |m: &Mark| matches!(m, Mark::Text { lines, .. } if lines[0].contains("needs 2 more pairs"));
    assert!(scene.marks.iter().any(says) && scene.drawn.len() == 1);
}

#[test]
fn labels_of_another_image_are_not_drawn() {
    let (mut study, mut view) = (study(), view());
    let own = study.volume(HEART).unwrap();
    let shift = DAffine3::from_translation(DVec3::new(0.7, 1.1, -3.0));
    let grid = Grid::new(own.grid.size(), shift * own.grid.lps_from_voxel()).unwrap();
    let other = Volume { grid, name: "another patient".into(), ..(**own).clone() };
    study.elements.insert(ElementId(3), Element::Volume(Arc::new(other)));
    let derived = derived(&study);
    let n_labels = |view: &View| {
        let scene = build(&inputs(&study, view, &derived), &mut SceneCache::default(), PaneKind::ShortAxis, [300, 300]);
        scene.drawn.iter().filter(|d| matches!(d, Drawn::Labels(_))).count()
    };
    assert_eq!(n_labels(&view), 1);
    view.heart = Some(ElementId(3));
    assert_eq!(n_labels(&view), 0, "boxes overlap, voxels do not coincide");
}

#[test]
fn a_link_that_is_off_leads_nowhere() {
    let (mut study, view) = (study(), view());
    let derived = derived(&study);
    study.registrations.get_mut(&SECTION).unwrap().enabled = false;
    let (inputs, mut cache) = (inputs(&study, &view, &derived), SceneCache::default());
    assert_eq!(lps_from_pane(&inputs, &mut cache, PaneKind::Section, DVec2::new(8.0, 9.0)), None);
    let scene = build(&inputs, &mut cache, PaneKind::Overlay, [300, 300]);
    assert!(scene.drawn.iter().all(|d| matches!(d, Drawn::Slice(_))), "the heart alone");
    let says = |m: &Mark| matches!(m, Mark::Text { lines, .. } if lines[0].contains("is off"));
    assert!(scene.marks.iter().any(says));
    let to_heart = study.atlas().transform(crate::space::Space::Patient, crate::space::Space::Section(SECTION.0), DVec3::ZERO);
    assert!(to_heart.is_err());
}

#[test]
fn a_bullseye_is_hit_where_it_is_drawn() {
    let b = bullseye();
    assert_eq!(bullseye_hit(&b, DVec2::new(0.0, -0.9)), Some(1));
    assert_eq!(bullseye_hit(&b, DVec2::new(-0.6, 0.1)), Some(9));
    assert_eq!(bullseye_hit(&b, DVec2::new(0.01, 0.02)), Some(17));
    assert_eq!(bullseye_hit(&b, DVec2::new(0.9, 0.9)), None);
    b.iter().for_each(|c| assert_eq!(bullseye_hit(&b, c.label_at + DVec2::new(1e-3, 1e-3)), Some(c.segment)));
}

#[test]
fn panes_can_be_looked_at() {
    let (study, mut view) = (study(), view());
    let derived = derived(&study);
    let mut cache = SceneCache::default();
    let folder = std::env::var("MYOSCOPE_PREVIEW").ok();
    let mut show = |view: &View, pane: PaneKind, name: &str, size: [u32; 2]| {
        let scene = build(&inputs(&study, view, &derived), &mut cache, pane, size);
        let start = std::time::Instant::now();
        let image = paint(&scene, &PaintTheme::default());
        if folder.is_some() {
            eprintln!("{name}: painted in {:.1?}", start.elapsed());
        }
        assert!(image.rgba.chunks_exact(4).any(|p| p[0] != 0), "{name} is not black");
        if let Some(folder) = &folder {
            let mut bytes = format!("P6\n{} {}\n255\n", image.width, image.height).into_bytes();
            bytes.extend(image.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]));
            std::fs::write(format!("{folder}/{name}.ppm"), bytes).unwrap();
        }
    };
    for pane in PaneKind::ALL {
        show(&view, pane, &format!("{pane:?}"), [560, 480]);
    }
    show(&view, PaneKind::Bullseye, "Bullseye-small", [240, 220]);
    show(&view, PaneKind::Overlay, "Overlay-small", [260, 220]);
    let modes = [crate::scene::CompareMode::Swipe, crate::scene::CompareMode::Checker, crate::scene::CompareMode::Contour];
    for mode in modes {
        view.compare = mode;
        show(&view, PaneKind::Overlay, &format!("Overlay-{mode:?}"), [560, 480]);
    }
    assert_eq!(fixed(1.25, 1), "1.2");
}
