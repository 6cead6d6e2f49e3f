//! Soaking: the bounded tests of crashes, restores, floods and slow readers, repeated for minutes. They print how many kills
//! and restores there were, what was lost, how long a change took, alone and under another account's flood, and how much
//! memory the server had.

use crate::{Outcome, cargo, run};

/// Some thousand kills, and some hundred restores.
const TIMES: &str = "85";

const TESTS: [&str; 4] = ["crash::", "restore::", "flood::", "slow_readers::"];

pub(crate) fn run_tests(args: &[String]) -> Outcome {
    let times = args.first().map_or(TIMES, String::as_str);
    times.parse::<u32>().map_err(|_| format!("how often? {times:?} is no number"))?;
    let test = ["test", "--package", "callerid-server", "--test", "process", "--", "--nocapture"];
    run(cargo().args(test).args(TESTS).env("CALLERID_SOAK", times))
}
