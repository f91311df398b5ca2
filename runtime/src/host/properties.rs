//! What holds for every text.

use super::*;
use proptest::prelude::*;

/// Texts that come near to a host, so that many are accepted.
fn near_hosts() -> impl Strategy<Value = String> {
    const LABEL: &str = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?";
    const TAIL: &str = r"(\.a\.run\.app|\.RUN\.APP\.|\.example)?";
    let name = format!(r"({LABEL}---)?{LABEL}(\.{LABEL}){{0,3}}{TAIL}");
    let name = prop_oneof![
        8 => proptest::string::string_regex(&name).unwrap(),
        1 => any::<Ipv4Addr>().prop_map(|ip| ip.to_string()),
        1 => any::<Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
    ];
    ("(https://|HTTPS://)?", name, "(:[0-9]{1,5})?", "/?")
        .prop_map(|(scheme, name, port, end)| scheme + &name + &port + &end)
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn near_hosts_are_judged_without_a_panic(text in near_hosts()) {
        check(&text)?;
    }

    #[test]
    fn texts_of_the_characters_that_matter(text in "[a0A.:/@?#%\\[\\] _*\u{fc}-]{0,24}") {
        check(&text)?;
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let host = match Host::parse(text) {
        Ok(host) => host,
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            return Ok(());
        }
    };
    prop_assert_eq!(&Host::parse(&format!("{host}")).unwrap(), &host);
    prop_assert_eq!(&Host::parse(&format!("https://{host}/")).unwrap(), &host);
    prop_assert!(host.port() != 0);
    let audience = host.audience();
    let of_audience = Host::parse(&audience).unwrap();
    prop_assert_eq!(of_audience.port(), 443);
    prop_assert_eq!(
        &of_audience.audience(),
        &audience,
        "an audience is its own host's audience"
    );
    let name = audience.strip_prefix("https://").unwrap();
    prop_assert!(!name.contains('/') && !name.contains(char::is_uppercase));
    prop_assert!(name.starts_with('[') || !name.contains(':'));
    if name.ends_with(".run.app") {
        prop_assert!(!name.split('.').next().unwrap().contains("---"));
    }
    Ok(())
}
