// A cut through one phase of a volume; phases are stacked along z.
struct SliceUniform {
    // Voxel position of pixel position (0, 0), then the step of one pixel right and one down.
    origin: vec4<f32>,
    right: vec4<f32>,
    down: vec4<f32>,
    // Voxels along i, j, k and the first k of the phase.
    size: vec4<i32>,
    // Pixels that can be inside: left, top, right, bottom.
    rectangle: vec4<f32>,
    size_px: vec2<f32>,
    // share = stored * gain + bias
    gain: f32,
    bias: f32,
    opacity: f32,
    table: u32,
}

// 0 nearest, 1 between the four neighbors in one slice, 2 between eight. A constant, because a
// software driver computes both sides of every branch.
override neighbors: u32 = 2u;
// The table is black to white.
override gray: bool = false;

struct Covered {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
}

@group(0) @binding(0) var<uniform> u: SliceUniform;
@group(1) @binding(1) var tables: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) corner: u32) -> Covered {
    let px = rectangle_corner(corner, u.rectangle);
    return Covered(vec4<f32>(clip_from_px(px, u.size_px), 0.0, 1.0), px);
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
    if neighbors != 0u {
        let whole = floor(v);
        let f = v - whole;
        let low = clamp(vec3<i32>(whole), vec3<i32>(0), size - 1);
        let high = clamp(vec3<i32>(whole) + 1, vec3<i32>(0), size - 1);
        value = stored_between(low, high, low.z, f.xy);
        if neighbors == 2u {
            value += (stored_between(low, high, high.z, f.xy) - value) * f.z;
        }
    } else {
        value = stored(cell3(v, size));
    }
    if MAY_BE_NAN && is_nan(value) {
        discard;
    }
    if gray {
        return to_target(vec3<f32>(f32(table_index(value * u.gain + u.bias)) / 255.0), u.opacity);
    }
    let color = textureLoad(tables, vec2<i32>(table_index(value * u.gain + u.bias), i32(u.table)), 0);
    return to_target(color.xyz, u.opacity);
}
