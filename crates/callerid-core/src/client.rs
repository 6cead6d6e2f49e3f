//! The other side: builds requests, reads responses, moves no bytes itself.
//!
//! A [`Client`] makes a [`ClientRequest`] for each of the API's operations. Send it with whatever HTTP client there is,
//! and give what comes back to [`ClientRequest::read`], which knows what answer belongs to it:
//!
//! ```
//! use callerid_core::client::{Client, ClientError};
//! use callerid_core::{Account, AccountSid, AuthToken, Credentials, Entropy, Moment};
//! use callerid_core::{MemoryStore, NewCallerId, PhoneNumber, Service};
//! # fn wait<T>(future: impl Future<Output = T>) -> T {
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     match std::pin::pin!(future).poll(&mut context) {
//! #         std::task::Poll::Ready(output) => output,
//! #         std::task::Poll::Pending => unreachable!("a store in memory never waits"),
//! #     }
//! # }
//!
//! let sid = AccountSid::parse("AC309475e5fede1b49e100272a8640f438")?;
//! let auth_token = AuthToken::new("2ab10d3c8f")?;
//! let client = Client::new(Credentials { sid, auth_token: auth_token.clone() }, "http://127.0.0.1:8008")?;
//!
//! let request = client.create(&NewCallerId::new(PhoneNumber::parse("(415) 867-5309")?))?;
//! assert_eq!(request.method(), "POST");
//! assert_eq!(
//!     request.url(),
//!     "http://127.0.0.1:8008/2008-08-01/Accounts/AC309475e5fede1b49e100272a8640f438/OutgoingCallerIds"
//! );
//! assert_eq!(request.body(), "PhoneNumber=4158675309");
//!
//! // Here a service in the same process stands for the network.
//! let service = Service::new(MemoryStore::new([Account { sid, auth_token }]));
//! let now = Moment::from_unix_millis(1_207_074_392_000);
//! let reply = wait(service.respond(&request.as_http(), now, &Entropy::new([7; Entropy::BYTES])));
//! let response = reply.response;
//!
//! let answer = request.read(response.status, response.header("content-type"), &response.body)?;
//! println!("Key {} when your phone rings.", answer.validation_code.expose());
//! # assert_eq!(answer.phone_number.as_str(), "4158675309");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It speaks the version of the API that [`Client::with_version`] says, XML in both.

use std::fmt;

use crate::form::push_encoded;
use crate::http::{Request, essence, split_scheme};
use crate::representation::{Decoded, InvalidDocument, ReceivedPage, xml};
use crate::text::{digits, joined, put, quoted, rsplit_once, split_at, split_once};
use crate::{
    ApiVersion, CallDelay, CallerIdSid, Credentials, ErrorCode, Filter, FriendlyName, NewCallerId,
    OutgoingCallerId, PageRequest, RestException, ValidationRequest,
};

/// Makes the requests of one account to one service.
#[derive(Clone, Debug)]
pub struct Client {
    credentials: Credentials,
    origin: String,
    version: ApiVersion,
}

/// Where the vendor's own service is. It no longer answers as 2008-08-01.
const VENDOR: &str = "https://api.twilio.com";

impl Client {
    /// A client of the service at `base_url`: `http://` or `https://`, a host, and a port where it needs one. There is
    /// no path to it, for the addresses of pages that the service gives begin at the root.
    ///
    /// It speaks 2008-08-01; to the vendor's own service, 2010-04-01.
    ///
    /// Every request carries the credentials: over `http://`, whoever is on the way can read them.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] for anything else.
    pub fn new(credentials: Credentials, base_url: &str) -> Result<Self, InvalidBaseUrl> {
        match split_origin(base_url) {
            Some((origin, "" | "/")) => {
                let version = if origin == VENDOR { ApiVersion::V2010 } else { ApiVersion::V2008 };
                Ok(Self { credentials, origin, version })
            }
            // What stands before an @ may be a password.
            _ => Err(InvalidBaseUrl {
                url: excerpt(rsplit_once(base_url, b'@').map_or(base_url, |(_, host)| host)),
            }),
        }
    }

    /// Scheme, host and port of every request's address.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The same client, speaking that version of the API.
    #[must_use]
    pub fn with_version(self, version: ApiVersion) -> Self {
        Self { version, ..self }
    }

    /// Lists the account's caller IDs that match, a page at a time. A page is asked for by its number;
    /// [`PageRequest::after`] is for stores.
    pub fn list(&self, filter: &Filter, page: PageRequest) -> ClientRequest<ReceivedPage> {
        let target = self.list_target(filter, page.number, page.size.rows());
        self.request("GET", target, self::page)
    }

    /// The page after one that was received, `None` after the last: by the address that the service gave for
    /// it, or by its number where the service gave none. `filter` is that of the first page.
    ///
    /// # Errors
    /// [`ClientError::PageAddress`] as for [`page_at`](Self::page_at), and for a page whose next page is itself.
    pub fn next_page(
        &self,
        filter: &Filter,
        page: &ReceivedPage,
    ) -> Result<Option<ClientRequest<ReceivedPage>>, ClientError> {
        let ReceivedPage { list, stated_pages, .. } = page;
        if !list.uris.next.is_empty() {
            if list.uris.next == list.uris.this {
                return Err(ClientError::PageAddress { uri: excerpt(&list.uris.next) });
            }
            return self.page_at(&list.uris.next).map(Some);
        }
        let next = list.page.number.saturating_add(1);
        let pages = stated_pages.unwrap_or_else(|| list.page.pages());
        Ok((next < pages).then(|| {
            let target = self.list_target(filter, next, list.page.size);
            self.request("GET", target, self::page)
        }))
    }

    /// The page at an address that the service gave: a path, or a URL of the same scheme, host and port as the
    /// client's.
    ///
    /// # Errors
    /// [`ClientError::PageAddress`] for any other address: a request there would show the credentials to somebody
    /// else.
    pub fn page_at(&self, uri: &str) -> Result<ClientRequest<ReceivedPage>, ClientError> {
        let path = match split_origin(uri) {
            Some((origin, path)) if origin == self.origin => path,
            Some(_) => "",
            None => uri,
        };
        // A second slash would make what follows a host, and so would a backslash for some clients.
        let is_path = path.starts_with('/') && !path.starts_with("//");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
        if is_path && path.bytes().all(is_plain) {
            Ok(self.request("GET", path.to_owned(), page))
        } else {
            Err(ClientError::PageAddress { uri: excerpt(uri) })
        }
    }

    /// Fetches one caller ID.
    pub fn fetch(&self, sid: &CallerIdSid) -> ClientRequest<OutgoingCallerId> {
        self.request("GET", self.instance_path(sid), caller_id)
    }

    /// Begins the validation of a number. The answer has the code to show; the phone rings after the delay.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] for an extension or a status callback where the version has none: the service would
    /// pass over them without a word.
    pub fn create(
        &self,
        new: &NewCallerId,
    ) -> Result<ClientRequest<ValidationRequest>, ClientError> {
        let number = self.version.write_number(&new.phone_number);
        let delay = digits(new.call_delay.seconds());
        let mut fields = vec![(PHONE_NUMBER, number.as_str())];
        fields.extend(new.friendly_name.as_ref().map(|name| (FRIENDLY_NAME, name.as_str())));
        if new.call_delay != CallDelay::default() {
            fields.push((CALL_DELAY, &delay));
        }
        fields.extend(new.extension.as_ref().map(|extension| (EXTENSION, extension.as_str())));
        if let Some(callback) = &new.status_callback {
            let method = callback.method().as_str();
            fields.extend([(STATUS_CALLBACK, callback.url()), (STATUS_CALLBACK_METHOD, method)]);
        }
        let version = self.version;
        if let Some((parameter, _)) = fields.iter().find(|(name, _)| !version.takes(name)) {
            return Err(ClientError::Unsupported { parameter, version });
        }
        Ok(self.request("POST", self.list_path(), validation_request).with_form(&fields))
    }

    /// Renames a caller ID, `None` to its default name. The answer is the caller ID as it is now.
    pub fn update(
        &self,
        sid: &CallerIdSid,
        name: Option<&FriendlyName>,
    ) -> ClientRequest<OutgoingCallerId> {
        let name = name.map(FriendlyName::as_str).unwrap_or_default();
        self.request("POST", self.instance_path(sid), caller_id).with_form(&[(FRIENDLY_NAME, name)])
    }

    /// Deletes a caller ID.
    pub fn delete(&self, sid: &CallerIdSid) -> ClientRequest<()> {
        self.request("DELETE", self.instance_path(sid), nothing)
    }

    fn request<T>(
        &self,
        method: &'static str,
        target: String,
        answer: ReadAnswer<T>,
    ) -> ClientRequest<T> {
        let authorization = self.credentials.to_authorization();
        ClientRequest {
            method,
            url: joined(&[self.origin.as_str(), &target]),
            origin_length: self.origin.len(),
            headers: vec![("authorization", authorization), ("accept", ACCEPT.to_owned())],
            body: String::new(),
            answer,
        }
    }
}

/// A request that is answered with a `T`.
pub struct ClientRequest<T> {
    method: &'static str,
    url: String,
    origin_length: usize,
    headers: Vec<(&'static str, String)>,
    body: String,
    answer: ReadAnswer<T>,
}

impl<T> ClientRequest<T> {
    /// The method: `GET`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The whole address: `http://127.0.0.1:8008/2008-08-01/…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address without scheme, host and port: `/2008-08-01/…`.
    pub fn target(&self) -> &str {
        self.url.get(self.origin_length..).unwrap_or_default()
    }

    /// The headers, names in lower case. `Host` and `Content-Length` are for whoever sends them. One of them carries
    /// the credentials.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The body; empty where there is none.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The request as a [`Service`](crate::Service) in the same process takes it.
    pub fn as_http(&self) -> Request<'_> {
        let (path, query) = split_once(self.target(), b'?').unwrap_or((self.target(), ""));
        Request {
            method: self.method,
            path,
            query,
            authorization: self.header("authorization"),
            content_type: self.header("content-type"),
            body: self.body.as_bytes(),
        }
    }

    fn with_form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form(fields);
        self.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        self
    }

    /// Reads the response: its status, the value of its `Content-Type` header, and its body.
    ///
    /// # Errors
    /// [`ClientError`]: what the service says is wrong, or that the response is none of this API's.
    pub fn read(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<T, ClientError> {
        let response = Response { status, content_type, body };
        if response.is_success() { (self.answer)(&response) } else { Err(response.refusal()) }
    }
}

/// Shows everything but the credentials.
impl<T> fmt::Debug for ClientRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Reads what a request is answered with where it succeeds.
type ReadAnswer<T> = fn(&Response<'_>) -> Result<T, ClientError>;

fn page(response: &Response<'_>) -> Result<ReceivedPage, ClientError> {
    match response.document()? {
        Decoded::CallerIds(page) => Ok(page),
        _ => Err(response.unexpected()),
    }
}

fn caller_id(response: &Response<'_>) -> Result<OutgoingCallerId, ClientError> {
    match response.document()? {
        Decoded::CallerId(caller_id) => Ok(caller_id),
        _ => Err(response.unexpected()),
    }
}

fn validation_request(response: &Response<'_>) -> Result<ValidationRequest, ClientError> {
    match response.document()? {
        Decoded::ValidationRequest(request) => Ok(request),
        _ => Err(response.unexpected()),
    }
}

fn nothing(response: &Response<'_>) -> Result<(), ClientError> {
    const NO_CONTENT: u16 = 204;
    if response.status == NO_CONTENT { Ok(()) } else { Err(response.unexpected()) }
}

/// A response that is being read.
#[derive(Clone, Copy)]
struct Response<'a> {
    status: u16,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

impl Response<'_> {
    fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The document of a success.
    fn document(&self) -> Result<Decoded, ClientError> {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => Err(ClientError::Service(exception)),
            Some(decoded) => decoded.map_err(ClientError::InvalidDocument),
            None => Err(self.unexpected()),
        }
    }

    /// What a response that is no success says.
    fn refusal(&self) -> ClientError {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => ClientError::Service(exception),
            _ => self.unexpected(),
        }
    }

    fn unexpected(&self) -> ClientError {
        // The body of a success may have a validation code in it, which an error must not carry into a log.
        let shown = if self.is_success() { &[] } else { self.body };
        let beginning = shown.get(..EXCERPT_CHARS.saturating_mul(4)).unwrap_or(shown);
        ClientError::Unexpected {
            status: self.status,
            content_type: self.content_type.map(excerpt),
            text: excerpt(readable(beginning)),
        }
    }
}

/// How much of a text that may be of any length an error repeats.
const EXCERPT_CHARS: usize = 200;

fn excerpt(text: &str) -> String {
    crate::text::excerpt(text, EXCERPT_CHARS).to_owned()
}

/// What can be read of bytes: up to the first that is no UTF-8.
fn readable(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes)
        .or_else(|error| std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()))
        .unwrap_or_default()
}

/// A URL's scheme, host and port, in the one form that can be compared, and what follows them. `None` for what is
/// no such URL, also for one with a user's name in it.
fn split_origin(url: &str) -> Option<(String, &str)> {
    let (scheme, rest) = split_scheme(url)?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let (authority, target) = split_at(rest, b"/?#");
    let authority = authority.to_ascii_lowercase();
    let host = authority.strip_suffix(default_port).unwrap_or(&authority);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || host.starts_with(":") || !host.bytes().all(is_host) {
        return None;
    }
    Some((joined(&[&scheme, "://", host]), target))
}

/// A text that is no base URL for a [`Client`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBaseUrl {
    url: String,
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected =
            " is no base URL: expected http:// or https://, a host, perhaps a port, and no path";
        put(f, &[&quoted(&self.url), expected])
    }
}

impl std::error::Error for InvalidBaseUrl {}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The service refused it, or failed.
    Service(RestException),
    /// The response is none of this API's: a proxy's, perhaps, or another service's.
    Unexpected {
        /// Its HTTP status.
        status: u16,
        /// Its content type, where it has one.
        content_type: Option<String>,
        /// How its body begins; empty for a success.
        text: String,
    },
    /// The response is a success, but not a document that can be read.
    InvalidDocument(InvalidDocument),
    /// The service gave an address for a page that is not followed.
    PageAddress {
        /// The address.
        uri: String,
    },
    /// The request cannot be made in the version of the API that the client speaks.
    Unsupported {
        /// The parameter that the version does not have.
        parameter: &'static str,
        /// The version.
        version: ApiVersion,
    },
}

impl ClientError {
    /// The service's code for what is wrong, where it gave one.
    pub fn code(&self) -> Option<u32> {
        self.exception()?.code
    }

    /// The error that the service's code stands for, where it gave one that is known.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.exception()?.error_code()
    }

    /// What the service says is wrong.
    pub fn exception(&self) -> Option<&RestException> {
        match self {
            Self::Service(exception) => Some(exception),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(exception) => exception.fmt(f),
            Self::Unexpected { status, content_type, text } => {
                let content_type = content_type.as_deref().unwrap_or("nothing said");
                let (status, content_type) = (digits(*status), quoted(content_type));
                let what = "the response is not of this API: HTTP ";
                put(f, &[what, &status, ", content type ", &content_type])?;
                if text.is_empty() { Ok(()) } else { put(f, &[", begins ", &quoted(text)]) }
            }
            Self::InvalidDocument(error) => {
                put(f, &["the response cannot be read: ", &error.to_string()])
            }
            Self::PageAddress { uri } => {
                let what = " of a page is not another page of the same service";
                put(f, &["the address ", &quoted(uri), what])
            }
            Self::Unsupported { parameter, version } => {
                let (version, newer) = (version.as_str(), ApiVersion::V2010.as_str());
                put(f, &["the API's version ", version, " has no ", parameter, "; ", newer, " has"])
            }
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(exception) => Some(exception),
            Self::InvalidDocument(error) => Some(error),
            _ => None,
        }
    }
}

impl From<InvalidDocument> for ClientError {
    fn from(error: InvalidDocument) -> Self {
        Self::InvalidDocument(error)
    }
}

const ACCEPT: &str = "application/xml";
const PHONE_NUMBER: &str = "PhoneNumber";
const FRIENDLY_NAME: &str = "FriendlyName";
const CALL_DELAY: &str = "CallDelay";
const EXTENSION: &str = "Extension";
const STATUS_CALLBACK: &str = "StatusCallback";
const STATUS_CALLBACK_METHOD: &str = "StatusCallbackMethod";

impl Client {
    fn list_path(&self) -> String {
        self.version.list_path(&self.credentials.sid)
    }

    fn instance_path(&self, sid: &CallerIdSid) -> String {
        joined(&[&self.list_path(), "/", sid.as_str()])
    }

    fn list_target(&self, filter: &Filter, number: u64, size: u32) -> String {
        let [page, page_size] = self.version.page_parameters();
        let (number, size) = (digits(number), digits(size));
        let phone_number = filter.phone_number.map(|number| self.version.write_number(&number));
        let mut fields = vec![(page, number.as_str()), (page_size, size.as_str())];
        fields.extend(phone_number.as_deref().map(|number| (PHONE_NUMBER, number)));
        fields.extend(filter.friendly_name.as_ref().map(|name| (FRIENDLY_NAME, name.as_str())));
        joined(&[&self.list_path(), "?", &form(&fields)])
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        push_encoded(&mut form, name);
        form.push('=');
        push_encoded(&mut form, value);
    }
    form
}

impl Response<'_> {
    /// The document in the body; `None` where it claims to be in another format.
    fn decode(&self) -> Option<Result<Decoded, InvalidDocument>> {
        let is_xml = self.content_type.map(essence).is_none_or(|essence| {
            let essence = essence.to_ascii_lowercase();
            essence.ends_with("/xml") || essence.ends_with("+xml")
        });
        is_xml.then(|| xml::decode(self.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::representation::{CallerIdPage, PageUris};
    use crate::{
        AccountSid, AuthToken, CallExtension, CallbackMethod, Page, PageSize, PhoneNumber,
        StatusCallback,
    };

    const ACCOUNT: &str = "AC309475e5fede1b49e100272a8640f438";

    fn credentials() -> Credentials {
        let sid = AccountSid::parse(ACCOUNT).unwrap();
        Credentials { sid, auth_token: AuthToken::new("secret").unwrap() }
    }

    fn client() -> Client {
        Client::new(credentials(), "http://127.0.0.1:8008/").unwrap()
    }

    fn sid() -> CallerIdSid {
        CallerIdSid::parse("PNe536dfda7c6184afab78d980cb8cdf43").unwrap()
    }

    fn received(uris: PageUris, number: u64, total: u64) -> ReceivedPage {
        let page = Page { items: Vec::new(), number, size: 50, total, more: false };
        let list = CallerIdPage { page, uris };
        ReceivedPage {
            list,
            stated_pages: None,
            stated_total: Some(total),
            stated_start: None,
            stated_end: None,
        }
    }

    fn next(uri: &str) -> Result<Option<ClientRequest<ReceivedPage>>, ClientError> {
        let uris = PageUris { next: uri.into(), ..PageUris::default() };
        client().next_page(&Filter::default(), &received(uris, 0, 0))
    }

    #[test]
    fn each_operation_has_its_method_and_address() {
        let instance = format!(
            "/2008-08-01/Accounts/{ACCOUNT}/OutgoingCallerIds/PNe536dfda7c6184afab78d980cb8cdf43"
        );
        let fetch = client().fetch(&sid());
        assert_eq!((fetch.method(), fetch.target(), fetch.body()), ("GET", instance.as_str(), ""));
        assert_eq!(fetch.url(), format!("http://127.0.0.1:8008{instance}"));
        assert_eq!(fetch.header("content-type"), None);
        let delete = client().delete(&sid());
        assert_eq!((delete.method(), delete.target()), ("DELETE", instance.as_str()));
        let update = client().update(&sid(), Some(&FriendlyName::new("Bob & Sons +1é").unwrap()));
        assert_eq!((update.method(), update.target()), ("POST", instance.as_str()));
        assert_eq!(update.body(), "FriendlyName=Bob+%26+Sons+%2B1%C3%A9");
        assert_eq!(update.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(client().update(&sid(), None).body(), "FriendlyName=");
        for request in [fetch, update] {
            assert_eq!(
                request.header("authorization"),
                Some(credentials().to_authorization().as_str())
            );
            assert_eq!(request.header("accept"), Some("application/xml"));
        }
    }

    #[test]
    fn the_newer_version_has_its_own_paths_names_and_numbers() {
        let client = client().with_version(ApiVersion::V2010);
        let number = PhoneNumber::parse("4158675309").unwrap();
        let filter = Filter { phone_number: Some(number), friendly_name: None };
        let list = format!("/2010-04-01/Accounts/{ACCOUNT}/OutgoingCallerIds");
        assert_eq!(
            client.list(&filter, PageRequest::default()).target(),
            format!("{list}?Page=0&PageSize=50&PhoneNumber=%2B14158675309")
        );
        let callback = StatusCallback::new("https://example.com/", CallbackMethod::Get).unwrap();
        let new = NewCallerId {
            extension: Some(CallExtension::new("w12").unwrap()),
            status_callback: Some(callback),
            ..NewCallerId::new(number)
        };
        assert_eq!(
            client.create(&new).unwrap().body(),
            "PhoneNumber=%2B14158675309&Extension=w12&StatusCallback=https%3A%2F%2Fexample.com%2F\
             &StatusCallbackMethod=GET"
        );
        let error = client.with_version(ApiVersion::V2008).create(&new).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the API's version 2008-08-01 has no Extension; 2010-04-01 has"
        );
        let vendor = Client::new(credentials(), "https://api.twilio.com").unwrap();
        assert!(vendor.fetch(&sid()).target().starts_with("/2010-04-01/"));
    }

    #[test]
    fn a_create_carries_what_was_given() {
        let mut new = NewCallerId::new(PhoneNumber::parse("4158675309").unwrap());
        assert_eq!(client().create(&new).unwrap().body(), "PhoneNumber=4158675309");
        new.friendly_name = Some(FriendlyName::new("My Home").unwrap());
        new.call_delay = CallDelay::new(5).unwrap();
        let body = "PhoneNumber=4158675309&FriendlyName=My+Home&CallDelay=5";
        assert_eq!(client().create(&new).unwrap().body(), body);
    }

    #[test]
    fn pages_are_followed_by_their_address_or_counted_where_there_is_none() {
        let filter = Filter {
            phone_number: Some(PhoneNumber::parse("4158675309").unwrap()),
            friendly_name: Some(FriendlyName::new("a=b").unwrap()),
        };
        let list = format!("/2008-08-01/Accounts/{ACCOUNT}/OutgoingCallerIds");
        let page = PageRequest { number: 2, size: PageSize::new(7).unwrap(), after: None };
        let query = "PhoneNumber=4158675309&FriendlyName=a%3Db";
        assert_eq!(client().list(&filter, page).target(), format!("{list}?page=2&num=7&{query}"));

        let counted = |number, total| {
            let page = received(PageUris::default(), number, total);
            client().next_page(&filter, &page).unwrap().map(|next| next.target().to_owned())
        };
        assert_eq!(counted(0, 51), Some(format!("{list}?page=1&num=50&{query}")));
        assert_eq!((counted(1, 51), counted(0, 50), counted(u64::MAX, 0)), (None, None, None));

        let followed = next("/2008-08-01/x?page=1&num=50&PageToken=PA").unwrap().unwrap();
        assert_eq!(followed.url(), "http://127.0.0.1:8008/2008-08-01/x?page=1&num=50&PageToken=PA");
        let absolute = next("HTTP://127.0.0.1:8008/x").unwrap().unwrap();
        assert_eq!(absolute.url(), "http://127.0.0.1:8008/x");
    }

    #[test]
    fn the_credentials_go_to_no_other_host() {
        for uri in [
            "http://evil.example/x",
            "https://127.0.0.1:8008/x",
            "http://127.0.0.1/x",
            "http://127.0.0.1:8008@evil.example/x",
            "http://127.0.0.1:8008.evil.example/x",
            "http://127.0.0.1:8008",
            "http://127.0.0.1:8008?x",
            "http:///x",
            "//evil.example/x",
            "/\\evil.example/x",
            "http://127.0.0.1:8008//evil.example/",
            "@evil.example/x",
            ".evil.example/x",
            "?page=1",
            "x",
            " /x",
            "/x HTTP/1.1\r\nhost: evil.example",
            "/x\ty",
            "/é",
            "/x#y",
            "javascript:alert(1)",
            "ftp://127.0.0.1:8008/x",
        ] {
            let error = next(uri).err();
            assert_eq!(error, Some(ClientError::PageAddress { uri: uri.into() }), "{uri}");
        }
        let uris = PageUris { this: "/x".into(), next: "/x".into(), ..PageUris::default() };
        let own = client().next_page(&Filter::default(), &received(uris, 0, 0));
        assert!(own.is_err(), "a page that is its own next is an endless list");
    }

    #[test]
    fn a_base_url_is_a_scheme_a_host_and_a_port() {
        for (text, origin) in [
            ("http://localhost", "http://localhost"),
            ("HTTPS://API.Example:443/", "https://api.example"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://example:80", "https://example:80"),
        ] {
            assert_eq!(Client::new(credentials(), text).unwrap().origin, origin);
        }
        for text in [
            "",
            "localhost",
            "ftp://a",
            "http://",
            "http://:80",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
        ] {
            assert!(Client::new(credentials(), text).is_err(), "{text}");
        }
        assert_eq!(
            Client::new(credentials(), "localhost:8008").unwrap_err().to_string(),
            "\"localhost:8008\" is no base URL: expected http:// or https://, a host, perhaps a port, and no path"
        );
    }

    #[test]
    fn a_refusal_is_what_the_service_says() {
        let body = b"<TwilioResponse><RestException><Status>400</Status><Message>Invalid FriendlyName</Message>\
            <Code>20002</Code><MoreInfo/></RestException></TwilioResponse>";
        for status in [200, 400] {
            let error =
                client().fetch(&sid()).read(status, Some("application/xml"), body).unwrap_err();
            assert_eq!(
                (error.code(), error.error_code()),
                (Some(20002), Some(ErrorCode::InvalidFriendlyName))
            );
            assert_eq!(error.to_string(), "Invalid FriendlyName (HTTP 400, code 20002)");
        }
    }

    #[test]
    fn a_response_of_something_else_is_told_apart() {
        let fetch = client().fetch(&sid());
        let error = fetch.read(502, Some("text/html"), b"<html>Bad gateway").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the response is not of this API: HTTP 502, content type \"text/html\", begins \"<html>Bad gateway\""
        );
        assert_eq!((error.code(), error.exception()), (None, None));
        let error = fetch.read(503, None, &[0xff; 10_000]).unwrap_err();
        assert!(error.to_string().len() < 1000, "{error}");
        let error = fetch.read(302, None, b"").unwrap_err();
        assert!(matches!(error, ClientError::Unexpected { status: 302, .. }));
        let error =
            fetch.read(200, Some("text/xml; charset=utf-8"), b"<TwilioResponse>").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the response cannot be read: an element is not closed (at byte 16)"
        );
        assert!(client().delete(&sid()).read(200, Some("text/html"), b"Sign in").is_err());
        assert_eq!(client().delete(&sid()).read(204, None, b""), Ok(()));
    }

    #[test]
    fn neither_the_token_nor_a_code_is_in_debug_output_or_errors() {
        let new = NewCallerId::new(PhoneNumber::parse("4158675309").unwrap());
        let create = client().create(&new).unwrap();
        let authorization = credentials().to_authorization();
        let shown = format!("{create:?} {:?}", client());
        assert!(!shown.contains(&authorization) && !shown.contains("secret"), "{shown}");
        let error = create.read(200, Some("application/json"), b"{\"validation_code\":\"424242\"}");
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("424242"), "{error}");
    }
}
