//! Which threads serve all connections, so that they must never wait for one of them.

use std::cell::Cell;

thread_local! {
    static SERVES_ALL: Cell<bool> = const { Cell::new(false) };
}

/// Says that the calling thread serves all connections.
pub(crate) fn this_thread_serves_all() {
    SERVES_ALL.with(|serves| serves.set(true));
}

/// Whether the calling thread may wait for a connection.
pub(crate) fn may_wait() -> bool {
    !SERVES_ALL.try_with(Cell::get).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_wait_unless_it_serves_all() {
        let serving = std::thread::spawn(|| {
            let before = may_wait();
            this_thread_serves_all();
            (before, may_wait())
        });
        assert_eq!(serving.join().unwrap(), (true, false));
        assert!(may_wait(), "others still may");
    }
}
