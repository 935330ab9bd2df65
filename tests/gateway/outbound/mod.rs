//! CLINIC → PARTNER.

mod road;
