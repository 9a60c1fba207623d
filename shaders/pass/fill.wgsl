// One color over the whole pane.
struct FillUniform {
    rgba: vec4<f32>,
}

@group(0) @binding(0) var<uniform> u: FillUniform;

@vertex
fn vertex(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(cover_clip(corner), 0.0, 1.0);
}

@fragment
fn fragment() -> @location(0) vec4<f32> {
    return to_target(u.rgba.xyz, u.rgba.w);
}
