//! What the server is told, how requests and deliveries work.

use std::ffi::c_char;

use crate::ffi::support::*;
use crate::ffi::types::*;
use crate::proto::memory::Text;

/// Names the connection, for the monitoring of the server and natsConnection_GetName(). Default: no name.
///
/// @param opts the options.
/// @param name copied. NULL removes the name.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetName(opts: *mut natsOptions, name: *const c_char) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetName", opts, |opts| {
            opts.behaviour.name = bytes(name).map(Text::copy).transpose()?;
            Ok(())
        })
    }
}

/// Asks the server to acknowledge every operation. Default: false.
///
/// @param opts the options.
/// @param verbose true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetVerbose(opts: *mut natsOptions, verbose: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetVerbose", opts, |opts| opts.behaviour.verbose = verbose) }
}

/// Asks the server to check subjects more strictly. Default: false.
///
/// @param opts the options.
/// @param pedantic true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetPedantic(opts: *mut natsOptions, pedantic: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetPedantic", opts, |opts| opts.behaviour.pedantic = pedantic) }
}

/// Asks the server not to send this connection the messages it published itself. Default: false. Connecting
/// fails with #NATS_NO_SERVER_SUPPORT if the server cannot.
///
/// @param opts the options.
/// @param noEcho true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNoEcho(opts: *mut natsOptions, noEcho: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetNoEcho", opts, |opts| opts.behaviour.no_echo = noEcho) }
}

/// Makes each request with an inbox and a subscription of its own, instead of one subscription for all
/// replies. Default: false.
///
/// @param opts the options.
/// @param useOldStyle true for the old style.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_UseOldRequestStyle(
    opts: *mut natsOptions,
    useOldStyle: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_UseOldRequestStyle", opts, |opts| opts.behaviour.use_old_request_style = useOldStyle)
    }
}

/// Ends waiting requests with #NATS_CONNECTION_DISCONNECTED when the connection is lost. Default: false, they
/// wait until their timeout. Without effect in the old request style.
///
/// @param opts the options.
/// @param failRequests true to end them.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetFailRequestsOnDisconnect(
    opts: *mut natsOptions,
    failRequests: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetFailRequestsOnDisconnect", opts, |opts| {
            opts.behaviour.fail_requests_on_disconnect = failRequests
        })
    }
}

/// Waits for the timeout of a request that nobody listens to, instead of ending it with #NATS_NO_RESPONDERS.
/// Default: false.
///
/// @param opts the options.
/// @param disabled true to wait.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_DisableNoResponders(
    opts: *mut natsOptions,
    disabled: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_DisableNoResponders", opts, |opts| opts.behaviour.disable_no_responders = disabled)
    }
}

/// Sets the prefix of the reply subjects of requests. Default: "_INBOX". natsInbox_Create() does not use it.
///
/// @param opts the options.
/// @param inboxPrefix a subject without wildcards and without the dot at its end, copied. NULL or empty
/// restores the default, and so does a refused one.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if the prefix is not a valid subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCustomInboxPrefix(
    opts: *mut natsOptions,
    inboxPrefix: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCustomInboxPrefix", opts, |opts| {
            opts.behaviour.set_custom_inbox_prefix(bytes(inboxPrefix))
        })
    }
}

/// Delivers messages of asynchronous subscriptions on the threads of a pool shared by all connections, see
/// nats_SetMessageDeliveryPoolSize(). Each subscription is bound to one of them. Default: false, unless
/// configured with nats_OpenWithConfig() or the environment.
///
/// @param opts the options.
/// @param global true to use the pool.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_UseGlobalMessageDelivery(
    opts: *mut natsOptions,
    global: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_UseGlobalMessageDelivery", opts, |opts| opts.behaviour.global_delivery = global)
    }
}
