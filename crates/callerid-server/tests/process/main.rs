//! The program as a process: started, asked over sockets, stopped, killed. And the library with a phone line of
//! its own.

mod accounts;
mod callbacks;
mod calls;
mod client_example;
mod crash;
mod data;
mod events;
mod fair_shares;
mod flood;
mod harness;
mod hostile;
mod http;
mod limits;
mod line;
mod normalize;
mod probes;
mod restore;
mod sessions;
mod slow_readers;
mod start;
mod stop;
mod tls;
