//! What is on the screen, as a value; and the processor painter that is its reference.
