//! Servers that send what they should not, byte by byte: in each case calls end with the right status, in time, and the
//! next connection works.

use crate::echo::{Ask, EchoClient};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tonic_cloud_run::Channel;
use tonic_cloud_run::tonic::{Code, Status};

const LONG: Duration = Duration::from_secs(30);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header without HPACK's tables: name and value as they are.
fn header(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// The head of an answer that is gRPC.
fn head() -> Vec<u8> {
    [vec![0x88], header("content-type", "application/grpc")].concat()
}

/// A message with its prefix: an empty one.
const EMPTY: [u8; 5] = [0; 5];

/// What follows a server's SETTINGS and a request.
type Script = Vec<(Duration, Vec<u8>)>;

/// A server that answers each connection's first request so, on stream 1, and then reads on. Counts its requests.
async fn server(script: Script) -> (EchoClient, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(play(tcp, script.clone(), counted.clone()));
        }
    });
    (client(port), requests)
}

fn client(port: u16) -> EchoClient {
    let channel = Channel::builder(format!("127.0.0.1:{port}"))
        .danger_plaintext_loopback()
        .connect_timeout(Duration::from_secs(2))
        .build();
    EchoClient::on(channel.unwrap())
}

async fn play(mut tcp: TcpStream, script: Script, requests: Arc<AtomicUsize>) -> Option<()> {
    tcp.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    let mut preface = [0; 24];
    tcp.read_exact(&mut preface).await.ok()?;
    let mut script = Some(script);
    loop {
        let mut head = [0; 9];
        tcp.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        tcp.read_exact(&mut payload).await.ok()?;
        if head[3] == HEADERS {
            requests.fetch_add(1, Relaxed);
        }
        // The request's last frame.
        if head[3] == DATA && head[4] & END_STREAM != 0 {
            for (pause, bytes) in script.take()? {
                sleep(pause).await;
                tcp.write_all(&bytes).await.ok()?;
            }
        }
    }
}

fn at_once(bytes: Vec<u8>) -> Script {
    vec![(Duration::ZERO, bytes)]
}

async fn answer(client: &EchoClient) -> Result<(), Status> {
    timeout(LONG, client.unary(Ask::default()))
        .await
        .expect("it must not hang")
        .map(drop)
}

#[tokio::test]
async fn sound_answers_are_understood() {
    let whole = [
        frame(HEADERS, END_HEADERS, 1, &head()),
        frame(DATA, 0, 1, &EMPTY),
        frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &header("grpc-status", "0"),
        ),
    ];
    let (client, _) = server(at_once(whole.concat())).await;
    answer(&client).await.unwrap();
    // Byte by byte, and with a pause before the first.
    let mut slow = vec![(Duration::from_millis(300), Vec::new())];
    slow.extend(
        whole
            .concat()
            .iter()
            .map(|&byte| (Duration::from_millis(1), vec![byte])),
    );
    let (client, _) = server(slow).await;
    answer(&client).await.unwrap();
    // A status in headers alone, and one in headers before an empty frame.
    for (flags, after) in [(END_STREAM, vec![]), (0, frame(DATA, END_STREAM, 1, &[]))] {
        let headers = [
            head(),
            header("grpc-status", "9"),
            header("grpc-message", "not%20now"),
        ]
        .concat();
        let bytes = [frame(HEADERS, END_HEADERS | flags, 1, &headers), after].concat();
        let (client, _) = server(at_once(bytes)).await;
        let status = answer(&client).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::FailedPrecondition, "not now")
        );
    }
}

#[tokio::test]
async fn every_reset_has_its_status_and_only_a_refused_call_is_sent_again() {
    // PROTOCOL-HTTP2.md, "Errors".
    for (reason, code) in [
        (0, Code::Internal),
        (1, Code::Internal),
        (2, Code::Internal),
        (3, Code::Internal),
        (4, Code::Internal),
        (5, Code::Internal),
        (6, Code::Internal),
        (8, Code::Cancelled),
        (9, Code::Internal),
        (10, Code::Internal),
        (11, Code::ResourceExhausted),
        (12, Code::PermissionDenied),
    ] {
        let reset = frame(RST_STREAM, 0, 1, &u32::to_be_bytes(reason));
        let (client, requests) = server(at_once(reset)).await;
        let status = answer(&client).await.unwrap_err();
        assert_eq!(status.code(), code, "{reason}: {status:?}");
        assert!(status.message().contains("127.0.0.1"), "{status:?}");
        assert_eq!(requests.load(Relaxed), 1, "{reason}");
    }
    let refused = frame(RST_STREAM, 0, 1, &7_u32.to_be_bytes());
    let (client, requests) = server(at_once(refused)).await;
    let slow = client.unary_within(Duration::from_secs(1), Ask::default());
    timeout(LONG, slow).await.unwrap().unwrap_err();
    assert!(requests.load(Relaxed) > 1);
}

#[tokio::test]
async fn what_is_no_http2_ends_the_call_and_not_the_channel() {
    let unknown_stream = frame(DATA, 0, 7, &EMPTY);
    let half_of_a_frame = frame(HEADERS, END_HEADERS, 1, &head())[..12].to_vec();
    for (what, bytes) in [
        ("data on a stream that is not open", unknown_stream),
        ("data before headers", frame(DATA, 0, 1, &EMPTY)),
        (
            "a frame above the limit",
            vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1],
        ),
        (
            "headers that are no HPACK",
            frame(HEADERS, END_HEADERS, 1, &[0xff; 40]),
        ),
        (
            "a continuation of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &head()),
        ),
        ("a push", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])),
        ("a ping that is too short", frame(PING, 0, 0, &[1, 2, 3])),
        ("a window of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("settings on a stream", frame(SETTINGS, 0, 1, &[])),
        (
            "windows that overflow",
            frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]).repeat(2),
        ),
        (
            "a goaway that ends the call",
            frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 2]),
        ),
        ("HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("half of a frame, and then nothing", half_of_a_frame),
    ] {
        let (client, requests) = server(at_once(bytes)).await;
        let call = client.unary_within(Duration::from_secs(2), Ask::default());
        let status = timeout(LONG, call).await.expect(what).expect_err(what);
        let expected = [Code::Internal, Code::Unavailable, Code::DeadlineExceeded];
        assert!(expected.contains(&status.code()), "{what}: {status:?}");
        assert!(status.message().contains("127.0.0.1"), "{what}: {status:?}");
        assert_eq!(requests.load(Relaxed), 1, "{what}: it may have run");
    }
}

#[tokio::test]
async fn floods_end_at_the_deadline_at_the_latest() {
    let header_flood = [
        frame(HEADERS, 0, 1, &head()),
        frame(
            CONTINUATION,
            0,
            1,
            &header("x-padding", &"x".repeat(100)).repeat(100),
        )
        .repeat(2000),
    ];
    for (what, bytes) in [
        ("pings", frame(PING, 0, 0, &[0; 8]).repeat(50_000)),
        ("settings", frame(SETTINGS, 0, 0, &[]).repeat(50_000)),
        ("headers without end", header_flood.concat()),
        (
            "empty data",
            [
                frame(HEADERS, END_HEADERS, 1, &head()),
                frame(DATA, 0, 1, &[]).repeat(50_000),
            ]
            .concat(),
        ),
    ] {
        let (client, _) = server(at_once(bytes)).await;
        let call = client.unary_within(Duration::from_secs(2), Ask::default());
        timeout(LONG, call).await.expect(what).expect_err(what);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_taken_for_whole() {
    let headers = frame(HEADERS, END_HEADERS, 1, &head());
    let trailers = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &header("grpc-status", "0"),
    );
    for (what, rest, code) in [
        (
            "in its prefix",
            [frame(DATA, 0, 1, &[0, 0]), trailers.clone()].concat(),
            Code::Internal,
        ),
        (
            "in the message",
            [frame(DATA, 0, 1, &[0, 0, 0, 0, 9, 1]), trailers].concat(),
            Code::Internal,
        ),
        (
            "without a status",
            frame(DATA, END_STREAM, 1, &EMPTY),
            Code::Unknown,
        ),
    ] {
        let (client, _) = server(at_once([headers.clone(), rest].concat())).await;
        let status = answer(&client).await.unwrap_err();
        assert_eq!(status.code(), code, "{what}: {status:?}");
    }
}

#[tokio::test]
async fn what_never_says_settings_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = client(listener.local_addr().unwrap().port());
    let status = answer(&silent).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status
            .message()
            .contains("waiting for the server's HTTP/2 SETTINGS"),
        "{status:?}"
    );

    for (bytes, says) in [
        (&b""[..], "closed the connection"),
        (b"SSH-2.0-OpenSSH_9\r\n", "HTTP/2 handshake failed"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                // All that the client sends is read: what is closed with data unread is reset.
                let mut preface = [0; 200];
                let _ = timeout(Duration::from_millis(50), tcp.read(&mut preface)).await;
                let _ = tcp.write_all(bytes).await;
            }
        });
        let status = answer(&client).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains(says), "{says}: {status:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Frames of any kind and content: the call ends, whatever with.
    #[test]
    fn any_frames_end_the_call_in_time(
        frames in proptest::collection::vec(
            (0_u8..11, any::<u8>(), 0_u32..4, proptest::collection::vec(any::<u8>(), 0..40)),
            1..12,
        ),
    ) {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, _) = server(at_once(bytes)).await;
            let call = client.unary_within(Duration::from_millis(300), Ask::default());
            let _ = timeout(LONG, call).await.expect("it must not hang");
        });
    }
}
