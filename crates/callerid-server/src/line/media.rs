//! The sound of calls: prompts out and keys in, over RTP (RFC 3550) with G.711.
//!
//! A call's [`MediaSession`] sends a frame every 20 ms, speech or silence, and listens for keys.

#[cfg(feature = "fuzzing")]
use std::net::SocketAddr;

mod g711;
mod incoming;
mod outgoing;
mod prompts;
mod remote;
mod session;
mod telephone_event;
mod tones;

pub(crate) use g711::Codec;
pub use prompts::Prompts;
pub(crate) use remote::Remote;
pub(crate) use session::{MediaEvent, MediaSession};

/// Lets a call hear packets, each from a port of this machine. For a fuzz target.
#[cfg(feature = "fuzzing")]
pub fn hear_packets(packets: &[(u16, &[u8])]) {
    let remote = Remote {
        address: SocketAddr::from(([127, 0, 0, 1], 1)),
        codec: Codec::Pcmu,
        telephone_event: Some(101),
    };
    let mut incoming = incoming::Incoming::new(remote);
    for (port, packet) in packets {
        incoming.receive(SocketAddr::from(([127, 0, 0, 1], *port)), packet);
    }
}

/// Samples a second, of all sounds.
const SAMPLE_RATE: u32 = 8_000;
/// Samples of a frame, which takes 20 ms.
const FRAME: usize = 160;
