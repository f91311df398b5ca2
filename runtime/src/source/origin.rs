//! Where google-cloud-auth takes its credentials from, to be named in errors.
//!
//! It looks in the order of [AIP-4110]; this follows it, since it does not tell what it found.
//!
//! [AIP-4110]: https://google.aip.dev/auth/4110

use std::fmt;
use std::path::PathBuf;

/// A place that credentials come from.
pub(crate) enum Origin {
    /// The file that `GOOGLE_APPLICATION_CREDENTIALS` names.
    Variable(PathBuf),
    /// The file that `gcloud auth application-default login` writes.
    Gcloud(PathBuf),
    /// The metadata server, at a name or address.
    MetadataServer(String),
}

impl Origin {
    /// Where Application Default Credentials are found now.
    pub(crate) fn find() -> Self {
        if let Some(path) = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS") {
            return Self::Variable(path.into());
        }
        match gcloud_file() {
            Some(path) if path.exists() => Self::Gcloud(path),
            _ => Self::metadata_server(None),
        }
    }

    /// The metadata server, at an endpoint if one is given. `GCE_METADATA_HOST` goes before it.
    pub(crate) fn metadata_server(endpoint: Option<&str>) -> Self {
        let host = std::env::var("GCE_METADATA_HOST").ok();
        Self::MetadataServer(match (host, endpoint) {
            (Some(host), _) => format!("{host} (GCE_METADATA_HOST)"),
            (None, Some(endpoint)) => endpoint.to_owned(),
            (None, None) => "metadata.google.internal".to_owned(),
        })
    }

    /// Whether it is a metadata server.
    pub(crate) fn is_metadata_server(&self) -> bool {
        matches!(self, Self::MetadataServer(_))
    }
}

/// gcloud's well-known file (AIP-4113).
fn gcloud_file() -> Option<PathBuf> {
    let (root, below) = if cfg!(windows) {
        ("APPDATA", "gcloud/application_default_credentials.json")
    } else {
        (
            "HOME",
            ".config/gcloud/application_default_credentials.json",
        )
    };
    std::env::var_os(root).map(|root| PathBuf::from(root).join(below))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(path) => {
                write!(
                    f,
                    "the file {} that GOOGLE_APPLICATION_CREDENTIALS names",
                    path.display()
                )
            }
            Self::Gcloud(path) => write!(f, "gcloud's file {}", path.display()),
            Self::MetadataServer(host) => write!(f, "the metadata server {host}"),
        }
    }
}
