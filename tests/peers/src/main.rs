//! `peers serve`: a service behind the fake Cloud Run. `peers call`: our client's load on it.
//!
//! The messages are `google.protobuf.BytesValue`, so that no client needs generated code.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_cloud_run::codegen::{Client, Method};
use tonic_cloud_run::testing::FakeCloudRun;
use tonic_cloud_run::{Channel, TokenHeader};
use tonic_prost::ProstCodec;

type Failure = Box<dyn std::error::Error + Send + Sync>;

static ECHO: Method = Method::new("peers.Peers", "Echo", "/peers.Peers/Echo");

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    match std::env::args().nth(1).as_deref() {
        Some("serve") => runtime.block_on(serve()),
        Some("call") => runtime.block_on(call()),
        _ => Err("serve or call?".into()),
    }
}

/// Writes what clients need to know into the file that `PEERS_ENV` names, and serves until it is killed.
async fn serve() -> Result<(), Failure> {
    let fake = FakeCloudRun::builder()
        .max_concurrent_streams(1000)
        .start(Echo)
        .await?;
    let file = std::env::var("PEERS_ENV")?;
    let ca = format!("{file}.pem");
    fs::write(&ca, fake.ca_certificate_pem())?;
    let metadata = fake.metadata().address();
    let lines = format!(
        "export PEERS_HOST={}\nexport PEERS_ADDRESS={}\nexport PEERS_CA={ca}\nexport GCE_METADATA_HOST={metadata}\n\
         export GCE_METADATA_IP={metadata}\nexport GCE_METADATA_ROOT={metadata}\n",
        fake.host(),
        fake.address(),
    );
    // Whole, or not there.
    fs::write(format!("{file}.new"), lines)?;
    fs::rename(format!("{file}.new"), file)?;
    std::future::pending().await
}

#[derive(Clone)]
struct Echo;

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Vec<u8>, Vec<u8>>::default());
            Ok(grpc.unary(Back, request).await)
        })
    }
}

struct Back;
impl UnaryService<Vec<u8>> for Back {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;
    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(std::future::ready(Ok(Response::new(request.into_inner()))))
    }
}

/// Prints calls, seconds, seconds of CPU, and the latencies at 50 and 99 % in microseconds.
async fn call() -> Result<(), Failure> {
    let in_flight: usize = std::env::var("PEERS_IN_FLIGHT")?.parse()?;
    let time = Duration::from_secs_f64(std::env::var("PEERS_SECONDS")?.parse()?);
    let channel = Channel::builder(std::env::var("PEERS_HOST")?)
        .connect_to(std::env::var("PEERS_ADDRESS")?.parse()?)
        .root_certificates_pem(fs::read(std::env::var("PEERS_CA")?)?)
        .token_header(match std::env::args().nth(2).as_deref() {
            Some("x-serverless-authorization") => TokenHeader::XServerlessAuthorization,
            _ => TokenHeader::Authorization,
        })
        .build()?;
    let client = Client::from_channel(channel);
    // Token and connection are there before the clock runs.
    once(&client).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let (begun, cpu_before) = (Instant::now(), cpu()?);
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (client, stop) = (client.clone(), stop.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while !stop.load(Relaxed) {
                    let begun = Instant::now();
                    once(&client).await?;
                    latencies.push(begun.elapsed());
                }
                Ok::<_, Failure>(latencies)
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Relaxed);
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await??);
    }
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu()? - cpu_before);
    latencies.sort_unstable();
    let at = |percent: usize| latencies[latencies.len() * percent / 100].as_micros();
    println!(
        "{} {seconds:.3} {cpu:.2} {} {}",
        latencies.len(),
        at(50),
        at(99)
    );
    Ok(())
}

async fn once(client: &Client) -> Result<(), Failure> {
    let answer: Response<Vec<u8>> = client.unary(&ECHO, Request::new(vec![7; 100])).await?;
    if answer.get_ref().len() != 100 {
        return Err("the echo is not what was sent".into());
    }
    Ok(())
}

/// The CPU that this process has used, in seconds (Linux: proc(5)).
fn cpu() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
