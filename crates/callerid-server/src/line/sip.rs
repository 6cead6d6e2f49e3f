//! A phone line over SIP: it dials numbers over trunks, and listens and speaks over RTP.
//!
//! ```text
//! SipLine ──▶ call (a task each) ──▶ dial ──▶ trunk, stack (rsipstack), sdp
//!    │          └──▶ media, info
//!    └──▶ registration (a task for each trunk)
//! ```
//!
//! docs/sip.md describes it for operators.

mod call;
mod dial;
mod info;
mod registration;
mod rtp_ports;
mod sdp;
mod stack;
mod trunk;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callerid_core::{CallSid, PhoneNumber};
use callerid_service::{Call, FailureCause, Line, PhoneEvent, Prompt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{LineHealth, PhoneLine, PhoneReports, TrunkHealth};
use crate::lock::lock;

pub use super::media::Prompts;
use call::{Calls, Instruction};
use dial::Dialer;
use rtp_ports::RtpPorts;
use stack::Stack;
use trunk::Trunk;

pub use registration::TrunkCheck;
pub use rtp_ports::{InvalidRtpPortRange, RtpPortRange};
pub use trunk::{InvalidTrunkAddress, TrunkAddress};

/// Reads another side's SDP. For a fuzz target.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub fn read_sdp(sdp: &[u8]) {
    sdp::remote(sdp).map(drop).unwrap_or_default();
}

/// How long a stop of the server waits until the other sides know it.
const CLOSING: Duration = Duration::from_secs(5);
/// Calls per second are counted over this time.
const SECOND: Duration = Duration::from_secs(1);

/// The settings of a [`SipLine`].
#[derive(Clone)]
pub struct SipOptions {
    /// The trunks, with their passwords, in the order in which they are tried.
    pub trunks: Vec<(TrunkAddress, Option<String>)>,
    /// How to tell whether trunks are reachable.
    pub check: TrunkCheck,
    /// The number that calls come from.
    pub caller: PhoneNumber,
    /// Calls at once.
    pub max_calls: usize,
    /// Calls that begin within a second.
    pub calls_per_second: usize,
    /// Where to listen for SIP over UDP. Sound is received at the same address.
    pub bind: SocketAddr,
    /// The ports for sound.
    pub rtp_ports: RtpPortRange,
    /// Our address as trunks see it, if that is not the machine's own.
    pub public_address: Option<IpAddr>,
    /// Certificates in PEM that trunks' certificates are checked against.
    pub authorities: Option<Vec<u8>>,
    /// What is said in calls.
    pub prompts: Prompts,
    /// How long a phone rings.
    pub ring: Duration,
    /// How long an answered call may last, whatever happens.
    pub longest_call: Duration,
    /// How long an answered call may hear nothing: neither a packet nor a key.
    pub silence: Duration,
}

/// A line that has its socket, and no calls yet.
pub struct OpenSipLine {
    stack: Arc<Stack>,
    options: SipOptions,
}

impl OpenSipLine {
    /// Opens the line's socket.
    ///
    /// # Errors
    /// The system's, for example that the port is taken.
    pub async fn open(options: SipOptions) -> io::Result<Self> {
        let SipOptions { bind, public_address, authorities, .. } = &options;
        let stack = Stack::open(*bind, *public_address, authorities.clone()).await?;
        Ok(Self { stack: Arc::new(stack), options })
    }

    /// Starts the line, which asks its trunks whether they are there.
    pub fn start(self, reports: PhoneReports) -> SipLine {
        let Self { stack, options } = self;
        let is_unasked = options.check == TrunkCheck::None;
        let trunk = |(address, password)| Arc::new(Trunk::new(address, password, is_unasked));
        let trunks: Vec<_> = options.trunks.into_iter().map(trunk).collect();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for trunk in &trunks {
            let (stack, trunk) = (Arc::clone(&stack), Arc::clone(trunk));
            tasks.spawn(registration::watch(stack, trunk, options.check, stop.clone()));
        }
        let calls = Calls {
            dialer: Dialer { stack, trunks, caller: options.caller, ring: options.ring },
            ports: RtpPorts::new(options.bind.ip(), options.rtp_ports),
            reports,
            prompts: Arc::new(options.prompts),
            longest: options.longest_call,
            silence: options.silence,
            stop,
        };
        SipLine {
            calls: Arc::new(calls),
            max_calls: options.max_calls.min(options.rtp_ports.calls()),
            calls_per_second: options.calls_per_second,
            live: Arc::default(),
            recent: Mutex::default(),
            placed: AtomicU64::new(0),
            answered: Arc::default(),
            tasks,
        }
    }
}

/// A phone line over SIP.
pub struct SipLine {
    calls: Arc<Calls>,
    max_calls: usize,
    calls_per_second: usize,
    live: Arc<Mutex<HashMap<CallSid, LiveCall>>>,
    /// When the calls of the last second were placed.
    recent: Mutex<VecDeque<Instant>>,
    placed: AtomicU64,
    answered: Arc<AtomicU64>,
    tasks: TaskTracker,
}

/// A call that has a task.
struct LiveCall {
    call: Call,
    /// How to instruct the task.
    task: mpsc::UnboundedSender<Instruction>,
    is_ending: bool,
}

impl SipLine {
    fn instruct(&self, call: &Call, instruction: Instruction) {
        if let Some(live) = lock(&self.live).get_mut(&call.sid) {
            live.is_ending |= matches!(instruction, Instruction::HangUp(_));
            // A call that has just ended takes none.
            live.task.send(instruction).unwrap_or_default();
        }
    }
}

impl PhoneLine for SipLine {
    fn line(&self) -> Line {
        Line::Real { name: "sip", caller: self.calls.dialer.caller }
    }

    /// None while no trunk is reachable: calls then wait within their codes' lives.
    fn capacity(&self) -> usize {
        if !self.calls.dialer.trunks.iter().any(|trunk| trunk.is_reachable()) {
            return 0;
        }
        let mut recent = lock(&self.recent);
        while recent.front().is_some_and(|then| then.elapsed() >= SECOND) {
            recent.pop_front();
        }
        let soon = self.calls_per_second.saturating_sub(recent.len());
        self.max_calls.saturating_sub(lock(&self.live).len()).min(soon)
    }

    fn health(&self) -> LineHealth {
        let trunks = self.calls.dialer.trunks.iter().map(|trunk| TrunkHealth {
            name: trunk.address.to_string(),
            is_reachable: trunk.is_reachable(),
        });
        LineHealth {
            trunks: trunks.collect(),
            calls: lock(&self.live).len(),
            placed: self.placed.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
        }
    }

    fn calls(&self) -> Vec<Call> {
        let live = lock(&self.live);
        live.values().filter(|live| !live.is_ending).map(|live| live.call.clone()).collect()
    }

    fn place(&self, call: &Call) {
        let (task, instructions) = mpsc::unbounded_channel();
        let live = LiveCall { call: call.clone(), task, is_ending: false };
        lock(&self.live).insert(call.sid, live);
        lock(&self.recent).push_back(Instant::now());
        self.placed.fetch_add(1, Ordering::Relaxed);
        let (calls, live) = (Arc::clone(&self.calls), Arc::clone(&self.live));
        let (call, answered) = (call.clone(), Arc::clone(&self.answered));
        self.tasks.spawn(async move {
            let on_answer = || {
                answered.fetch_add(1, Ordering::Relaxed);
            };
            calls.make(&call, instructions, on_answer).await;
            lock(&live).remove(&call.sid);
        });
    }

    /// Its dialog ended with the process that had it.
    fn resume(&self, call: &Call) {
        let (calls, sid) = (Arc::clone(&self.calls), call.sid);
        self.tasks.spawn(async move {
            calls.reports.report(sid, PhoneEvent::Failed(FailureCause::CallLost)).await;
        });
    }

    fn play(&self, call: &Call, prompt: Prompt) {
        self.instruct(call, Instruction::Play(prompt));
    }

    fn hang_up(&self, call: &Call, prompt: Option<Prompt>) {
        self.instruct(call, Instruction::HangUp(prompt));
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.calls.stop.cancel();
            self.tasks.close();
            let closed = timeout(CLOSING, async {
                self.tasks.wait().await;
                self.calls.dialer.stack.settle().await;
            });
            if closed.await.is_err() {
                tracing::warn!("some calls were ended without an acknowledgement");
            }
        })
    }
}
