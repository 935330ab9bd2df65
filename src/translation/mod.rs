//! Between a partner's terms and the clinic's. Pure: no I/O, no clock, no state.

pub mod codes;
pub mod coordination;
pub mod dialects;
pub mod effect;
pub mod filler_order;
pub mod placer;
pub mod receipt;
pub mod reply;
pub mod submission;
pub mod to_clinic;
pub mod to_partner;
pub mod versions;
