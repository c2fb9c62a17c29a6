//! Services: so far the types alone.

pub mod types;
