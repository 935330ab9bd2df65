//! `[server]`.

use std::net::SocketAddr;
use std::time::Duration;

use super::{address, named_file};
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::problem::Code;
use crate::config::raw::gateway as raw;
use crate::config::settings::{Server, Tls};

/// Checks the section.
pub(super) fn check(findings: &mut Findings, raw: raw::Server) -> Option<Server> {
    let listen = socket(findings, "server.listen", &raw.listen);
    let operator_listen = socket(findings, "server.operator_listen", &raw.operator_listen);
    let public_url = address::any(findings, "server.public_url", &raw.public_url);
    check_plain_http(findings, &raw, listen);
    check_doors(findings, listen, operator_listen);
    let has_tls = raw.tls.is_some();
    let tls = raw.tls.and_then(|raw| tls(findings, raw));
    if has_tls && tls.is_none() {
        return None;
    }
    Some(Server {
        listen: listen?,
        public_url: public_url?,
        operator_listen: operator_listen?,
        allow_private_networks: raw.allow_private_networks,
        tls_terminated_upstream: raw.tls_terminated_upstream,
        max_body_bytes: raw.max_body_bytes,
        body_timeout: Duration::from_secs(raw.body_timeout_s),
        stop_delay: Duration::from_secs(raw.stop_delay_s),
        request_grace: Duration::from_secs(raw.shutdown_grace_s),
        send_grace: Duration::from_secs(raw.send_grace_s),
        tls,
    })
}

fn socket(findings: &mut Findings, key: &str, text: &str) -> Option<SocketAddr> {
    let socket = text.parse().ok();
    if socket.is_none() {
        let help =
            "write it like 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080; a name such as localhost is not enough";
        findings.report(Code::Address, key, format!("`{key}` is not an IP address with a port"), help);
    }
    socket
}

fn check_plain_http(findings: &mut Findings, raw: &raw::Server, listen: Option<SocketAddr>) {
    let is_local = listen.is_none_or(|listen| listen.ip().is_loopback());
    let is_protected = raw.tls.is_some() || raw.tls_terminated_upstream;
    if !is_local && !is_protected && !findings.is_reported(&Key::from("server.tls")) {
        let help = "add [server.tls], or set server.tls_terminated_upstream = true when something in front of \
                    us ends TLS";
        let message = "patient data would go over plain HTTP beyond this machine".to_owned();
        findings.report(Code::PlainHttp, "server.listen", message, help);
    }
}

fn check_doors(findings: &mut Findings, listen: Option<SocketAddr>, operator: Option<SocketAddr>) {
    // Port 0 takes any free port, so two of them are two doors.
    if listen.is_some_and(|listen| listen.port() != 0) && listen == operator {
        let key = if findings.writes("server.operator_listen") {
            "server.operator_listen"
        } else {
            "server.listen"
        };
        let message = "`server.listen` and `server.operator_listen` are the same".to_owned();
        findings.report(Code::Conflict, key, message, "give each its own port");
    }
}

fn tls(findings: &mut Findings, raw: raw::Tls) -> Option<Tls> {
    let mut usable = true;
    let files = [
        ("server.tls.certificate_file", &raw.certificate_file, "CERTIFICATE"),
        ("server.tls.private_key_file", &raw.private_key_file, "PRIVATE KEY"),
        ("server.tls.client_ca_file", &raw.client_ca_file, "CERTIFICATE"),
    ];
    for (key, file, label) in files {
        let Some(file) = file else { continue }; // the schema requires the first two
        usable &= named_file::pem(findings, key, file, label).is_some();
    }
    let tls = Tls {
        certificate_file: raw.certificate_file?,
        private_key_file: raw.private_key_file?,
        client_ca_file: raw.client_ca_file,
    };
    usable.then_some(tls)
}
