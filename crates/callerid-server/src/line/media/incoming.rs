//! What a call's other side sends: whose packets count, and the keys in them.

use std::net::SocketAddr;

use callerid_service::Key;
use rtp_types::RtpPacket;

use super::remote::Remote;
use super::telephone_event::EventReader;
use super::tones::ToneDetector;

/// RTP's payload type of the noise that phones send now and then in place of silence (RFC 3389).
const COMFORT_NOISE: u8 = 13;

/// How keys arrive. The same key may arrive in several ways, so that only the first way counts in a
/// call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Event,
    Tone,
    /// By the signalling.
    Info,
}

/// Listens to a call's packets.
#[derive(Debug)]
pub(super) struct Incoming {
    remote: Remote,
    /// Where the packets come from: from whoever sent the first one, which may be another address
    /// than the other side knows of itself, behind a translator of addresses.
    source: Option<SocketAddr>,
    way: Option<Way>,
    /// The stream whose events are read.
    stream: Option<u32>,
    events: EventReader,
    tones: ToneDetector,
}

impl Incoming {
    pub(super) fn new(remote: Remote) -> Self {
        Self {
            remote,
            source: None,
            way: None,
            stream: None,
            events: EventReader::default(),
            tones: ToneDetector::default(),
        }
    }

    /// Where to send.
    pub(super) fn destination(&self) -> SocketAddr {
        self.source.unwrap_or(self.remote.address)
    }

    /// The keys in a packet from an address; `None` if the packet does not belong to the call.
    pub(super) fn receive(&mut self, from: SocketAddr, packet: &[u8]) -> Option<Vec<Key>> {
        let packet = RtpPacket::parse(packet).ok()?;
        let kind = packet.payload_type();
        let is_event = Some(kind) == self.remote.telephone_event;
        let is_sound = kind == self.remote.codec.payload_type();
        let is_noise = kind == COMFORT_NOISE;
        if !(is_event || is_sound || is_noise) || self.source.is_some_and(|source| source != from) {
            return None;
        }
        self.source = Some(from);
        if self.stream.replace(packet.ssrc()) != Some(packet.ssrc()) {
            // Another stream counts its timestamps from anywhere.
            self.events = EventReader::default();
        }
        let (way, keys) = if is_event {
            (
                Way::Event,
                self.events.read(packet.timestamp(), packet.payload()).into_iter().collect(),
            )
        } else if is_sound && self.way.is_none_or(|way| way == Way::Tone) {
            let codec = self.remote.codec;
            let sound = packet.payload().iter().map(|byte| codec.decode(*byte));
            (Way::Tone, self.tones.listen(sound))
        } else {
            return Some(Vec::new());
        };
        Some(if keys.is_empty() || self.counts(way) { keys } else { Vec::new() })
    }

    /// Whether keys that arrive in this way count.
    pub(super) fn counts(&mut self, way: Way) -> bool {
        *self.way.get_or_insert(way) == way
    }
}

#[cfg(test)]
mod tests {
    use super::super::Codec;
    use super::super::telephone_event;
    use super::super::tones::tone;
    use super::*;
    use rtp_types::RtpPacketBuilder;

    const EVENT: u8 = 101;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn incoming() -> Incoming {
        let remote = Remote { address: at(1), codec: Codec::Pcmu, telephone_event: Some(EVENT) };
        Incoming::new(remote)
    }

    fn packet(kind: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(kind)
            .timestamp(timestamp)
            .payload(payload)
            .write_vec()
            .unwrap()
    }

    fn event(label: char, timestamp: u32) -> Vec<u8> {
        packet(EVENT, timestamp, &telephone_event::payloads(label).unwrap()[0])
    }

    /// 200 ms of a digit and 100 ms of silence, as one packet.
    fn sound(digit: char) -> Vec<u8> {
        let mut sound = tone(digit, 1_600, 4_000.0).unwrap();
        sound.extend([0; 800]);
        let sound: Vec<_> = sound.into_iter().map(|it| Codec::Pcmu.encode(it)).collect();
        packet(0, 0, &sound)
    }

    fn key(label: char) -> Option<Vec<Key>> {
        Some(vec![Key::new(label).unwrap()])
    }

    #[test]
    fn events_and_tones_are_keys() {
        assert_eq!(incoming().receive(at(1), &event('4', 9)), key('4'));
        assert_eq!(incoming().receive(at(1), &sound('8')), key('8'));
    }

    #[test]
    fn keys_of_the_first_way_alone_count_in_a_call() {
        let mut both = incoming();
        assert_eq!(both.receive(at(1), &event('4', 9)), key('4'));
        assert_eq!(both.receive(at(1), &sound('4')), Some(vec![]));
        assert_eq!(both.receive(at(1), &event('5', 99)), key('5'));
        assert!(!both.counts(Way::Info));
        let mut by_tone = incoming();
        assert_eq!(by_tone.receive(at(1), &sound('8')), key('8'));
        assert_eq!(by_tone.receive(at(1), &event('8', 9)), Some(vec![]));
        assert_eq!(by_tone.receive(at(1), &sound('1')), key('1'));
    }

    #[test]
    fn another_stream_of_the_source_is_read_from_its_beginning() {
        let mut incoming = incoming();
        assert_eq!(incoming.receive(at(1), &event('4', 2_000_000_000)), key('4'));
        let mut other = event('5', 9);
        other[8..12].copy_from_slice(&[7; 4]);
        assert_eq!(incoming.receive(at(1), &other), key('5'));
        assert_eq!(incoming.receive(at(1), &other), Some(vec![]));
    }

    #[test]
    fn comfort_noise_is_of_the_call_and_has_no_keys() {
        assert_eq!(incoming().receive(at(1), &packet(COMFORT_NOISE, 9, &[70])), Some(vec![]));
    }

    #[test]
    fn the_first_source_is_listened_to_and_no_other() {
        let mut incoming = incoming();
        assert_eq!(incoming.destination(), at(1));
        assert_eq!(incoming.receive(at(7), &event('4', 9)), key('4'));
        assert_eq!(incoming.destination(), at(7));
        assert_eq!(incoming.receive(at(8), &event('5', 99)), None);
        assert_eq!(incoming.destination(), at(7));
    }

    #[test]
    fn what_is_no_packet_of_the_call_is_left_out_and_is_no_source() {
        let mut incoming = incoming();
        let valid = event('4', 9);
        for length in 0..valid.len() {
            let keys = incoming.receive(at(2), &valid[..length]);
            assert!(keys.is_none_or(|keys| keys.is_empty()), "{length}");
        }
        let mut incoming = self::incoming();
        assert_eq!(incoming.receive(at(2), &packet(96, 9, &[4, 0, 0, 0])), None);
        assert_eq!(incoming.receive(at(2), b"OPTIONS sip:somebody"), None);
        assert_eq!(incoming.receive(at(2), &[0xff; 2_000]), None);
        assert_eq!(incoming.receive(at(1), &valid), key('4'));
    }
}
