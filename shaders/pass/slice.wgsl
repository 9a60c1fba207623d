// A cut through one phase of a volume; phases are stacked along z.
struct SliceUniform {
    // Voxel position of pixel position (0, 0), then the step of one pixel right and one down.
    origin: vec4<f32>,
    right: vec4<f32>,
    down: vec4<f32>,
    // Voxels along i, j, k and the first k of the phase.
    size: vec4<i32>,
    size_px: vec2<f32>,
    // share = stored * gain + bias
    gain: f32,
    bias: f32,
    opacity: f32,
    table: u32,
    smooth_cut: u32,
    // The cut lies in one slice: four neighbors are enough.
    flat_cut: u32,
}

struct Covered {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
}

@group(0) @binding(0) var<uniform> u: SliceUniform;
@group(1) @binding(1) var tables: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32) -> Covered {
    let clip = cover_clip(corner);
    return Covered(vec4<f32>(clip, 0.0, 1.0), px_from_clip(clip, u.size_px));
}

fn stored(voxel: vec3<i32>) -> f32 {
    return f32(textureLoad(volume, vec3<i32>(voxel.xy, voxel.z + u.size.w), 0).x);
}

fn stored_between(low: vec3<i32>, high: vec3<i32>, z: i32, f: vec2<f32>) -> f32 {
    return bilinear(
        stored(vec3<i32>(low.xy, z)),
        stored(vec3<i32>(high.x, low.y, z)),
        stored(vec3<i32>(low.x, high.y, z)),
        stored(vec3<i32>(high.xy, z)),
        f,
    );
}

@fragment
fn fragment(in: Covered) -> @location(0) vec4<f32> {
    let px = pixel_center(in.px);
    let v = u.origin.xyz + u.right.xyz * px.x + u.down.xyz * px.y;
    let size = u.size.xyz;
    if !inside3(v, size) {
        discard;
    }
    var value: f32;
    if u.smooth_cut != 0u {
        let whole = floor(v);
        let f = v - whole;
        let low = clamp(vec3<i32>(whole), vec3<i32>(0), size - 1);
        let high = clamp(vec3<i32>(whole) + 1, vec3<i32>(0), size - 1);
        value = stored_between(low, high, low.z, f.xy);
        if u.flat_cut == 0u {
            value += (stored_between(low, high, high.z, f.xy) - value) * f.z;
        }
    } else {
        value = stored(cell3(v, size));
    }
    if is_nan(value) {
        discard;
    }
    let color = textureLoad(tables, vec2<i32>(table_index(value * u.gain + u.bias), i32(u.table)), 0);
    return to_target(color.xyz, u.opacity);
}
