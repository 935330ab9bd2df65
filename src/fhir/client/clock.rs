//! What a server's answers say about its clock. A clock that differs is the most common reason why an assertion is
//! refused (smart.md row 6.5).

use http::HeaderMap;
use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// When it was there as it answered, by its `Date`; in whole seconds (RFC 9110 §6.6.1).
pub fn told(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    rfc2822::parse(date).ok().map(|it| it.timestamp())
}
