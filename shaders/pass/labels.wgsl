// A cut through one phase of a segmentation: fill, and an outline where a near pixel differs.
struct LabelsUniform {
    origin: vec4<f32>,
    right: vec4<f32>,
    down: vec4<f32>,
    // Voxels along i, j, k and the first k of the phase.
    size: vec4<i32>,
    // Pixels that can be inside: left, top, right, bottom.
    rectangle: vec4<f32>,
    size_px: vec2<f32>,
    fill: f32,
    outline_px: f32,
    // Only this value, or all where it is 0.
    only: u32,
}

struct Covered {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
}

@group(0) @binding(0) var<uniform> u: LabelsUniform;
@group(1) @binding(0) var labels: texture_3d<u32>;
@group(1) @binding(1) var colors: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32) -> Covered {
    let px = rectangle_corner(corner, u.rectangle);
    return Covered(vec4<f32>(clip_from_px(px, u.size_px), 0.0, 1.0), px);
}

fn label_at(px: vec2<f32>) -> u32 {
    let v = u.origin.xyz + u.right.xyz * px.x + u.down.xyz * px.y;
    let size = u.size.xyz;
    if !inside3(v, size) {
        return 0u;
    }
    let cell = cell3(v, size);
    let value = textureLoad(labels, vec3<i32>(cell.xy, cell.z + u.size.w), 0).x;
    return select(value, 0u, (u.only != 0u) & (value != u.only));
}

// Whether one of the eight places beside the pixel has another label.
fn is_outline(px: vec2<f32>, label: u32) -> bool {
    for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
            if label_at(px + vec2<f32>(f32(x), f32(y)) * u.outline_px) != label {
                return true;
            }
        }
    }
    return false;
}

@fragment
fn fragment(in: Covered) -> @location(0) vec4<f32> {
    let px = pixel_center(in.px);
    let label = label_at(px);
    if label == 0u {
        discard;
    }
    let color = textureLoad(colors, vec2<i32>(i32(label), 0), 0);
    var alpha = u.fill;
    // Never a condition on uniforms alone: lavapipe puts their values into the program, which compiles it
    // again for each draw and keeps the old ones.
    if f32(label) * u.outline_px > 0.0 && is_outline(px, label) {
        alpha = 1.0;
    }
    return to_target(color.xyz, alpha);
}
