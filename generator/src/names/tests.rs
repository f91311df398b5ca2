use super::*;
use proptest::prelude::*;

#[test]
fn cases_and_keywords() {
    for (name, expected) in [
        ("GetBook", "get_book"),
        ("getBook", "get_book"),
        ("HTTPGet", "http_get"),
        ("Type", "r#type"),
        ("Gen", "r#gen"),
        ("Self", "self_"),
        ("Crate", "crate_"),
        ("_1st", "_1st"),
        ("_", "rpc"),
    ] {
        assert_eq!(rpc(name), expected, "of {name}");
    }
    for (name, expected) in [
        ("book_shelf", "BookShelf"),
        ("Self", "Self"),
        ("_1st", "_1st"),
        ("__", "Service"),
    ] {
        assert_eq!(upper_camel_stem(name, "Service"), expected, "of {name}");
    }
    assert_eq!(upper_camel("self"), "Self_");
    assert_eq!(snake("type"), "r#type");
}

#[test]
fn enum_values_lose_the_name_of_their_enum() {
    for (value, strip, expected) in [
        ("COLOR_RED", true, "Red"),
        ("COLOR_RED", false, "ColorRed"),
        ("COLOR", true, "Color"),
        ("COLORED", true, "Colored"),
        ("COLOR_1", true, "Color1"),
        ("COLOR_SELF", true, "Self_"),
        ("GREEN", true, "Green"),
    ] {
        assert_eq!(enum_variant("Color", value, strip), expected, "of {value}");
    }
}

#[test]
fn the_first_keeps_its_name() {
    let wanted = [
        "get", "get", "get_2", "get", "r#type", "r#type", "new_", "new_",
    ]
    .map(str::to_owned);
    let free = BTreeSet::new();
    assert_eq!(
        unique(&wanted, &free),
        [
            "get", "get_3", "get_2", "get_4", "r#type", "type_2", "new_", "new_2"
        ]
    );
    let taken = BTreeSet::from(["get".to_owned(), "get_4".to_owned()]);
    assert_eq!(
        unique(&wanted[..4], &taken),
        ["get_3", "get_5", "get_2", "get_6"]
    );
}

#[test]
fn names_that_servers_use_are_not_taken() {
    let rpcs = ["Get".to_owned()];
    assert_eq!(server_trait("Bookstore", &rpcs), "Bookstore");
    assert_eq!(server_trait("Option", &rpcs), "OptionService");
    assert_eq!(server_trait("GetSvc", &rpcs), "GetSvcService");
    assert_eq!(server_trait("Self", &rpcs), "SelfService");
}

/// Short names of few letters collide often; words of Rust and of clients turn up too.
fn proto_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-cA-C_][a-cA-C0-2_]{0,5}",
        "[a-zA-Z_][a-zA-Z0-9_]{0,20}",
        proptest::sample::select(RAW).prop_map(str::to_owned),
        proptest::sample::select(NEVER).prop_map(str::to_owned),
        proptest::sample::select(CLIENT_METHODS).prop_map(upper_camel),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn methods_have_names_of_their_own(rpcs in prop::collection::vec(proto_name(), 1..30)) {
        let wanted: Vec<String> = rpcs.iter().map(|name| rpc(name)).collect();
        let server = unique(&wanted, &BTreeSet::new());
        let wanted: Vec<String> = server.iter().map(|name| client_method(name)).collect();
        let client = unique(&wanted, &BTreeSet::new());
        for names in [&server, &client] {
            let distinct: BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(distinct.len(), rpcs.len());
            for name in names {
                prop_assert!(is_identifier(name), "{} is no identifier", name);
            }
        }
        for name in &client {
            prop_assert!(!CLIENT_METHODS.contains(&name.as_str()), "{} is taken", name);
        }
    }

    #[test]
    fn names_do_not_depend_on_what_comes_later(rpcs in prop::collection::vec(proto_name(), 2..20)) {
        let wanted: Vec<String> = rpcs.iter().map(|name| rpc(name)).collect();
        let all = unique(&wanted, &BTreeSet::new());
        for (index, name) in wanted.iter().enumerate() {
            if !wanted[..index].contains(name) {
                prop_assert_eq!(&all[index], name);
            }
        }
    }

    #[test]
    fn services_have_types_and_modules(name in proto_name()) {
        let stem = upper_camel_stem(&name, "Service");
        let module = snake_stem(&stem);
        for made in [format!("{stem}Client"), format!("{module}_client"), server_trait(&stem, &[])] {
            prop_assert!(is_identifier(&made), "{} is no identifier", made);
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let plain = name.strip_prefix("r#").unwrap_or(name);
    let keyword = RAW.contains(&plain) || NEVER.contains(&plain);
    let is_raw = plain.len() < name.len();
    keyword == is_raw
        && !NEVER.contains(&plain)
        && (is_raw || syn::parse_str::<syn::Ident>(name).is_ok())
        && ident(name) == *name
}
