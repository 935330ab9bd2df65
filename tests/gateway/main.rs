//! The contract with a partner and with the clinic, told as tests over real HTTP. One binary, one link.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(unreachable_pub, reason = "nobody imports a test binary")]

mod process;
mod support;

mod cli;
mod crash;
mod inbound;
mod outbound;
mod store_contract;
