//! Until when a server's certificate is good.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER (RFC 5280 §4.1.2.5). Only the way to that element is read, and nothing is judged:
/// whether it can be trusted, TLS has decided.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    // version [0], which may be left out, serialNumber, signature, issuer
    let before = if rest.first() == Some(&0xa0) { 4 } else { 3 };
    for _ in 0..before {
        (_, _, rest) = any(rest)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, _, second) = any(validity)?;
    let (tag, text, _) = any(second)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

fn element(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = any(der)?;
    (tag == expected).then_some((content, rest))
}

/// The first element: its tag, its content, and what follows (X.690 §8.1, definite lengths of at most four bytes).
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().fold(0, |sum, it| sum << 8 | usize::from(*it)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, of which years below 50 are of this century, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let whole = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", &whole).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["lakeside.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 3, 4);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms() {
        for year in [2031, 2049, 2050, 2077] {
            let expected: Timestamp = format!("{year}-03-04T00:00:00Z").parse().unwrap();
            assert_eq!(not_after(&certificate(year)), Some(expected));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let whole = certificate(2031);
        for cut in 0..whole.len().min(300) {
            let _ = not_after(&whole[..cut]);
        }
        assert_eq!(not_after(&[]), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(not_after(&[0x30, 0x80, 0, 0]), None);
    }
}
