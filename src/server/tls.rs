//! TLS at our own door.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// A certificate, key or issuer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not PEM, or not of the right kind.
    #[error("{0} does not hold what it should, as PEM")]
    File(String),
    /// Certificate and key do not belong together, or are of no use.
    #[error("certificate and key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
    /// The issuers of callers' certificates cannot be used.
    #[error("the issuers of callers' certificates cannot be used")]
    Issuers,
}

/// Makes TLS of a certificate and its key; with `client_ca`, callers must show a certificate of one of
/// these issuers.
pub fn acceptor(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|_| TlsError::Issuers)?)
        }
    };
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|_| unusable(key))?;
    let mut config = builder.with_single_cert(certificates(certificate)?, private_key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(|_| unusable(file))?.collect();
    read.ok().filter(|all| !all.is_empty()).ok_or_else(|| unusable(file))
}

fn unusable(file: &Path) -> TlsError {
    TlsError::File(file.display().to_string())
}
