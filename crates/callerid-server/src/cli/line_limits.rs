//! The options of `callerid serve` that limit a real phone line. docs/limits.md lists them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callerid_service::{LineLimits, LineRules, RateLimit, Region};
use clap::Args;

use super::CommandError;
use crate::audit_log::AuditLog;

const DEFAULT: LineLimits = LineLimits::DEFAULT;

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of a real phone line")]
pub(super) struct LineLimitOptions {
    /// Maximum number of calls to one number within a short time, from all accounts
    #[arg(long, value_name = "CALLS/PERIOD", default_value_t = DEFAULT.number_rate)]
    line_number_rate: RateLimit,
    /// Maximum number of calls to one number within a day, from all accounts
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.number_calls_a_day,
        value_parser = at_least_one(),
    )]
    line_number_calls_a_day: u32,
    /// Maximum number of concurrent calls to one number, from all accounts
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.live_calls_per_number,
        value_parser = at_least_one(),
    )]
    line_live_calls_per_number: u32,
    /// Wrong codes for a number in all, from all accounts, after which it is not called until `callerid
    /// number clear`
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.wrong_codes_per_number,
        value_parser = at_least_one(),
    )]
    line_wrong_codes_per_number: u32,
    /// Maximum number of calls of one account within a short time
    #[arg(long, value_name = "CALLS/PERIOD", default_value_t = DEFAULT.account_rate)]
    line_account_rate: RateLimit,
    /// Maximum number of calls of one account within a day
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.account_calls_a_day,
        value_parser = at_least_one(),
    )]
    line_account_calls_a_day: u32,
    /// Maximum number of concurrent calls of one account
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.live_calls_per_account,
        value_parser = at_least_one(),
    )]
    line_live_calls_per_account: u32,
    /// Maximum number of concurrent calls
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.live_calls,
        value_parser = at_least_one(),
    )]
    line_live_calls: u32,
    /// Maximum number of calls within a day
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.calls_a_day,
        value_parser = at_least_one(),
    )]
    line_calls_a_day: u32,
    /// Call numbers that can cost more than others: 900 and 976, personal numbers like 500, and
    /// directory assistance
    #[arg(long)]
    allow_premium: bool,
    /// Regions of country code 1 to call besides the United States and Canada, by their codes: JM, PR
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    allow_region: Vec<Region>,
    /// Call at any hour, not only from 08:00 to 21:00 where the number is
    #[arg(long)]
    any_hour: bool,
    /// The directory of the audit log of all calls; `audit` in the data directory by default
    #[arg(long, value_name = "DIR", env = "CALLERID_AUDIT_LOG")]
    audit_log: Option<PathBuf>,
    /// How many full files of the audit log are kept, of 16 MiB each
    #[arg(long, value_name = "NUMBER", default_value_t = 64)]
    audit_log_files: usize,
}

impl LineLimitOptions {
    /// The limits, and what may be called at all.
    pub(super) fn to_limits(&self) -> LineLimits {
        LineLimits {
            number_rate: self.line_number_rate,
            number_calls_a_day: self.line_number_calls_a_day,
            live_calls_per_number: self.line_live_calls_per_number,
            wrong_codes_per_number: self.line_wrong_codes_per_number,
            account_rate: self.line_account_rate,
            account_calls_a_day: self.line_account_calls_a_day,
            live_calls_per_account: self.line_live_calls_per_account,
            live_calls: self.line_live_calls,
            calls_a_day: self.line_calls_a_day,
            rules: LineRules {
                allow_premium: self.allow_premium,
                regions: self.allow_region.iter().copied().collect(),
                any_hour: self.any_hour,
            },
        }
    }

    /// Opens the audit log, without which a real line is not served.
    pub(super) fn open_audit_log(&self, data: &Path) -> Result<AuditLog, CommandError> {
        let directory = self.audit_log_directory(data);
        AuditLog::open(&directory, self.audit_log_files).map_err(|error| {
            let directory = directory.display();
            format!(
                "cannot write the audit log in {directory}, and a real phone line needs it: {error}"
            )
            .into()
        })
    }

    fn audit_log_directory(&self, data: &Path) -> PathBuf {
        self.audit_log.clone().unwrap_or_else(|| data.join("audit"))
    }

    /// All limits that hold for a real line, for the message at the start.
    pub(super) fn describe(&self, data: &Path) -> String {
        let limits = self.to_limits();
        let rules = limits.rules;
        let mut said = "Calls are made within these limits (see docs/limits.md):\n".to_owned();
        let regions: String = rules.regions.iter().map(|region| format!(", {region}")).collect();
        let premium = if rules.allow_premium {
            "also those that can cost more"
        } else {
            "none that can cost more than others"
        };
        let hours = match rules.any_hour {
            true => "at any hour",
            false => "from 08:00 to 21:00 where the number is",
        };
        for (what, limit) in [
            (
                "a number",
                format!(
                    "at most {} and {} a day, {} at a time, until {} wrong codes in all",
                    limits.number_rate,
                    limits.number_calls_a_day,
                    limits.live_calls_per_number,
                    limits.wrong_codes_per_number
                ),
            ),
            (
                "an account",
                format!(
                    "at most {} and {} a day, {} at a time",
                    limits.account_rate, limits.account_calls_a_day, limits.live_calls_per_account
                ),
            ),
            (
                "all calls",
                format!("at most {} a day, {} at a time", limits.calls_a_day, limits.live_calls),
            ),
            ("numbers", format!("of US, CA{regions}; {premium}; none that has opted out")),
            ("hours", hours.to_owned()),
            ("audit log", self.audit_log_directory(data).display().to_string()),
        ] {
            writeln!(said, "  {what:<11} {limit}").unwrap_or_default();
        }
        said + "`callerid line stop` ends all calls and places no more.\n"
    }
}

/// A line that makes no call is stopped with `callerid line stop`.
fn at_least_one() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: LineLimitOptions,
    }

    fn parse(arguments: &[&str]) -> Result<LineLimitOptions, String> {
        let cli = Cli::try_parse_from([&["serve"], arguments].concat());
        cli.map(|cli| cli.options).map_err(|error| error.to_string())
    }

    #[test]
    fn every_limit_has_an_option_and_a_default() {
        assert_eq!(parse(&[]).unwrap().to_limits(), LineLimits::DEFAULT);
        let arguments = [
            "--line-number-rate=1/2m",
            "--line-number-calls-a-day=3",
            "--line-live-calls-per-number=4",
            "--line-wrong-codes-per-number=5",
            "--line-account-rate=6/7h",
            "--line-account-calls-a-day=8",
            "--line-live-calls-per-account=9",
            "--line-live-calls=10",
            "--line-calls-a-day=11",
            "--allow-premium",
            "--allow-region=JM,PR",
            "--any-hour",
        ];
        let limits = parse(&arguments).unwrap().to_limits();
        let expected = LineLimits {
            number_rate: RateLimit { calls: 1, seconds: 120 },
            number_calls_a_day: 3,
            live_calls_per_number: 4,
            wrong_codes_per_number: 5,
            account_rate: RateLimit { calls: 6, seconds: 7 * 3_600 },
            account_calls_a_day: 8,
            live_calls_per_account: 9,
            live_calls: 10,
            calls_a_day: 11,
            rules: LineRules {
                allow_premium: true,
                regions: ["JM", "PR"].iter().map(|code| code.parse().unwrap()).collect(),
                any_hour: true,
            },
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for argument in [
            "--line-number-rate=3",
            "--line-account-rate=0/1h",
            "--line-calls-a-day=0",
            "--allow-region=US",
            "--allow-region=DE",
        ] {
            assert!(parse(&[argument]).is_err(), "{argument}");
        }
    }

    #[test]
    fn all_limits_are_said_at_the_start() {
        let said = parse(&["--allow-region=JM"]).unwrap().describe(Path::new("data"));
        for part in [
            "at most 3/10m and 5 a day, 1 at a time, until 100 wrong codes in all\n",
            "at most 10/1h and 50 a day, 3 at a time\n",
            "at most 1000 a day, 20 at a time\n",
            "of US, CA, JM; none that can cost more than others; none that has opted out\n",
            "from 08:00 to 21:00 where the number is\n",
            "data/audit\n",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }
}
