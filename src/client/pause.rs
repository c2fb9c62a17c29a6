//! Named points where a test can hold a thread, to force an interleaving. The library itself passes them.

#[cfg(not(test))]
#[inline(always)]
pub(super) fn at(_point: &'static str) {}

#[cfg(test)]
pub(super) use held::{Hold, at};

#[cfg(test)]
mod held {
    use std::collections::HashMap;
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Duration;

    static POINTS: Mutex<Option<HashMap<&'static str, u32>>> = Mutex::new(None);
    static CHANGED: Condvar = Condvar::new();
    const SOON: Duration = Duration::from_secs(20);

    /// While this lives, threads stop at a point.
    pub struct Hold(&'static str);

    impl Hold {
        pub fn threads_at(point: &'static str) -> Hold {
            with_points(|points| points.insert(point, 0));
            Hold(point)
        }

        /// Waits until a thread stands there.
        pub fn wait_for_one(&self) {
            let points = POINTS.lock().unwrap_or_else(PoisonError::into_inner);
            let nobody = |points: &mut Option<HashMap<_, _>>| points.as_ref().unwrap()[self.0] == 0;
            let (_points, waited) = CHANGED.wait_timeout_while(points, SOON, nobody).unwrap();
            assert!(!waited.timed_out(), "nobody came to {}", self.0);
        }
    }

    impl Drop for Hold {
        fn drop(&mut self) {
            with_points(|points| points.remove(self.0));
        }
    }

    pub fn at(point: &'static str) {
        with_points(|points| points.get_mut(point).map(|count| *count += 1));
        let points = POINTS.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |points: &mut Option<HashMap<_, _>>| points.as_ref().unwrap().contains_key(point);
        drop(CHANGED.wait_timeout_while(points, SOON, held));
    }

    fn with_points<T>(work: impl FnOnce(&mut HashMap<&'static str, u32>) -> T) -> T {
        let mut points = POINTS.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(points.get_or_insert_default());
        CHANGED.notify_all();
        result
    }
}
