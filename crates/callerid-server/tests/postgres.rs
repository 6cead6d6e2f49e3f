//! The store in PostgreSQL where others change the same at the same time, and where the database or the
//! connection to it goes away.

#![cfg(feature = "postgres")]

mod cluster;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callerid_core::{
    AccountSid, AuthToken, CallDelay, CallSid, CallbackMethod, CallerIdSid, Credentials, Cursor,
    Date, Filter, FriendlyName, Moment, NewCallerId, OutgoingCallerId, PageRequest, PageSize,
    PhoneNumber, StatusCallback,
};
use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::server::{News, ServerStore as _};
use callerid_server::store::DurableStore as _;
use callerid_service::{
    Account, Accounts, Admitted, Attempt, Call, CallbackSlots, Ineligible, Limits, LineLimits,
    LineRules, Newest, PhoneEvent, RandomBytes, RateLimit, Store as _, StoreError, Transition,
    Unauthenticated,
};
use cluster::Cluster;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);
const ROOMY: Limits = Limits {
    calls_per_account: 1_000_000,
    calls: 1_000_000,
    rings_per_number: 1_000_000,
    callbacks_per_account: 1_000_000,
    ..Limits::DEFAULT
};
/// Longer than a statement takes that nobody waits for any more.
const ABANDONED: Duration = Duration::from_secs(8);

/// Ends the sessions of all servers.
const KILL_BACKENDS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callerid'";

static DRAWN: AtomicU64 = AtomicU64::new(0);

fn account(index: u8) -> Account {
    let auth_token = AuthToken::new("0123456789abcdef0123456789abcdef").unwrap();
    Account { sid: AccountSid::from_random_bytes(&[index; 16]), auth_token }
}

fn number(index: u32) -> PhoneNumber {
    let (exchange, line) = (200 + index / 10_000, index % 10_000);
    PhoneNumber::parse(&format!("415{exchange}{line:04}")).unwrap()
}

fn new_call(account_index: u8, number_index: u32) -> Call {
    let mut word = DRAWN.fetch_add(1, Ordering::Relaxed);
    let random = RandomBytes::new(std::array::from_fn(|_| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 56) as u8
    }));
    let url = "https://user:password@example.com/done";
    let new = NewCallerId {
        phone_number: number(number_index),
        friendly_name: None,
        call_delay: CallDelay::new(0).unwrap(),
        extension: None,
        status_callback: Some(StatusCallback::new(url, CallbackMethod::Post).unwrap()),
    };
    Call::new(account(account_index).sid, new, &random, NOW).unwrap()
}

fn admitted(_: &Account) -> Result<(), Unauthenticated> {
    Ok(())
}

async fn open(database: &str) -> PostgresStore {
    let key = SealingKey::parse(&"5a".repeat(32)).unwrap();
    PostgresStore::open(database, DatabaseOptions::default(), key).await.unwrap()
}

async fn open_with_accounts(database: &str) -> PostgresStore {
    let store = open(database).await;
    for index in 0..2 {
        assert!(store.add_account(account(index)).await.unwrap());
    }
    store
}

fn name(database: &str) -> &str {
    database.rsplit_once('=').unwrap().1
}

/// The account's ledgers and the count of all live calls say what the other tables say, and the ids of
/// events are dense.
fn assert_consistent(cluster: &Cluster, database: &str) {
    let wrong = cluster.psql(
        name(database),
        "SELECT ledger.* FROM ledger WHERE live_calls <>
             (SELECT count(*) FROM call WHERE call.account = ledger.account AND wake_at IS NOT NULL)
         OR caller_ids <> (SELECT count(*) FROM caller_id WHERE caller_id.account = ledger.account)
         OR (events, events) <> (SELECT count(*), coalesce(max(id), 0) FROM event
             WHERE event.account = ledger.account)",
    );
    assert_eq!(wrong, "");
    let all = "SELECT (SELECT sum(calls) FROM live_calls) =
         (SELECT count(*) FROM call WHERE wake_at IS NOT NULL)";
    assert_eq!(cluster.psql(name(database), all), "t\n");
}

/// Waits until no transaction is open in the database.
fn wait_until_idle(cluster: &Cluster, database: &str) {
    let open = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{}' AND pid <> pg_backend_pid() AND state <> 'idle'",
        name(database)
    );
    let deadline = Instant::now() + ABANDONED;
    while cluster.psql("postgres", &open) != "0\n" {
        assert!(Instant::now() < deadline, "a transaction stays open");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn number_of_deadlocks(cluster: &Cluster, database: &str) -> String {
    let deadlocks =
        format!("SELECT deadlocks FROM pg_stat_database WHERE datname = '{}'", name(database));
    cluster.psql("postgres", &deadlocks)
}

/// Transitions of an account's calls that end them.
fn ends(calls: &[Call]) -> Vec<Transition> {
    calls.iter().map(|call| call.canceled(NOW)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_on_the_same_and_on_crossing_numbers_meet_no_deadlock() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let store = Arc::new(open_with_accounts(&database).await);
    let writers: Vec<_> = (0..6_u32)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for round in 0..40 {
                    let (one, other) = (round + writer, round * 7 + writer * 3);
                    let index = (round + writer) as u8 % 2;
                    store.add_call(new_call(index, one % 3), &ROOMY).await.unwrap().unwrap();
                    store.add_call(new_call(1 - index, other % 3), &ROOMY).await.unwrap().unwrap();
                    let mut due = Vec::new();
                    for which in [index, 1 - index] {
                        let which = account(which).sid;
                        due.extend(store.calls(&which, Newest::ALL).await.unwrap());
                    }
                    due.retain(|call| call.status.is_live());
                    // In an order of its own.
                    if !due.is_empty() {
                        let first = one as usize % due.len();
                        due.rotate_left(first);
                    }
                    store.save(ends(&due)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_consistent(&cluster, &database);
    assert_eq!(number_of_deadlocks(&cluster, &database), "0\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_on_all_live_calls_is_exact() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let store = Arc::new(open_with_accounts(&database).await);
    let limits = Limits { calls: 300, ..ROOMY };
    let adds: Vec<_> = (0..400_u32)
        .map(|at| {
            let store = Arc::clone(&store);
            let call = new_call((at % 2) as u8, at);
            tokio::spawn(async move { store.add_call(call, &limits).await.unwrap() })
        })
        .collect();
    let mut accepted = 0;
    for add in adds {
        match add.await.unwrap() {
            Ok(Admitted { .. }) => accepted += 1,
            Err(refused) => assert!(matches!(refused, Ineligible::TooManyCalls), "{refused:?}"),
        }
    }
    assert_eq!(accepted, 300);
    assert_consistent(&cluster, &database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_waits_for_leaves_no_open_transaction_behind() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let store = open_with_accounts(&database).await;
    let mut acknowledged = Vec::new();
    for round in 0..200_u32 {
        let given_up = store.add_call(new_call(0, round % 20), &ROOMY);
        let patience = Duration::from_micros(u64::from(round) * 30);
        drop(tokio::time::timeout(patience, given_up).await);
        if round % 10 == 0 {
            let call = new_call(1, 1_000 + round);
            store.add_call(call.clone(), &ROOMY).await.unwrap().unwrap();
            acknowledged.push(call.sid);
        }
    }
    wait_until_idle(&cluster, &database);
    drop(store);
    let store = open(&database).await;
    for sid in acknowledged {
        assert!(store.call(&sid).await.unwrap().is_some());
    }
    assert_consistent(&cluster, &database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_crashes_of_the_database() {
    let mut cluster = Cluster::start();
    let database = cluster.database();
    let store = Arc::new(open_with_accounts(&database).await);
    let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..6_u32)
        .map(|writer| {
            let (store, stop, made) = (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&made));
            tokio::spawn(async move {
                let (mut acknowledged, mut unanswered) = (Vec::new(), Vec::new());
                for round in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let call = new_call((writer % 2) as u8, writer * 10_000 + round % 10_000);
                    match store.add_call(call.clone(), &ROOMY).await {
                        Ok(added) => acknowledged.push((call.sid, added.is_ok())),
                        Err(error) => {
                            assert!(error.is_unavailable(), "{error}");
                            unanswered.push(call.sid);
                        }
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
                (acknowledged, unanswered)
            })
        })
        .collect();
    for round in 0..25 {
        let before = made.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(made.load(Ordering::Relaxed) > before);
        cluster = tokio::task::spawn_blocking(move || {
            if round < 20 {
                cluster.stop();
                if round % 10 == 0 {
                    // For longer than a change is tried again.
                    std::thread::sleep(Duration::from_secs(6));
                }
                cluster.run();
            } else {
                cluster.psql("postgres", KILL_BACKENDS);
            }
            cluster
        })
        .await
        .unwrap();
        let (before, accepts) = (made.load(Ordering::Relaxed), Instant::now());
        while made.load(Ordering::Relaxed) == before {
            assert!(accepts.elapsed() < Duration::from_secs(1), "no change within a second");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut unanswered, mut unanswered_made) = (0_u32, 0_u32, 0_u32);
    for writer in writers {
        let (answered, others) = writer.await.unwrap();
        for (sid, is_added) in answered {
            assert!(is_added && store.call(&sid).await.unwrap().is_some(), "{sid} is lost");
            acknowledged += 1;
        }
        for sid in others {
            unanswered += 1;
            unanswered_made += u32::from(store.call(&sid).await.unwrap().is_some());
        }
    }
    println!(
        "{acknowledged} acknowledged, 0 lost; {unanswered} not, of which {unanswered_made} were made"
    );
    assert!(acknowledged > 100 && unanswered > 0, "{acknowledged}, {unanswered}");
    // An event for each call, so that none was added twice.
    let twice = "SELECT data FROM event WHERE name = 'call' GROUP BY data HAVING count(*) > 1";
    assert_eq!(cluster.psql(name(&database), twice), "");
    assert_consistent(&cluster, &database);
}

/// When a proxy cuts the connection that a COMMIT is sent on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    BeforeTheCommit,
    AfterTheCommit,
}

/// A socket in front of the cluster's, which cuts connections while `is_armed`, once.
fn start_proxy(directory: &Path, to: PathBuf, cut: Cut, is_armed: Arc<AtomicBool>) {
    let listener = UnixListener::bind(directory.join(".s.PGSQL.5432")).unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(to.join(".s.PGSQL.5432")).await.unwrap();
            tokio::spawn(pass(client, server, cut, Arc::clone(&is_armed)));
        }
    });
}

async fn pass(client: UnixStream, server: UnixStream, cut: Cut, is_armed: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut asked, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let asked = &asked[..length];
                let is_commit = asked.windows(6).any(|window| window == b"COMMIT");
                let cuts = is_commit && is_armed.swap(false, Ordering::SeqCst);
                if cuts && cut == Cut::BeforeTheCommit {
                    return;
                }
                to_server.write_all(asked).await.unwrap();
                if cuts {
                    assert!(from_server.read(&mut answered).await.unwrap() > 0);
                    return;
                }
            }
            read = from_server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if to_client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn assert_made_once(cut: Cut) {
    let cluster = Cluster::start();
    let database = cluster.database();
    drop(open_with_accounts(&database).await);
    let proxy = tempfile::tempdir().unwrap();
    let is_armed = Arc::new(AtomicBool::new(false));
    let directory = database.split_once(' ').unwrap().0.trim_start_matches("host=");
    start_proxy(proxy.path(), directory.into(), cut, Arc::clone(&is_armed));
    let through_proxy = database.replace(directory, proxy.path().to_str().unwrap());
    let store = open(&through_proxy).await;
    let mut calls = Vec::new();
    for index in 0..10 {
        is_armed.store(true, Ordering::SeqCst);
        let call = new_call(0, index);
        let added = store.add_call(call.clone(), &ROOMY).await.unwrap().unwrap();
        assert_eq!(added.call.sid, call.sid);
        assert!(!is_armed.load(Ordering::SeqCst), "no connection was cut");
        calls.push(call);
    }
    is_armed.store(true, Ordering::SeqCst);
    assert_eq!(store.save(ends(&calls)).await.unwrap(), [true; 10]);
    let events = store.events_after(&account(0).sid, 0, 100).await.unwrap();
    assert_eq!((events.events.len(), events.newest), (20, 20));
    assert_consistent(&cluster, &database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_commit_is_not_answered_is_not_made_twice() {
    assert_made_once(Cut::AfterTheCommit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_commit_does_not_arrive_is_made_again() {
    assert_made_once(Cut::BeforeTheCommit).await;
}

/// A store of a server that runs until this is dropped.
struct Serving {
    store: Arc<PostgresStore>,
    news: BoxStream<'static, News>,
    node: JoinHandle<StoreError>,
}

impl Serving {
    async fn start(database: &str) -> Self {
        let store = Arc::new(open(database).await);
        let news = store.news();
        let node = tokio::spawn(store.serve().await.unwrap());
        Self { store, news, node }
    }

    /// Waits for news like these.
    async fn hear(&mut self, what: impl Fn(&News) -> bool) -> News {
        let heard = async {
            loop {
                let news = self.news.next().await.unwrap();
                if what(&news) {
                    return news;
                }
            }
        };
        timeout(ABANDONED, heard).await.expect("news")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.node.abort();
    }
}

/// A call that is ringing, or one that is due now.
fn ringing(call: Call) -> Call {
    call.advance_to(NOW).unwrap().call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_leaves_behind_is_adopted_by_one_other_and_not_placed_again() {
    let cluster = Cluster::start();
    let database = cluster.database();
    drop(open_with_accounts(&database).await);
    let gone = Serving::start(&database).await;
    let [placed, waiting] = [ringing(new_call(0, 1)), new_call(1, 2)];
    for call in [&placed, &waiting] {
        gone.store.add_call(call.clone(), &ROOMY).await.unwrap().unwrap();
    }
    let reported = new_call(0, 3);
    gone.store.add_call(reported.clone(), &ROOMY).await.unwrap().unwrap();
    assert_eq!(gone.store.save(ends(std::slice::from_ref(&reported))).await.unwrap(), [true]);
    assert!(gone.store.add_sandbox(account(7)).await.unwrap());

    let mut others = [Serving::start(&database).await, Serving::start(&database).await];
    let slots = CallbackSlots { per_receiver: 9, per_account: 9, total: 9 };
    let later = NOW.plus_seconds(60);
    let work = async |serving: &Serving| {
        let calls = serving.store.due(&Accounts::ALL, later, 9).await.unwrap();
        let callbacks = serving.store.due_callbacks(&Accounts::ALL, later, &slots).await.unwrap();
        (calls.iter().map(|it| it.sid).collect::<Vec<_>>(), callbacks.len())
    };
    for other in &others {
        assert!(other.store.adopt().await.unwrap().is_empty());
        assert_eq!(work(other).await, (vec![], 0));
    }
    assert_eq!(work(&gone).await, (vec![waiting.sid], 1));
    assert!(others[0].store.account(&account(7).sid).await.unwrap().is_some());

    // Its lease runs out while it does nothing.
    gone.node.abort();
    let expire = "UPDATE node SET lease_until = now() - interval '1 second'
         WHERE id = (SELECT min(id) FROM node)";
    cluster.psql(name(&database), expire);
    let [first, second] = &mut others;
    let adopted = News::Adopted(vec![placed.clone()]);
    tokio::select! {
        _ = first.hear(|news| *news == adopted) => {}
        _ = second.hear(|news| *news == adopted) => {}
    }
    // Each may have adopted a part.
    let deadline = Instant::now() + ABANDONED;
    let heir = loop {
        let [first, second] = [work(&others[0]).await, work(&others[1]).await];
        let heir = usize::from(first.0.is_empty());
        if first.1 + second.1 == 1 && [first.0, second.0].concat() == [waiting.sid] {
            break heir;
        }
        assert!(Instant::now() < deadline, "not everything is adopted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(work(&gone).await, (vec![], 0));
    assert!(others[0].store.account(&account(7).sid).await.unwrap().is_none());

    // Whoever places a call first has placed it, though both believed that it was theirs.
    let steps = vec![waiting.advance_to(later).unwrap()];
    assert_eq!(gone.store.save(steps.clone()).await.unwrap(), [true]);
    assert_eq!(others[heir].store.save(steps).await.unwrap(), [false]);
    assert_consistent(&cluster, &database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_lease_ran_out_joins_again_and_one_that_leaves_is_followed_at_once() {
    let cluster = Cluster::start();
    let database = cluster.database();
    drop(open_with_accounts(&database).await);
    let mut server = Serving::start(&database).await;
    let placed = ringing(new_call(0, 1));
    server.store.add_call(placed.clone(), &ROOMY).await.unwrap().unwrap();
    cluster.psql(name(&database), "UPDATE node SET lease_until = now() - interval '1 second'");
    // As itself, it must not believe that it still has what it had.
    let adopted = News::Adopted(vec![placed]);
    server.hear(|news| *news == adopted).await;
    let mut other = Serving::start(&database).await;
    assert!(other.store.adopt().await.unwrap().is_empty());
    server.node.abort();
    server.store.leave().await.unwrap();
    other.hear(|news| *news == adopted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_hear_of_one_anothers_changes_and_not_of_their_own() {
    let cluster = Cluster::start();
    let database = cluster.database();
    drop(open_with_accounts(&database).await);
    let [mut one, mut other] = [Serving::start(&database).await, Serving::start(&database).await];
    for serving in [&mut one, &mut other] {
        serving.hear(|news| *news == News::Missed).await;
    }
    for (at, by) in [(0, &one), (1, &other)] {
        by.store.add_call(new_call(at, 1 + u32::from(at)), &ROOMY).await.unwrap().unwrap();
    }
    let is_change = |news: &News| matches!(news, News::Changed(_));
    let heard_since = Instant::now();
    assert_eq!(one.hear(is_change).await, News::Changed(account(1).sid));
    assert_eq!(other.hear(is_change).await, News::Changed(account(0).sid));
    assert!(heard_since.elapsed() < Duration::from_secs(1));
    // Its session is lost, and with it perhaps news.
    cluster.psql("postgres", KILL_BACKENDS);
    one.hear(|news| *news == News::Missed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_is_the_databases() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Serving::start(&database).await;
    let of_database = cluster.psql(name(&database), "SELECT extract(epoch FROM clock_timestamp())");
    let of_database = of_database.trim().parse::<f64>().unwrap() * 1_000.0;
    let of_server = server.store.clock().now().unix_millis() as f64;
    // As far as starting psql takes.
    assert!((of_server - of_database).abs() < 2_000.0, "{of_server}, {of_database}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_and_newer_tables_are_refused() {
    let cluster = Cluster::start();
    let database = cluster.database();
    drop(open(&database).await);
    let key = SealingKey::parse(&"a5".repeat(32)).unwrap();
    let refused = PostgresStore::open(&database, DatabaseOptions::default(), key)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("sealed with another key"), "{refused}");
    // Tables that are newer, but that this program can work with: another server is upgraded first.
    cluster.psql(name(&database), "UPDATE meta SET version = 1000");
    drop(open(&database).await);
    assert_eq!(cluster.psql(name(&database), "SELECT version FROM meta"), "1000\n");
    cluster.psql(name(&database), "UPDATE meta SET oldest = 1000");
    let key = SealingKey::parse(&"5a".repeat(32)).unwrap();
    let refused = PostgresStore::open(&database, DatabaseOptions::default(), key)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("newer callerid"), "{refused}");
}

/// Copies a table's rows from one database to another one with the same columns, and perhaps more.
fn copy(cluster: &Cluster, from: &str, to: &str, table: &str, columns: &str) {
    let rows = cluster.psql(
        name(from),
        &format!("SELECT json_agg(row) FROM (SELECT {columns} FROM {table}) AS row"),
    );
    let insert = format!(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
         SELECT {columns} FROM json_populate_recordset(NULL::{table}, $${rows}$$)"
    );
    cluster.psql(name(to), &insert);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_tables_are_upgraded_with_the_calls_in_them() {
    let cluster = Cluster::start();
    let (old, new) = (cluster.database(), cluster.database());
    let store = open_with_accounts(&new).await;
    let call = new_call(0, 1);
    store.add_call(call.clone(), &ROOMY).await.unwrap().unwrap();
    for schema in
        [include_str!("../src/postgres/schema/1.sql"), include_str!("../src/postgres/schema/2.sql")]
    {
        cluster.psql(name(&old), schema);
    }
    cluster.psql(name(&old), "DELETE FROM live_calls");
    copy(&cluster, &new, &old, "account", "id, sid, sealed_token");
    copy(&cluster, &new, &old, "ledger", "account, caller_ids, live_calls, events");
    copy(&cluster, &new, &old, "live_calls", "part, calls");
    copy(&cluster, &new, &old, "event", "account, id, name, data");
    let columns =
        "sid, account, number, created_at, wake_at, revision, document, sealed_credentials";
    copy(&cluster, &new, &old, "call", columns);
    cluster.psql(name(&new), "UPDATE meta SET version = 2");
    copy(&cluster, &new, &old, "meta", "id, version, sealed_check");

    let store = open(&old).await;
    assert_eq!(store.migrated().from, Some(2));
    assert_eq!(store.call(&call.sid).await.unwrap(), Some(call.clone()));
    let next = store.add_call(new_call(0, 1), &ROOMY).await.unwrap().unwrap();
    assert_eq!(next.replaced.unwrap().call.sid, call.sid);
    assert_consistent(&cluster, &old);
}

/// Fills the tables that grow: with rows of many accounts, and with many of one.
const FILL: &str = "
    INSERT INTO account (sid, sealed_token)
        SELECT 'AC' || lpad(to_hex(n), 32, '0'), sealed_token
        FROM (SELECT * FROM account LIMIT 1) AS one, generate_series(1, 200) AS n;
    INSERT INTO ledger (account) SELECT id FROM account ON CONFLICT DO NOTHING;
    CREATE TEMPORARY TABLE filler AS SELECT n, CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + n % 200 END AS account
        FROM generate_series(1, 20000) AS n;
    INSERT INTO call SELECT 'CA' || lpad(to_hex(n), 32, '0'), filler.account, '+1415' || (3000000 + n),
            created_at - n, CASE WHEN n % 3 = 0 THEN 9000000000000 END, revision, document, sealed_credentials,
            n % 8
        FROM (SELECT * FROM call LIMIT 1) AS one, filler;
    INSERT INTO callback SELECT 'CA' || lpad(to_hex(n), 32, '0'), filler.account, receiver, created_at - n,
            CASE WHEN n % 3 = 0 THEN 1207074402000 END, attempts, document, sealed_credentials, n % 8
        FROM (SELECT * FROM callback LIMIT 1) AS one, filler;
    INSERT INTO caller_id SELECT account, -n, 'PN' || lpad(to_hex(n), 32, '0'), '+1415' || (3000000 + n),
            'name ' || n / 10 % 20, n, 0, 0 FROM filler;
    INSERT INTO event SELECT account, 1000000 + n, 'call', '{}' FROM filler;
    UPDATE ledger SET caller_ids = 2000, events = 1020000;
    INSERT INTO number SELECT '+1415' || (3000000 + n), n % 2, 0, 1, 1207074392000 FROM filler;
    INSERT INTO line_call (number, account_sid, at)
        SELECT '+1415' || (3000000 + n), sid, 1207074392000 - n FROM filler JOIN account ON id = account;
    INSERT INTO line_number SELECT '+1415' || (3000000 + n), 1 FROM filler;
    INSERT INTO opt_out SELECT '+1415' || (3000000 + n), 0 FROM filler;
    INSERT INTO sign_in SELECT sha256(n::text::bytea), account, true, 9000000000000 FROM filler
        WHERE account <> 1;
    ANALYZE";

/// Everything that a request or the passing of time makes of the store.
async fn use_everything(store: &PostgresStore, round: u32) -> Result<(), StoreError> {
    let Account { sid, auth_token } = account(0);
    let line = LineLimits {
        number_rate: RateLimit { calls: 100, seconds: 60 },
        account_rate: RateLimit { calls: 1_000_000, seconds: 60 },
        account_calls_a_day: 1_000_000,
        live_calls_per_account: 1_000_000,
        live_calls: 1_000_000,
        calls_a_day: 1_000_000,
        rules: LineRules { any_hour: true, ..LineRules::DEFAULT },
        ..LineLimits::DEFAULT
    };
    store.health().await?;
    for limits in [ROOMY, Limits { line: Some(line), ..ROOMY }] {
        for _ in 0..2 {
            let call = new_call(0, 5_000 + round);
            store.add_call(call.clone(), &limits).await?.unwrap();
            assert!(store.call(&call.sid).await?.is_some());
        }
    }
    validate(store, 6_000 + round).await;
    let beside = (std::cmp::Reverse(5_000), CallerIdSid::from_random_bytes(&[1; 16]));
    let first = PageRequest { number: 0, size: PageSize::new(50).unwrap(), cursor: None };
    let names = [None, Some(FriendlyName::new("name 7").unwrap())];
    for friendly_name in names {
        let filter = Filter { friendly_name, ..Filter::default() };
        let at = |cursor| PageRequest { cursor: Some(cursor), ..first };
        for page in [first, at(Cursor::After(beside)), at(Cursor::Before(beside))] {
            assert!(!store.list(&sid, &filter, page, admitted).await?.unwrap().items.is_empty());
        }
    }
    let filter = Filter { phone_number: Some(number(6_000 + round)), ..Filter::default() };
    let found = store.list(&sid, &filter, first, admitted).await?.unwrap();
    let row = found.items[0].sid;
    assert!(store.caller_id(&sid, &row, admitted).await?.unwrap().is_some());
    assert!(store.rename(&sid, &row, None, NOW).await?.is_some());
    assert!(store.remove(&sid, &row).await?);
    store.calls(&sid, Newest { before: None, limit: 50 }).await?;
    let before = Some((NOW, CallSid::from_random_bytes(&[1; 16])));
    store.callbacks(&sid, Newest { before, limit: 50 }).await?;
    for accounts in [Accounts::ALL, Accounts::Only(sid), Accounts::Except(vec![sid])] {
        store.due(&accounts, NOW, 100).await?;
        store.wake_at(&accounts).await?;
        store.callbacks_wake_at(&accounts).await?;
    }
    store.events_after(&sid, 1_019_990, 100).await?;
    store.is_opted_out(&number(round)).await?;
    store.line_stopped_at().await?;
    let session = AuthToken::new(&format!("session-of-a-browser-{round}")).unwrap();
    assert!(store.begin_session(&Credentials { sid, auth_token }, &session, 20, NOW).await?);
    let credentials = Credentials { sid, auth_token: session };
    assert!(store.session_account(&credentials, NOW).await?.is_some());
    assert!(store.add_sandbox(account(9)).await?);
    store.add_call(new_call(9, 1), &ROOMY).await?.unwrap();
    assert!(store.remove_account(&account(9).sid).await?);
    store.adopt().await?;
    Ok(())
}

/// Validates a number, and delivers the callback.
async fn validate(store: &PostgresStore, number_index: u32) {
    let call = new_call(0, number_index);
    let mut call = store.add_call(call, &ROOMY).await.unwrap().unwrap().call;
    while let Some(step) = call.advance_to(NOW) {
        call = step.call.clone();
        assert_eq!(store.save(vec![step]).await.unwrap(), [true]);
    }
    let code = call.validation_code.as_ref().unwrap().expose().to_owned();
    let keys = callerid_service::Keys::parse(&code).unwrap();
    for event in [PhoneEvent::Answered, PhoneEvent::Pressed(keys)] {
        let step = call.apply(&event, NOW).unwrap();
        call = step.call.clone();
        assert_eq!(store.save(vec![step]).await.unwrap(), [true]);
    }
    assert!(call.verified);
    let slots = CallbackSlots { per_receiver: 1, per_account: 1, total: 1 };
    let due = store.due_callbacks(&Accounts::ALL, NOW, &slots).await.unwrap();
    for callback in due {
        assert!(store.save_callback(callback.after(&Attempt::Answered(200), NOW)).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_reads_a_table_that_grows_from_end_to_end() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let store = open_with_accounts(&database).await;
    let row = |at: u32| OutgoingCallerId {
        sid: CallerIdSid::from_random_bytes(&[at as u8; 16]),
        account_sid: account(0).sid,
        friendly_name: FriendlyName::new("name").unwrap(),
        phone_number: number(at),
        date_created: Date::new(0, 0),
        date_updated: Date::new(0, 0),
    };
    store.add_caller_ids(&account(0).sid, (0..10).map(row).collect()).await.unwrap();
    for index in 0..2 {
        let call = new_call(index, 100 + u32::from(index));
        store.add_call(call.clone(), &ROOMY).await.unwrap().unwrap();
        store.save(ends(&[call])).await.unwrap();
    }
    cluster.psql(name(&database), FILL);
    let scans = "SELECT relname, seq_scan FROM pg_stat_user_tables
         WHERE relname NOT IN ('meta', 'live_calls', 'ledger', 'account', 'stamp', 'node') ORDER BY relname";
    let counted = || {
        // The database counts what a session did when it ends.
        let sessions =
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", name(&database));
        let deadline = Instant::now() + ABANDONED;
        while cluster.psql("postgres", &sessions) != "0\n" {
            assert!(Instant::now() < deadline, "a session stays");
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster.psql(name(&database), scans)
    };
    drop(store);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = counted();
    let store = open(&database).await;
    // So often that the database plans once for all parameters.
    for round in 0..12 {
        use_everything(&store, round).await.unwrap();
    }
    drop(store);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(counted(), before);
}
