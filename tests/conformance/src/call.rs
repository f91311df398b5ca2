//! One call of the suite, from its description to its outcome.

use crate::cancel::{Means, When};
use crate::clients::Clients;
use crate::download::Answer;
use crate::outcome::Outcome;
use crate::suite::client_compat_response::Result as CompatResult;
use crate::suite::conformance_service_client::ConformanceServiceClient;
use crate::suite::{
    BidiStreamRequest, ClientCompatRequest, ClientCompatResponse, ClientErrorResult,
    ClientStreamRequest, IdempotentUnaryRequest, ServerStreamRequest, StreamType, UnaryRequest,
    UnimplementedRequest,
};
use crate::upload::Upload;
use crate::{download, headers, unpack};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::sync::watch;
use tonic_cloud_run::prost::Message;
use tonic_cloud_run::tonic::metadata::MetadataMap;
use tonic_cloud_run::tonic::{Request, Response, Status};

const SERVICE: &str = "connectrpc.conformance.v1.ConformanceService";

/// Makes a call. Whatever keeps it from being made is an error of its own, which the suite counts as a failure.
pub(crate) async fn run(
    request: ClientCompatRequest,
    clients: &Clients,
    means: Means,
) -> ClientCompatResponse {
    let result = match Call::new(&request, clients, means) {
        Ok(call) => call.make().await,
        Err(message) => Err(message),
    };
    ClientCompatResponse {
        test_name: request.test_name,
        result: Some(match result {
            Ok(outcome) => CompatResult::Response(outcome.into_result()),
            Err(message) => CompatResult::Error(ClientErrorResult { message }),
        }),
    }
}

struct Call<'a> {
    description: &'a ClientCompatRequest,
    client: ConformanceServiceClient,
    metadata: MetadataMap,
    when: When,
    means: Means,
}

impl<'a> Call<'a> {
    fn new(
        description: &'a ClientCompatRequest,
        clients: &Clients,
        means: Means,
    ) -> Result<Self, String> {
        if description.service() != SERVICE {
            return Err(format!(
                "there is no client for the service {:?}",
                description.service()
            ));
        }
        Ok(Self {
            description,
            client: clients.client(description)?,
            metadata: headers::to_metadata(&description.request_headers)?,
            when: When::of(description.cancel.as_ref()),
            means,
        })
    }

    async fn make(&self) -> Result<Outcome, String> {
        match self.description.method() {
            "Unary" => {
                let request: UnaryRequest = self.single("UnaryRequest")?;
                Ok(self.unary(self.client.unary(self.request(request))).await)
            }
            "IdempotentUnary" => {
                let request: IdempotentUnaryRequest = self.single("IdempotentUnaryRequest")?;
                Ok(self
                    .unary(self.client.idempotent_unary(self.request(request)))
                    .await)
            }
            "Unimplemented" => {
                let request: UnimplementedRequest = self.single("UnimplementedRequest")?;
                Ok(self
                    .unary(self.client.unimplemented(self.request(request)))
                    .await)
            }
            "ServerStream" => self.server_stream().await,
            "ClientStream" => self.client_stream().await,
            "BidiStream" => self.bidi_stream().await,
            other => Err(format!("there is no method {other:?}")),
        }
    }

    async fn unary<A: Answer>(
        &self,
        call: impl Future<Output = Result<Response<A>, Status>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let answer = download::one(call, &mut outcome);
        if is_cancelled(answer, self.when.after_close_send()).await {
            outcome.cancelled();
        }
        outcome
    }

    async fn server_stream(&self) -> Result<Outcome, String> {
        let request: ServerStreamRequest = self.single("ServerStreamRequest")?;
        let call = self.client.server_stream(self.request(request));
        let mut outcome = Outcome::default();
        let answers = download::many(call, self.when, watch::Sender::default(), &mut outcome);
        if is_cancelled(answers, self.when.after_close_send()).await {
            outcome.cancelled();
        }
        Ok(outcome)
    }

    async fn client_stream(&self) -> Result<Outcome, String> {
        let messages: Vec<ClientStreamRequest> = self.all("ClientStreamRequest")?;
        let (total, sent) = (messages.len(), AtomicUsize::new(0));
        let (upload, request) = Upload::new(messages, self.delay(), self.when, self.means);
        let call = self.client.client_stream(self.dressed(request));
        let mut outcome = Outcome::default();
        let answer = download::one(call, &mut outcome);
        if is_cancelled(answer, upload.run(&sent, None)).await {
            outcome.cancelled();
        }
        outcome.unsent(total - sent.into_inner());
        Ok(outcome)
    }

    async fn bidi_stream(&self) -> Result<Outcome, String> {
        let messages: Vec<BidiStreamRequest> = self.all("BidiStreamRequest")?;
        let (total, sent) = (messages.len(), AtomicUsize::new(0));
        let (upload, request) = Upload::new(messages, self.delay(), self.when, self.means);
        let call = self.client.bidi_stream(self.dressed(request));
        let (answered, watched) = watch::channel(0);
        let in_turns = self.description.stream_type() == StreamType::FullDuplexBidiStream;
        let mut outcome = Outcome::default();
        let answers = download::many(call, self.when, answered, &mut outcome);
        if is_cancelled(answers, upload.run(&sent, in_turns.then_some(watched))).await {
            outcome.cancelled();
        }
        outcome.unsent(total - sent.into_inner());
        Ok(outcome)
    }

    fn all<M: Message + Default>(&self, name: &str) -> Result<Vec<M>, String> {
        unpack::all(name, &self.description.request_messages)
    }

    fn single<M: Message + Default>(&self, name: &str) -> Result<M, String> {
        unpack::single(name, &self.description.request_messages)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        self.dressed(Request::new(message))
    }

    /// With the headers and the timeout of the description.
    fn dressed<T>(&self, mut request: Request<T>) -> Request<T> {
        *request.metadata_mut() = self.metadata.clone();
        if let Some(timeout) = self.description.timeout_ms {
            request.set_timeout(Duration::from_millis(timeout.into()));
        }
        request
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.description.request_delay_ms.into())
    }
}

/// Whether the call is to be dropped before its answers are complete; it is dropped then.
async fn is_cancelled(
    answers: impl Future<Output = ()>,
    cancelled: impl Future<Output = ()>,
) -> bool {
    tokio::select! {
        () = answers => false,
        () = cancelled => true,
    }
}
