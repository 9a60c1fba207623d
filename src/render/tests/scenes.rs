//! Whole pictures: uploads stay small, a lost device is survived, layers land where they should.
use crate::model::{ColorMap, LabelMap, Picture, Samples, Volume};
use crate::render::Renderer;
use crate::render::gpu::Gpu;
use crate::scene::{Camera, Compare, Drawn, LabelsDrawn, PLAIN_SPOT_RGB, PictureDrawn, Scene, SliceDrawn, SpotsDrawn, WarpMesh};
use crate::space::{DAffine3, DVec2, DVec3, Grid, Plane};
use std::sync::Arc;

fn renderer() -> Option<(Renderer, Gpu)> {
    let made = Renderer::headless();
    if let Err(error) = &made {
        eprintln!("absent: {error}");
    }
    made.ok()
}

fn pane(drawn: Vec<Drawn>) -> Scene {
    let camera = Camera { center: DVec2::new(9.5, 7.5), mm_per_px: 0.25 };
    Scene { size_px: [100, 80], camera, background: [10, 20, 30], drawn, marks: Vec::new() }
}

fn volume(n_phases: usize) -> Arc<Volume> {
    let grid = Grid::new([20, 16, 6], DAffine3::IDENTITY).unwrap();
    let phase = |p: usize| Samples::I16((0..20 * 16 * 6).map(|i| (i * (p + 3) % 997) as i16 - 300).collect::<Vec<_>>().into());
    Arc::new(Volume::new("v", grid, (0..n_phases).map(phase).collect()).unwrap())
}

fn slice(volume: &Arc<Volume>) -> SliceDrawn {
    SliceDrawn {
        volume: Arc::clone(volume),
        phase: 0,
        plane: Plane::axial(DVec3::new(0.0, 0.0, 2.0)),
        low: -300.0,
        high: 700.0,
        color_map: ColorMap::Gray,
        smooth: false,
        opacity: 1.0,
    }
}

#[test]
fn plane_phase_and_window_upload_little() {
    let Some((mut renderer, _gpu)) = renderer() else { return };
    let volume = volume(5);
    let first = renderer.render_with_stats(&pane(vec![Drawn::Slice(slice(&volume))])).unwrap().1;
    assert!(first.uploaded_bytes as usize > 5 * volume.phases[0].n_bytes() && !first.waiting, "{first:?}");
    let tilted = Plane::new(DVec3::new(0.0, 0.0, 3.3), DVec3::new(1.0, 0.1, 0.2), DVec3::new(0.0, 1.0, 0.4)).unwrap();
    let changes = [
        SliceDrawn { plane: tilted, ..slice(&volume) },
        SliceDrawn { phase: 4, ..slice(&volume) },
        SliceDrawn { low: 0.0, high: 20.0, color_map: ColorMap::Viridis, ..slice(&volume) },
    ];
    for change in changes {
        let stats = renderer.render_with_stats(&pane(vec![Drawn::Slice(change)])).unwrap().1;
        assert!((1..4096).contains(&stats.uploaded_bytes), "{stats:?}");
    }
    assert_eq!(renderer.trouble(), None);
}

#[test]
fn a_voxel_has_its_gray_and_outside_is_background() {
    let Some((mut renderer, _gpu)) = renderer() else { return };
    let volume = volume(2);
    let image = renderer.render_to_image(&pane(vec![Drawn::Slice(SliceDrawn { phase: 1, ..slice(&volume) })])).unwrap();
    let at = |x: usize, y: usize| image.rgba[(y * 100 + x) * 4..][..4].to_vec();
    assert_eq!(at(1, 1), [10, 20, 30, 255]);
    // Pixel 50 is at 9.625 mm: voxel (10, 8, 2).
    let value = volume.value(1, 10 + 20 * (8 + 16 * 2));
    let gray = ((value + 300.0) / 1000.0 * 255.0 + 0.5).floor() as u8;
    assert_eq!(at(50, 40), [gray, gray, gray, 255]);
}

fn everything() -> Scene {
    let volume = volume(1);
    let labels =
        LabelMap::new("l", volume.grid, vec![(0..20 * 16 * 6).map(|i| (i / 5 % 3) as u8).collect::<Vec<_>>().into()]).unwrap();
    let rgba = (0..64 * 48u32).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 5) as u8, 128, 255]).collect();
    let corners = [DVec2::new(-0.5, -0.5), DVec2::new(63.5, -0.5), DVec2::new(-0.5, 47.5), DVec2::new(63.5, 47.5)];
    let mesh = WarpMesh {
        columns: 2,
        rows: 2,
        source: corners.map(|c| c * 0.1).to_vec(),
        target: corners.map(|c| c * 0.2 + DVec2::new(3.0, 2.0)).to_vec(),
    };
    let positions: Vec<[f32; 2]> = (0..60).map(|i| [(i % 10) as f32 * 2.0, (i / 10) as f32 * 2.5]).collect();
    pane(vec![
        Drawn::Slice(SliceDrawn { smooth: true, ..slice(&volume) }),
        Drawn::Labels(LabelsDrawn {
            labels: Arc::new(labels),
            phase: 0,
            plane: Plane::axial(DVec3::Z),
            fill: 0.3,
            outline_px: 1.0,
            only: None,
            element: None,
        }),
        Drawn::Picture(PictureDrawn {
            picture: Arc::new(Picture::single(64, 48, rgba).unwrap()),
            mm_per_px: 0.1,
            mesh: Arc::new(mesh),
            opacity: 0.7,
            compare: Compare::Swipe(0.4),
        }),
        Drawn::Spots(SpotsDrawn {
            positions: positions.into(),
            values: Some((0..60).map(|i| if i == 7 { f32::NAN } else { i as f32 }).collect::<Vec<_>>().into()),
            plain: PLAIN_SPOT_RGB,
            radius_mm: 0.6,
            low: 0.0,
            high: 60.0,
            color_map: ColorMap::Viridis,
            opacity: 0.9,
            compare: Compare::Blend,
        }),
    ])
}

#[test]
fn a_lost_device_is_replaced_and_draws_the_same() {
    let Some((mut renderer, gpu)) = renderer() else { return };
    let scene = everything();
    let before = renderer.render_to_image(&scene).unwrap();
    assert!(!renderer.lost());
    gpu.lose();
    assert!(renderer.lost());
    assert!(renderer.render_to_image(&scene).is_err());
    let (mut again, _gpu) = Renderer::headless().unwrap();
    assert!(again.render_to_image(&scene).unwrap() == before);
}

#[test]
fn many_points_are_thinned_and_cover() {
    let Some((mut renderer, _gpu)) = renderer() else { return };
    let positions: Vec<[f32; 2]> = (0..250_000).map(|i| [(i % 500) as f32 * 0.04, (i / 500) as f32 * 0.032]).collect();
    let spots = SpotsDrawn {
        positions: positions.into(),
        values: None,
        plain: PLAIN_SPOT_RGB,
        radius_mm: 0.1,
        low: 0.0,
        high: 1.0,
        color_map: ColorMap::Gray,
        opacity: 1.0,
        compare: Compare::Blend,
    };
    let (image, stats) = renderer.render_with_stats(&pane(vec![Drawn::Spots(spots)])).unwrap();
    let (shown, total) = stats.shown_of.unwrap();
    assert!(shown < 40_000 && total == 250_000, "{shown} of {total}");
    let lit = |x: usize, y: usize| image.rgba[(y * 100 + x) * 4 + 1] > 100;
    let dark: Vec<_> = (20..80).flat_map(|x| (30..50).map(move |y| (x, y))).filter(|&(x, y)| !lit(x, y)).collect();
    assert!(dark.is_empty() && !lit(2, 40), "{dark:?}");
    assert_eq!(renderer.trouble(), None);
}

/// Prints the times of the benchmark scenes.
#[test]
fn the_benchmark_runs() {
    use crate::render::bench;
    if renderer().is_none() {
        return;
    }
    let n = if std::env::var_os("MYOSCOPE_BENCH").is_some() { 60 } else { 1 };
    if n > 1 {
        let volume = Arc::new(bench::cine().unwrap());
        for (name, smooth, z) in
            [("empty", false, 99.0), ("nearest", false, 5.0), ("flat", true, 5.0), ("flat wide", true, 5.0), ("eight", true, 5.3)]
        {
            let slice = SliceDrawn {
                volume: Arc::clone(&volume),
                plane: Plane::axial(DVec3::new(0.0, 0.0, z)),
                smooth,
                low: 0.0,
                high: 1000.0,
                ..slice(&volume)
            };
            let camera =
                Camera { center: DVec2::splat(255.5), mm_per_px: 512.0 / if name.contains("wide") { 1600.0 } else { 1000.0 } };
            let drawn = if z > 50.0 { Vec::new() } else { vec![Drawn::Slice(slice)] };
            let scene = Scene { size_px: [1600, 1000], camera, background: [0; 3], drawn, marks: Vec::new() };
            println!("{name} {}", bench::bench_scene(&scene, n).unwrap().to_json());
        }
        if std::env::var("MYOSCOPE_BENCH").is_ok_and(|v| v == "slices") {
            return;
        }
        println!("{}", bench::bench_cine(n).unwrap().to_json());
        println!("{}", bench::bench_warp(n).unwrap().to_json());
        println!("{}", bench::bench_points(1_000_000, n).unwrap().to_json());
        println!("{}", bench::bench_points(10_000_000, n).unwrap().to_json());
    } else {
        let report = bench::bench_points(60_000, 1).unwrap();
        assert!(report.median_ms > 0.0 && report.to_json().contains("\"median\""));
    }
}
