//! Operations: what an API request asks for, in any version.
//!
//! Decoding has two steps. [`Route::decode`] determines what a path names and how to write the
//! response. [`versions::decode`](crate::versions::decode) determines what to do. Errors of the
//! second step are shown only to clients with valid credentials.

use callerid_core::representation::Representation;
use callerid_core::{
    AccountSid, ApiVersion, CallerIdSid, Filter, FriendlyName, NewCallerId, PageRequest,
};

/// What a path names. Paths are case-sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The API's version, which determines how to read the request and write the response.
    pub(crate) version: ApiVersion,
    /// The account that owns the resource.
    pub(crate) account: AccountSid,
    /// The list, or one of its instances.
    pub(crate) resource: Resource,
    /// The format of the response.
    pub(crate) representation: Representation,
}

/// A resource of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/{version}/Accounts/{AccountSid}/OutgoingCallerIds`
    List,
    /// `/{version}/Accounts/{AccountSid}/OutgoingCallerIds/{CallerIdSid}`
    Instance(CallerIdSid),
}

impl Resource {
    /// The supported methods, as an `Allow` header lists them.
    pub(crate) const fn allow(self) -> &'static str {
        match self {
            Self::List => "GET, POST",
            Self::Instance(_) => "GET, POST, PUT, DELETE",
        }
    }
}

impl Route {
    /// Determines what a path names; `None` if nothing.
    pub(crate) fn decode(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let version = ApiVersion::parse(segments.next()?).ok()?;
        if segments.next() != Some("Accounts") {
            return None;
        }
        let account = AccountSid::parse(segments.next()?).ok()?;
        let (list, instance) = (segments.next()?, segments.next());
        if segments.next().is_some() {
            return None;
        }
        let (name, extension) = split_extension(instance.unwrap_or(list));
        let representation =
            extension.map_or(Ok(Representation::Xml), Representation::parse).ok()?;
        let resource = match instance {
            None if name == "OutgoingCallerIds" => Resource::List,
            Some(_) if list == "OutgoingCallerIds" => {
                Resource::Instance(CallerIdSid::parse(name).ok()?)
            }
            _ => return None,
        };
        Some(Self { version, account, resource, representation })
    }
}

fn split_extension(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(name, extension)| (name, Some(extension)))
}

/// What to do, with all its parameters parsed and validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Show a page of caller IDs.
    List(ListRequest),
    /// Start the validation of a number.
    Create(NewCallerId),
    /// Show a caller ID.
    Fetch(CallerIdSid),
    /// Rename a caller ID; `None` restores its default name.
    Update(CallerIdSid, Option<FriendlyName>),
    /// Delete a caller ID.
    Delete(CallerIdSid),
}

impl Operation {
    /// Whether it only reads.
    pub(crate) const fn is_read(&self) -> bool {
        matches!(self, Self::List(_) | Self::Fetch(_))
    }
}

/// Which page of which caller IDs a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListRequest {
    /// What the rows must match; `None` if nothing can match, as with an invalid number.
    pub(crate) filter: Option<Filter>,
    /// Which page to show.
    pub(crate) page: PageRequest,
    /// The row that the page starts after or ends before, if the request has a token.
    pub(crate) token: Option<PageToken>,
    /// Whether a page past the end is an error, as it is for a page selected by number, or just an
    /// empty page.
    pub(crate) page_must_exist: bool,
    /// The filter's original parameters, for the addresses of other pages.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

/// The end or start of the neighbouring page: its last or first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// Whether the page ends before the row. Otherwise it starts after the row.
    pub(crate) is_before: bool,
    /// The row's Sid.
    pub(crate) sid: CallerIdSid,
    /// The second of its DateUpdated. Without it, the position is lost when the row is removed or
    /// renamed.
    pub(crate) updated: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_error::ApiError;
    use crate::request::Request;
    use crate::versions;
    use callerid_core::PhoneNumber;

    const ACCOUNT: &str = "AC309475e5fede1b49e100272a8640f438";
    const INSTANCE: &str = "PNe536dfda7c6184afab78d980cb8cdf43";

    fn route(rest: &str) -> Option<Route> {
        Route::decode(&format!("/2008-08-01/Accounts/{ACCOUNT}/{rest}"))
    }

    fn decode(method: &str, query: &str, body: &str) -> Result<Operation, ApiError> {
        let request = Request { method, query, body: body.as_bytes(), ..Request::default() };
        versions::decode(ApiVersion::V2008, Resource::List, &request)
    }

    #[test]
    fn a_path_names_the_list_or_an_instance_and_its_representation() {
        let list = route("OutgoingCallerIds.csv").unwrap();
        assert_eq!((list.resource, list.representation), (Resource::List, Representation::Csv));
        let instance = route(&format!("OutgoingCallerIds/{INSTANCE}.json")).unwrap();
        let sid = CallerIdSid::parse(INSTANCE).unwrap();
        assert_eq!(instance.resource, Resource::Instance(sid));
        assert_eq!(instance.representation, Representation::Json);
    }

    #[test]
    fn other_paths_name_nothing() {
        for rest in [
            "",
            "outgoingcallerids",
            "OutgoingCallerIds/",
            "OutgoingCallerIds.pdf",
            "OutgoingCallerIds.",
            "OutgoingCallerIds.csv.json",
            "OutgoingCallerIds.csv/PNe536dfda7c6184afab78d980cb8cdf43",
            "OutgoingCallerIds/PN1",
            "OutgoingCallerIds/PNe536dfda7c6184afab78d980cb8cdf43/",
            "%4futgoingCallerIds",
        ] {
            assert_eq!(route(rest), None, "{rest}");
        }
        assert_eq!(Route::decode(""), None);
        assert_eq!(
            Route::decode(&format!("/2009-01-01/Accounts/{ACCOUNT}/OutgoingCallerIds")),
            None
        );
    }

    #[test]
    fn a_list_request_has_defaults_and_aliases() {
        let page = |query| match decode("GET", query, "").unwrap() {
            Operation::List(list) => (list.page.number, list.page.size.rows()),
            other => panic!("{other:?}"),
        };
        assert_eq!(page(""), (0, 50));
        assert_eq!(page("page=2&num=1000&Unknown=x"), (2, 1000));
        assert_eq!(page("Page=3&PageSize=10"), (3, 10));
        assert_eq!(page("page=&num="), (0, 50));
        assert_eq!(page("page=9007199254740991"), (9_007_199_254_740_991, 50));
    }

    #[test]
    fn a_filter_that_matches_nothing_is_not_an_error() {
        let filter = |query: &str| match decode("GET", query, "").unwrap() {
            Operation::List(list) => list.filter,
            other => panic!("{other:?}"),
        };
        assert_eq!(filter("PhoneNumber=banana"), None);
        assert_eq!(filter(&format!("FriendlyName={}", "x".repeat(65))), None);
        assert_eq!(filter("PhoneNumber=&FriendlyName="), Some(Filter::default()));
        let number = PhoneNumber::parse("4158675309").unwrap();
        let found = filter("PhoneNumber=%28415%29+867.5309").unwrap();
        assert_eq!(found.phone_number, Some(number));
    }

    #[test]
    fn each_refusal_has_its_code() {
        for (method, query, body, status, code) in [
            ("GET", "page=-1", "", 400, Some(20006)),
            ("GET", "page=9007199254740992", "", 400, Some(20006)),
            ("GET", "page=99999999999999999999999", "", 400, Some(20006)),
            ("GET", "num=1001", "", 400, Some(20007)),
            ("GET", "num=0", "", 400, Some(20007)),
            ("GET", "page=1&Page=1", "", 400, None),
            ("GET", "page=%zz", "", 400, None),
            ("POST", "", "", 400, Some(21401)),
            ("POST", "", "PhoneNumber=banana", 400, Some(21401)),
            ("POST", "", "PhoneNumber=4158675309&CallDelay=61", 400, Some(21454)),
            ("POST", "", "PhoneNumber=4158675309&FriendlyName=%00", 400, Some(20002)),
            ("POST", "", "PhoneNumber=4158675309&PhoneNumber=4158675309", 400, None),
            ("PUT", "", "", 405, Some(20004)),
            ("POST", "_method=DELETE", "", 405, Some(20004)),
            ("get", "", "", 405, Some(20004)),
        ] {
            let error = decode(method, query, body).unwrap_err();
            assert_eq!((error.status, error.code), (status, code), "{method} {query} {body}");
        }
    }

    #[test]
    fn a_post_can_stand_for_another_method() {
        let resource = Resource::Instance(CallerIdSid::parse(INSTANCE).unwrap());
        let decode = |method, query, body: &'static str| {
            let request = Request { method, query, body: body.as_bytes(), ..Request::default() };
            versions::decode(ApiVersion::V2008, resource, &request)
        };
        assert!(matches!(decode("POST", "_method=DELETE", ""), Ok(Operation::Delete(_))));
        assert!(matches!(decode("GET", "_method=DELETE", ""), Ok(Operation::Fetch(_))));
        let renamed = decode("POST", "_method=PUT", "FriendlyName=Bob").unwrap();
        let put = decode("PUT", "", "FriendlyName=Bob").unwrap();
        assert_eq!(renamed, put);
        assert!(matches!(decode("POST", "", "FriendlyName="), Ok(Operation::Update(_, None))));
        assert_eq!(decode("POST", "", "").unwrap_err().code, Some(20002));
    }

    #[test]
    fn parameters_of_another_type_are_refused() {
        let request = |content_type| Request {
            method: "POST",
            content_type: Some(content_type),
            body: b"PhoneNumber=4158675309",
            ..Request::default()
        };
        let decode = |content_type| {
            versions::decode(ApiVersion::V2008, Resource::List, &request(content_type))
        };
        assert!(decode("application/x-www-form-urlencoded; charset=UTF-8").is_ok());
        assert_eq!(decode("application/json").unwrap_err().status, 415);
        assert_eq!(decode("").unwrap_err().status, 415);
    }
}
