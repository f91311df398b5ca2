//! What an error of google-cloud-auth means for a call: whether to try again, and what to do.

use super::TokenError;
use super::origin::Origin;
use crate::error::causes;
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::Error as GaxError;
use std::error::Error as StdError;

/// A server's own words are repeated up to this many characters.
const LONGEST_QUOTE: usize = 300;

const GET_CREDENTIALS: &str = "run `gcloud auth application-default login \
    --impersonate-service-account=SERVICE_ACCOUNT_EMAIL`, or set GOOGLE_APPLICATION_CREDENTIALS to a service account \
    key file";

/// Credentials that were found but cannot be used.
pub(crate) fn unusable(error: &BuildError, origin: &Origin) -> TokenError {
    let next_step = if error.is_not_supported() || error.is_unknown_type() {
        format!("this kind of credentials gives no ID tokens here: {GET_CREDENTIALS}")
    } else if error.is_loading() {
        "check that GOOGLE_APPLICATION_CREDENTIALS names a file that this process can read, or unset it".to_owned()
    } else {
        "check that it is an unchanged credentials file as gcloud or the console wrote it"
            .to_owned()
    };
    let cause = shortened(
        &causes(error)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": "),
    );
    TokenError::permanent(format!("{origin} cannot be used: {cause}; {next_step}"))
}

/// A token request that failed.
pub(crate) fn failed(error: &CredentialsError, origin: &Origin) -> TokenError {
    let status = causes(error).find_map(|e| e.downcast_ref::<GaxError>()?.http_status_code());
    let cause = root_cause(error);
    // The name of the metadata server exists inside Google Cloud only: waiting does not help outside.
    let outside = origin.is_metadata_server() && is_unresolved(error);
    let message = match status {
        _ if outside => format!(
            "there are no Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, gcloud has \
             written none, and {origin} does not exist here; {GET_CREDENTIALS}"
        ),
        Some(status) => format!("{origin} answered HTTP {status}: {cause}"),
        None => format!("{origin} gave no ID token: {cause}"),
    };
    // A metadata server that is still starting answers 404 too.
    let starting = status == Some(404) && origin.is_metadata_server();
    if (error.is_transient() || starting) && !outside {
        TokenError::transient(message)
    } else {
        TokenError::permanent(message)
    }
}

/// The cause without google-cloud-auth's own wrapping, which says the same thing in several layers.
fn root_cause(error: &CredentialsError) -> String {
    let is_wrapping = |e: &&(dyn StdError + 'static)| {
        e.is::<CredentialsError>()
            || e.downcast_ref::<GaxError>()
                .is_some_and(GaxError::is_authentication)
    };
    let inner: Vec<String> = causes(error)
        .skip_while(is_wrapping)
        .map(ToString::to_string)
        .collect();
    if inner.is_empty() {
        let innermost = causes(error)
            .last()
            .map(ToString::to_string)
            .unwrap_or_default();
        let verdict = [
            " and future attempts will not succeed",
            " but future attempts may succeed",
        ];
        return verdict
            .iter()
            .fold(innermost, |text, verdict| text.replace(verdict, ""));
    }
    let mut text = String::new();
    for part in inner {
        if !text.contains(&part) {
            text = if text.is_empty() {
                part
            } else {
                format!("{text}: {part}")
            };
        }
    }
    shortened(&text)
}

/// A server's words without what may be a token among them. google-cloud-auth's error, which has them whole, is not
/// handed on as a source for the same reason.
fn shortened(text: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut shown = String::new();
    for piece in text.split_inclusive(|c: char| !in_token(c)) {
        let word = piece.trim_end_matches(|c: char| !in_token(c));
        let is_secret = word.len() >= 64 || word.contains("eyJ");
        shown += if is_secret { "[redacted]" } else { word };
        shown += &piece[word.len()..];
    }
    if let Some((end, _)) = shown.char_indices().nth(LONGEST_QUOTE) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

fn is_unresolved(error: &CredentialsError) -> bool {
    causes(error)
        .map(ToString::to_string)
        .any(|text| text.contains("dns error"))
}
