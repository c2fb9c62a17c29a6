//! C types of the object store.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use crate::ffi::core::types::{natsHeader, natsMetadata};
use crate::ffi::jetstream::types::{jsPlacement, jsStorageType, jsStreamInfo};

/// An object store. Made by js_ObjectStore() or js_CreateObjectStore(), released by objStore_Destroy().
pub struct objStore {
    _private: [u8; 0],
}

/// An object being stored piece by piece. Made by objStore_Put(), released by objStorePut_Destroy().
pub struct objStorePut {
    _private: [u8; 0],
}

/// An object being read piece by piece. Made by objStore_Get(), released by objStoreGet_Destroy().
pub struct objStoreGet {
    _private: [u8; 0],
}

/// Reports the changes of an object store. Released by objStoreWatcher_Destroy().
pub struct objStoreWatcher {
    _private: [u8; 0],
}

/// Configuration of an object store. Set up by objStoreConfig_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreConfig {
    /// Name: letters, digits, `_` and `-`.
    pub Bucket: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Life of an object in milliseconds, 0 for no end.
    pub TTL: i64,
    /// Largest size of the store in bytes, 0 for no limit.
    pub MaxBytes: i64,
    /// Where objects are kept.
    pub Storage: MaybeUninit<jsStorageType>,
    /// Number of servers that keep a copy, 0 for 1.
    pub Replicas: c_int,
    /// Which servers to use; may be NULL.
    pub Placement: *mut jsPlacement,
    /// Compress on disk.
    pub Compression: bool,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
}

/// A list of store names. Released by objStoreNamesList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreNamesList {
    /// The names.
    pub List: *mut *mut c_char,
    /// Length of `List`.
    pub Count: c_int,
}

/// Facts about a store at one moment. Released by objStoreStatus_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreStatus {
    /// Its name.
    pub Bucket: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Life of an object in milliseconds, 0 for no end.
    pub TTL: i64,
    /// Where objects are kept.
    pub Storage: MaybeUninit<jsStorageType>,
    /// Number of servers that keep a copy.
    pub Replicas: c_int,
    /// Always false: see `StreamInfo->Config->Sealed`.
    pub Sealed: bool,
    /// Size in bytes.
    pub Size: u64,
    /// What it is made of: "JetStream".
    pub BackingStore: *const c_char,
    /// Pairs of strings; belong to `StreamInfo`.
    pub Metadata: natsMetadata,
    /// The stream behind it.
    pub StreamInfo: *mut jsStreamInfo,
    /// It is compressed on disk.
    pub IsCompressed: bool,
}

/// A list of facts about stores. Released by objStoreStatusesList_Destroy(), with its elements.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreStatusesList {
    /// The stores.
    pub List: *mut *mut objStoreStatus,
    /// Length of `List`.
    pub Count: c_int,
}

/// Points to another object or store.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreLink {
    /// The store.
    pub Bucket: *const c_char,
    /// The object; NULL for the whole store.
    pub Name: *const c_char,
}

/// Options of an object.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreMetaOptions {
    /// What it points to; NULL for an object of its own.
    pub Link: *mut objStoreLink,
    /// Bytes per message, 0 for 131072.
    pub ChunkSize: u32,
}

/// What a program says about an object. Set up by objStoreMeta_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreMeta {
    /// Its name.
    pub Name: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Headers; may be NULL.
    pub Headers: *mut natsHeader,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Options.
    pub Opts: objStoreMetaOptions,
}

/// An object. Released by objStoreInfo_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreInfo {
    /// What the program said about it.
    pub Meta: objStoreMeta,
    /// The store it is in.
    pub Bucket: *const c_char,
    /// Its unique id.
    pub NUID: *const c_char,
    /// Its size in bytes.
    pub Size: u64,
    /// When it was stored, in nanoseconds since 1970 UTC.
    pub ModTime: i64,
    /// Number of messages it is made of.
    pub Chunks: u32,
    /// Its checksum: `SHA-256=` and the sum in base64 for URLs.
    pub Digest: *const c_char,
    /// It was deleted.
    pub Deleted: bool,
}

/// A list of objects. Released by objStoreInfoList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreInfoList {
    /// The objects.
    pub List: *mut *mut objStoreInfo,
    /// Length of `List`.
    pub Count: c_int,
}

/// Options for reading. Set up by objStoreOptions_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreOptions {
    /// Deleted objects count too.
    pub ShowDeleted: bool,
}

/// Options of objStore_Watch(). Set up by objStoreWatchOptions_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct objStoreWatchOptions {
    /// Leave deletions out.
    pub IgnoreDeletes: bool,
    /// Report only what changes from now on.
    pub UpdatesOnly: bool,
}
