//! Which hosts are inside somebody's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// How far a configured address may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Reach {
    /// Anywhere, by http or https.
    Anywhere,
    /// Public hosts, by https.
    PublicOnly,
}

/// Whether a host is, by its name or number alone, this machine or in a private network.
pub(super) fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Host::Ipv4(address) => is_private_v4(*address),
        Host::Ipv6(address) => is_private_v6(*address),
    }
}

/// Whether a host is this machine, by its name or number alone.
pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => is_private(host),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    }
}

const fn is_private_v4(address: Ipv4Addr) -> bool {
    let octets = address.octets();
    let is_shared = octets[0] == 100 && octets[1] & 0xc0 == 64; // RFC 6598, carriers' own networks
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || octets[0] == 0
        || is_shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(address: &str) -> bool {
        is_private(&url::Url::parse(address).unwrap().host().unwrap())
    }

    #[test]
    fn private_hosts_are_known_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "10.0.0.1",
            "172.16.9.9",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(private(&format!("https://{host}/fhir")), "{host}");
        }
    }

    #[test]
    fn public_hosts_are_not_private() {
        for host in ["ehr.lakeside.example", "localhost.example", "8.8.8.8", "172.32.0.1", "[2001:db8::1]"] {
            assert!(!private(&format!("https://{host}/fhir")), "{host}");
        }
    }
}
