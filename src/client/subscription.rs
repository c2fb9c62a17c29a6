//! A subscription.

/// A subscription: shared by the user, its connection and its delivery.
pub struct Subscription {}
