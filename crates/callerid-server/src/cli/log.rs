//! The log, on standard error. It never blocks the server, and it limits repeated messages.
//!
//! Lines go through a queue to a thread that writes them. If nobody reads standard error, the queue
//! fills up, and further lines are dropped and counted. Of the warnings and errors from one place
//! in the program, only a few per second are written; the rest are also counted. The counts are
//! logged once a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter, Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::lock::lock;

/// The maximum number of lines in the queue.
const QUEUE: usize = 4096;
/// How many lines per second one place in the program may write.
const BURST: u64 = 10;
const PERIOD: Duration = Duration::from_secs(1);
/// Libraries that log whole messages, with everything that is secret in them.
const SILENT: [(&str, LevelFilter); 1] = [("rsipstack", LevelFilter::OFF)];
/// The time limit for writing the last lines.
const LAST_LINES: Duration = Duration::from_millis(1500);

/// The format of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    /// One line per event, for people
    Text,
    /// One JSON object per event, for programs
    Json,
}

/// The log. Dropping it waits for the last lines, but only for a short time.
pub(super) struct Log {
    worker: Option<WorkerGuard>,
}

impl Log {
    /// Starts the log.
    pub(super) fn start(filter: Targets, format: LogFormat) -> Self {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE);
        let (writer, worker) = builder.thread_name("log").finish(std::io::stderr());
        let repeated = Repeated::default();
        let told = Told { repeated: repeated.clone(), dropped: writer.error_counter(), known: 0 };
        let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
        let log = tracing_subscriber::registry().with(filter.with_targets(SILENT));
        match format {
            LogFormat::Text => log.with(lines.with_filter(repeated)).init(),
            LogFormat::Json => {
                log.with(lines.json().flatten_event(true).with_filter(repeated)).init();
            }
        }
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(message, place, "panicked");
        }));
        thread::spawn(move || told.tell_forever());
        Self { worker: Some(worker) }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Dropped on a thread, because the guard itself writes a message when its own wait times
        // out, and that can block.
        let worker = self.worker.take();
        within(LAST_LINES, move || drop(worker));
    }
}

/// Runs something that may block forever. Returns when it is done or the time is up.
pub(super) fn within(time: Duration, act: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        act();
        done.send(()).unwrap_or_default();
    });
    is_done.recv_timeout(time).unwrap_or_default();
}

/// Counts the warnings and errors of each place in the program, and allows the first few per
/// second.
#[derive(Clone, Default)]
struct Repeated(Arc<Mutex<HashMap<Identifier, (u64, &'static Metadata<'static>)>>>);

impl Repeated {
    /// Starts a new second. Returns how many lines were left out in the last one, for each place.
    fn begin(&self) -> Vec<(u64, &'static Metadata<'static>)> {
        let places = std::mem::take(&mut *lock(&self.0));
        let left_out = |(count, place): (u64, _)| Some((count.checked_sub(BURST)?, place));
        places.into_values().filter_map(left_out).filter(|(count, _)| *count > 0).collect()
    }
}

impl<S: Subscriber> Filter<S> for Repeated {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let place = event.metadata();
        // Users who enable lower levels want every line.
        if *place.level() > Level::WARN {
            return true;
        }
        let mut places = lock(&self.0);
        let (count, _) = places.entry(place.callsite()).or_insert((0, place));
        *count += 1;
        *count <= BURST
    }
}

/// Logs how much was left out.
struct Told {
    repeated: Repeated,
    dropped: ErrorCounter,
    known: usize,
}

impl Told {
    fn tell_forever(mut self) {
        loop {
            thread::sleep(PERIOD);
            self.tell();
        }
    }

    fn tell(&mut self) {
        for (lines, place) in self.repeated.begin() {
            let (file, line) = (place.file().unwrap_or("-"), place.line().unwrap_or_default());
            tracing::warn!(lines, like = %format_args!("{file}:{line}"), "repeated lines left out");
        }
        let dropped = self.dropped.dropped_lines();
        if dropped > self.known {
            tracing::warn!(lines = dropped - self.known, "lines were lost: the log is not read");
            self.known = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_writes_a_few_lines_a_second_and_the_others_are_counted() {
        let repeated = Repeated::default();
        let (writer, worker) = tracing_appender::non_blocking(std::io::sink());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let lines = tracing_subscriber::fmt::layer().with_writer({
            let seen = Arc::clone(&seen);
            move || Lines(Arc::clone(&seen))
        });
        let log = tracing_subscriber::registry().with(lines.with_filter(repeated.clone()));
        tracing::subscriber::with_default(log, || {
            (0..100).for_each(|at| tracing::error!(at, "again"));
            (0..100).for_each(|at| tracing::info!(at, "request"));
            tracing::warn!("another");
            let mut told =
                Told { repeated: repeated.clone(), dropped: writer.error_counter(), known: 0 };
            told.tell();
            tracing::error!("once more");
            told.tell();
        });
        drop(worker);
        let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
        let count = |text: &str| seen.lines().filter(|line| line.contains(text)).count();
        assert_eq!((count("again"), count("request"), count("another")), (10, 100, 1));
        assert_eq!(
            (count("repeated lines left out lines=90"), count("left out")),
            (1, 1),
            "{seen}"
        );
        assert_eq!(count("once more"), 1);
    }

    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
