//! Bad tokens, each bad in one way.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use tonic_cloud_run::testing::{Denial, FakeCloudRun, TokenSpec};

use crate::checks::{assert_page, claims, fake};
use crate::client::call_with;

#[tokio::test]
async fn bad_tokens_are_401_each_for_its_reason() {
    let (fake, container) = fake().await;
    let spec = || TokenSpec::new(fake.audience());
    let minute_ago = SystemTime::now() - Duration::from_mins(1);
    let good = fake.token();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let cases = [
        (
            "wrong audience",
            fake.mint(TokenSpec::new("https://else.run.app")),
            Denial::WrongAudience,
        ),
        (
            "with a port",
            fake.mint(TokenSpec::new(format!("{}:443", fake.audience()))),
            Denial::WrongAudience,
        ),
        (
            "with a slash",
            fake.mint(TokenSpec::new(format!("{}/", fake.audience()))),
            Denial::WrongAudience,
        ),
        (
            "expired",
            fake.mint(spec().expires_at(minute_ago)),
            Denial::Expired,
        ),
        (
            "no lifetime",
            fake.mint(spec().lifetime(Duration::ZERO)),
            Denial::Expired,
        ),
        (
            "no exp",
            fake.mint(spec().without_expiry()),
            Denial::MissingExpiry,
        ),
        (
            "issuer",
            fake.mint(spec().issuer("https://securetoken.google.com/p")),
            Denial::WrongIssuer,
        ),
        ("forged", fake.mint(spec().forged()), Denial::BadSignature),
        ("no signature", format!("{signed}."), Denial::BadSignature),
        (
            "removed signature",
            format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE"),
            Denial::BadSignature,
        ),
        ("algorithm none", none(&good), Denial::BadSignature),
        ("HMAC", hmac(&fake, &good), Denial::BadSignature),
        ("other claims", other_claims(&good), Denial::BadSignature),
        ("unknown key", unknown_key(&good), Denial::BadSignature),
        (
            "access token",
            "ya29.a0Af-access-token".to_owned(),
            Denial::MalformedToken,
        ),
        ("one word", "garbled".to_owned(), Denial::MalformedToken),
        ("dots", "..".to_owned(), Denial::MalformedToken),
        ("empty", String::new(), Denial::MalformedToken),
        (
            "four parts",
            format!("{good}.{signed}"),
            Denial::MalformedToken,
        ),
        (
            "cut short",
            good[..good.len() / 3].to_owned(),
            Denial::MalformedToken,
        ),
    ];
    for (name, token, reason) in cases {
        let before = fake.front().calls_denied_for(reason);
        let answer = call_with(&fake, &token).await;
        assert_page(&answer, 401, "Unauthorized");
        assert_eq!(fake.front().calls_denied_for(reason), before + 1, "{name}");
        assert!(token.len() < 30 || !answer.body.contains(&token), "{name}");
    }
    assert_eq!(container.calls(), 0);
    assert_eq!(fake.front().calls_admitted(), 0);
}

fn none(good: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
    format!("{header}.{}.", good.split('.').nth(1).unwrap())
}

/// Signed with HMAC and the public key as its secret, the classic confusion.
fn hmac(fake: &FakeCloudRun, good: &str) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = jsonwebtoken::decode_header(good).unwrap().kid;
    let key = EncodingKey::from_secret(fake.key_set().as_bytes());
    jsonwebtoken::encode(&header, &claims(good), &key).unwrap()
}

/// A good token's signature under claims that name someone else.
fn other_claims(good: &str) -> String {
    let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
    let mut claims = claims(good);
    claims["email"] = json!("root@project.iam.gserviceaccount.com");
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts.join(".")
}

/// Claims to be signed with a key that the issuer does not have.
fn unknown_key(good: &str) -> String {
    let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
    parts[0] = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "kid": "0123" }).to_string());
    parts.join(".")
}
