//! The contract with a partner and with the clinic, told as tests over real HTTP. One binary, one link.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(unreachable_pub, reason = "nobody imports a test binary")]

mod privacy_officer;
mod process;
mod support;

mod broken_consents;
mod cli;
mod consent_check;
mod dialects;
mod edge;
mod examples;
mod faults;
mod fixtures;
mod handshake;
mod inbound;
mod operator;
mod outbound;
mod own_keys;
mod permit;
mod preview;
mod privacy;
mod shutdown;
mod smart_checker;
mod status;
mod store_contract;
mod tokens;
mod watchdogs;
