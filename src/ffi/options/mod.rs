//! Options of a connection, a file for each part.

pub mod auth;
pub mod behaviour;
pub mod buffers;
mod callbacks;
pub mod create;
pub mod event_loop;
pub mod handlers;
pub mod liveness;
pub mod reconnect;
pub mod servers;
pub mod tls;

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};
    use std::sync::Arc;

    use super::behaviour::*;
    use super::create::*;
    use super::servers::*;
    use crate::client::library::defaults::Defaults;
    use crate::client::options::{Options, SharedOptions};
    use crate::ffi::support::Shared;
    use crate::ffi::types::{natsOptions, natsStatus};
    use crate::proto::memory::Text;

    fn create() -> *mut natsOptions {
        natsOptions::give(Arc::new(SharedOptions::new(Options::new(&Defaults::default()))))
    }

    fn read<T>(opts: *mut natsOptions, read: impl FnOnce(&Options) -> T) -> T {
        // SAFETY: the tests pass live handles.
        unsafe { natsOptions::borrow(opts) }.unwrap().with(|options| read(options))
    }

    #[test]
    fn the_list_of_servers_needs_array_and_count() {
        let opts = create();
        let mut urls = [c" a ".as_ptr(), c"b".as_ptr()];
        let list = urls.as_mut_ptr();
        // SAFETY: a live handle, an array of two C strings.
        unsafe {
            assert_eq!(natsOptions_SetServers(opts, list, 2), natsStatus::NATS_OK);
            for (array, count) in [(list, 0), (list, -1), (null_mut(), 1), (null_mut(), -1)] {
                assert_eq!(natsOptions_SetServers(opts, array, count), natsStatus::NATS_INVALID_ARG);
            }
            let servers = read(opts, |o| o.servers.list.clone());
            assert_eq!(*servers, [Text::copy(b"a").unwrap(), Text::copy(b"b").unwrap()]);
            assert_eq!(natsOptions_SetServers(opts, [null()].as_mut_ptr(), 1), natsStatus::NATS_INVALID_ARG);
            assert!(read(opts, |o| o.servers.list.is_empty()));
            assert_eq!(natsOptions_SetServers(opts, null_mut(), 0), natsStatus::NATS_OK);
            natsOptions_Destroy(opts);
        }
    }

    #[test]
    fn strings_are_bytes_and_null_removes() {
        let opts = create();
        // SAFETY: a live handle, C strings.
        unsafe {
            assert_eq!(natsOptions_SetName(opts, c"\xff".as_ptr()), natsStatus::NATS_OK);
            assert_eq!(read(opts, |o| o.behaviour.name.clone()).as_deref(), Some(&[0xff][..]));
            assert_eq!(natsOptions_SetName(opts, null()), natsStatus::NATS_OK);
            assert_eq!(read(opts, |o| o.behaviour.name.clone()), None);
            natsOptions_Destroy(opts);
        }
    }

    #[test]
    fn missing_options_are_an_invalid_argument() {
        // SAFETY: NULL is accepted.
        unsafe {
            assert_eq!(natsOptions_SetURL(null_mut(), c"x".as_ptr()), natsStatus::NATS_INVALID_ARG);
            assert_eq!(natsOptions_SetVerbose(null_mut(), true), natsStatus::NATS_INVALID_ARG);
            assert_eq!(natsOptions_Create(null_mut()), natsStatus::NATS_INVALID_ARG);
            natsOptions_Destroy(null_mut());
        }
    }
}
