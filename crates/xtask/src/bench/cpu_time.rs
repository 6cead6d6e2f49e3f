//! The CPU times of processes, as Linux tells them.

use std::fs;
use std::time::Duration;

/// What a process has used so far. The system counts it in ticks of 10 ms.
pub(super) struct CpuTime {
    /// The id of the process that started it.
    pub(super) parent: u32,
    pub(super) own: Duration,
    /// Of those of its children that have ended.
    pub(super) ended_children: Duration,
}

impl CpuTime {
    /// Of the process with this id; `None` if it has ended.
    pub(super) fn of(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The state and the parent follow the name, which is in parentheses.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(1);
        let parent = fields.next()?.parse().ok()?;
        let mut ticks = fields.skip(9).map_while(|ticks| ticks.parse::<u64>().ok());
        // In programs, and in the system for them.
        let mut both = || Some(Duration::from_millis(10 * (ticks.next()? + ticks.next()?)));
        Some(Self { parent, own: both()?, ended_children: both()? })
    }

    /// Of this process.
    pub(super) fn of_this() -> Self {
        Self::of(std::process::id()).expect("Linux tells of processes")
    }
}
