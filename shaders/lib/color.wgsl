// Colors. Everything is gamma-encoded sRGB until the target asks for linear light.

// Entry of a 256-color table for a share of the range.
fn table_index(share: f32) -> i32 {
    return i32(floor(clamp(share, 0.0, 1.0) * 255.0 + 0.5));
}

fn linear_from_gamma(c: f32) -> f32 {
    if c <= 0.04045 {
        return c / 12.92;
    }
    return pow((c + 0.055) / 1.055, 2.4);
}

// Optimizers may assume that no number is NaN, so the bits are asked.
fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}
