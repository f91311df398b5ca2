//! Any text is a host or an error, and what is taken as a host keeps its promises.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tonic_cloud_run::Host;

fuzz_target!(|text: &str| {
    match Host::parse(text) {
        Ok(host) => check(text, &host),
        // Cut off, whatever the text's length: 100 characters, escaped, and the advice.
        Err(error) => assert!(error.to_string().len() < 3000, "{error}"),
    }
});

fn check(text: &str, host: &Host) {
    let read = |text: &str| Host::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        &read(host.authority()),
        host,
        "its text reads back as itself"
    );
    assert_eq!(
        &read(&format!("https://{host}/")),
        host,
        "and so does its URL"
    );
    assert_eq!(&read(&text.to_ascii_uppercase()), host, "in upper case too");

    assert_ne!(host.port(), 0);
    assert!(host.name().len() <= 253);
    assert!(
        host.name()
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b))
    );

    let audience = host.audience();
    let of_audience = read(&audience);
    assert_eq!(of_audience.port(), 443, "an audience has no port");
    assert_eq!(
        of_audience.audience(),
        audience,
        "an audience is its own host's audience"
    );
    let first_label = audience.split('.').next().unwrap_or_default();
    assert!(
        !host.name().ends_with(".run.app") || !first_label.contains("---"),
        "an audience has no traffic tag"
    );
}
