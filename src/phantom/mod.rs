//! The built-in case: a synthetic beating heart, its section, and the truth about both.
