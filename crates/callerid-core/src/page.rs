//! Paging: which rows a page of a list shows, and how to address its neighbours.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::outgoing_caller_id::{ListKey, OutgoingCallerId};
use crate::text_conversions::from_text;

/// Rows on a page if the request does not specify a size.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The maximum number of rows on a page.
pub const MAX_PAGE_SIZE: u32 = 1000;

/// The largest page number: 2^53 - 1, the largest integer that every JSON reader reads exactly.
pub const MAX_PAGE_NUMBER: u64 = (1 << 53) - 1;

/// The number of rows on a page: 1 to [`MAX_PAGE_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct PageSize(u32);

impl PageSize {
    /// Creates a page size from a number of rows.
    ///
    /// # Errors
    /// [`InvalidPageSize`] if `rows` is 0 or more than [`MAX_PAGE_SIZE`].
    pub fn new(rows: u32) -> Result<Self, InvalidPageSize> {
        if (1..=MAX_PAGE_SIZE).contains(&rows) { Ok(Self(rows)) } else { Err(InvalidPageSize) }
    }

    /// Parses a page size from decimal digits.
    ///
    /// # Errors
    /// As for [`PageSize::new`], and if the text is not a number.
    pub fn parse(text: &str) -> Result<Self, InvalidPageSize> {
        decimal(text).and_then(|rows| rows.try_into().ok()).map_or(Err(InvalidPageSize), Self::new)
    }

    /// The number of rows.
    pub fn rows(self) -> u32 {
        self.0
    }
}

from_text!(PageSize, parse, InvalidPageSize);

/// Writes the number of rows in decimal digits.
impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u32> for PageSize {
    type Error = InvalidPageSize;
    fn try_from(rows: u32) -> Result<Self, InvalidPageSize> {
        Self::new(rows)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(DEFAULT_PAGE_SIZE)
    }
}

/// A page size that is not a number from 1 to [`MAX_PAGE_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPageSize;

impl fmt::Display for InvalidPageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page has 1 to {MAX_PAGE_SIZE} rows")
    }
}

impl std::error::Error for InvalidPageSize {}

/// Which page of a list a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// The page's number, from 0.
    pub number: u64,
    /// The maximum number of rows on it.
    pub size: PageSize,
    /// The position that the page starts or ends at. It takes precedence over `number`.
    pub cursor: Option<Cursor>,
}

/// The position in the list at which a page starts or ends. The row at that position may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// The page starts with the first row after this position.
    After(ListKey),
    /// The page ends with the last row before this position.
    Before(ListKey),
}

impl PageRequest {
    /// The number of rows to request from a store: those of the page, and one more to tell whether
    /// others follow.
    pub fn rows_and_one(&self) -> u32 {
        self.size.rows().saturating_add(1)
    }

    /// The number of rows before the first row of the page. Saturates instead of overflowing.
    pub fn offset(&self) -> u64 {
        self.number.saturating_mul(self.size.rows().into())
    }
}

/// Parses a number that consists of decimal digits only. A number too large for a `u64` becomes
/// `u64::MAX`, which is past the end of any list.
pub fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// One page of a list, with the information that places it in the whole list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows; at most `size` of them.
    pub items: Vec<T>,
    /// The page's number, from 0.
    pub number: u64,
    /// The maximum number of rows on a page.
    pub size: u32,
    /// The number of rows in the whole list.
    pub total: u64,
    /// Whether more rows follow the last row of this page.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page without rows, for an empty list.
    pub fn empty(size: PageSize) -> Self {
        Self { items: Vec::new(), number: 0, size: size.rows(), total: 0, more: false }
    }

    /// Builds the page for a request by number or with [`Cursor::After`]. `rows` are the rows from
    /// the start of the page on, and must include one row more than the page has, if there is one.
    /// `total` is the number of rows in the whole list.
    pub fn cut(request: PageRequest, mut rows: Vec<T>, total: u64) -> Self {
        let size = request.size.rows();
        let most = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        Self { items: rows, number: request.number, size, total, more }
    }

    /// Builds the page for a request with [`Cursor::Before`]. `rows` are the rows before that
    /// position, nearest first, and must include one row more than the page has, if there is one.
    /// `total` is the number of rows in the whole list, and `more` says whether other rows follow
    /// the page. The first page of the list always has the number 0 and no other page does,
    /// regardless of the request.
    pub fn cut_before(request: PageRequest, rows: Vec<T>, total: u64, more: bool) -> Self {
        let mut page = Self::cut(request, rows, total);
        page.items.reverse();
        page.number = if page.more { page.number.max(1) } else { 0 };
        page.more = more;
        page
    }

    /// The number of pages in the whole list; 0 for an empty list.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1).into())
    }

    /// The index of the page's first row in the whole list, from 0.
    pub fn start(&self) -> u64 {
        self.number.saturating_mul(self.size.into()).min(self.total)
    }

    /// The index of the page's last row in the whole list, from 0; also 0 for an empty list.
    pub fn end(&self) -> u64 {
        let rows = u64::try_from(self.items.len()).unwrap_or(u64::MAX);
        self.start().saturating_add(rows).saturating_sub(1)
    }

    /// The number of the previous page, if any.
    pub fn previous(&self) -> Option<u64> {
        self.number.checked_sub(1)
    }

    /// The number of the next page, if any.
    pub fn next(&self) -> Option<u64> {
        self.number.checked_add(1).filter(|next| *next < self.pages())
    }

    /// The number of the last page; 0 for an empty list.
    pub fn last(&self) -> u64 {
        self.pages().saturating_sub(1)
    }

    /// Whether the list has this page. An empty list has page 0.
    pub fn exists(&self) -> bool {
        self.number == 0 || self.number < self.pages()
    }
}

impl Page<OutgoingCallerId> {
    /// Builds the page that a request asks for from the whole list, in list order.
    pub fn of(request: PageRequest, list: &[&OutgoingCallerId]) -> Self {
        let start = match request.cursor {
            None => usize::try_from(request.offset()).unwrap_or(usize::MAX),
            Some(Cursor::After(place)) => list.partition_point(|row| row.list_key() <= place),
            Some(Cursor::Before(place)) => list.partition_point(|row| row.list_key() < place),
        };
        let total = u64::try_from(list.len()).unwrap_or(u64::MAX);
        let most = usize::try_from(request.rows_and_one()).unwrap_or(usize::MAX);
        let copied = |row: &&OutgoingCallerId| (*row).clone();
        if let Some(Cursor::Before(_)) = request.cursor {
            let rows = list.iter().take(start).rev().take(most).map(copied).collect();
            return Self::cut_before(request, rows, total, start < list.len());
        }
        let rows = list.iter().skip(start).take(most).map(copied).collect();
        Self::cut(request, rows, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u64, size: u32, total: u64) -> Page<()> {
        let start = number.saturating_mul(size.into());
        let rows = total.saturating_sub(start).min(size.into());
        Page {
            items: vec![(); rows as usize],
            number,
            size,
            total,
            more: start.saturating_add(rows) < total,
        }
    }

    #[test]
    fn start_and_end_are_the_indexes_of_the_first_and_last_row() {
        let page = page(0, 50, 38);
        assert_eq!((page.start(), page.end(), page.pages(), page.last()), (0, 37, 1, 0));
        let page = super::tests::page(2, 50, 101);
        assert_eq!((page.start(), page.end(), page.pages(), page.last()), (100, 100, 3, 2));
        assert_eq!((page.previous(), page.next()), (Some(1), None));
    }

    #[test]
    fn an_empty_list_has_its_first_page_and_no_other() {
        let empty = page(0, 50, 0);
        assert!(empty.exists());
        assert_eq!((empty.start(), empty.end(), empty.pages(), empty.last()), (0, 0, 0, 0));
        assert_eq!((empty.previous(), empty.next()), (None, None));
        assert!(!page(1, 50, 0).exists());
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let page = page(u64::MAX, 1000, u64::MAX);
        assert!(!page.exists());
        assert_eq!(page.start(), u64::MAX);
        let request =
            PageRequest { number: u64::MAX, size: PageSize::new(1000).unwrap(), cursor: None };
        assert_eq!(request.offset(), u64::MAX);
        assert_eq!(decimal("99999999999999999999999"), Some(u64::MAX));
    }

    #[test]
    fn only_the_first_page_has_the_number_0() {
        let place = (std::cmp::Reverse(0), crate::CallerIdSid::from_random_bytes(&[1; 16]));
        let cut = |number, rows: Vec<i32>| {
            let size = PageSize::new(2).unwrap();
            let request = PageRequest { number, size, cursor: Some(Cursor::Before(place)) };
            let page = Page::cut_before(request, rows, 9, true);
            (page.number, page.items, page.more)
        };
        assert_eq!(cut(3, vec![3, 2, 1]), (3, vec![2, 3], true));
        assert_eq!(cut(0, vec![3, 2, 1]), (1, vec![2, 3], true));
        assert_eq!(cut(3, vec![2, 1]), (0, vec![1, 2], true));
        assert_eq!(cut(3, vec![]), (0, vec![], true));
    }

    #[test]
    fn a_page_size_is_one_to_a_thousand() {
        for text in ["", "0", "1001", "-1", "+5", " 5", "5.0", "99999999999999999999", "٣"] {
            assert_eq!(PageSize::parse(text), Err(InvalidPageSize), "{text}");
        }
        assert_eq!(PageSize::parse("1000").unwrap().rows(), 1000);
        assert_eq!(PageSize::default().rows(), 50);
    }
}
