//! Who calls us, and who we are where we call: SMART Backend Services both ways.
//!
//! Nothing here speaks HTTP as a server: requests come in and refusals go out as plain values.

pub mod fetch;
pub mod keys;
pub mod obtain;
pub mod scope;
pub mod verify;
