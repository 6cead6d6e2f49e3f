//! A call's sound, as a task of its own.

use std::sync::Arc;
use std::time::Duration;

use callerid_core::CallExtension;
use callerid_service::{Key, Prompt};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::incoming::{Incoming, Way};
use super::outgoing::Outgoing;
use super::prompts::Prompts;
use super::remote::Remote;

/// A packet is sent so often.
const PACE: Duration = Duration::from_millis(20);
/// How many packets are read between two that are sent. A few come late and together; who sends more
/// than that has them dropped by the system.
const PACKETS_PER_FRAME: usize = 10;
/// The longest packet that is read, in bytes.
const LONGEST_PACKET: usize = 2_048;

/// What is heard in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaEvent {
    /// A key was pressed.
    Key(Key),
    /// There has been neither a packet nor a key for as long as that may last.
    Lost,
}

/// A call's sound. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct MediaSession(mpsc::UnboundedSender<Command>);

#[derive(Debug)]
enum Command {
    Play(Prompt, Option<oneshot::Sender<()>>),
    Dial(CallExtension, oneshot::Sender<()>),
    Key(Key),
}

impl MediaSession {
    /// Begins to send silence from a socket, and to report what is heard on it, or that nothing has
    /// been heard for `silence`. After this is dropped, what has arrived until then is still reported,
    /// and then the channel of `events` closes.
    pub(crate) fn start(
        socket: UdpSocket,
        remote: Remote,
        prompts: Arc<Prompts>,
        silence: Duration,
        events: mpsc::Sender<MediaEvent>,
    ) -> Self {
        let (sender, commands) = mpsc::unbounded_channel();
        tokio::spawn(run(socket, remote, prompts, silence, events, commands));
        Self(sender)
    }

    /// Plays a prompt in place of the current one, until a key is pressed.
    pub(crate) fn play(&self, prompt: Prompt) {
        self.send(Command::Play(prompt, None));
    }

    /// Plays a prompt, which no key interrupts. Returns at its end.
    pub(crate) async fn play_to_end(&self, prompt: Prompt) {
        let (over, is_over) = oneshot::channel();
        self.send(Command::Play(prompt, Some(over)));
        is_over.await.unwrap_or_default();
    }

    /// Dials an extension's digits. Returns after the last one.
    pub(crate) async fn dial(&self, extension: &CallExtension) {
        let (over, is_over) = oneshot::channel();
        self.send(Command::Dial(extension.clone(), over));
        is_over.await.unwrap_or_default();
    }

    /// Handles a key that came by the call's signalling.
    pub(crate) fn key_by_info(&self, key: Key) {
        self.send(Command::Key(key));
    }

    fn send(&self, command: Command) {
        // The task ends before this only if its runtime does.
        self.0.send(command).unwrap_or_default();
    }
}

async fn run(
    socket: UdpSocket,
    remote: Remote,
    prompts: Arc<Prompts>,
    silence: Duration,
    events: mpsc::Sender<MediaEvent>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let (mut incoming, mut outgoing) = (Incoming::new(remote), Outgoing::new(remote, prompts));
    let mut frames = interval(PACE);
    // After a pause, what is late is left out rather than sent at once.
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut packet = [0; LONGEST_PACKET];
    let (mut packets_left, mut heard_at) = (PACKETS_PER_FRAME, Some(Instant::now()));
    loop {
        let mut keys = Vec::new();
        tokio::select! {
            biased;
            _ = frames.tick() => {
                packets_left = PACKETS_PER_FRAME;
                // A packet that cannot be sent is a lost one.
                let sent = socket.try_send_to(&outgoing.next_packet(), incoming.destination());
                sent.map(drop).unwrap_or_default();
                if heard_at.is_some_and(|then| then.elapsed() >= silence) {
                    heard_at = None;
                    events.try_send(MediaEvent::Lost).unwrap_or_default();
                }
            }
            received = socket.recv_from(&mut packet), if packets_left > 0 => {
                packets_left -= 1;
                // An error tells of a packet that was sent and did not arrive.
                if let Ok((length, from)) = received
                    && let Some(found) = packet.get(..length).and_then(|it| incoming.receive(from, it))
                {
                    heard_at = heard_at.map(|_| Instant::now());
                    keys = found;
                }
            }
            // After the packets, so that those of the last key are read before the end.
            command = commands.recv() => match command {
                None => return,
                Some(Command::Play(prompt, over)) => outgoing.play(prompt, over),
                Some(Command::Dial(extension, over)) => outgoing.dial(&extension, over),
                Some(Command::Key(key)) if incoming.counts(Way::Info) => keys.push(key),
                Some(Command::Key(_)) => {}
            },
        }
        for key in keys {
            heard_at = heard_at.map(|_| Instant::now());
            outgoing.interrupt();
            events.try_send(MediaEvent::Key(key)).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::super::{Codec, telephone_event};
    use super::*;
    use rtp_types::{RtpPacket, RtpPacketBuilder};

    const EVENT: u8 = 101;
    const PATIENCE: Duration = Duration::from_secs(10);
    const SILENCE: Duration = Duration::from_secs(30);

    /// The other side of a session.
    struct Peer {
        socket: UdpSocket,
        session: MediaSession,
        events: mpsc::Receiver<MediaEvent>,
        address: SocketAddr,
    }

    impl Peer {
        async fn start() -> Self {
            let bind = || UdpSocket::bind("127.0.0.1:0");
            let (socket, own) = (bind().await.unwrap(), bind().await.unwrap());
            let address = own.local_addr().unwrap();
            let remote = Remote {
                address: socket.local_addr().unwrap(),
                codec: Codec::Pcmu,
                telephone_event: Some(EVENT),
            };
            let (sender, events) = mpsc::channel(64);
            let prompts = Arc::new(Prompts::ENGLISH);
            let session = MediaSession::start(own, remote, prompts, SILENCE, sender);
            Self { socket, session, events, address }
        }

        /// The payload type and the payload of the next packet.
        async fn hear(&self) -> (u8, Vec<u8>) {
            let mut packet = [0; LONGEST_PACKET];
            let received = timeout(PATIENCE, self.socket.recv(&mut packet)).await;
            let packet = RtpPacket::parse(&packet[..received.unwrap().unwrap()]).unwrap();
            (packet.payload_type(), packet.payload().to_vec())
        }

        async fn is_silent(&self) -> bool {
            self.hear().await.1.iter().all(|byte| *byte == 0xff)
        }

        async fn press(&self, from: &UdpSocket, label: char, timestamp: u32) {
            let payload = telephone_event::payloads(label).unwrap()[0];
            let packet = RtpPacketBuilder::<&[u8], &[u8]>::new()
                .payload_type(EVENT)
                .timestamp(timestamp)
                .payload(&payload);
            from.send_to(&packet.write_vec().unwrap(), self.address).await.unwrap();
        }

        async fn event(&mut self) -> MediaEvent {
            timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
        }
    }

    fn key(label: char) -> MediaEvent {
        MediaEvent::Key(Key::new(label).unwrap())
    }

    #[tokio::test]
    async fn a_prompt_is_heard_until_a_key_is_pressed() {
        let mut peer = Peer::start().await;
        assert!(peer.is_silent().await);
        peer.session.play(Prompt::EnterCode);
        while peer.is_silent().await {}
        peer.press(&peer.socket, '7', 80).await;
        assert_eq!(peer.event().await, key('7'));
        let mut silent = 0;
        // A second's silence is longer than any pause of the prompt.
        while silent < 50 {
            silent = if peer.is_silent().await { silent + 1 } else { 0 };
        }
    }

    #[tokio::test]
    async fn the_last_words_are_played_to_their_end() {
        let peer = Peer::start().await;
        let begun = Instant::now();
        let listen = async { while peer.is_silent().await {} };
        let ((), ()) = tokio::join!(peer.session.play_to_end(Prompt::Verified), listen);
        let seconds = begun.elapsed().as_secs_f64();
        let expected = Prompts::ENGLISH.sound(Prompt::Verified).len() as f64 / 8_000.0;
        assert!((expected - 0.1..expected + 2.0).contains(&seconds), "{seconds} of {expected}");
    }

    #[tokio::test]
    async fn sound_goes_to_where_the_first_packet_came_from() {
        let mut peer = Peer::start().await;
        let translated = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        peer.press(&translated, '1', 80).await;
        assert_eq!(peer.event().await, key('1'));
        peer.press(&peer.socket, '2', 800).await;
        let mut packet = [0; LONGEST_PACKET];
        timeout(PATIENCE, translated.recv(&mut packet)).await.unwrap().unwrap();
        peer.press(&translated, '3', 1_600).await;
        assert_eq!(peer.event().await, key('3'));
    }

    #[tokio::test]
    async fn a_key_by_the_signalling_counts_if_it_is_the_first() {
        let mut peer = Peer::start().await;
        peer.session.key_by_info(Key::new('5').unwrap());
        assert_eq!(peer.event().await, key('5'));
        peer.press(&peer.socket, '6', 80).await;
        peer.session.key_by_info(Key::new('7').unwrap());
        assert_eq!(peer.event().await, key('7'));
    }

    #[tokio::test]
    async fn a_key_that_has_arrived_before_the_end_is_reported() {
        let mut peer = Peer::start().await;
        peer.session.key_by_info(Key::new('5').unwrap());
        drop(peer.session);
        assert_eq!(peer.events.recv().await, Some(key('5')));
        assert_eq!(peer.events.recv().await, None);
    }

    #[tokio::test]
    async fn a_peer_that_never_stops_sending_takes_no_more_than_its_share() {
        let mut peer = Peer::start().await;
        let begun = Instant::now();
        let flood = async {
            while begun.elapsed() < Duration::from_millis(500) {
                for _ in 0..100 {
                    peer.socket
                        .try_send_to(&[0x80; 500], peer.address)
                        .map(drop)
                        .unwrap_or_default();
                }
                tokio::task::yield_now().await;
            }
        };
        let heard = async {
            let mut heard = 0;
            while begun.elapsed() < Duration::from_millis(500) {
                peer.hear().await;
                heard += 1;
            }
            heard
        };
        let ((), heard) = tokio::join!(flood, heard);
        assert!(heard >= 15, "{heard} of 25 packets were sent");
        // What waits in the system's buffer is read first.
        sleep(Duration::from_millis(1_500)).await;
        peer.press(&peer.socket, '9', 80).await;
        assert_eq!(peer.event().await, key('9'));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_sound_has_lost_it_and_one_with_sound_has_not() {
        let mut peer = Peer::start().await;
        let begun = Instant::now();
        sleep(Duration::from_secs(20)).await;
        peer.session.key_by_info(Key::new('5').unwrap());
        assert_eq!(peer.event().await, key('5'));
        assert_eq!(peer.events.recv().await, Some(MediaEvent::Lost));
        assert_eq!(begun.elapsed().as_secs(), 50);
        assert!(timeout(Duration::from_secs(60), peer.events.recv()).await.is_err());
    }

    #[tokio::test]
    async fn a_session_that_is_dropped_frees_its_port() {
        let peer = Peer::start().await;
        drop(peer.session);
        let begun = Instant::now();
        while UdpSocket::bind(peer.address).await.is_err() {
            assert!(begun.elapsed() < PATIENCE);
            sleep(Duration::from_millis(10)).await;
        }
    }
}
