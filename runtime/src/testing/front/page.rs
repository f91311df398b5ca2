//! Small HTML pages of the shape that Google's front ends answer with.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;
use tonic::body::Body;

/// An answer with `status` and an HTML page; a 401 says what is wrong as RFC 6750 has it.
pub(super) fn page(status: u16, path: &str) -> Response<Body> {
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::new(Full::new(Bytes::from(html(status, path)))));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=UTF-8"),
    );
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer error=\"invalid_token\" error_description=\"The token could not be verified\"",
            ),
        );
    }
    response
}

fn html(status: StatusCode, path: &str) -> String {
    let code = status.as_u16();
    let reason = status.canonical_reason().unwrap_or("Error");
    let sentence = match code {
        401 => "The token that came with the request was not accepted",
        403 => "The client may not ask for this",
        404 => "There is nothing here by that name",
        429 => "Too many requests came in at once, and there was no instance to take this one",
        503 => "The service cannot take the request now",
        504 => "The service took too long to answer",
        _ => "The request could not be served",
    };
    let path = path
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "\n<html><head>\n\
         <meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n\
         <title>{code} {reason}</title>\n\
         </head>\n\
         <body text=#000000 bgcolor=#ffffff>\n\
         <h1>Error: {reason}</h1>\n\
         <h2>{sentence}: <code>{path}</code>.</h2>\n\
         <h2></h2>\n\
         </body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{html, page};
    use http::StatusCode;

    #[test]
    fn a_path_cannot_break_the_page() {
        let html = html(StatusCode::FORBIDDEN, "/<b>&");
        assert!(html.contains("<code>/&lt;b&gt;&amp;</code>"), "{html}");
    }

    #[test]
    fn numbers_that_are_no_final_status_become_500() {
        for status in [0, 99, 100, 199, 600, 1000, u16::MAX] {
            assert_eq!(page(status, "/").status(), 500, "{status}");
        }
        assert_eq!(page(200, "/").status(), 200);
        assert_eq!(page(599, "/").status(), 599);
    }
}
