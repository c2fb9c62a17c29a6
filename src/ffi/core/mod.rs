//! Core NATS: what connects, publishes, subscribes and receives, in the order of the header.

pub mod connection;
pub mod event_loop;
pub mod header;
pub mod inbox;
pub mod library;
pub mod liveness;
pub mod msg;
pub mod publish;
pub mod stats;
pub mod status;
pub mod subscribe;
pub mod subscription;
pub mod types;
pub mod undeclared;
