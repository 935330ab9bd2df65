//! What kept a connection from coming about, by the errors themselves and never by their text.

use std::error::Error;
use std::io;

use rustls::{CertificateError, Error as TlsError};

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconnected {
    /// The server's certificate cannot be trusted, or the two sides do not agree on how to be sure.
    Certificate,
    /// The handshake failed in another way: what listens there may not speak TLS at all.
    Handshake,
    /// The name is not known, nobody listens, or nothing came back.
    Other,
}

/// Looks along an error's causes.
pub fn of(error: &(dyn Error + 'static)) -> Unconnected {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<TlsError>() {
            return of_tls(error);
        }
        // The source of an I/O error is that of the error inside: the one inside would be passed over.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| error.source());
    }
    Unconnected::Other
}

/// What kept an exchange from its end, in a few words for people. `reqwest`'s own would tell the address.
pub fn words(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "no answer in time";
    }
    if !error.is_connect() {
        return "the connection broke off";
    }
    let innermost = innermost(error);
    match of(error) {
        Unconnected::Certificate => certificate(innermost.downcast_ref()),
        Unconnected::Handshake => "the TLS handshake failed: what listens there may not speak TLS",
        Unconnected::Other => match innermost.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => "nobody listens there",
            _ => "no connection: the name is not known, or the network does not lead there",
        },
    }
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut found = error;
    loop {
        let inside = found.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| found.source()) {
            Some(next) => found = next,
            None => return found,
        }
    }
}

fn certificate(error: Option<&TlsError>) -> &'static str {
    use CertificateError as Fault;
    match error {
        Some(TlsError::InvalidCertificate(fault)) => match fault {
            Fault::Expired | Fault::ExpiredContext { .. } => "the server's certificate has expired",
            Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet: compare the clocks"
            }
            Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
                "the server's certificate is of another name"
            }
            Fault::UnknownIssuer => "the server's certificate is of an issuer that is not trusted",
            _ => "the server's certificate cannot be trusted",
        },
        Some(TlsError::AlertReceived(_)) => {
            "the server refused the handshake: it may ask for a certificate of ours"
        }
        _ => "the server's certificate cannot be trusted",
    }
}

const fn of_tls(error: &TlsError) -> Unconnected {
    match error {
        TlsError::InvalidCertificate(_)
        | TlsError::InvalidCertRevocationList(_)
        | TlsError::NoCertificatesPresented
        | TlsError::UnsupportedNameType
        | TlsError::PeerIncompatible(_)
        | TlsError::AlertReceived(_) => Unconnected::Certificate,
        _ => Unconnected::Handshake,
    }
}
