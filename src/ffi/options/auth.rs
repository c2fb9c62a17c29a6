//! Who the program is to the server.

use std::ffi::{c_char, c_void};

use crate::ffi::options::callbacks;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Sets user and password for servers whose URL has no credentials of its own.
///
/// @param opts the options.
/// @param user copied; NULL for none.
/// @param password copied; NULL for none. A password without a user is not sent.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserInfo(
    opts: *mut natsOptions,
    user: *const c_char,
    password: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetUserInfo", opts, |opts| opts.auth.set_user_info(bytes(user), bytes(password)))
    }
}

/// Sets the authentication token for servers whose URL has no credentials of its own.
///
/// @param opts the options.
/// @param token copied. NULL removes the token.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetToken(opts: *mut natsOptions, token: *const c_char) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetToken", opts, |opts| opts.auth.set_token(bytes(token))) }
}

/// Sets a function that gives the authentication token each time the library connects.
///
/// It runs on the thread that connects or reconnects. The string it returns is copied and stays the
/// program's; NULL sends no token.
///
/// @param opts the options.
/// @param tokenCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetTokenHandler(
    opts: *mut natsOptions,
    tokenCb: natsTokenHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetTokenHandler", opts, |opts| {
            opts.auth.set_token_handler(callbacks::token(tokenCb, closure))
        })
    }
}

/// Sets functions that give the user JWT and sign with its key each time the library connects. Both NULL
/// removes them. Credentials set in another way, and an NKey, are removed.
///
/// What the functions store comes from `malloc()` and is freed by the library. A status other than #NATS_OK
/// ends the attempt to connect with that status and text.
///
/// @param opts the options.
/// @param ujwtCB stores the user JWT, and may store the text of an error.
/// @param ujwtClosure passed to `ujwtCB`.
/// @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may
/// store the text of an error.
/// @param sigClosure passed to `sigCB`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if one of the functions is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsCallbacks(
    opts: *mut natsOptions,
    ujwtCB: natsUserJWTHandler,
    ujwtClosure: *mut c_void,
    sigCB: natsSignatureHandler,
    sigClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetUserCredentialsCallbacks", opts, |opts| {
            let jwt = callbacks::user_jwt(ujwtCB, ujwtClosure);
            opts.auth.set_user_credentials_callbacks(jwt, callbacks::signature(sigCB, sigClosure))
        })
    }
}

/// Sets the files with the user JWT and the seed of its key. They are read each time the library connects,
/// not here. NULL or empty for both removes them. Credentials set in another way, and an NKey, are removed.
///
/// @param opts the options.
/// @param userOrChainedFile the file with the user JWT, and with the seed unless the other file has it.
/// @param seedFile the file with the seed, or NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is only a seed file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsFromFiles(
    opts: *mut natsOptions,
    userOrChainedFile: *const c_char,
    seedFile: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetUserCredentialsFromFiles", opts, |opts| {
            opts.auth.set_user_credentials_from_files(bytes(userOrChainedFile), bytes(seedFile))
        })
    }
}

/// Sets the user JWT and the seed of its key, formatted like a credentials file. Credentials set in another
/// way, and an NKey, are removed.
///
/// @param opts the options.
/// @param jwtAndSeedContent copied, and looked at when connecting. NULL removes it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsFromMemory(
    opts: *mut natsOptions,
    jwtAndSeedContent: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetUserCredentialsFromMemory", opts, |opts| {
            opts.auth.set_user_credentials_from_memory(bytes(jwtAndSeedContent))
        })
    }
}

/// Sets a public NKey and a function that signs with it each time the library connects. Other credentials are
/// removed.
///
/// A key that is NULL or empty removes the NKey; a function given then replaces that of
/// natsOptions_SetUserCredentialsCallbacks(). What the function stores comes from `malloc()` and is freed by
/// the library.
///
/// @param opts the options.
/// @param pubKey the public key, copied.
/// @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may
/// store the text of an error.
/// @param sigClosure passed to `sigCB`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNKey(
    opts: *mut natsOptions,
    pubKey: *const c_char,
    sigCB: natsSignatureHandler,
    sigClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetNKey", opts, |opts| {
            opts.auth.set_nkey(bytes(pubKey), callbacks::signature(sigCB, sigClosure))
        })
    }
}

/// Sets a public NKey and the file with its seed. Other credentials are removed.
///
/// @param opts the options.
/// @param pubKey the public key, copied. NULL or empty removes the NKey and all other credentials.
/// @param seedFile the file with the seed, read each time the library connects.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNKeyFromSeed(
    opts: *mut natsOptions,
    pubKey: *const c_char,
    seedFile: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetNKeyFromSeed", opts, |opts| {
            opts.auth.set_nkey_from_seed(bytes(pubKey), bytes(seedFile))
        })
    }
}

/// Keeps reconnecting however often a server refuses the credentials. Default: false, the connection is
/// closed when a server refuses them twice in a row with the same error.
///
/// @param opts the options.
/// @param ignore true to keep trying.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIgnoreAuthErrorAbort(
    opts: *mut natsOptions,
    ignore: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetIgnoreAuthErrorAbort", opts, |opts| opts.auth.ignore_error_abort = ignore) }
}
