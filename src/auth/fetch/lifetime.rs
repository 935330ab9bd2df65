//! How long an answer may be kept.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Where the server does not say.
const DEFAULT: Duration = Duration::from_mins(5);

/// The longest, whatever the server says: a key that its owner has taken away must be refused within this time.
const LONGEST: Duration = Duration::from_hours(1);

/// The shortest, also where nothing may be kept: who waits for one answer shares it, and nobody can make us ask more than
/// once a second.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long this answer may be kept (RFC 9111 §4.2.1, §5.2.2; a cache of our own, so `s-maxage` is not for us).
pub(super) fn lifetime(headers: &HeaderMap) -> Duration {
    let directives: Vec<String> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(|it| it.trim().to_ascii_lowercase())
        .collect();
    let has = |name: &str| directives.iter().any(|it| it == name || it.starts_with(&format!("{name}=")));
    let asked = if has("no-store") || has("no-cache") {
        Duration::ZERO
    } else {
        max_age(&directives).or_else(|| until_expires(headers)).unwrap_or(DEFAULT)
    };
    let age = seconds(headers.get(AGE).and_then(|it| it.to_str().ok())).unwrap_or_default();
    asked.saturating_sub(age).clamp(SHORTEST, LONGEST)
}

/// The smallest, where a server says several; one that cannot be read is none to keep to (RFC 9111 §4.2.1).
fn max_age(directives: &[String]) -> Option<Duration> {
    let told = directives.iter().filter_map(|it| it.strip_prefix("max-age="));
    told.map(|it| seconds(Some(it.trim_matches('"'))).unwrap_or_default()).min()
}

/// `Expires`, which counts from the server's own `Date`; one that cannot be read is past (RFC 9111 §5.3).
fn until_expires(headers: &HeaderMap) -> Option<Duration> {
    let date = |name| headers.get(&name).and_then(|it| rfc2822::parse(it.to_str().ok()?).ok());
    headers.get(EXPIRES)?;
    let (expires, date) = (date(EXPIRES), date(DATE));
    let left = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).ok();
    Some(expires.zip(date).and_then(|(to, from)| left(from.timestamp(), to.timestamp())).unwrap_or_default())
}

fn seconds(text: Option<&str>) -> Option<Duration> {
    let text = text?.trim();
    let is_number = !text.is_empty() && text.chars().all(|it| it.is_ascii_digit());
    // More than fits is as long as can be.
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn kept(headers: &[(HeaderName, &str)]) -> u64 {
        let pair = |(name, value): &(HeaderName, &str)| (name.clone(), HeaderValue::from_str(value).unwrap());
        lifetime(&headers.iter().map(pair).collect()).as_secs()
    }

    #[test]
    fn an_answer_is_kept_as_long_as_its_server_says_within_bounds() {
        assert_eq!(kept(&[]), 300);
        assert_eq!(kept(&[(CACHE_CONTROL, "public")]), 300);
        assert_eq!(kept(&[(CACHE_CONTROL, "public, MAX-AGE=60")]), 60);
        assert_eq!(kept(&[(CACHE_CONTROL, "max-age=600"), (AGE, "550")]), 50);
        assert_eq!(kept(&[(CACHE_CONTROL, "max-age=600"), (AGE, "700")]), 1);
        assert_eq!(kept(&[(CACHE_CONTROL, "max-age=600, max-age=60")]), 60);
        assert_eq!(kept(&[(CACHE_CONTROL, "max-age=86400")]), 3600);
        assert_eq!(kept(&[(CACHE_CONTROL, "max-age=99999999999999999999999")]), 3600);
    }

    #[test]
    fn what_may_not_be_kept_is_shared_for_a_second_only() {
        for said in ["no-store", "no-cache", "no-cache=\"x\", max-age=60", "max-age=0", "max-age=x"] {
            assert_eq!(kept(&[(CACHE_CONTROL, said)]), 1, "{said}");
        }
    }

    #[test]
    fn expires_counts_where_there_is_no_max_age() {
        let date = (DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        let expires = (EXPIRES, "Sun, 06 Nov 1994 08:50:37 GMT");

        assert_eq!(kept(&[date.clone(), expires.clone()]), 60);
        assert_eq!(kept(&[date.clone(), expires.clone(), (CACHE_CONTROL, "max-age=7")]), 7);
        assert_eq!(kept(&[date.clone(), (EXPIRES, "0")]), 1);
        assert_eq!(kept(&[(DATE, "Sun, 06 Nov 1994 08:51:37 GMT"), expires]), 1);
    }
}
