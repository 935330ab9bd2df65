//! Addresses of servers.

use url::Url;

use super::network::{Reach, is_loopback, is_private};
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::problem::Code;

/// An http or https address, wherever it leads. Slashes at the end of its path are removed.
pub(super) fn any(findings: &mut Findings, key: &str, text: &str) -> Option<Url> {
    match parse(text) {
        Ok(url) => Some(url),
        Err(NotAnAddress { message, help }) => {
            if message == HAS_USER {
                findings.mask(&Key::from(key));
            }
            findings.report(Code::Address, key, format!("`{key}` {message}"), help);
            None
        }
    }
}

/// An address that may not lead further than `reach`.
pub(super) fn within(findings: &mut Findings, key: &str, text: &str, reach: Reach) -> Option<Url> {
    let url = any(findings, key, text)?;
    if reach == Reach::Anywhere {
        return Some(url);
    }
    let (message, help) = if url.scheme() != "https" {
        ("must be https", "use https; in a closed network set server.allow_private_networks = true")
    } else if url.host().as_ref().is_some_and(is_private) {
        (
            "leads to this machine or a private network",
            "use the partner's public address; in a closed network set server.allow_private_networks = true",
        )
    } else {
        return Some(url);
    };
    findings.report(Code::Address, key, format!("`{key}` {message}"), help);
    None
}

/// An address of public keys: https, since whoever changes them on the way is that client. Only on this machine plain
/// http will do, where private networks are allowed. `private` says whether the host may be private.
pub(super) fn of_keys(
    findings: &mut Findings,
    key: &str,
    text: &str,
    private: bool,
    plain: bool,
) -> Option<Url> {
    let url = any(findings, key, text)?;
    let host = url.host();
    let (message, help) = if url.scheme() != "https" && !(plain && host.as_ref().is_some_and(is_loopback)) {
        ("must be https", "use https: whoever can change these keys on the way is this client")
    } else if !private && host.as_ref().is_some_and(is_private) {
        (
            "leads to this machine or a private network",
            "use the partner's public address; in a closed network set server.allow_private_networks = true",
        )
    } else {
        return Some(url);
    };
    findings.report(Code::Address, key, format!("`{key}` {message}"), help);
    None
}

struct NotAnAddress {
    message: &'static str,
    help: &'static str,
}

const HAS_USER: &str = "holds a user or a password";

fn parse(text: &str) -> Result<Url, NotAnAddress> {
    let refused = |message, help| Err(NotAnAddress { message, help });
    let Ok(mut url) = Url::parse(text) else {
        return refused("is not an address", "write it like https://host.example/fhir");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused(HAS_USER, "remove them; credentials have keys of their own");
    }
    if !matches!(url.scheme(), "http" | "https") {
        return refused("is neither http nor https", "write it like https://host.example/fhir");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("has a query or a fragment", "end it before the `?` or `#`");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}
