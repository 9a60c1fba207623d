//! Fitting a section to the heart: landmark models, their quality, mirrors and swaps.
