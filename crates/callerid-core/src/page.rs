//! Paging: which rows of a list a page shows, and what its neighbours are called.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::outgoing_caller_id::{ListKey, OutgoingCallerId};
use crate::text_conversions::from_text;

/// Rows on a page where the request does not say.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The most rows a page may have.
pub const MAX_PAGE_SIZE: u32 = 1000;

/// The largest number a page may have: the last that every reader of JSON reads as it is written (2^53 - 1).
pub const MAX_PAGE_NUMBER: u64 = (1 << 53) - 1;

/// How many rows a page has: 1 to [`MAX_PAGE_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct PageSize(u32);

impl PageSize {
    /// A page size from a number of rows.
    ///
    /// # Errors
    /// [`InvalidPageSize`] for none, and for more than [`MAX_PAGE_SIZE`].
    pub fn new(rows: u32) -> Result<Self, InvalidPageSize> {
        if (1..=MAX_PAGE_SIZE).contains(&rows) { Ok(Self(rows)) } else { Err(InvalidPageSize) }
    }

    /// Reads a page size from decimal digits.
    ///
    /// # Errors
    /// As [`PageSize::new`], and for a text that is no number.
    pub fn parse(text: &str) -> Result<Self, InvalidPageSize> {
        decimal(text).and_then(|rows| rows.try_into().ok()).map_or(Err(InvalidPageSize), Self::new)
    }

    /// The number of rows.
    pub fn rows(self) -> u32 {
        self.0
    }
}

from_text!(PageSize, parse, InvalidPageSize);

/// The number of rows, in decimal digits.
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

/// A page size that is no number from 1 to [`MAX_PAGE_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPageSize;

impl fmt::Display for InvalidPageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page has 1 to {MAX_PAGE_SIZE} rows")
    }
}

impl std::error::Error for InvalidPageSize {}

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// The page's number, from 0.
    pub number: u64,
    /// The most rows it may have.
    pub size: PageSize,
    /// The place that the page lies beside, whatever its number says.
    pub cursor: Option<Cursor>,
}

/// On which side of a place in the list a page lies. No row need have that place any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// The page begins with the first row after it.
    After(ListKey),
    /// The page ends with the last row before it.
    Before(ListKey),
}

impl PageRequest {
    /// How many rows to ask a store for: the page's, and one more that tells whether any follow.
    pub fn rows_and_one(&self) -> u32 {
        self.size.rows().saturating_add(1)
    }

    /// How many rows come before the page's first: no page is so far that this overflows.
    pub fn offset(&self) -> u64 {
        self.number.saturating_mul(self.size.rows().into())
    }
}

/// Reads a number of decimal digits, and nothing else. One too large for a `u64` is the largest there is:
/// it is past every end.
pub fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// One page of a list, and what it needs to say where it stands in the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows, at most as many as the page's size.
    pub items: Vec<T>,
    /// The page's number, from 0.
    pub number: u64,
    /// The most rows a page has.
    pub size: u32,
    /// Rows in the whole list.
    pub total: u64,
    /// Whether rows follow the page's last.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page without rows, of an empty list.
    pub fn empty(size: PageSize) -> Self {
        Self { items: Vec::new(), number: 0, size: size.rows(), total: 0, more: false }
    }

    /// The page that a request asks for by its number or with [`Cursor::After`], from the rows that begin there,
    /// at least one more than it has where there are so many, and from the rows in the whole list.
    pub fn cut(request: PageRequest, mut rows: Vec<T>, total: u64) -> Self {
        let size = request.size.rows();
        let most = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        Self { items: rows, number: request.number, size, total, more }
    }

    /// The page that a request asks for with [`Cursor::Before`], from the rows before that place, the nearest first,
    /// at least one more than it has where there are so many, from the rows in the whole list, and from whether any
    /// follow. The first page of the list has the number 0 and no other has, whatever the request says.
    pub fn cut_before(request: PageRequest, rows: Vec<T>, total: u64, more: bool) -> Self {
        let mut page = Self::cut(request, rows, total);
        page.items.reverse();
        page.number = if page.more { page.number.max(1) } else { 0 };
        page.more = more;
        page
    }

    /// Pages in the whole list; an empty list has none.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1).into())
    }

    /// Index of the page's first row in the whole list, from 0.
    pub fn start(&self) -> u64 {
        self.number.saturating_mul(self.size.into()).min(self.total)
    }

    /// Index of the page's last row in the whole list, from 0; 0 where the list is empty.
    pub fn end(&self) -> u64 {
        let rows = u64::try_from(self.items.len()).unwrap_or(u64::MAX);
        self.start().saturating_add(rows).saturating_sub(1)
    }

    /// The page before, where there is one.
    pub fn previous(&self) -> Option<u64> {
        self.number.checked_sub(1)
    }

    /// The page after, where there is one.
    pub fn next(&self) -> Option<u64> {
        self.number.checked_add(1).filter(|next| *next < self.pages())
    }

    /// The last page; the first where the list is empty.
    pub fn last(&self) -> u64 {
        self.pages().saturating_sub(1)
    }

    /// Whether the list has such a page. An empty list has its first.
    pub fn exists(&self) -> bool {
        self.number == 0 || self.number < self.pages()
    }
}

impl Page<OutgoingCallerId> {
    /// The page that a request asks for of these rows, which are the whole list, in its order.
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
    fn only_the_first_page_has_the_number_0_however_it_is_come_to() {
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
