//! Tests of the renderer as a whole: shaders validate, uniforms and library functions have their
//! twins, uploads stay small, a lost device is survived.
mod library;
mod scenes;
mod twins;
