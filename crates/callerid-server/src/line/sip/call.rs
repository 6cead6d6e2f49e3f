//! One call, from dialing to its end: a task.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use callerid_core::CallSid;
use callerid_service::{Call, FailureCause, Key, Keys, PhoneEvent, Prompt};
use rsipstack::dialog::dialog::{
    DialogState, DialogStateReceiver, TransactionCommand, TransactionHandle,
};
use rsipstack::sip::{Header, Method, Request, StatusCode};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::dial::{Answered, Dialed, Dialer};
use super::rtp_ports::RtpPorts;
use super::{info, sdp};
use crate::line::PhoneReports;
use crate::line::media::{MediaEvent, MediaSession, Prompts, Remote};

/// How long the other side may take to acknowledge the end of a call.
const GOODBYE: Duration = Duration::from_secs(3);
/// Events of the sound that may wait to be handled.
const MEDIA_EVENTS: usize = 64;

/// What the line tells a call.
pub(super) enum Instruction {
    Play(Prompt),
    HangUp(Option<Prompt>),
}

/// What calls share.
pub(super) struct Calls {
    pub(super) dialer: Dialer,
    pub(super) ports: RtpPorts,
    pub(super) reports: PhoneReports,
    pub(super) prompts: Arc<Prompts>,
    /// How long a call may last once it is answered, whatever happens.
    pub(super) longest: Duration,
    /// How long it may hear nothing.
    pub(super) silence: Duration,
    /// Ends all calls.
    pub(super) stop: CancellationToken,
}

impl Calls {
    /// Makes a call. `on_answer` is called when it is answered.
    pub(super) async fn make(
        &self,
        call: &Call,
        mut instructions: mpsc::UnboundedReceiver<Instruction>,
        on_answer: impl FnOnce(),
    ) {
        let socket = match self.ports.open().await {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(call = %call.sid, %error, "no port for sound is free");
                return self.report(call.sid, PhoneEvent::Failed(FailureCause::MediaLost)).await;
            }
        };
        match self.dial(call, &socket, &mut instructions).await {
            Dialed::Cancelled => {}
            Dialed::NotAnswered(event) => self.report(call.sid, event).await,
            Dialed::Answered(answered) => {
                on_answer();
                self.talk(call, *answered, socket, instructions).await;
            }
        }
    }

    async fn dial(
        &self,
        call: &Call,
        socket: &UdpSocket,
        instructions: &mut mpsc::UnboundedReceiver<Instruction>,
    ) -> Dialed {
        let port = match socket.local_addr() {
            Ok(address) => address.port(),
            Err(_) => return Dialed::NotAnswered(PhoneEvent::Failed(FailureCause::MediaLost)),
        };
        let give_up = self.stop.child_token();
        let dialing = self.dialer.dial(call, port, &give_up);
        tokio::pin!(dialing);
        loop {
            tokio::select! {
                dialed = &mut dialing => return dialed,
                instruction = instructions.recv(), if !give_up.is_cancelled() => {
                    // Nobody hears a prompt before the answer.
                    if !matches!(instruction, Some(Instruction::Play(_))) {
                        give_up.cancel();
                    }
                }
            }
        }
    }

    /// From the answer to the end.
    async fn talk(
        &self,
        call: &Call,
        answered: Answered,
        socket: UdpSocket,
        instructions: mpsc::UnboundedReceiver<Instruction>,
    ) {
        let Answered { dialog, states, sdp, address } = answered;
        let end = match sdp::remote(&sdp) {
            Ok(remote) => {
                let offer = sdp::offer(address);
                let talk = Talk { calls: self, call, states, instructions, remote, offer };
                match timeout(self.longest, talk.run(socket)).await {
                    Ok(end) => end,
                    Err(_) => {
                        tracing::info!(call = %call.sid, "the call took too long");
                        End::of_ours(PhoneEvent::HungUp)
                    }
                }
            }
            Err(error) => {
                tracing::warn!(call = %call.sid, %error, "the call has no sound");
                End::of_ours(PhoneEvent::Failed(FailureCause::MediaLost))
            }
        };
        if let Some(event) = end.event {
            self.report(call.sid, event).await;
        }
        if !end.is_theirs {
            match timeout(GOODBYE, dialog.bye()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(call = %call.sid, %error, "no BYE was sent"),
                Err(_) => tracing::debug!(call = %call.sid, "the BYE was not acknowledged"),
            }
        }
        // The stack keeps dialogs until they are removed.
        self.dialer.stack.dialogs.remove_dialog(&dialog.id());
    }

    async fn report(&self, call: CallSid, event: PhoneEvent) {
        self.reports.report(call, event).await;
    }
}

/// How an answered call ended.
struct End {
    /// Whether the other side has ended it.
    is_theirs: bool,
    /// What to report, if the service does not know yet.
    event: Option<PhoneEvent>,
}

impl End {
    /// We end it, for this reason.
    fn of_ours(event: PhoneEvent) -> Self {
        Self { is_theirs: false, event: Some(event) }
    }

    /// We end it as told.
    const AS_TOLD: Self = Self { is_theirs: false, event: None };
    const THEIRS: Self = Self { is_theirs: true, event: Some(PhoneEvent::HungUp) };
}

/// An answered call.
struct Talk<'a> {
    calls: &'a Calls,
    call: &'a Call,
    states: DialogStateReceiver,
    instructions: mpsc::UnboundedReceiver<Instruction>,
    remote: Remote,
    offer: Vec<u8>,
}

/// What the call does beside listening.
#[derive(PartialEq, Eq)]
enum Phase {
    /// Dials the extension. Only then is the person there.
    Dialing,
    Listening,
    /// Plays the last prompt.
    Leaving,
}

impl Talk<'_> {
    async fn run(mut self, socket: UdpSocket) -> End {
        let (events_sender, mut events) = mpsc::channel(MEDIA_EVENTS);
        let (prompts, silence) = (Arc::clone(&self.calls.prompts), self.calls.silence);
        let media = MediaSession::start(socket, self.remote, prompts, silence, events_sender);
        let mut phase = Phase::Dialing;
        let mut activity: Pin<Box<dyn Future<Output = ()> + Send + '_>> = match &self.call.extension
        {
            Some(extension) => Box::pin(media.dial(extension)),
            None => Box::pin(async {}),
        };
        let stop = self.calls.stop.clone();
        loop {
            tokio::select! {
                // What has happened first is looked at first: the answer, keys, then a hang-up.
                biased;
                () = stop.cancelled() => return End::AS_TOLD,
                () = &mut activity, if phase != Phase::Listening => match phase {
                    Phase::Leaving => return End::AS_TOLD,
                    _ => {
                        phase = Phase::Listening;
                        self.calls.report(self.call.sid, PhoneEvent::Answered).await;
                    }
                },
                event = events.recv() => match event {
                    Some(MediaEvent::Key(key)) => self.press(key, &phase).await,
                    Some(MediaEvent::Lost) | None => {
                        return End::of_ours(PhoneEvent::Failed(FailureCause::MediaLost));
                    }
                },
                state = self.states.recv() => match state {
                    None | Some(DialogState::Terminated(..)) => break,
                    Some(state) => self.answer(state, &media).await,
                },
                instruction = self.instructions.recv() => match instruction {
                    Some(Instruction::Play(prompt)) => media.play(prompt),
                    Some(Instruction::HangUp(Some(prompt))) => {
                        phase = Phase::Leaving;
                        activity = Box::pin(media.play_to_end(prompt));
                    }
                    Some(Instruction::HangUp(None)) | None => return End::AS_TOLD,
                },
            }
        }
        // A key that was pressed just before they hung up counts.
        drop(activity);
        drop(media);
        while let Some(event) = events.recv().await {
            if let MediaEvent::Key(key) = event {
                self.press(key, &phase).await;
            }
        }
        End::THEIRS
    }

    /// Reports a key, if it is the person's.
    async fn press(&self, key: Key, phase: &Phase) {
        if *phase == Phase::Listening {
            self.calls.report(self.call.sid, PhoneEvent::Pressed(Keys::from(key))).await;
        }
    }

    /// Answers a request of the other side.
    async fn answer(&self, state: DialogState, media: &MediaSession) {
        let replied = match state {
            DialogState::Info(_, request, reply) => {
                let key = key_of(&request);
                let status = match key {
                    Some(_) => StatusCode::OK,
                    None => StatusCode::UnsupportedMediaType,
                };
                if let Some(key) = key {
                    media.key_by_info(key);
                }
                reply.reply(status).await
            }
            DialogState::Updated(_, request, reply) => self.update(&request, &reply).await,
            DialogState::Options(_, _, reply) => reply.reply(StatusCode::OK).await,
            DialogState::Notify(_, _, reply)
            | DialogState::Refer(_, _, reply)
            | DialogState::Message(_, _, reply)
            | DialogState::Publish(_, _, reply) => reply.reply(StatusCode::MethodNotAllowed).await,
            _ => return,
        };
        if replied.is_err() {
            tracing::debug!(call = %self.call.sid, "a request of the other side was withdrawn");
        }
    }

    /// Answers a re-INVITE or an UPDATE: the call goes on as it is, or not at all.
    async fn update(
        &self,
        request: &Request,
        reply: &TransactionHandle,
    ) -> Result<(), mpsc::error::SendError<TransactionCommand>> {
        if request.body.is_empty() && request.method == Method::Update {
            return reply.reply(StatusCode::OK).await;
        }
        if !request.body.is_empty() && sdp::remote(&request.body) != Ok(self.remote) {
            return reply.reply(StatusCode::NotAcceptableHere).await;
        }
        let content_type = Header::ContentType("application/sdp".into());
        let offer = Some(self.offer.clone());
        reply.respond(StatusCode::OK, Some(vec![content_type]), offer).await
    }
}

fn key_of(info: &Request) -> Option<Key> {
    let is_type = |header: &&Header| matches!(header, Header::ContentType(_));
    let content_type = info.headers.iter().find(is_type)?;
    match content_type {
        Header::ContentType(content_type) => info::key(content_type.value(), &info.body),
        _ => None,
    }
}
