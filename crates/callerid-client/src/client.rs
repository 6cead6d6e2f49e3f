//! The client: its requests and their addresses.

use callerid_core::representation::ReceivedPage;
use callerid_core::{
    AccountSid, ApiVersion, CallDelay, CallerIdSid, Credentials, Filter, FriendlyName, NewCallerId,
    OutgoingCallerId, PageRequest, PhoneNumber, StatusCallback, ValidationRequest, form,
};

use crate::address::{BaseUrl, InvalidBaseUrl};
use crate::error::{ClientError, excerpt};
use crate::request::{self, ClientRequest, ReadAnswer, caller_id, nothing, validation_request};

const PHONE_NUMBER: &str = "PhoneNumber";
const FRIENDLY_NAME: &str = "FriendlyName";
const CALL_DELAY: &str = "CallDelay";
const EXTENSION: &str = "Extension";
const STATUS_CALLBACK: &str = "StatusCallback";
const STATUS_CALLBACK_METHOD: &str = "StatusCallbackMethod";

/// Makes the requests of one account to one service.
#[derive(Clone, Debug)]
pub struct Client {
    account_sid: AccountSid,
    credentials: Option<Credentials>,
    base_url: BaseUrl,
    version: ApiVersion,
}

/// Twilio's own service, which no longer supports 2008-08-01.
const TWILIO: &str = "https://api.twilio.com";

impl Client {
    /// Creates a client for the service at `base_url`: `http://` or `https://`, a host, optionally a
    /// port, and optionally a path, which precedes the API's paths.
    ///
    /// The client uses API version 2008-08-01, or 2010-04-01 for Twilio's own service.
    ///
    /// Every request carries the credentials. Over `http://`, anyone on the network path can read
    /// them.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] if `base_url` is not of this form.
    pub fn new(credentials: Credentials, base_url: &str) -> Result<Self, InvalidBaseUrl> {
        let client = Self::without_credentials(credentials.sid, base_url)?;
        Ok(Self { credentials: Some(credentials), ..client })
    }

    /// Creates a client whose requests carry no credentials, because a proxy at `base_url` adds
    /// them: so they need not be where the client is. Otherwise it is as [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn without_credentials(
        account_sid: AccountSid,
        base_url: &str,
    ) -> Result<Self, InvalidBaseUrl> {
        let base_url = BaseUrl::parse(base_url)?;
        let version = if base_url.origin == TWILIO { ApiVersion::V2010 } else { ApiVersion::V2008 };
        Ok(Self { account_sid, credentials: None, base_url, version })
    }

    /// The scheme, host and port of all requests.
    pub fn origin(&self) -> &str {
        &self.base_url.origin
    }

    /// The origin and the path that precedes the API's paths, without a slash at its end.
    pub fn base_url(&self) -> String {
        self.base_url.to_string()
    }

    /// The same client, using this version of the API.
    #[must_use]
    pub fn with_version(self, version: ApiVersion) -> Self {
        Self { version, ..self }
    }

    /// Lists the account's caller IDs that match the filter, one page at a time. The page is
    /// selected by number; [`PageRequest::cursor`] is only for stores.
    pub fn list(&self, filter: &Filter, page: PageRequest) -> ClientRequest<ReceivedPage> {
        let target = self.page_target(filter, page.number, page.size.rows());
        self.request("GET", &target, request::page)
    }

    /// Requests the page after a received page; `None` after the last page. Uses the address that
    /// the service returned for it, or the page number if there was none. `filter` is the filter of
    /// the first page.
    ///
    /// # Errors
    /// [`ClientError::PageAddress`], as for [`page_at`](Self::page_at), and if the next page of a
    /// page is the page itself.
    pub fn next_page(
        &self,
        filter: &Filter,
        received: &ReceivedPage,
    ) -> Result<Option<ClientRequest<ReceivedPage>>, ClientError> {
        let ReceivedPage { page, uris, stated_pages, .. } = received;
        if !uris.next.is_empty() {
            if uris.next == uris.this {
                return Err(ClientError::PageAddress { uri: excerpt(&uris.next) });
            }
            return self.page_at(&uris.next).map(Some);
        }
        // Rows added in the meantime make it look as if more pages follow.
        if !uris.this.is_empty() {
            return Ok(None);
        }
        let next = page.number.saturating_add(1);
        let pages = stated_pages.unwrap_or_else(|| page.pages());
        Ok((next < pages).then(|| {
            let target = self.page_target(filter, next, page.size);
            self.request("GET", &target, request::page)
        }))
    }

    /// Requests the page at an address that the service returned: a path, or a URL with the
    /// client's scheme, host and port.
    ///
    /// # Errors
    /// [`ClientError::PageAddress`] for any other address, because a request to it would reveal the
    /// credentials to a third party.
    pub fn page_at(&self, uri: &str) -> Result<ClientRequest<ReceivedPage>, ClientError> {
        match self.base_url.page_target(uri) {
            Some(target) => Ok(self.request("GET", target, request::page)),
            None => Err(ClientError::PageAddress { uri: excerpt(uri) }),
        }
    }

    /// Fetches one caller ID.
    pub fn fetch(&self, sid: &CallerIdSid) -> ClientRequest<OutgoingCallerId> {
        self.request("GET", &self.instance_path(sid), caller_id)
    }

    /// Starts the validation of a number. The response contains the code to show; the phone rings
    /// after the delay.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] for an extension or a status callback if the API version does
    /// not support it, because the service would silently ignore it.
    pub fn create(
        &self,
        new: &NewCallerId,
    ) -> Result<ClientRequest<ValidationRequest>, ClientError> {
        let number = write_number(self.version, &new.phone_number);
        let delay = new.call_delay.seconds().to_string();
        let callback = new.status_callback.as_ref();
        let callback_url = callback.map(StatusCallback::expose_url);
        let mut fields = vec![(PHONE_NUMBER, number.as_str())];
        fields.extend(new.friendly_name.as_ref().map(|name| (FRIENDLY_NAME, name.as_str())));
        if new.call_delay != CallDelay::default() {
            fields.push((CALL_DELAY, &delay));
        }
        fields.extend(new.extension.as_ref().map(|extension| (EXTENSION, extension.as_str())));
        fields.extend(callback_url.as_ref().map(|url| (STATUS_CALLBACK, url.as_str())));
        fields.extend(callback.map(|it| (STATUS_CALLBACK_METHOD, it.method().as_str())));
        let version = self.version;
        if let Some((parameter, _)) = fields.iter().find(|(name, _)| !takes(version, name)) {
            return Err(ClientError::Unsupported { parameter, version });
        }
        Ok(self.request("POST", &self.list_path(), validation_request).with_form(&fields))
    }

    /// Renames a caller ID, or restores its default name for `None`. The response is the updated
    /// caller ID.
    pub fn update(
        &self,
        sid: &CallerIdSid,
        name: Option<&FriendlyName>,
    ) -> ClientRequest<OutgoingCallerId> {
        let name = name.map(FriendlyName::as_str).unwrap_or_default();
        self.request("POST", &self.instance_path(sid), caller_id)
            .with_form(&[(FRIENDLY_NAME, name)])
    }

    /// Deletes a caller ID.
    pub fn delete(&self, sid: &CallerIdSid) -> ClientRequest<()> {
        self.request("DELETE", &self.instance_path(sid), nothing)
    }

    fn request<T>(
        &self,
        method: &'static str,
        target: &str,
        answer: ReadAnswer<T>,
    ) -> ClientRequest<T> {
        let BaseUrl { origin, path } = &self.base_url;
        let target = format!("{path}{target}");
        ClientRequest::new(method, (origin, &target), self.credentials.as_ref(), answer)
    }

    fn list_path(&self) -> String {
        self.version.list_path(&self.account_sid)
    }

    fn instance_path(&self, sid: &CallerIdSid) -> String {
        format!("{}/{sid}", self.list_path())
    }

    fn page_target(&self, filter: &Filter, number: u64, size: u32) -> String {
        let [page, page_size] = page_parameters(self.version);
        let (number, size) = (number.to_string(), size.to_string());
        let phone_number = filter.phone_number.map(|number| write_number(self.version, &number));
        let mut fields = vec![(page, number.as_str()), (page_size, size.as_str())];
        fields.extend(phone_number.as_deref().map(|number| (PHONE_NUMBER, number)));
        fields.extend(filter.friendly_name.as_ref().map(|name| (FRIENDLY_NAME, name.as_str())));
        format!("{}?{}", self.list_path(), form::encode(fields))
    }
}

/// The parameters for a page's number and size.
const fn page_parameters(version: ApiVersion) -> [&'static str; 2] {
    match version {
        ApiVersion::V2008 => ["page", "num"],
        ApiVersion::V2010 => ["Page", "PageSize"],
    }
}

/// Whether a create request has this parameter. The service ignores unknown parameters.
fn takes(version: ApiVersion, parameter: &str) -> bool {
    match version {
        ApiVersion::V2008 => matches!(parameter, "PhoneNumber" | "FriendlyName" | "CallDelay"),
        ApiVersion::V2010 => true,
    }
}

/// Formats a number as this API version expects it.
fn write_number(version: ApiVersion, number: &PhoneNumber) -> String {
    match version {
        ApiVersion::V2008 => number.as_str().to_owned(),
        ApiVersion::V2010 => number.e164().as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use callerid_core::ErrorCode;

    use super::*;
    use callerid_core::representation::PageUris;
    use callerid_core::{
        AccountSid, AuthToken, CallExtension, CallbackMethod, Page, PageSize, PhoneNumber,
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
        ReceivedPage {
            page,
            uris,
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
        let callback =
            StatusCallback::new("https://u:p@example.com/", CallbackMethod::Get).unwrap();
        let new = NewCallerId {
            extension: Some(CallExtension::new("w12").unwrap()),
            status_callback: Some(callback),
            ..NewCallerId::new(number)
        };
        assert_eq!(
            client.create(&new).unwrap().body(),
            "PhoneNumber=%2B14158675309&Extension=w12&StatusCallback=https%3A%2F%2Fu%3Ap%40example.com%2F\
             &StatusCallbackMethod=GET"
        );
        let error = client.with_version(ApiVersion::V2008).create(&new).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the API's version 2008-08-01 has no Extension; 2010-04-01 has"
        );
        let twilio = Client::new(credentials(), "https://api.twilio.com").unwrap();
        assert!(twilio.fetch(&sid()).target().starts_with("/2010-04-01/"));
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
    fn pages_are_followed_by_address_or_else_by_number() {
        let filter = Filter {
            phone_number: Some(PhoneNumber::parse("4158675309").unwrap()),
            friendly_name: Some(FriendlyName::new("a=b").unwrap()),
        };
        let list = format!("/2008-08-01/Accounts/{ACCOUNT}/OutgoingCallerIds");
        let page = PageRequest { number: 2, size: PageSize::new(7).unwrap(), cursor: None };
        let query = "PhoneNumber=4158675309&FriendlyName=a%3Db";
        assert_eq!(client().list(&filter, page).target(), format!("{list}?page=2&num=7&{query}"));

        let counted = |number, total| {
            let page = received(PageUris::default(), number, total);
            client().next_page(&filter, &page).unwrap().map(|next| next.target().to_owned())
        };
        assert_eq!(counted(0, 51), Some(format!("{list}?page=1&num=50&{query}")));
        assert_eq!((counted(1, 51), counted(0, 50), counted(u64::MAX, 0)), (None, None, None));
        let last = received(PageUris { this: "/x".into(), ..PageUris::default() }, 0, 51);
        assert!(client().next_page(&filter, &last).unwrap().is_none());

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
    fn the_path_of_a_base_url_precedes_those_of_the_api() {
        let client = Client::new(credentials(), "https://app.example/api/").unwrap();
        let list = format!("/2008-08-01/Accounts/{ACCOUNT}/OutgoingCallerIds");
        let request = client.fetch(&sid());
        assert_eq!(request.target(), format!("/api{list}/{}", sid()));
        assert_eq!(request.url(), format!("https://app.example{}", request.target()));
        // The service may know of the path, or not.
        for uri in ["/x?page=1", "/api/x?page=1", "https://app.example/x?page=1"] {
            assert_eq!(client.page_at(uri).unwrap().target(), "/api/x?page=1");
        }
        assert_eq!(client.page_at("/apix").unwrap().target(), "/api/apix");
        for uri in ["/api//evil.example", "//evil.example/api/x", "https://evil.example/api/x"] {
            assert!(client.page_at(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_client_without_credentials_sends_none() {
        let client =
            Client::without_credentials(credentials().sid, "http://localhost/api").unwrap();
        let request = client.list(&Filter::default(), PageRequest::default());
        assert_eq!(request.header("authorization"), None);
        assert!(request.target().starts_with(&format!("/api/2008-08-01/Accounts/{ACCOUNT}/")));
    }

    #[test]
    fn a_base_url_is_a_scheme_a_host_a_port_and_a_path() {
        for (text, origin) in [
            ("http://localhost", "http://localhost"),
            ("HTTPS://API.Example:443/", "https://api.example"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://example:80", "https://example:80"),
            ("https://App.Example/api", "https://app.example/api"),
            ("https://app.example/Api/v1/", "https://app.example/Api/v1"),
        ] {
            assert_eq!(Client::new(credentials(), text).unwrap().base_url(), origin);
        }
        for text in [
            "",
            "localhost",
            "ftp://a",
            "http://",
            "http://:80",
            "http://a?b",
            "http://a/b?c",
            "http://a/b#c",
            "http://a//b",
            "http://a/b c",
            "http://a/\\b",
            "http://u:p@a",
        ] {
            assert!(Client::new(credentials(), text).is_err(), "{text}");
        }
        assert_eq!(
            Client::new(credentials(), "localhost:8008").unwrap_err().to_string(),
            "\"localhost:8008\" is not a base URL: expected http:// or https://, a host, perhaps a port, perhaps a path"
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
    fn a_response_of_another_service_is_recognized() {
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
