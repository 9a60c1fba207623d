//! Scene to GPU. Nothing outside knows what a texture is.
