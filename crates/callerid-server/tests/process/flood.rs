//! An account that floods the server with creates, and another that creates something meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::fair_shares::another_account;
use crate::harness::{Client, Server, authorization, repeats, serve, soak};

/// The connections of the flood.
const FLOOD: usize = 64;
/// How often the other account creates, alone and under the flood.
const CREATES: u64 = 100;
/// So much longer its creates may take then, where the test has the machine to itself.
const FACTOR: u32 = 10;
/// It is measured again where somebody else may have had it.
const ROUNDS: u64 = 5;

/// The time within which 95 of a hundred creates were answered.
fn p95(client: &mut Client, list: &str) -> Duration {
    let times = (0..CREATES * repeats()).map(|at| {
        let started = Instant::now();
        client.post(list, &format!("PhoneNumber=415867{:04}", at % 10_000)).expect(200);
        started.elapsed()
    });
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

/// Creates on many connections for as long as something else is done.
fn flood<T>(server: &Server, round: u64, meanwhile: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for of in 0..FLOOD {
            let (mut client, is_over) = (server.connect(), &is_over);
            scope.spawn(move || {
                for at in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let exchange = 220 + of;
                    let form =
                        format!("PhoneNumber=415{exchange}{:04}", (at + 2_000 * round) % 10_000);
                    client.post(&server.list(), &form).expect(200);
                }
            });
        }
        thread::sleep(Duration::from_millis(300));
        let done = meanwhile();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn a_flood_of_creates_keeps_no_other_account_waiting() {
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(data.path());
    for limit in ["--max-calls", "--max-calls-per-account", "--max-rings-per-number"] {
        command.args([limit, "100000000"]);
    }
    let server = Server::launch(&mut command);
    let (other, list) = another_account(data.path());
    let mut client = Client::new(server.address, authorization(&other));
    p95(&mut client, &list);
    let rounds = if soak().is_some() { ROUNDS } else { 1 };
    let holds = (0..rounds).any(|round| {
        let alone = p95(&mut client, &list);
        let under_flood = flood(&server, round, || p95(&mut client, &list));
        println!("95 of 100 creates within {alone:?} alone, within {under_flood:?} under a flood");
        under_flood < alone * FACTOR
    });
    assert!(holds || soak().is_none(), "another account's flood holds them up");
}
