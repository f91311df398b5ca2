use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, UNIX_EPOCH};

const HEADER: &str = r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#;
const FULL: &str = r#"{"iss":"https://accounts.google.com","aud":"https://a.run.app","sub":"1234","email":"me@p.iam","iat":1795000000,"exp":1795003600}"#;

pub(super) fn jwt(header: &str, payload: &str) -> String {
    format!(
        "{}.{}.c2ln",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

pub(crate) fn token_with(payload: &str) -> IdToken {
    IdToken::parse(jwt(HEADER, payload)).unwrap_or_else(|error| panic!("{payload}: {error}"))
}

fn fault_of(token: &str) -> Fault {
    match parse(token) {
        Ok(_) => panic!("taken: {token}"),
        Err(fault) => fault,
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn reads_the_claims() {
    let token = token_with(FULL);
    assert_eq!(token.expires_at(), at(1_795_003_600));
    assert_eq!(token.issued_at(), Some(at(1_795_000_000)));
    assert_eq!(token.audience(), ["https://a.run.app"]);
    assert!(token.has_audience("https://a.run.app"));
    assert!(!token.has_audience("https://a.run.app/"));
    assert_eq!(token.issuer(), Some("https://accounts.google.com"));
    assert_eq!(token.email(), Some("me@p.iam"));
    assert_eq!(token.subject(), Some("1234"));
    assert_eq!(token.identity(), Some("me@p.iam"));
    assert_eq!(token.secret(), jwt(HEADER, FULL));
}

#[test]
fn what_may_be_absent() {
    let token = token_with(r#"{"exp":1795003600,"email":null,"aud":null}"#);
    assert_eq!(token.issued_at(), None);
    assert!(token.audience().is_empty());
    assert_eq!(
        (
            token.issuer(),
            token.email(),
            token.subject(),
            token.identity()
        ),
        (None, None, None, None)
    );
    assert_eq!(
        token_with(r#"{"exp":1,"sub":"1234"}"#).identity(),
        Some("1234")
    );
    assert_eq!(
        token_with(r#"{"exp":1,"aud":["a","b"]}"#).audience(),
        ["a", "b"]
    );
    assert!(token_with(r#"{"exp":1,"aud":[]}"#).audience().is_empty());
    assert!(
        IdToken::parse(jwt("{}", r#"{"exp":1}"#)).is_ok(),
        "the header is not needed here"
    );
}

#[test]
fn numeric_dates() {
    let table = [
        ("0", 0),
        ("1", 1),
        ("1795003600", 1_795_003_600),
        ("1.7e9", 1_700_000_000),
        ("1795003600.999", 1_795_003_600),
        ("-0.0", 0),
        ("253402300799", 253_402_300_799),
        ("253402300799.9", 253_402_300_799),
    ];
    for (exp, seconds) in table {
        assert_eq!(
            token_with(&format!(r#"{{"exp":{exp}}}"#)).expires_at(),
            at(seconds),
            "{exp}"
        );
        assert_eq!(
            token_with(&format!(r#"{{"exp":1,"iat":{exp}}}"#)).issued_at(),
            Some(at(seconds)),
            "{exp}"
        );
    }
}

#[test]
fn faulty_payloads() {
    let table = [
        (r"{}", Fault::NoExpiry),
        (r#"{"exp":null}"#, Fault::NoExpiry),
        (r#"{"exp":"1795003600"}"#, Fault::ExpiryNotANumber),
        (r#"{"exp":true}"#, Fault::ExpiryNotANumber),
        (r#"{"exp":[1795003600]}"#, Fault::ExpiryNotANumber),
        (r#"{"exp":-1}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":-1.5}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":253402300800}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":1795003600000}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":18446744073709551615}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":18446744073709551616}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":1e300}"#, Fault::ExpiryOutOfRange),
        (r#"{"exp":1e999}"#, Fault::NotAnObject(Part::Payload)),
        (r#"{"exp":NaN}"#, Fault::NotAnObject(Part::Payload)),
        (r#"{"exp":1}x"#, Fault::NotAnObject(Part::Payload)),
        (r#"{"exp":1"#, Fault::NotAnObject(Part::Payload)),
        (r"[]", Fault::NotAnObject(Part::Payload)),
        (r"1", Fault::NotAnObject(Part::Payload)),
        (r#"{"exp":1,"aud":1}"#, Fault::NotAString("aud")),
        (r#"{"exp":1,"aud":["a",1]}"#, Fault::NotAString("aud")),
        (r#"{"exp":1,"iss":1}"#, Fault::NotAString("iss")),
        (r#"{"exp":1,"email":{}}"#, Fault::NotAString("email")),
        (r#"{"exp":1,"sub":[]}"#, Fault::NotAString("sub")),
    ];
    for (payload, fault) in table {
        assert_eq!(fault_of(&jwt(HEADER, payload)), fault, "{payload}");
    }
    let deep = format!(r#"{{"exp":1,"x":{}"#, "[".repeat(5000));
    assert_eq!(
        fault_of(&jwt(HEADER, &deep)),
        Fault::NotAnObject(Part::Payload),
        "deep nesting"
    );
}

#[test]
fn faulty_shapes() {
    let good = jwt(HEADER, FULL);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = head.split_once('.').unwrap();
    let table = [
        (String::new(), Fault::Empty),
        (format!("{good}\n"), Fault::Padded),
        (format!(" {good}"), Fault::Padded),
        ("ya29.access-token".into(), Fault::NotAJwt(2)),
        (head.into(), Fault::NotAJwt(2)),
        (header.into(), Fault::NotAJwt(1)),
        (format!("{good}."), Fault::NotAJwt(4)),
        (
            format!("{header}.{payload}."),
            Fault::EmptyPart(Part::Signature),
        ),
        (
            format!("{header}..{signature}"),
            Fault::EmptyPart(Part::Payload),
        ),
        (
            format!(".{payload}.{signature}"),
            Fault::EmptyPart(Part::Header),
        ),
        (
            format!("{header}.{payload}.c2ln="),
            Fault::NotBase64(Part::Signature),
        ),
        (
            format!("{header}.{payload}.c2/n"),
            Fault::NotBase64(Part::Signature),
        ),
        (
            format!("{header}.{payload}.c2\r\nx"),
            Fault::NotBase64(Part::Signature),
        ),
        (
            format!("{header}.{payload}.c"),
            Fault::NotBase64(Part::Signature),
        ),
        (
            format!("{header}.{payload}.\u{fc}"),
            Fault::NotBase64(Part::Signature),
        ),
        (
            format!("{header}.eyJ+.{signature}"),
            Fault::NotBase64(Part::Payload),
        ),
        (
            format!("{header}.{{}}.{signature}"),
            Fault::NotBase64(Part::Payload),
        ),
        (
            format!("e30=.{payload}.{signature}"),
            Fault::NotBase64(Part::Header),
        ),
        (
            format!("W10.{payload}.{signature}"),
            Fault::NotAnObject(Part::Header),
        ),
        (
            format!("{head}.SIGNATURE_REMOVED_BY_GOOGLE"),
            Fault::SignatureRemoved,
        ),
        ("a".repeat(MAX_LEN), Fault::NotAJwt(1)),
        ("a".repeat(MAX_LEN + 1), Fault::TooLong(MAX_LEN + 1)),
    ];
    for (token, fault) in table {
        assert_eq!(fault_of(&token), fault, "{token}");
    }
    let long = format!("{head}.{}", "c2ln".repeat((MAX_LEN - head.len() - 1) / 4));
    assert!(IdToken::parse(long).is_ok());
}

#[test]
fn every_fault_says_what_to_do_and_none_shows_the_token() {
    let parts = [Part::Header, Part::Payload, Part::Signature];
    let faults = [
        Fault::Empty,
        Fault::TooLong(99_999),
        Fault::Padded,
        Fault::NotAJwt(2),
        Fault::SignatureRemoved,
        Fault::NoExpiry,
        Fault::ExpiryNotANumber,
        Fault::ExpiryOutOfRange,
        Fault::NotAString("aud"),
    ];
    let of_parts = parts.map(|part| {
        [
            Fault::EmptyPart(part),
            Fault::NotBase64(part),
            Fault::NotAnObject(part),
        ]
    });
    for fault in faults.into_iter().chain(of_parts.into_iter().flatten()) {
        let text = IdTokenError::from(fault).to_string();
        assert!(text.starts_with("the ID token"), "{text}");
        assert!(
            text.contains("ask the source")
                || text.contains("trim it")
                || text.contains("let the service"),
            "{text}"
        );
    }
    let error = IdToken::parse("ya29.s3cret").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ID token is not a JWT: it has 2 of the 3 parts between dots; it may be an access token, an encrypted token \
         or an error message: ask the source of the credentials for an ID token for the service's audience"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn debug_is_redacted() {
    let token = token_with(r#"{"exp":1,"email":"me@p.iam","aud":"https://a.run.app"}"#);
    let expected = format!(
        "IdToken {{ email: Some(\"me@p.iam\"), subject: None, issuer: None, audience: [\"https://a.run.app\"], \
         issued_at: None, expires_at: {:?}, token: \"[redacted]\" }}",
        at(1)
    );
    assert_eq!(format!("{token:?}"), expected);
}
