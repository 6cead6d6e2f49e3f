//! The other side of a call's sound.

use std::net::SocketAddr;

use super::Codec;

/// The other side of a call's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Where to send, until the first packet has come from somewhere.
    pub(crate) address: SocketAddr,
    /// The codec of both directions.
    pub(crate) codec: Codec,
    /// RTP's payload type of telephone events, if the other side understands them.
    pub(crate) telephone_event: Option<u8>,
}
