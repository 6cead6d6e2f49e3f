//! The server.

pub mod seal;
pub mod store;
