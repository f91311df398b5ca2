//! Requests out of their `google.protobuf.Any`.

use tonic_cloud_run::prost::Message;
use tonic_cloud_run::prost_types::Any;

/// A message of the suite's package.
pub(crate) fn one<M: Message + Default>(name: &str, any: &Any) -> Result<M, String> {
    let full_name = format!("connectrpc.conformance.v1.{name}");
    if any.type_url.rsplit('/').next() != Some(&full_name) {
        return Err(format!(
            "the request is a {}, not a {full_name}",
            any.type_url
        ));
    }
    M::decode(any.value.as_slice())
        .map_err(|error| format!("the request is no {full_name}: {error}"))
}

/// The one message of a call that has just one.
pub(crate) fn single<M: Message + Default>(name: &str, messages: &[Any]) -> Result<M, String> {
    match messages {
        [message] => one(name, message),
        _ => Err(format!(
            "{} request messages where the method takes one",
            messages.len()
        )),
    }
}

/// The messages of a stream.
pub(crate) fn all<M: Message + Default>(name: &str, messages: &[Any]) -> Result<Vec<M>, String> {
    messages.iter().map(|message| one(name, message)).collect()
}
