//! What is in the database: many accounts with a page of caller IDs, one for creates, one with few
//! caller IDs, and one with a million. All have the same token.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use callerid_core::{
    AccountSid, AuthToken, CallerIdSid, FriendlyName, Moment, NewCallerId, OutgoingCallerId,
    PhoneNumber,
};
use callerid_server::postgres::{DatabaseOptions, PostgresStore};
use callerid_server::seal::SealingKey;
use callerid_server::store::{DurableStore as _, Options, SqliteStore};
use callerid_service::{Account, Call, RandomBytes};
use futures_util::future::try_join_all;

use super::super::growth::{self, random_bytes, scatter};
use super::super::{Row, Table};

/// The accounts before the others.
pub(super) const MANY: usize = 1_000;
/// The one for creates on one account.
pub(super) const HOT: usize = MANY;
pub(super) const SMALL: usize = MANY + 1;
pub(super) const MILLION: usize = MANY + 2;

pub(super) const KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// The number of an account's caller IDs.
pub(super) const fn rows(which: usize) -> u64 {
    match which {
        HOT => 0,
        SMALL => 10,
        MILLION => 1_000_000,
        _ => 60,
    }
}

pub(super) fn account(which: usize) -> AccountSid {
    AccountSid::from_random_bytes(&random_bytes(1 << 52 ^ which as u64))
}

pub(super) fn with_token(which: usize) -> Account {
    Account { sid: account(which), auth_token: AuthToken::from_random_bytes(&[0xa5; 16]) }
}

/// One of an account's caller IDs.
pub(super) fn row_of(which: usize, at: u64) -> OutgoingCallerId {
    let row = at % rows(which).max(1);
    let date =
        Moment::from_unix_millis(1_207_074_392_000 - (row as i64 * 7 / 10) * 10_000).to_date();
    OutgoingCallerId {
        sid: CallerIdSid::from_random_bytes(&random_bytes((which as u64) << 24 ^ row)),
        account_sid: account(which),
        friendly_name: FriendlyName::new("Front desk").expect("a valid name"),
        phone_number: growth::number(row),
        date_created: date,
        date_updated: date,
    }
}

/// A number that is no account's caller ID.
pub(super) fn number(at: u64) -> PhoneNumber {
    growth::number(2_000_000 + at)
}

/// A call that rings, as the service adds it.
pub(super) fn call(which: usize, number: PhoneNumber, now: Moment) -> Call {
    let seed: u64 = number.as_str().parse().expect("digits");
    let random = RandomBytes::new(random_bytes(scatter(seed ^ (which as u64) << 40)));
    let call = Call::new(account(which), NewCallerId::new(number), &random, now);
    call.expect("the random bytes hold a code").advance_to(now).expect("it is due").call
}

pub(super) async fn open(database: &str) -> PostgresStore {
    let key = SealingKey::parse(KEY).expect("a key");
    let store = PostgresStore::open(database, DatabaseOptions::default(), key).await;
    store.expect("the database can be opened")
}

/// The program with this command, for the database.
pub(super) fn command(program: &Path, command: &str, database: &str) -> Command {
    let mut process = Command::new(program);
    process.arg(command).env("CALLERID_DATABASE", database).env("CALLERID_KEY", KEY);
    process
}

/// Fills a directory, and imports it.
pub(super) fn import(program: &Path, database: &str) -> Table {
    let directory = tempfile::tempdir_in("target").expect("target can be written");
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let options = Options { key: SealingKey::parse(KEY).ok(), ..Options::default() };
        let store = SqliteStore::open(directory.path(), options).expect("the store can be opened");
        let fill = async |which: usize| {
            store.add_account(with_token(which)).await?;
            store.import(&account(which), (0..rows(which)).map(move |at| row_of(which, at))).await
        };
        try_join_all((0..=MILLION).map(fill)).await.expect("the accounts are added");
    });
    let started = Instant::now();
    let imported = command(program, "import", database).arg(directory.path()).output();
    let imported = imported.expect("the program can be run");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    Table {
        title:
            "callerid import: a directory with 1,060,010 caller IDs of 1,003 accounts; limit: 120 s"
                .into(),
        unit: "s",
        rows: vec![Row {
            name: "callerid import".into(),
            figure: started.elapsed().as_secs_f64(),
            note: String::new(),
        }],
    }
}
