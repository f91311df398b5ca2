use super::*;

/// Splits a table into rows and cells.
fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    table
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("not {N} cells: {line}"))
        })
}

fn error_of(written: &str) -> String {
    match Host::parse(written) {
        Ok(host) => panic!("{written:?} was taken as {host}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn accepts() {
    // written | displayed | name | port | audience
    let table = "
        a.run.app | a.run.app | a.run.app | 443 | https://a.run.app
        a.run.app:443 | a.run.app | a.run.app | 443 | https://a.run.app
        a.run.app:8443 | a.run.app:8443 | a.run.app | 8443 | https://a.run.app
        a.run.app:1 | a.run.app:1 | a.run.app | 1 | https://a.run.app
        a.run.app:65535 | a.run.app:65535 | a.run.app | 65535 | https://a.run.app
        a.run.app:0080 | a.run.app:80 | a.run.app | 80 | https://a.run.app
        https://a.run.app | a.run.app | a.run.app | 443 | https://a.run.app
        https://a.run.app/ | a.run.app | a.run.app | 443 | https://a.run.app
        https://a.run.app:8443 | a.run.app:8443 | a.run.app | 8443 | https://a.run.app
        https://a.run.app:443/ | a.run.app | a.run.app | 443 | https://a.run.app
        HTTPS://A.Run.App | a.run.app | a.run.app | 443 | https://a.run.app
        Books.Example.COM | books.example.com | books.example.com | 443 | https://books.example.com
        books.example.com. | books.example.com | books.example.com | 443 | https://books.example.com
        books.example.com.:99 | books.example.com:99 | books.example.com | 99 | https://books.example.com
        xn--bcher-kva.eu | xn--bcher-kva.eu | xn--bcher-kva.eu | 443 | https://xn--bcher-kva.eu
        bookstore | bookstore | bookstore | 443 | https://bookstore
        http | http | http | 443 | https://http
        3com.example | 3com.example | 3com.example | 443 | https://3com.example
        localhost:8080 | localhost:8080 | localhost | 8080 | https://localhost
        127.0.0.1:8080 | 127.0.0.1:8080 | 127.0.0.1 | 8080 | https://127.0.0.1
        [::1] | [::1] | ::1 | 443 | https://[::1]
        [::1]:8080 | [::1]:8080 | ::1 | 8080 | https://[::1]
        https://[2001:DB8:0::1]:99/ | [2001:db8::1]:99 | 2001:db8::1 | 99 | https://[2001:db8::1]
    ";
    for [written, displayed, name, port, audience] in rows(table) {
        let host = Host::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(host.to_string(), displayed, "{written}");
        assert_eq!(host.authority(), displayed, "{written}");
        assert_eq!(host.as_ref(), displayed, "{written}");
        assert_eq!(host.name(), name, "{written}");
        assert_eq!(host.port().to_string(), port, "{written}");
        assert_eq!(host.audience(), audience, "{written}");
        assert_eq!(written.parse::<Host>().unwrap(), host);
    }
}

#[test]
fn a_traffic_tag_is_no_part_of_the_audience() {
    let table = "
        canary---books-7x2kq-uc.a.run.app | https://books-7x2kq-uc.a.run.app
        https://canary---books-7x2kq-uc.a.run.app:8443/ | https://books-7x2kq-uc.a.run.app
        Canary---books-123456.us-central1.run.app | https://books-123456.us-central1.run.app
        a-b---c--d-uc.a.run.app | https://c--d-uc.a.run.app
        a---b---books-7x2kq-uc.a.run.app | https://books-7x2kq-uc.a.run.app
        a----books-7x2kq-uc.a.run.app | https://books-7x2kq-uc.a.run.app
        canary---books-7x2kq-uc.a.run.app. | https://books-7x2kq-uc.a.run.app
        a--books.a.run.app | https://a--books.a.run.app
    ";
    let without_a_tag = "
        books.canary---x.run.app | https://books.canary---x.run.app
        canary---books.example.com | https://canary---books.example.com
        canary---run.app | https://canary---run.app
        canary---books.run.app.example.com | https://canary---books.run.app.example.com
    ";
    for [written, audience] in rows(table).chain(rows(without_a_tag)) {
        assert_eq!(
            Host::parse(written).unwrap().audience(),
            audience,
            "{written}"
        );
    }
    let tagged = Host::parse("canary---books-7x2kq-uc.a.run.app").unwrap();
    assert_eq!(
        tagged.name(),
        "canary---books-7x2kq-uc.a.run.app",
        "the tag chooses the revision"
    );
}

#[test]
fn rejects_with_a_text_that_helps() {
    // written | what is wrong with it | what to write instead, where that can be told
    let table = r"
        http://a.run.app/ | starts with http://, but ID tokens travel over TLS only | a.run.app
        HTTP://a.run.app:80 | starts with http://, but ID tokens travel over TLS only | a.run.app:80
        grpc://a.run.app:99 | has a scheme other than https | a.run.app:99
        dns:///a.run.app | has a scheme other than https | a.run.app
        https:// | has no name in it |
        https:/// | has no name in it |
        :443 | has no name in it |
        a.run.app/ | has a path, and gRPC sets the path of each call itself | a.run.app
        https://a.run.app/v1 | has a path, and gRPC sets the path of each call itself | a.run.app
        https://a.eu:99// | has a path, and gRPC sets the path of each call itself | a.eu:99
        https://https://a | has a path, and gRPC sets the path of each call itself |
        a.run.app: | has a colon but no port after it | a.run.app
        a.run.app:http | has a port that is not a number | a.run.app
        a.run.app:+443 | has a port that is not a number | a.run.app
        a:b:c | has a port that is not a number | a
        ::1 | is an IPv6 address without brackets | [::1]
        *.a.run.app | contains a wildcard (*), and a call goes to one host |
        my_books.local | contains an underscore, which host names cannot have |
        a%20b | contains '%', and host names have only a-z, 0-9, '-' and '.' |
        a,b | contains ',', and host names have only a-z, 0-9, '-' and '.' |
        a\b | contains '\\', and host names have only a-z, 0-9, '-' and '.' |
        a..b | has nothing between two dots, or a dot at its start |
        .a | has nothing between two dots, or a dot at its start |
        . | has nothing between two dots, or a dot at its start |
        a.run.app.. | has nothing between two dots, or a dot at its start |
        -a.run.app | has the part '-a', which starts or ends with a hyphen |
        x---.a.run.app | has the part 'x---', which starts or ends with a hyphen |
    ";
    let blank = [
        [" ", "has white space around it", ""],
        [" a.run.app", "has white space around it", "a.run.app"],
        ["a.run.app\n", "has white space around it", "a.run.app"],
        [
            "a b",
            "contains ' ', and a host has no white space or control characters",
            "",
        ],
        [
            "a\0b",
            "contains '\\0', and a host has no white space or control characters",
            "",
        ],
        [
            "a\u{a0}b",
            "contains '\\u{a0}', and a host has no white space or control characters",
            "",
        ],
    ];
    for [written, fault, instead] in rows(table).chain(blank) {
        let instead = match instead {
            "" => "the service's host name alone, such as \"bookstore-7x2kq-uc.a.run.app\"".into(),
            host => format!("{host:?}"),
        };
        assert_eq!(
            error_of(written),
            format!("the host {written:?} {fault}: write {instead}")
        );
    }
}

#[test]
fn rejects_with_a_text_of_its_own() {
    const RANGE: &str = "has a port out of range: write one from 1 to 65535, or none for 443";
    const IPV4: &str = "ends in a number but is not an IPv4 address: write four numbers from 0 to 255 without \
        leading zeros, such as \"127.0.0.1\", or the service's host name";
    const IPV6: &str = "has brackets around something that is not an IPv6 address: write an address without a \
        zone, such as \"[::1]\" or \"[::1]:8080\"";
    const ASCII: &str = "which is not ASCII: write an international name in its ASCII form (punycode), such as \
        \"xn--bcher-kva.example\" for \"bücher.example\"";
    let table = [
        ("a.run.app:0", RANGE),
        ("a.run.app:65536", RANGE),
        ("a.run.app:99999999999999999999", RANGE),
        ("256.0.0.1", IPV4),
        ("127.1", IPV4),
        ("127.0.0.01", IPV4),
        ("2130706433", IPV4),
        ("127.0.0.0x1", IPV4),
        ("[::1", IPV6),
        ("[::1]x", IPV6),
        ("[fe80::1%eth0]", IPV6),
        ("[127.0.0.1]", IPV6),
        ("bücher.example", &format!("contains 'ü', {ASCII}")),
        ("\u{202e}a.eu", &format!("contains '\\u{{202e}}', {ASCII}")),
    ];
    for (written, fault) in table {
        assert_eq!(error_of(written), format!("the host {written:?} {fault}"));
    }
    assert_eq!(
        error_of(""),
        "the host is empty: write the service's host name, such as \"bookstore-7x2kq-uc.a.run.app\""
    );
    assert_eq!(
        error_of("http://localhost:8080"),
        "the host \"http://localhost:8080\" starts with http://, but ID tokens travel over TLS only: write \
         \"localhost:8080\", and for a server without TLS on this machine build the channel with \
         danger_plaintext_loopback()"
    );
}

#[test]
fn user_information_queries_and_fragments_are_not_shown() {
    // written | shown | what is wrong with it | what to write instead
    let table = "
        https://me:pw@a.eu:99/ | https://…@a.eu:99/ | has user information before an @, which Cloud Run does not use | a.eu:99
        me@a.eu/x?y | …@a.eu/x?… | has user information before an @, which Cloud Run does not use | a.eu
        a.eu?key=pw | a.eu?… | has a query, and gRPC calls have none | a.eu
        https://a.eu/?key=pw#top | https://a.eu/?… | has a query, and gRPC calls have none | a.eu
        a.eu#top | a.eu#… | has a fragment (#), which is not part of a host | a.eu
    ";
    for [written, shown, fault, instead] in rows(table) {
        assert_eq!(
            error_of(written),
            format!("the host {shown:?} {fault}: write {instead:?}")
        );
    }
    for written in [
        "https://me:hunter2@a.run.app",
        "me:hunter2@a.run.app/x?y#z",
        "me:x/hunter2@a.run.app",
        "me:x?hunter2@a.run.app",
        "me:x://hunter2@a.run.app",
        "hunter2/x@a.run.app",
        "http://me:hunter2@a.run.app",
        "grpc://hunter2@a.run.app",
        " https://hunter2@a.run.app",
        "https://a.run.app/?key=hunter2",
        "https://a.run.app#hunter2",
        "me:hunter2 @a.run.app",
    ] {
        let error = Host::parse(written).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[test]
fn lengths_at_their_edges() {
    let label = "a".repeat(63);
    assert!(Host::parse(&label).is_ok());
    let error = error_of(&format!("{label}a.example"));
    assert!(
        error.contains("has a part of 64 characters between dots, and DNS allows 63"),
        "{error}"
    );

    let name = [&label[..61], &label, &label, &label].join(".");
    assert_eq!(name.len(), 253);
    assert!(Host::parse(&name).is_ok());
    assert!(
        Host::parse(&format!("{name}.")).is_ok(),
        "the dot at the end does not count"
    );
    let error = error_of(&format!("a{name}"));
    assert!(
        error.contains("has a name of 254 characters, and DNS allows 253"),
        "{error}"
    );
}

#[test]
fn a_huge_text_is_cut_off() {
    let error = error_of(&"ab_".repeat(1_000_000));
    assert!(error.starts_with("the host \"ab_ab_"), "{error}");
    assert!(error.contains("ab_a…\" contains an underscore"), "{error}");
    assert!(error.len() < 300, "{error}");
    let error = error_of(&format!("-{}", "a".repeat(1_000_000)));
    assert!(error.len() < 500, "{error}");
}

#[test]
fn loopback() {
    let here =
        "localhost LOCALHOST:1 localhost. books.localhost 127.0.0.1 127.255.255.254:1 [::1]:80";
    for written in here.split(' ') {
        assert!(Host::parse(written).unwrap().is_loopback(), "{written}");
    }
    let elsewhere = "localhost.example mylocalhost 128.0.0.1 0.0.0.0 [::] [::2] 127.0.0.1.example";
    for written in elsewhere.split(' ') {
        assert!(!Host::parse(written).unwrap().is_loopback(), "{written}");
    }
}

#[test]
fn spellings_of_one_host_are_equal() {
    assert_eq!(
        Host::parse("HTTPS://A.run.app:443/"),
        Host::parse("a.run.app.")
    );
    assert_ne!(Host::parse("a.run.app:444"), Host::parse("a.run.app"));
}
