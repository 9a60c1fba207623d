// Tissue and glass, as `imaging::is_tissue`: channels 0 to 255, glass within 26 of its color.
fn is_tissue(rgba: vec4<f32>, glass: vec3<f32>) -> bool {
    return rgba.w >= 128.0 && any(abs(rgba.xyz - glass) > vec3<f32>(26.0));
}
