//! Who comes in and who does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tonic_cloud_run::testing::{Denial, FakeCloudRun, TokenSpec};

use crate::client::{Answer, call, call_host, call_with, tls};
use crate::service::Container;

const STRANGER: &str = "stranger@project.iam.gserviceaccount.com";

pub(crate) async fn fake() -> (FakeCloudRun, Container) {
    let container = Container::default();
    (
        FakeCloudRun::start(container.clone()).await.unwrap(),
        container,
    )
}

/// The answer is Cloud Run's: an HTML page, without a gRPC status.
pub(crate) fn assert_page(answer: &Answer, status: u16, title: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=UTF-8");
    assert_eq!(answer.header("server"), "Google Frontend");
    assert!(answer.headers.get("grpc-status").is_none());
    assert!(answer.trailers.is_empty());
    assert!(answer.body.contains("<html><head>"), "{}", answer.body);
    let title = format!("<title>{status} {title}</title>");
    assert!(answer.body.contains(&title), "{}", answer.body);
    let challenge = answer.header("www-authenticate");
    assert_eq!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        status == 401
    );
}

/// A token's claims, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn a_good_token_lets_a_call_through_to_a_tonic_service() {
    let (_reporter, service) = tonic_health::server::health_reporter();
    let fake = FakeCloudRun::start(service).await.unwrap();
    let answer = call_with(&fake, &fake.token()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(answer.header("server"), "Google Frontend");
    assert_eq!(answer.trailers["grpc-status"], "0");
    // Field 1, varint 1: SERVING.
    assert_eq!(answer.body.as_bytes(), [0, 0, 0, 0, 2, 8, 1]);
    assert_eq!(fake.front().calls_admitted(), 1);
    assert_eq!(fake.front().calls_denied(), 0);
}

#[tokio::test]
async fn no_token_is_403() {
    let (fake, container) = fake().await;
    let answer = call(&fake, &[]).await;
    assert_page(&answer, 403, "Forbidden");
    assert_eq!(fake.front().calls_denied_for(Denial::MissingToken), 1);
    assert_eq!(container.calls(), 0);
}

#[tokio::test]
async fn other_schemes_than_bearer_are_401() {
    let (fake, _) = fake().await;
    let token = fake.token();
    for value in [format!("Basic {token}"), token.clone(), "Bearer".to_owned()] {
        let answer = call(&fake, &[("authorization", &value)]).await;
        assert_page(&answer, 401, "Unauthorized");
    }
    assert_eq!(fake.front().calls_denied_for(Denial::NotBearer), 3);
    // RFC 9110: the scheme's case does not matter.
    let answer = call(&fake, &[("authorization", &format!("bearer {token}"))]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_identity_without_the_invoker_role_is_403() {
    let (fake, container) = fake().await;
    let token = fake.mint(TokenSpec::new(fake.audience()).email(STRANGER));
    assert_page(&call_with(&fake, &token).await, 403, "Forbidden");
    assert_eq!(fake.front().calls_denied_for(Denial::NotInvoker), 1);

    fake.front().grant_invoker(STRANGER);
    assert_eq!(call_with(&fake, &token).await.status, 200);
    // The role is the account's: a token without an email claim will do.
    let token = fake.mint(
        TokenSpec::new(fake.audience())
            .email(STRANGER)
            .without_email(),
    );
    assert_eq!(call_with(&fake, &token).await.status, 200);
    assert_eq!(container.calls(), 2);

    fake.front().revoke_invoker(STRANGER);
    assert_page(&call_with(&fake, &token).await, 403, "Forbidden");
    assert_eq!(call_with(&fake, &fake.token()).await.status, 200);
}

#[tokio::test]
async fn invokers_and_audiences_can_be_given_at_the_start() {
    let fake = FakeCloudRun::builder()
        .host("Service.Example.COM")
        .invoker(STRANGER)
        .accept_audience("https://custom.example.org")
        .start(Container::default())
        .await
        .unwrap();
    assert_eq!(fake.audience(), "https://service.example.com");
    for audience in [fake.audience(), "https://custom.example.org"] {
        let token = fake.mint(TokenSpec::new(audience).email(STRANGER));
        assert_eq!(call_with(&fake, &token).await.status, 200, "{audience}");
    }
}

#[tokio::test]
async fn both_spellings_of_the_issuer_are_good() {
    let (fake, _) = fake().await;
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        let token = fake.mint(TokenSpec::new(fake.audience()).issuer(issuer));
        assert_eq!(call_with(&fake, &token).await.status, 200, "{issuer}");
    }
}

#[tokio::test]
async fn a_token_is_good_until_the_second_of_its_expiry() {
    let now = Arc::new(AtomicU64::new(1_800_000_000));
    let clock = {
        let now = now.clone();
        move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))
    };
    let fake = FakeCloudRun::builder()
        .clock(clock)
        .start(Container::default())
        .await
        .unwrap();
    let token = fake.mint(TokenSpec::new(fake.audience()).lifetime(Duration::from_secs(10)));
    assert_eq!(claims(&token)["exp"], 1_800_000_010);
    now.store(1_800_000_009, Ordering::SeqCst);
    assert_eq!(call_with(&fake, &token).await.status, 200);
    now.store(1_800_000_010, Ordering::SeqCst);
    assert_page(&call_with(&fake, &token).await, 401, "Unauthorized");
    assert_eq!(fake.front().calls_denied_for(Denial::Expired), 1);
}

#[tokio::test]
async fn the_signature_is_taken_off() {
    let (fake, container) = fake().await;
    let token = fake.token();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let stripped = format!("Bearer {signed}.SIGNATURE_REMOVED_BY_GOOGLE");
    call_with(&fake, &token).await;
    assert_eq!(container.header("authorization"), Some(stripped.clone()));
    assert_eq!(
        container.header("x-forwarded-proto").as_deref(),
        Some("https")
    );
    assert_eq!(
        container.header("x-forwarded-for").as_deref(),
        Some("127.0.0.1")
    );
    assert_eq!(container.header("te").as_deref(), Some("trailers"));
    // What a container sees is of no use at the door.
    let answer = call(&fake, &[("authorization", &stripped)]).await;
    assert_page(&answer, 401, "Unauthorized");
}

#[tokio::test]
async fn x_serverless_authorization_wins_and_leaves_the_other_to_the_service() {
    let (fake, container) = fake().await;
    let token = fake.token();
    let good = format!("Bearer {token}");
    let (signed, _) = good.rsplit_once('.').unwrap();

    let headers = [
        ("x-serverless-authorization", &*good),
        ("authorization", "Basic YTpi"),
    ];
    assert_eq!(call(&fake, &headers).await.status, 200);
    assert_eq!(
        container.header("authorization").as_deref(),
        Some("Basic YTpi")
    );
    assert_eq!(
        container.header("x-serverless-authorization"),
        Some(format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE"))
    );
    // A good token in the other header does not help.
    let headers = [
        ("x-serverless-authorization", "Bearer garbled"),
        ("authorization", &good),
    ];
    assert_page(&call(&fake, &headers).await, 401, "Unauthorized");
    assert_eq!(container.calls(), 1);
}

#[tokio::test]
async fn a_public_service_lets_everyone_in_and_sees_tokens_as_they_are() {
    let container = Container::default();
    let fake = FakeCloudRun::builder()
        .allow_unauthenticated()
        .start(container.clone())
        .await
        .unwrap();
    assert_eq!(call(&fake, &[]).await.status, 200);
    assert_eq!(call_with(&fake, "garbled").await.status, 200);
    assert_eq!(
        container.header("authorization").as_deref(),
        Some("Bearer garbled")
    );
    assert!(fake.front().tokens().is_empty());
}

#[tokio::test]
async fn other_hosts_are_404_and_traffic_tags_are_not() {
    let fake = FakeCloudRun::builder()
        .domain("books.example.com")
        .start(Container::default())
        .await
        .unwrap();
    let value = format!("Bearer {}", fake.token());
    let headers = [("authorization", &*value)];
    for host in [
        "else-7x2kq-uc.a.run.app",
        "127.0.0.1",
        "run.app",
        "tag---else.a.run.app",
    ] {
        assert_page(&call_host(&fake, host, &headers).await, 404, "Not Found");
    }
    assert_eq!(fake.front().calls_denied_for(Denial::UnknownHost), 4);

    let tagged = format!("canary---{}", fake.host());
    let upper = fake.host().to_uppercase();
    let ported = format!("{}:{}", fake.host(), fake.address().port());
    for host in [&tagged, &upper, &ported, "books.example.com"] {
        assert_eq!(call_host(&fake, host, &headers).await.status, 200, "{host}");
    }
    // The certificate is good for all of them.
    for name in [
        fake.host(),
        &tagged,
        "books.example.com",
        "localhost",
        "127.0.0.1",
    ] {
        assert!(tls(&fake, name, &["h2"]).await.is_ok(), "{name}");
    }
    // As on Cloud Run, a custom domain is not an audience.
    let token = fake.mint(TokenSpec::new("https://books.example.com"));
    assert_page(&call_with(&fake, &token).await, 401, "Unauthorized");
}

#[tokio::test]
async fn the_front_tells_which_tokens_it_saw() {
    let (fake, _) = fake().await;
    let (first, second) = (fake.token(), fake.token());
    assert_ne!(first, second);
    for token in [&first, &first, &second, &first] {
        call_with(&fake, token).await;
    }
    let tokens = fake.front().tokens();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_ne!(tokens[0].fingerprint, tokens[1].fingerprint);
    assert_eq!(tokens[0].identity(), fake.identity());
    assert_eq!(tokens[0].audience, fake.audience());
    let exp = claims(&first)["exp"].as_u64().unwrap();
    assert_eq!(
        tokens[0].expires_at,
        Some(UNIX_EPOCH + Duration::from_secs(exp))
    );
}
