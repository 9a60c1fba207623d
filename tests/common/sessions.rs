//! Sessions that several test programs open.

#![allow(dead_code, reason = "not every program needs all of them")]

use myoscope::session::{Action, Session};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits until all work has ended, and checks the study.
pub fn settle(session: &mut Session) {
    let began = Instant::now();
    while !session.is_idle() || began.elapsed() < Duration::from_millis(5) {
        session.poll();
        assert!(began.elapsed() < Duration::from_mins(2), "the work did not end: {:?}", session.jobs());
        std::thread::sleep(Duration::from_millis(1));
    }
    session.poll();
    assert_eq!(session.study.check(), Vec::<String>::new());
}

/// The built-in case, with a journal in a folder or without.
pub fn demo(journal: Option<&Path>) -> Session {
    let mut session = Session::new(Arc::new(|| {}));
    if let Some(root) = journal {
        session.keep_journal(root);
    }
    session.apply(Action::OpenDemo(0));
    settle(&mut session);
    session
}
