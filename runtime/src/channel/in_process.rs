//! A tonic server in the same process: calls without a network.

use http_body::Body as HttpBody;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::StdError;
use tower_service::Service;

type Response = Result<http::Response<Body>, Status>;

/// A service with its type erased.
#[derive(Clone)]
pub(crate) struct InProcess(Arc<dyn Serve>);

trait Serve: Send + Sync {
    fn serve(&self, request: http::Request<Body>)
    -> Pin<Box<dyn Future<Output = Response> + Send>>;
}

struct Shared<S>(S);

impl<S, B> Serve for Shared<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<StdError>,
    S::Future: Send,
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    fn serve(
        &self,
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            let failed = |error: S::Error| Status::from_error(error.into());
            std::future::poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(failed)?;
            Ok(service.call(request).await.map_err(failed)?.map(Body::new))
        })
    }
}

impl InProcess {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<StdError>,
        S::Future: Send,
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        Self(Arc::new(Shared(service)))
    }

    pub(crate) async fn call(&self, request: http::Request<Body>) -> Response {
        self.0.serve(request).await
    }
}
