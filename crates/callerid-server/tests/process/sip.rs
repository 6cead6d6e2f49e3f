//! The phone line over SIP, with real peers on loopback: sipp, kamailio and baresip. They are
//! Debian's, and must be installed.

mod peers;
mod phone;

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{self, Server, run};
use crate::probes;
use crate::tls::{CERTIFICATE, KEY, write_pem};
use peers::{
    Callee, Message, Noise, PROXY_PASSWORD, Proxy, challenge, free_port, press_by_info, receive,
    receive_password, reply, reply_in_dialog, reply_to_cancelled_invite, reply_with,
    reply_with_sdp, reply_with_sound, request, sdp, summary, wait, wait_until,
};
use phone::{Arrives, Baresip, Sound};

const NUMBER: &str = "4158675309";
const CALLER: &str = "2125550100";

/// A server whose line has these trunks.
struct Phones {
    server: Server,
    _data: TempDir,
}

impl Phones {
    fn over(trunk: &str, options: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::launch(serve(&data, trunk, options).arg("--sip-no-options"));
        Self { server, _data: data }
    }

    /// Asks for a call. Returns its code.
    fn call(&self, number: &str) -> String {
        self.server.create(&format!("PhoneNumber={number}"))
    }

    /// Waits until the newest call has this status.
    #[track_caller]
    fn expect(&self, status: &str) -> Value {
        let deadline = Instant::now() + harness::PATIENCE;
        loop {
            let call = self.server.newest_call();
            if call["status"] == status {
                return call;
            }
            assert!(Instant::now() < deadline, "it is not {status}: {call}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A server's command with these trunks.
fn serve(data: &TempDir, trunk: &str, options: &[&str]) -> Command {
    let mut command = harness::serve(data.path());
    command.args(["--sip-trunk", trunk, "--sip-caller", CALLER, "--log", "debug"]).args(options);
    command.env("CALLERID_SIP_BIND", "127.0.0.1:0").args(UNLIMITED);
    command
}

/// Tests call the same numbers again and again, at night as well.
const UNLIMITED: [&str; 11] = [
    "--any-hour",
    "--line-number-rate=100000/1m",
    "--line-number-calls-a-day=1000",
    "--line-account-rate=100000/1m",
    "--line-account-calls-a-day=100000",
    "--line-live-calls-per-account=1000",
    "--line-live-calls=1000",
    "--line-calls-a-day=100000",
    "--line-wrong-codes-per-number=1000",
    "--line-live-calls-per-number=100",
    "--max-calls-per-account=1000",
];

/// What the page and programs see of a call that has ended.
fn end(call: &Value) -> (&str, &str, Option<&str>) {
    let text = |name: &str| call[name].as_str();
    (text("status").unwrap(), text("verification_status").unwrap(), text("failure"))
}

/// The first request with this method that the callee received.
fn received(callee: &Callee, method: &str) -> Message {
    let mut received = callee.messages().into_iter().filter(|message| !message.is_sent);
    received.find(|message| message.kind() == method).unwrap()
}

#[test]
fn a_callee_who_answers_and_hangs_up_has_completed_the_call() {
    let callee = Callee::start([
        receive("INVITE"),
        reply(180),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        request("BYE", 1, None, 200),
    ]);
    let phones = Phones::over(&callee.trunk(), &[]);
    phones.call(NUMBER);
    let call = phones.expect("completed");
    assert_eq!((end(&call), &call["caller"]), (("completed", "failed", None), &CALLER.into()));
    phones.server.expect_written("Calls are made within these limits");
    let invite = received(&callee, "INVITE");
    let port = callee.port;
    assert!(invite.text.starts_with(&format!("INVITE sip:+1{NUMBER}@127.0.0.1:{port} SIP/2.0\n")));
    let from = format!("<sip:+1{CALLER}@127.0.0.1:{port}>;tag=");
    assert!(invite.header("From").unwrap().starts_with(&from), "{}", invite.text);
    let call_id = format!("{}-0@callerid", call["call_sid"].as_str().unwrap());
    assert_eq!(invite.header("Call-ID"), Some(&*call_id));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK >BYE 200");
}

#[test]
fn the_right_code_by_info_validates_the_number_and_the_callee_hears_it_before_the_bye() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let trunk = format!("sip:127.0.0.1:{port}");
    let server = Server::launch(serve(&data, &trunk, &[]).arg("--sip-no-options"));
    // Due in a second, by when a callee who knows the code is there.
    let code = server.create(&format!("PhoneNumber={NUMBER}&CallDelay=1"));
    let answer = [
        receive("INVITE"),
        reply(180),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        wait(100),
    ];
    let goodbye = [receive("BYE"), reply_in_dialog(200)];
    let steps = answer.into_iter().chain(press_by_info(&code)).chain(goodbye);
    let callee = Callee::start_at(port, 1, &[], steps);
    let done = callee.expect_done();
    let pressed = ">INFO 200 ".repeat(6);
    assert_eq!(done, format!("INVITE >180 >200 ACK {pressed}BYE >200"));
    let phones = Phones { server, _data: data };
    assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
    assert!(!phones.server.written().contains(&code), "{}", phones.server.written());
}

#[test]
fn a_code_counts_though_the_callee_hangs_up_right_after_its_last_key() {
    let (data, port) = (tempfile::tempdir().unwrap(), free_port());
    let trunk = format!("sip:127.0.0.1:{port}");
    let options = ["--sip-no-options", "--sip-calls-per-second=100"];
    let phones =
        Phones { server: Server::launch(&mut serve(&data, &trunk, &options)), _data: data };
    for number in 4_158_675_300_u64..4_158_675_310 {
        let code = phones.server.create(&format!("PhoneNumber={number}&CallDelay=1"));
        let answer = [receive("INVITE"), reply_with_sound(200, free_port()), receive("ACK")];
        let answer = answer.into_iter().chain([wait(100)]).chain(press_by_info(&code));
        let callee = Callee::start_at(port, 1, &[], answer.chain([request("BYE", 7, None, 200)]));
        assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
        callee.expect_done();
    }
}

#[test]
fn every_refusal_is_reported_as_what_the_phone_did() {
    let trunk = free_port();
    let phones = Phones::over(&format!("sip:127.0.0.1:{trunk}"), &["--sip-calls-per-second=100"]);
    let cases = [
        (486, "busy", None),
        (600, "busy", None),
        (603, "busy", None),
        (480, "no-answer", None),
        (408, "no-answer", None),
        (404, "failed", Some("no-such-number")),
        (484, "failed", Some("no-such-number")),
        (604, "failed", Some("no-such-number")),
        (302, "failed", Some("refused")),
        (403, "failed", Some("refused")),
        (488, "failed", Some("refused")),
        (503, "failed", Some("no-trunk")),
    ];
    for (number, (code, status, failure)) in (4_158_675_300_u64..).zip(cases) {
        let steps =
            [receive("INVITE"), reply_with(code, &["Contact: <sip:x@192.0.2.1>"]), receive("ACK")];
        let callee = Callee::start_at(trunk, 1, &[], steps);
        phones.call(&number.to_string());
        assert_eq!(end(&phones.expect(status)), (status, "failed", failure), "{code}");
        assert_eq!(callee.expect_done(), format!("INVITE >{code} ACK"));
    }
}

#[test]
fn early_media_is_ignored_before_an_answer_and_before_a_refusal() {
    let sound = free_port();
    let early = || [receive("INVITE"), reply(100), reply_with_sound(183, sound), wait(200)];
    let refused = [reply(404), receive("ACK")];
    let callee = Callee::start(early().into_iter().chain(refused));
    let phones = Phones::over(&callee.trunk(), &["--sip-calls-per-second=100"]);
    phones.call(NUMBER);
    let failed = ("failed", "failed", Some("no-such-number"));
    assert_eq!(end(&phones.expect("failed")), failed);
    let port = callee.port;
    assert_eq!(callee.expect_done(), "INVITE >100 >183 >404 ACK");
    let answered =
        [reply(180), reply_with_sound(200, sound), receive("ACK"), request("BYE", 1, None, 200)];
    let callee = Callee::start_at(port, 1, &[], early().into_iter().chain(answered));
    phones.call(NUMBER);
    phones.expect("completed");
    assert_eq!(callee.expect_done(), "INVITE >100 >183 >180 >200 ACK >BYE 200");
}

#[test]
fn a_phone_that_nobody_answers_stops_ringing() {
    let callee = Callee::start([
        receive("INVITE"),
        reply(180),
        receive("CANCEL"),
        reply_in_dialog(200),
        reply_to_cancelled_invite(487, 0),
        receive("ACK"),
    ]);
    let phones = Phones::over(&callee.trunk(), &["--sip-ring=1"]);
    phones.call(NUMBER);
    assert_eq!(end(&phones.expect("no-answer")), ("no-answer", "failed", None));
    assert_eq!(callee.expect_done(), "INVITE >180 CANCEL >200 >487 ACK");
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let callee = Callee::start([
        receive("INVITE"),
        reply(180),
        receive("CANCEL"),
        reply_to_cancelled_invite(200, free_port()),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ]);
    let phones = Phones::over(&callee.trunk(), &["--sip-ring=1"]);
    phones.call(NUMBER);
    assert_eq!(end(&phones.expect("no-answer")), ("no-answer", "failed", None));
    assert_eq!(callee.expect_done(), "INVITE >180 CANCEL >200 ACK BYE >200");
}

#[test]
fn a_new_request_for_a_number_cancels_the_call_that_rings() {
    let callee = Callee::start([
        receive("INVITE"),
        reply(180),
        receive("CANCEL"),
        reply_in_dialog(200),
        reply_to_cancelled_invite(487, 0),
        receive("ACK"),
    ]);
    let phones = Phones::over(&callee.trunk(), &[]);
    phones.call(NUMBER);
    wait_until("the phone rings", || summary(&callee.messages()) == "INVITE >180");
    phones.server.create(&format!("PhoneNumber={NUMBER}&CallDelay=50"));
    assert_eq!(callee.expect_done(), "INVITE >180 CANCEL >200 >487 ACK");
    let calls = phones.server.get("/_callerid/calls").expect(200).json();
    assert_eq!(calls["calls"][1]["status"], "canceled");
}

#[test]
fn a_call_that_takes_too_long_is_ended_whatever_the_callee_does() {
    let sound = free_port();
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, sound),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ]);
    let noise = Noise::at(sound);
    let phones = Phones::over(&callee.trunk(), &["--sip-longest-call=2"]);
    phones.call(NUMBER);
    assert_eq!(end(&phones.expect("completed")), ("completed", "failed", None));
    assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");
    assert!(noise.packets() > 0, "the server has not spoken");
}

#[test]
fn a_call_that_hears_nothing_any_more_has_lost_its_sound() {
    let (sip, port) = (free_port(), free_port());
    let options = ["--sip-silence=1", "--sip-calls-per-second=100"];
    let phones = Phones::over(&format!("sip:127.0.0.1:{sip}"), &options);
    let answer = || {
        let answer = [receive("INVITE"), reply_with_sound(200, port), receive("ACK")];
        Callee::start_at(
            sip,
            1,
            &[],
            answer.into_iter().chain([receive("BYE"), reply_in_dialog(200)]),
        )
    };
    let lost = ("failed", "failed", Some("media-lost"));

    // One that never sends any.
    let callee = answer();
    phones.call(NUMBER);
    assert_eq!(end(&phones.expect("failed")), lost);
    assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");

    // One that is silent after two seconds, which is longer than the call may hear nothing.
    let callee = answer();
    let socket = Sound::bind(port);
    phones.call("4158675310");
    Sound::begin(socket).sound("1234512345");
    let silent_since = Instant::now();
    assert_eq!(phones.server.newest_call()["status"], "in-progress");
    assert_eq!(end(&phones.expect("failed")), lost);
    assert!(silent_since.elapsed() > Duration::from_millis(800), "{:?}", silent_since.elapsed());
    assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");
}

#[test]
fn a_trunk_that_is_gone_in_a_call_ends_it_and_no_other() {
    let sip = free_port();
    let steps =
        [receive("INVITE"), reply_with_sound(200, free_port()), receive("ACK"), wait(60_000)];
    let callee = Callee::start_at(sip, 1, &[], steps);
    let options = ["--sip-silence=1", "--sip-calls-per-second=100"];
    let phones = Phones::over(&callee.trunk(), &options);
    phones.call(NUMBER);
    phones.expect("in-progress");
    drop(callee);
    assert_eq!(end(&phones.expect("failed")), ("failed", "failed", Some("media-lost")));
    phones.call("4158675310");
    assert_eq!(end(&phones.expect("failed")), ("failed", "failed", Some("no-trunk")));
}

#[test]
fn an_answer_without_usable_sound_is_ended() {
    let sip = free_port();
    let phones = Phones::over(&format!("sip:127.0.0.1:{sip}"), &["--sip-calls-per-second=100"]);
    let answers = [&*sdp(4000, "18 101"), "v=0\nm=audio 99999 RTP/AVP 0\n", "this is no SDP"];
    for (number, answer) in (4_158_675_300_u64..).zip(answers) {
        let steps = [
            receive("INVITE"),
            reply_with_sdp(200, answer),
            receive("ACK"),
            receive("BYE"),
            reply_in_dialog(200),
        ];
        let callee = Callee::start_at(sip, 1, &[], steps);
        phones.call(&number.to_string());
        let lost = ("failed", "failed", Some("media-lost"));
        assert_eq!(end(&phones.expect("failed")), lost, "{answer}");
        assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");
    }
}

#[test]
fn a_call_without_a_free_port_for_sound_fails_and_rings_nowhere() {
    let port = free_port();
    let taken = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        request("BYE", 1, None, 200),
    ]);
    let ports = format!("--rtp-ports={port}-{}", port + 1);
    let phones = Phones::over(&callee.trunk(), &[&ports, "--sip-calls-per-second=100"]);
    phones.call(NUMBER);
    assert_eq!(end(&phones.expect("failed")), ("failed", "failed", Some("media-lost")));
    assert!(callee.messages().is_empty(), "{}", summary(&callee.messages()));
    drop(taken);
    phones.call("4158675310");
    phones.expect("completed");
    assert!(received(&callee, "INVITE").text.contains(&format!("m=audio {port} RTP/AVP 0 8 101")));
    assert_eq!(callee.expect_done(), "INVITE >200 ACK >BYE 200");
}

#[test]
fn a_callee_can_ask_within_the_call_and_the_call_stays_as_it_is() {
    let sound = free_port();
    let sdp_type = "application/sdp";
    let moved = sdp(4000, "0");
    let same = sdp(sound, "0 101");
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, sound),
        receive("ACK"),
        request("OPTIONS", 1, None, 200),
        request("UPDATE", 2, None, 200),
        request("UPDATE", 3, Some((sdp_type, &same)), 200),
        request("UPDATE", 4, Some((sdp_type, &moved)), 488),
        request("INFO", 5, Some(("application/dtmf", "x")), 415),
        request("INFO", 6, None, 415),
        request("MESSAGE", 7, None, 405),
        request("BYE", 8, None, 200),
    ]);
    let phones = Phones::over(&callee.trunk(), &[]);
    phones.call(NUMBER);
    callee.expect_done();
    phones.expect("completed");
}

#[test]
fn strangers_are_answered_and_cannot_end_calls() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut command = serve(&data, "sip:127.0.0.1:9", &["--sip-no-options"]);
    let _server = Server::launch(command.arg(format!("--sip-bind=127.0.0.1:{port}")));
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_read_timeout(Some(harness::PATIENCE)).unwrap();
    stranger.connect(("127.0.0.1", port)).unwrap();
    let ours = stranger.local_addr().unwrap();
    let ask = |method: &str, tag: &str| {
        let request = format!(
            "{method} sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {ours};branch=z9hG4bK{method}{tag}\r\n\
             From: <sip:y@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>{tag}\r\nCall-ID: {method}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:y@{ours}>\r\nContent-Length: 0\r\n\r\n"
        );
        stranger.send(b"\xff\x00 this is no SIP").unwrap();
        stranger.send(request.as_bytes()).unwrap();
        let mut answer = [0; 2000];
        loop {
            let length = stranger.recv(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            if answer.contains(&format!("CSeq: 1 {method}")) && !answer.starts_with("SIP/2.0 1") {
                break answer.split(' ').nth(1).unwrap().to_owned();
            }
        }
    };
    assert_eq!(ask("OPTIONS", ""), "200");
    assert_eq!(ask("MESSAGE", ""), "405");
    assert_eq!(ask("INVITE", ""), "603");
    assert_eq!(ask("BYE", ";tag=2"), "481");
    assert_eq!(ask("INFO", ";tag=2"), "481");
}

#[test]
fn a_callee_or_a_proxy_that_asks_for_the_password_gets_it_once() {
    // sipp understands only the answer to a 401; kamailio asks with 407 below.
    let answered = [
        reply(180),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        request("BYE", 1, None, 200),
    ];
    let port = free_port();
    let trunk = format!("sip:alice@127.0.0.1:{port}");
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(&data, &trunk, &["--sip-no-options", "--sip-calls-per-second=100"]);
    let server = Server::launch(command.env("CALLERID_SIP_PASSWORD", "secret"));
    let phones = Phones { server, _data: data };
    let begin = || [receive("INVITE"), challenge(401), receive("ACK")].into_iter();

    let right = begin().chain([receive_password("alice", "secret", &answered)]);
    let callee = Callee::start_at(port, 1, &[], right);
    phones.call(NUMBER);
    phones.expect("completed");
    assert_eq!(callee.expect_done(), "INVITE >401 ACK INVITE >180 >200 ACK >BYE 200");

    let refused = ("failed", "failed", Some("refused"));
    let wrong = begin().chain([receive_password("alice", "another", &answered)]);
    let callee = Callee::start_at(port, 1, &[], wrong);
    phones.call("4158675310");
    assert_eq!(end(&phones.expect("failed")), refused);
    assert_eq!(callee.expect_done(), "INVITE >401 ACK INVITE >403 ACK");

    let callee = Callee::start_at(port, 1, &[], begin().chain(begin()));
    phones.call("4158675311");
    assert_eq!(end(&phones.expect("failed")), refused);
    assert_eq!(callee.expect_done(), "INVITE >401 ACK INVITE >401 ACK");
    assert!(!phones.server.written().contains("secret"), "{}", phones.server.written());
}

/// A callee behind a proxy that asks for a password with 407 and stays in the way of the call.
fn call_through_proxy(transport: &str, options: &[&str], certificate: Option<(&Path, &Path)>) {
    let (port, sound) = (free_port(), free_port());
    let answer = || {
        let first = [receive("INVITE"), reply(180), reply_with_sound(200, sound), receive("ACK")];
        first.into_iter()
    };
    let callee = Callee::start(answer().chain([request("BYE", 1, None, 200)]));
    let proxy = Proxy::start(port, callee.port, certificate);
    let data = tempfile::tempdir().unwrap();
    let trunk = proxy.trunk(transport);
    let mut command = serve(&data, &trunk, options);
    let server = Server::launch(command.env("CALLERID_SIP_PASSWORD", PROXY_PASSWORD));
    let phones = Phones { server, _data: data };
    phones.call(NUMBER);
    phones.expect("completed");
    let callee_port = callee.port;
    let invite = received(&callee, "INVITE");
    assert!(invite.header("Record-Route").is_some(), "{}", invite.text);
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK >BYE 200");

    // And a call that the server ends: its BYE takes the same way.
    let ended = answer().chain([receive("BYE"), reply_in_dialog(200)]);
    let callee = Callee::start_at(callee_port, 1, &[], ended);
    phones.call("4158675310");
    phones.expect("in-progress");
    let bye = "4158675310";
    phones.server.create(&format!("PhoneNumber={bye}&CallDelay=50"));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK BYE >200");
}

#[test]
fn a_call_through_a_proxy_that_asks_for_the_password_takes_its_route() {
    call_through_proxy("udp", &["--sip-calls-per-second=100"], None);
}

#[test]
fn a_call_through_a_proxy_over_tcp_takes_its_route() {
    call_through_proxy("tcp", &["--sip-calls-per-second=100"], None);
}

#[test]
fn a_call_through_a_proxy_over_tls_takes_its_route() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    write_pem(&certificate, "CERTIFICATE", CERTIFICATE);
    write_pem(&key, "PRIVATE KEY", KEY);
    let trusted = format!("--sip-ca={}", certificate.display());
    let options = &["--sip-calls-per-second=100", &trusted];
    call_through_proxy("tls", options, Some((&certificate, &key)));
}

#[test]
fn the_next_trunk_is_tried_if_one_is_silent_or_gone_or_refuses_for_itself() {
    let answer = || {
        Callee::start([
            receive("INVITE"),
            reply(180),
            reply_with_sound(200, free_port()),
            receive("ACK"),
            request("BYE", 1, None, 200),
        ])
    };
    let answered = "INVITE >180 >200 ACK >BYE 200";

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let second = answer();
    let address = silent.local_addr().unwrap();
    let phones = Phones::over(&format!("sip:{address},{}", second.trunk()), &[]);
    phones.call(NUMBER);
    let call = phones.expect("completed");
    assert_eq!(second.expect_done(), answered);
    assert_eq!(call["status"], "completed");
    phones.server.expect_written("no answer to INVITE");

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let second = answer();
    let trunks = format!("sip:{gone};transport=tcp,{}", second.trunk());
    let phones = Phones::over(&trunks, &[]);
    phones.call(NUMBER);
    phones.expect("completed");
    assert_eq!(second.expect_done(), answered);

    let first = Callee::start([receive("INVITE"), reply(100), reply(503), receive("ACK")]);
    let second = answer();
    let phones = Phones::over(&format!("{},{}", first.trunk(), second.trunk()), &[]);
    phones.call(NUMBER);
    phones.expect("completed");
    assert_eq!(first.expect_done(), "INVITE >100 >503 ACK");
    assert_eq!(second.expect_done(), answered);
}

#[test]
fn no_phone_rings_twice_for_one_call() {
    let first = Callee::start([receive("INVITE"), reply(180), reply(503), receive("ACK")]);
    let second = Callee::start([receive("INVITE"), reply(486), receive("ACK")]);
    let phones = Phones::over(&format!("{},{}", first.trunk(), second.trunk()), &[]);
    phones.call(NUMBER);
    let failed = ("failed", "failed", Some("no-trunk"));
    assert_eq!(end(&phones.expect("failed")), failed);
    assert_eq!(first.expect_done(), "INVITE >180 >503 ACK");
    assert!(second.messages().is_empty(), "{}", summary(&second.messages()));
}

#[test]
fn a_stop_ends_the_calls_that_ring_and_those_in_progress() {
    let sound = free_port();
    let talking = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, sound),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ]);
    let ringing = Callee::start([
        receive("INVITE"),
        reply(180),
        receive("CANCEL"),
        reply_in_dialog(200),
        reply_to_cancelled_invite(487, 0),
        receive("ACK"),
    ]);
    let data = tempfile::tempdir().unwrap();
    // The first trunk has had its call once the second one is asked.
    let trunk = talking.trunk();
    let server = Server::launch(serve(&data, &trunk, &[]).arg("--sip-no-options"));
    let phones = Phones { server, _data: data };
    phones.call(NUMBER);
    phones.expect("in-progress");
    let started = Instant::now();
    let (status, written) = phones.server.terminate();
    assert!(status.success() && started.elapsed() < Duration::from_secs(3), "{written}");
    assert_eq!(talking.expect_done(), "INVITE >200 ACK BYE >200");

    let trunk = ringing.trunk();
    let server = Server::launch(serve(&phones._data, &trunk, &[]).arg("--sip-no-options"));
    // The call that the last process had is over, and is not placed again.
    let phones = Phones { server, _data: phones._data };
    assert_eq!(end(&phones.expect("failed")), ("failed", "failed", Some("call-lost")));
    phones.call("4158675310");
    wait_until("the phone rings", || summary(&ringing.messages()) == "INVITE >180");
    let (status, written) = phones.server.terminate();
    assert!(status.success(), "{written}");
    assert_eq!(ringing.expect_done(), "INVITE >180 CANCEL >200 >487 ACK");
}

#[test]
fn calls_wait_for_a_trunk_and_readiness_says_that_none_answers() {
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        request("BYE", 1, None, 200),
    ]);
    let (data, port) = (tempfile::tempdir().unwrap(), free_port());
    let trunk = format!("sip:alice@127.0.0.1:{port}");
    let mut command = serve(&data, &trunk, &[]);
    let server = Server::launch(command.env("CALLERID_SIP_PASSWORD", PROXY_PASSWORD));
    let phones = Phones { server, _data: data };
    let ready = phones.server.get("/_callerid/ready").expect(503).json();
    assert_eq!(ready["message"], "Service unavailable: no trunk of the phone line answers");
    phones.call(NUMBER);
    let metrics = |line: &str| {
        let metrics = probes::metrics(&phones.server, "Host: localhost").expect(200);
        assert!(metrics.text().lines().any(|it| it == line), "{}", metrics.text());
    };
    metrics(&format!("callerid_trunk_reachable{{trunk=\"sip:127.0.0.1:{port}\"}} 0"));
    assert_eq!(phones.server.newest_call()["status"], "queued");
    let proxy = Proxy::start(port, callee.port, None);
    phones.expect("completed");
    assert_eq!(callee.expect_done(), "INVITE >200 ACK >BYE 200");
    wait_until("it is ready", || phones.server.get("/_callerid/ready").status() == 200);
    metrics(&format!("callerid_trunk_reachable{{trunk=\"sip:127.0.0.1:{port}\"}} 1"));
    metrics("callerid_line_calls_placed_total 1");
    metrics("callerid_line_calls_answered_total 1");
    drop(proxy);
}

#[test]
fn a_trunk_that_wants_registration_is_registered_with() {
    let proxy = Proxy::start(free_port(), 9, None);
    let trunk = proxy.trunk("udp");
    let start = |password: &str| {
        let data = tempfile::tempdir().unwrap();
        let mut command = serve(&data, &trunk, &["--sip-register"]);
        let server = Server::launch(command.env("CALLERID_SIP_PASSWORD", password));
        Phones { server, _data: data }
    };
    let phones = start(PROXY_PASSWORD);
    wait_until("it is ready", || phones.server.get("/_callerid/ready").status() == 200);
    let (status, written) = phones.server.terminate();
    assert!(status.success() && !written.contains(PROXY_PASSWORD), "{written}");
    let phones = start("wrong");
    phones.server.expect_written("the registration was refused: 401");
    phones.server.get("/_callerid/ready").expect(503);
}

#[test]
fn nobody_with_a_token_can_answer_a_real_phone() {
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ]);
    let phones = Phones::over(&callee.trunk(), &[]);
    let code = phones.call(NUMBER);
    let call = phones.expect("in-progress");
    let path = format!("/_callerid/calls/{}", call["call_sid"].as_str().unwrap());
    let digits = phones.server.post(&format!("{path}/digits"), &format!("Digits={code}"));
    digits.expect_exception(409);
    for action in ["answer", "hangup", "busy", "no-answer"] {
        phones.server.post(&format!("{path}/{action}"), "").expect_exception(409);
    }
    phones.expect("in-progress");
    phones.server.terminate();
    assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");
}

#[test]
fn wrong_options_are_refused_with_what_would_be_right() {
    let data = tempfile::tempdir().unwrap();
    let refused = |options: &[&str]| {
        let output = run(harness::serve(data.path()).args(options));
        assert!(!output.status.success(), "{options:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let trunk = "--sip-trunk=sip:alice@sip.example.com";
    let caller = "--sip-caller=+12125550100";
    let cases: &[(&[&str], &str)] = &[
        (&["--sip-trunk=sip:alice:secret@sip.example.com", caller], "CALLERID_SIP_PASSWORD"),
        (&["--sip-trunk=http://example.com", caller], "sip:user@sip.example.com;transport=tls"),
        (&["--sip-trunk=sip:example.com;transport=ws", caller], "transport is udp, tcp or tls"),
        (&[trunk], "--sip-trunk needs --sip-caller"),
        (&[trunk, "--sip-caller=+442071838750"], "--sip-caller"),
        (&[trunk, caller], "sip:sip.example.com has a user and no password"),
        (&[trunk, caller, "--sip-password-file=/nowhere"], "/nowhere: No such file"),
        (&[caller], "--sip-trunk <URI>"),
        (&["--sip-max-calls=5"], "--sip-trunk <URI>"),
        (&["--sip-trunk=sip:example.com", caller, "--sip-register"], "has no user to register"),
        (&["--sip-trunk=sip:example.com", caller, "--rtp-ports=80-90"], "ports from 1024"),
        (&["--sip-trunk=sip:example.com", caller, "--test"], "--test is for the virtual phone"),
        (&["--sip-trunk=sip:[::1", caller], "expected a SIP URI"),
        (&["--sip-trunk=sips:example.com", caller, "--sip-ca=/nowhere"], "/nowhere: No such file"),
        (
            &["--sip-trunk=sip:example.com", caller, "--audit-log=/dev/null"],
            "a real phone line needs it",
        ),
    ];
    for (options, expected) in cases {
        let error = refused(options);
        assert!(error.contains(expected), "{options:?}: {error}");
        assert!(!error.contains("secret") || error.contains("--sip-trunk <URI>"), "{error}");
    }
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bind = format!("--sip-bind={}", taken.local_addr().unwrap());
    let error = refused(&["--sip-trunk=sip:example.com", caller, &bind]);
    assert!(error.contains("--sip-bind takes another address"), "{error}");
}

/// A callee who answers and stays on the line, with its sound at this port.
fn listening(port: u16) -> Callee {
    Callee::start([
        receive("INVITE"),
        reply(180),
        reply_with_sound(200, port),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ])
}

/// Waits until the newest call has so many entries left.
#[track_caller]
fn expect_entries_left(phones: &Phones, entries: u8) -> Value {
    let deadline = Instant::now() + harness::PATIENCE;
    loop {
        let call = phones.server.newest_call();
        if call["entries_left"] == entries {
            return call;
        }
        assert!(Instant::now() < deadline, "{call}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_callee_who_hangs_up_in_the_middle_of_a_prompt_hears_no_more_of_it() {
    let port = free_port();
    let socket = Sound::bind(port);
    let answer = [receive("INVITE"), reply_with_sound(200, port), receive("ACK")];
    let hangs_up = [wait(1_000), request("BYE", 1, None, 200)];
    let callee = Callee::start(answer.into_iter().chain(hangs_up));
    let phones = Phones::over(&callee.trunk(), &[]);
    phones.call(NUMBER);
    let sound = Sound::begin(socket);
    while !sound.hear().is_speech() {}
    assert_eq!(end(&phones.expect("completed")), ("completed", "failed", None));
    assert_eq!(callee.expect_done(), "INVITE >200 ACK >BYE 200");
    assert!(sound.has_ended());
}

#[test]
fn an_extension_is_dialed_after_the_answer_and_only_then_the_person_is_there() {
    let port = free_port();
    let socket = Sound::bind(port);
    let a_law = sdp(port, "8 101");
    let callee = Callee::start([
        receive("INVITE"),
        reply_with_sdp(200, &a_law),
        receive("ACK"),
        receive("BYE"),
        reply_in_dialog(200),
    ]);
    let phones = Phones::over(&callee.trunk(), &[]);
    // The first version of the API has no extensions.
    let list = format!("{}.json", phones.server.list().replace("2008-08-01", "2010-04-01"));
    let form = format!("PhoneNumber=%2B1{NUMBER}&Extension=ww1144");
    let request = phones.server.post(&list, &form).expect(200).json();
    let code = request["validation_code"].as_str().unwrap();
    let mut sound = Sound::begin(socket);
    let begun = Instant::now();
    let mut keys: Vec<(u32, char)> = Vec::new();
    while phones.server.newest_call()["status"] == "ringing" {
        let heard = sound.hear();
        if let Some(key) = heard.key()
            && !keys.contains(&key)
        {
            // Each `w` is half a second.
            assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
            keys.push(key);
        }
    }
    assert_eq!(keys.iter().map(|(_, key)| key).collect::<String>(), "1144");
    while !sound.hear().is_speech() {}
    for key in code.chars() {
        sound.press(key, Arrives::All);
    }
    assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
    assert_eq!(callee.expect_done(), "INVITE >200 ACK BYE >200");
}

#[test]
fn keys_by_events_count_once_each_though_packets_are_lost_or_malformed_and_digits_repeat() {
    let port = free_port();
    let socket = Sound::bind(port);
    let callee = listening(port);
    let phones = Phones::over(&callee.trunk(), &[]);
    let code = phones.call(NUMBER);
    let mut sound = Sound::begin(socket);
    let wrong = if code == "112222" { "113333" } else { "112222" };
    let arrives = [Arrives::All, Arrives::First, Arrives::Last];
    sound.send_malformed();
    for (key, arrives) in wrong.chars().zip(arrives.into_iter().cycle()) {
        sound.press(key, arrives);
    }
    assert_eq!(expect_entries_left(&phones, 2)["digits_keyed"], 0);
    for key in code.chars() {
        sound.press(key, Arrives::All);
    }
    assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK BYE >200");
}

#[test]
fn keys_by_their_tones_validate_a_number() {
    let port = free_port();
    let socket = Sound::bind(port);
    let callee = listening(port);
    let phones = Phones::over(&callee.trunk(), &[]);
    let code = phones.call(NUMBER);
    Sound::begin(socket).sound(&code);
    assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK BYE >200");
}

#[test]
fn who_presses_9_and_pound_is_never_called_again() {
    let port = free_port();
    let socket = Sound::bind(port);
    let callee = listening(port);
    let phones = Phones::over(&callee.trunk(), &[]);
    phones.call(NUMBER);
    let mut sound = Sound::begin(socket);
    sound.press('9', Arrives::All);
    sound.press('#', Arrives::All);
    assert_eq!(end(&phones.expect("completed")), ("completed", "failed", None));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK BYE >200");
    let refused = phones.server.post(&phones.server.list(), &format!("PhoneNumber={NUMBER}"));
    assert!(refused.expect_exception(400).text().contains("21216"));
}

#[test]
fn baresip_answers_and_validates_its_number() {
    let phone = Baresip::start(NUMBER);
    let phones = Phones::over(&format!("sip:127.0.0.1:{}", phone.port), &[]);
    let code = phones.call(NUMBER);
    phones.expect("in-progress");
    phone.press(&code);
    assert_eq!(end(&phones.expect("completed")), ("completed", "success", None));
}

#[test]
fn a_stopped_line_ends_its_calls_and_places_none_until_it_is_started() {
    let callee = listening(free_port());
    let data = tempfile::tempdir().unwrap();
    let mut command = serve(&data, &callee.trunk(), &["--sip-no-options"]);
    let phones =
        Phones { server: Server::launch(&mut command), _data: tempfile::tempdir().unwrap() };
    phones.call(NUMBER);
    phones.expect("in-progress");
    let line = |action: &str| {
        harness::said(harness::callerid().args(["line", action, "--data"]).arg(data.path()))
    };
    line("stop");
    assert_eq!(end(&phones.expect("failed")), ("failed", "failed", Some("line-stopped")));
    assert_eq!(callee.expect_done(), "INVITE >180 >200 ACK BYE >200");
    let list = phones.server.list();
    let refused = phones.server.post(&list, "PhoneNumber=4158675310").expect_exception(503);
    assert!(refused.header("retry-after").is_some());
    line("start");
    phones.call("4158675310");
}

/// The Call-IDs of the invitations that a callee has received: one twice if its call was placed twice.
fn invited(callee: &Callee) -> Vec<String> {
    let messages = callee.messages().into_iter().filter(|message| !message.is_sent);
    let invites = messages.filter(|message| message.kind() == "INVITE");
    let header = |invite: &Message, name| invite.header(name).unwrap().to_owned();
    let mut calls: Vec<_> =
        invites.map(|invite| (header(&invite, "Call-ID"), header(&invite, "From"))).collect();
    // The same INVITE is sent again until it is answered. Another one has another tag.
    calls.sort();
    calls.dedup();
    calls.into_iter().map(|(call_id, _)| call_id).collect()
}

#[test]
fn a_server_killed_at_any_instant_places_no_call_twice_and_loses_none_that_was_due() {
    for round in 0..harness::repeats().max(4) {
        let steps = [receive("INVITE"), reply(180), wait(60_000)];
        let callee = Callee::start_at(free_port(), 20, &[], steps);
        let data = tempfile::tempdir().unwrap();
        let options = ["--sip-no-options", "--sip-max-calls=100", "--sip-calls-per-second=100"];
        let start = || Server::launch(&mut serve(&data, &callee.trunk(), &options));
        let server = start();
        for number in 0..8 {
            server.create(&format!("PhoneNumber=415867530{number}"));
        }
        std::thread::sleep(Duration::from_millis(7 * round));
        server.kill();
        let server = start();
        let calls = || server.get("/_callerid/calls").json()["calls"].as_array().unwrap().clone();
        // Those that had been placed, and perhaps dialed, are given up; the others ring now.
        wait_until("each call is lost or rings", || {
            let invited = invited(&callee);
            calls().iter().all(|call| {
                let call_id = format!("{}-0@callerid", call["call_sid"].as_str().unwrap());
                call["failure"] == "call-lost"
                    || call["status"] == "ringing" && invited.contains(&call_id)
            })
        });
        assert_eq!(calls().len(), 8);
        let invited = invited(&callee);
        let is_once = |pair: &[String]| pair[0] != pair[1];
        assert!(invited.windows(2).all(is_once), "a call was placed twice: {invited:?}");
    }
}

/// Waits until so many calls over a server's line are over. Returns its open files, and the most
/// memory that it ever had resident, in MB.
fn after_calls(server: &Server, calls: u32) -> (usize, u64) {
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        let metrics = probes::metrics(server, "Host: localhost").expect(200);
        let has = |line: String| metrics.text().lines().any(|it| it == line);
        if has("callerid_line_calls 0".to_owned())
            && has(format!("callerid_line_calls_answered_total {calls}"))
        {
            break;
        }
        assert!(Instant::now() < deadline, "{}", metrics.text());
        std::thread::sleep(Duration::from_millis(50));
    }
    let process = Path::new("/proc").join(server.pid().to_string());
    let files = std::fs::read_dir(process.join("fd")).unwrap().count();
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    (files, kilobytes / 1024)
}

#[test]
fn calls_leave_no_open_files_and_no_memory_behind() {
    // SIP keeps what it knows of a call for half a minute after it, so that what comes late is
    // recognized; then the allocator keeps that memory, or returns more or less of it. So what is
    // resident at rest tells little, but the most that ever was: once the first half of the rounds has
    // taken what a round needs, the second half needs no more.
    let (calls, rounds, pause) = match harness::soak() {
        Some(_) => (2_500, 4, Duration::from_secs(70)),
        None => (200, 2, Duration::ZERO),
    };
    let port = free_port();
    let steps = [
        receive("INVITE"),
        reply_with_sound(200, free_port()),
        receive("ACK"),
        request("BYE", 1, None, 200),
    ];
    let callee = Callee::start_at(port, rounds * calls, &["-timeout", "900"], steps);
    let options = ["--sip-max-calls=100", "--sip-calls-per-second=200"];
    let phones = Phones::over(&format!("sip:127.0.0.1:{port}"), &options);
    let list = phones.server.list();
    let mut after = Vec::new();
    for round in 0..rounds {
        for call in round * calls..(round + 1) * calls {
            let form = format!("PhoneNumber=415867{call:04}");
            phones.server.post(&list, &form).expect(200);
            // Those under way stay below the limit of the account.
            if call % 200 == 199 {
                after_calls(&phones.server, call + 1);
            }
        }
        std::thread::sleep(pause);
        after.push(after_calls(&phones.server, (round + 1) * calls));
    }
    println!("open files and MB after each {calls} calls: {after:?}");
    let ((files, peak), (files_before, peak_before)) =
        (after[after.len() - 1], after[after.len() / 2 - 1]);
    assert!(files <= files_before + 4, "open files: {after:?}");
    assert!(peak <= peak_before + 16, "memory: {after:?}");
    callee.expect_done();
}
