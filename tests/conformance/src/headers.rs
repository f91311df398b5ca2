//! Headers as the suite writes them, and as tonic has them. The suite writes the values of `-bin` headers in base64.

use crate::suite::Header;
use std::collections::BTreeMap;
use tonic_cloud_run::tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};
use tonic_cloud_run::tonic::metadata::{BinaryMetadataValue, KeyAndValueRef, MetadataMap};

/// The metadata of a request.
pub(crate) fn to_metadata(headers: &[Header]) -> Result<MetadataMap, String> {
    let mut map = HeaderMap::new();
    for header in headers {
        let name: HeaderName = header
            .name
            .parse()
            .map_err(|error| format!("header name {:?}: {error}", header.name))?;
        for value in &header.value {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|error| format!("value {value:?} of header {name}: {error}"))?;
            map.append(&name, value);
        }
    }
    let mut metadata = MetadataMap::new();
    for entry in MetadataMap::from_headers(map).iter() {
        match entry {
            KeyAndValueRef::Ascii(name, value) => {
                metadata.append(name, value.clone());
            }
            KeyAndValueRef::Binary(name, value) => {
                metadata.append_bin(name, decoded(value)?);
            }
        }
    }
    Ok(metadata)
}

/// What came with an answer, or with an error: one entry a name, its values in their order.
pub(crate) fn from_metadata(metadata: &MetadataMap) -> Vec<Header> {
    let mut entries: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in metadata.iter() {
        let (name, value) = match entry {
            KeyAndValueRef::Ascii(name, value) => (name.as_str(), text(value.as_bytes())),
            KeyAndValueRef::Binary(name, value) => {
                let value = decoded(value).map(|value| text(value.as_encoded_bytes()));
                (name.as_str(), value.unwrap_or_else(|fault| fault))
            }
        };
        entries.entry(name).or_default().push(value);
    }
    entries
        .into_iter()
        .map(|(name, value)| Header {
            name: name.to_owned(),
            value,
        })
        .collect()
}

/// Decoded and encoded again, as a program that uses the bytes has it.
fn decoded(value: &BinaryMetadataValue) -> Result<BinaryMetadataValue, String> {
    value
        .to_bytes()
        .map(|bytes| BinaryMetadataValue::from_bytes(&bytes))
        .map_err(|error| format!("{value:?}: {error}"))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
