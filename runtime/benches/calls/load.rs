//! The loads: so many calls in flight for so long, and what they cost.

use crate::message::Payload;
use crate::server::Server;
use crate::{Client, Failure, Way};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// The messages of a stream.
const TIMES: u32 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Small,
    Large,
    Stream,
}

/// A kind of call, how many of them at once, from how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) shape: Shape,
    pub(crate) in_flight: usize,
    pub(crate) threads: usize,
}

impl Cell {
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for (shape, in_flights) in [
            (Shape::Small, &[1, 64, 256][..]),
            (Shape::Large, &[64]),
            (Shape::Stream, &[64]),
        ] {
            for &in_flight in in_flights {
                for threads in [1, 2] {
                    all.push(Self {
                        shape,
                        in_flight,
                        threads,
                    });
                }
            }
        }
        all
    }

    fn payload(&self) -> Payload {
        let (size, times) = match self.shape {
            Shape::Small => (100, 0),
            Shape::Large => (64 * 1024, 0),
            Shape::Stream => (100, TIMES),
        };
        Payload {
            data: vec![7; size],
            times,
            pause: 0,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::Small => "100 B",
            Shape::Large => "64 KiB",
            Shape::Stream => "stream 1000 × 100 B",
        };
        let plural = if self.threads == 1 { "" } else { "s" };
        f.pad(&format!(
            "{shape}, {} in flight, {} thread{plural}",
            self.in_flight, self.threads
        ))
    }
}

/// What a load came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    /// The client's CPU for one call, in microseconds.
    pub(crate) cpu: f64,
    /// Latencies, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

fn runtime(threads: usize) -> Result<Runtime, Failure> {
    let mut builder = if threads == 1 {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    Ok(builder.worker_threads(threads).enable_all().build()?)
}

/// Calls in a closed loop for some time, after a quarter of it to warm up.
pub(crate) fn run(
    way: Way,
    server: &Server,
    cell: &Cell,
    time: Duration,
) -> Result<Outcome, Failure> {
    runtime(cell.threads)?.block_on(async {
        let client = Client::new(way, server.wide, &server.ca, Duration::ZERO).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..cell.in_flight)
            .map(|_| tokio::spawn(call_on(client.clone(), *cell, stop.clone())))
            .collect();
        tokio::time::sleep(time / 4).await;
        let (begun, cpu_before) = (Instant::now(), cpu()?);
        tokio::time::sleep(time).await;
        let (ended, cpu_after) = (Instant::now(), cpu()?);
        stop.store(true, Relaxed);
        let mut latencies = Vec::new();
        for caller in callers {
            let calls = caller.await??;
            let counted = |call: &(Instant, Duration)| begun <= call.0 && call.0 < ended;
            latencies.extend(
                calls
                    .into_iter()
                    .filter(counted)
                    .map(|(_, latency)| latency),
            );
        }
        latencies.sort_unstable();
        let calls = latencies.len().max(1);
        let at = |share: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an index below the length"
            )]
            let index = (calls as f64 * share) as usize;
            let latency = latencies.get(index.min(calls - 1)).copied();
            latency.unwrap_or_default().as_secs_f64() * 1e6
        };
        Ok(Outcome {
            per_second: calls as f64 / (ended - begun).as_secs_f64(),
            cpu: (cpu_after - cpu_before) / calls as f64 * 1e6,
            p50: at(0.5),
            p99: at(0.99),
        })
    })
}

/// One caller: when each of its calls ended, and how long it took.
async fn call_on(
    client: Client,
    cell: Cell,
    stop: Arc<AtomicBool>,
) -> Result<Vec<(Instant, Duration)>, Failure> {
    let payload = cell.payload();
    let mut calls = Vec::new();
    while !stop.load(Relaxed) {
        let begun = Instant::now();
        if cell.shape == Shape::Stream {
            let read = client.stream(payload.clone()).await?;
            if read != u64::from(TIMES) {
                return Err(format!("a stream had {read} messages").into());
            }
        } else {
            client.unary(payload.clone()).await?;
        }
        let ended = Instant::now();
        calls.push((ended, ended - begun));
    }
    Ok(calls)
}

/// The CPU that this process has used, in seconds (Linux: proc(5)).
fn cpu() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name before may have spaces in it, and stands in parentheses.
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let mut ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    let mut next = || ticks.next().ok_or("no times")?.map_err(Failure::from);
    // The kernel counts in hundredths, whatever its own clock.
    Ok((next()? + next()?) / 100.0)
}

/// What one small call costs, at one call at a time.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) allocations: f64,
    pub(crate) allocated: f64,
    /// Bytes both ways for a call of an empty message, within TLS and with it.
    pub(crate) http2: f64,
    pub(crate) tcp: f64,
}

/// Counts over a thousand calls, after some to warm up.
pub(crate) fn count(way: Way, server: &Server) -> Result<Count, Failure> {
    const CALLS: u32 = 1000;
    let runtime = runtime(1)?;
    let client = runtime.block_on(Client::new(way, server.wide, &server.ca, Duration::ZERO))?;
    let small = Payload {
        data: vec![7; 100],
        ..Payload::default()
    };
    let calls = |payload: &Payload, times: u32| {
        runtime.block_on(async {
            for _ in 0..times {
                client.unary(payload.clone()).await?;
            }
            Ok::<_, Failure>(())
        })
    };
    calls(&small, 50)?;
    let mut outcome = Ok(());
    let counted = allocation_counter::measure(|| outcome = calls(&small, CALLS));
    outcome?;
    // The payload's clone is the caller's.
    let cloned = allocation_counter::measure(|| drop(std::hint::black_box(small.clone())));

    let before = runtime.block_on(client.bytes())?;
    let between = runtime.block_on(client.bytes())?;
    calls(&Payload::default(), CALLS)?;
    let after = runtime.block_on(client.bytes())?;
    let per_call = |before: u64, between: u64, after: u64| {
        (after - between - (between - before)) as f64 / f64::from(CALLS)
    };
    Ok(Count {
        allocations: counted.count_total as f64 / f64::from(CALLS) - cloned.count_total as f64,
        allocated: counted.bytes_total as f64 / f64::from(CALLS) - cloned.bytes_total as f64,
        http2: per_call(before.http2, between.http2, after.http2),
        tcp: per_call(before.tcp, between.tcp, after.tcp),
    })
}

/// Many slow calls at once.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    /// Until the last is answered, in milliseconds.
    pub(crate) all: f64,
    pub(crate) p99: f64,
}

/// A thousand calls of 50 ms at once, on a channel that has seen as many before.
pub(crate) fn slow(way: Way, server: &Server) -> Result<Slow, Failure> {
    const CALLS: usize = 1000;
    let payload = Payload {
        pause: 50,
        ..Payload::default()
    };
    runtime(1)?.block_on(async {
        let client = Client::new(way, server.narrow, &server.ca, Duration::ZERO).await?;
        let mut slow = Slow { all: 0.0, p99: 0.0 };
        for _ in 0..2 {
            let begun = Instant::now();
            let calls: Vec<_> = (0..CALLS)
                .map(|_| {
                    let (client, payload) = (client.clone(), payload.clone());
                    tokio::spawn(async move {
                        client.unary(payload).await?;
                        Ok::<_, Failure>(begun.elapsed())
                    })
                })
                .collect();
            let mut latencies = Vec::new();
            for call in calls {
                latencies.push(call.await??);
            }
            latencies.sort_unstable();
            slow = Slow {
                all: begun.elapsed().as_secs_f64() * 1e3,
                p99: latencies[CALLS * 99 / 100].as_secs_f64() * 1e3,
            };
        }
        Ok(slow)
    })
}

/// The first call of a program, in milliseconds: a token that takes 50 ms, and a connection to a server that is 30 ms
/// away. By hand the one is had before the other is begun.
pub(crate) fn cold(way: Way, server: &Server) -> Result<f64, Failure> {
    const FETCH: Duration = Duration::from_millis(50);
    runtime(1)?.block_on(async {
        let begun = Instant::now();
        let client = Client::new(way, server.far, &server.ca, FETCH).await?;
        client.unary(Payload::default()).await?;
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    })
}
