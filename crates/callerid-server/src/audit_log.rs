//! The audit log of a real phone line: a JSON object a line, in files of their own.
//!
//! A thread writes the lines and makes them durable. A line is whole or absent: what a crash or a full
//! disk left of one is removed. A full file gets a number, and the oldest files are removed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use callerid_service::AuditEntry;

use crate::seal::{owner_only, sync_directory};

/// The file that is written to. Full ones are named `calls-000001.jsonl` and so on.
const FILE: &str = "calls.jsonl";
/// The lock of the directory's only writer.
const LOCK: &str = "lock";
/// The size from which on a file is full.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Longer than any line.
const LINE_BYTES: u64 = 4096;
/// Lines that wait for the disk.
const QUEUE: usize = 4096;
/// How long to wait before writing is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An audit log. Its clones write to the same files.
#[derive(Clone, Debug)]
pub struct AuditLog {
    queue: SyncSender<Item>,
    is_failing: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Item {
    Line(String),
    /// Answered once all lines before it are on disk.
    Flush(SyncSender<()>),
}

impl AuditLog {
    /// Opens the log in this directory, which is created if absent, and keeps so many full files.
    ///
    /// # Errors
    /// The directory cannot be written to, or another process writes there.
    pub fn open(directory: &Path, files: usize) -> io::Result<Self> {
        Self::write_to(Files::open(directory, files, FILE_BYTES)?)
    }

    fn write_to(log: Files) -> io::Result<Self> {
        let (queue, items) = sync_channel(QUEUE);
        let is_failing = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&is_failing);
        thread::Builder::new().name("audit".into()).spawn(move || write(log, &items, &failing))?;
        Ok(Self { queue, is_failing })
    }

    /// Whether the last lines could not be written. Writing is tried again every second.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Writes an entry in the background.
    pub fn record(&self, entry: &AuditEntry) {
        match serde_json::to_string(entry) {
            Ok(line) => {
                if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
                    self.queue.try_send(Item::Line(line + "\n"))
                {
                    tracing::error!("an entry of the audit log was lost: the disk is too slow");
                }
            }
            Err(error) => tracing::error!(%error, "an entry of the audit log cannot be written"),
        }
    }

    /// Waits until all entries are on disk, but not for longer than this.
    pub fn flush(&self, at_most: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            is_done.recv_timeout(at_most).unwrap_or_default();
        }
    }
}

/// Writes what comes in, several lines at a time.
fn write(mut files: Files, items: &Receiver<Item>, is_failing: &AtomicBool) {
    while let Ok(first) = items.recv() {
        let mut flushed = Vec::new();
        for item in std::iter::once(first).chain(items.try_iter().take(QUEUE)) {
            match item {
                Item::Line(line) => retry(is_failing, || files.append(&line)),
                Item::Flush(done) => flushed.push(done),
            }
        }
        retry(is_failing, || files.file.sync_data());
        flushed.iter().for_each(|done| done.send(()).unwrap_or_default());
    }
}

fn retry(is_failing: &AtomicBool, mut act: impl FnMut() -> io::Result<()>) {
    while let Err(error) = act() {
        if !is_failing.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the audit log cannot be written: no calls are placed until it can");
        }
        thread::sleep(RETRY_AFTER);
    }
    if is_failing.swap(false, Ordering::Relaxed) {
        tracing::info!("the audit log is written again");
    }
}

/// The files of a log.
struct Files {
    directory: PathBuf,
    /// How many full files are kept.
    keep: usize,
    file_bytes: u64,
    file: File,
    length: u64,
    _lock: File,
}

impl Files {
    fn open(directory: &Path, keep: usize, file_bytes: u64) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
        let lock = open(&directory.join(LOCK))?;
        lock.try_lock().map_err(|_| io::Error::other("another process writes there"))?;
        let mut file = open(&directory.join(FILE))?;
        let length = whole_lines(&mut file)?;
        file.set_len(length)?;
        file.sync_all()?;
        sync_directory(&directory.join(FILE))?;
        Ok(Self { directory: directory.into(), keep, file_bytes, file, length, _lock: lock })
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let bytes = line.len() as u64;
        if self.length > 0 && self.length + bytes > self.file_bytes {
            self.begin_another()?;
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // What was written of it.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes;
        Ok(())
    }

    /// Gives the full file a number, begins another, and removes the oldest ones.
    fn begin_another(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let mut full = self.full_files()?;
        let number = full.last().map_or(1, |(number, _)| number + 1);
        let path = self.directory.join(format!("calls-{number:06}.jsonl"));
        match fs::rename(self.directory.join(FILE), &path) {
            // It was renamed, and the next file could not be opened then.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        (self.file, self.length) = (open(&self.directory.join(FILE))?, 0);
        full.push((number, path));
        let surplus = full.len().saturating_sub(self.keep);
        full.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))?;
        sync_directory(&self.directory.join(FILE))
    }

    /// The full files with their numbers, oldest first.
    fn full_files(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut full = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix("calls-").and_then(|rest| rest.strip_suffix(".jsonl"));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                full.push((number, path));
            }
        }
        full.sort_unstable();
        Ok(full)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    owner_only(&mut options);
    options.open(path)
}

/// The length of a file's whole lines. Less than a line may follow.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LINE_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(LINE_BYTES).read_to_end(&mut end)?;
    let whole = memchr::memrchr(b'\n', &end).map_or(0, |at| at + 1);
    Ok(from + whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_a_crash_has_cut_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        for (kept, expected) in [("{}\n{\"at\":\"2", 3), ("{\"a", 0), ("", 0), ("{}\n", 3)] {
            fs::write(&file, kept).unwrap();
            let mut files = Files::open(directory.path(), 1, 1000).unwrap();
            assert_eq!(files.length, expected, "{kept}");
            files.append("{\"more\":1}\n").unwrap();
            drop(files);
            assert_eq!(lines(&file).last().unwrap(), "{\"more\":1}");
            assert_eq!(lines(&file).len(), 1 + usize::from(expected > 0));
        }
    }

    #[test]
    fn full_files_get_a_number_and_the_oldest_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path(), 2, 12).unwrap();
        for line in 0..9 {
            files.append(&format!("{{\"n\":{line}}}\n")).unwrap();
            if line == 4 {
                drop(files);
                files = Files::open(directory.path(), 2, 12).unwrap();
            }
        }
        let name = |number| directory.path().join(format!("calls-{number:06}.jsonl"));
        assert_eq!(lines(&directory.path().join(FILE)), ["{\"n\":8}"]);
        assert_eq!(lines(&name(8)), ["{\"n\":7}"]);
        assert_eq!(lines(&name(7)), ["{\"n\":6}"]);
        assert!(!name(6).exists());
    }

    #[test]
    fn lines_that_cannot_be_written_are_written_as_soon_as_they_can() {
        let parent = tempfile::tempdir().unwrap();
        let [directory, elsewhere] = ["audit", "elsewhere"].map(|name| parent.path().join(name));
        let log = AuditLog::write_to(Files::open(&directory, 9, 10).unwrap()).unwrap();
        let await_failing = |failing| {
            let started = std::time::Instant::now();
            while log.is_failing() != failing {
                assert!(started.elapsed() < Duration::from_secs(10), "{failing}");
                thread::sleep(Duration::from_millis(5));
            }
        };
        let entry = AuditEntry {
            at: callerid_core::Moment::from_unix_millis(0),
            event: "asked",
            account_sid: callerid_core::AccountSid::from_random_bytes(&[1; 16]),
            call_sid: None,
            phone_number: callerid_core::PhoneNumber::parse("4158675309").unwrap(),
            caller: None,
            outcome: None,
            cause: None,
        };
        log.record(&entry);
        log.flush(Duration::from_secs(10));
        fs::rename(&directory, &elsewhere).unwrap();
        // Each is longer than a file, so each begins another.
        log.record(&entry);
        await_failing(true);
        log.record(&entry);
        fs::rename(&elsewhere, &directory).unwrap();
        await_failing(false);
        log.flush(Duration::from_secs(10));
        let line = r#"{"at":"1970-01-01T00:00:00.000Z","event":"asked","account_sid":"AC01010101010101010101010101010101","phone_number":"4158675309"}"#;
        for name in ["calls-000001.jsonl", "calls-000002.jsonl", FILE] {
            assert_eq!(lines(&directory.join(name)), [line], "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it_and_only_one_process_writes_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("audit");
        let _files = Files::open(&directory, 1, 1000).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join(FILE))), (0o700, 0o600));
        let error = Files::open(&directory, 1, 1000).err().unwrap();
        assert_eq!(error.to_string(), "another process writes there");
    }
}
