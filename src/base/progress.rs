//! Progress and cancel in one call: long work says how far it is, and is told to stop by the answer.

use super::{Error, Result};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The person's side of a cancel: shared with a running job.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the job to stop at its next [`Progress::step`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

type Sink = Arc<dyn Fn(f64, &str) + Send + Sync>;

/// The job's side: call [`Progress::step`] at least every few milliseconds of work.
#[derive(Clone, Default)]
pub struct Progress {
    cancel: Cancel,
    sink: Option<Sink>,
    from: f64,
    span: Option<f64>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("cancelled", &self.cancel.is_cancelled()).finish_non_exhaustive()
    }
}

impl Progress {
    /// Nobody watches and nobody cancels.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reports to `sink` as (fraction 0..1, what is being done), stops when `cancel` says so.
    pub fn new(cancel: Cancel, sink: impl Fn(f64, &str) + Send + Sync + 'static) -> Self {
        Self { cancel, sink: Some(Arc::new(sink)), from: 0.0, span: None }
    }

    /// Says that `fraction` (0..1) is done; [`Error::Cancelled`] where the job should stop.
    pub fn step(&self, fraction: f64, what: &str) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(sink) = &self.sink {
            sink(self.from + fraction.clamp(0.0, 1.0) * self.span.unwrap_or(1.0), what);
        }
        Ok(())
    }

    /// Progress of a part that goes from `from` to `to` of the whole.
    #[must_use]
    pub fn part(&self, from: f64, to: f64) -> Self {
        let span = self.span.unwrap_or(1.0);
        Self { from: self.from + from * span, span: Some((to - from) * span), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn parts_nest_and_cancel_stops() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let cancel = Cancel::default();
        let progress = Progress::new(cancel.clone(), move |f, _| sink.lock().unwrap().push(f));
        progress.part(0.5, 1.0).part(0.5, 1.0).step(0.5, "x").unwrap();
        assert_eq!(*seen.lock().unwrap(), vec![0.875]);
        cancel.cancel();
        assert!(matches!(progress.step(0.0, "x"), Err(Error::Cancelled)));
    }
}
