//! What a reader of documents gets: the document, or what is wrong with it and where.

use std::fmt;

use super::{CallerIdPage, Document};
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::rest_exception::RestException;
use crate::validation_request::ValidationRequest;

/// A document that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A page of caller IDs.
    CallerIds(ReceivedPage),
    /// One caller ID.
    CallerId(OutgoingCallerId),
    /// The code to show.
    ValidationRequest(ValidationRequest),
    /// An error.
    Exception(RestException),
}

impl Decoded {
    /// The document, to be written again.
    pub fn as_document(&self) -> Document<'_> {
        match self {
            Self::CallerIds(received) => Document::CallerIds(&received.list),
            Self::CallerId(caller_id) => Document::CallerId(caller_id),
            Self::ValidationRequest(request) => Document::ValidationRequest(request),
            Self::Exception(exception) => Document::Exception(exception),
        }
    }
}

/// A page of caller IDs as a server sent it.
///
/// What follows from the other figures is not taken for granted: the specification's own sample has
/// two rows, `start="0"` and `end="0"`. The page in `list` goes by its rows and `total`; what the server
/// said of the rest stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedPage {
    /// The page; an address that the server did not give is empty.
    pub list: CallerIdPage,
    /// Pages in the whole list, where the server says.
    pub stated_pages: Option<u64>,
    /// Rows in the whole list, where the server says; where it does not, the page's total counts those that are
    /// known of, the first of the next page included.
    pub stated_total: Option<u64>,
    /// Index of the page's first row in the whole list, where the server says.
    pub stated_start: Option<u64>,
    /// Index of the page's last row in the whole list, where the server says.
    pub stated_end: Option<u64>,
}

/// A document that cannot be read: why, and from which byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDocument {
    at: usize,
    /// Apart, so that a result which is rarely an error stays small.
    reason: Box<InvalidDocumentReason>,
}

impl InvalidDocument {
    pub(super) fn new(at: usize, reason: InvalidDocumentReason) -> Self {
        Self { at, reason: Box::new(reason) }
    }

    /// Byte offset of what is wrong; of the element that lacks something, where something is missing.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is wrong.
    pub fn reason(&self) -> &InvalidDocumentReason {
        &self.reason
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidDocumentReason {
    /// Over [`MAX_DOCUMENT_BYTES`](super::MAX_DOCUMENT_BYTES).
    TooLarge,
    /// Elements within elements, over [`MAX_DEPTH`](super::MAX_DEPTH) of them.
    TooDeep,
    /// Not UTF-8, or declared to be something else.
    NotUtf8,
    /// It has a document type declaration, which none of the documents has and which could make it
    /// mean anything.
    Doctype,
    /// A reference, `&` and `;` included, to something other than one of XML's five entities or a character it can carry.
    Reference(String),
    /// Not well-formed.
    Malformed(String),
    /// Another element than the one that should be there.
    Unexpected {
        /// The name of the element that should be there, or of several.
        expected: &'static str,
        /// The name of the one that is.
        found: String,
    },
    /// An element lacks one of its elements or attributes.
    Missing {
        /// The name of what it lacks.
        name: &'static str,
        /// The name of the element that lacks it.
        parent: &'static str,
    },
    /// An element has one of its elements twice.
    Repeated {
        /// The name of what it has twice.
        name: &'static str,
    },
    /// The text of an element or attribute is not what it should be.
    Value {
        /// The name of the element or attribute.
        name: &'static str,
        /// What is wrong with its text.
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
