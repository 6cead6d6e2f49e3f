//! Several servers on one database: killed, paused, and with clocks that differ.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::store::DurableStore as _;
use callerid_service::StoreError;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::cluster::Cluster;
use crate::crash::{LAST_NUMBER, Tester, add_account, check_events, wait_for_due_calls};
use crate::database::{KEY, over};
use crate::harness::{Client, Random, Server, authorization, callerid, repeats, serve};
use crate::{events, line};

const NODES: usize = 3;
const CLIENTS: u64 = 6;
const KILLS: u64 = 10;
/// Longer than a lease.
const PAUSE: Duration = Duration::from_secs(15);

/// Starts servers on a database.
struct Nodes {
    cluster: Cluster,
    database: String,
    /// Only the audit log of a real line would be in it.
    directory: tempfile::TempDir,
}

impl Nodes {
    fn new() -> Self {
        let cluster = Cluster::start();
        let database = cluster.database();
        Self { cluster, database, directory: tempfile::tempdir().unwrap() }
    }

    fn name(&self) -> &str {
        self.database.rsplit_once('=').unwrap().1
    }

    fn launch(&self) -> Server {
        Server::launch(over(&mut serve(self.directory.path()), &self.database))
    }

    /// Starts a server whose clock is ahead by so many seconds.
    fn launch_ahead(&self, seconds: i64) -> Server {
        let mut command = serve(self.directory.path());
        command.env("LD_PRELOAD", faketime()).env("FAKETIME", format!("{seconds:+}"));
        Server::launch(over(&mut command, &self.database))
    }

    fn testers(&self, seed: u64) -> Vec<Tester> {
        let account = || add_account(over(&mut callerid(), &self.database));
        (0..CLIENTS).map(|client| Tester::new(account(), client, seed)).collect()
    }
}

/// The library that gives a process another clock.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    libraries.into_iter().find(|it| it.exists()).expect("Debian: apt-get install libfaketime")
}

#[test]
fn servers_that_are_killed_or_paused_lose_nothing_and_place_nothing_twice() {
    (0..repeats()).for_each(kill_and_pause);
}

fn kill_and_pause(seed: u64) {
    let nodes = Nodes::new();
    let mut testers = nodes.testers(seed);
    let mut random = Random(seed + 7);
    // One is 90 seconds ahead of another.
    let mut servers = vec![nodes.launch_ahead(45), nodes.launch_ahead(-45), nodes.launch()];
    let mut cut_off = 0;
    for _ in 0..KILLS {
        let victim = random.below(NODES as u64) as usize;
        act(&mut testers, &servers, &mut random, || servers[victim].signal("KILL"));
        servers.remove(victim).kill();
        cut_off += testers.iter().filter(|tester| tester.is_cut_off()).count();
        servers.push(nodes.launch());
        testers.iter_mut().for_each(|tester| tester.check(&servers[0]));
    }
    // It keeps what it has, and the others adopt it.
    let paused = [nodes.launch()];
    act(&mut testers, &paused, &mut random, || {});
    paused[0].signal("STOP");
    thread::sleep(PAUSE);
    paused[0].signal("CONT");
    wait_for_due_calls(&servers[0], &testers);
    testers.iter_mut().for_each(|tester| tester.check(&paused[0]));

    let done: usize = testers.iter().map(|tester| tester.latencies.len()).sum();
    let mut rung = 0;
    for tester in &testers {
        rung += check_events(&servers[1], &tester.account);
        for server in servers.iter().chain(&paused) {
            let ids = ids(server, tester);
            assert!(ids.iter().copied().eq(1..=ids.len() as u64), "{ids:?}");
        }
    }
    println!(
        "{KILLS} kills and a pause: {done} changes acknowledged, 0 lost, {cut_off} cut off, {rung} calls rang"
    );
    assert!(done as u64 >= 10 * KILLS && cut_off > 0 && rung > 0);
}

/// Lets each tester act on one of the servers for a moment, at the end of which `then` happens.
fn act(testers: &mut [Tester], servers: &[Server], random: &mut Random, then: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for tester in testers {
            let server = &servers[random.below(servers.len() as u64) as usize];
            // Created before the thread, which may start after the server is gone.
            let client = Client::new(server.address, authorization(&tester.account));
            let is_over = &is_over;
            scope.spawn(move || tester.act_until(client, is_over));
        }
        thread::sleep(Duration::from_millis(50 + random.below(250)));
        then();
        is_over.store(true, Ordering::Relaxed);
    });
}

/// The ids of an account's events, as a server streams them up to the last.
fn ids(server: &Server, tester: &Tester) -> Vec<u64> {
    let client = Client::new(server.address, authorization(&tester.account));
    let mut stream = events::open_on(client, Some(0));
    let mut ids = Vec::new();
    loop {
        let event = events::next(&mut stream).expect("the stream goes on");
        // The first tells only where it starts.
        ids.extend(event.id.filter(|id| *id > 0));
        if event.data["phone_number"] == LAST_NUMBER {
            return ids;
        }
    }
}

#[test]
fn a_stream_shows_the_changes_that_are_made_on_another_server() {
    let nodes = Nodes::new();
    let [one, other] = [nodes.launch(), nodes.launch()];
    let mut stream = events::open(&one, None);
    assert_eq!(events::next(&mut stream).unwrap().id, Some(0));
    let mut latest = Duration::ZERO;
    for id in 1..=20 {
        let begun = Instant::now();
        other.create(&format!("PhoneNumber=41586753{id:02}"));
        assert_eq!(events::next(&mut stream).unwrap().id, Some(id));
        latest = latest.max(begun.elapsed());
    }
    // Without news, it would be the next heartbeat.
    assert!(latest < Duration::from_secs(5), "{latest:?}");
    // What is told while a server is not listening is not lost either.
    let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'callerid'";
    nodes.cluster.psql("postgres", sessions);
    other.create("PhoneNumber=4158675400");
    assert_eq!(events::next(&mut stream).unwrap().id, Some(21));
}

/// A server in this process, with a line that a test makes of it.
struct LineServer {
    server: line::Server,
    node: JoinHandle<StoreError>,
}

impl LineServer {
    fn start(runtime: &Runtime, nodes: &Nodes) -> Self {
        let (store, node) = runtime.block_on(async {
            let (key, options) = (SealingKey::parse(KEY).unwrap(), DatabaseOptions::default());
            let store = PostgresStore::open(&nodes.database, options, key).await.unwrap();
            store.add_account(line::account()).await.unwrap();
            let node = tokio::spawn(store.serve().await.unwrap());
            (store, node)
        });
        Self { server: line::Server::start(store), node }
    }
}

#[test]
fn a_call_that_another_server_replaces_is_hung_up_and_one_that_is_left_behind_is_taken_over() {
    let (runtime, nodes) = (Runtime::new().unwrap(), Nodes::new());
    let [mut one, mut other] = [(); 2].map(|()| LineServer::start(&runtime, &nodes));
    one.server.create("PhoneNumber=4158675309");
    let replaced = one.server.expect("place", None);
    other.server.create("PhoneNumber=4158675309");
    assert_eq!(other.server.expect("hang up", None).sid, replaced.sid);
    let kept = other.server.expect("place", None);
    assert_eq!(one.server.expect("hang up", None).sid, replaced.sid);

    one.server.create("PhoneNumber=4158675310");
    let left = one.server.expect("place", None);
    one.node.abort();
    drop(one.server);
    let expire = "UPDATE node SET lease_until = now() - interval '1 second'
         WHERE id = (SELECT min(id) FROM node)";
    nodes.cluster.psql(nodes.name(), expire);
    assert_eq!(other.server.expect("resume", None).sid, left.sid);
    assert_eq!(other.server.status(kept.sid), "ringing");
    other.server.stop();
    other.node.abort();
}
