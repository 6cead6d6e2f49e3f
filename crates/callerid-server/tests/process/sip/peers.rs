//! The other sides of SIP calls: sipp, kamailio and baresip, started for one test each.

use std::fmt::Write as _;
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::PATIENCE;

/// Every test has ports of its own, below those that the system chooses.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody has, for SIP over UDP and TCP, and for sound.
pub(super) fn free_port() -> u16 {
    loop {
        let start = (std::process::id() % 400) as u16 * 20;
        let port = 20_000 + (start + 2 * NEXT_PORT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let is_free = |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 1) {
            return port;
        }
    }
}

/// Whether a process listens on this UDP port.
fn is_bound(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/udp").unwrap();
    sockets.contains(&format!("0100007F:{port:04X} 00000000:0000"))
}

pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Starts one of Debian's programs.
pub(super) fn spawn(command: &mut Command, package: &str) -> Child {
    let program = command.get_program().to_owned();
    command.spawn().unwrap_or_else(|error| {
        panic!(
            "{}: {error}. The tests of the phone line need Debian's {package}: \
             apt-get install --no-install-recommends sip-tester kamailio kamailio-tls-modules baresip",
            program.display()
        )
    })
}

/// One step of what a callee does: an element of sipp's scenarios.
#[derive(Clone)]
pub(super) struct Step(String);

/// Expects a request.
pub(super) fn receive(method: &str) -> Step {
    if method != "INVITE" {
        return Step(format!("<recv request=\"{method}\"/>"));
    }
    // Kept for requests of the callee's own.
    let keep = |header: &str, variable: &str| {
        format!(
            "<ereg regexp=\".*\" search_in=\"hdr\" header=\"{header}:\" assign_to=\"{variable}\"/>"
        )
    };
    let (from, to) = (keep("From", "from"), keep("To", "to"));
    Step(format!("<recv request=\"INVITE\" rrs=\"true\"><action>{from}{to}</action></recv>"))
}

/// Sends a message of these lines.
fn send(lines: &[&str], body: &str) -> Step {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let length = if body.is_empty() { "Content-Length: 0" } else { "Content-Length: [len]" };
    Step(format!("<send><![CDATA[\n{lines}{length}\n\n{body}]]></send>"))
}

fn response(status: u16, to: &str, cseq: &str, more: &[&str], body: &str) -> Step {
    let status = format!("SIP/2.0 {status} -");
    let mut lines = vec![&*status, "[last_Via:]", "[last_Record-Route:]", "[last_From:]", to];
    lines.extend(["[last_Call-ID:]", cseq]);
    lines.extend(["Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>"]);
    lines.extend(more);
    send(&lines, body)
}

const TO_WITH_TAG: &str = "[last_To:];tag=callee-[call_number]";

/// Answers the last request, which began a dialog.
pub(super) fn reply(status: u16) -> Step {
    reply_with(status, &[])
}

/// The same, with more headers.
pub(super) fn reply_with(status: u16, headers: &[&str]) -> Step {
    response(status, TO_WITH_TAG, "[last_CSeq:]", headers, "")
}

/// Answers a request within a dialog.
pub(super) fn reply_in_dialog(status: u16) -> Step {
    response(status, "[last_To:]", "[last_CSeq:]", &[], "")
}

/// Answers the INVITE with sound at this port.
pub(super) fn reply_with_sound(status: u16, port: u16) -> Step {
    reply_with_sdp(status, &sdp(port, "0 101"))
}

pub(super) fn sdp(port: u16, formats: &str) -> String {
    format!(
        "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m=audio {port} RTP/AVP {formats}\na=rtpmap:0 PCMU/8000\n\
         a=rtpmap:101 telephone-event/8000\n"
    )
}

pub(super) fn reply_with_sdp(status: u16, sdp: &str) -> Step {
    let kind = "Content-Type: application/sdp";
    response(status, TO_WITH_TAG, "[last_CSeq:]", &[kind], sdp)
}

/// Answers the INVITE with sound although its CANCEL was the last request.
pub(super) fn reply_to_cancelled_invite(status: u16, port: u16) -> Step {
    let kind = "Content-Type: application/sdp";
    let sdp = if status == 200 { sdp(port, "0 101") } else { String::new() };
    let more: &[&str] = if status == 200 { &[kind] } else { &[] };
    response(status, TO_WITH_TAG, "CSeq: 1 INVITE", more, &sdp)
}

/// Asks for a password, as a callee (401) or a proxy (407) does.
pub(super) fn challenge(status: u16) -> Step {
    let header = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let realm = format!("{header}: Digest realm=\"test\", nonce=\"0badc0de\", algorithm=MD5");
    reply_with(status, &[&realm])
}

/// Expects an INVITE with this password, does this if it is right, and answers 403 otherwise.
pub(super) fn receive_password(user: &str, password: &str, then: &[Step]) -> Step {
    let keep = receive("INVITE").0.replace("rrs=", "auth=\"true\" rrs=");
    let verify = format!(
        "<verifyauth assign_to=\"is_right\" username=\"{user}\" password=\"{password}\"/></action>"
    );
    let receive = keep.replace("</action>", &verify);
    let wrong = [reply(403), self::receive("ACK")].map(|step| step.0).concat();
    let right: String = then.iter().map(|step| step.0.as_str()).collect();
    Step(format!(
        "{receive}<nop test=\"is_right\" next=\"right\"/>{wrong}<nop next=\"done\"/>\
         <label id=\"right\"/>{right}<label id=\"done\"/>"
    ))
}

pub(super) fn wait(milliseconds: u64) -> Step {
    Step(format!("<pause milliseconds=\"{milliseconds}\"/>"))
}

/// Sends a request within the dialog that the last INVITE began, and expects this response. Each
/// one needs a higher number.
pub(super) fn request(
    method: &str,
    number: u32,
    content: Option<(&str, &str)>,
    expected: u16,
) -> Step {
    let request_line = format!("{method} [next_url] SIP/2.0");
    let sequence = format!("CSeq: {number} {method}");
    let kind = content.map(|(kind, _)| format!("Content-Type: {kind}"));
    let mut lines = vec![
        &*request_line,
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "[routes]",
        "From:[$to];tag=callee-[call_number]",
        "To:[$from]",
        "Call-ID: [call_id]",
        &sequence,
        "Max-Forwards: 70",
        "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>",
    ];
    lines.extend(kind.as_deref());
    let body = content.map_or("", |(_, body)| body);
    let Step(send) = send(&lines, body);
    let retransmitted = send.replace("<send>", "<send retrans=\"500\">");
    Step(format!("{retransmitted}<recv response=\"{expected}\"/>"))
}

/// Presses keys, by SIP INFO.
pub(super) fn press_by_info(keys: &str) -> Vec<Step> {
    let press = |(number, key): (u32, char)| {
        let body = format!("Signal={key}\nDuration=160\n");
        request("INFO", number, Some(("application/dtmf-relay", &body)), 200)
    };
    (1..).zip(keys.chars()).map(press).collect()
}

/// A callee, or a trunk that is one: sipp.
pub(super) struct Callee {
    child: Child,
    folder: TempDir,
    pub(super) port: u16,
}

impl Callee {
    /// Waits for one call, which does these steps.
    pub(super) fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::start_at(free_port(), 1, &[], steps)
    }

    /// Waits for so many calls at this port.
    pub(super) fn start_at(
        port: u16,
        calls: u32,
        options: &[&str],
        steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut scenario = String::from("<?xml version=\"1.0\"?>\n<scenario name=\"callee\">");
        steps.into_iter().for_each(|Step(step)| scenario.push_str(&step));
        // sipp refuses variables that are never read.
        let mut read = String::from("from,to");
        if scenario.contains("is_right") {
            read.push_str(",is_right");
        }
        write!(scenario, "<nop><action><log message=\"done\"/></action></nop>").unwrap();
        write!(scenario, "<Reference variables=\"{read}\"/></scenario>").unwrap();
        let path = folder.path().join("scenario.xml");
        fs::write(&path, scenario).unwrap();
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(&path).args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        command.args(["-m", &calls.to_string(), "-nostdin", "-nd", "-deadcall_wait", "0"]);
        command.args(["-recv_timeout", "20000", "-timeout", "60", "-timeout_error"]);
        command.args(["-trace_msg", "-message_file"]).arg(folder.path().join("messages"));
        command.args(["-trace_err", "-error_file"]).arg(folder.path().join("errors"));
        command.args(options).current_dir(folder.path());
        let output = fs::File::create(folder.path().join("output")).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = spawn(&mut command, "sip-tester");
        let mut callee = Self { child, folder, port };
        wait_until("sipp listens", || {
            let ended = callee.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", callee.file("output"));
            is_bound(port)
        });
        callee
    }

    /// Its address as a trunk.
    pub(super) fn trunk(&self) -> String {
        format!("sip:127.0.0.1:{}", self.port)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// The messages so far.
    pub(super) fn messages(&self) -> Vec<Message> {
        Message::parse_all(&self.file("messages"))
    }

    /// Waits until the calls are over, which must have been as expected. Returns what was received
    /// and, after `>`, sent; retransmissions once.
    #[track_caller]
    pub(super) fn expect_done(mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "no end of the call: {}", self.told());
            thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.told());
        summary(&self.messages())
    }

    fn told(&self) -> String {
        format!("{}\n{}\n{}", summary(&self.messages()), self.file("errors"), self.file("messages"))
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

/// A SIP message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) is_sent: bool,
    pub(super) text: String,
}

impl Message {
    /// The messages in sipp's log.
    fn parse_all(log: &str) -> Vec<Self> {
        let mut messages = Vec::new();
        for part in log.split("-----------------------------------------------").skip(1) {
            let mut lines = part.lines().skip(1);
            let Some(head) = lines.next() else { continue };
            let text: Vec<_> = lines.skip(1).collect();
            if !text.is_empty() {
                let is_sent = head.contains("message sent");
                messages.push(Self { is_sent, text: text.join("\n") });
            }
        }
        messages
    }

    /// The method of a request, or the status of a response.
    pub(super) fn kind(&self) -> &str {
        let mut words = self.text.split_whitespace();
        match words.next().unwrap_or_default() {
            "SIP/2.0" => words.next().unwrap_or_default(),
            method => method,
        }
    }

    /// The first header with this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.lines().skip(1).take_while(|line| !line.is_empty());
        lines.find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What was received and sent, without retransmissions.
pub(super) fn summary(messages: &[Message]) -> String {
    let mut seen: Vec<(bool, &str, Option<&str>, Option<&str>)> = Vec::new();
    let mut words = Vec::new();
    for message in messages {
        let key =
            (message.is_sent, message.kind(), message.header("CSeq"), message.header("Call-ID"));
        if !seen.contains(&key) {
            seen.push(key);
            let direction = if message.is_sent { ">" } else { "" };
            words.push(format!("{direction}{}", message.kind()));
        }
    }
    words.join(" ")
}

/// A proxy that stays in the way of calls, and asks for a password: kamailio.
pub(super) struct Proxy {
    child: Child,
    _folder: TempDir,
    pub(super) port: u16,
}

/// What the proxy asks for.
pub(super) const PROXY_PASSWORD: &str = "a long secret";

impl Proxy {
    /// A proxy at this port, before a callee at that one. `certificate` lets it listen for TLS, at
    /// the next port.
    pub(super) fn start(port: u16, callee: u16, certificate: Option<(&Path, &Path)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("kamailio.cfg");
        let mut text = String::from("log_stderror=yes\nchildren=1\nauto_aliases=no\n");
        writeln!(text, "listen=udp:127.0.0.1:{port}\nlisten=tcp:127.0.0.1:{port}").unwrap();
        if certificate.is_some() {
            writeln!(text, "enable_tls=yes\nlisten=tls:127.0.0.1:{}", port + 1).unwrap();
        }
        let modules =
            ["tm", "sl", "rr", "pv", "siputils", "textops", "auth", "usrloc", "registrar"];
        for module in modules.into_iter().chain(certificate.is_some().then_some("tls")) {
            writeln!(text, "loadmodule \"{module}.so\"").unwrap();
        }
        if let Some((certificate, key)) = certificate {
            let (certificate, key) = (certificate.display(), key.display());
            writeln!(text, "modparam(\"tls\", \"tls_method\", \"TLSv1.2+\")").unwrap();
            writeln!(text, "modparam(\"tls\", \"certificate\", \"{certificate}\")").unwrap();
            writeln!(text, "modparam(\"tls\", \"private_key\", \"{key}\")").unwrap();
        }
        let route = include_str!("proxy.cfg").replace("PASSWORD", PROXY_PASSWORD);
        text.push_str(&route.replace("CALLEE", &callee.to_string()));
        fs::write(&config, text).unwrap();
        let mut command = Command::new("kamailio");
        // Debian's package puts it where only root's PATH leads.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        command.args(["-DD", "-E", "-m", "16", "-M", "4", "-f"]).arg(&config);
        command.arg("-Y").arg(folder.path()).arg("-w").arg(folder.path());
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = spawn(&mut command, "kamailio");
        let mut proxy = Self { child, _folder: folder, port };
        let log = proxy._folder.path().join("log");
        wait_until("kamailio listens", || {
            let told = || fs::read_to_string(&log).unwrap_or_default();
            assert!(proxy.child.try_wait().unwrap().is_none(), "{}", told());
            is_bound(port) && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        proxy
    }
}

impl Proxy {
    /// Its address as a trunk, over this transport.
    pub(super) fn trunk(&self, transport: &str) -> String {
        match transport {
            // As its certificate has it.
            "tls" => format!("sip:alice@localhost:{};transport=tls", self.port + 1),
            _ => format!("sip:alice@127.0.0.1:{};transport={transport}", self.port),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its own children end with it only if it is asked to stop.
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
        self.child.wait().unwrap();
    }
}

/// Somebody who never stops sending sound, back to where it comes from.
pub(super) struct Noise {
    packets: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Noise {
    pub(super) fn at(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let (packets, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (received, stop) = (Arc::clone(&packets), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut peer = None;
            let mut packet = [0; 2000];
            while !stop.load(Ordering::Relaxed) {
                if let Ok((length, from)) = socket.recv_from(&mut packet) {
                    received.fetch_add(1, Ordering::Relaxed);
                    peer = Some((from, packet[..length].to_vec()));
                }
                if let Some((peer, sound)) = &peer {
                    socket.send_to(sound, peer).unwrap_or_default();
                }
            }
        });
        Self { packets, is_over, thread: Some(thread) }
    }

    /// How many packets it has received.
    pub(super) fn packets(&self) -> usize {
        self.packets.load(Ordering::Relaxed)
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}
