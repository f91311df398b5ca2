//! What holds for every token.

use super::tests::jwt;
use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in any::<String>()) {
        let _ = IdToken::parse(text);
    }

    #[test]
    fn any_bytes_in_the_parts_are_judged_without_a_panic(header: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) {
        let parts = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        let _ = IdToken::parse(parts.join("."));
    }

    #[test]
    fn any_exp_is_judged_without_a_panic(exp: f64, iat: f64, received: u32, jitter: f64) {
        let payload = json!({"exp": exp, "iat": iat}).to_string();
        if let Ok(token) = IdToken::parse(jwt("{}", &payload)) {
            let received = UNIX_EPOCH + Duration::from_secs(received.into());
            let _ = Lifetime::of(&token, received, jitter);
        }
    }

    #[test]
    fn a_token_comes_back_as_it_was_made(
        exp in 0..4_000_000_000u64, iat: Option<u32>, aud in proptest::collection::vec(any::<String>(), 0..3), iss: Option<String>, email: Option<String>, sub: Option<String>,
        signature in proptest::collection::vec(any::<u8>(), 1..300),
    ) {
        let payload = json!({"exp": exp, "iat": iat, "aud": aud, "iss": iss, "email": email, "sub": sub}).to_string();
        let [header, payload] = [r#"{"alg":"RS256"}"#, &payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let text = [&header, &payload, &URL_SAFE_NO_PAD.encode(signature)].map(String::as_str).join(".");
        prop_assume!(text.len() <= MAX_LEN);
        let token = IdToken::parse(text.as_str()).unwrap();
        prop_assert_eq!(token.secret(), text);
        prop_assert_eq!(token.expires_at(), UNIX_EPOCH + Duration::from_secs(exp));
        prop_assert_eq!(token.issued_at(), iat.map(|iat| UNIX_EPOCH + Duration::from_secs(iat.into())));
        prop_assert_eq!(token.audience(), aud);
        prop_assert_eq!(token.issuer(), iss.as_deref());
        prop_assert_eq!(token.email(), email.as_deref());
        prop_assert_eq!(token.subject(), sub.as_deref());
    }

    #[test]
    fn debug_shows_no_part_of_the_token(
        exp in 0..4_000_000_000u64, email in "[a-z]{1,20}@[a-z]{1,20}", signature in proptest::collection::vec(any::<u8>(), 12..300),
    ) {
        let payload = json!({"exp": exp, "email": email}).to_string();
        let [header, payload] = [r#"{"alg":"RS256"}"#, &payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let token = IdToken::parse([&header, &payload, &signature].map(String::as_str).join(".")).unwrap();
        for debug in [format!("{token:?}"), format!("{token:#?}")] {
            prop_assert!([&header, &payload, &signature].iter().all(|part| !debug.contains(part.as_str())), "{}", debug);
        }
        for cut in [&payload, &signature] {
            let error = IdToken::parse(format!("{header}.{cut}")).unwrap_err();
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(cut.as_str()));
        }
    }

    #[test]
    fn a_lifetime_is_in_order(life in 1..1_000_000u64, age in 0..1_000_000u64, jitter in 0.0..1.0) {
        const ISSUED: u64 = 1_795_000_000;
        let token = IdToken::parse(jwt("{}", &json!({"iat": ISSUED, "exp": ISSUED + life}).to_string())).unwrap();
        let received = UNIX_EPOCH + Duration::from_secs(ISSUED + age);
        match Lifetime::of(&token, received, jitter) {
            Some(lifetime) => {
                prop_assert!(received < lifetime.refresh_at);
                prop_assert!(lifetime.refresh_at < lifetime.usable_until);
                prop_assert!(lifetime.usable_until < token.expires_at());
                prop_assert_eq!(lifetime.state(received), Freshness::Fresh);
                prop_assert_eq!(lifetime.state(lifetime.refresh_at), Freshness::Aging);
                prop_assert_eq!(lifetime.state(token.expires_at()), Freshness::Ended);
            }
            None => prop_assert!(received + Duration::from_secs(30).min(Duration::from_secs(life) / 5) >= token.expires_at()),
        }
    }
}
