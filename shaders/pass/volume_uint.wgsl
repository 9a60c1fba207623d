@group(1) @binding(0) var volume: texture_3d<u32>;
const MAY_BE_NAN: bool = false;
