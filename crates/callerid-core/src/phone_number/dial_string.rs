//! Converts the digits of a text to the number that they dial from a phone in North America.

use super::PhoneNumber;
use super::error::Problem;
use super::kind::{self, Unassigned};

/// The digits of a text, including prefixes.
#[derive(Clone, Copy, Debug)]
pub(super) struct DialString {
    /// The first digits, four bits each, with the last one in the lowest bits.
    digits: u64,
    /// The number of digits in `digits`: all digits, up to [`DialString::KEPT`].
    kept: u32,
    /// The total number of digits.
    count: u32,
    /// Whether a plus sign precedes the digits.
    international: bool,
}

/// What is wrong, and the index of the first wrong digit, from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct DialError {
    pub(super) problem: Problem,
    pub(super) digit: u32,
}

impl DialString {
    /// The longest number with all its prefixes has fifteen digits: 011, 1, 1 and ten digits.
    pub(super) const KEPT: u32 = 16;

    pub(super) fn new(international: bool) -> Self {
        DialString { digits: 0, kept: 0, count: 0, international }
    }

    /// Creates a dial string from all digits at once, if there are at most `KEPT`.
    #[inline(always)]
    pub(super) fn from_packed(digits: u64, count: u32, international: bool) -> Option<Self> {
        (count <= Self::KEPT).then_some(DialString { digits, kept: count, count, international })
    }

    /// The total number of digits.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Whether these are seven digits, as dialled within an area code.
    pub(super) fn is_local(&self) -> bool {
        self.count == 7 && !self.international && self.value(0, 1) >= 2
    }

    pub(super) fn push(&mut self, digit: u8) {
        if self.kept < Self::KEPT {
            self.digits = self.digits << 4 | u64::from(digit);
            self.kept = self.kept.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
    }

    /// The number that these digits dial.
    ///
    /// The ten digits may follow the country code 1 and the national prefix, another 1. If nothing
    /// marks the first 1 as a country code, a third 1 is allowed too, because libphonenumber then
    /// tries it as either.
    pub(super) fn number(self) -> Result<PhoneNumber, DialError> {
        self.assigned_number().map_or_else(|| self.number_or_error(), Ok)
    }

    /// The number, if these digits are a number with only those prefixes.
    #[inline(always)]
    pub(super) fn assigned_number(self) -> Option<PhoneNumber> {
        let prefixes = self.count.wrapping_sub(10);
        let ones = 0x111 & !(u64::MAX << prefixes.min(3).wrapping_mul(4));
        let may_be = if self.international { 1..=2 } else { 0..=3 };
        // Branchless, because the input is effectively random.
        let complete = may_be.contains(&prefixes) & (self.digits >> 40 == ones);
        let is_assigned = complete && kind::kind_of(self.digits).is_ok();
        is_assigned.then(|| PhoneNumber { digits: to_ascii(self.digits) })
    }

    /// Skips the international prefix 011 and tries again, or returns the error.
    #[cold]
    pub(super) fn number_or_error(self) -> Result<PhoneNumber, DialError> {
        match self.after_international_prefix() {
            Some(after) => after.number().map_err(|error| DialError {
                digit: error.digit.saturating_add(INTERNATIONAL_PREFIX),
                ..error
            }),
            None => Err(self.problem()),
        }
    }

    /// Determines what is wrong with digits that are not a number.
    fn problem(self) -> DialError {
        let at = |digit, problem| DialError { problem, digit };
        let end = self.count;

        if self.international && end > 0 && self.value(0, 1) != 1 {
            return at(0, Problem::AnotherCountry { code: self.country_code(0) });
        }
        // 00 is the international prefix in most other countries.
        if end > 10 && self.value(0, 2) == 0 && self.value(2, 1) > 1 {
            return at(0, Problem::AnotherCountry { code: self.country_code(2) });
        }

        let (mut start, last_start): (u32, u32) = if self.international { (1, 2) } else { (0, 3) };
        while start < last_start && end > start.saturating_add(10) && self.value(start, 1) == 1 {
            start = start.saturating_add(1);
        }
        let digits = u8::try_from(end.saturating_sub(start)).unwrap_or(u8::MAX);
        if digits < 10 {
            return at(end, Problem::TooShort { digits });
        }
        if digits > 10 {
            return at(start.saturating_add(10), Problem::TooLong { digits });
        }
        let area_code = self.value(start, 3);
        let exchange_at = start.saturating_add(3);
        let exchange = self.value(exchange_at, 3);
        if kind::kind_of(self.digits) == Err(Unassigned::AreaCode) {
            if area_code < 200 || area_code % 100 == 11 {
                at(start, Problem::ImpossibleAreaCode { area_code })
            } else {
                at(start, Problem::UnassignedAreaCode { area_code })
            }
        } else if exchange < 200 {
            at(exchange_at, Problem::ImpossibleExchange { exchange })
        } else {
            at(exchange_at, Problem::UnassignedExchange { area_code, exchange })
        }
    }

    /// The digits after 011, which starts an international call in North America. No country code
    /// starts with 0.
    fn after_international_prefix(self) -> Option<Self> {
        let count = self.count.checked_sub(INTERNATIONAL_PREFIX)?;
        if count == 0 || self.value(0, INTERNATIONAL_PREFIX) != 11 || self.value(3, 1) == 0 {
            return None;
        }
        let kept = self.kept.saturating_sub(INTERNATIONAL_PREFIX);
        let digits = self.digits & !(u64::MAX << kept.saturating_mul(4));
        Some(DialString { digits, kept, count, international: true })
    }

    /// The value of `length` digits from index `from`. Digits past those that were kept do not
    /// count.
    fn value(self, from: u32, length: u32) -> u16 {
        let places = from..from.saturating_add(length).min(self.kept);
        places.fold(0, |value: u16, place| {
            let shift = self.kept.saturating_sub(place).saturating_sub(1).saturating_mul(4);
            value.saturating_mul(10).saturating_add((self.digits >> shift & 0xf) as u16)
        })
    }

    /// The country code at an index: one to three digits, as assigned by the International
    /// Telecommunication Union (ITU-T E.164).
    fn country_code(self, from: u32) -> u16 {
        let two = self.value(from, 2);
        let digits = match two {
            // No country code starts with 0.
            0..=19 | 70..=79 => 1,
            20
            | 27
            | 30..=34
            | 36
            | 39..=41
            | 43..=49
            | 51..=58
            | 60..=66
            | 81
            | 82
            | 84
            | 86
            | 90..=95
            | 98 => 2,
            _ => 3,
        };
        self.value(from, digits)
    }
}

/// The length of 011.
const INTERNATIONAL_PREFIX: u32 = 3;

/// Converts the last ten digits to ASCII.
#[inline(always)]
fn to_ascii(digits: u64) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = spread(digits >> 8 & 0xffff_ffff).to_be_bytes();
    let [.., i, j] = (0x3030 | digits << 4 & 0xf00 | digits & 0xf).to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j]
}

/// Spreads eight digits of four bits each over eight bytes.
#[inline(always)]
fn spread(digits: u64) -> u64 {
    // Each step moves the upper half of every group up by the width of the group.
    let digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    let digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    let digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    digits | 0x3030_3030_3030_3030
}

/// Converts ten ASCII digits to four bits each.
#[inline(always)]
pub(super) fn from_ascii(digits: [u8; 10]) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j] = digits;
    let first = u64::from_be_bytes([a, b, c, d, e, f, g, h]) & 0x0f0f_0f0f_0f0f_0f0f;
    // The steps of `spread` in reverse.
    let first = (first | first >> 4) & 0x00ff_00ff_00ff_00ff;
    let first = (first | first >> 8) & 0x0000_ffff_0000_ffff;
    let first = (first | first >> 16) & 0xffff_ffff;
    first << 8 | u64::from(i & 0xf) << 4 | u64::from(j & 0xf)
}
