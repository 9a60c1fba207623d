// Many small spots: each writes how much it covers (8 bits) and its number (24 bits)
// into the pixels of its disc; the largest stays, so a pixel shows the spot that covers it most.
@group(0) @binding(0) var<uniform> u: SpotsUniform;
@group(1) @binding(0) var<storage, read> positions: array<vec2<f32>>;
@group(1) @binding(1) var<storage, read> values: array<f32>;
// First workgroup, first point, behind-last point of each run of visible points.
@group(1) @binding(2) var<storage, read> ranges: array<vec4<u32>>;
@group(1) @binding(3) var<storage, read_write> pixels: array<atomic<u32>>;

fn point_of(group: u32, lane: u32) -> u32 {
    var first = 0u;
    var behind = u.n_ranges;
    while behind - first > 1u {
        let middle = (first + behind) / 2u;
        if ranges[middle].x <= group {
            first = middle;
        } else {
            behind = middle;
        }
    }
    let range = ranges[first];
    let point = range.y + (group - range.x) * 256u + lane;
    return select(0xffffffffu, point, point < range.z);
}

// Writes a point into a pixel, where it is on the pane and covered.
fn cover(at: vec2<i32>, middle: vec2<f32>, point: u32) {
    let off = vec2<f32>(at) + 0.5 - middle;
    let share = u32(spot_share(ring, sqrt(off.x * off.x + off.y * off.y), u.radius_px) * 255.0 + 0.5);
    let size = vec2<u32>(u.size_px);
    if share != 0u && u32(at.x) < size.x && u32(at.y) < size.y {
        atomicMax(&pixels[u32(at.y) * size.x + u32(at.x)], share << 24u | point);
    }
}

// The eight pixels that a spot of less than 0.9 pixels radius can cover, without a loop: software drivers are slow in
// loops that differ between neighbors. Nearest first; the ninth lies over 1.4 pixels away.
fn cover_small(middle: vec2<f32>, point: u32) {
    let at = vec2<i32>(floor(middle));
    let near = select(vec2<i32>(-1), vec2<i32>(1), fract(middle) >= vec2<f32>(0.5));
    cover(at, middle, point);
    cover(at + vec2<i32>(near.x, 0), middle, point);
    cover(at + vec2<i32>(0, near.y), middle, point);
    cover(at + near, middle, point);
    cover(at - vec2<i32>(near.x, 0), middle, point);
    cover(at - vec2<i32>(0, near.y), middle, point);
    cover(at + vec2<i32>(-near.x, near.y), middle, point);
    cover(at + vec2<i32>(near.x, -near.y), middle, point);
}

@compute @workgroup_size(256)
fn compute(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let point = point_of(group.x + group.y * groups.x, lane);
    if point == 0xffffffffu {
        return;
    }
    let middle = (positions[point] - u.center) * u.scale + u.offset;
    let reach = u.radius_px + 0.5;
    let first_px = max(vec2<i32>(ceil(max(middle - reach, vec2<f32>(0.0)) - 0.5)), vec2<i32>(0));
    let last_px = vec2<i32>(floor(min(middle + reach, u.size_px) - 0.5));
    if any(first_px > last_px) {
        return;
    }
    if valued {
        if is_nan(values[point]) {
            return;
        }
    }
    if small {
        cover_small(middle, point);
        return;
    }
    let width = i32(u.size_px.x);
    for (var y = first_px.y; y <= last_px.y; y++) {
        let off_y = f32(y) + 0.5 - middle.y;
        for (var x = first_px.x; x <= last_px.x; x++) {
            let off_x = f32(x) + 0.5 - middle.x;
            let from_middle = sqrt(off_x * off_x + off_y * off_y);
            let share = u32(spot_share(ring, from_middle, u.radius_px) * 255.0 + 0.5);
            let mine = share << 24u | point;
            // Reading first is cheaper than taking the pixel where a spot covers it better already.
            if share != 0u && atomicLoad(&pixels[y * width + x]) < mine {
                atomicMax(&pixels[y * width + x], mine);
            }
        }
    }
}
