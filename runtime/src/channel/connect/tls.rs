//! TLS: which roots are trusted, and what a failed handshake means.

use crate::error::Error;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::sync::{Arc, LazyLock, OnceLock};

/// The operating system's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured), or Mozilla's where
/// there are none, as in a container made from scratch. Read once, at the first connection.
static SYSTEM_ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Arc::new(roots)
});

/// What all channels share that trust the system's roots alone: the roots' memory, and sessions to resume.
static SHARED: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// Certificates to trust besides the system's.
pub(crate) fn parse_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable = |why: String| {
        Error::configuration(format!(
            "the root certificates cannot be used: {why}; root_certificates_pem takes one or more blocks of \
             `-----BEGIN CERTIFICATE-----`"
        ))
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| unusable(e.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(
            "there is no certificate in the PEM text".to_owned(),
        ));
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store
            .add(certificate.clone())
            .map_err(|e| unusable(e.to_string()))?;
    }
    Ok(certificates)
}

/// TLS 1.2 and 1.3 with HTTP/2 only. Reads files: not for an async task.
pub(crate) fn client_config(
    extra_roots: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, Error> {
    if extra_roots.is_empty() {
        return match SHARED.get() {
            Some(shared) => Ok(shared.clone()),
            None => trusting(SYSTEM_ROOTS.clone()).map(|made| SHARED.get_or_init(|| made).clone()),
        };
    }
    let mut roots = RootCertStore::clone(&SYSTEM_ROOTS);
    roots.add_parsable_certificates(extra_roots.iter().cloned());
    trusting(Arc::new(roots))
}

fn trusting(roots: Arc<RootCertStore>) -> Result<Arc<ClientConfig>, Error> {
    // The provider is named: with a second one somewhere in the user's tree rustls could not choose.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::configuration(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// What a failed TLS handshake most likely means, and what to do.
pub(crate) fn advice(error: &std::io::Error) -> &'static str {
    use rustls::CertificateError as Certificate;
    use rustls::Error as Tls;
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Tls>())
    {
        Some(Tls::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature)) => {
            "its certificate is signed by nobody this machine trusts: is a proxy intercepting TLS, or is this a \
             server of your own? Then add its CA with `root_certificates_pem` or SSL_CERT_FILE"
        }
        Some(Tls::InvalidCertificate(
            Certificate::Expired | Certificate::ExpiredContext { .. },
        )) => "its certificate has expired, or this machine's clock is wrong",
        Some(Tls::InvalidCertificate(
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. },
        )) => "its certificate is not valid yet, or this machine's clock is wrong",
        Some(Tls::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        )) => {
            "its certificate is for other names: check the host, and that its name resolves to the right server"
        }
        // As `openssl req -x509` makes them: an authority's own.
        Some(Tls::InvalidCertificate(_)) => {
            "its certificate is not one for a server, as a self-signed one of an authority is not: give it one that is \
             signed by an authority, and add that with `root_certificates_pem` if it is your own"
        }
        Some(Tls::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)) => {
            "it speaks no HTTP/2, which gRPC needs"
        }
        Some(Tls::InvalidMessage(_)) => "it does not speak TLS on this port",
        _ => "the server, or something on the way to it, ended the TLS handshake",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_pem_without_certificates() {
        for (pem, want) in [
            ("", "there is no certificate in the PEM text"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "there is no certificate",
            ),
            (
                "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
                "cannot be used",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "cannot be used",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA", "cannot be used"),
        ] {
            let error = parse_roots(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(want), "{pem:?}: {error}");
        }
    }

    #[test]
    fn there_are_always_roots() {
        assert!(!SYSTEM_ROOTS.is_empty());
        let config = client_config(&[]).unwrap();
        assert_eq!(config.alpn_protocols, [b"h2"]);
        assert!(Arc::ptr_eq(&config, &client_config(&[]).unwrap()));
    }
}
