//! A certificate authority made for one fake, and the TLS configuration of its front.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::error::Error;

/// The authority's certificate, and what a TLS server of its needs.
pub(super) struct Tls {
    pub(super) ca_certificate_pem: String,
    /// Offers `h2` and `http/1.1`.
    pub(super) http2: Arc<ServerConfig>,
    /// Offers `http/1.1` alone.
    pub(super) http1_only: Arc<ServerConfig>,
}

impl Tls {
    /// Makes an authority and a certificate of its for `hosts`, their sibling names (`*.a.run.app`, as
    /// Google's certificates), `localhost` and 127.0.0.1.
    pub(super) fn new(hosts: &[String]) -> Result<Self, Error> {
        let failed = |error| {
            Error::caused_by(
                format!("cannot make a certificate for {}", hosts.join(", ")),
                error,
            )
        };
        let authority = authority().map_err(failed)?;
        let (chain, key) = leaf(hosts, &authority).map_err(failed)?;

        // Named, not taken from the process's default: a program may hold several providers or none.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut http1_only = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| Error::caused_by("cannot set up the front's TLS", error))?;
        let mut http2 = http1_only.clone();
        http1_only.alpn_protocols = vec![b"http/1.1".to_vec()];
        http2.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            ca_certificate_pem: authority.pem(),
            http2: Arc::new(http2),
            http1_only: Arc::new(http1_only),
        })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "FakeCloudRun test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

type Leaf = (
    Vec<rustls_pki_types::CertificateDer<'static>>,
    PrivateKeyDer<'static>,
);

fn leaf(
    hosts: &[String],
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Result<Leaf, rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(hosts.iter().cloned());
    names.extend(hosts.iter().filter_map(|host| siblings(host)));
    names.sort();
    names.dedup();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "FakeCloudRun front");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((
        vec![certificate.der().clone()],
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    ))
}

/// The wildcard that covers `host` and its traffic tags, unless that were a whole top-level domain.
fn siblings(host: &str) -> Option<String> {
    if host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let (_, parent) = host.split_once('.')?;
    parent.contains('.').then(|| format!("*.{parent}"))
}

#[cfg(test)]
mod tests {
    use super::siblings;

    #[test]
    fn wildcards_cover_traffic_tags_and_no_top_level_domain() {
        assert_eq!(
            siblings("bookstore-7x2kq-uc.a.run.app").as_deref(),
            Some("*.a.run.app")
        );
        assert_eq!(siblings("example.com"), None);
        assert_eq!(siblings("localhost"), None);
        assert_eq!(siblings("10.0.0.1"), None);
    }
}
