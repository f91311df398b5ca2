//! The short way of generated methods over the network: a request that is one message, encoded once by its client, and
//! an answer that is read from HTTP/2 itself.

use super::answer::{Answer, Source};
use super::framing::{MessageLimit, PREFIX};
use super::network::{Network, Outgoing};
use super::received::Received;
use super::single::{self, Single};
use super::{Channel, Route, check_runtime, within};
use http::Response;
use std::sync::Arc;
use tonic::{Code, Status};

/// A channel that leads over the network.
pub(crate) struct Direct<'a> {
    route: &'a Arc<Route>,
    network: &'a Network,
}

impl Channel {
    /// The short way, where there is one.
    pub(crate) fn direct(&self) -> Option<Direct<'_>> {
        let route = &self.route;
        let network = route.network()?;
        Some(Direct { route, network })
    }
}

impl Direct<'_> {
    /// A call whose answer is one message.
    pub(crate) async fn unary(
        &self,
        outgoing: Outgoing,
        limit: MessageLimit,
    ) -> Result<Single, Status> {
        check_runtime()?;
        let path = outgoing.path.path();
        let deadline = self.network.deadline(path, &outgoing.headers);
        let limit = self.network.response_limit(path, limit);
        let span = self.route.span(path);
        let progress = self.route.progress(path, true);
        let single = within(self.route, span, deadline, &progress, async {
            let (response, _) = self.network.call(outgoing, deadline, &progress).await?;
            single::read(response, limit)
                .await
                .map_err(|broken| self.route.broken(broken))
        })
        .await?;
        progress.measure.received(single.message.len() + PREFIX);
        progress.measure.ended(Code::Ok);
        Ok(single)
    }

    /// A call whose answer is a stream of messages.
    pub(crate) async fn streaming(
        &self,
        outgoing: Outgoing,
        limit: MessageLimit,
    ) -> Result<Response<Answer>, Status> {
        check_runtime()?;
        let path = outgoing.path.path();
        let deadline = self.network.deadline(path, &outgoing.headers);
        let limit = self.network.response_limit(path, limit);
        let span = self.route.span(path);
        let progress = self.route.progress(path, true);
        let call = self.network.call(outgoing, deadline, &progress);
        let (response, request) = within(self.route, span, deadline, &progress, call).await?;
        let response = Received::take(response, request, limit);
        let route = self.route.clone();
        let measure = progress.measure.hand_over();
        Ok(response.map(|received| {
            let source = Source::Network(Box::new(received));
            Answer::new(source, deadline, route, measure)
        }))
    }
}
