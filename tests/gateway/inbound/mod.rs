//! PARTNER → CLINIC.

mod answer;
mod clinic_faults;
mod clinic_record;
mod consent_faults;
mod doors;
mod effects;
mod hosted;
mod people_known;
mod profiles;
mod race;
mod refused_by_clinic;
mod repeats;
mod replies;
mod restart;
mod unknown_outcome;
mod versions;
