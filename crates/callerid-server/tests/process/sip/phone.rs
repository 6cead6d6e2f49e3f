//! A phone's sound and keys: RTP of the tests' own, because sipp's recorded digits have no repeated
//! ones, and baresip, a phone that somebody else has written.

use std::f64::consts::TAU;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::peers::{free_port, spawn, wait_until};
use crate::harness::PATIENCE;

/// The payload type of events in the tests' SDP.
const EVENT: u8 = 101;
const FRAME: Duration = Duration::from_millis(20);
/// The keys, in the order of their codes in events.
const KEYS: &str = "0123456789*#";

/// The packets of an event that arrive.
#[derive(Clone, Copy)]
pub(super) enum Arrives {
    All,
    /// The first, and none of the three that say it is over.
    First,
    /// The last of those three.
    Last,
}

/// The sound of a call, at the port that an answer names.
pub(super) struct Sound {
    socket: UdpSocket,
    line: SocketAddr,
    sequence: u16,
    timestamp: u32,
}

impl Sound {
    /// A port for an answer.
    pub(super) fn bind(port: u16) -> UdpSocket {
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// Waits for the line's first packet.
    pub(super) fn begin(socket: UdpSocket) -> Self {
        let (_, line) = socket.recv_from(&mut [0; 2_000]).unwrap();
        Self { socket, line, sequence: 7, timestamp: 4_000_000_000 }
    }

    /// Presses a key; some of its packets arrive.
    pub(super) fn press(&mut self, key: char, arrives: Arrives) {
        let code = KEYS.find(key).unwrap() as u8;
        let payload = |end: bool, duration: u16| {
            let [high, low] = duration.to_be_bytes();
            [code, if end { 0x8a } else { 10 }, high, low]
        };
        let down = [160, 320, 480].map(|duration| payload(false, duration));
        let ends = [payload(true, 640); 3];
        let packets: Vec<[u8; 4]> = match arrives {
            Arrives::All => down.into_iter().chain(ends).collect(),
            Arrives::First => vec![down[0]],
            Arrives::Last => vec![ends[2]],
        };
        for packet in packets {
            self.send(EVENT, &packet);
        }
        self.timestamp = self.timestamp.wrapping_add(1_600);
    }

    /// Sends the two tones of each key for 100 ms, and a pause as long.
    pub(super) fn sound(&mut self, keys: &str) {
        let start = Instant::now();
        let mut frames = 0;
        for key in keys.chars() {
            let place = "123A456B789C*0#D".find(key).unwrap();
            let low = [697.0, 770.0, 852.0, 941.0][place / 4];
            let high = [1209.0, 1336.0, 1477.0][place % 4];
            for frame in 0..10 {
                let sample = |at: u32| {
                    let time = f64::from(at) * TAU / 8_000.0;
                    ((low * time).sin() + (high * time).sin()) * 5_000.0
                };
                let first = frame * 160;
                let is_tone = frame < 5;
                let sound: Vec<u8> = (first..first + 160)
                    .map(|at| if is_tone { mu_law(sample(at)) } else { 0xff })
                    .collect();
                self.send(0, &sound);
                self.timestamp = self.timestamp.wrapping_add(160);
                frames += 1;
                sleep((FRAME * frames).saturating_sub(start.elapsed()));
            }
        }
    }

    /// Sends what is no packet of the call: nothing, noise, and packets that are cut off.
    pub(super) fn send_malformed(&self) {
        let cut_off = [0xbf, EVENT, 0, 0];
        for packet in [&[][..], &[0xff; 1_500], &cut_off, b"BYE sip:callerid SIP/2.0"] {
            self.socket.send_to(packet, self.line).unwrap();
        }
    }

    /// The next packet.
    pub(super) fn hear(&self) -> Heard {
        let mut packet = vec![0; 2_000];
        let length = self.socket.recv(&mut packet).unwrap();
        packet.truncate(length);
        Heard(packet)
    }

    /// Whether nothing is sent any more. What has been sent before is read first.
    pub(super) fn has_ended(&self) -> bool {
        self.socket.set_read_timeout(Some(10 * FRAME)).unwrap();
        let begun = Instant::now();
        while self.socket.recv(&mut [0; 2_000]).is_ok() {
            if begun.elapsed() > PATIENCE {
                return false;
            }
        }
        true
    }

    fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut packet = vec![0x80, kind];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(99_u32.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send_to(&packet, self.line).unwrap();
    }
}

/// A packet of the line, without extensions.
pub(super) struct Heard(Vec<u8>);

impl Heard {
    fn kind(&self) -> u8 {
        self.0[1] & 0x7f
    }

    /// Whether it has sound that is not silence.
    pub(super) fn is_speech(&self) -> bool {
        let silence = if self.kind() == 0 { 0xff } else { 0xd5 };
        self.kind() != EVENT && self.0[12..].iter().any(|byte| *byte != silence)
    }

    /// The key that it tells of, with its timestamp, which all packets of a key share.
    pub(super) fn key(&self) -> Option<(u32, char)> {
        let timestamp = u32::from_be_bytes(self.0[4..8].try_into().unwrap());
        let key = || KEYS.chars().nth(self.0[12].into()).unwrap();
        (self.kind() == EVENT).then(|| (timestamp, key()))
    }
}

fn mu_law(sample: f64) -> u8 {
    let magnitude = (sample.abs() as u32).min(32_635) + 0x84;
    let segment = magnitude.ilog2() - 7;
    let step = (magnitude >> (segment + 3)) & 0x0f;
    !((u8::from(sample < 0.0) << 7) | (segment << 4) as u8 | step as u8)
}

/// A phone that answers by itself.
pub(super) struct Baresip {
    child: Child,
    control: u16,
    pub(super) port: u16,
    folder: TempDir,
}

impl Baresip {
    /// The phone with this number.
    pub(super) fn start(number: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, control) = (free_port(), free_port());
        let modules = ["g711", "aufile", "account", "menu", "ctrl_tcp"];
        let modules = modules.map(|name| format!("module_app {name}.so\n")).concat();
        let modules = modules
            .replace("module_app g711", "module g711")
            .replace("module_app aufile", "module aufile");
        let config = format!(
            "sip_listen 127.0.0.1:{port}\nmodule_path /usr/lib/baresip/modules\n{modules}\
             audio_source aufile,{sound}\naudio_player aufile,/dev/null\n\
             ctrl_tcp_listen 127.0.0.1:{control}\nrtp_ports {first}-{last}\n",
            sound = silence(folder.path()).display(),
            first = free_port(),
            last = free_port() + 1,
        );
        fs::write(folder.path().join("config"), config).unwrap();
        let account = format!("<sip:+1{number}@127.0.0.1>;regint=0;answermode=auto\n");
        fs::write(folder.path().join("accounts"), account).unwrap();
        let output = fs::File::create(folder.path().join("output")).unwrap();
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path()).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let child = spawn(&mut command, "baresip");
        wait_until("baresip listens", || TcpStream::connect(("127.0.0.1", control)).is_ok());
        Self { child, control, port, folder }
    }

    /// Presses keys.
    pub(super) fn press(&self, keys: &str) {
        self.command("sndcode", keys);
    }

    fn command(&self, command: &str, parameters: &str) {
        let mut control = TcpStream::connect(("127.0.0.1", self.control)).unwrap();
        control.set_read_timeout(Some(PATIENCE)).unwrap();
        let json = format!(r#"{{"command":"{command}","params":"{parameters}"}}"#);
        write!(control, "{}:{json},", json.len()).unwrap();
        let mut answer = String::new();
        while !answer.contains(r#""response":true"#) {
            let mut part = [0; 1_000];
            let length = control.read(&mut part).unwrap();
            assert_ne!(length, 0, "{}", self.output());
            answer.push_str(&String::from_utf8_lossy(&part[..length]));
        }
        assert!(answer.contains(r#""ok":true"#), "{answer}\n{}", self.output());
    }

    fn output(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap()
    }
}

/// A file with half a minute of silence: a microphone.
fn silence(folder: &Path) -> PathBuf {
    let samples = 30 * 8_000_u32;
    let mut wave = b"RIFF".to_vec();
    wave.extend((36 + 2 * samples).to_le_bytes());
    // PCM, one channel, 8 kHz, 16 bits.
    wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend(8_000_u32.to_le_bytes());
    wave.extend(16_000_u32.to_le_bytes());
    wave.extend(b"\x02\0\x10\0data");
    wave.extend((2 * samples).to_le_bytes());
    wave.resize(wave.len() + 2 * samples as usize, 0);
    let path = folder.join("silence.wav");
    fs::write(&path, wave).unwrap();
    path
}

impl Drop for Baresip {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
