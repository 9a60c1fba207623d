// How a layer shares the pane: 0 everywhere, 1 right of a share of the width, 2 every other square.
fn shows(mode: u32, parameter: f32, px: vec2<f32>, width: f32) -> bool {
    if mode == 1u {
        return px.x >= parameter * width;
    }
    if mode == 2u {
        let square = vec2<i32>(floor(px / max(parameter, 1.0)));
        return ((square.x + square.y) & 1) == 0;
    }
    return true;
}
