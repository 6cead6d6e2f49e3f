//! Representations: one document in several formats, one wire format per file.
//!
//! A service writes a [`Document`] with [`Representation::encode`]. A client reads it with
//! [`xml::decode`]. XML is the only representation with paging in every API version, and the only
//! one that can be decoded.
//!
//! ```
//! use callerid_core::representation::{Document, Representation, xml};
//! use callerid_core::{ApiVersion, ErrorCode, RestException};
//!
//! let exception = RestException::new(ErrorCode::PageOutOfRange);
//! let written = Representation::Xml.encode(ApiVersion::V2008, &Document::Exception(&exception));
//! assert_eq!(xml::decode_exception(&written)?, exception);
//! # Ok::<(), callerid_core::representation::InvalidDocument>(())
//! ```

mod csv;
mod decoded;
mod html;
pub mod json;
mod record;
pub mod xml;

pub use decoded::{Decoded, InvalidDocument, InvalidDocumentReason, ReceivedPage};

use std::fmt;

use crate::api_version::ApiVersion;
use crate::outgoing_caller_id::OutgoingCallerId;
use crate::page::Page;
use crate::rest_exception::RestException;
use crate::text_conversions::{from_text, to_text};
use crate::validation_request::ValidationRequest;

/// The size limit for a document that is decoded, in bytes. A page of 1,000 rows whose names have
/// 64 characters, each escaped as a reference, takes less than 1 MB.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// The limit for nested elements in a document that is decoded. The known documents are four levels
/// deep; the rest is reserved for additions by newer services.
pub const MAX_DEPTH: usize = 64;

/// The format of a response, selected by the path's extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Representation {
    /// The default, and `.xml`.
    #[default]
    Xml,
    /// `.csv`.
    Csv,
    /// `.json`.
    Json,
    /// `.html`.
    Html,
}

/// The media type in a `Content-Type` header's value, without its parameters.
pub fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim_ascii()
}

/// The content of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document<'a> {
    /// A page of caller IDs, and the URIs of it and its neighbours.
    CallerIds(&'a Page<OutgoingCallerId>, &'a PageUris),
    /// One caller ID.
    CallerId(&'a OutgoingCallerId),
    /// A validation request, with the code to show.
    ValidationRequest(&'a ValidationRequest),
    /// An error.
    Exception(&'a RestException),
}

/// The URIs of a page and its neighbours, as path and query. Empty if the page does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageUris {
    /// This page.
    pub this: String,
    /// The first page.
    pub first: String,
    /// The previous page.
    pub previous: String,
    /// The next page.
    pub next: String,
    /// The last page.
    pub last: String,
}

impl PageUris {
    /// The URIs in the order of a list's attributes.
    fn in_order(&self) -> [&str; 5] {
        [&self.this, &self.first, &self.previous, &self.next, &self.last]
    }

    fn in_order_mut(&mut self) -> [&mut String; 5] {
        [&mut self.this, &mut self.first, &mut self.previous, &mut self.next, &mut self.last]
    }
}

impl Representation {
    /// Every representation.
    pub const ALL: [Self; 4] = [Self::Xml, Self::Csv, Self::Json, Self::Html];

    /// The representation's extension, such as `xml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// Parses an extension.
    ///
    /// # Errors
    /// [`InvalidRepresentation`] for any other extension.
    pub fn parse(extension: &str) -> Result<Self, InvalidRepresentation> {
        Self::ALL.into_iter().find(|it| it.as_str() == extension).ok_or(InvalidRepresentation)
    }

    /// The value of the `Content-Type` header.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// Encodes a document in the format of this API version.
    pub fn encode(self, version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
        match self {
            Self::Xml => xml::encode(version, document),
            Self::Csv => csv::encode(version, document),
            Self::Json => json::encode(version, document),
            Self::Html => html::encode(version, document),
        }
    }
}

from_text!(Representation, parse, InvalidRepresentation);
to_text!(Representation);

/// An unknown extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRepresentation;

impl fmt::Display for InvalidRepresentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a representation is xml, csv, json or html")
    }
}

impl std::error::Error for InvalidRepresentation {}

impl Document<'_> {
    /// The HTTP status to send with the document.
    pub fn status(&self) -> u16 {
        match self {
            Self::Exception(exception) => exception.status,
            _ => 200,
        }
    }

    /// The initial buffer size, enough unless names are long or heavily escaped.
    fn size_guess(&self) -> usize {
        let rows = match self {
            Self::CallerIds(page, _) => page.items.len(),
            _ => 1,
        };
        rows.saturating_mul(ROW_SIZE_GUESS).saturating_add(DOCUMENT_SIZE_GUESS)
    }
}

/// A caller ID in XML or HTML takes 310 to 480 bytes, plus its name.
const ROW_SIZE_GUESS: usize = 512;
const DOCUMENT_SIZE_GUESS: usize = 1024;
