//! Whom and what a Consent's references name. What cannot be compared is unknown, never "somebody else".

pub mod circle;
pub mod literal;
pub mod patient;
pub mod receiver;
pub mod situation;
