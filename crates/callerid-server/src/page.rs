//! The demo page at `/`, from inside the program: the files of `www/`, and the npm package under `/callerid/`.

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

/// What the page may do. Its scripts and styles are files of this server; it connects to whatever URL a person types,
/// and to nothing else by itself.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self'; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What is answered where the program was built without the page.
const NOT_BUILT: &str = "This program was built without its page.\n\n\
    `cargo xtask serve` builds the npm package and the page first. The API is here all the same.\n";

/// The package's core: without it the page is no page.
const CORE: &str = "/callerid/callerid.wasm";

/// A file of the page.
struct File {
    /// Its path on the server.
    path: &'static str,
    plain: Form,
    /// The same, compressed when the program was built; `None` where that makes it no shorter.
    gzip: Option<Form>,
}

/// A file as it is sent.
struct Form {
    /// Its entity tag, with the quotation marks: each form has one of its own, for they are not the same bytes.
    etag: &'static str,
    bytes: &'static [u8],
}

/// Every file, by path.
const FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// Answers a request for a file of the page; `None` where it is for something else.
pub(crate) fn respond(head: &Parts) -> Option<Response> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let file = find(head.uri.path())?;
    if file.path == "/" && find(CORE).is_none() {
        return Some(not_built());
    }
    let gzip = file.gzip.as_ref().filter(|_| accepts_gzip(&head.headers));
    let form = gzip.unwrap_or(&file.plain);
    let is_known = is_known(&head.headers, form.etag);
    let body = if is_known { Body::empty() } else { Body::from(form.bytes) };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    for (name, value) in headers_of(file, form) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if file.gzip.is_some() {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if gzip.is_some() && !is_known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

/// Whether `Accept-Encoding` has gzip, by its name or by `*`, and with a quality that is not 0.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut accepts_any = false;
    for coding in values.flat_map(|value| value.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let quality =
            weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
        let is_accepted = quality.and_then(|quality| quality.parse().ok()) != Some(0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return is_accepted,
            "*" => accepts_any = is_accepted,
            _ => {}
        }
    }
    accepts_any
}

/// Whether `If-None-Match` has that tag, which a proxy may have marked as weak, or `*`.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn find(path: &str) -> Option<&'static File> {
    FILES.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|at| FILES.get(at))
}

fn headers_of(file: &File, form: &Form) -> [(HeaderName, &'static str); 7] {
    [
        (CONTENT_TYPE, content_type(file.path)),
        (ETAG, form.etag),
        // Kept, and asked for again: names of files do not change with their content.
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ]
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "text/html; charset=utf-8",
    }
}

fn not_built() -> Response {
    let mut response = Response::new(Body::from(NOT_BUILT));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::Request;
    use axum::http::header::ACCEPT_ENCODING;

    use super::*;

    fn ask(method: &str, path: &str, known: Option<&str>) -> Option<Response> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(etag) = known {
            request = request.header(IF_NONE_MATCH, etag);
        }
        respond(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_file_comes_with_its_type_and_the_policy() {
        for (path, content_type) in [
            ("/page.js", "text/javascript; charset=utf-8"),
            ("/page.css?again", "text/css; charset=utf-8"),
            ("/icon.svg", "image/svg+xml"),
        ] {
            let response = ask("GET", path, None).unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
            assert!(!policy.contains("unsafe-inline"), "{policy}");
        }
    }

    #[test]
    fn the_page_is_there_or_says_how_it_comes_there() {
        let response = ask("GET", "/", None).unwrap();
        let is_built = find(CORE).is_some();
        let status = if is_built { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        assert_eq!(response.status(), status);
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let first = ask("GET", "/page.js", None).unwrap();
        let etag = first.headers()[ETAG].to_str().unwrap();
        for known in [etag, &format!("\"other\", {etag}")] {
            let again = ask("GET", "/page.js", Some(known)).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(again.headers()[ETAG], etag);
        }
        assert_eq!(ask("GET", "/page.js", Some("\"other\"")).unwrap().status(), StatusCode::OK);
    }

    #[test]
    fn a_file_is_sent_compressed_to_whoever_accepts_it() {
        let ask = |path: &str, headers: &[(HeaderName, &str)]| {
            let request = Request::builder().uri(path);
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
            respond(&request.body(()).unwrap().into_parts().0).unwrap()
        };
        let gzip = (ACCEPT_ENCODING, "br, gzip");
        let plain = ask("/page.js", &[]);
        let packed = ask("/page.js", std::slice::from_ref(&gzip));
        assert_eq!(plain.headers().get(CONTENT_ENCODING), None);
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        for response in [&plain, &packed] {
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        }
        let [plain, packed] =
            [plain, packed].map(|it| it.headers()[ETAG].to_str().unwrap().to_owned());
        assert_ne!(plain, packed);
        // Each form has its own tag; the other one's is not known.
        let weak = format!("W/{packed}");
        for (tag, accept, status) in [
            (&packed, Some(gzip.clone()), 304),
            (&weak, Some(gzip.clone()), 304),
            (&"*".to_owned(), Some(gzip.clone()), 304),
            (&plain, Some(gzip), 200),
            (&plain, None, 304),
            (&packed, None, 200),
        ] {
            let mut headers = vec![(IF_NONE_MATCH, tag.as_str())];
            headers.extend(accept);
            let response = ask("/page.js", &headers);
            assert_eq!(response.status(), status, "{headers:?}");
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            let is_packed = response.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_packed, status == 200 && headers.len() > 1, "{headers:?}");
        }
    }

    #[test]
    fn a_compressed_file_is_the_file() {
        for file in FILES {
            let Some(gzip) = &file.gzip else { continue };
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(gzip.bytes).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == file.plain.bytes, "{}", file.path);
            assert!(gzip.bytes.len() < file.plain.bytes.len(), "{}", file.path);
        }
    }

    #[test]
    fn everything_else_is_left_to_the_service() {
        for path in
            ["/2008-08-01/Accounts/AC/OutgoingCallerIds", "/_callerid/health", "/page", "/main.js"]
        {
            assert!(ask("GET", path, None).is_none(), "{path}");
        }
        assert!(ask("POST", "/", None).is_none());
    }

    #[test]
    fn the_page_knows_that_a_server_serves_it() {
        let script = std::str::from_utf8(find("/page.js").unwrap().plain.bytes).unwrap();
        assert!(script.contains("const host = { connection: \"server\" };"));
        assert!(!script.contains("const host = { connection: \"page\" };"));
    }

    /// Whatever a file of the page names is a file of the page.
    #[test]
    fn no_file_is_missing() {
        let is_built = find(CORE).is_some();
        let mut seen = 0;
        for file in FILES.iter().filter(|file| !file.path.ends_with(".wasm")) {
            let text = std::str::from_utf8(file.plain.bytes).unwrap();
            for named in names(text) {
                let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let path = format!("{folder}/{}", named.trim_start_matches("./"));
                if is_built || !path.starts_with("/callerid/") {
                    assert!(find(&path).is_some(), "{} names {path}", file.path);
                    seen += 1;
                }
            }
        }
        assert!(seen >= 5, "{seen}");
    }

    /// What a text loads: `from "./…"`, `import "./…"`, `href="…"`, `src="…"`.
    fn names(text: &str) -> impl Iterator<Item = &str> {
        ["from \"./", "import \"./", "href=\"", "src=\""].into_iter().flat_map(move |before| {
            text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).filter(|name| {
                !name.starts_with('#') && name.contains('.') && !name.contains(['$', ' '])
            })
        })
    }

    #[test]
    fn gzip_is_accepted_where_its_quality_is_not_zero() {
        let accepts = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT_ENCODING, value.parse().unwrap());
            }
            accepts_gzip(&headers)
        };
        for values in [
            &["gzip"][..],
            &["deflate, GZip;q=0.5 ,br"],
            &["br", "gzip"],
            &["*"],
            &["*;q=0, gzip"],
            &["gzip;q=nonsense"],
        ] {
            assert!(accepts(values), "{values:?}");
        }
        for values in [
            &[][..],
            &[""],
            &["identity"],
            &["gzip;q=0"],
            &["*, gzip; q=0.000"],
            &["*;q=0"],
            &["gzipped"],
        ] {
            assert!(!accepts(values), "{values:?}");
        }
    }
}
