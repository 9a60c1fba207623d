@group(1) @binding(0) var volume: texture_3d<f32>;
const MAY_BE_NAN: bool = true;
