//! The result of decoding: a document, or an error and its position.

use std::fmt;

use super::{Document, PageUris};
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::Page;
use crate::rest_exception::RestException;
use crate::validation_request::ValidationRequest;

/// A decoded document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A page of caller IDs.
    CallerIds(ReceivedPage),
    /// One caller ID.
    CallerId(OutgoingCallerId),
    /// A validation request, with the code to show.
    ValidationRequest(ValidationRequest),
    /// An error.
    Exception(RestException),
}

impl Decoded {
    /// The document, for encoding it again.
    pub fn as_document(&self) -> Document<'_> {
        match self {
            Self::CallerIds(received) => Document::CallerIds(&received.page, &received.uris),
            Self::CallerId(caller_id) => Document::CallerId(caller_id),
            Self::ValidationRequest(request) => Document::ValidationRequest(request),
            Self::Exception(exception) => Document::Exception(exception),
        }
    }
}

/// A page of caller IDs as a server sent it.
///
/// The server's other figures are not derived from each other, because they can be inconsistent:
/// the specification's own sample has two rows, `start="0"` and `end="0"`. `page` is based
/// on its rows and `total`. The other fields contain the figures as the server stated them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedPage {
    /// The rows and their position in the list.
    pub page: Page<OutgoingCallerId>,
    /// The URIs of this page and its neighbours. Those that the server did not send are empty.
    pub uris: PageUris,
    /// The number of pages in the list, if stated.
    pub stated_pages: Option<u64>,
    /// The number of rows in the list, if stated. Otherwise the page's total counts the known rows,
    /// including the first row of the next page.
    pub stated_total: Option<u64>,
    /// The index of the page's first row in the list, if stated.
    pub stated_start: Option<u64>,
    /// The index of the page's last row in the list, if stated.
    pub stated_end: Option<u64>,
}

/// An invalid document: the reason and the byte offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDocument {
    at: usize,
    /// Boxed to keep results small, because errors are rare.
    reason: Box<InvalidDocumentReason>,
}

impl InvalidDocument {
    pub(super) fn new(at: usize, reason: InvalidDocumentReason) -> Self {
        Self { at, reason: Box::new(reason) }
    }

    /// The byte offset of the error. If something is missing, the offset of the element that lacks
    /// it.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The reason.
    pub fn reason(&self) -> &InvalidDocumentReason {
        &self.reason
    }
}

/// Why a document is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidDocumentReason {
    /// Larger than [`MAX_DOCUMENT_BYTES`](super::MAX_DOCUMENT_BYTES).
    TooLarge,
    /// Elements are nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// Not UTF-8, or declared as another encoding.
    NotUtf8,
    /// It has a document type declaration. No document needs one, and it could give the document
    /// any meaning.
    Doctype,
    /// A reference, including `&` and `;`, that is neither a predefined entity nor a character that
    /// XML allows.
    Reference(String),
    /// Not well-formed.
    Malformed(String),
    /// An unexpected element.
    Unexpected {
        /// The names of the expected elements.
        expected: &'static str,
        /// The name of the element that was found.
        found: String,
    },
    /// An element lacks a required child element or attribute.
    Missing {
        /// The name of the missing element or attribute.
        name: &'static str,
        /// The name of the parent element.
        parent: &'static str,
    },
    /// An element occurs twice in its parent.
    Repeated {
        /// The name of the repeated element.
        name: &'static str,
    },
    /// The text of an element or attribute is invalid.
    Value {
        /// The name of the element or attribute.
        name: &'static str,
        /// Why the text is invalid.
        why: String,
    },
}

const ENTITIES: &str = "amp, lt, gt, quot, apos";

impl fmt::Display for InvalidDocumentReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "over {} bytes", super::MAX_DOCUMENT_BYTES),
            Self::TooDeep => write!(f, "elements are nested over {} deep", super::MAX_DEPTH),
            Self::NotUtf8 => f.write_str("not in UTF-8"),
            Self::Doctype => f.write_str("a document type declaration is not read"),
            Self::Reference(name) => {
                write!(f, "{name:?} refers to neither a character nor one of {ENTITIES}")
            }
            Self::Malformed(why) => f.write_str(why),
            Self::Unexpected { expected, found } => {
                write!(f, "expected the element {expected}, found {found:?}")
            }
            Self::Missing { name, parent } => write!(f, "{parent} has no {name}"),
            Self::Repeated { name } => write!(f, "{name} stands twice"),
            Self::Value { name, why } => write!(f, "{name}: {why}"),
        }
    }
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.reason, self.at)
    }
}

impl std::error::Error for InvalidDocument {}
