//! Every function of the shader library gives what its Rust twin gives, on one small kernel.
use crate::render::gpu::{Gpu, Link};
use crate::render::pass::bind;
use crate::render::shader::LIBRARY;

/// Calls each library function with the eight numbers of a case; the Rust twin is beside it.
type Case = (&'static str, fn(&[f32; 8]) -> [f32; 4]);

fn lerp(a: f32, b: f32, f: f32) -> f32 {
    a + (b - a) * f
}

fn bilinear(c: [f32; 4], f: [f32; 2]) -> f32 {
    lerp(lerp(c[0], c[1], f[0]), lerp(c[2], c[3], f[0]), f[1])
}

fn yes(b: bool) -> f32 {
    f32::from(u8::from(b))
}

fn inside(v: f32, n: f32) -> bool {
    v >= -0.5 && v < n - 0.5
}

fn shows(mode: f32, parameter: f32, px: [f32; 2], width: f32) -> bool {
    let square = |v: f32| (v / parameter.max(1.0)).floor() as i32;
    match mode as u32 {
        1 => px[0] >= parameter * width,
        2 => (square(px[0]) + square(px[1])).rem_euclid(2) == 0,
        _ => true,
    }
}

fn share(mode: f32, distance: f32, radius: f32) -> f32 {
    match mode as u32 {
        3 => (1.0 - (distance - radius + 0.5).abs()).clamp(0.0, 1.0),
        _ => (radius + 0.5 - distance).clamp(0.0, 1.0),
    }
}

fn tissue(rgba: [f32; 4], glass: [f32; 3]) -> bool {
    rgba[3] >= 128.0 && (0..3).any(|c| (rgba[c] - glass[c]).abs() > 26.0)
}

const CASES: &[Case] = &[
    ("vec4<f32>(cover_clip(u32(abs(a.x)) % 3u), 0.0, 0.0)", |c| {
        [[-1.0, -1.0], [3.0, -1.0], [-1.0, 3.0]][c[0].abs() as usize % 3].pad()
    }),
    ("vec4<f32>(rectangle_corner(u32(abs(a.x)) % 4u, b), 0.0, 0.0)", |c| {
        let corner = c[0].abs() as usize % 4;
        [c[4 + corner % 2 * 2], c[5 + corner / 2 * 2]].pad()
    }),
    ("vec4<f32>(px_from_clip(a.xy, abs(a.zw)), 0.0, 0.0)", |c| {
        [(0.5 + 0.5 * c[0]) * c[2].abs(), (0.5 - 0.5 * c[1]) * c[3].abs()].pad()
    }),
    ("vec4<f32>(clip_from_px(a.xy, abs(a.zw) + 1.0), 0.0, 0.0)", |c| {
        [2.0 * c[0] / (c[2].abs() + 1.0) - 1.0, 1.0 - 2.0 * c[1] / (c[3].abs() + 1.0)].pad()
    }),
    ("vec4<f32>(pixel_center(a.xy), 0.0, 0.0)", |c| [c[0].floor() + 0.5, c[1].floor() + 0.5].pad()),
    ("vec4<f32>(f32(table_index(a.x)), f32(table_index(b.x)), 0.0, 0.0)", |c| {
        [c[0], c[4]].map(|v| (v.clamp(0.0, 1.0) * 255.0 + 0.5).floor()).pad()
    }),
    ("vec4<f32>(linear_from_gamma(fract(abs(a.x))), 0.0, 0.0, 0.0)", |c| {
        let v = c[0].abs().fract();
        [if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }, 0.0].pad()
    }),
    (
        "vec4<f32>(select(0.0, 1.0, is_nan(a.x)), select(0.0, 1.0, is_nan(bitcast<f32>(u32(abs(a.y)) + 0x7fc00000u))), 0.0, 0.0)",
        |c| [yes(c[0].is_nan()), 1.0].pad(),
    ),
    ("vec4<f32>(bilinear(a.x, a.y, a.z, a.w, fract(b.xy)), 0.0, 0.0, 0.0)", |c| {
        [bilinear([c[0], c[1], c[2], c[3]], [c[4], c[5]].map(|v| v - v.floor())), 0.0].pad()
    }),
    ("bilinear4(a, a.yzwx, b, b.wxyz, fract(a.xy))", |c| {
        let f = [c[0], c[1]].map(|v| v - v.floor());
        std::array::from_fn(|i| bilinear([c[i], c[(i + 1) % 4], c[4 + i], c[4 + (i + 3) % 4]], f))
    }),
    (
        "vec4<f32>(select(0.0, 1.0, inside3(a.xyz, vec3<i32>(3, 4, 5))), select(0.0, 1.0, inside2(b.xy, vec2<f32>(6.0, 7.0))), 0.0, 0.0)",
        |c| [yes(inside(c[0], 3.0) && inside(c[1], 4.0) && inside(c[2], 5.0)), yes(inside(c[4], 6.0) && inside(c[5], 7.0))].pad(),
    ),
    ("vec4<f32>(vec3<f32>(cell3(a.xyz, vec3<i32>(3, 4, 5))), 0.0)", |c| {
        let cell = |v: f32, n: f32| (v + 0.5).floor().clamp(0.0, n - 1.0);
        [cell(c[0], 3.0), cell(c[1], 4.0), cell(c[2], 5.0), 0.0]
    }),
    ("vec4<f32>(select(0.0, 1.0, shows(u32(abs(a.x)) % 4u, a.y, abs(b.xy), abs(b.z))), 0.0, 0.0, 0.0)", |c| {
        [yes(shows((c[0].abs() as u32 % 4) as f32, c[1], [c[4].abs(), c[5].abs()], c[6].abs())), 0.0].pad()
    }),
    (
        "vec4<f32>(disc_share(abs(a.x), abs(a.y)), ring_share(abs(a.x), abs(a.y)), spot_share(u32(abs(a.z)) % 4u == 3u, abs(a.x), abs(a.y)), 0.0)",
        |c| {
            let (d, r) = (c[0].abs(), c[1].abs());
            [share(0.0, d, r), share(3.0, d, r), share((c[2].abs() as u32 % 4) as f32, d, r), 0.0]
        },
    ),
    (
        "vec4<f32>(select(0.0, 1.0, is_tissue(vec4<f32>(abs(a.xyz), 130.0), abs(b.xyz))), select(0.0, 1.0, is_tissue(vec4<f32>(abs(a.xyz), 127.0), abs(b.xyz))), 0.0, 0.0)",
        |c| {
            let abs = |i: usize| c[i].abs();
            let glass = [abs(4), abs(5), abs(6)];
            [yes(tissue([abs(0), abs(1), abs(2), 130.0], glass)), yes(tissue([abs(0), abs(1), abs(2), 127.0], glass))].pad()
        },
    ),
];

trait Pad {
    fn pad(self) -> [f32; 4];
}

impl Pad for [f32; 2] {
    fn pad(self) -> [f32; 4] {
        [self[0], self[1], 0.0, 0.0]
    }
}

fn kernel() -> String {
    let calls: String =
        CASES.iter().enumerate().map(|(i, (call, _))| format!("results[n * {}u + {i}u] = {call};\n", CASES.len())).collect();
    format!(
        "{LIBRARY}
@group(0) @binding(0) var<storage, read> cases: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<f32>>;
@compute @workgroup_size(1)
fn compute(@builtin(global_invocation_id) id: vec3<u32>) {{
let n = id.x;
let a = cases[2u * n];
let b = cases[2u * n + 1u];
{calls}}}"
    )
}

fn run(link: &Link, inputs: &[[f32; 8]]) -> Vec<[f32; 4]> {
    let device = &link.device;
    let module = device
        .create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(kernel().into()) });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("compute"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let n_bytes = (inputs.len() * CASES.len() * 16) as u64;
    let cases = link.filled_buffer("cases", wgpu::BufferUsages::STORAGE, bytemuck::cast_slice(inputs));
    let results = link.empty_buffer("results", wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC, n_bytes);
    let back = link.empty_buffer("back", wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ, n_bytes);
    let group = bind(link, &pipeline.get_bind_group_layout(0), &[cases.as_entire_binding(), results.as_entire_binding()]);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(inputs.len() as u32, 1, 1);
    }
    encoder.copy_buffer_to_buffer(&results, 0, &back, 0, n_bytes);
    link.submit(encoder.finish());
    back.slice(..).map_async(wgpu::MapMode::Read, |_| {});
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let mapped = back.slice(..).get_mapped_range().unwrap();
    bytemuck::cast_slice(&mapped).to_vec()
}

#[test]
fn the_kernel_calls_every_function() {
    let names = LIBRARY.lines().filter_map(|l| l.strip_prefix("fn ")).filter_map(|l| l.split('(').next());
    for name in names {
        assert!(CASES.iter().any(|(call, _)| call.contains(&format!("{name}("))), "{name} is not tested");
    }
}

#[test]
fn library_agrees_with_its_twins() {
    let Ok(gpu) = Gpu::new() else { return eprintln!("absent: graphics adapter") };
    let link = Link::new(&gpu.device, &gpu.queue);
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let scales = [1.5, 8.0, 40.0, 300.0];
    let inputs: Vec<[f32; 8]> = (0..256).map(|n| std::array::from_fn(|_| (next() * 2.0 - 0.7) * scales[n % 4])).collect();
    let results = run(&link, &inputs);
    for (n, input) in inputs.iter().enumerate() {
        for (i, (call, twin)) in CASES.iter().enumerate() {
            let (got, wanted) = (results[n * CASES.len() + i], twin(input));
            let close = got.iter().zip(wanted).all(|(g, w)| (g - w).abs() <= 1e-5 * w.abs().max(1.0));
            assert!(close, "{call} of {input:?}: {got:?}, not {wanted:?}");
        }
    }
}
