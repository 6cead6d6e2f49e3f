//! Tests of what is specific to the durable store: opening, sealing, sharing commits, failing.
//! tests/store_equivalence.rs checks that it behaves like the store in memory.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use callerid_core::{AuthToken, CallbackMethod, Cursor, NewCallerId, StatusCallback};
use callerid_service::{
    CallStatus, EVENTS_KEPT, FailureCause, Keys, MemoryStore, PhoneEvent, RandomBytes,
};
use tempfile::TempDir;

use super::*;

const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

/// Admits every request.
fn admitted(_: &Account) -> Result<(), Unauthenticated> {
    Ok(())
}

fn account() -> Account {
    let auth_token = AuthToken::new("the-token-in-clear").unwrap();
    Account { sid: AccountSid::from_random_bytes(&[1; 16]), auth_token }
}

fn number(index: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("415867{:04}", 5300 + index)).unwrap()
}

fn call(seed: u8, number: PhoneNumber) -> Call {
    Call::new(account().sid, NewCallerId::new(number), &RandomBytes::new([seed; 80]), NOW).unwrap()
}

fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(directory, Options::default())
}

/// A store with one account, in its own directory.
async fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    assert!(store.add_account(account()).await.unwrap());
    (directory, store)
}

/// Blocks the writer thread until the sender is dropped or used, so that changes accumulate.
fn hold(store: &Arc<SqliteStore>) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let store = store.clone();
    tokio::spawn(async move {
        let wait = move |_: &Connection| {
            started.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        };
        store.write(wait).await.unwrap();
    });
    tokio::task::block_in_place(|| has_started.recv().unwrap());
    release
}

fn error(directory: &Path, options: Options) -> String {
    SqliteStore::open(directory, options).unwrap_err().to_string()
}

mod opening {
    use super::*;

    fn database(directory: &Path) -> std::path::PathBuf {
        directory.join("callerid.sqlite3")
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_named_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let below = file.join("data");
        let message = error(&below, Options::default());
        let expected =
            format!("cannot keep data in {}: Not a directory (os error 20)", below.display());
        assert_eq!(message, expected);
    }

    #[test]
    fn created_files_are_accessible_only_to_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("a/b");
        let _store =
            SqliteStore::open(&data, Options { serve: true, ..Options::default() }).unwrap();
        #[cfg(unix)]
        for path in fs::read_dir(&data).unwrap().map(|file| file.unwrap().path()).chain([data]) {
            let metadata = fs::metadata(&path).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        }
    }

    #[test]
    fn one_server_works_on_a_directory_and_others_may_open_it() {
        let directory = tempfile::tempdir().unwrap();
        let serve = || Options { serve: true, ..Options::default() };
        let server = SqliteStore::open(directory.path(), serve()).unwrap();
        let expected = format!(
            "another server works on {} (process {})",
            directory.path().display(),
            std::process::id()
        );
        assert_eq!(error(directory.path(), serve()), expected);
        assert!(open(directory.path()).is_ok());
        drop(server);
        assert!(SqliteStore::open(directory.path(), serve()).is_ok());
    }

    #[test]
    fn a_database_from_a_newer_version_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()).unwrap());
        let path = database(directory.path());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        drop(connection);
        let message = error(directory.path(), Options::default());
        let expected = format!(
            "{} has version {}, and this program knows versions up to {}: use a newer one",
            path.display(),
            schema::VERSION + 1,
            schema::VERSION
        );
        assert_eq!(message, expected);
    }

    #[tokio::test]
    async fn a_database_of_version_1_opens_with_all_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let key = SealingKey::parse(&"a5".repeat(32)).unwrap();
        let sealed = |bytes: &[u8], purpose: &[u8]| key.seal(bytes, purpose).unwrap();
        let (check, account) = (sealed(b"callerid", b"key check"), account());
        let token = sealed(account.auth_token.expose().as_bytes(), account.sid.as_str().as_bytes());
        let old = Connection::open(database(directory.path())).unwrap();
        old.pragma_update(None, "journal_mode", "WAL").unwrap();
        old.execute_batch(include_str!("schema/1.sql")).unwrap();
        old.pragma_update(None, "application_id", 0x434c_4944).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute("INSERT INTO meta VALUES (1, ?1)", [check]).unwrap();
        old.execute("INSERT INTO account VALUES (7, ?1, ?2)", (account.sid.as_str(), token))
            .unwrap();
        old.execute("INSERT INTO account VALUES (8, 'AC', x'')", []).unwrap();
        for level in 1..=5 {
            let span = "INSERT INTO caller_id_span VALUES (7, ?1, ?2, '', 120)";
            old.execute(span, (level, i64::MIN)).unwrap();
        }
        for row in 0..120 {
            let sid = CallerIdSid::from_random_bytes(&[row; 16]);
            let number = number(row.into());
            let insert = "INSERT INTO caller_id VALUES (7, ?1, ?2, ?3, 'Name', 5, 0, 0)";
            old.execute(insert, (-i64::from(row / 2), sid.as_str(), number.as_str())).unwrap();
        }
        drop(old);
        #[cfg(unix)]
        {
            let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(database(directory.path()), owner_only).unwrap();
        }

        let options = || Options { key: Some(key.clone()), ..Options::default() };
        let store = SqliteStore::open(directory.path(), options()).unwrap();
        let named =
            Filter { friendly_name: Some(FriendlyName::new("Name").unwrap()), ..Filter::default() };
        for filter in [Filter::default(), named] {
            let list = async |number, cursor| {
                let request = PageRequest { number, cursor, ..PageRequest::default() };
                let page = store.list(&self::account().sid, &filter, request, admitted).await;
                page.unwrap().unwrap()
            };
            let mut page = list(0, None).await;
            let mut walked = page.items.clone();
            for number in [1, 2] {
                let last = page.items.last().unwrap().list_key();
                page = list(number, Some(Cursor::After(last))).await;
                assert_eq!(list(number, None).await, page);
                walked.extend_from_slice(&page.items);
            }
            assert_eq!((walked.len(), page.total, page.more), (120, 120, false));
            assert!(walked.is_sorted_by_key(OutgoingCallerId::list_key));
        }
        // The count stays up to date after that.
        assert!(
            store.remove(&account.sid, &CallerIdSid::from_random_bytes(&[3; 16])).await.unwrap()
        );
        drop(store);
        let store = SqliteStore::open(directory.path(), options()).unwrap();
        let page = store
            .list(&self::account().sid, &Filter::default(), PageRequest::default(), admitted)
            .await;
        assert_eq!(page.unwrap().unwrap().total, 119);
    }

    #[tokio::test]
    async fn a_database_of_version_3_opens_with_its_callbacks() {
        let directory = tempfile::tempdir().unwrap();
        let key = SealingKey::parse(&"a5".repeat(32)).unwrap();
        let old = Connection::open(database(directory.path())).unwrap();
        for migration in [
            include_str!("schema/1.sql"),
            include_str!("schema/2.sql"),
            include_str!("schema/3.sql"),
        ] {
            old.execute_batch(migration).unwrap();
        }
        old.pragma_update(None, "application_id", 0x434c_4944).unwrap();
        old.pragma_update(None, "user_version", 3).unwrap();
        let check = key.seal(b"callerid", b"key check").unwrap();
        old.execute("INSERT INTO meta VALUES (1, ?1)", [check]).unwrap();
        let account = account().sid;
        old.execute("INSERT INTO account VALUES (1, ?1, x'', 0, 0)", [account.as_str()]).unwrap();
        let call = CallSid::from_random_bytes(&[1; 16]);
        let insert =
            "INSERT INTO callback VALUES (?1, 1, 'http://a/', 'GET', '', 0, 2, 5, 500, NULL)";
        old.execute(insert, [call.as_str()]).unwrap();
        drop(old);
        #[cfg(unix)]
        {
            let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(database(directory.path()), owner_only).unwrap();
        }
        let options = Options { key: Some(key), ..Options::default() };
        let store = SqliteStore::open(directory.path(), options).unwrap();
        let to = StatusCallback::new("http://a/", CallbackMethod::Get).unwrap();
        let due = store.due_callbacks(&Accounts::ALL, NOW, &CallbackSlots::DEFAULT).await.unwrap();
        let [callback] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!((callback.call_sid, &callback.to, callback.attempts), (call, &to, 2));
        assert_eq!(store.callbacks(&account, Newest::ALL).await.unwrap(), due);
    }

    #[test]
    fn a_foreign_database_is_left_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let path = database(directory.path());
        let expected = format!("{} is no database of this program", path.display());
        fs::write(&path, "not a database at all, but long enough to have had a header ".repeat(4))
            .unwrap();
        assert_eq!(error(directory.path(), Options::default()), expected);
        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
        assert_eq!(error(directory.path(), Options::default()), expected);
        assert!(!directory.path().join("key").exists());
    }

    #[test]
    fn another_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let key = |digit: &str| Some(SealingKey::parse(&digit.repeat(64)).unwrap());
        let with = |key| Options { key, ..Options::default() };
        drop(SqliteStore::open(directory.path(), with(key("a"))).unwrap());
        assert!(SqliteStore::open(directory.path(), with(key("a"))).is_ok());
        let wrong = "tokens were sealed with another key than the one given";
        assert_eq!(error(directory.path(), with(key("b"))), wrong);
        let missing = error(directory.path(), Options::default());
        assert!(
            missing.starts_with("the key that tokens were sealed with is not in "),
            "{missing}"
        );
        assert!(!directory.path().join("key").exists());
    }

    #[tokio::test]
    async fn a_first_start_that_is_killed_at_any_point_leaves_a_directory_that_opens() {
        let killed_after: [fn(&Path); 6] = [
            |_| {},
            |path| fs::write(path.join("lock"), "").unwrap(),
            |path| fs::write(database(path), "").unwrap(),
            |path| {
                fs::write(database(path), "").unwrap();
                fs::write(path.join("key.0123456789abcdef"), "half a k").unwrap();
            },
            |path| {
                drop(SqliteStore::open(path, Options::default()).unwrap());
                fs::remove_file(database(path)).unwrap();
                fs::rename(path.join("key"), path.join("key.draft")).unwrap();
                let connection = Connection::open(database(path)).unwrap();
                connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            },
            |path| {
                drop(SqliteStore::open(path, Options::default()).unwrap());
                fs::rename(path.join("key"), path.join("key.draft")).unwrap();
            },
        ];
        for (point, kill) in killed_after.iter().enumerate() {
            let directory = tempfile::tempdir().unwrap();
            kill(directory.path());
            let store = open(directory.path()).unwrap();
            assert!(store.add_account(account()).await.unwrap(), "point {point}");
            drop(store);
            let found = open(directory.path()).unwrap().account(&account().sid).await.unwrap();
            assert_eq!(found, Some(account()), "point {point}");
        }
    }

    #[tokio::test]
    async fn a_key_without_its_database_is_refused_and_creates_nothing() {
        let lose: [fn(&Path); 3] = [
            |path| fs::remove_file(database(path)).unwrap(),
            |path| fs::write(database(path), "").unwrap(),
            |path| {
                fs::remove_file(database(path)).unwrap();
                let connection = Connection::open(database(path)).unwrap();
                connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            },
        ];
        for (case, lose) in lose.iter().enumerate() {
            let (directory, store) = store().await;
            drop(store);
            let path = directory.path();
            lose(path);
            let message = error(path, Options { serve: true, ..Options::default() });
            assert!(message.contains("callerid.sqlite3 is missing or empty"), "{case}: {message}");
            assert!(message.contains("from a backup"), "{case}: {message}");
            let size = database(path).metadata().map_or(0, |database| database.len());
            assert!(case == 2 || size == 0, "{case}");
            fs::remove_file(path.join("key")).unwrap();
            assert!(open(path).is_ok(), "{case}: to begin anew");
        }
    }

    #[test]
    fn first_starts_at_the_same_time_agree() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let start = || scope.spawn(|| open(directory.path()).map(drop));
            let starts: Vec<_> = (0..8).map(|_| start()).collect();
            for start in starts {
                start.join().unwrap().unwrap();
            }
        });
    }
}

mod accounts {
    use super::*;

    #[tokio::test]
    async fn an_account_is_added_once_and_listed() {
        let (_directory, store) = store().await;
        let other = Account { auth_token: AuthToken::new("other").unwrap(), ..account() };
        assert!(!store.add_account(other).await.unwrap());
        assert_eq!(store.account(&account().sid).await.unwrap(), Some(account()));
        assert_eq!(store.accounts().await.unwrap(), [account().sid]);
    }

    #[tokio::test]
    async fn a_change_by_another_process_is_seen_at_once() {
        let (directory, store) = store().await;
        assert!(store.account(&account().sid).await.unwrap().is_some());
        let other = open(directory.path()).unwrap();
        let rotated = Account { auth_token: AuthToken::new("rotated").unwrap(), ..account() };
        assert!(other.rotate(rotated.clone()).await.unwrap());
        assert_eq!(store.account(&account().sid).await.unwrap(), Some(rotated.clone()));
        assert!(other.remove_account(&account().sid).await.unwrap());
        assert_eq!(store.account(&account().sid).await.unwrap(), None);
        assert!(!other.rotate(rotated).await.unwrap());
        assert!(!other.remove_account(&account().sid).await.unwrap());
    }

    #[tokio::test]
    async fn no_file_has_a_token_in_clear() {
        let (directory, store) = store().await;
        store.rotate(account()).await.unwrap();
        let has_token = |bytes: &[u8]| {
            let token = account().auth_token.expose().as_bytes().to_vec();
            bytes.windows(token.len()).any(|window| window == token)
        };
        let files = fs::read_dir(directory.path()).unwrap();
        let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 3, "{files:?}");
        for path in files {
            assert!(!has_token(&fs::read(&path).unwrap()), "{}", path.display());
        }
    }

    #[tokio::test]
    async fn a_removed_account_leaves_nothing_and_event_ids_are_not_reused() {
        let (_directory, store) = store().await;
        add_caller_id(&store, number(0)).await;
        let wrong = in_progress(&store, 2, number(1)).await;
        let keys = PhoneEvent::Pressed(Keys::parse("1#").unwrap());
        assert_eq!(store.save(vec![wrong.apply(&keys, NOW).unwrap()]).await.unwrap(), [true]);
        let newest = store.events_after(&account().sid, 0, 0).await.unwrap().newest;
        assert!(store.remove_account(&account().sid).await.unwrap());
        for table in ["account", "caller_id", "call", "callback", "event"] {
            let count = format!("SELECT count(*) FROM {table}");
            let rows = store.read(|it| Ok(it.query_row(&count, [], |row| row.get::<_, i64>(0))?));
            assert_eq!(rows.unwrap(), 0, "{table}");
        }
        assert!(store.add_account(account()).await.unwrap());
        store.add_call(call(3, number(2)), &Limits::DEFAULT).await.unwrap().unwrap();
        let events = store.events_after(&account().sid, newest, 9).await.unwrap();
        assert_eq!(events.events[0].id, newest + 1);
    }
}

/// A call that has been answered.
async fn in_progress(store: &SqliteStore, seed: u8, number: PhoneNumber) -> Call {
    let queued = store.add_call(call(seed, number), &Limits::DEFAULT).await.unwrap().unwrap().call;
    let ringing = queued.advance_to(NOW).unwrap();
    let answered = ringing.call.apply(&PhoneEvent::Answered, NOW).unwrap();
    let call = answered.call.clone();
    assert_eq!(store.save(vec![ringing, answered]).await.unwrap(), [true, true]);
    call
}

async fn add_caller_id(store: &SqliteStore, number: PhoneNumber) {
    let call = in_progress(store, 1, number).await;
    let code = call.validation_code.unwrap();
    let keys = PhoneEvent::Pressed(Keys::parse(code.expose()).unwrap());
    assert_eq!(store.save(vec![call.apply(&keys, NOW).unwrap()]).await.unwrap(), [true]);
}

#[tokio::test]
async fn a_read_is_for_whom_the_account_admits() {
    let (_directory, store) = store().await;
    let (sid, all, page) = (account().sid, Filter::default(), PageRequest::default());
    let refuse = |_: &Account| Err(Unauthenticated);
    assert_eq!(store.list(&sid, &all, page, refuse).await.unwrap(), Err(Unauthenticated));
    let nobody = AccountSid::from_random_bytes(&[9; 16]);
    assert_eq!(store.list(&nobody, &all, page, admitted).await.unwrap(), Err(Unauthenticated));
    let row = CallerIdSid::from_random_bytes(&[1; 16]);
    assert_eq!(store.caller_id(&sid, &row, refuse).await.unwrap(), Err(Unauthenticated));
    assert_eq!(store.caller_id(&nobody, &row, admitted).await.unwrap(), Err(Unauthenticated));
    assert_eq!(store.caller_id(&sid, &row, admitted).await.unwrap(), Ok(None));
}

#[tokio::test]
async fn an_account_and_its_rows_are_of_one_moment() {
    let (directory, store) = store().await;
    add_caller_id(&store, number(1)).await;
    // Another process removes the account between the check and the read.
    let remove_account = |account: &Account| {
        let connection = Connection::open(directory.path().join("callerid.sqlite3")).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        let removed =
            connection.execute("DELETE FROM account WHERE sid = ?1", [account.sid.as_str()]);
        assert_eq!(removed.unwrap(), 1);
        Ok(())
    };
    let (sid, all, page) = (account().sid, Filter::default(), PageRequest::default());
    let page = store.list(&sid, &all, page, remove_account).await.unwrap().unwrap();
    assert_eq!((page.items.len(), page.total), (1, 1));
    assert_eq!(store.account(&sid).await.unwrap(), None);
}

/// This happens after a program update whose numbering plan no longer contains a stored number.
#[tokio::test]
async fn a_number_that_was_withdrawn_from_the_plan_is_kept_as_it_is() {
    let (directory, store) = store().await;
    let withdrawn = PhoneNumber::parse_possible("2215550123").unwrap();
    assert!(PhoneNumber::parse(withdrawn.as_str()).is_err());
    add_caller_id(&store, withdrawn).await;
    let ringing = store.add_call(call(2, number(1)), &Limits::DEFAULT).await.unwrap().unwrap().call;
    drop(store);
    let store = open(directory.path()).unwrap();
    let sid = account().sid;
    for filter in [Filter::default(), Filter { phone_number: Some(withdrawn), friendly_name: None }]
    {
        let page =
            store.list(&self::account().sid, &filter, PageRequest::default(), admitted).await;
        let page = page.unwrap().unwrap();
        assert_eq!(page.items.iter().map(|row| row.phone_number).collect::<Vec<_>>(), [withdrawn]);
    }
    let calls = store.calls(&sid, Newest::ALL).await.unwrap();
    let numbers: Vec<_> = calls.iter().map(|call| call.phone_number).collect();
    assert_eq!(numbers, [ringing.phone_number, withdrawn]);
}

#[tokio::test]
async fn a_callbacks_credentials_are_on_no_disk_in_clear_and_come_back() {
    let (directory, store) = store().await;
    let to = StatusCallback::new("http://jane:s3cret@a/", CallbackMethod::Post).unwrap();
    let new = NewCallerId { status_callback: Some(to.clone()), ..NewCallerId::new(number(1)) };
    let call = Call::new(account().sid, new, &RandomBytes::new([1; 80]), NOW).unwrap();
    let call = store.add_call(call, &Limits::DEFAULT).await.unwrap().unwrap().call;
    let ended = call.canceled(NOW);
    assert_eq!(store.save(vec![ended]).await.unwrap(), [true]);
    for file in fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains("s3cret") && !text.contains("jane"), "{}", path.display());
    }
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(
        store.due_callbacks(&Accounts::ALL, NOW, &CallbackSlots::DEFAULT).await.unwrap()[0].to,
        to
    );
    assert_eq!(store.callbacks(&account().sid, Newest::ALL).await.unwrap()[0].to, to);
    assert_eq!(
        store.calls(&account().sid, Newest::ALL).await.unwrap()[0].status_callback,
        Some(to)
    );
    // `check` unseals them as well.
    let checked = || check_directory(directory.path(), None).unwrap().found;
    assert_eq!(checked(), Vec::<String>::new());
    let spoil = "UPDATE callback SET sealed_credentials = x'00'";
    store.write(|connection| Ok(connection.execute(spoil, [])?)).await.unwrap();
    assert!(checked()[0].contains("a callback cannot be read"), "{:?}", checked());
}

mod line {
    use callerid_service::{Ineligible, LineLimit, LineLimits, LineRules, RateLimit};

    use super::*;

    const LIMITS: Limits = Limits {
        line: Some(LineLimits {
            number_rate: RateLimit { calls: 1, seconds: 600 },
            live_calls_per_account: 9,
            rules: LineRules { any_hour: true, ..LineRules::DEFAULT },
            ..LineLimits::DEFAULT
        }),
        ..Limits::DEFAULT
    };

    async fn refused(store: &SqliteStore, seed: u8, number: PhoneNumber) -> Option<Ineligible> {
        store.add_call(call(seed, number), &LIMITS).await.unwrap().err()
    }

    const TOO_OFTEN: Option<Ineligible> =
        Some(Ineligible::Line { limit: LineLimit::NumberRate, retry_after: 600 });

    #[tokio::test]
    async fn neither_a_reset_nor_a_new_account_gives_more_calls() {
        let (_directory, store) = store().await;
        assert_eq!(refused(&store, 1, number(0)).await, None);
        assert_eq!(refused(&store, 2, number(0)).await, TOO_OFTEN);
        store.replace_contents(&account().sid, AccountContents::default()).await.unwrap();
        assert_eq!(refused(&store, 3, number(0)).await, TOO_OFTEN);
        assert!(store.remove_account(&account().sid).await.unwrap());
        assert!(store.add_account(account()).await.unwrap());
        assert_eq!(refused(&store, 4, number(0)).await, TOO_OFTEN);
        let cleared = store.clear_number(&number(0)).await.unwrap();
        assert_eq!((cleared.calls_on_line, cleared.wrong_codes_on_line), (1, 0));
        assert_eq!(refused(&store, 5, number(0)).await, None);
        // They still count for the account.
        let count = "SELECT count(*) FROM line_call";
        let rows: u32 = store.read(|it| Ok(it.query_row(count, [], |row| row.get(0))?)).unwrap();
        assert_eq!(rows, 2);
    }

    #[tokio::test]
    async fn calls_are_forgotten_after_a_day_or_once_the_clock_was_ahead() {
        let (_directory, store) = store().await;
        let mut seed = 0;
        for (at, kept) in [(0, 1), (86_399, 2), (86_400, 2), (200_000, 1), (100, 1)] {
            seed += 1;
            let created_at = NOW.plus_seconds(at);
            let call = Call { created_at, due_at: created_at, ..call(seed, number(seed.into())) };
            store.add_call(call, &LIMITS).await.unwrap().unwrap();
            let count = "SELECT count(*) FROM line_call";
            let rows: u32 =
                store.read(|it| Ok(it.query_row(count, [], |row| row.get(0))?)).unwrap();
            assert_eq!(rows, kept, "{at}");
        }
    }

    #[tokio::test]
    async fn a_backup_has_who_is_not_called_and_that_the_line_is_stopped() {
        let (directory, store) = store().await;
        store.opt_out(&number(0), NOW).await.unwrap();
        store.stop_line(NOW).await.unwrap();
        let copy = tempfile::tempdir().unwrap();
        backup(directory.path(), &copy.path().join("callerid.sqlite3"), false).unwrap();
        fs::copy(directory.path().join("key"), copy.path().join("key")).unwrap();
        let restored = open(copy.path()).unwrap();
        assert!(restored.is_opted_out(&number(0)).await.unwrap());
        assert_eq!(restored.line_stopped_at().await.unwrap(), Some(NOW));
        assert_eq!(refused(&restored, 1, number(1)).await, Some(Ineligible::LineStopped));
        restored.start_line().await.unwrap();
        assert_eq!(refused(&restored, 1, number(0)).await, Some(Ineligible::OptedOut));
    }
}

mod calls {
    use super::*;

    #[tokio::test]
    async fn clearing_forgets_wrong_entries_and_no_step_under_way_brings_them_back() {
        let (_directory, store) = store().await;
        let call = in_progress(&store, 1, number(0)).await;
        let wrong = PhoneEvent::Pressed(Keys::parse("1#").unwrap());
        let step = call.apply(&wrong, NOW).unwrap();
        let under_way = step.call.apply(&wrong, NOW).unwrap();
        assert_eq!(store.save(vec![step]).await.unwrap(), [true]);
        assert_eq!(store.clear_number(&number(0)).await.unwrap().usage.failed_entries, 1);
        assert_eq!(store.clear_number(&number(0)).await.unwrap().usage.failed_entries, 0);
        assert_eq!(store.save(vec![under_way]).await.unwrap(), [true]);
        assert_eq!(store.clear_number(&number(0)).await.unwrap().usage.failed_entries, 1);
    }

    #[tokio::test]
    async fn the_code_is_gone_with_the_end_of_its_call() {
        let (_directory, store) = store().await;
        add_caller_id(&store, number(0)).await;
        let codes = "SELECT count(*) FROM call WHERE code IS NOT NULL OR keyed <> ''";
        let codes = store.read(|it| Ok(it.query_row(codes, [], |row| row.get::<_, i64>(0))?));
        assert_eq!(codes.unwrap(), 0);
    }

    #[tokio::test]
    async fn only_the_newest_events_are_kept_and_a_gap_is_told() {
        let (_directory, store) = store().await;
        let last = EVENTS_KEPT as u64 + 12_000;
        let append = move |connection: &Connection| {
            let (sid, change) = (account().sid, CallerIdSid::from_random_bytes(&[2; 16]));
            for _ in 0..last {
                let change = callerid_service::Change::CallerIdDeleted(&sid, &change);
                events::append(connection, 1, &change)?;
            }
            Ok(())
        };
        store.write(append).await.unwrap();
        let after = async |id| store.events_after(&account().sid, id, usize::MAX).await.unwrap();
        let all = after(0).await;
        assert_eq!((all.events.len(), all.newest, all.gap), (EVENTS_KEPT, last, true));
        assert_eq!(all.events[0].id, 12_001);
        assert!(after(11_999).await.gap);
        assert!(!after(12_000).await.gap);
        assert!(!after(last).await.gap);
        assert!(after(last + 1).await.gap);
        let count = "SELECT count(*) FROM event";
        let rows = store.read(|it| Ok(it.query_row(count, [], |row| row.get::<_, i64>(0))?));
        // One append in 500 prunes: that none of 10,000 does has a probability of e^-20.
        assert!(rows.unwrap() <= EVENTS_KEPT as i64 + 10_000);
    }

    #[tokio::test]
    async fn an_account_s_events_push_out_no_other_s() {
        let (_directory, store) = store().await;
        let other = Account { sid: AccountSid::from_random_bytes(&[9; 16]), ..account() };
        assert!(store.add_account(other.clone()).await.unwrap());
        let memory = MemoryStore::new([account(), other.clone()]);
        let call = |seed, sid| Call { account_sid: sid, ..call(seed, number(0)) };
        let add = async |call: Call| {
            memory.add_call(call.clone(), &Limits::DEFAULT).await.unwrap().unwrap();
            store.add_call(call, &Limits::DEFAULT).await.unwrap().unwrap()
        };
        add(call(1, other.sid)).await;
        let mut rung = add(call(2, account().sid)).await.call;
        // One step after another of a call that goes on.
        let step = |call: &Call| {
            let call = Call { revision: call.revision + 1, ..call.clone() };
            Transition {
                call,
                at: NOW,
                wrong_entries: 0,
                opts_out: false,
                caller_id: None,
                callback: None,
                instruction: None,
            }
        };
        let mut steps = Vec::new();
        for _ in 0..EVENTS_KEPT + 1_200 {
            steps.push(step(&rung));
            rung = steps.last().unwrap().call.clone();
        }
        memory.save(steps.clone()).await.unwrap();
        store.save(steps).await.unwrap();
        for id in [0, 1, 2, 1_202, 1_203] {
            for sid in [account().sid, other.sid] {
                let events = store.events_after(&sid, id, 9).await.unwrap();
                assert_eq!(events, memory.events_after(&sid, id, 9).await.unwrap(), "{id}");
                assert_eq!(events.gap, sid == account().sid && id < 1_202, "{id}");
            }
        }
        assert_eq!(store.events_after(&other.sid, 0, 9).await.unwrap().events[0].id, 1);
    }
}

mod concurrency {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn creates_that_wait_together_share_a_commit() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let commits = store.commits();
        let release = hold(&store);
        let before = *commits.borrow();
        let create = |seed: u8| {
            let store = store.clone();
            tokio::spawn(async move {
                store.add_call(call(seed, number(seed.into())), &Limits::DEFAULT).await
            })
        };
        let creates: Vec<_> = (0..64).map(create).collect();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(release);
        for create in creates {
            create.await.unwrap().unwrap().unwrap();
        }
        assert_eq!(store.calls(&account().sid, Newest::ALL).await.unwrap().len(), 64);
        let shared = *commits.borrow() - before;
        assert!(shared <= 8, "{shared} commits");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_account_waits_for_no_more_than_a_share_of_another_s_changes() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let other = AccountSid::from_random_bytes(&[9; 16]);
        assert!(store.add_account(Account { sid: other, ..account() }).await.unwrap());
        let release = hold(&store);
        let create = |call: Call| {
            let store = store.clone();
            tokio::spawn(async move { store.add_call(call, &Limits::DEFAULT).await })
        };
        let creates: Vec<_> =
            (0..200).map(|seed: u8| create(call(seed, number(seed.into())))).collect();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let last = create(Call { account_sid: other, ..call(201, number(0)) });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(release);
        last.await.unwrap().unwrap().unwrap();
        let before = store.calls(&account().sid, Newest::ALL).await.unwrap().len();
        assert!(before < 100, "{before}");
        for create in creates {
            create.await.unwrap().unwrap().unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_racing_creates_for_a_number_one_call_stays_live() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let create = |seed: u8| {
            let store = store.clone();
            tokio::spawn(
                async move { store.add_call(call(seed, number(0)), &Limits::DEFAULT).await },
            )
        };
        for create in (0..64).map(create).collect::<Vec<_>>() {
            create.await.unwrap().unwrap().unwrap();
        }
        let calls = store.calls(&account().sid, Newest::ALL).await.unwrap();
        let live: Vec<_> = calls.iter().filter(|call| call.status.is_live()).collect();
        assert_eq!((live.len(), calls.len()), (1, 64));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_racing_steps_from_one_state_one_is_saved() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let call =
            store.add_call(call(1, number(0)), &Limits::DEFAULT).await.unwrap().unwrap().call;
        let save = |_| {
            let (store, step) = (store.clone(), call.advance_to(NOW).unwrap());
            tokio::spawn(async move { store.save(vec![step]).await })
        };
        let mut saved = 0;
        for save in (0..64).map(save).collect::<Vec<_>>() {
            saved += save.await.unwrap().unwrap().iter().filter(|saved| **saved).count();
        }
        assert_eq!(saved, 1);
        let call = store.call(&call.sid).await.unwrap().unwrap();
        assert_eq!((call.status, call.revision), (CallStatus::Ringing, 1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_change_that_fails_takes_none_of_its_batch_along() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let release = hold(&store);
        let create = |seed: u8| {
            let store = store.clone();
            let mut call = call(seed, number(seed.into()));
            if seed.is_multiple_of(3) {
                call.account_sid = AccountSid::from_random_bytes(&[9; 16]);
            }
            tokio::spawn(async move { store.add_call(call, &Limits::DEFAULT).await })
        };
        let creates: Vec<_> = (0..9).map(create).collect();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        drop(release);
        for (seed, create) in creates.into_iter().enumerate() {
            match create.await.unwrap() {
                Ok(admitted) => assert!(seed % 3 != 0 && admitted.is_ok()),
                Err(error) => {
                    assert_eq!(seed % 3, 0);
                    let expected =
                        "the store failed: there is no account AC09090909090909090909090909090909";
                    assert_eq!(error.to_string(), expected);
                }
            }
        }
        assert_eq!(store.calls(&account().sid, Newest::ALL).await.unwrap().len(), 6);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_waiter_that_goes_away_changes_nothing_for_the_others() {
        let (_directory, store) = store().await;
        let store = Arc::new(store);
        let release = hold(&store);
        {
            let mut create = pin!(store.add_call(call(1, number(1)), &Limits::DEFAULT));
            let mut context = Context::from_waker(Waker::noop());
            assert!(create.as_mut().poll(&mut context).is_pending());
        }
        drop(release);
        store.add_call(call(2, number(2)), &Limits::DEFAULT).await.unwrap().unwrap();
        assert_eq!(store.calls(&account().sid, Newest::ALL).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_full_disk_fails_changes_and_nothing_else() {
        let (directory, store) = store().await;
        let limit = |pages: i64| {
            move |connection: &Connection| {
                connection.pragma_update(None, "max_page_count", pages)?;
                Ok(())
            }
        };
        // The limit cannot be less than the current size, so the next page that the database needs
        // is one too many.
        store.write(limit(1)).await.unwrap();
        let (mut added, mut failures) = (0, Vec::new());
        for seed in 0..200 {
            match store.add_call(call(seed, number(seed.into())), &Limits::DEFAULT).await {
                Ok(admitted) => added += usize::from(admitted.is_ok()),
                Err(error) => failures.push(error.to_string()),
            }
        }
        assert!(!failures.is_empty() && failures[0].contains("full"), "{failures:?}");
        assert_eq!(store.calls(&account().sid, Newest::ALL).await.unwrap().len(), added);
        store.write(limit(1_000_000)).await.unwrap();
        store.add_call(call(201, number(201)), &Limits::DEFAULT).await.unwrap().unwrap();
        drop(store);
        let store = open(directory.path()).unwrap();
        assert_eq!(store.calls(&account().sid, Newest::ALL).await.unwrap().len(), added + 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn two_processes_take_turns() {
        let (directory, store) = store().await;
        let stores = [Arc::new(store), Arc::new(open(directory.path()).unwrap())];
        let create = |seed: u8| {
            let store = stores[usize::from(seed) % 2].clone();
            tokio::spawn(async move {
                store.add_call(call(seed, number(seed.into())), &Limits::DEFAULT).await
            })
        };
        for create in (0..40).map(create).collect::<Vec<_>>() {
            create.await.unwrap().unwrap().unwrap();
        }
        assert_eq!(stores[0].calls(&account().sid, Newest::ALL).await.unwrap().len(), 40);
    }
}

mod health {
    use super::*;

    #[tokio::test]
    async fn a_store_that_cannot_write_says_so() {
        let (directory, store) = store().await;
        assert!(store.health().await.is_ok());
        store.write(|it| Ok(it.pragma_update(None, "query_only", true)?)).await.unwrap();
        assert!(!store.health().await.unwrap_err().is_unavailable());
        fs::remove_file(directory.path().join("callerid.sqlite3")).unwrap();
        let error = store.health().await.unwrap_err();
        assert!(error.is_unavailable() && error.to_string().contains("was removed"), "{error}");
        assert!(store.gone().await.to_string().contains("callerid.sqlite3 was removed"));
        assert!(store.account(&account().sid).await.unwrap_err().is_unavailable());
    }
}

mod unreadable {
    use super::*;

    /// Changes rows like another program would, without this program's checks.
    fn spoil(directory: &Path, sql: &str, rows: usize) {
        let connection = Connection::open(directory.join("callerid.sqlite3")).unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), rows, "{sql}");
    }

    #[tokio::test]
    async fn a_call_that_cannot_be_read_is_set_aside_and_the_others_are_due() {
        for spoiled in [
            "status = 'no status'",
            "number = '1'",
            "code = 'x'",
            "sid = 'CA'",
            "entries_left = 999",
            "name = CAST(x'FF' AS TEXT)",
            "callback_method = 'GET', callback_url = NULL",
            "callback_method = 'GET', callback_url = 'http://a/', sealed_credentials = x'00'",
        ] {
            let (directory, store) = store().await;
            for seed in [1, 2] {
                store
                    .add_call(call(seed, number(seed.into())), &Limits::DEFAULT)
                    .await
                    .unwrap()
                    .unwrap();
            }
            let first = number(1);
            let sql = format!("UPDATE call SET {spoiled} WHERE number = '{}'", first.as_str());
            spoil(directory.path(), &sql, 1);
            for limit in [1, usize::MAX] {
                let due = store.due(&Accounts::ALL, NOW, limit).await.unwrap();
                let numbers: Vec<_> = due.iter().map(|call| call.phone_number).collect();
                assert_eq!(numbers, [number(2)], "{spoiled}");
            }
            assert_eq!(store.rows_set_aside(), 1, "{spoiled}");
            let calls = store.calls(&account().sid, Newest::ALL).await.unwrap();
            let live = calls.iter().filter(|call| call.status.is_live()).count();
            assert_eq!(live, 1, "{spoiled}");
            store.add_call(call(3, first), &Limits::DEFAULT).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn its_number_takes_another_call_before_it_is_due() {
        let (directory, store) = store().await;
        store.add_call(call(1, number(0)), &Limits::DEFAULT).await.unwrap().unwrap();
        spoil(directory.path(), "UPDATE call SET status = ''", 1);
        store.add_call(call(2, number(0)), &Limits::DEFAULT).await.unwrap().unwrap();
        assert_eq!(store.due(&Accounts::ALL, NOW, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_step_that_cannot_be_saved_keeps_no_others_waiting() {
        let (directory, store) = store().await;
        let mut steps = Vec::new();
        for seed in [1, 2] {
            let new = call(seed, number(seed.into()));
            let call = store.add_call(new, &Limits::DEFAULT).await.unwrap().unwrap().call;
            steps.push(call.advance_to(NOW).unwrap());
        }
        spoil(
            directory.path(),
            "CREATE TRIGGER no BEFORE UPDATE ON call WHEN NEW.number LIKE '%1'
             BEGIN SELECT RAISE(ABORT, 'no'); END",
            0,
        );
        assert_eq!(store.save(steps.clone()).await.unwrap(), [false, true]);
        assert!(store.save(vec![steps.remove(0)]).await.is_err());
        let service = callerid_service::Service::new(store);
        assert!(service.tick(NOW).await.is_err());
    }

    #[tokio::test]
    async fn a_callback_that_cannot_be_read_is_set_aside() {
        let (directory, store) = store().await;
        for row in 1..=2 {
            let call = CallSid::from_random_bytes(&[row; 16]);
            let insert = format!(
                "INSERT INTO callback (call_sid, account, url, method, parameters, created_at, attempts,
                 next_at) VALUES ('{call}', 1, 'http://a/', 'POST', '', 0, 0, {row})"
            );
            spoil(directory.path(), &insert, 1);
        }
        spoil(directory.path(), "UPDATE callback SET attempts = -1 WHERE next_at = 1", 1);
        let slots = CallbackSlots { total: 1, ..CallbackSlots::DEFAULT };
        assert_eq!(store.due_callbacks(&Accounts::ALL, NOW, &slots).await.unwrap().len(), 1);
        assert_eq!(
            (
                store.rows_set_aside(),
                store.callbacks(&account().sid, Newest::ALL).await.unwrap().len()
            ),
            (1, 1)
        );
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_unsealed_is_its_accounts_matter() {
        let (directory, store) = store().await;
        spoil(directory.path(), "UPDATE account SET sealed_token = x'00'", 1);
        assert!(store.account(&account().sid).await.unwrap_err().is_unreadable());
        assert!(store.health().await.is_ok());
    }

    #[tokio::test]
    async fn a_damaged_database_is_not_served() {
        let (directory, store) = store().await;
        for seed in 0..200 {
            store
                .add_call(call(seed, number(seed.into())), &Limits::DEFAULT)
                .await
                .unwrap()
                .unwrap();
        }
        drop(store);
        let path = directory.path().join("callerid.sqlite3");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8192].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let message = error(directory.path(), Options { serve: true, ..Options::default() });
        assert!(message.contains("callerid.sqlite3 is damaged: "), "{message}");
        assert!(message.contains("a backup takes its place"), "{message}");
    }
}

#[tokio::test]
async fn a_callback_saved_with_a_clock_a_day_ahead_comes_after_due_callbacks() {
    let (_directory, store) = store().await;
    let day = |days: i64| NOW.unix_millis() + days * 86_400_000;
    let rows = [day(1), day(0), NOW.plus_seconds(600).unix_millis()];
    let insert = move |connection: &Connection| {
        for (row, next_at) in rows.iter().enumerate() {
            connection.execute(
                "INSERT INTO callback (call_sid, account, url, method, parameters, created_at, attempts,
                     next_at) VALUES (?1, 1, 'http://a/', 'POST', '', 0, 0, ?2)",
                (CallSid::from_random_bytes(&[row as u8; 16]).as_str(), next_at),
            )?;
        }
        Ok(())
    };
    store.write(insert).await.unwrap();
    let due = async |total| {
        let slots = CallbackSlots { total, ..CallbackSlots::DEFAULT };
        let due = store.due_callbacks(&Accounts::ALL, NOW, &slots).await.unwrap();
        due.iter().map(|it| it.next_at.unwrap().unix_millis()).collect::<Vec<_>>()
    };
    assert_eq!(due(9).await, [day(0), day(1)]);
    assert_eq!(due(1).await, [day(0)]);
}

mod space {
    use callerid_service::ENDED_CALLS_KEPT;

    use super::*;

    fn count(store: &SqliteStore, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        store.read(|it| Ok(it.query_row(&count, [], |row| row.get(0))?)).unwrap()
    }

    #[tokio::test]
    async fn ended_calls_are_dropped_as_they_end_and_not_with_the_next_create() {
        let (_directory, store) = store().await;
        let mut steps = Vec::new();
        for seed in 0..200 {
            let new = call(seed, number(seed.into()));
            let call = store.add_call(new, &Limits::DEFAULT).await.unwrap().unwrap().call;
            steps.push(call.apply(&PhoneEvent::Failed(FailureCause::CallLost), NOW).unwrap());
        }
        store.save(steps).await.unwrap();
        assert_eq!(count(&store, "call"), ENDED_CALLS_KEPT as i64);
    }

    #[tokio::test]
    async fn where_there_are_many_they_are_dropped_a_few_at_a_time() {
        let (_directory, store) = store().await;
        let insert =
            "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row LIMIT 10000)
             INSERT INTO call (sid, account, number, caller_id_sid, status, verified, keyed, entries_left,
                 created_at, due_at, ended_at, revision)
             SELECT printf('CA%032x', n), 1, '4155550123',
                 printf('PN%032x', n), 'failed', 0, '', 3, 0, 0, 0, 1 FROM row";
        store.write(|it| Ok(it.execute_batch(insert)?)).await.unwrap();
        let call =
            store.add_call(call(1, number(1)), &Limits::DEFAULT).await.unwrap().unwrap().call;
        let before = count(&store, "call");
        store
            .save(vec![call.apply(&PhoneEvent::Failed(FailureCause::CallLost), NOW).unwrap()])
            .await
            .unwrap();
        assert_eq!(count(&store, "call"), before - 16);
    }

    #[tokio::test]
    async fn the_file_gives_space_back() {
        let (directory, store) = store().await;
        let fill = "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row LIMIT 5000)
             INSERT INTO event (account, name, data) SELECT 1, 'call', hex(randomblob(1000)) FROM row";
        store.write(|it| Ok(it.execute_batch(fill)?)).await.unwrap();
        let checkpoint = async || {
            let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
            let other = Connection::open(directory.path().join("callerid.sqlite3")).unwrap();
            other.query_row(truncate, [], |_| Ok(())).unwrap();
            fs::metadata(directory.path().join("callerid.sqlite3")).unwrap().len()
        };
        assert!(checkpoint().await > 10_000_000);
        store.write(|it| Ok(it.execute_batch("DELETE FROM event")?)).await.unwrap();
        let started = std::time::Instant::now();
        while checkpoint().await > 3_000_000 {
            assert!(started.elapsed().as_secs() < 10, "{}", checkpoint().await);
        }
        store.add_call(call(1, number(1)), &Limits::DEFAULT).await.unwrap().unwrap();
    }
}

mod cost {
    use callerid_core::{CallbackMethod, StatusCallback};

    use super::*;
    use crate::store::{callbacks, calls};

    /// The number of SQLite virtual machine steps for each change and read, with this many live
    /// calls and as many ended ones.
    async fn steps_among(rows: u32) -> Vec<(&'static str, u64)> {
        let (directory, store) = store().await;
        let callback = NewCallerId {
            status_callback: Some(
                StatusCallback::new("https://example.com/", CallbackMethod::Post).unwrap(),
            ),
            ..NewCallerId::new(number(1))
        };
        let fill = format!(
            "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row LIMIT {rows})
         INSERT INTO call (sid, account, number, caller_id_sid, status, verified, keyed, entries_left,
             created_at, due_at, revision, wake_at)
         SELECT printf('CA%032x', 2 * n + over), 1, printf('212%07d', n),
             printf('PN%032x', n), 'ringing', 0, '', 3, n - 10000 * over, n, 1,
             iif(over, NULL, n) FROM row, (SELECT 0 AS over UNION ALL SELECT 1);
         INSERT INTO callback SELECT sid, 1, 'https://example.com/', 'POST', '', created_at, 1,
             iif(wake_at <= 100, wake_at, NULL), NULL, NULL, NULL, NULL FROM call;
         INSERT INTO number SELECT number, 0, 0, 1, {now} FROM call WHERE wake_at IS NULL",
            now = NOW.unix_millis(),
        );
        store.write(move |it| Ok(it.execute_batch(&fill)?)).await.unwrap();
        let mut connection = Connection::open(directory.path().join("callerid.sqlite3")).unwrap();
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        connection
            .progress_handler(1, Some(move || counter.fetch_add(1, Ordering::Relaxed) == u64::MAX))
            .unwrap();
        let limits = Limits { calls: u32::MAX, calls_per_account: u32::MAX, ..Limits::DEFAULT };
        let new =
            |seed| Call::new(account().sid, callback.clone(), &RandomBytes::new([seed; 80]), NOW);
        let first = new(1).unwrap();
        let failed = || {
            vec![new(2).unwrap().apply(&PhoneEvent::Failed(FailureCause::CallLost), NOW).unwrap()]
        };
        let page = Newest { before: None, limit: 50 };
        let (sid, key) = (account().sid, &store.key);
        let slots = CallbackSlots { per_receiver: 50, per_account: 50, total: 50 };
        let mut steps = Vec::new();
        let mut measure = |name, run: &dyn Fn(&Connection)| {
            let before = count.load(Ordering::Relaxed);
            run(&connection);
            steps.push((name, count.load(Ordering::Relaxed) - before));
        };
        measure("create", &|it| {
            drop(calls::add(it, key, first.clone(), &limits).unwrap().unwrap())
        });
        measure("replace", &|it| {
            drop(calls::add(it, key, new(2).unwrap(), &limits).unwrap().unwrap())
        });
        measure("end", &|it| assert_eq!(calls::save_all(it, &failed()).unwrap(), [true]));
        measure("calls", &|it| {
            assert_eq!(calls::of_account(it, key, &sid, page).unwrap().len(), 50)
        });
        measure("due", &|it| {
            assert_eq!(calls::due(it, key, &Accounts::ALL, NOW, 50).unwrap().0.len(), 50)
        });
        measure("callbacks", &|it| {
            assert_eq!(callbacks::of_account(it, key, &sid, page).unwrap().len(), 50)
        });
        measure("due callbacks", &|it| {
            assert_eq!(callbacks::due(it, key, &Accounts::ALL, NOW, &slots).unwrap().0.len(), 50)
        });
        steps
    }

    #[tokio::test]
    async fn live_calls_do_not_slow_down_changes_or_pages() {
        let (few, many) = (steps_among(200).await, steps_among(5_000).await);
        for ((name, few), (_, many)) in few.into_iter().zip(many) {
            assert!(many <= few + few / 4, "{name}: {few} steps among few, {many} among many");
        }
    }
}
