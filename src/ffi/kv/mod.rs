//! Key-value buckets: so far the types alone.

pub mod types;
