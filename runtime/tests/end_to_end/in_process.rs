//! Calls without a network.

use crate::echo::{Ask, Echo, EchoClient};
use tokio_stream::StreamExt as _;
use tonic_cloud_run::Channel;
use tonic_cloud_run::tonic::Code;
use tonic_cloud_run::tonic::codegen::Bytes;

#[tokio::test]
async fn all_four_kinds_of_call() {
    let client = EchoClient::on(Channel::in_process(Echo));
    assert_eq!(client.unary(Ask::text("a")).await.unwrap().text, "a");
    let ask = Ask {
        times: 2,
        ..Ask::text("b")
    };
    assert_eq!(
        client
            .server_stream(ask)
            .await
            .unwrap()
            .collect::<Vec<_>>()
            .await
            .len(),
        2
    );
    let asks = tokio_stream::iter(["c", "d"]).map(Ask::text);
    assert_eq!(client.client_stream(asks).await.unwrap().text, "cd");
    let asks = tokio_stream::iter(["e", "f"]).map(Ask::text);
    let answers: Vec<_> = client
        .bidi(asks)
        .await
        .unwrap()
        .map(|told| told.unwrap().text)
        .collect()
        .await;
    assert_eq!(answers, ["e", "f"]);
    let status = client
        .unary(Ask {
            code: 5,
            ..Ask::default()
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_service_that_is_no_grpc_server_is_named_as_such() {
    let html =
        tower_service_fn(|_| http::Response::new(http_body_util::Full::new(Bytes::from("<html>"))));
    let status = EchoClient::on(Channel::in_process(html))
        .unary(Ask::default())
        .await
        .unwrap_err();
    assert_ne!(status.code(), Code::Ok, "{status:?}");
}

/// A service from a function.
fn tower_service_fn<B>(
    answer: impl Fn(http::Request<tonic_cloud_run::tonic::body::Body>) -> http::Response<B>
    + Clone
    + Send
    + Sync
    + 'static,
) -> impl tonic_cloud_run::tonic::codegen::Service<
    http::Request<tonic_cloud_run::tonic::body::Body>,
    Response = http::Response<B>,
    Error = std::convert::Infallible,
    Future = std::future::Ready<Result<http::Response<B>, std::convert::Infallible>>,
> + Clone
+ Send
+ Sync {
    #[derive(Clone)]
    struct Answering<F>(F);
    impl<F, R, B> tonic_cloud_run::tonic::codegen::Service<http::Request<R>> for Answering<F>
    where
        F: Fn(http::Request<R>) -> http::Response<B>,
    {
        type Response = http::Response<B>;
        type Error = std::convert::Infallible;
        type Future = std::future::Ready<Result<http::Response<B>, std::convert::Infallible>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, request: http::Request<R>) -> Self::Future {
            std::future::ready(Ok((self.0)(request)))
        }
    }
    Answering(answer)
}
