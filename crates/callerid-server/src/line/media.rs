//! The sound of calls: prompts out and keys in, over RTP (RFC 3550) with G.711.
//!
//! A call's [`MediaSession`] sends a frame every 20 ms, speech or silence, and listens for keys.

mod g711;
mod incoming;
mod outgoing;
mod prompts;
mod remote;
mod session;
mod telephone_event;
mod tones;

pub(crate) use g711::Codec;
pub(crate) use remote::Remote;
pub(crate) use session::{MediaEvent, MediaSession};

/// Samples a second, of all sounds.
const SAMPLE_RATE: u32 = 8_000;
/// Samples of a frame, which takes 20 ms.
const FRAME: usize = 160;
