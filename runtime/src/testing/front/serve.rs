//! One connection from its TLS handshake to its end, and one call from its head to its answer.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::{HeaderName, HeaderValue, SERVER};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::body::Body;

use super::super::events::Event;
use super::super::fault::FrontFault;
use super::super::lock::lock;
use super::super::server::Connection;
use super::app::BoxError;
use super::in_flight::InFlight;
use super::page::page;
use super::state::State;

/// Serves one connection to its end.
pub(super) async fn serve(state: Arc<State>, stream: TcpStream, connection: Arc<Connection>) {
    let (config, delay) = state.handshake();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let peer = connection.peer;
    let stream = match TlsAcceptor::from(config).accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            state
                .counts
                .handshakes_failed
                .fetch_add(1, Ordering::SeqCst);
            let error = error.to_string();
            state.events.emit(&Event::HandshakeFailed { peer, error });
            return;
        }
    };
    state.counts.connections.fetch_add(1, Ordering::SeqCst);
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    state.events.emit(&Event::ConnectionOpened { peer, http2 });
    if http2 {
        serve_http2(state, stream, connection).await;
    } else {
        serve_http1(state, stream, connection).await;
    }
}

async fn serve_http2(state: Arc<State>, stream: TlsStream<TcpStream>, connection: Arc<Connection>) {
    let limit = state.max_concurrent_streams;
    let service = {
        let connection = connection.clone();
        service_fn(move |request| call(state.clone(), connection.clone(), request))
    };
    let mut served = pin!(
        http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(limit)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is the client's affair; the calls on it have been counted.
    tokio::select! {
        _ = served.as_mut() => return,
        () = connection.asked_to_go_away() => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

async fn serve_http1(state: Arc<State>, stream: TlsStream<TcpStream>, connection: Arc<Connection>) {
    let service = {
        let connection = connection.clone();
        service_fn(move |request| call(state.clone(), connection.clone(), request))
    };
    let mut served = pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        _ = served.as_mut() => return,
        () = connection.asked_to_go_away() => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

async fn call(
    state: Arc<State>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, BoxError> {
    let call = InFlight::new(&state.counts.in_flight);
    let path = request.uri().path().to_owned();
    let mut response = match state.faults.take() {
        Some(fault) => faulted(&state, &connection, fault, &path).await?,
        None => checked(&state, &connection, request, &path).await,
    };
    response
        .headers_mut()
        .insert(SERVER, HeaderValue::from_static("Google Frontend"));
    Ok(response.map(|body| call.until_sent(body)))
}

async fn faulted(
    state: &State,
    connection: &Connection,
    fault: FrontFault,
    path: &str,
) -> Result<Response<Body>, BoxError> {
    state.counts.faulted.fetch_add(1, Ordering::SeqCst);
    state.events.emit(&Event::CallFaulted {
        path: path.to_owned(),
        fault: fault.clone(),
    });
    match fault {
        FrontFault::Status(status) => Ok(page(status, path)),
        FrontFault::Hang => pending().await,
        // hyper looks for this error among the causes and resets the stream with its code.
        FrontFault::ResetStream(code) => Err(h2::Error::from(h2::Reason::from(code)).into()),
        FrontFault::Disconnect => {
            connection.close();
            pending().await
        }
    }
}

async fn checked(
    state: &State,
    connection: &Connection,
    request: Request<Incoming>,
    path: &str,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    match state.gate.check(&mut parts) {
        Ok(token) => {
            state.counts.admitted.fetch_add(1, Ordering::SeqCst);
            if let Some(token) = &token {
                state.saw(token);
            }
            state.events.emit(&Event::CallAdmitted {
                path: path.to_owned(),
                token,
            });
        }
        Err(denied) => {
            *lock(&state.counts.denied).entry(denied.reason).or_default() += 1;
            state.events.emit(&Event::CallDenied {
                path: path.to_owned(),
                reason: denied.reason,
                detail: denied.detail,
            });
            return page(denied.reason.status(), path);
        }
    }
    // As Google's front ends tell the container.
    if let Ok(peer) = HeaderValue::try_from(connection.peer.ip().to_string()) {
        parts
            .headers
            .append(HeaderName::from_static("x-forwarded-for"), peer);
    }
    parts.headers.insert(
        HeaderName::from_static("x-forwarded-proto"),
        HeaderValue::from_static("https"),
    );
    let request = Request::from_parts(parts, Body::new(body));
    // A container that breaks its connection off is answered for with 503.
    state
        .app
        .answer(request)
        .await
        .unwrap_or_else(|_broken| page(503, path))
}
