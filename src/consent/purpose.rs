//! The purposes of v3-ActReason and which lies under which.

use super::disclosure::Purpose;

/// The code system of purposes.
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Every purpose of use with the one above it. Edition 2018-08-12, which R4 binds: care management is
/// under operations, coordination of care and emergencies are under treatment (consent S7.3).
const ABOVE: [(&str, &str); 60] = [
    ("PurposeOfUse", ""),
    ("HMARKT", "PurposeOfUse"),
    ("HOPERAT", "PurposeOfUse"),
    ("CAREMGT", "HOPERAT"),
    ("DONAT", "HOPERAT"),
    ("FRAUD", "HOPERAT"),
    ("GOV", "HOPERAT"),
    ("HACCRED", "HOPERAT"),
    ("HCOMPL", "HOPERAT"),
    ("HDECD", "HOPERAT"),
    ("HDIRECT", "HOPERAT"),
    ("HDM", "HOPERAT"),
    ("HLEGAL", "HOPERAT"),
    ("HOUTCOMS", "HOPERAT"),
    ("HPRGRP", "HOPERAT"),
    ("HQUALIMP", "HOPERAT"),
    ("HSYSADMIN", "HOPERAT"),
    ("LABELING", "HOPERAT"),
    ("METAMGT", "HOPERAT"),
    ("MEMADMIN", "HOPERAT"),
    ("MILCDM", "HOPERAT"),
    ("PATADMIN", "HOPERAT"),
    ("PATSFTY", "HOPERAT"),
    ("PERFMSR", "HOPERAT"),
    ("RECORDMGT", "HOPERAT"),
    ("SYSDEV", "HOPERAT"),
    ("HTEST", "SYSDEV"),
    ("TRAIN", "HOPERAT"),
    ("HPAYMT", "PurposeOfUse"),
    ("CLMATTCH", "HPAYMT"),
    ("COVAUTH", "HPAYMT"),
    ("COVERAGE", "HPAYMT"),
    ("ELIGDTRM", "COVERAGE"),
    ("ELIGVER", "COVERAGE"),
    ("ENROLLM", "COVERAGE"),
    ("MILDCRG", "COVERAGE"),
    ("REMITADV", "HPAYMT"),
    ("HRESCH", "PurposeOfUse"),
    ("BIORCH", "HRESCH"),
    ("CLINTRCH", "HRESCH"),
    ("CLINTRCHNPC", "CLINTRCH"),
    ("CLINTRCHPC", "CLINTRCH"),
    ("PRECLINTRCH", "CLINTRCH"),
    ("DSRCH", "HRESCH"),
    ("POARCH", "HRESCH"),
    ("TRANSRCH", "HRESCH"),
    ("PATRQT", "PurposeOfUse"),
    ("FAMRQT", "PATRQT"),
    ("PWATRNY", "PATRQT"),
    ("SUPNWK", "PATRQT"),
    ("PUBHLTH", "PurposeOfUse"),
    ("DISASTER", "PUBHLTH"),
    ("THREAT", "PUBHLTH"),
    ("TREAT", "PurposeOfUse"),
    ("CLINTRL", "TREAT"),
    ("COC", "TREAT"),
    ("ETREAT", "TREAT"),
    ("BTG", "ETREAT"),
    ("ERTREAT", "ETREAT"),
    ("POPHLTH", "TREAT"),
];

/// Whether a code is a purpose of v3-ActReason.
pub fn is_known(code: &str) -> bool {
    above(code).is_some()
}

/// Whether a code is another or lies under it.
pub fn is_at_or_below(code: &str, other: &str) -> bool {
    let mut present = code;
    loop {
        match above(present) {
            Some(_) if present == other => return true,
            Some(next) => present = next,
            None => return false,
        }
    }
}

/// Whether a purpose is of v3-ActReason and at or below a code of it.
pub fn is_under(purpose: &Purpose, code: &str) -> bool {
    purpose.system == ACT_REASON && is_at_or_below(&purpose.code, code)
}

/// Treatment, payment and operations, for which an opt-in is given (consent S3).
pub fn is_for_care(purpose: &Purpose) -> bool {
    ["TREAT", "HPAYMT", "HOPERAT"].iter().any(|it| is_under(purpose, it))
}

fn above(code: &str) -> Option<&'static str> {
    ABOVE.iter().find(|(it, _)| *it == code).map(|(_, above)| *above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_lies_under_the_root() {
        assert!(ABOVE.iter().all(|(code, _)| is_at_or_below(code, "PurposeOfUse")));
    }

    #[test]
    fn a_purpose_lies_under_itself_and_what_is_above_it_only() {
        assert!(is_at_or_below("BTG", "TREAT"));
        assert!(is_at_or_below("TREAT", "TREAT"));
        assert!(!is_at_or_below("TREAT", "ETREAT"));
        assert!(!is_at_or_below("CAREMGT", "TREAT"));
        assert!(!is_at_or_below("TREATMNT", "TREATMNT"));
    }
}
