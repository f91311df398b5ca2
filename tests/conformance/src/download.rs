//! The answers of a call.

use crate::cancel::When;
use crate::outcome::Outcome;
use crate::suite::{
    BidiStreamResponse, ClientStreamResponse, ConformancePayload, IdempotentUnaryResponse,
    ServerStreamResponse, UnaryResponse, UnimplementedResponse,
};
use tokio::sync::watch;
use tonic_cloud_run::tonic::{Response, Status, Streaming};

/// An answer of the suite's service.
pub(crate) trait Answer {
    fn payload(self) -> Option<ConformancePayload>;
}

macro_rules! answers {
    ($($name:ident)*) => { $(impl Answer for $name {
        fn payload(self) -> Option<ConformancePayload> {
            self.payload
        }
    })* };
}
answers!(UnaryResponse IdempotentUnaryResponse ServerStreamResponse ClientStreamResponse BidiStreamResponse);

impl Answer for UnimplementedResponse {
    fn payload(self) -> Option<ConformancePayload> {
        None
    }
}

/// The answer of a call that has one.
pub(crate) async fn one<A: Answer>(
    call: impl Future<Output = Result<Response<A>, Status>>,
    outcome: &mut Outcome,
) {
    match call.await {
        Ok(response) => {
            // tonic has headers and trailers of a single answer in one; the suite's names tell them apart.
            outcome.headers(response.metadata());
            outcome.trailers(response.metadata());
            outcome.payload(response.into_inner().payload());
        }
        Err(status) => outcome.failed(&status),
    }
}

/// The answers of a call that has many, each counted in `answered`.
pub(crate) async fn many<A: Answer>(
    call: impl Future<Output = Result<Response<Streaming<A>>, Status>>,
    when: When,
    answered: watch::Sender<usize>,
    outcome: &mut Outcome,
) {
    if let Err(status) = stream(call, when, answered, outcome).await {
        outcome.failed(&status);
    }
}

async fn stream<A: Answer>(
    call: impl Future<Output = Result<Response<Streaming<A>>, Status>>,
    when: When,
    answered: watch::Sender<usize>,
    outcome: &mut Outcome,
) -> Result<(), Status> {
    let response = call.await?;
    outcome.headers(response.metadata());
    let mut answers = response.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await? {
        outcome.payload(answer.payload());
        count += 1;
        if when == When::AfterResponses(count) {
            drop(answers);
            outcome.cancelled();
            return Ok(());
        }
        answered.send_replace(count);
    }
    if let Some(trailers) = answers.trailers().await? {
        outcome.trailers(&trailers);
    }
    Ok(())
}
