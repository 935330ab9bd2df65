//! PARTNER → CLINIC.

mod road;
