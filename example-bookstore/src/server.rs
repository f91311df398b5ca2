//! `serve`: the service as a container on Cloud Run runs it.
//!
//! The front end ends TLS and checks the caller; the container speaks HTTP/2 without TLS on `$PORT`
//! (<https://cloud.google.com/run/docs/container-contract>). The books are gone when it stops.

use std::{io::Write as _, net::Ipv4Addr, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    bookstore::bookstore_server::BookstoreServer, failure::Failure, service::BookstoreService,
    store::Store,
};

const DEFAULT_PORT: u16 = 8080;

/// How long calls may take to end after the signal. Cloud Run sends SIGKILL 10 s after SIGTERM.
const DRAIN: Duration = Duration::from_secs(8);

/// How often an idle connection is asked whether its other end still lives: a watch holds one for hours.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or ctrl-c. Then calls under way may end; a second signal does not wait for them.
pub(crate) async fn run() -> Result<(), Failure> {
    // Before the first line is logged: whoever reads it may send the signal at once.
    let mut signals = Signals::new()?;
    let listener = listen().await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Other(format!("the socket has no address: {error}")))?;

    let store = Arc::new(Store::default());
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_serving::<BookstoreServer<BookstoreService>>()
        .await;
    let (stop, stopping) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(
        Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .add_service(health_service)
            .add_service(BookstoreServer::new(BookstoreService::new(Arc::clone(
                &store,
            ))))
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                async {
                    // Dropped unsent means that nobody is left who could stop it.
                    let _ = stopping.await;
                },
            ),
    );
    log(
        "INFO",
        "serving",
        &json!({ "address": address.to_string() }),
    );

    let signal = tokio::select! {
        ended = &mut serving => return Err(Failure::Other(format!("the server ended by itself: {ended:?}"))),
        signal = signals.next() => signal,
    };
    log("INFO", "stopping", &json!({ "signal": signal }));
    health
        .set_not_serving::<BookstoreServer<BookstoreService>>()
        .await;
    store.close();
    // An error means that the server has ended already.
    let _ = stop.send(());
    let drained = tokio::select! {
        drained = timeout(DRAIN, &mut serving) => drained.is_ok(),
        _ = signals.next() => false,
    };
    if drained {
        log("INFO", "stopped", &json!({}));
    } else {
        serving.abort();
        log("WARNING", "stopped before all calls had ended", &json!({}));
    }
    Ok(())
}

async fn listen() -> Result<TcpListener, Failure> {
    let port = match std::env::var("PORT") {
        Ok(text) => text.parse().map_err(|_| {
            Failure::Usage(format!(
                "PORT is {text:?}; it must be a number from 0 (any free port) to 65535"
            ))
        })?,
        Err(std::env::VarError::NotPresent) => DEFAULT_PORT,
        Err(error) => return Err(Failure::Usage(format!("PORT cannot be used: {error}"))),
    };
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .await
        .map_err(|error| {
            Failure::Other(format!(
                "cannot listen on port {port}: {error}; set PORT to a free one, or to 0 for any"
            ))
        })
}

/// One line of JSON, as Cloud Logging reads it (<https://cloud.google.com/logging/docs/structured-logging>).
fn log(severity: &str, message: &str, fields: &serde_json::Value) {
    let mut line = json!({ "severity": severity, "message": message });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
        line.extend(fields.clone());
    }
    // A server goes on when nobody reads its log.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The signals that ask the process to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Signals, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::Other(format!("signals cannot be listened to: {error}")))
        };
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    // The same on every system.
    #[allow(clippy::unnecessary_wraps)]
    fn new() -> Result<Signals, Failure> {
        Ok(Signals {})
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "ctrl-c",
            // Without a handler the system ends the process by itself.
            Err(_) => std::future::pending().await,
        }
    }
}
