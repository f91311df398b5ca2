//! What an ID token costs a call: `cargo bench -p tonic-cloud-run --features testing --bench token`.
//!
//! Three tables, each with its baselines in the same run, taken in turns so that a machine whose speed drifts
//! drifts for all of them:
//!
//! 1. Attaching a fresh token to a call's headers, against what careful and careless code does by hand.
//! 2. A whole unary call over TLS with and without a token, against hand-written tonic with a cached header: client
//!    side allocations and bytes (the server runs on another thread), and time.
//! 3. The first call of a new channel: with the token and the connection slow, it takes the longer of both.

use http::{HeaderMap, HeaderValue};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_cloud_run::codegen::attach_token;
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::{Channel, Credentials, TokenHeader, tonic};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let fake = serve()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    attaching(&runtime, &fake)?;
    calls(&runtime, &fake)?;
    first_call(&runtime, &fake)
}

/// The fake, on a thread and a runtime of its own: what is counted on this thread is the client's alone.
fn serve() -> Result<FakeCloudRun, Failure> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> Result<(), String> {
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        runtime.block_on(async move {
            let (_reporter, health) = tonic_health::server::health_reporter();
            let fake = FakeCloudRun::builder()
                .allow_unauthenticated()
                .start(health)
                .await;
            sender.send(fake).map_err(|e| e.to_string())?;
            std::future::pending().await
        })
    });
    Ok(receiver.recv()??)
}

/// One way of doing something, timed in batches that alternate with the others'.
struct Contestant<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    batches: Vec<Duration>,
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self {
            name,
            run: Box::new(run),
            batches: Vec::new(),
        }
    }

    /// The median time of one run, in nanoseconds.
    fn nanos(&self, per_batch: u32) -> f64 {
        let mut sorted = self.batches.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2].as_secs_f64() * 1e9 / f64::from(per_batch)
    }
}

fn race(contestants: &mut [Contestant<'_>], batches: u32, per_batch: u32) {
    for batch in 0..=batches {
        for contestant in &mut *contestants {
            let start = Instant::now();
            for _ in 0..per_batch {
                (contestant.run)();
            }
            // The first batch warms up.
            if batch > 0 {
                contestant.batches.push(start.elapsed());
            }
        }
    }
}

/// Allocations and bytes of one run, averaged over many.
fn allocations(run: &mut dyn FnMut(), runs: u32) -> (f64, f64) {
    let counted = allocation_counter::measure(|| (0..runs).for_each(|_| run()));
    #[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
    let (count, bytes) = (counted.count_total as f64, counted.bytes_total as f64);
    (count / f64::from(runs), bytes / f64::from(runs))
}

fn report(title: &str, contestants: &mut [Contestant<'_>], per_batch: u32, alloc_runs: u32) {
    println!(
        "\n{title}\n{:<58}{:>11}{:>9}{:>9}{:>9}",
        "", "ns", "ratio", "allocs", "bytes"
    );
    let baseline = contestants[0].nanos(per_batch);
    for contestant in contestants {
        let nanos = contestant.nanos(per_batch);
        let (count, bytes) = allocations(&mut contestant.run, alloc_runs);
        let name = contestant.name;
        println!(
            "{name:<58}{nanos:>11.0}{:>9.2}{count:>9.1}{bytes:>9.0}",
            nanos / baseline
        );
    }
}

fn attaching(runtime: &tokio::runtime::Runtime, fake: &FakeCloudRun) -> Result<(), Failure> {
    let channel = fake.channel()?;
    runtime.block_on(channel.connect())?;
    let token = fake.token();
    let mut cached = HeaderValue::try_from(format!("Bearer {token}"))?;
    cached.set_sensitive(true);
    // The same map each time, so that only the token's own work is seen.
    let mut ours = HeaderMap::with_capacity(8);
    let mut hand = HeaderMap::with_capacity(8);
    let mut careless = HeaderMap::with_capacity(8);
    let mut contestants = [
        Contestant::new(
            "by hand: clone a header value that nobody refreshes",
            || {
                hand.insert(http::header::AUTHORIZATION, black_box(&cached).clone());
                hand.clear();
            },
        ),
        Contestant::new(
            "tonic-cloud-run: judged on the wall clock, refreshed",
            || {
                assert!(
                    attach_token(black_box(&channel), &mut ours),
                    "the token is not there"
                );
                ours.clear();
            },
        ),
        Contestant::new("by hand: format and parse on every call", || {
            if let Ok(value) = HeaderValue::try_from(format!("Bearer {}", black_box(&token))) {
                careless.insert(http::header::AUTHORIZATION, value);
            }
            careless.clear();
        }),
    ];
    race(&mut contestants, 201, 2000);
    report(
        "A fresh token, attached to a call's headers",
        &mut contestants,
        2000,
        10_000,
    );
    Ok(())
}

fn calls(runtime: &tokio::runtime::Runtime, fake: &FakeCloudRun) -> Result<(), Failure> {
    let without = fake
        .channel_builder()
        .credentials(Credentials::none())
        .build()?;
    let with = fake.channel()?;
    let indexed = fake
        .channel_builder()
        .token_header(TokenHeader::XServerlessAuthorization)
        .build()?;
    let by_hand = runtime.block_on(hand_written(fake))?;
    let mut header = tonic::metadata::MetadataValue::try_from(format!("Bearer {}", fake.token()))?;
    header.set_sensitive(true);
    let by_hand = HealthClient::with_interceptor(by_hand, move |mut request: tonic::Request<()>| {
        request
            .metadata_mut()
            .insert("authorization", header.clone());
        Ok(request)
    });
    let mut contestants = [
        Contestant::new(
            "hand-written tonic, interceptor with a cached header",
            || {
                let mut client = by_hand.clone();
                black_box(
                    runtime
                        .block_on(client.check(HealthCheckRequest::default()))
                        .is_ok(),
                );
            },
        ),
        Contestant::new("tonic-cloud-run without a token", caller(runtime, without)),
        Contestant::new("tonic-cloud-run, authorization", caller(runtime, with)),
        Contestant::new(
            "tonic-cloud-run, x-serverless-authorization",
            caller(runtime, indexed),
        ),
    ];
    race(&mut contestants, 41, 100);
    report(
        "A small unary call over TLS, one at a time, client side",
        &mut contestants,
        100,
        1000,
    );
    Ok(())
}

fn caller(runtime: &tokio::runtime::Runtime, channel: Channel) -> impl FnMut() {
    let client = HealthClient::new(channel);
    move || {
        let mut client = client.clone();
        let answer = runtime.block_on(client.check(HealthCheckRequest::default()));
        assert!(answer.is_ok(), "{answer:?}");
    }
}

async fn hand_written(fake: &FakeCloudRun) -> Result<tonic::transport::Channel, Failure> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(fake.ca_certificate_pem()))
        .domain_name(fake.host());
    let endpoint = Endpoint::from_shared(format!("https://{}", fake.address()))?
        .origin(format!("https://{}", fake.host()).parse()?)
        .tls_config(tls)?
        .tcp_nodelay(true);
    Ok(endpoint.connect().await?)
}

fn first_call(runtime: &tokio::runtime::Runtime, fake: &FakeCloudRun) -> Result<(), Failure> {
    const SLOW: Duration = Duration::from_millis(100);
    println!(
        "\nThe first call of a new channel, token and TLS handshake each taking {SLOW:?} longer\n"
    );
    let mut rounds = 0;
    let mut median = |token: Duration, handshake: Duration| -> Result<Duration, Failure> {
        fake.metadata().set_delay(token);
        fake.front().set_handshake_delay(handshake);
        let mut times = Vec::new();
        for _ in 0..9 {
            // Another audience, or the token of the round before would be there already.
            rounds += 1;
            let channel = fake
                .channel_builder()
                .audience(format!("https://{rounds}.example.com"))
                .build()?;
            let mut client = HealthClient::new(channel);
            let start = Instant::now();
            runtime.block_on(client.check(HealthCheckRequest::default()))?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok(times[times.len() / 2])
    };
    let neither = median(Duration::ZERO, Duration::ZERO)?;
    let token = median(SLOW, Duration::ZERO)?;
    let handshake = median(Duration::ZERO, SLOW)?;
    let both = median(SLOW, SLOW)?;
    for (name, time) in [
        ("neither slow", neither),
        ("token slow", token),
        ("handshake slow", handshake),
        ("both slow", both),
    ] {
        println!("{name:<58}{:>8.1} ms", time.as_secs_f64() * 1e3);
    }
    let longer = token.max(handshake).as_secs_f64();
    println!(
        "{:<58}{:>8.2}",
        "both / the longer of the two",
        both.as_secs_f64() / longer
    );
    Ok(())
}
