//! C types of the microservices.

use std::ffi::{c_char, c_int, c_void};

use crate::ffi::core::types::natsMetadata;
use crate::ffi::core::types::natsStatus;

/// A client of microservices. Made by micro_NewClient(), released by microClient_Destroy().
pub struct microClient {
    _private: [u8; 0],
}

/// Settings of a microservice client. There are none yet: pass NULL.
pub struct microClientConfig {
    _private: [u8; 0],
}

/// An endpoint of a microservice; belongs to its service.
pub struct microEndpoint {
    _private: [u8; 0],
}

/// An error of the microservice functions, NULL for success. Released by microError_Destroy().
pub struct microError {
    _private: [u8; 0],
}

/// A common subject prefix for endpoints; belongs to its service.
pub struct microGroup {
    _private: [u8; 0],
}

/// A request received by an endpoint; valid until its handler returns.
pub struct microRequest {
    _private: [u8; 0],
}

/// A microservice. Made by micro_AddService(), released by microService_Destroy().
pub struct microService {
    _private: [u8; 0],
}

/// Handles one request. NULL says it was handled; an error is sent to the requester and released by the
/// library.
pub type microRequestHandler = Option<unsafe extern "C" fn(req: *mut microRequest) -> *mut microError>;

/// Called for an error on an endpoint's subscription; the service is stopped afterwards. `ep` may be NULL.
pub type microErrorHandler =
    Option<unsafe extern "C" fn(m: *mut microService, ep: *mut microEndpoint, s: natsStatus)>;

/// Called once when a service has stopped and its last endpoint is done. `m` is still valid.
pub type microDoneHandler = Option<unsafe extern "C" fn(m: *mut microService)>;

/// Configuration of an endpoint, copied by the library. Zero-fill it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microEndpointConfig {
    /// Its name: letters, digits, `_` and `-`.
    pub Name: *const c_char,
    /// Subject it listens to, below the prefixes of its groups; NULL for its name.
    pub Subject: *const c_char,
    /// Queue group; NULL for that of its group or service.
    pub QueueGroup: *const c_char,
    /// No queue group: every instance gets every request.
    pub NoQueueGroup: bool,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Handles the requests; required.
    pub Handler: microRequestHandler,
    /// The program's, see microRequest_GetEndpointState().
    pub State: *mut c_void,
}

/// What a service says about an endpoint.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microEndpointInfo {
    /// Its name.
    pub Name: *const c_char,
    /// Subject it listens to.
    pub Subject: *const c_char,
    /// Its queue group; NULL for none.
    pub QueueGroup: *const c_char,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
}

/// Counters of an endpoint.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microEndpointStats {
    /// Its name.
    pub Name: *const c_char,
    /// Subject it listens to.
    pub Subject: *const c_char,
    /// Its queue group; NULL for none.
    pub QueueGroup: *const c_char,
    /// Requests received.
    pub NumRequests: i64,
    /// Errors sent or met.
    pub NumErrors: i64,
    /// Time spent in the handler: whole seconds.
    pub ProcessingTimeSeconds: i64,
    /// Time spent in the handler: the rest in nanoseconds.
    pub ProcessingTimeNanoseconds: i64,
    /// Nanoseconds per request, 0 without requests.
    pub AverageProcessingTimeNanoseconds: i64,
    /// The last error; "" for none.
    pub LastErrorString: [c_char; 2048],
}

/// Configuration of a group, copied by the library. Zero-fill it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microGroupConfig {
    /// Subject prefix without a dot at its end; required.
    pub Prefix: *const c_char,
    /// Queue group of its endpoints; NULL for that of its parent.
    pub QueueGroup: *const c_char,
    /// No queue group for its endpoints.
    pub NoQueueGroup: bool,
}

/// Configuration of a service, copied by the library. Zero-fill it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microServiceConfig {
    /// Its name: letters, digits, `_` and `-`.
    pub Name: *const c_char,
    /// Its version; required.
    pub Version: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Queue group of its endpoints; NULL for `q`.
    pub QueueGroup: *const c_char,
    /// No queue group for its endpoints.
    pub NoQueueGroup: bool,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Its first endpoint; may be NULL.
    pub Endpoint: *mut microEndpointConfig,
    /// Answers requests for statistics in place of the library; may be NULL.
    pub StatsHandler: microRequestHandler,
    /// Called for errors; may be NULL.
    pub ErrHandler: microErrorHandler,
    /// Called when the service has stopped; may be NULL.
    pub DoneHandler: microDoneHandler,
    /// The program's, see microService_GetState().
    pub State: *mut c_void,
}

/// What a service says about itself. Released by microServiceInfo_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microServiceInfo {
    /// MICRO_INFO_RESPONSE_TYPE.
    pub Type: *const c_char,
    /// Its name.
    pub Name: *const c_char,
    /// Its version.
    pub Version: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Unique id of this instance.
    pub Id: *const c_char,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Its endpoints, the newest first.
    pub Endpoints: *mut microEndpointInfo,
    /// Length of `Endpoints`.
    pub EndpointsLen: c_int,
}

/// Counters of a service. Released by microServiceStats_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct microServiceStats {
    /// MICRO_STATS_RESPONSE_TYPE.
    pub Type: *const c_char,
    /// Its name.
    pub Name: *const c_char,
    /// Its version.
    pub Version: *const c_char,
    /// Unique id of this instance.
    pub Id: *const c_char,
    /// When it was started, in nanoseconds since 1970 UTC.
    pub Started: i64,
    /// Its endpoints, the newest first.
    pub Endpoints: *mut microEndpointStats,
    /// Length of `Endpoints`.
    pub EndpointsLen: c_int,
}
