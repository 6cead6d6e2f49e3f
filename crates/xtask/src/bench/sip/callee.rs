//! A callee: it answers every call at once, keys codes, and notes when sound arrives.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A key is pressed so often, the first one so long after the answer.
pub(super) const KEY_EVERY: Duration = Duration::from_millis(100);
/// How long to wait for what is expected.
const PATIENCE: Duration = Duration::from_secs(30);

/// The callee's SIP address, and what it has seen.
pub(super) struct Callee {
    pub(super) address: SocketAddr,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    sound: UdpSocket,
}

#[derive(Default)]
struct Seen {
    is_asked: bool,
    invited: HashMap<String, Instant>,
    /// The other side's port for sound, by the called number, once the call is acknowledged.
    connected: HashMap<String, SocketAddr>,
}

impl Callee {
    pub(super) fn start() -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let sound = UdpSocket::bind("127.0.0.1:0").expect("a port");
        sound.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
        let address = sip.local_addr().expect("its address");
        let sound_port = sound.local_addr().expect("its address").port();
        let seen = Arc::new((Mutex::default(), Condvar::new()));
        let heard = Arc::clone(&seen);
        thread::spawn(move || answer_all(&sip, sound_port, &heard));
        Self { address, seen, sound }
    }

    /// Waits until it is asked whether it is there.
    pub(super) fn is_asked(&self) {
        self.wait(|seen| seen.is_asked.then_some(()));
        // The answer is on its way.
        thread::sleep(Duration::from_millis(100));
    }

    /// Keys a code in the call to a number, once that is answered.
    pub(super) fn will_key(&self, number: &str, code: &str) {
        let (to, answered) = self.wait(|seen| Some((*seen.connected.get(number)?, Instant::now())));
        for (place, digit) in code.bytes().enumerate() {
            let due = answered + KEY_EVERY * (place as u32 + 1);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let timestamp = (place as u32 + 1) * 800;
            let sequence = place as u16;
            // RFC 4733, a packet a key.
            let mut packet = vec![0x80, 0x80 | 101];
            packet.extend(sequence.to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(7_u32.to_be_bytes());
            packet.extend([digit - b'0', 0x8a, 3, 32]);
            self.sound.send_to(&packet, to).expect("a packet can be sent");
        }
    }

    pub(super) fn invited_at(&self, number: &str) -> Instant {
        self.wait(|seen| seen.invited.get(number).copied())
    }

    /// Waits until so many calls are connected.
    pub(super) fn hears(&self, calls: usize) {
        self.wait(|seen| (seen.connected.len() >= calls).then_some(()));
    }

    /// For each source of sound: the numbers of its packets, and when they arrived.
    pub(super) fn listen(&self, time: Duration) -> Vec<Vec<(u16, Instant)>> {
        let mut packet = [0; 2_048];
        // What has waited so far.
        self.sound.set_nonblocking(true).expect("a socket");
        while self.sound.recv(&mut packet).is_ok() {}
        self.sound.set_nonblocking(false).expect("a socket");
        let mut streams: HashMap<SocketAddr, Vec<(u16, Instant)>> = HashMap::new();
        let start = Instant::now();
        while start.elapsed() < time {
            if let Ok((_, from)) = self.sound.recv_from(&mut packet) {
                let sequence = u16::from_be_bytes([packet[2], packet[3]]);
                streams.entry(from).or_default().push((sequence, Instant::now()));
            }
        }
        streams.into_values().collect()
    }

    fn wait<T>(&self, mut what: impl FnMut(&Seen) -> Option<T>) -> T {
        let (seen, changed) = &*self.seen;
        let mut seen = seen.lock().expect("no panic");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = what(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the line does not call");
            seen = changed.wait_timeout(seen, left).expect("no panic").0;
        }
    }
}

/// Answers requests of SIP, all with 200.
fn answer_all(sip: &UdpSocket, sound_port: u16, seen: &(Mutex<Seen>, Condvar)) {
    let own = sip.local_addr().expect("its address");
    let mut invites: HashMap<String, SocketAddr> = HashMap::new();
    let mut packet = [0; 65_536];
    while let Ok((length, from)) = sip.recv_from(&mut packet) {
        let now = Instant::now();
        let request = String::from_utf8_lossy(&packet[..length]).into_owned();
        let (method, rest) = request.split_once(' ').unwrap_or_default();
        let number = rest.strip_prefix("sip:+1").and_then(|it| it.get(..10)).unwrap_or_default();
        let mut known = seen.0.lock().expect("no panic");
        match method {
            "OPTIONS" => known.is_asked = true,
            "INVITE" => {
                known.invited.entry(number.to_owned()).or_insert(now);
                let call = header(&request, "Call-ID").to_owned();
                invites.insert(call, sound_of(&request).unwrap_or(from));
            }
            "ACK" => {
                if let Some(sound) = invites.get(header(&request, "Call-ID")) {
                    let number = header(&request, "To").split_once("+1").map(|it| &it.1[..10]);
                    known.connected.insert(number.unwrap_or_default().to_owned(), *sound);
                }
            }
            _ => {}
        }
        drop(known);
        seen.1.notify_all();
        if method == "ACK" || method.is_empty() || method.starts_with("SIP/") {
            continue;
        }
        let body = match method {
            "INVITE" => format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio {sound_port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
            ),
            _ => String::new(),
        };
        let copied = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            ["via", "from", "call-id", "cseq", "record-route"].contains(&name.as_str())
        };
        let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
        for line in request.lines().take_while(|line| !line.is_empty()).filter(copied) {
            answer += &format!("{line}\r\n");
        }
        let to = header(&request, "To");
        let tag = if to.contains(";tag=") { "" } else { ";tag=callee" };
        answer += &format!(
            "To: {to}{tag}\r\nContact: <sip:{own}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        sip.send_to(answer.as_bytes(), from).expect("an answer can be sent");
    }
}

/// A header's value.
fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| {
        let (is, value) = line.split_once(':')?;
        is.eq_ignore_ascii_case(name).then(|| value.trim())
    };
    request.lines().find_map(value).unwrap_or_default()
}

/// Where an offer wants its sound.
fn sound_of(invite: &str) -> Option<SocketAddr> {
    let address = invite.lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?;
    let media = invite.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    let port = media.split(' ').next()?;
    format!("{address}:{port}").parse().ok()
}
