//! The painter against closed forms: one phantom stored in all 48 ways, labels on it, pictures, spots.

use super::*;
use crate::model::{ColorMap, LabelMap, Picture, Samples, Volume};
use crate::scene::{Camera, LabelsDrawn, Mark, PLAIN_SPOT_RGB, PictureDrawn, SliceDrawn, SpotsDrawn, WarpMesh};
use crate::space::{DAffine3, DMat3, DVec2, DVec3, Grid, Plane};
use std::sync::Arc;

/// Voxels toward the left, back and head; 2 mm each, the first center at (−22, −18, −14).
const SIZE: [usize; 3] = [23, 19, 15];
const FIRST: DVec3 = DVec3::new(-22.0, -18.0, -14.0);

/// An F on every axial slice as seen from the feet, and bright blocks at the left, the back and the head.
fn phantom(x: usize, y: usize, z: usize) -> u8 {
    let is_f = (x == 6 && (4..15).contains(&y)) || (y == 4 && (6..14).contains(&x)) || (y == 9 && (6..11).contains(&x));
    let (left, back, head) = (x >= 20, y >= 16, z >= 12);
    match () {
        () if left && (8..11).contains(&y) => 250,
        () if back && (8..13).contains(&x) => 200,
        () if head && (10..12).contains(&x) && (9..12).contains(&y) => 150,
        () if is_f => 100,
        () => 10,
    }
}

/// All 48 ways of storing: which patient axis each voxel axis runs along, and whether backwards.
fn storages() -> Vec<([usize; 3], [bool; 3])> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    orders.iter().flat_map(|&o| (0..8).map(move |f| (o, [f & 1 > 0, f & 2 > 0, f & 4 > 0]))).collect()
}

fn store((order, flip): ([usize; 3], [bool; 3])) -> (Grid, Vec<u8>) {
    let axes = [DVec3::X, DVec3::Y, DVec3::Z];
    let size = order.map(|o| SIZE[o]);
    let (mut columns, mut origin) = ([DVec3::ZERO; 3], FIRST);
    for (a, axis) in order.into_iter().enumerate() {
        let step = axes[axis] * 2.0;
        columns[a] = if flip[a] { -step } else { step };
        origin += if flip[a] { step * (size[a] as f64 - 1.0) } else { DVec3::ZERO };
    }
    let matrix3 = DMat3::from_cols(columns[0], columns[1], columns[2]);
    let grid = Grid::new(size, DAffine3 { matrix3, translation: origin }).unwrap();
    let mut values = Vec::new();
    for n in 0..grid.n_voxels() {
        let voxel = [n % size[0], n / size[0] % size[1], n / (size[0] * size[1])];
        let mut world = [0; 3];
        (0..3).for_each(|a| world[order[a]] = if flip[a] { size[a] - 1 - voxel[a] } else { voxel[a] });
        values.push(phantom(world[0], world[1], world[2]));
    }
    (grid, values)
}

fn scene(plane: Plane, storage: ([usize; 3], [bool; 3]), labels: bool) -> Scene {
    let (grid, values) = store(storage);
    let drawn = if labels {
        let values: Vec<u8> = values.iter().map(|&v| if v > 10 { v / 50 } else { 0 }).collect();
        let labels = LabelMap::new("l", grid, vec![values.into()]).unwrap();
        Drawn::Labels(LabelsDrawn {
            labels: Arc::new(labels),
            phase: 0,
            plane,
            fill: 0.5,
            outline_px: 1.0,
            only: None,
            element: None,
        })
    } else {
        let volume = Volume::new("v", grid, vec![Samples::U8(values.into())]).unwrap();
        Drawn::Slice(SliceDrawn {
            volume: Arc::new(volume),
            phase: 0,
            plane,
            low: 0.0,
            high: 255.0,
            color_map: ColorMap::Gray,
            smooth: true,
            opacity: 1.0,
        })
    };
    let camera = Camera { center: DVec2::ZERO, mm_per_px: 0.5 };
    Scene { size_px: [104, 88], camera, background: [0; 3], drawn: vec![drawn], marks: Vec::new() }
}

/// Color at the patient point, which must lie on the plane.
fn at(image: &Image, s: &Scene, plane: &Plane, lps: DVec3) -> [u8; 3] {
    let px = s.camera.px_from_mm(s.size_px, plane.plane_from_lps(lps));
    image.rgb(px.x as usize, px.y as usize)
}

#[test]
fn stored_in_any_of_48_ways_the_pictures_are_the_same() {
    let theme = PaintTheme::default();
    let through = DVec3::new(-2.0, 0.0, 12.0);
    for plane in [Plane::axial(through), Plane::coronal(through), Plane::sagittal(through)] {
        let plane = plane.through(through);
        for labels in [false, true] {
            let first = paint(&scene(plane, storages()[0], labels), &theme);
            assert!(first.rgba.chunks_exact(4).any(|p| p[0] > 90));
            for storage in storages() {
                assert!(paint(&scene(plane, storage, labels), &theme) == first, "{storage:?} {plane:?} labels {labels}");
            }
        }
    }
}

#[test]
fn the_letter_is_not_mirrored_and_left_is_right() {
    let plane = Plane::axial(DVec3::ZERO);
    let s = scene(plane, storages()[29], false);
    let image = paint(&s, &PaintTheme::default());
    let world = |x: usize, y: usize| FIRST + DVec3::new(x as f64, y as f64, 7.0) * 2.0;
    let value = |x, y| at(&image, &s, &plane, world(x, y))[0];
    assert!([(6, 13), (12, 4), (9, 9)].iter().all(|&(x, y)| value(x, y) > 80), "strokes");
    assert!([(12, 12), (12, 9), (3, 4)].iter().all(|&(x, y)| value(x, y) < 30), "gaps");
    let px = |lps| s.camera.px_from_mm(s.size_px, plane.plane_from_lps(lps));
    assert!(px(world(22, 9)).x > 90.0 && px(world(10, 18)).y > 75.0, "left is right, back is below");
    assert!(value(22, 9) > 240 && value(0, 9) < 30);
    let coronal = Plane::coronal(DVec3::new(0.0, 2.0, 0.0));
    let s = scene(coronal, storages()[11], false);
    let head = DVec3::new(-2.0, 2.0, 12.0);
    assert!(at(&paint(&s, &PaintTheme::default()), &s, &coronal, head)[0] > 120, "head marker");
    assert!(s.camera.px_from_mm(s.size_px, coronal.plane_from_lps(head)).y < 25.0, "head is up");
}

#[test]
fn labels_lie_on_their_image() {
    let plane = Plane::axial(DVec3::ZERO);
    let image = paint(&scene(plane, storages()[3], false), &PaintTheme::default());
    let labels = paint(&scene(plane, storages()[44], true), &PaintTheme::default());
    let covered = (0..104 * 88).filter(|i| labels.rgba[i * 4..i * 4 + 3] != [0, 0, 0]);
    let (mut n, mut dark) = (0, 0);
    for i in covered {
        n += 1;
        dark += usize::from(image.rgba[i * 4] < 35);
    }
    assert!(n > 500 && dark == 0, "{dark} of {n} labeled pixels lie on background");
}

#[test]
fn outside_and_nan_are_not_drawn() {
    let grid = Grid::new([2, 1, 1], DAffine3::IDENTITY).unwrap();
    let volume = Volume::new("v", grid, vec![Samples::F32(vec![f32::NAN, 5.0].into())]).unwrap();
    let slice = SliceDrawn {
        volume: Arc::new(volume),
        phase: 0,
        plane: Plane::axial(DVec3::ZERO),
        low: 0.0,
        high: 5.0,
        color_map: ColorMap::Gray,
        smooth: false,
        opacity: 1.0,
    };
    let camera = Camera { center: DVec2::new(0.5, 0.0), mm_per_px: 1.0 };
    let background = [9, 8, 7];
    let s = Scene { size_px: [4, 3], camera, background, drawn: vec![Drawn::Slice(slice)], marks: vec![] };
    let image = paint(&s, &PaintTheme::default());
    assert_eq!((image.rgb(1, 1), image.rgb(2, 1), image.rgb(3, 1), image.rgb(2, 0)), ([9, 8, 7], [255; 3], [9, 8, 7], [9, 8, 7]));
}

fn picture(n: usize) -> Arc<Picture> {
    let color = |i: usize| [(i % n * 255 / (n - 1)) as u8, (i / n * 255 / (n - 1)) as u8, 0, 255];
    Arc::new(Picture::single(n, n, (0..n * n).flat_map(color).collect()).unwrap())
}

fn mesh(n: usize, extent: f64, map: impl Fn(DVec2) -> DVec2) -> Arc<WarpMesh> {
    let vertex = |i: usize| DVec2::new((i % n) as f64, (i / n) as f64) / (n - 1) as f64 * extent - 0.5;
    let source: Vec<DVec2> = (0..n * n).map(vertex).collect();
    let target = source.iter().map(|&p| map(p)).collect();
    Arc::new(WarpMesh { columns: n, rows: n, source, target })
}

fn picture_scene(compare: Compare, map: impl Fn(DVec2) -> DVec2) -> Scene {
    let drawn = PictureDrawn { picture: picture(52), mm_per_px: 1.0, mesh: mesh(5, 52.0, map), opacity: 1.0, compare };
    let camera = Camera { center: DVec2::new(25.5, 25.5), mm_per_px: 1.0 };
    Scene { size_px: [52, 52], camera, background: [0, 0, 77], drawn: vec![Drawn::Picture(drawn)], marks: vec![] }
}

#[test]
fn a_picture_through_the_identity_is_itself_and_a_turn_turns_it() {
    let image = paint(&picture_scene(Compare::Blend, |p| p), &PaintTheme::default());
    assert_eq!(image.rgba, picture(52).levels[0].rgba.to_vec());
    let quarter = |p: DVec2| DVec2::new(51.0 - p.y, p.x);
    let turned = paint(&picture_scene(Compare::Blend, quarter), &PaintTheme::default());
    for (x, y) in [(0, 0), (51, 0), (13, 40)] {
        assert_eq!(turned.rgb(51 - y, x), image.rgb(x, y));
    }
}

#[test]
fn swipe_and_checker_share_the_pane() {
    let behind = [0, 0, 77];
    let swipe = paint(&picture_scene(Compare::Swipe(0.5), |p| p), &PaintTheme::default());
    assert_eq!((swipe.rgb(25, 9), swipe.rgb(26, 9)[2]), (behind, 0));
    let checker = paint(&picture_scene(Compare::Checker(13.0), |p| p), &PaintTheme::default());
    assert_eq!((checker.rgb(12, 12)[2], checker.rgb(13, 12), checker.rgb(13, 13)[2]), (0, behind, 0));
    let off = paint(&picture_scene(Compare::Flicker(false), |p| p), &PaintTheme::default());
    assert_eq!(off.rgb(30, 30), behind);
}

#[test]
fn the_level_is_the_coarsest_that_is_not_coarser_than_the_screen() {
    let pyramid = Arc::new(crate::imaging::pyramid(picture(64).as_ref().clone(), 8));
    let level = |mm_per_px: f64, stretch: f64| {
        let mesh = mesh(3, 64.0, |p| p * stretch);
        let d = PictureDrawn { picture: Arc::clone(&pyramid), mm_per_px: 1.0, mesh, opacity: 1.0, compare: Compare::Blend };
        picture_level(&d, &Camera { center: DVec2::ZERO, mm_per_px })
    };
    assert_eq!([level(0.5, 1.0), level(1.0, 1.0), level(2.0, 1.0), level(3.9, 1.0), level(400.0, 1.0)], [0, 0, 1, 1, 3]);
    assert_eq!(level(2.0, 0.5), 2);
}

#[test]
fn spots_have_their_area_and_missing_ones_are_absent() {
    let spots = |values: Vec<f32>| SpotsDrawn {
        positions: vec![[0.0, 0.0], [30.0, 0.0]].into(),
        values: Some(values.into()),
        plain: PLAIN_SPOT_RGB,
        radius_mm: 8.0,
        low: 0.0,
        high: 1.0,
        color_map: ColorMap::Gray,
        opacity: 1.0,
        compare: Compare::Blend,
    };
    let camera = Camera { center: DVec2::ZERO, mm_per_px: 1.0 };
    let drawn = vec![Drawn::Spots(spots(vec![1.0, f32::NAN]))];
    let image = paint(&Scene { size_px: [80, 40], camera, background: [0; 3], drawn, marks: vec![] }, &PaintTheme::default());
    let area: f64 = image.rgba.chunks_exact(4).map(|p| f64::from(p[0]) / 255.0).sum();
    assert!((area - std::f64::consts::PI * 64.0).abs() < 1.0, "area {area}");
}

#[test]
fn same_scene_same_bytes() {
    let mut s = picture_scene(Compare::Contour, |p| p + DVec2::new((p.y / 9.0).sin(), 0.3));
    s.marks = vec![
        Mark::Letters(["R", "L", "A", "P"].map(String::from)),
        Mark::ScaleBar { mm: 10.0, label: "10 mm".into() },
        Mark::Cursor { at: DVec2::new(20.0, 20.0), sd_mm: Some(7.0) },
        Mark::Label { at: DVec2::new(f64::NAN, 0.0), text: "nowhere".into(), ink: Ink::Plain },
        Mark::Line {
            points: vec![DVec2::splat(-1e9), DVec2::splat(1e9)],
            closed: false,
            ink: Ink::Dim,
            width_px: 1.0,
            dashed: true,
        },
    ];
    let first = paint(&s, &PaintTheme::default());
    assert!((0..3).all(|_| paint(&s, &PaintTheme::default()) == first));
    assert_eq!(paint(&Scene { size_px: [0, 0], ..s }, &PaintTheme::default()).rgba.len(), 0);
}
