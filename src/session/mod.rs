//! The program without a window: study, history, jobs, journal.
