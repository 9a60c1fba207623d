// A tile of one level of a picture, drawn through a triangulated grid.
struct PictureUniform {
    // Pane mm to pixels: (mm - center) * scale + offset.
    center: vec2<f32>,
    offset: vec2<f32>,
    size_px: vec2<f32>,
    // Level pixel = (full-resolution pixel - level_offset) / level_scale
    level_scale: f32,
    level_offset: f32,
    // Size of the level; first pixel that the tile holds; first and behind-last pixel that it draws.
    level_size: vec2<f32>,
    tile_origin: vec2<f32>,
    draw_from: vec2<f32>,
    draw_to: vec2<f32>,
    accent: vec4<f32>,
    // Color of the glass beside the tissue, 0 to 255.
    glass: vec4<f32>,
    scale: f32,
    opacity: f32,
    // 0 blend, 1 swipe, 2 checker, 3 contour (which is a program of its own)
    mode: u32,
    parameter: f32,
}

// A constant, because a software driver computes both sides of every branch.
override contour: bool = false;

struct Warped {
    @builtin(position) clip: vec4<f32>,
    @location(0) px: vec2<f32>,
    @location(1) full: vec2<f32>,
}

@group(0) @binding(0) var<uniform> u: PictureUniform;
@group(1) @binding(0) var tile: texture_2d<f32>;

@vertex
fn vertex(@location(0) pane_mm: vec2<f32>, @location(1) full: vec2<f32>) -> Warped {
    let px = (pane_mm - u.center) * u.scale + u.offset;
    return Warped(vec4<f32>(clip_from_px(px, u.size_px), 0.0, 1.0), px, full);
}

fn texel(p: vec2<f32>) -> vec4<f32> {
    let inside = clamp(p, vec2<f32>(0.0), u.level_size - 1.0) - u.tile_origin;
    let last = vec2<i32>(textureDimensions(tile)) - 1;
    return textureLoad(tile, clamp(vec2<i32>(inside), vec2<i32>(0), last), 0);
}

fn color_at(p: vec2<f32>) -> vec4<f32> {
    let low = floor(p);
    return bilinear4(
        texel(low),
        texel(low + vec2<f32>(1.0, 0.0)),
        texel(low + vec2<f32>(0.0, 1.0)),
        texel(low + 1.0),
        p - low,
    );
}

fn tissue_at(p: vec2<f32>) -> bool {
    return inside2(p, u.level_size) && is_tissue(floor(color_at(p) * 255.0 + 0.5), u.glass.xyz);
}

// Whether one of the eight pixels around is glass; off the picture and off the pane is glass.
fn glass_near(px: vec2<f32>, p: vec2<f32>, right: vec2<f32>, down: vec2<f32>) -> bool {
    if any(px < vec2<f32>(1.0)) || any(px > u.size_px - 1.0) {
        return true;
    }
    for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
            if !tissue_at(p + right * f32(x) + down * f32(y)) {
                return true;
            }
        }
    }
    return false;
}

@fragment
fn fragment(in: Warped) -> @location(0) vec4<f32> {
    let p = (in.full - u.level_offset) / u.level_scale;
    let right = dpdx(p);
    let down = dpdy(p);
    if any(p < u.draw_from) || any(p >= u.draw_to) || !shows(u.mode, u.parameter, in.px, u.size_px.x) {
        discard;
    }
    if contour {
        if !tissue_at(p) || !glass_near(in.px, p, right, down) {
            discard;
        }
        return to_target(u.accent.xyz, u.opacity);
    }
    let color = color_at(p);
    return to_target(color.xyz, color.w * u.opacity);
}
