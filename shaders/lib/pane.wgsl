// Pane pixels and clip space. Pixels: x right, y down, (0, 0) the top left corner, centers at .5.

// Corner 0 to 3 of a rectangle (left, top, right, bottom) as a strip.
fn rectangle_corner(corner: u32, rectangle: vec4<f32>) -> vec2<f32> {
    return vec2<f32>(select(rectangle.x, rectangle.z, (corner & 1u) != 0u), select(rectangle.y, rectangle.w, corner > 1u));
}

// Clip position of corner 0, 1 or 2 of the triangle that covers the pane.
fn cover_clip(corner: u32) -> vec2<f32> {
    return vec2<f32>(f32(corner & 1u) * 4.0 - 1.0, f32(corner >> 1u) * 4.0 - 1.0);
}

fn px_from_clip(clip: vec2<f32>, size_px: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(0.5 + 0.5 * clip.x, 0.5 - 0.5 * clip.y) * size_px;
}

fn clip_from_px(px: vec2<f32>, size_px: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(2.0 * px.x / size_px.x - 1.0, 1.0 - 2.0 * px.y / size_px.y);
}

// Center of the pixel that an interpolated position lies in.
fn pixel_center(px: vec2<f32>) -> vec2<f32> {
    return floor(px) + 0.5;
}
