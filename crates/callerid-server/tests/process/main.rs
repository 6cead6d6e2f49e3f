//! The program as a process: started, asked over sockets, stopped, killed.

mod accounts;
mod callbacks;
mod calls;
mod crash;
mod events;
mod harness;
mod hostile;
mod http;
mod limits;
mod normalize;
mod start;
mod stop;
