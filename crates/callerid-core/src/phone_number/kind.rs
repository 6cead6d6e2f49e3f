use super::numbering_plan::{AREA_CODES, FIRST_ROW, ROWS};
use std::fmt;

/// The kind of a number, as far as the numbering plan determines it: libphonenumber's number types
/// that occur under `+1`.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Not in the numbering plan, perhaps withdrawn. Only [`PhoneNumber::parse_possible`] returns
    /// such numbers.
    ///
    /// [`PhoneNumber::parse_possible`]: super::PhoneNumber::parse_possible
    Unassigned,
    /// A fixed line. Known only for some Caribbean and Pacific area codes.
    FixedLine,
    /// A mobile phone. Known only for some Caribbean and Pacific area codes.
    Mobile,
    /// A fixed line or a mobile phone. Numbers in the United States and Canada do not tell which.
    FixedLineOrMobile,
    /// Free for the caller: 800, 833, 844, 855, 866, 877, 888.
    TollFree,
    /// The caller pays an extra charge: 900, and 976 in some places.
    PremiumRate,
    /// Caller and callee share the cost. No `+1` number has this kind today.
    SharedCost,
    /// A personal number that follows its owner: 500, 521 to 529, 533, 544, 566, 577, 588 and
    /// others.
    PersonalNumber,
    /// Voice over IP only: 600 in Canada, and a few exchanges elsewhere.
    Voip,
    /// A pager.
    Pager,
    /// A universal access number: one number for all locations of a company.
    Uan,
    /// A voice mailbox.
    Voicemail,
}

impl Kind {
    /// All kinds, in the order of their numbers in the numbering plan's tables, from 0.
    pub const ALL: [Kind; 12] = [
        Kind::Unassigned,
        Kind::FixedLine,
        Kind::Mobile,
        Kind::FixedLineOrMobile,
        Kind::TollFree,
        Kind::PremiumRate,
        Kind::SharedCost,
        Kind::PersonalNumber,
        Kind::Voip,
        Kind::Pager,
        Kind::Uan,
        Kind::Voicemail,
    ];

    /// A stable identifier for the kind: `toll-free`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Unassigned => "unassigned",
            Kind::FixedLine => "fixed-line",
            Kind::Mobile => "mobile",
            Kind::FixedLineOrMobile => "fixed-line-or-mobile",
            Kind::TollFree => "toll-free",
            Kind::PremiumRate => "premium-rate",
            Kind::SharedCost => "shared-cost",
            Kind::PersonalNumber => "personal-number",
            Kind::Voip => "voip",
            Kind::Pager => "pager",
            Kind::Uan => "uan",
            Kind::Voicemail => "voicemail",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why ten digits have no kind in the numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unassigned {
    AreaCode,
    Exchange,
}

/// Looks up a number in packed BCD: first its area code, then as many of the following digits as
/// the plan distinguishes.
pub(super) fn kind_of(number: u64) -> Result<Kind, Unassigned> {
    let digit = |place: u32| (number >> (place << 2) & 0xf) as usize;
    let tens = digit(9).wrapping_mul(10).wrapping_add(digit(8));
    let area_code = tens.wrapping_mul(10).wrapping_add(digit(7));
    let mut entry = *AREA_CODES.get(area_code.wrapping_sub(200)).unwrap_or(&0);
    if entry == 0 {
        return Err(Unassigned::AreaCode);
    }
    // The seven digits after the area code, with the next one in the highest bits.
    let mut digits = number << 36;
    let mut levels: &[&[[u8; 10]]] = &ROWS;
    while let Some(row) = entry.checked_sub(FIRST_ROW)
        && let [rows, after @ ..] = levels
    {
        let row = rows.get(usize::from(row));
        entry = row.and_then(|row| row.get((digits >> 60) as usize)).copied().unwrap_or(0);
        digits <<= 4;
        levels = after;
    }
    let kind = Kind::ALL.get(usize::from(entry)).copied();
    kind.filter(|kind| *kind != Kind::Unassigned).ok_or(Unassigned::Exchange)
}

/// The first number of the plan that begins with these ASCII digits.
pub(super) fn first_number(begun: &[u8]) -> Option<[u8; 10]> {
    let mut number = [b'0'; 10];
    number.get_mut(..begun.len())?.copy_from_slice(begun);
    let mut area_codes = (200_u16..).map(area_code_digits).zip(AREA_CODES);
    let found = area_codes.any(|(area_code, entry)| {
        let begins_so = begun.iter().zip(&area_code).all(|(begun, digit)| begun == digit);
        if begins_so && let Some(digits) = number.first_chunk_mut() {
            *digits = area_code;
        }
        begins_so && complete(&mut number, begun.len(), area_code.len(), &ROWS, entry)
    });
    found.then_some(number)
}

fn area_code_digits(area_code: u16) -> [u8; 3] {
    [area_code / 100, area_code / 10 % 10, area_code % 10]
        .map(|digit| b'0'.wrapping_add(digit as u8))
}

/// Finds digits from `place` on that have a kind, and keeps those that were begun.
fn complete(
    number: &mut [u8; 10],
    begun: usize,
    place: usize,
    levels: &[&[[u8; 10]]],
    entry: u8,
) -> bool {
    let Some(row) = entry.checked_sub(FIRST_ROW) else {
        // Any digits that follow have the same kind.
        return entry != 0;
    };
    let Some((rows, levels)) = levels.split_first() else { return false };
    let Some(row) = rows.get(usize::from(row)) else { return false };
    let next = place.saturating_add(1);
    (b'0'..=b'9').zip(row).any(|(digit, entry)| {
        let Some(kept) = number.get_mut(place) else { return false };
        if place >= begun {
            *kept = digit;
        }
        *kept == digit && complete(number, begun, next, levels, *entry)
    })
}
