//! What kept a connection from coming about, by the errors themselves and never by their text.

use std::error::Error;
use std::io;

use rustls::Error as TlsError;

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
