//! The demo page at `/`. The program contains its files from `page/`, where `cargo xtask package
//! --dist` puts them: compressed, unless they are small.

use std::io::{self, Read as _};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};

/// The page's content security policy. Its scripts and styles are files of this server. It connects
/// only to the URL that the user enters.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self'; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The response if the program was built without the page.
const NOT_BUILT: &str = "This program was built without its page.\n\n\
    `cargo xtask serve` builds the npm package and the page first. The API is here all the same.\n";

#[derive(Embed)]
#[folder = "page"]
#[allow_missing = true]
struct Page;

/// Answers a request for a file of the page; `None` if the request is for something else.
pub(crate) fn respond(head: &Parts) -> Option<Response> {
    respond_from::<Page>(head)
}

fn respond_from<Files: Embed>(head: &Parts) -> Option<Response> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = match head.uri.path().strip_prefix('/')? {
        "" => "index.html",
        path => path,
    };
    let compressed = Files::get(&format!("{path}.gz"));
    let is_compressed = compressed.is_some();
    let Some(file) = compressed.or_else(|| Files::get(path)) else {
        return (head.uri.path() == "/").then(not_built);
    };
    let etag = etag(&file);
    let mut response = if is_known(&head.headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if !is_compressed {
        Body::from(file.data).into_response()
    } else if accepts_gzip(&head.headers) {
        ([(CONTENT_ENCODING, "gzip")], Body::from(file.data)).into_response()
    } else {
        Body::from(decompressed(&file.data).ok()?).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::try_from(etag).ok()?);
    for (name, value) in [
        (CONTENT_TYPE, content_type(path)),
        // Browsers cache the files but revalidate them, because file names do not change with their
        // content.
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept-encoding"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

/// Whether a client accepts a file as `cargo xtask package --dist` compressed it.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(',')).map(str::trim);
    // A coding with a weight is left to the layer that compresses all other responses.
    codings.any(|coding| coding == "gzip")
}

fn decompressed(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    GzDecoder::new(file).read_to_end(&mut decompressed)?;
    Ok(decompressed)
}

/// The file's entity tag. It is weak, because the file is the same whether compressed or not.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hash}\"")
}

/// Whether `If-None-Match` contains this tag, or `*`.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag == etag)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response {
    let text = (CONTENT_TYPE, "text/plain; charset=utf-8");
    (StatusCode::SERVICE_UNAVAILABLE, [text], NOT_BUILT).into_response()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use axum::http::Request;
    use flate2::Compression;
    use flate2::read::GzEncoder;
    use http_body_util::BodyExt as _;

    use super::*;

    /// The page's source files, which exist whether the page was built or not.
    #[derive(Embed)]
    #[folder = "../../www"]
    struct Www;

    fn ask(method: &str, path: &str, known: Option<&str>) -> Option<Response> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(etag) = known {
            request = request.header(IF_NONE_MATCH, etag);
        }
        respond_from::<Www>(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_file_comes_with_its_type_and_the_policy() {
        for (path, content_type) in [
            ("/", "text/html; charset=utf-8"),
            ("/main.js", "text/javascript; charset=utf-8"),
            ("/styles/base.css?again", "text/css; charset=utf-8"),
            ("/icon.svg", "image/svg+xml"),
        ] {
            let response = ask("GET", path, None).unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            assert_eq!(response.headers()[VARY], "accept-encoding");
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
            assert!(!policy.contains("unsafe-inline"), "{policy}");
        }
    }

    /// The same files, of which one is compressed.
    struct Compressed;

    impl Embed for Compressed {
        fn get(path: &str) -> Option<EmbeddedFile> {
            match path {
                "main.js" => None,
                "main.js.gz" => {
                    let file = Www::get("main.js")?;
                    let mut gzip = GzEncoder::new(file.data.as_ref(), Compression::fast());
                    let mut compressed = Vec::new();
                    gzip.read_to_end(&mut compressed).ok()?;
                    Some(EmbeddedFile { data: compressed.into(), ..file })
                }
                path => Www::get(path),
            }
        }

        fn iter() -> impl Iterator<Item = Cow<'static, str>> {
            Www::iter()
        }
    }

    #[tokio::test]
    async fn a_file_is_sent_compressed_to_those_who_accept_that() {
        for (path, accepted, is_compressed) in [
            ("/main.js", "gzip, deflate, br", true),
            ("/main.js", "br,gzip", true),
            ("/main.js", "br", false),
            ("/main.js", "gzip;q=0", false),
            ("/wire.js", "gzip", false),
        ] {
            let request = Request::builder().uri(path).header(ACCEPT_ENCODING, accepted);
            let head = request.body(()).unwrap().into_parts().0;
            let response = respond_from::<Compressed>(&head).unwrap();
            let headers = response.headers();
            let coding = is_compressed.then_some("gzip");
            let sent = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(sent, coding, "{path} {accepted}");
            assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_eq!(headers[ETAG], ask("GET", path, None).unwrap().headers()[ETAG]);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = if is_compressed { decompressed(&body).unwrap() } else { body.to_vec() };
            let file = Www::get(path.trim_start_matches('/')).unwrap();
            assert_eq!(body, file.data.as_ref(), "{path} {accepted}");
        }
    }

    #[test]
    fn the_page_is_there_or_says_how_it_comes_there() {
        let request = Request::builder().uri("/").body(()).unwrap().into_parts().0;
        let is_built = Page::get("index.html.gz").is_some();
        let status = if is_built { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert_eq!(respond(&request).unwrap().status(), status);
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let first = ask("GET", "/main.js", None).unwrap();
        let etag = first.headers()[ETAG].to_str().unwrap();
        // All encodings share one tag; a weak tag allows their bytes to differ.
        assert!(etag.starts_with("W/\""), "{etag}");
        for known in [etag, "*", &format!("\"other\", {etag}")] {
            let again = ask("GET", "/main.js", Some(known)).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            for name in [ETAG, VARY] {
                assert_eq!(again.headers()[&name], first.headers()[&name]);
            }
        }
        assert_eq!(ask("GET", "/main.js", Some("\"other\"")).unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn everything_else_is_left_to_the_service() {
        for path in
            ["/2008-08-01/Accounts/AC/OutgoingCallerIds", "/_callerid/health", "/page", "/styles"]
        {
            assert!(ask("GET", path, None).is_none(), "{path}");
        }
        assert!(ask("POST", "/", None).is_none());
    }
}
