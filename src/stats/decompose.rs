//! Decompositions of larger dense matrices, one thread each so that the last bit does not depend on how
//! many threads there are, and given up at once when the job is cancelled.

use super::ThinSvd;
use super::lanczos::lanczos;
use crate::base::{Error, Progress, Result};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::{evd, svd};
use faer::{Mat, MatRef, Par, Spec};
use std::sync::mpsc;
use std::time::Duration;

/// How often a running decomposition is asked whether it should stop.
const CANCEL_CHECK: Duration = Duration::from_millis(20);

/// The largest eigenvalues of a symmetric matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// Largest first.
    pub values: Vec<f64>,
    /// Unit vectors as columns, n × k, row-major.
    pub vectors: Vec<f64>,
}

/// The `k` largest eigenvalues of the symmetric n×n matrix `a` (row-major, both halves filled) and their
/// vectors. [`Error::Degenerate`] where it holds a number that is not finite. Costs about 9 n³ and three
/// such matrices; a cancelled job returns at once, what was begun ends on its own.
pub fn symmetric_eigen(n: usize, a: Vec<f64>, k: usize, progress: &Progress) -> Result<Eigen> {
    if a.len() != n * n {
        return Err(Error::parameter(format!("a {n}×{n} matrix got {} numbers", a.len())));
    }
    finite(n, n, &a)?;
    let k = k.min(n);
    cancellable(progress, "finding eigenvectors", move || eigen(n, &a, k))?
}

/// All are computed, the `k` largest are given.
pub(super) fn eigen(n: usize, a: &[f64], k: usize) -> Result<Eigen> {
    let failed = || Error::degenerate(format!("the eigenvalues of a {n}×{n} matrix did not converge"));
    let (mut values, mut vectors) = (Diag::<f64>::zeros(n), Mat::<f64>::zeros(n, n));
    let need = evd::self_adjoint_evd_scratch::<f64>(n, evd::ComputeEigenvectors::Yes, Par::Seq, Spec::default());
    let mut memory = MemBuffer::new(need);
    let a = MatRef::from_row_major_slice(a, n, n);
    let stack = MemStack::new(&mut memory);
    evd::self_adjoint_evd(a, values.as_mut(), Some(vectors.as_mut()), Par::Seq, stack, Spec::default()).map_err(|_| failed())?;
    let values = values.column_vector();
    Ok(Eigen {
        values: (0..k).map(|j| values[n - 1 - j]).collect(),
        vectors: (0..n * k).map(|i| vectors[(i / k, n - 1 - i % k)]).collect(),
    })
}

/// As [`symmetric_eigen`] of a matrix without negative eigenvalues, such as a covariance. Where `k` is small they come
/// from Lanczos iterations, with a proof that none was passed over; else all are computed. Costs about 4 k products with
/// the matrix and n³ / 3.
pub fn leading_eigen(n: usize, a: Vec<f64>, k: usize, progress: &Progress) -> Result<Eigen> {
    if a.len() != n * n {
        return Err(Error::parameter(format!("a {n}×{n} matrix got {} numbers", a.len())));
    }
    finite(n, n, &a)?;
    let k = k.min(n);
    let find = move || lanczos(n, &a, k).map_or_else(|| eigen(n, &a, k), Ok);
    cancellable(progress, "finding eigenvectors", find)?
}

/// [`super::thin_svd`] of a row-major matrix that may be large: one thread, cancelled at once.
pub fn long_svd(n_rows: usize, n_columns: usize, a: Vec<f64>, progress: &Progress) -> Result<ThinSvd> {
    if a.len() != n_rows * n_columns || a.is_empty() {
        return Err(Error::parameter(format!("a {n_rows}×{n_columns} matrix got {} numbers", a.len())));
    }
    finite(n_rows, n_columns, &a)?;
    cancellable(progress, "finding singular vectors", move || sequential_svd(n_rows, n_columns, &a))?
}

fn sequential_svd(n_rows: usize, n_columns: usize, a: &[f64]) -> Result<ThinSvd> {
    let k = n_rows.min(n_columns);
    let (mut u, mut v, mut s) = (Mat::<f64>::zeros(n_rows, k), Mat::<f64>::zeros(n_columns, k), Diag::<f64>::zeros(k));
    let thin = svd::ComputeSvdVectors::Thin;
    let mut memory = MemBuffer::new(svd::svd_scratch::<f64>(n_rows, n_columns, thin, thin, Par::Seq, Spec::default()));
    let (a, stack) = (MatRef::from_row_major_slice(a, n_rows, n_columns), MemStack::new(&mut memory));
    svd::svd(a, s.as_mut(), Some(u.as_mut()), Some(v.as_mut()), Par::Seq, stack, Spec::default())
        .map_err(|_| Error::degenerate(format!("the singular values of a {n_rows}×{n_columns} matrix did not converge")))?;
    Ok(ThinSvd {
        u: (0..n_rows * k).map(|i| u[(i / k, i % k)]).collect(),
        s: (0..k).map(|i| s.column_vector()[i]).collect(),
        v: (0..n_columns * k).map(|i| v[(i / k, i % k)]).collect(),
    })
}

fn finite(n_rows: usize, n_columns: usize, a: &[f64]) -> Result<()> {
    if a.iter().all(|v| v.is_finite()) {
        return Ok(());
    }
    Err(Error::degenerate(format!("a {n_rows}×{n_columns} matrix holds a number that is not finite")))
}

/// Runs work that cannot be interrupted in a thread of its own and waits for it or for the cancel.
fn cancellable<T: Send + 'static>(progress: &Progress, what: &str, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    progress.step(0.0, what)?;
    let (done, result) = mpsc::channel();
    let worker = std::thread::Builder::new().name("decomposition".into());
    // A receiver that is gone was cancelled: nobody wants the answer.
    let spawned = worker.spawn(move || drop(done.send(work())));
    spawned.map_err(|e| Error::Io { doing: "starting a thread", source: e, path: None })?;
    loop {
        match result.recv_timeout(CANCEL_CHECK) {
            Ok(value) => return Ok(value),
            Err(mpsc::RecvTimeoutError::Timeout) => progress.step(0.5, what)?,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::degenerate(format!("{what} ended without an answer")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Cancel;
    use crate::stats::Stream;
    use std::time::Instant;

    fn symmetric(n: usize) -> Vec<f64> {
        let mut random = Stream::new(1, 0);
        let half: Vec<f64> = (0..n * n).map(|_| random.normal()).collect();
        (0..n * n).map(|i| half[i] + half[i % n * n + i / n]).collect()
    }

    #[test]
    fn vectors_are_eigenvectors_largest_first() {
        let (n, k) = (30, 4);
        let a = symmetric(n);
        let e = symmetric_eigen(n, a.clone(), k, &Progress::none()).unwrap();
        assert!(e.values.windows(2).all(|w| w[0] >= w[1]));
        for j in 0..k {
            for row in 0..n {
                let product: f64 = (0..n).map(|c| a[row * n + c] * e.vectors[c * k + j]).sum();
                assert!((product - e.values[j] * e.vectors[row * k + j]).abs() < 1e-12);
            }
        }
        assert!(symmetric_eigen(1, vec![f64::NAN], 1, &Progress::none()).is_err());
        assert!(symmetric_eigen(2, vec![1.0], 1, &Progress::none()).is_err());
    }

    #[test]
    fn the_factors_multiply_back() {
        let a: Vec<f64> = symmetric(12)[..60].to_vec();
        for (n, m) in [(5, 12), (12, 5)] {
            let f = long_svd(n, m, a.clone(), &Progress::none()).unwrap();
            let k = f.s.len();
            for (i, a) in a.iter().enumerate() {
                let back: f64 = (0..k).map(|j| f.u[i / m * k + j] * f.s[j] * f.v[i % m * k + j]).sum();
                assert!((back - a).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_cancelled_job_returns_at_once() {
        let cancel = Cancel::default();
        let progress = Progress::new(cancel.clone(), |_, _| {});
        let a = symmetric(900);
        let waiting = std::thread::spawn(move || {
            let start = Instant::now();
            (symmetric_eigen(900, a, 10, &progress), start.elapsed())
        });
        std::thread::sleep(Duration::from_millis(5));
        cancel.cancel();
        let (result, _) = waiting.join().unwrap();
        assert!(matches!(result, Err(Error::Cancelled)) || result.is_ok());
        let cancelled = Progress::new(cancel, |_, _| {});
        assert!(matches!(symmetric_eigen(2, vec![1.0, 0.0, 0.0, 1.0], 1, &cancelled), Err(Error::Cancelled)));
    }
}
