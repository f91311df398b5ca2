//! The channels to the suite's servers: one a server, whose calls share it, and a client on it for each call.

use crate::suite::conformance_service_client::ConformanceServiceClient;
use crate::suite::{ClientCompatRequest, Codec, Compression, HttpVersion, Protocol};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tonic_cloud_run::tonic::codec::CompressionEncoding;
use tonic_cloud_run::{Channel, Credentials};

/// The channels, by address and certificate of the server.
#[derive(Default)]
pub(crate) struct Clients {
    channels: Mutex<HashMap<(String, Vec<u8>), Channel>>,
}

impl Clients {
    /// A client as the request wants it.
    pub(crate) fn client(
        &self,
        request: &ClientCompatRequest,
    ) -> Result<ConformanceServiceClient, String> {
        check(request)?;
        let client = ConformanceServiceClient::from_channel(self.channel(request)?);
        let client = match request.message_receive_limit {
            0 => client,
            limit => client.max_decoding_message_size(usize::try_from(limit).unwrap_or(usize::MAX)),
        };
        let encoding = match request.compression() {
            Compression::Unspecified | Compression::Identity => return Ok(client),
            Compression::Gzip => CompressionEncoding::Gzip,
            Compression::Deflate => CompressionEncoding::Deflate,
            Compression::Zstd => CompressionEncoding::Zstd,
            other => return Err(format!("{} is not built in", other.as_str_name())),
        };
        Ok(client.send_compressed(encoding).accept_compressed(encoding))
    }

    fn channel(&self, request: &ClientCompatRequest) -> Result<Channel, String> {
        let address = match request.host.as_str() {
            ipv6 if ipv6.contains(':') => format!("[{ipv6}]:{}", request.port),
            host => format!("{host}:{}", request.port),
        };
        let key = (address, request.server_tls_cert.clone());
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&key) {
            return Ok(channel.clone());
        }
        let builder = Channel::builder(&key.0);
        let builder = if key.1.is_empty() {
            builder.danger_plaintext_loopback()
        } else {
            builder
                .root_certificates_pem(&key.1)
                .credentials(Credentials::none())
        };
        let channel = builder.build().map_err(|error| error.to_string())?;
        channels.insert(key, channel.clone());
        Ok(channel)
    }
}

/// What `config.yaml` excludes must not come.
fn check(request: &ClientCompatRequest) -> Result<(), String> {
    if request.protocol() != Protocol::Grpc {
        return Err(format!(
            "{} is not spoken",
            request.protocol().as_str_name()
        ));
    }
    if request.http_version() != HttpVersion::HttpVersion2 {
        return Err(format!(
            "{} is not spoken",
            request.http_version().as_str_name()
        ));
    }
    if request.codec() != Codec::Proto {
        return Err(format!("{} is not spoken", request.codec().as_str_name()));
    }
    if request.client_tls_creds.is_some() {
        return Err("client certificates are not supported".to_owned());
    }
    Ok(())
}
