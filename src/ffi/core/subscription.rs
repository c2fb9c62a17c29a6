//! `natsSubscription_*`.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use crate::client::connection::DRAIN_TIMEOUT_MS;
use crate::client::subscription::CompleteHandler;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Does nothing: there is no delivery delay to switch off. Kept for old programs.
///
/// @param sub the subscription.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_NoDeliveryDelay(sub: *mut natsSubscription) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_NoDeliveryDelay", sub, |_| ()) }
}

/// Takes the next message of a synchronous subscription.
///
/// @param nextMsg receives the message, which the caller destroys; untouched on failure.
/// @param sub the subscription.
/// @param timeout how long to wait for a message, in milliseconds; 0 or less takes only what is there.
/// @return #NATS_OK; #NATS_TIMEOUT; #NATS_INVALID_ARG; #NATS_CONNECTION_CLOSED; #NATS_MAX_DELIVERED_MSGS when
/// the auto-unsubscribe limit is reached; #NATS_INVALID_SUBSCRIPTION; #NATS_ILLEGAL_STATE for a subscription
/// with a callback; #NATS_SLOW_CONSUMER once after messages were dropped; #NATS_NO_RESPONDERS.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_NextMsg(
    nextMsg: *mut *mut natsMsg,
    sub: *mut natsSubscription,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_NextMsg", Quick(sub), |sub| {
            let out = Out::of(nextMsg)?;
            out.set(natsMsg::give(sub.next_msg(timeout)?))
        })
    }
}

/// Ends a subscription. Messages not delivered yet are dropped; a running callback is not waited for.
///
/// @param sub the subscription.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_CONNECTION_CLOSED; #NATS_INVALID_SUBSCRIPTION
/// when it has ended already.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_Unsubscribe(sub: *mut natsSubscription) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_Unsubscribe", sub, |sub| sub.connection().unsubscribe(sub, 0)) }
}

/// Ends a subscription after it has received `max` messages in all, those already received included. With 0,
/// or when that many were delivered already, it ends at once.
///
/// @param sub the subscription.
/// @param max messages in all.
/// @return as natsSubscription_Unsubscribe().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_AutoUnsubscribe(
    sub: *mut natsSubscription,
    max: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_AutoUnsubscribe", sub, |sub| sub.connection().unsubscribe(sub, max)) }
}

/// Number of messages received and not delivered yet.
///
/// @param sub the subscription.
/// @param queuedMsgs receives the number.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_QueuedMsgs(
    sub: *mut natsSubscription,
    queuedMsgs: *mut u64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_QueuedMsgs", sub, |sub| Out::of(queuedMsgs)?.set(sub.counters()?.pending_msgs))
    }
}

/// The connection a subscription belongs to, also after the subscription has ended.
///
/// @param sub the subscription.
/// @return the connection, whose handle is valid as long as the subscription's; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetConnection(
    sub: *mut natsSubscription,
) -> *mut natsConnection {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetConnection", AnyProcess(sub), |sub| natsConnection::lend(sub.connection()))
    }
}

/// The subscription's number on its connection.
///
/// @param sub the subscription.
/// @return the number, from 1; 0 for NULL and once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetID(sub: *mut natsSubscription) -> i64 {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetID", AnyProcess(sub), |sub| if sub.is_valid() { sub.sid() as i64 } else { 0 })
    }
}

/// The subject subscribed to.
///
/// @param sub the subscription.
/// @return the subject, which belongs to the subscription; NULL for NULL and once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetSubject(sub: *mut natsSubscription) -> *const c_char {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetSubject", AnyProcess(sub), |sub| {
            if sub.is_valid() { sub.subject().as_ptr() } else { ptr::null() }
        })
    }
}

/// Limits what may wait for delivery; a message that would go over a limit is dropped (slow consumer).
///
/// @param sub the subscription.
/// @param msgLimit number of messages, below 0 for no limit.
/// @param bytesLimit their headers and payloads in bytes, below 0 for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a limit of 0; #NATS_INVALID_SUBSCRIPTION once it has
/// ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_SetPendingLimits(
    sub: *mut natsSubscription,
    msgLimit: c_int,
    bytesLimit: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_SetPendingLimits", sub, |sub| sub.set_pending_limits(msgLimit, bytesLimit))
    }
}

/// The limits of what may wait for delivery.
///
/// @param sub the subscription.
/// @param msgLimit receives the number of messages, below 0 for no limit; may be NULL.
/// @param bytesLimit receives the number of bytes, below 0 for no limit; may be NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetPendingLimits(
    sub: *mut natsSubscription,
    msgLimit: *mut c_int,
    bytesLimit: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetPendingLimits", sub, |sub| {
            let (msgs, bytes) = sub.pending_limits()?;
            Wanted::of(msgLimit).set(msgs);
            Wanted::of(bytesLimit).set(bytes);
            Ok(())
        })
    }
}

/// What waits for delivery: messages, and their headers and payloads in bytes.
///
/// @param sub the subscription.
/// @param msgs receives the number of messages; may be NULL.
/// @param bytes receives the number of bytes; may be NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetPending(
    sub: *mut natsSubscription,
    msgs: *mut c_int,
    bytes: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetPending", sub, |sub| {
            let counters = sub.counters()?;
            Wanted::of(msgs).set(clamped(counters.pending_msgs));
            Wanted::of(bytes).set(clamped(counters.pending_bytes));
            Ok(())
        })
    }
}

/// Number of messages delivered so far.
///
/// @param sub the subscription.
/// @param msgs receives the number.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetDelivered(
    sub: *mut natsSubscription,
    msgs: *mut i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetDelivered", sub, |sub| Out::of(msgs)?.set(sub.counters()?.delivered as i64))
    }
}

/// Number of messages dropped so far because a limit was reached.
///
/// @param sub the subscription.
/// @param msgs receives the number.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetDropped(
    sub: *mut natsSubscription,
    msgs: *mut i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetDropped", sub, |sub| Out::of(msgs)?.set(sub.counters()?.dropped as i64))
    }
}

/// The most that ever waited for delivery: messages and bytes, each for itself.
///
/// @param sub the subscription.
/// @param msgs receives the number of messages; may be NULL.
/// @param bytes receives the number of bytes; may be NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetMaxPending(
    sub: *mut natsSubscription,
    msgs: *mut c_int,
    bytes: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetMaxPending", sub, |sub| {
            let counters = sub.counters()?;
            Wanted::of(msgs).set(clamped(counters.max_pending_msgs));
            Wanted::of(bytes).set(clamped(counters.max_pending_bytes));
            Ok(())
        })
    }
}

/// Starts the high-water marks of natsSubscription_GetMaxPending() again from 0.
///
/// @param sub the subscription.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_ClearMaxPending(sub: *mut natsSubscription) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_ClearMaxPending", sub, |sub| sub.clear_max_pending()) }
}

/// All counters of a subscription in one consistent look. Any out parameter may be NULL.
///
/// @param sub the subscription.
/// @param pendingMsgs receives the messages that wait for delivery.
/// @param pendingBytes receives their headers and payloads in bytes.
/// @param maxPendingMsgs receives the most messages that ever waited.
/// @param maxPendingBytes receives the most bytes that ever waited.
/// @param deliveredMsgs receives the number of messages delivered.
/// @param droppedMsgs receives the number of messages dropped.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_GetStats(
    sub: *mut natsSubscription,
    pendingMsgs: *mut c_int,
    pendingBytes: *mut c_int,
    maxPendingMsgs: *mut c_int,
    maxPendingBytes: *mut c_int,
    deliveredMsgs: *mut i64,
    droppedMsgs: *mut i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_GetStats", sub, |sub| {
            let counters = sub.counters()?;
            Wanted::of(pendingMsgs).set(clamped(counters.pending_msgs));
            Wanted::of(pendingBytes).set(clamped(counters.pending_bytes));
            Wanted::of(maxPendingMsgs).set(clamped(counters.max_pending_msgs));
            Wanted::of(maxPendingBytes).set(clamped(counters.max_pending_bytes));
            Wanted::of(deliveredMsgs).set(counters.delivered as i64);
            Wanted::of(droppedMsgs).set(counters.dropped as i64);
            Ok(())
        })
    }
}

/// Whether the subscription can still deliver messages.
///
/// @param sub the subscription.
/// @return true if so, also while it drains; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_IsValid(sub: *mut natsSubscription) -> bool {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_IsValid", AnyProcess(sub), |sub| sub.is_valid()) }
}

/// Drains: receives no more than what the server has sent already, delivers all of it, then ends. Does not
/// wait; gives up after 30 seconds.
///
/// @param sub the subscription.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_CONNECTION_CLOSED; #NATS_INVALID_SUBSCRIPTION
/// once it has ended; #NATS_DRAINING while the whole connection drains; #NATS_SYS_ERROR when the system gives
/// no thread for it (the subscription goes on as before). OK without effect when it drains already.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_Drain(sub: *mut natsSubscription) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_Drain", sub, |sub| sub.connection().drain_subscription(sub, DRAIN_TIMEOUT_MS))
    }
}

/// Drains within a time of the program's choice.
///
/// @param sub the subscription.
/// @param timeout milliseconds after which it ends whatever is left; 0 or less for no limit.
/// @return as natsSubscription_Drain().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_DrainTimeout(
    sub: *mut natsSubscription,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsSubscription_DrainTimeout", sub, |sub| sub.connection().drain_subscription(sub, timeout))
    }
}

/// Waits until a drain is complete, whatever came of it: see natsSubscription_DrainCompletionStatus().
///
/// @param sub the subscription.
/// @param timeout milliseconds to wait; 0 or less for as long as it takes.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_ILLEGAL_STATE when it was never drained;
/// #NATS_TIMEOUT, at once if the drain can no longer be complete.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_WaitForDrainCompletion(
    sub: *mut natsSubscription,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_WaitForDrainCompletion", sub, |sub| sub.wait_for_drain(timeout)) }
}

/// What came of a drain.
///
/// @param sub the subscription.
/// @return #NATS_OK when everything was delivered; #NATS_TIMEOUT, #NATS_CONNECTION_CLOSED,
/// #NATS_INVALID_SUBSCRIPTION or the status of the flush for what went wrong first; #NATS_ILLEGAL_STATE while
/// it is not complete, and for good if a connection was drained and nobody read the synchronous subscription
/// to its end; #NATS_INVALID_ARG if `sub` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_DrainCompletionStatus(
    sub: *mut natsSubscription,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_DrainCompletionStatus", sub, |sub| sub.drain_status()) }
}

/// Sets a function that runs once after the last callback of a subscription, for whatever reason it ended:
/// from then on the library does not use the closures any more.
///
/// @param sub a subscription with a message callback.
/// @param cb the function, NULL clears it; runs on the delivery thread.
/// @param closure handed to `cb`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION for a synchronous
/// subscription or once it has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_SetOnCompleteCB(
    sub: *mut natsSubscription,
    cb: natsOnCompleteCB,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_SetOnCompleteCB", sub, |sub| sub.set_on_complete(completion(cb, closure))) }
}

/// Gives the handle back, and ends the subscription if it has not ended yet. NULL is ignored. Allowed in the
/// subscription's own callback.
///
/// @param sub the subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsSubscription_Destroy(sub: *mut natsSubscription) {
    // SAFETY: the C contract.
    unsafe { on("natsSubscription_Destroy", Released(sub), |sub| sub.connection().destroy_subscription(sub)) }
}

fn completion(cb: natsOnCompleteCB, closure: *mut c_void) -> Option<CompleteHandler> {
    let callback = Callback::new(cb, closure)?;
    Some(Box::new(move || {
        // SAFETY: the closure alone.
        let _ = unsafe { callback.call((callback.closure(),)) };
    }))
}
