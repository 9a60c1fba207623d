// Set where the target encodes sRGB itself.
override linear_target: bool = false;

fn to_target(rgb: vec3<f32>, alpha: f32) -> vec4<f32> {
    if linear_target {
        return vec4<f32>(linear_from_gamma(rgb.x), linear_from_gamma(rgb.y), linear_from_gamma(rgb.z), alpha);
    }
    return vec4<f32>(rgb, alpha);
}
