//! Chooses between the window and the command line; turns an error into an exit status.

fn main() {}
