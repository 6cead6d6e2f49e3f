//! Tests of the program as a process, which is started, sent requests over sockets, stopped and
//! killed; and of the library with a custom phone line.

mod accounts;
mod callbacks;
mod calls;
mod client_example;
#[cfg(feature = "postgres")]
#[path = "../cluster/mod.rs"]
mod cluster;
mod crash;
mod data;
#[cfg(feature = "postgres")]
mod database;
mod events;
mod fair_shares;
mod flood;
mod harness;
mod hostile;
mod http;
#[cfg(feature = "postgres")]
mod import;
mod limits;
mod line;
mod line_limits;
#[cfg(all(target_os = "linux", feature = "postgres"))]
mod nodes;
mod normalize;
mod probes;
mod restore;
mod sessions;
// Its peers are Debian's.
#[cfg(all(target_os = "linux", feature = "sip"))]
mod sip;
mod slow_readers;
mod start;
mod stop;
mod testing;
mod tls;
