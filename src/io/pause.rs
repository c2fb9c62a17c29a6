//! Named places where a unit test can hold up a thread, to force an order of events. Nothing in the library itself.

/// Passes, unless a test holds this place.
#[cfg(not(test))]
#[inline(always)]
pub fn at(_place: &str) {}

#[cfg(test)]
pub use held::{Hold, at};

#[cfg(test)]
mod held {
    use crate::sync::{Condvar, Mutex};

    static PLACES: Mutex<Places> = Mutex::new(Places { held: Vec::new(), reached: Vec::new() });
    static CHANGED: Condvar = Condvar::new();

    struct Places {
        held: Vec<&'static str>,
        reached: Vec<&'static str>,
    }

    pub fn at(place: &'static str) {
        let mut places = PLACES.lock();
        while places.held.contains(&place) {
            places.reached.push(place);
            CHANGED.notify_all();
            CHANGED.wait(&mut places);
        }
    }

    /// While this lives, threads that come to the place wait there.
    pub struct Hold(&'static str);

    impl Hold {
        pub fn new(place: &'static str) -> Hold {
            PLACES.lock().held.push(place);
            Hold(place)
        }

        /// Waits until a thread has come to the place.
        pub fn wait_until_reached(&self) {
            let mut places = PLACES.lock();
            while !places.reached.contains(&self.0) {
                CHANGED.wait(&mut places);
            }
        }
    }

    impl Drop for Hold {
        fn drop(&mut self) {
            let mut places = PLACES.lock();
            places.held.retain(|held| *held != self.0);
            places.reached.retain(|reached| *reached != self.0);
            CHANGED.notify_all();
        }
    }
}
