// Spots as instanced squares cut to discs; positions and values are buffers of their own.
struct Disc {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
    @location(1) @interpolate(flat) middle: vec2<f32>,
    @location(2) @interpolate(flat) share: f32,
}

@group(0) @binding(0) var<uniform> u: SpotsUniform;
@group(1) @binding(0) var tables: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32, @location(0) pane_mm: vec2<f32>, @location(1) value: f32) -> Disc {
    let middle = (pane_mm - u.center) * u.scale + u.offset;
    let side = vec2<f32>(f32(corner & 1u), f32(corner >> 1u)) * 2.0 - 1.0;
    let px = middle + side * (u.radius_px + 0.55);
    var clip = vec4<f32>(clip_from_px(px, u.size_px), 0.0, 1.0);
    if valued {
        if is_nan(value) {
            clip = vec4<f32>(2.0, 2.0, 0.0, 1.0);
        }
    }
    return Disc(clip, px, middle, (value - u.low) / u.span);
}

@fragment
fn fragment(in: Disc) -> @location(0) vec4<f32> {
    let px = pixel_center(in.px);
    let share = spot_share(ring, distance(px, in.middle), u.radius_px);
    if share <= 0.0 || !shows(u.mode, u.parameter, px, u.size_px.x) {
        discard;
    }
    var rgb = u.plain.xyz;
    if valued {
        rgb = textureLoad(tables, vec2<i32>(table_index(in.share), i32(u.table)), 0).xyz;
    }
    return to_target(rgb, share * u.opacity);
}
