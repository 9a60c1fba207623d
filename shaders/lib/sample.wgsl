// Sampling by arithmetic, as the processor painter does it. Whole numbers are centers.

fn bilinear(c00: f32, c10: f32, c01: f32, c11: f32, f: vec2<f32>) -> f32 {
    let top = c00 + (c10 - c00) * f.x;
    let bottom = c01 + (c11 - c01) * f.x;
    return top + (bottom - top) * f.y;
}

fn bilinear4(c00: vec4<f32>, c10: vec4<f32>, c01: vec4<f32>, c11: vec4<f32>, f: vec2<f32>) -> vec4<f32> {
    let top = c00 + (c10 - c00) * f.x;
    let bottom = c01 + (c11 - c01) * f.x;
    return top + (bottom - top) * f.y;
}

// Whether a position lies in one of the cells of a grid; a cell reaches half a step around its center.
fn inside3(v: vec3<f32>, size: vec3<i32>) -> bool {
    return all(v >= vec3<f32>(-0.5)) && all(v < vec3<f32>(size) - 0.5);
}

fn inside2(p: vec2<f32>, size: vec2<f32>) -> bool {
    return all(p >= vec2<f32>(-0.5)) && all(p < size - 0.5);
}

// The cell of a position.
fn cell3(v: vec3<f32>, size: vec3<i32>) -> vec3<i32> {
    return clamp(vec3<i32>(floor(v + 0.5)), vec3<i32>(0), size - 1);
}
