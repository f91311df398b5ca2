//! Certificates that are not to be trusted: each error says what is wrong with it, and no call is sent.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio::net::TcpListener;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Credentials, Error, ErrorKind};

const HOST: &str = "bookstore.example.com";

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What connecting to a server with this certificate comes to.
async fn refusal(certificate: CertificateDer<'static>, key: &KeyPair, trusted: &str) -> Error {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            assert!(acceptor.accept(tcp).await.is_err(), "it was trusted");
        }
    });
    let channel = Channel::builder(HOST)
        .connect_to(address)
        .root_certificates_pem(trusted)
        .credentials(Credentials::none())
        .build()
        .unwrap();
    let error = channel.connect().await.unwrap_err();
    assert!(
        !server.is_finished(),
        "the server must have seen failures alone"
    );
    server.abort();
    error
}

fn explained(error: &Error, says: &[&str]) {
    assert_eq!(error.host(), Some(HOST));
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Connect, Code::Unavailable)
    );
    for part in [&[HOST, "TLS handshake failed"], says].concat() {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

async fn signed(params: CertificateParams) -> Error {
    let (authority, key) = (authority(), KeyPair::generate().unwrap());
    let certificate = params.signed_by(&key, &authority).unwrap();
    refusal(certificate.der().clone(), &key, &authority.pem()).await
}

#[tokio::test]
async fn expired() {
    let mut params = params(&[HOST]);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let error = signed(params).await;
    // 2021-01-01 as rustls tells it.
    explained(
        &error,
        &[
            "1609459200",
            "has expired, or this machine's clock is wrong",
        ],
    );
}

#[tokio::test]
async fn not_valid_yet() {
    let mut params = params(&[HOST]);
    params.not_before = date_time_ymd(3000, 1, 1);
    params.not_after = date_time_ymd(3001, 1, 1);
    let error = signed(params).await;
    explained(
        &error,
        &[
            "32503680000",
            "is not valid yet, or this machine's clock is wrong",
        ],
    );
}

#[tokio::test]
async fn of_another_name() {
    let error = signed(params(&["somebody-else.example.com"])).await;
    explained(&error, &["somebody-else.example.com", "is for other names"]);
}

#[tokio::test]
async fn of_an_unknown_authority() {
    let (unknown, key) = (authority(), KeyPair::generate().unwrap());
    let certificate = params(&[HOST]).signed_by(&key, &unknown).unwrap();
    let error = refusal(certificate.der().clone(), &key, &authority().pem()).await;
    explained(&error, &["intercepting TLS", "root_certificates_pem"]);
}

#[tokio::test]
async fn self_signed() {
    let key = KeyPair::generate().unwrap();
    let certificate = params(&[HOST]).self_signed(&key).unwrap();
    let error = refusal(certificate.der().clone(), &key, &authority().pem()).await;
    explained(&error, &["signed by nobody this machine trusts"]);
    // As openssl makes them: an authority's. Trusted or not, it is no server's.
    let mut params = params(&[HOST]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let error = refusal(certificate.der().clone(), &key, &certificate.pem()).await;
    explained(&error, &["not one for a server", "self-signed"]);
}
