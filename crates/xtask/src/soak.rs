//! Soaking: the bounded tests of crashes, restores, floods and slow readers, repeated for minutes. They print how many kills
//! and restores there were, what was lost, how long a change took, alone and under another account's flood, and how much
//! memory the server had.

use crate::{Outcome, cargo, run};

/// Some thousand kills, and some hundred restores.
const TIMES: &str = "85";

/// Floods have the machine to themselves.
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
