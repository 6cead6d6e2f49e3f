//! Soaking: repeats the bounded tests of crashes, restores, floods and slow readers for minutes. They
//! print the number of kills and restores, what was lost, how long changes took, alone and while
//! another account floods the server, and how much memory the server used.

use crate::{Outcome, cargo, run};

/// About a thousand kills, and several hundred restores.
const TIMES: &str = "85";

/// The tests of floods run alone.
const TESTS: [&[&str]; 2] =
    [&["crash::", "restore::"], &["--test-threads", "1", "flood::", "slow_readers::"]];

pub(crate) fn run_tests(args: &[String]) -> Outcome {
    let times = args.first().map_or(TIMES, String::as_str);
    times.parse::<u32>().map_err(|_| format!("how often? {times:?} is no number"))?;
    let test = ["test", "--package", "callerid-server", "--test", "process", "--", "--nocapture"];
    TESTS
        .iter()
        .try_for_each(|tests| run(cargo().args(test).args(*tests).env("CALLERID_SOAK", times)))
}
