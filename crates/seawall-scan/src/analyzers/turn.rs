//! Keeps what many analyzers hold at the same time from adding up: large files wait for each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The right to take much memory, given back when dropped.
pub(crate) type Turn = MutexGuard<'static, ()>;

/// Bytes of memory that every thread may take at any time.
const SMALL: u64 = 16 << 20;

/// Waits until nobody else has a turn, if `memory` bytes are many. Who waits is on a thread of the
/// pool; who has the turn must leave none of its work to the pool.
pub(crate) fn take(memory: u64) -> Option<Turn> {
    /// Memory is the process's, not a scan's.
    static LARGE: Mutex<()> = Mutex::new(());
    (memory > SMALL).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn large_files_that_were_read_at_the_same_time_added_up() {
        let (now, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _turn = take(SMALL + 1);
                        most.fetch_max(now.fetch_add(1, Ordering::AcqRel) + 1, Ordering::AcqRel);
                        now.fetch_sub(1, Ordering::AcqRel);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        assert!(take(SMALL).is_none());
    }
}
