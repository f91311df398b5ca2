//! What metadata servers do, and that calls survive it. google-cloud-auth's own measured faults among it.

use crate::echo::{Ask, Echo, EchoClient};
use crate::fake;
use std::time::Duration;
use tonic_cloud_run::testing::{Denial, FakeCloudRun, MetadataFault};
use tonic_cloud_run::tonic::{Code, Status};
use tonic_cloud_run::{Error, ErrorKind};

async fn call(client: &EchoClient) -> Result<(), Status> {
    client.unary(Ask::default()).await.map(drop)
}

/// Calls until one succeeds, as far as the back-off lets them.
async fn recovers(client: &EchoClient) {
    for _ in 0..100 {
        if call(client).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no call succeeded after the fault was gone");
}

#[tokio::test]
async fn calls_go_on_over_several_refreshes() {
    let fake = FakeCloudRun::builder()
        .token_lifetime(Duration::from_secs(2))
        .start(Echo)
        .await
        .unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    while fake.metadata().tokens_minted() < 4 {
        call(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fake.front().calls_denied(), 0);
}

#[tokio::test]
async fn many_first_calls_cost_one_token_and_one_connection() {
    let fake = fake().await;
    fake.metadata().set_delay(Duration::from_millis(200));
    let client = EchoClient::on(fake.channel().unwrap());
    let calls: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { call(&client).await }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(fake.metadata().requests(), 1);
    assert_eq!(fake.front().connections_opened(), 1);
}

#[tokio::test]
async fn channels_of_the_same_credentials_share_a_token() {
    let fake = fake().await;
    for _ in 0..5 {
        call(&EchoClient::on(fake.channel().unwrap()))
            .await
            .unwrap();
    }
    assert_eq!(fake.metadata().tokens_minted(), 1);
}

/// A metadata server that is just starting answers so; the first call waits it out.
#[tokio::test]
async fn passing_faults_cost_no_call() {
    for fault in [
        MetadataFault::Status(404),
        MetadataFault::Status(429),
        MetadataFault::Status(500),
        MetadataFault::Status(503),
        MetadataFault::Disconnect,
    ] {
        let fake = fake().await;
        fake.metadata().fail_next(2, fault.clone());
        let client = EchoClient::on(fake.channel().unwrap());
        call(&client)
            .await
            .unwrap_or_else(|status| panic!("{fault}: {status:?}"));
        assert_eq!(fake.metadata().requests(), 3, "{fault}");
    }
}

#[tokio::test]
async fn a_metadata_server_that_is_not_up_yet_costs_no_call() {
    let fake = fake().await;
    fake.metadata().refuse_connections().unwrap();
    let client = EchoClient::on(fake.channel().unwrap());
    let first = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    fake.metadata().accept_connections().unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn lasting_faults_are_told_and_then_forgotten() {
    for (fault, code, says) in [
        (MetadataFault::Status(503), Code::Unavailable, "503"),
        (MetadataFault::Status(400), Code::Unauthenticated, "400"),
        (MetadataFault::Status(403), Code::Unauthenticated, "403"),
        (MetadataFault::Garbage, Code::Unauthenticated, "JWT"),
        (
            MetadataFault::Body(String::new()),
            Code::Unauthenticated,
            "JWT",
        ),
        (MetadataFault::NoExpiry, Code::Unauthenticated, "exp"),
        (
            MetadataFault::Expired,
            Code::Unauthenticated,
            "expired already",
        ),
    ] {
        let fake = fake().await;
        fake.metadata().set_fault(fault.clone());
        let client = EchoClient::on(fake.channel().unwrap());
        let status = call(&client).await.unwrap_err();
        assert_eq!(status.code(), code, "{fault}: {status:?}");
        assert!(status.message().contains(says), "{fault}: {status:?}");
        assert!(
            status.message().contains(fake.audience()),
            "{fault}: {status:?}"
        );
        let error = Error::from_status(&status).unwrap();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{fault}");
        assert_eq!(error.host(), Some(fake.host()), "{fault}");
        assert_eq!(error.audience(), Some(fake.audience()), "{fault}");
        fake.metadata().clear_faults();
        recovers(&client).await;
    }
}

/// With a token in hand no fault of the metadata server is felt until that token ends.
#[tokio::test]
async fn a_good_token_outlives_every_fault_of_its_source() {
    for fault in [
        MetadataFault::Status(404),
        MetadataFault::Status(503),
        MetadataFault::Hang,
        MetadataFault::Garbage,
        MetadataFault::NoExpiry,
        MetadataFault::Expired,
    ] {
        // Good for 4 s by A83's rules for short lives, 1 s of which is for refreshing.
        let fake = FakeCloudRun::builder()
            .token_lifetime(Duration::from_secs(5))
            .start(Echo)
            .await
            .unwrap();
        let client = EchoClient::on(fake.channel().unwrap());
        call(&client).await.unwrap();
        let before = fake.metadata().requests();
        fake.metadata().fail_next(1, fault.clone());
        while fake.metadata().requests() == before {
            call(&client)
                .await
                .unwrap_or_else(|status| panic!("{fault}: {status:?}"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The refresh is failing right now.
        call(&client)
            .await
            .unwrap_or_else(|status| panic!("{fault}: {status:?}"));
    }
}

#[tokio::test]
async fn a_metadata_server_that_hangs_holds_no_call_past_its_deadline() {
    let fake = fake().await;
    fake.metadata().set_fault(MetadataFault::Hang);
    let client = EchoClient::on(fake.channel().unwrap());
    let status = client
        .unary_within(Duration::from_millis(300), Ask::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(
        status.message().contains("waiting for an ID token"),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_within_the_same_call() {
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    fake.metadata().fail_next(1, MetadataFault::WrongSignature);
    call(&client).await.unwrap();
    assert_eq!(fake.front().calls_denied_for(Denial::BadSignature), 1);
    assert_eq!(fake.metadata().tokens_minted(), 2);
}

#[tokio::test]
async fn a_stream_is_sent_again_from_its_beginning_when_its_token_is_refused() {
    use tokio_stream::StreamExt as _;
    let fake = fake().await;
    let client = EchoClient::on(fake.channel().unwrap());
    fake.metadata().fail_next(1, MetadataFault::WrongSignature);
    let asks = tokio_stream::iter(["a", "b", "c"]).map(Ask::text);
    assert_eq!(client.client_stream(asks).await.unwrap().text, "abc");
    assert_eq!(fake.front().calls_denied(), 1);
}

#[tokio::test]
async fn where_every_token_is_refused_the_metadata_server_is_left_alone() {
    let fake = fake().await;
    let channel = fake
        .channel_builder()
        .audience("https://somebody-else.example.com")
        .build()
        .unwrap();
    let client = EchoClient::on(channel);
    for _ in 0..50 {
        assert_eq!(
            call(&client).await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    let minted = fake.metadata().tokens_minted();
    assert!(minted <= 6, "{minted} tokens for 50 refused calls");
}

#[tokio::test]
async fn a_token_for_another_audience_is_named() {
    let fake = fake().await;
    fake.metadata().set_fault(MetadataFault::WrongAudience);
    let status = call(&EchoClient::on(fake.channel().unwrap()))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(
        status
            .message()
            .contains("https://wrong-audience.example.com"),
        "{status:?}"
    );
}

#[tokio::test]
async fn an_answer_that_ends_with_a_newline_is_a_token_still() {
    let fake = fake().await;
    fake.metadata()
        .set_fault(MetadataFault::Body(format!("{}\n", fake.token())));
    call(&EchoClient::on(fake.channel().unwrap()))
        .await
        .unwrap();
}

/// google-cloud-auth repeats what a server said, and a server may say a token.
#[tokio::test]
async fn a_token_in_a_server_s_words_is_not_repeated() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let fake = fake().await;
    let token = fake.token();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = format!("denied: {token}");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let length = said.len();
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{said}"
            );
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    let home = tempfile::tempdir().unwrap();
    let told = tokio::task::spawn_blocking(move || {
        crate::application_default::call_with(
            &fake,
            home.path(),
            &[("GCE_METADATA_HOST", &address)],
        )
    });
    let told = told.await.unwrap();
    assert!(
        told.contains("403") && told.contains("denied: [redacted]"),
        "{told}"
    );
    assert!(token.split('.').all(|part| !told.contains(part)), "{told}");
}
