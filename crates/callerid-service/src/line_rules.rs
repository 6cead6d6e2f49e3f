//! Line rules: which numbers a real phone line may call at all, and when.

#[cfg(feature = "real-line")]
mod calling_hours;
mod out_of_hours;
mod region;
mod regions;
#[cfg(feature = "real-line")]
mod time_zones;

use std::fmt;

use callerid_core::phone_number::Kind;
use callerid_core::{Moment, PhoneNumber};

pub use out_of_hours::OutOfHours;
pub use region::{InvalidRegion, Region, Regions};

/// What a real phone line may call, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineRules {
    /// Whether numbers may be called that can cost more than others; see [`Forbidden::Premium`].
    pub allow_premium: bool,
    /// The regions besides the United States and Canada whose numbers may be called.
    pub regions: Regions,
    /// Whether numbers may be called at any hour.
    pub any_hour: bool,
}

impl LineRules {
    /// The default: numbers of the United States and Canada without extra charges, in the daytime.
    pub const DEFAULT: Self =
        Self { allow_premium: false, regions: Regions::NONE, any_hour: false };

    /// Checks whether a number may be called at this time.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check(&self, number: &PhoneNumber, at: Moment) -> Result<(), Forbidden> {
        if !self.allow_premium && costs_more(number) {
            return Err(Forbidden::Premium);
        }
        if let Some(region) = Region::of(number).filter(|region| !self.regions.contains(*region)) {
            return Err(Forbidden::Region(region));
        }
        self.check_hour(number, at).map_err(Forbidden::Hour)
    }

    /// Checks whether a number may be called at this hour. (Only with the feature `real-line`, which
    /// has the rules of time zones.)
    ///
    /// # Errors
    /// The time where the number is.
    pub fn check_hour(&self, number: &PhoneNumber, at: Moment) -> Result<(), OutOfHours> {
        #[cfg(feature = "real-line")]
        if !self.any_hour {
            return calling_hours::check(number, at);
        }
        let _ = (number, at);
        Ok(())
    }
}

/// Whether a call to the number can cost more than one to its neighbours, or earn somebody money.
fn costs_more(number: &PhoneNumber) -> bool {
    const KINDS: [Kind; 3] = [Kind::PremiumRate, Kind::SharedCost, Kind::PersonalNumber];
    let (_, local) = number.as_bytes().split_at(3);
    KINDS.contains(&number.kind()) || local.starts_with(b"976") || local == b"5551212"
}

/// Why a number may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// A call to it can cost more than others: 900 and 976, numbers that follow their owner (500 and
    /// others), and directory assistance (555-1212).
    Premium,
    /// It is in a region that may not be called.
    Region(Region),
    /// It is too early or too late where it is.
    Hour(OutOfHours),
}

impl Forbidden {
    /// A stable name for the rule: `LinePremium`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Premium => "LinePremium",
            Self::Region(_) => "LineRegion",
            Self::Hour(_) => "LineHour",
        }
    }

    /// The seconds after which to try again, if that can help.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Hour(time) => Some(time.retry_after),
            Self::Premium | Self::Region(_) => None,
        }
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Premium => f.write_str("a call to this number can cost more than others"),
            Self::Region(region) => write!(f, "numbers of {region} are not called"),
            Self::Hour(time) => time.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment::from_unix_millis(1_768_500_000_000);

    fn check(rules: LineRules, number: &str) -> Result<(), Forbidden> {
        let rules = LineRules { any_hour: true, ..rules };
        rules.check(&PhoneNumber::parse(number).unwrap(), NOON)
    }

    #[test]
    fn numbers_that_cost_more_are_called_only_if_allowed() {
        let allowed = LineRules { allow_premium: true, ..LineRules::DEFAULT };
        for number in ["9002345678", "2129765555", "5002345678", "2125551212"] {
            assert_eq!(check(LineRules::DEFAULT, number), Err(Forbidden::Premium), "{number}");
            assert_eq!(check(allowed, number), Ok(()), "{number}");
        }
        for number in ["4158675309", "8005550123", "2129755555", "2125551213"] {
            assert_eq!(check(LineRules::DEFAULT, number), Ok(()), "{number}");
        }
    }

    #[test]
    fn other_regions_are_called_only_if_allowed() {
        let jamaica: Region = "JM".parse().unwrap();
        let allowed = LineRules { regions: [jamaica].into_iter().collect(), ..LineRules::DEFAULT };
        let refused = Err(Forbidden::Region(jamaica));
        assert_eq!(check(LineRules::DEFAULT, "8765550123"), refused);
        assert_eq!(check(allowed, "8765550123"), Ok(()));
        assert!(check(allowed, "8095550123").is_err());
        assert_eq!(check(LineRules::DEFAULT, "4165550123"), Ok(()));
    }
}
