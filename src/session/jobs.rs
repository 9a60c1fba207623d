//! Work in the background: one slot per kind, the newest request wins, results come over a channel.
//! Cancelling shows at once; the thread ends at its next progress step.

use crate::base::{Cancel, Error, Progress, Result};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a job asks to be looked at.
const POKE_EVERY: Duration = Duration::from_millis(250);
/// How long the work rests at most while a part of it is drawn for the first time.
const REST: Duration = Duration::from_millis(400);
/// How often it looks up from that rest.
const REST_STEP: Duration = Duration::from_millis(20);

/// Number of a job.
pub type JobId = u64;

/// Called from any thread when there is something to look at.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a job is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct JobStatus {
    /// Its number.
    pub id: JobId,
    /// As `Opening Herz 1`.
    pub title: String,
    /// 0 to 1.
    pub fraction: f64,
    /// What it does now.
    pub what: String,
    /// Seconds since it began.
    pub seconds: f64,
}

impl JobStatus {
    /// Estimated seconds to go, once a twentieth is done.
    #[must_use]
    pub fn seconds_left(&self) -> Option<f64> {
        (self.fraction > 0.05).then(|| self.seconds * (1.0 - self.fraction) / self.fraction)
    }
}

struct Running {
    slot: String,
    title: String,
    cancel: Cancel,
    state: Arc<Mutex<(f64, String)>>,
    began: Instant,
}

/// What a job sends: a part while it works, or its end.
enum Sent<T> {
    /// The work goes on once the sender beside it is gone.
    Early(T, Sender<()>),
    End(Result<T>),
}

/// All running jobs with results of type `T`.
pub struct Jobs<T> {
    running: BTreeMap<JobId, Running>,
    next: JobId,
    sender: Sender<(JobId, Sent<T>)>,
    receiver: Receiver<(JobId, Sent<T>)>,
    wake: Wake,
    /// Works whose parts are being drawn rest until these are dropped.
    resting: Vec<Sender<()>>,
}

impl<T> std::fmt::Debug for Jobs<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

/// A finished job.
#[derive(Debug)]
pub struct Finished<T> {
    /// Its title.
    pub title: String,
    /// What came of it.
    pub result: Result<T>,
}

impl<T: Send + 'static> Jobs<T> {
    /// No jobs yet; `wake` is called whenever something moved.
    #[must_use]
    pub fn new(wake: Wake) -> Self {
        let (sender, receiver) = channel();
        Self { running: BTreeMap::new(), next: 1, sender, receiver, wake, resting: Vec::new() }
    }

    /// Starts work on a thread of its own. A running job of the same slot is cancelled: the newest wins.
    pub fn start(&mut self, slot: &str, title: &str, work: impl FnOnce(&Progress) -> Result<T> + Send + 'static) -> JobId {
        self.start_early(slot, title, |progress, _| work(progress))
    }

    /// As [`Self::start`]; the work may hand over parts before it ends. After each it leaves the cores to the
    /// drawing of the part, until the call of [`Self::finished`] after the one that gave it, or for 0.4 s.
    pub fn start_early(
        &mut self,
        slot: &str,
        title: &str,
        work: impl FnOnce(&Progress, &dyn Fn(T)) -> Result<T> + Send + 'static,
    ) -> JobId {
        self.running.values().filter(|r| r.slot == slot).for_each(|r| r.cancel.cancel());
        self.running.retain(|_, r| r.slot != slot);
        let id = self.next;
        self.next += 1;
        let cancel = Cancel::default();
        let state = Arc::new(Mutex::new((0.0, String::new())));
        let (sender, wake, shared) = (self.sender.clone(), Arc::clone(&self.wake), Arc::clone(&state));
        let (poke, cancelled) = (Arc::clone(&self.wake), cancel.clone());
        let poked = Mutex::new(Instant::now());
        let progress = Progress::new(cancel.clone(), move |fraction, what| {
            if let Ok(mut state) = shared.lock()
                && ((fraction - state.0).abs() > 0.005 || state.1 != what)
            {
                *state = (fraction, what.to_owned());
            }
            // Drawing a bar must not take the cores that the work needs.
            if let Ok(mut last) = poked.try_lock()
                && last.elapsed() > POKE_EVERY
            {
                *last = Instant::now();
                poke();
            }
        });
        let body = move || {
            let early = |part: T| {
                let (drawn, rest) = channel();
                // The receiver is gone only when the program ends.
                let _ = sender.send((id, Sent::Early(part, drawn)));
                wake();
                let since = Instant::now();
                while since.elapsed() < REST
                    && !cancelled.is_cancelled()
                    && rest.recv_timeout(REST_STEP) == Err(RecvTimeoutError::Timeout)
                {}
            };
            let result = catch_unwind(AssertUnwindSafe(|| work(&progress, &early)))
                .unwrap_or_else(|_| Err(Error::unsupported("the work stopped unexpectedly; everything else stays open")));
            // The receiver is gone only when the program ends.
            let _ = sender.send((id, Sent::End(result)));
            wake();
        };
        let spawned = std::thread::Builder::new().name(format!("job {id}")).stack_size(8 << 20).spawn(body);
        if let Err(e) = spawned {
            let failed = Error::Io { doing: "starting a thread", source: e, path: None };
            let _ = self.sender.send((id, Sent::End(Err(failed))));
        }
        self.running.insert(id, Running { slot: slot.into(), title: title.into(), cancel, state, began: Instant::now() });
        id
    }

    /// Stops a job; its result is thrown away.
    pub fn cancel(&mut self, id: JobId) {
        if let Some(job) = self.running.remove(&id) {
            job.cancel.cancel();
        }
    }

    /// Results and parts that arrived since the last call, without those of cancelled jobs.
    pub fn finished(&mut self) -> Vec<Finished<T>> {
        let mut all = Vec::new();
        self.resting.clear();
        while let Ok((id, sent)) = self.receiver.try_recv() {
            let Some(title) = self.running.get(&id).map(|job| job.title.clone()) else { continue };
            let result = match sent {
                Sent::Early(part, drawn) => {
                    self.resting.push(drawn);
                    Ok(part)
                }
                Sent::End(result) => {
                    self.running.remove(&id);
                    result
                }
            };
            all.push(Finished { title, result });
        }
        all
    }

    /// What runs now, oldest first.
    #[must_use]
    pub fn status(&self) -> Vec<JobStatus> {
        let status = |(&id, r): (&JobId, &Running)| {
            let (fraction, what) = r.state.lock().map(|s| s.clone()).unwrap_or_default();
            JobStatus { id, title: r.title.clone(), fraction, what, seconds: r.began.elapsed().as_secs_f64() }
        };
        self.running.iter().map(status).collect()
    }

    /// What the job of a slot is doing, where one runs.
    #[must_use]
    pub fn of_slot(&self, slot: &str) -> Option<JobStatus> {
        let id = self.running.iter().find(|(_, r)| r.slot == slot).map(|(id, _)| *id)?;
        self.status().into_iter().find(|s| s.id == id)
    }

    /// Whether nothing runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }
}

impl<T> Drop for Jobs<T> {
    fn drop(&mut self) {
        self.running.values().for_each(|r| r.cancel.cancel());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> Jobs<u32> {
        Jobs::new(Arc::new(|| {}))
    }

    fn wait(jobs: &mut Jobs<u32>) -> Vec<Finished<u32>> {
        for _ in 0..500 {
            let done = jobs.finished();
            if !done.is_empty() {
                return done;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Vec::new()
    }

    #[test]
    fn newest_wins_and_cancel_is_quick() {
        let mut jobs = jobs();
        let (told, stopped) = channel();
        let endless = move |progress: &Progress| {
            let began = Instant::now();
            while progress.step(0.5, "spinning").is_ok() {
                assert!(began.elapsed() < Duration::from_secs(5));
                std::thread::sleep(Duration::from_millis(1));
            }
            told.send(Instant::now()).unwrap();
            Err(Error::Cancelled)
        };
        jobs.start("fit", "first", endless);
        std::thread::sleep(Duration::from_millis(10));
        let asked = Instant::now();
        jobs.start("fit", "second", |_| Ok(2));
        let done = wait(&mut jobs);
        assert_eq!(done.len(), 1);
        assert_eq!(done[0].title, "second");
        assert!(stopped.recv().unwrap() - asked < Duration::from_millis(100));
        assert!(jobs.is_idle());
    }

    #[test]
    fn work_rests_until_its_part_is_drawn() {
        let mut jobs = jobs();
        jobs.start_early("x", "x", |_, early| {
            early(1);
            Ok(2)
        });
        assert_eq!(*wait(&mut jobs)[0].result.as_ref().unwrap(), 1);
        std::thread::sleep(Duration::from_millis(50));
        assert!(!jobs.is_idle() && jobs.receiver.try_recv().is_err(), "the work did not rest");
        assert_eq!(*wait(&mut jobs)[0].result.as_ref().unwrap(), 2);
    }

    #[test]
    fn a_panic_is_an_error() {
        let mut jobs = jobs();
        jobs.start("x", "x", |_| panic!("no"));
        assert!(wait(&mut jobs)[0].result.is_err());
    }
}
