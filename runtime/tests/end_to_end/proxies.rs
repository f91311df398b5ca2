//! Calls through a forward proxy, as a program's environment sets it: each case is a process of its own.

use crate::application_default::{ADDRESS, TIMEOUT, call_with};
use crate::fake;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tonic_cloud_run::testing::FakeCloudRun;

/// A CONNECT proxy to one server, whatever it is asked for. Gives its port, and what it is asked.
async fn proxy(to: SocketAddr, answer: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(String::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            log.lock().unwrap().push_str(str::from_utf8(&head).unwrap());
            near.write_all(answer.as_bytes()).await.unwrap();
            if answer.contains(" 200 ") {
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        }
    });
    (port, asked)
}

/// What a call comes to in a process with these variables. The host's name leads nowhere: there is no other way.
fn call(fake: &FakeCloudRun, variables: &[(&str, String)]) -> String {
    let home = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let mut all: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        all.push((ADDRESS, ""));
        call_with(fake, home.path(), &all)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_through_the_proxy_and_its_token_only_inside_of_tls() {
    let fake = fake().await;
    let (port, asked) = proxy(fake.address(), "HTTP/1.1 200 Tunnel\r\n\r\n").await;
    let url = format!("http://someone:pass%20word@127.0.0.1:{port}");
    let outcome = call(&fake, &[("HTTPS_PROXY", url)]);
    assert_eq!(outcome, "OK: called");
    let asked = asked.lock().unwrap().clone();
    let target = format!("CONNECT {}:443 HTTP/1.1\r\n", fake.host());
    assert!(asked.starts_with(&target), "{asked}");
    // someone:pass word
    assert!(
        asked.contains("Proxy-Authorization: Basic c29tZW9uZTpwYXNzIHdvcmQ=\r\n"),
        "{asked}"
    );
    assert!(!asked.contains("Bearer"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_is_told_without_its_password() {
    let fake = fake().await;
    for (answer, says) in [
        (
            "HTTP/1.1 403 Not you\r\n\r\n",
            "it refused the tunnel: HTTP/1.1 403 Not you",
        ),
        (
            "HTTP/1.1 407 Who are you\r\n\r\n",
            "http://USER:PASSWORD@HOST:PORT",
        ),
        (
            "220 mail.example ESMTP\r\n\r\n",
            "it did not answer in HTTP",
        ),
    ] {
        let (port, _) = proxy(fake.address(), answer).await;
        let url = format!("http://me:hunter2@127.0.0.1:{port}");
        let outcome = call(&fake, &[("HTTPS_PROXY", url)]);
        assert!(
            outcome.starts_with("FAILED: Unavailable Some(Connect)"),
            "{outcome}"
        );
        for part in [says, fake.host(), &format!("the proxy 127.0.0.1:{port}")] {
            assert!(outcome.contains(part), "{part}: {outcome}");
        }
        assert!(!outcome.contains("hunter2"), "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_another_kind_is_told() {
    let fake = fake().await;
    let outcome = call(&fake, &[("ALL_PROXY", "socks5://127.0.0.1:1".to_owned())]);
    assert!(
        outcome.contains("proxies of the kind socks5:// are not supported"),
        "{outcome}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_may_be_excepted() {
    let fake = fake().await;
    let (port, asked) = proxy(fake.address(), "HTTP/1.1 200 Tunnel\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{port}");
    let domain = fake.host().split_once('.').unwrap().1.to_owned();
    let outcome = call(&fake, &[("HTTPS_PROXY", url), ("NO_PROXY", domain)]);
    assert!(outcome.starts_with("FAILED: Unavailable"), "{outcome}");
    assert_eq!(*asked.lock().unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_never_answers_or_is_not_there_is_told() {
    let fake = fake().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let url = format!("http://me:hunter2@{at}");
    let outcome = call(
        &fake,
        &[("https_proxy", url.clone()), (TIMEOUT, "1".to_owned())],
    );
    let waited = format!("not connected within 1s, waiting for the proxy {at};");
    assert!(outcome.contains(&waited), "{outcome}");
    assert!(!outcome.contains("hunter2"), "{outcome}");
    drop(silent);
    let outcome = call(&fake, &[("https_proxy", url)]);
    assert!(outcome.contains("it cannot be reached"), "{outcome}");
    assert!(!outcome.contains("hunter2"), "{outcome}");
}
