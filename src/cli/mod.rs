//! The program as commands.
