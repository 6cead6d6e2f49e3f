//! Soaking: the bounded tests of crashes and restores, repeated for minutes. They print how many kills and restores
//! there were, what was lost, how long a change took and how much memory the server had.

use crate::{Outcome, cargo, run};

/// Some thousand kills, and some hundred restores.
const TIMES: &str = "85";

pub(crate) fn run_tests(args: &[String]) -> Outcome {
    let times = args.first().map_or(TIMES, String::as_str);
    times.parse::<u32>().map_err(|_| format!("how often? {times:?} is no number"))?;
    let test = ["test", "--package", "callerid-server", "--test", "process", "--", "--nocapture"];
    run(cargo().args(test).args(["crash::", "restore::"]).env("CALLERID_SOAK", times))
}
