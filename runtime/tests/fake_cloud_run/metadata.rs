//! The metadata server as it is when nothing is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use tonic_cloud_run::testing::FakeCloudRun;

use crate::client::{FLAVOR, IDENTITY, call_with, fetch, metadata};
use crate::service::Container;

/// Verifies `token` with another library, against the published key.
pub(crate) fn verify(fake: &FakeCloudRun, token: &str, audience: &str) -> Result<Value, String> {
    let keys: JwkSet = serde_json::from_str(&fake.key_set()).unwrap();
    let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
    assert_eq!(header.alg, Algorithm::RS256);
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    validation.set_audience(&[audience]);
    validation.set_issuer(&["https://accounts.google.com"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .map(|token| token.claims)
        .map_err(|error| error.to_string())
}

async fn fake() -> FakeCloudRun {
    FakeCloudRun::start(Container::default()).await.unwrap()
}

#[tokio::test]
async fn it_mints_tokens_as_googles_do() {
    let fake = fake().await;
    let answer = fetch(&fake, fake.audience()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("metadata-flavor"), "Google");
    assert_eq!(answer.header("server"), "Metadata Server for VM");

    let claims = verify(&fake, &answer.body, fake.audience()).unwrap();
    assert_eq!(claims["email"], fake.identity());
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["azp"], claims["sub"]);
    let subject = claims["sub"].as_str().unwrap();
    assert_eq!(subject.len(), 21);
    assert!(subject.bytes().all(|byte| byte.is_ascii_digit()));
    let (iat, exp) = (
        claims["iat"].as_u64().unwrap(),
        claims["exp"].as_u64().unwrap(),
    );
    assert_eq!(exp - iat, 3600);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now.as_secs().abs_diff(iat) < 60, "{iat}");
    // And the front takes them.
    assert_eq!(call_with(&fake, &answer.body).await.status, 200);
}

#[tokio::test]
async fn the_email_is_named_only_in_the_full_format() {
    let fake = fake().await;
    for query in ["", "&format=standard", "&format="] {
        let path = format!("{IDENTITY}?audience={}{query}", fake.audience());
        let token = metadata(&fake, &path, FLAVOR).await.unwrap().body;
        let claims = verify(&fake, &token, fake.audience()).unwrap();
        assert_eq!(claims.get("email"), None, "{query}");
        assert_eq!(claims.get("email_verified"), None, "{query}");
        assert_eq!(call_with(&fake, &token).await.status, 200);
    }
}

#[tokio::test]
async fn the_audience_is_decoded_and_taken_as_it_is() {
    let fake = fake().await;
    for (encoded, audience) in [
        ("https%3A%2F%2Felse.run.app", "https://else.run.app"),
        (
            "32555940559.apps.googleusercontent.com",
            "32555940559.apps.googleusercontent.com",
        ),
        ("any%20thing+%C3%A9", "any thing é"),
    ] {
        let token = fetch(&fake, encoded).await.unwrap().body;
        verify(&fake, &token, audience).unwrap();
    }
}

/// Path, headers, status.
type Refusal<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
async fn requests_are_refused_that_google_refuses() {
    let fake = fake().await;
    let identity = format!("{IDENTITY}?audience=https://a.example");
    let cases: [Refusal<'_>; 10] = [
        (&identity, &[], 403),
        (&identity, &[("metadata-flavor", "google")], 403),
        (
            &identity,
            &[FLAVOR[0], ("x-forwarded-for", "10.0.0.1")],
            403,
        ),
        (IDENTITY, FLAVOR, 400),
        (&format!("{IDENTITY}?audience="), FLAVOR, 400),
        (
            "/computeMetadata/v1/instance/service-accounts/other@p.iam.gserviceaccount.com/identity?audience=a",
            FLAVOR,
            404,
        ),
        (
            "/computeMetadata/v1/instance/service-accounts/default/identity/x?audience=a",
            FLAVOR,
            404,
        ),
        ("/computeMetadata/v1/nothing", FLAVOR, 404),
        (
            "/computeMetadata/v1beta1/instance/service-accounts/default/identity",
            FLAVOR,
            404,
        ),
        ("/computeMetadata/v1/nothing", &[], 403),
    ];
    for (path, headers, status) in cases {
        let answer = metadata(&fake, path, headers).await.unwrap();
        assert_eq!(answer.status, status, "{path} {headers:?} {}", answer.body);
        assert_eq!(answer.header("metadata-flavor"), "Google");
    }
    assert_eq!(fake.metadata().tokens_minted(), 0);
}

#[tokio::test]
async fn it_answers_who_it_is() {
    let fake = FakeCloudRun::builder()
        .identity("robot@my-project.iam.gserviceaccount.com")
        .start(Container::default())
        .await
        .unwrap();
    let account = "/computeMetadata/v1/instance/service-accounts";
    let robot = "robot@my-project.iam.gserviceaccount.com";
    let all = r#"{"aliases":["default"],"email":"robot@my-project.iam.gserviceaccount.com","scopes":["https://www.googleapis.com/auth/cloud-platform"]}"#;
    for (path, text) in [
        (format!("{account}/default/?recursive=true"), all),
        (format!("{account}/default/email"), robot),
        (format!("{account}/{robot}/email"), robot),
        (
            "/computeMetadata/v1/project/project-id".to_owned(),
            "my-project",
        ),
        (
            "/computeMetadata/v1/universe/universe-domain".to_owned(),
            "googleapis.com",
        ),
    ] {
        let answer = metadata(&fake, &path, FLAVOR).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, text),
            "{path}"
        );
    }
    // The root is how programs find out that they run on Google Cloud.
    let answer = metadata(&fake, "/", &[]).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("metadata-flavor"), "Google");
    // The account's own name serves tokens too.
    let identity = format!(
        "{account}/{robot}/identity?audience={}&format=full",
        fake.audience()
    );
    let token = metadata(&fake, &identity, FLAVOR).await.unwrap().body;
    assert_eq!(
        verify(&fake, &token, fake.audience()).unwrap()["email"],
        robot
    );
}

#[tokio::test]
async fn lifetimes_can_be_chosen() {
    let fake = FakeCloudRun::builder()
        .token_lifetime(Duration::from_mins(2))
        .start(Container::default())
        .await
        .unwrap();
    for seconds in [120, 7] {
        let token = fetch(&fake, fake.audience()).await.unwrap().body;
        let claims = verify(&fake, &token, fake.audience()).unwrap();
        let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(lifetime, seconds);
        fake.metadata().set_token_lifetime(Duration::from_secs(7));
    }
}

#[tokio::test]
async fn each_request_gets_a_new_token() {
    let fake = fake().await;
    let first = fetch(&fake, fake.audience()).await.unwrap().body;
    let second = fetch(&fake, fake.audience()).await.unwrap().body;
    assert_ne!(first, second);
    assert_eq!(fake.metadata().requests(), 2);
    assert_eq!(fake.metadata().tokens_minted(), 2);
}

#[tokio::test]
async fn the_same_token_is_repeated_until_shortly_before_its_end() {
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
    fake.metadata()
        .set_repeat_until(Some(Duration::from_mins(5)));
    let token = async || fetch(&fake, fake.audience()).await.unwrap().body;

    let first = token().await;
    now.fetch_add(3299, Ordering::SeqCst);
    assert_eq!(token().await, first);
    // Another audience and another format have tokens of their own.
    assert_ne!(fetch(&fake, "https://else").await.unwrap().body, first);
    let path = format!("{IDENTITY}?audience={}", fake.audience());
    assert_ne!(metadata(&fake, &path, FLAVOR).await.unwrap().body, first);
    assert_eq!(fake.metadata().tokens_minted(), 3);

    now.fetch_add(1, Ordering::SeqCst);
    let second = token().await;
    assert_ne!(second, first);
    assert_eq!(token().await, second);
    fake.metadata().set_repeat_until(None);
    assert_ne!(token().await, second);
    assert_eq!(fake.metadata().requests(), 7);
}
