//! A service that keeps what reaches it, as a container would see it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tower_service::Service;

/// Answers every call with a gRPC OK without a message.
#[derive(Clone, Default)]
pub(crate) struct Container {
    seen: Arc<Mutex<Vec<Parts>>>,
}

impl Container {
    /// How many calls came through.
    pub(crate) fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// A header of the last call.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let value = seen.last()?.headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }
}

impl Service<Request<Body>> for Container {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.seen.lock().unwrap().push(request.into_parts().0);
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        ready(Ok(response))
    }
}

/// A container that breaks every connection off.
#[derive(Clone)]
pub(crate) struct Broken;

impl Service<Request<Body>> for Broken {
    type Response = Response<Body>;
    type Error = std::io::Error;
    type Future = Ready<Result<Response<Body>, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Err(std::io::Error::other("broken off")))
    }
}
