struct SpotsUniform {
    // Pane mm to pixels: (mm - center) * scale + offset.
    center: vec2<f32>,
    offset: vec2<f32>,
    size_px: vec2<f32>,
    scale: f32,
    radius_px: f32,
    // Color where there are no values.
    plain: vec4<f32>,
    // Pixels that can be covered: left, top, right, bottom.
    rectangle: vec4<f32>,
    // Values of the lowest color, and from there to the highest.
    low: f32,
    span: f32,
    opacity: f32,
    table: u32,
    // 0 blend, 1 swipe, 2 checker, 3 contour
    mode: u32,
    parameter: f32,
    n_ranges: u32,
}

// Constants, because a software driver computes both sides of every branch: spots have values; spots are rings;
// their radius is under 0.9 pixels.
override valued: bool = true;
override ring: bool = false;
override small: bool = false;
