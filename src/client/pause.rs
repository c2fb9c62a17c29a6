//! Named points where a test can hold a thread, to force an interleaving. The library itself passes them.

use std::sync::Arc;

/// The calling thread works for `whom` and stands at a point.
#[inline(always)]
pub(super) fn at<T>(_point: &'static str, _whom: &Arc<T>) {
    #[cfg(test)]
    held::stop(_point, Arc::as_ptr(_whom).addr());
}

#[cfg(test)]
pub(super) use held::Hold;

#[cfg(test)]
mod held {
    use std::collections::HashMap;
    use std::sync::{Arc, Condvar, Mutex, PoisonError};
    use std::time::Duration;

    type Place = (&'static str, usize);

    /// How many threads stand at each place that is closed.
    static PLACES: Mutex<Option<HashMap<Place, u32>>> = Mutex::new(None);
    static CHANGED: Condvar = Condvar::new();
    const SOON: Duration = Duration::from_secs(20);

    /// While this lives, threads that work for one object stop at a point.
    pub(crate) struct Hold(Place);

    impl Hold {
        pub(crate) fn at<T>(point: &'static str, whom: &Arc<T>) -> Hold {
            let place = (point, Arc::as_ptr(whom).addr());
            with_places(|places| places.insert(place, 0));
            Hold(place)
        }

        /// Waits until a thread stands there.
        pub(crate) fn wait_for_one(&self) {
            wait_while(|places| places[&self.0] == 0);
            assert!(with_places(|places| places[&self.0]) > 0, "nobody came to {}", self.0.0);
        }
    }

    impl Drop for Hold {
        fn drop(&mut self) {
            with_places(|places| places.remove(&self.0));
        }
    }

    pub(super) fn stop(point: &'static str, whom: usize) {
        let place = (point, whom);
        with_places(|places| places.get_mut(&place).map(|count| *count += 1));
        wait_while(|places| places.contains_key(&place));
    }

    fn wait_while(closed: impl Fn(&HashMap<Place, u32>) -> bool) {
        let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        drop(CHANGED.wait_timeout_while(places, SOON, |places| places.as_ref().is_some_and(&closed)));
    }

    fn with_places<T>(work: impl FnOnce(&mut HashMap<Place, u32>) -> T) -> T {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(places.get_or_insert_default());
        CHANGED.notify_all();
        result
    }
}
