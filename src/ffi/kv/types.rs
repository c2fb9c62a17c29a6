//! C types of the key-value store.

use crate::ffi::support::cenum::CEnum;
use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;

use crate::ffi::core::types::natsStatus;
use crate::ffi::jetstream::types::{jsRePublish, jsStorageType, jsStreamSource};

/// A key-value bucket. Made by js_KeyValue() or js_CreateKeyValue(), released by kvStore_Destroy().
pub struct kvStore {
    _private: [u8; 0],
}

/// One value of a key, or the marker of its deletion. Released by kvEntry_Destroy().
pub struct kvEntry {
    _private: [u8; 0],
}

/// Facts about a bucket at one moment. Released by kvStatus_Destroy().
pub struct kvStatus {
    _private: [u8; 0],
}

/// Reports the changes of a bucket. Released by kvWatcher_Destroy().
pub struct kvWatcher {
    _private: [u8; 0],
}

/// What an entry of a bucket records.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum kvOperation {
    /// Nothing: the value for a NULL entry.
    kvOp_Unknown = 0,
    /// A value was stored.
    kvOp_Put = 1,
    /// The key was deleted.
    kvOp_Delete = 2,
    /// The key was deleted together with its history.
    kvOp_Purge = 3,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for kvOperation {}

/// Called for each change a watcher sees. The callback destroys `e`; NULL with NATS_OK marks the end of the
/// values that existed when the watcher was made.
pub type kvWatchCb =
    Option<unsafe extern "C" fn(w: *mut kvWatcher, e: *mut kvEntry, s: natsStatus, closure: *mut c_void)>;

/// Called once with the outcome of kvStore_GetAsync(), on a thread of the library. The callback destroys `e`;
/// it is NULL unless `s` is NATS_OK.
pub type kvGetCb =
    Option<unsafe extern "C" fn(kv: *mut kvStore, e: *mut kvEntry, s: natsStatus, closure: *mut c_void)>;

/// Configuration of a bucket. Set up by kvConfig_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kvConfig {
    /// Name: letters, digits, `_` and `-`.
    pub Bucket: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Largest size of a value in bytes, 0 for no limit.
    pub MaxValueSize: i32,
    /// Values kept per key, 0 for 1, at most 64.
    pub History: u8,
    /// Life of a value in nanoseconds, 0 for no end.
    pub TTL: i64,
    /// Largest size of the bucket in bytes, 0 for no limit.
    pub MaxBytes: i64,
    /// Where values are kept.
    pub StorageType: MaybeUninit<jsStorageType>,
    /// Number of servers that keep a copy, 0 for 1.
    pub Replicas: c_int,
    /// Publish again what was stored; may be NULL.
    pub RePublish: *mut jsRePublish,
    /// The bucket this one mirrors; NULL for none.
    pub Mirror: *mut jsStreamSource,
    /// The buckets this one collects.
    pub Sources: *mut *mut jsStreamSource,
    /// Length of `Sources`.
    pub SourcesLen: c_int,
    /// Nanoseconds for which the server leaves a marker for an expired key, 0 for none; allows a time to live
    /// per key.
    pub LimitMarkerTTL: i64,
}

/// Options of watchers and of the functions that list keys. Set up by kvWatchOptions_Init(), which zero-fills
/// it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kvWatchOptions {
    /// Leave deletions out.
    pub IgnoreDeletes: bool,
    /// Report all values that are kept, not only the last one of each key.
    pub IncludeHistory: bool,
    /// Leave the values out.
    pub MetaOnly: bool,
    /// Milliseconds kvStore_Keys() and kvStore_History() may take, 0 for no limit.
    pub Timeout: i64,
    /// Report only what changes from now on.
    pub UpdatesOnly: bool,
    /// Nanoseconds without a change after which the server sends a heartbeat, 0 for 5 seconds.
    pub Heartbeat: i64,
    /// Start at this revision; 0 not to.
    pub ResumeFromRevision: u64,
    /// Called for each change, in place of kvWatcher_Next(); may be NULL.
    pub Callback: kvWatchCb,
    /// Handed to `Callback`.
    pub Closure: *mut c_void,
}

/// Options of kvStore_Purge() and kvStore_PurgeDeletes(). Set up by kvPurgeOptions_Init(), which zero-fills
/// it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kvPurgeOptions {
    /// Milliseconds to wait for the acknowledgement of a purge, 0 for that of the context.
    pub Timeout: i64,
    /// Nanoseconds: younger markers stay. 0 for 30 minutes, negative to remove all.
    pub DeleteMarkersOlderThan: i64,
    /// Milliseconds the marker lives, 0 for no end.
    pub TTL: i64,
}

/// A list of entries. The struct is the program's, its content is released by kvEntryList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kvEntryList {
    /// The entries.
    pub Entries: *mut *mut kvEntry,
    /// Length of `Entries`.
    pub Count: c_int,
}

/// A list of keys. The struct is the program's, its content is released by kvKeysList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kvKeysList {
    /// The keys.
    pub Keys: *mut *mut c_char,
    /// Length of `Keys`.
    pub Count: c_int,
}
