//! Whatever a server sends in answer to a call, the call ends: with a message or a status, and in time.
//!
//! The bytes go over a socket to a channel, behind sound SETTINGS, when the request is there: through HTTP/2, HPACK, gRPC's
//! framing and status, and the message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tonic_cloud_run::Channel;
use tonic_cloud_run::codegen::{Client, Method};
use tonic_cloud_run::tonic::{Request, Response, Status};

static CALL: Method = Method::new("fuzz.Fuzz", "Call", "/fuzz.Fuzz/Call");

const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_all().build().expect("a runtime"),
    );
}

fuzz_target!(|data: &[u8]| {
    RUNTIME.with_borrow(|runtime| runtime.block_on(answered(data)));
});

async fn answered(data: &[u8]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let channel = Channel::builder(address.to_string())
        .danger_plaintext_loopback()
        .build()
        .expect("a channel");
    let mut request = Request::new(vec![7; 3]);
    request.set_timeout(Duration::from_millis(200));
    let client = Client::from_channel(channel);
    let call = client.unary(&CALL, request);
    let server = async {
        loop {
            if let Ok((tcp, _)) = listener.accept().await {
                let _ = answer(tcp, data).await;
            }
        }
    };
    let outcome: Result<Response<Vec<u8>>, Status> = tokio::select! {
        outcome = tokio::time::timeout(Duration::from_secs(5), call) => outcome.expect("it must not hang"),
        () = server => return,
    };
    if let Err(status) = outcome {
        assert_ne!(status.code(), tonic_cloud_run::tonic::Code::Ok);
    }
}

/// Answers the first request with these bytes, and closes.
async fn answer(mut tcp: TcpStream, data: &[u8]) -> std::io::Result<()> {
    tcp.write_all(&SETTINGS).await?;
    tcp.read_exact(&mut [0; 24]).await?;
    loop {
        let mut head = [0; 9];
        tcp.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        tcp.read_exact(&mut vec![0; length as usize]).await?;
        // The request's last frame: DATA with END_STREAM.
        if head[3] == 0 && head[4] & 1 != 0 {
            return tcp.write_all(data).await;
        }
    }
}
