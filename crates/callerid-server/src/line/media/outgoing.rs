//! What a call sends, a frame at a time: a prompt, an extension's digits, or silence.

use std::collections::VecDeque;
use std::sync::Arc;

use callerid_core::CallExtension;
use callerid_service::Prompt;
use rtp_types::RtpPacketBuilder;
use tokio::sync::oneshot;

use super::prompts::Prompts;
use super::remote::Remote;
use super::tones::tone;
use super::{Codec, FRAME, telephone_event};

/// The frames between two digits of an extension: 80 ms.
const FRAMES_BETWEEN: usize = 4;
/// The frames of a `w`: half a second.
const FRAMES_OF_WAIT: usize = 25;
/// The frames of a digit that is sent as a tone: 100 ms.
const FRAMES_OF_TONE: usize = 5;
/// The amplitude of each of a digit's two tones, about -10 dBm0.
const AMPLITUDE: f32 = 4_000.0;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Frame {
    Sound(Vec<u8>),
    /// A packet of an event, and whether it is the first one.
    Event([u8; 4], bool),
}

/// The frames to send, and the packets' numbers.
#[derive(Debug)]
pub(super) struct Outgoing {
    remote: Remote,
    prompts: Arc<Prompts>,
    frames: VecDeque<Frame>,
    /// Told when the frames are over.
    over: Option<oneshot::Sender<()>>,
    sequence: u16,
    timestamp: u32,
    /// The timestamp of the event whose packets are being sent.
    event_at: u32,
    source: u32,
}

impl Outgoing {
    /// Nothing to send yet. The numbers begin at random, as RFC 3550 wants.
    pub(super) fn new(remote: Remote, prompts: Arc<Prompts>) -> Self {
        Self {
            remote,
            prompts,
            frames: VecDeque::new(),
            over: None,
            sequence: rand::random(),
            timestamp: rand::random(),
            event_at: 0,
            source: rand::random(),
        }
    }

    /// Plays a prompt in place of what is played now.
    pub(super) fn play(&mut self, prompt: Prompt, over: Option<oneshot::Sender<()>>) {
        let codec = self.remote.codec;
        let sound =
            self.prompts.sound(prompt).chunks(FRAME).map(|chunk| Frame::Sound(frame(codec, chunk)));
        self.begin(sound.collect(), over);
    }

    /// Dials an extension's digits, as events if the other side understands them, otherwise as tones.
    pub(super) fn dial(&mut self, extension: &CallExtension, over: oneshot::Sender<()>) {
        let codec = self.remote.codec;
        let silence = |frames| std::iter::repeat_n(Frame::Sound(frame(codec, &[])), frames);
        let mut frames = VecDeque::new();
        for digit in extension.as_str().chars() {
            match self.remote.telephone_event.and_then(|_| telephone_event::payloads(digit)) {
                Some(payloads) => {
                    let packets = payloads.into_iter().enumerate();
                    frames.extend(packets.map(|(at, payload)| Frame::Event(payload, at == 0)));
                }
                None => match tone(digit, FRAMES_OF_TONE * FRAME, AMPLITUDE) {
                    Some(samples) => {
                        let encode =
                            |chunk: &[i16]| chunk.iter().map(|it| codec.encode(*it)).collect();
                        frames
                            .extend(samples.chunks(FRAME).map(|chunk| Frame::Sound(encode(chunk))));
                    }
                    None => frames.extend(silence(FRAMES_OF_WAIT)),
                },
            }
            frames.extend(silence(FRAMES_BETWEEN));
        }
        self.begin(frames, Some(over));
    }

    /// Stops what is played, unless somebody waits for its end.
    pub(super) fn interrupt(&mut self) {
        if self.over.is_none() {
            self.frames.clear();
        }
    }

    fn begin(&mut self, frames: VecDeque<Frame>, over: Option<oneshot::Sender<()>>) {
        self.frames = frames;
        self.over = over;
    }

    /// The next packet: one is due every 20 ms.
    pub(super) fn next_packet(&mut self) -> Vec<u8> {
        let next = self.frames.pop_front();
        // Once all of them have been sent.
        if next.is_none()
            && let Some(over) = self.over.take()
        {
            // Nobody waits any more if the call has ended.
            over.send(()).unwrap_or_default();
        }
        let codec = self.remote.codec;
        let next = next.unwrap_or_else(|| Frame::Sound(frame(codec, &[])));
        let packet = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .sequence_number(self.sequence)
            .ssrc(self.source);
        let packet = match (&next, self.remote.telephone_event) {
            (Frame::Event(payload, is_first), Some(kind)) => {
                if *is_first {
                    self.event_at = self.timestamp;
                }
                let packet = packet.payload_type(kind).marker_bit(*is_first);
                packet.timestamp(self.event_at).payload(payload.as_slice()).write_vec()
            }
            (Frame::Event(..), None) => Ok(Vec::new()),
            (Frame::Sound(sound), _) => {
                let packet = packet.payload_type(codec.payload_type());
                packet.timestamp(self.timestamp).payload(sound).write_vec()
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        // A packet of this size can be written.
        packet.unwrap_or_default()
    }
}

/// A frame of a µ-law sound, which silence fills up.
fn frame(codec: Codec, sound: &[u8]) -> Vec<u8> {
    let silence = std::iter::repeat_n(codec.encode(0), FRAME.saturating_sub(sound.len()));
    let convert = |byte: &u8| match codec {
        Codec::Pcmu => *byte,
        Codec::Pcma => codec.encode(Codec::Pcmu.decode(*byte)),
    };
    sound.iter().map(convert).chain(silence).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use callerid_service::Key;
    use rtp_types::RtpPacket;

    use super::super::incoming::Incoming;
    use super::*;

    fn english() -> Arc<Prompts> {
        Arc::new(Prompts::ENGLISH)
    }

    fn remote(telephone_event: Option<u8>) -> Remote {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        Remote { address, codec: Codec::Pcma, telephone_event }
    }

    #[test]
    fn packets_are_numbered_and_a_prompt_is_followed_by_silence() {
        let mut outgoing = Outgoing::new(remote(None), english());
        outgoing.play(Prompt::Verified, None);
        let frames = outgoing.frames.len();
        assert_eq!(frames, Prompts::ENGLISH.sound(Prompt::Verified).len().div_ceil(FRAME));
        let packets: Vec<_> = (0..frames + 2).map(|_| outgoing.next_packet()).collect();
        let packets: Vec<_> = packets.iter().map(|it| RtpPacket::parse(it).unwrap()).collect();
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence_number(), pair[0].sequence_number().wrapping_add(1));
            assert_eq!(pair[1].timestamp(), pair[0].timestamp().wrapping_add(160));
            assert_eq!((pair[1].ssrc(), pair[1].payload_type()), (pair[0].ssrc(), 8));
            assert_eq!(pair[1].payload().len(), FRAME);
        }
        assert!(packets[frames].payload().iter().all(|byte| *byte == 0xd5));
        assert!(packets[..frames].iter().any(|it| it.payload().iter().any(|byte| *byte != 0xd5)));
    }

    #[test]
    fn a_key_interrupts_a_prompt_but_not_the_last_words() {
        let mut outgoing = Outgoing::new(remote(None), english());
        outgoing.play(Prompt::EnterCode, None);
        outgoing.interrupt();
        assert!(outgoing.frames.is_empty());
        let (over, mut is_over) = oneshot::channel();
        outgoing.play(Prompt::Verified, Some(over));
        outgoing.interrupt();
        while !outgoing.frames.is_empty() {
            outgoing.next_packet();
            assert!(is_over.try_recv().is_err());
        }
        outgoing.next_packet();
        assert!(is_over.try_recv().is_ok());
    }

    /// The keys that the other side reads from what is sent, and after how many frames it is over.
    fn dialed(extension: &str, telephone_event: Option<u8>) -> (Vec<Key>, usize) {
        let remote = remote(telephone_event);
        let (mut outgoing, mut incoming) =
            (Outgoing::new(remote, english()), Incoming::new(remote));
        let (over, mut is_over) = oneshot::channel();
        outgoing.dial(&CallExtension::new(extension).unwrap(), over);
        let (mut keys, mut frames) = (Vec::new(), 0);
        while is_over.try_recv().is_err() {
            keys.extend(incoming.receive(remote.address, &outgoing.next_packet()).unwrap());
            frames += 1;
        }
        (keys, frames)
    }

    #[test]
    fn an_extension_is_dialed_as_events_or_as_tones() {
        let expected: Vec<_> = "1144".chars().filter_map(Key::new).collect();
        assert_eq!(dialed("ww1144", Some(101)), (expected.clone(), 2 * 29 + 4 * 12 + 1));
        assert_eq!(dialed("1144", None), (expected, 4 * 9 + 1));
    }
}
