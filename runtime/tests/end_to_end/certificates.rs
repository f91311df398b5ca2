//! Servers whose certificates are not valid now: told apart, and explained.

use crate::echo::{Ask, EchoClient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls_pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::{Channel, Credentials, Error, ErrorKind};

const HOST: &str = "greeter-7x2kq-uc.a.run.app";

/// What a call says to a server whose certificate is valid from one year to another.
async fn says(from: i32, to: i32) -> String {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut certificate = CertificateParams::new([HOST.to_owned()]).unwrap();
    certificate.not_before = date_time_ymd(from, 1, 1);
    certificate.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        assert!(
            acceptor.accept(tcp).await.is_err(),
            "the client must refuse"
        );
    });
    let channel = Channel::builder(HOST)
        .connect_to(address)
        .root_certificates_pem(authority.pem())
        .credentials(Credentials::none())
        .build();
    let client = EchoClient::on(channel.unwrap());
    let status = client.unary(Ask::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let error = Error::from_status(&status).unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.host(), Some(HOST));
    error.to_string()
}

#[tokio::test]
async fn an_expired_certificate() {
    let error = says(2020, 2021).await;
    assert!(
        error.contains("its certificate has expired, or this machine's clock is wrong"),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet() {
    let error = says(2100, 2101).await;
    assert!(
        error.contains("is not valid yet, or this machine's clock is wrong"),
        "{error}"
    );
}
