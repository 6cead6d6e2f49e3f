//! Regions of country code 1 besides the United States and Canada.

use std::fmt;
use std::str::FromStr;

use callerid_core::PhoneNumber;

use super::regions::REGIONS;

/// A region of country code 1 with area codes of its own: any but the United States and Canada,
/// whose territories in the Caribbean and the Pacific count as regions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Region(u8);

impl Region {
    /// The region that a number is in; `None` for the United States, Canada, and numbers of no
    /// region, such as toll-free ones.
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        let code = area_code(number);
        Self::find(|(_, codes)| codes.contains(&code))
    }

    /// The region's code of ISO 3166-1: `JM`.
    pub fn as_str(self) -> &'static str {
        REGIONS.get(usize::from(self.0)).map_or("", |(name, _)| name)
    }

    fn find(is_it: impl FnMut(&(&str, &[u16])) -> bool) -> Option<Self> {
        REGIONS.iter().position(is_it).and_then(|at| u8::try_from(at).ok()).map(Self)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(code: &str) -> Result<Self, InvalidRegion> {
        Self::find(|(name, _)| *name == code).ok_or(InvalidRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the code of a [`Region`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRegion;

impl fmt::Display for InvalidRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected one of")?;
        REGIONS.iter().try_for_each(|(name, _)| write!(f, " {name}"))?;
        f.write_str(" (US and CA are always allowed)")
    }
}

impl std::error::Error for InvalidRegion {}

/// A set of regions.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Regions(u32);

const _: () = assert!(REGIONS.len() <= 32, "each region has one of 32 bits");

impl Regions {
    /// No region.
    pub const NONE: Self = Self(0);

    /// Whether a region is one of them.
    pub fn contains(self, region: Region) -> bool {
        self.0 & bit(region) != 0
    }

    /// The regions, ordered by code.
    pub fn iter(self) -> impl Iterator<Item = Region> {
        (0..u8::MAX).map(Region).take(REGIONS.len()).filter(move |it| self.contains(*it))
    }
}

impl FromIterator<Region> for Regions {
    fn from_iter<I: IntoIterator<Item = Region>>(regions: I) -> Self {
        Self(regions.into_iter().fold(0, |set, region| set | bit(region)))
    }
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn bit(region: Region) -> u32 {
    1_u32.checked_shl(region.0.into()).unwrap_or_default()
}

/// A number's first three digits.
pub(super) fn area_code(number: &PhoneNumber) -> u16 {
    let digits = number.as_bytes().iter().take(3);
    digits.fold(0, |code: u16, digit| {
        code.saturating_mul(10).saturating_add(u16::from(digit.saturating_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_code_tells_the_region() {
        let region = |number| Region::of(&PhoneNumber::parse(number).unwrap());
        for number in ["4158675309", "4165550123", "8005550123"] {
            assert_eq!(region(number), None, "{number}");
        }
        for (number, code) in [("8765550123", "JM"), ("8495550123", "DO"), ("7872345678", "PR")] {
            assert_eq!(region(number), Some(code.parse().unwrap()), "{number}");
        }
    }

    #[test]
    fn a_set_has_the_regions_that_it_was_made_of() {
        let [jamaica, dominican_republic] = ["JM", "DO"].map(|code| code.parse().unwrap());
        let regions: Regions = [jamaica, dominican_republic].into_iter().collect();
        assert!(regions.contains(jamaica) && !regions.contains("PR".parse().unwrap()));
        assert_eq!(regions.iter().map(Region::as_str).collect::<Vec<_>>(), ["DO", "JM"]);
        let error = "US".parse::<Region>().unwrap_err().to_string();
        assert!(error.starts_with("expected one of AG AI"), "{error}");
    }
}
