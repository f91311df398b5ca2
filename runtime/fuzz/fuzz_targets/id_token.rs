//! Any text is an ID token or an error, neither shows the token, and what is taken as a token is safe in a header.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, UNIX_EPOCH};
use tonic_cloud_run::IdToken;

// Two ways in: the text as it is, and a payload dressed up as a JWT so that the fuzzer gets behind the base64.
fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text);
    }
    check(&format!(
        "{}.{}.c2lnbmF0dXJl",
        URL_SAFE_NO_PAD.encode("{}"),
        URL_SAFE_NO_PAD.encode(data)
    ));
});

fn check(text: &str) {
    let token = match IdToken::parse(text) {
        Ok(token) => token,
        Err(error) => {
            return assert!(
                error.to_string().len() < 400,
                "an error shows nothing of the token: {error}"
            );
        }
    };
    assert!(text.len() <= 16 * 1024);
    assert!(
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
        "safe in a header: {text}"
    );
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(parts.len(), 3);

    let year_10000 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    assert!((UNIX_EPOCH..year_10000).contains(&token.expires_at()));
    assert!(
        token
            .audience()
            .iter()
            .all(|audience| token.has_audience(audience))
    );
    assert_eq!(token.identity(), token.email().or(token.subject()));

    let resigned = IdToken::parse(format!("{}.{}.{}", parts[0], parts[1], "b3RoZXI"))
        .expect("the claims are the same");
    assert_eq!(
        format!("{token:?}"),
        format!("{resigned:?}"),
        "Debug shows nothing of the signature"
    );
}
