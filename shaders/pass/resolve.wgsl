// Colors the pixels that `splat` has numbered.
struct Covered {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
}

@group(0) @binding(0) var<uniform> u: SpotsUniform;
@group(1) @binding(0) var<storage, read> pixels: array<u32>;
@group(1) @binding(1) var<storage, read> values: array<f32>;
@group(1) @binding(2) var tables: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32) -> Covered {
    let px = rectangle_corner(corner, u.rectangle);
    return Covered(vec4<f32>(clip_from_px(px, u.size_px), 0.0, 1.0), px);
}

@fragment
fn fragment(in: Covered) -> @location(0) vec4<f32> {
    let px = pixel_center(in.px);
    let held = pixels[u32(px.y) * u32(u.size_px.x) + u32(px.x)];
    if held == 0u || !shows(u.mode, u.parameter, px, u.size_px.x) {
        discard;
    }
    var rgb = u.plain.xyz;
    if valued {
        let share = (values[held & 0xffffffu] - u.low) / u.span;
        rgb = textureLoad(tables, vec2<i32>(table_index(share), i32(u.table)), 0).xyz;
    }
    return to_target(rgb, f32(held >> 24u) / 255.0 * u.opacity);
}
