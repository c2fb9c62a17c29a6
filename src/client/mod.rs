//! The safe API of the library; everything that C programs see behaves here, without any C type.

pub mod connect;
pub mod connection;
mod credentials;
pub mod delivery;
mod drain;
mod environment;
mod event_loop;
mod events;
mod inbound;
pub mod inbox;
pub mod library;
mod link;
mod liveness;
pub mod loss;
pub mod message;
#[cfg(test)]
mod mock;
pub mod options;
mod outbound;
mod pause;
pub mod publish;
mod reconnect;
mod recycle;
#[cfg(test)]
mod refused;
mod requests;
pub mod stats;
pub mod subscription;
mod subscriptions;
#[cfg(test)]
mod told;
pub mod vitals;
mod waiter;
