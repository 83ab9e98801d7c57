//! Bytes of file contents in memory at one time, over all threads ([`crate::Limits::held_bytes`]).

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long one layer waits for the others to give memory back before it goes on without the file.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is left of the memory for contents.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    held: Mutex<u64>,
    given_back: Condvar,
    patience: Duration,
}

/// A share of the [`Budget`], given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Self::with_patience(limit, PATIENCE)
    }

    pub(crate) fn with_patience(limit: u64, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            held: Mutex::new(0),
            given_back: Condvar::new(),
            patience,
        })
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes `bytes`, waiting for others to finish with theirs. `None` when there is no hope: more
    /// than the whole budget, or nothing came back for a long time (whoever holds it may be
    /// waiting for us).
    pub(crate) fn lease(self: &Arc<Self>, bytes: u64) -> Option<Lease> {
        if bytes > self.limit {
            return None;
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut held, _) = self
            .given_back
            .wait_timeout_while(held, self.patience, |held| *held + bytes > self.limit)
            .unwrap_or_else(PoisonError::into_inner);
        if *held + bytes > self.limit {
            return None;
        }
        *held += bytes;
        Some(Lease {
            budget: Arc::clone(self),
            bytes,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = self
            .budget
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held -= self.bytes;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_refused_over_the_limit_and_given_back_on_drop() {
        let budget = Budget::with_patience(10, Duration::ZERO);
        assert!(budget.lease(11).is_none());
        let six = budget.lease(6).unwrap();
        assert!(budget.lease(5).is_none());
        drop(six);
        assert!(budget.lease(10).is_some());
    }

    #[test]
    fn a_lease_waits_for_another_thread() {
        let budget = Budget::new(10);
        let all = budget.lease(10).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.lease(1).is_some());
            drop(all);
            assert!(waiting.join().unwrap());
        });
    }
}
