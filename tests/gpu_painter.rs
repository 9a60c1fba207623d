//! The GPU draws what the processor painter paints: at most 2 of 255 apart in at least 99.9 % of the
//! pixels, for every kind of layer.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]
#![cfg(feature = "gui")]

use myoscope::model::{ColorMap, LabelMap, Picture, PictureLevel, Samples, Volume};
use myoscope::render::Renderer;
use myoscope::scene::{
    Camera, Compare, Drawn, LabelsDrawn, PLAIN_SPOT_RGB, PaintTheme, PictureDrawn, Scene, SliceDrawn, SpotsDrawn, WarpMesh, paint,
};
use myoscope::space::{DAffine3, DMat3, DVec2, DVec3, Grid, Plane};
use std::sync::Arc;

fn pane(drawn: Vec<Drawn>) -> Scene {
    let camera = Camera { center: DVec2::new(11.3, 9.1), mm_per_px: 0.083 };
    Scene { size_px: [331, 257], camera, background: [11, 12, 14], drawn, marks: Vec::new() }
}

fn noise(i: usize) -> f32 {
    let mut z = (i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z >> 40) as f32 / (1u64 << 24) as f32
}

fn grid() -> Grid {
    let turn = DMat3::from_rotation_z(0.2) * DMat3::from_rotation_x(-0.3);
    let map =
        DAffine3::from_mat3_translation(turn * DMat3::from_diagonal(DVec3::new(0.9, 0.8, 2.5)), DVec3::new(-2.0, 3.0, -4.0));
    Grid::new([26, 22, 7], map).unwrap()
}

/// Differences of all pixels, largest channel of each.
fn compare(name: &str, scene: &Scene) {
    let Ok((mut renderer, _gpu)) = Renderer::headless() else { return eprintln!("absent: graphics adapter") };
    let gpu = renderer.render_to_image(scene).unwrap();
    assert_eq!(renderer.trouble(), None);
    let painted = paint(scene, &PaintTheme::default());
    let pairs = gpu.rgba.chunks_exact(4).zip(painted.rgba.chunks_exact(4));
    let apart: Vec<u8> = pairs.map(|(a, b)| (0..4).map(|c| a[c].abs_diff(b[c])).max().unwrap()).collect();
    let n_far = apart.iter().filter(|&&d| d > 2).count();
    let drawn = painted.rgba.chunks_exact(4).filter(|p| p[..3] != scene.background).count();
    println!("{name}: {n_far} of {} pixels differ by more than 2, largest {:?}, {drawn} drawn", apart.len(), apart.iter().max());
    assert!(drawn > 100, "{name} draws almost nothing");
    assert!(n_far * 1000 <= apart.len(), "{name}: {n_far} of {} pixels differ by more than 2", apart.len());
}

fn slices(samples: impl Fn() -> Samples) -> Vec<SliceDrawn> {
    let mut volume = Volume::new("v", grid(), vec![samples(), samples()]).unwrap();
    (volume.slope, volume.intercept) = (0.7, -12.0);
    let volume = Arc::new(volume);
    let oblique = Plane::new(grid().center_lps(), DVec3::new(1.0, 0.3, -0.2), DVec3::new(0.1, 0.8, 0.5)).unwrap();
    let oblique = oblique.through(oblique.lps_from_plane(DVec2::new(-11.0, -9.0)));
    let axes = grid().lps_from_voxel().matrix3;
    let flat = Plane::new(grid().lps_from_voxel().transform_point3(DVec3::new(0.0, 0.0, 3.0)), axes.x_axis, axes.y_axis).unwrap();
    let base = SliceDrawn {
        volume,
        phase: 1,
        plane: oblique,
        low: 20.0,
        high: 130.0,
        color_map: ColorMap::Gray,
        smooth: true,
        opacity: 1.0,
    };
    vec![
        base.clone(),
        SliceDrawn { smooth: false, ..base.clone() },
        SliceDrawn { plane: flat, color_map: ColorMap::Magma, ..base.clone() },
        SliceDrawn { plane: flat, smooth: false, opacity: 0.4, color_map: ColorMap::BlueRed, ..base },
    ]
}

#[test]
fn slices_agree() {
    let n = grid().n_voxels();
    let value = |i: usize| 60.0 + 50.0 * ((i % 26) as f32 * 0.4).sin() + 90.0 * noise(i);
    let kinds: [(&str, Box<dyn Fn() -> Samples>); 4] = [
        ("bytes", Box::new(move || Samples::U8((0..n).map(|i| value(i) as u8).collect()))),
        ("signed", Box::new(move || Samples::I16((0..n).map(|i| value(i) as i16).collect()))),
        ("unsigned", Box::new(move || Samples::U16((0..n).map(|i| value(i) as u16).collect()))),
        ("floats", Box::new(move || Samples::F32((0..n).map(|i| if i % 97 == 0 { f32::NAN } else { value(i) }).collect()))),
    ];
    for (name, samples) in kinds {
        for (k, slice) in slices(samples).into_iter().enumerate() {
            compare(&format!("slice {name} {k}"), &pane(vec![Drawn::Slice(slice)]));
        }
    }
}

#[test]
fn labels_agree() {
    let values: Arc<[u8]> = (0..grid().n_voxels()).map(|i| (noise(i / 3) * 5.0) as u8).collect();
    let labels = Arc::new(LabelMap::new("l", grid(), vec![values]).unwrap());
    let plane = Plane::axial(grid().center_lps() - DVec3::new(11.0, 9.0, 0.0));
    for (fill, outline_px, only) in [(0.35, 0.0, None), (0.3, 1.5, None), (0.0, 1.0, Some(2))] {
        let drawn = LabelsDrawn { labels: Arc::clone(&labels), phase: 0, plane, fill, outline_px, only, element: None };
        compare(&format!("labels {fill} {outline_px} {only:?}"), &pane(vec![Drawn::Labels(drawn)]));
    }
}

fn picture() -> Arc<Picture> {
    let level = |width: usize, height: usize, scale: f64, name: &str| {
        let rgba = (0..width * height).flat_map(|i| {
            let (x, y) = ((i % width) as f32 * scale as f32, (i / width) as f32 * scale as f32);
            let tissue = (x - 200.0).hypot(y - 150.0) < 110.0 + 20.0 * (x * 0.05).sin();
            let shade = |c: f32| (c + 30.0 * (x * 0.11 + y * 0.07).sin()) as u8;
            if tissue { [shade(190.0), shade(110.0), shade(160.0), 255] } else { [240, 238, 241, 255] }
        });
        PictureLevel { width, height, rgba: rgba.collect(), scale, offset: (scale - 1.0) / 2.0, name: name.into() }
    };
    Arc::new(Picture { levels: vec![level(400, 300, 1.0, "full"), level(100, 75, 4.0, "quarter")], full_size: [400.0, 300.0] })
}

fn mesh(bend: f64) -> Arc<WarpMesh> {
    const N: usize = 17;
    let source: Vec<DVec2> = (0..N * N)
        .map(|i| (DVec2::new((i % N) as f64, (i / N) as f64) / (N - 1) as f64 * DVec2::new(400.0, 300.0) - 0.5) * 0.05)
        .collect();
    let target = source.iter().map(|p| *p * 0.9 + DVec2::new((p.y * 0.4).sin(), (p.x * 0.3).cos()) * bend + 1.0).collect();
    Arc::new(WarpMesh { columns: N, rows: N, source, target })
}

#[test]
fn pictures_agree() {
    let modes = [Compare::Blend, Compare::Swipe(0.43), Compare::Checker(24.0), Compare::Flicker(true), Compare::Contour];
    for compare_mode in modes {
        for (k, bend) in [0.0, 0.8].into_iter().enumerate() {
            let drawn =
                PictureDrawn { picture: picture(), mm_per_px: 0.05, mesh: mesh(bend), opacity: 0.8, compare: compare_mode };
            compare(&format!("picture {compare_mode:?} {k}"), &pane(vec![Drawn::Picture(drawn.clone())]));
            let mut far = pane(vec![Drawn::Picture(drawn)]);
            far.camera.mm_per_px = 0.21;
            compare(&format!("picture {compare_mode:?} {k} from afar"), &far);
        }
    }
}

#[test]
fn spots_agree() {
    let positions: Arc<[[f32; 2]]> = (0..700).map(|i| [noise(i) * 24.0, noise(i + 5000) * 19.0]).collect();
    let values: Arc<[f32]> = (0..700).map(|i| if i % 13 == 0 { f32::NAN } else { noise(i + 9000) * 6.0 }).collect();
    for (radius_mm, compare_mode) in
        [(0.4, Compare::Blend), (0.02, Compare::Blend), (0.5, Compare::Contour), (0.4, Compare::Checker(30.0))]
    {
        for values in [None, Some(Arc::clone(&values))] {
            let drawn = SpotsDrawn {
                positions: Arc::clone(&positions),
                values,
                plain: PLAIN_SPOT_RGB,
                radius_mm,
                low: 0.5,
                high: 5.0,
                color_map: ColorMap::Viridis,
                opacity: 0.85,
                compare: compare_mode,
            };
            compare(&format!("spots {radius_mm} {compare_mode:?}"), &pane(vec![Drawn::Spots(drawn)]));
        }
    }
}

/// A pane on which a pixel is a quarter of a millimeter.
fn wide(drawn: SpotsDrawn) -> Scene {
    let camera = Camera { center: DVec2::new(100.0, 90.0), mm_per_px: 0.25 };
    Scene { size_px: [840, 760], camera, background: [11, 12, 14], drawn: vec![Drawn::Spots(drawn)], marks: Vec::new() }
}

fn many(positions: Vec<[f32; 2]>, values: Option<Vec<f32>>, radius_mm: f32) -> SpotsDrawn {
    assert!(positions.len() > 50_000, "few spots take another path");
    SpotsDrawn {
        positions: positions.into(),
        values: values.map(Into::into),
        plain: PLAIN_SPOT_RGB,
        radius_mm,
        low: 0.0,
        high: 5.0,
        color_map: ColorMap::Viridis,
        opacity: 0.9,
        compare: Compare::Blend,
    }
}

/// From 50,000 spots on, the device keeps for each pixel the spot that covers it most instead of blending all in
/// their order. Where discs do not overlap that is the same picture.
#[test]
fn many_spots_agree_where_they_do_not_overlap() {
    let positions: Vec<[f32; 2]> = (0..62_000)
        .map(|i| {
            let (column, row) = ((i % 250) as f32, (i / 250) as f32);
            [column * 0.82 - 2.5 + noise(i) * 0.02, row * 0.8 - 9.0 + noise(i + 70_000) * 0.02]
        })
        .collect();
    let values: Vec<f32> = (0..62_000).map(|i| if i % 13 == 0 { f32::NAN } else { noise(i + 140_000) * 6.0 }).collect();
    for (name, values) in [("plain", None), ("colored", Some(values))] {
        for radius_mm in [0.02, 0.26] {
            compare(&format!("many spots, {name}, {radius_mm} mm"), &wide(many(positions.clone(), values.clone(), radius_mm)));
        }
    }
}

/// Where many discs overlap, a pixel shows the one that covers it most: here computed spot by spot.
#[test]
fn many_spots_that_overlap_show_the_one_that_covers_most() {
    let Ok((mut renderer, _gpu)) = Renderer::headless() else { return eprintln!("absent: graphics adapter") };
    // A little over a pixel apart, so that the level of detail leaves none out.
    let positions: Vec<[f32; 2]> = (0..62_500)
        .map(|i| {
            let (column, row) = ((i % 250) as f32, (i / 250) as f32);
            [60.0 + column * 0.32 + noise(i) * 0.04, 50.0 + row * 0.32 + noise(i + 70_000) * 0.04]
        })
        .collect();
    for (radius_mm, radius_px) in [(0.02, 0.75), (0.45, 1.8)] {
        let scene = wide(many(positions.clone(), None, radius_mm));
        let mut covered = vec![0f64; 840 * 760];
        for p in &positions {
            let at = scene.camera.px_from_mm(scene.size_px, DVec2::new(f64::from(p[0]), f64::from(p[1])));
            for y in (at.y - 4.0).max(0.0) as usize..((at.y + 4.0) as usize).min(760) {
                for x in (at.x - 4.0).max(0.0) as usize..((at.x + 4.0) as usize).min(840) {
                    let distance = (DVec2::new(x as f64, y as f64) + 0.5).distance(at);
                    let share: f64 = (radius_px + 0.5 - distance).clamp(0.0, 1.0);
                    covered[y * 840 + x] = covered[y * 840 + x].max(share);
                }
            }
        }
        let gpu = renderer.render_to_image(&scene).unwrap();
        let plain = [0x56, 0xB4, 0xE9].map(f64::from);
        let n_far = gpu.rgba.chunks_exact(4).zip(&covered).filter(|(pixel, share)| {
            (0..3).any(|c| {
                let under = f64::from(scene.background[c]);
                (under + (plain[c] - under) * **share * 0.9 - f64::from(pixel[c])).abs() > 3.0
            })
        });
        let n_far = n_far.count();
        println!("radius {radius_px} px: {n_far} of {} pixels differ by more than 3", covered.len());
        assert!(n_far * 1000 <= covered.len(), "radius {radius_px} px: {n_far} pixels differ");
    }
}
