//! Dials a number over the trunks, in order, until somebody answers or it is clear that nobody will.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use callerid_core::PhoneNumber;
use callerid_service::{Call, FailureCause, PhoneEvent};
use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver};
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Response, StatusCode, StatusCodeKind};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::sdp;
use super::stack::{CALL_ID_DOMAIN, SILENCE, Stack};
use super::trunk::Trunk;

/// How long to wait for the end of a call that is cancelled.
const CANCELLING: Duration = Duration::from_secs(3);

/// What dialing takes.
pub(super) struct Dialer {
    pub(super) stack: Arc<Stack>,
    pub(super) trunks: Vec<Arc<Trunk>>,
    pub(super) caller: PhoneNumber,
    /// How long a phone rings.
    pub(super) ring: Duration,
}

/// How dialing ended.
pub(super) enum Dialed {
    Answered(Box<Answered>),
    NotAnswered(PhoneEvent),
    /// We gave it up.
    Cancelled,
}

/// A call that was answered and acknowledged.
pub(super) struct Answered {
    pub(super) dialog: InviteDialog,
    /// What the other side does.
    pub(super) states: DialogStateReceiver,
    /// Its answer to our offer.
    pub(super) sdp: Vec<u8>,
    /// Our address for its sound.
    pub(super) address: SocketAddr,
}

/// How an attempt over one trunk ended.
enum Attempt {
    Ended(Dialed),
    /// No phone has rung, so the next trunk is tried.
    Failed(String),
}

impl Dialer {
    /// Dials a call's number, with sound at this port, until told to give up.
    pub(super) async fn dial(
        &self,
        call: &Call,
        rtp_port: u16,
        give_up: &CancellationToken,
    ) -> Dialed {
        let (reachable, silent): (Vec<_>, Vec<_>) =
            self.trunks.iter().partition(|trunk| trunk.is_reachable());
        for (attempt, trunk) in reachable.into_iter().chain(silent).enumerate() {
            if give_up.is_cancelled() {
                return Dialed::Cancelled;
            }
            let call_id = format!("{}-{attempt}@{CALL_ID_DOMAIN}", call.sid);
            match self.invite(trunk, call, call_id, rtp_port, give_up).await {
                Attempt::Ended(ended) => return ended,
                Attempt::Failed(reason) => {
                    tracing::warn!(call = %call.sid, trunk = %trunk.address, reason, "not placed");
                }
            }
        }
        Dialed::NotAnswered(PhoneEvent::Failed(FailureCause::NoTrunk))
    }

    async fn invite(
        &self,
        trunk: &Trunk,
        call: &Call,
        call_id: String,
        rtp_port: u16,
        give_up: &CancellationToken,
    ) -> Attempt {
        let path = match self.stack.connect(trunk).await {
            Ok(path) => path,
            Err(reason) => {
                trunk.set_reachable(false);
                return Attempt::Failed(reason);
            }
        };
        let address = SocketAddr::new(path.address, rtp_port);
        let option = InviteOption {
            caller: trunk.uri(Some(self.caller.e164().as_str())),
            callee: trunk.uri(Some(call.phone_number.e164().as_str())),
            contact: path.contact(),
            destination: Some(path.destination),
            offer: Some(sdp::offer(address)),
            credential: trunk.credential(),
            call_id: Some(call_id),
            ..InviteOption::default()
        };
        let (state_sender, mut states) = self.stack.dialogs.new_dialog_state_channel();
        let (dialog, mut invite) = match self.stack.dialogs.do_invite_async(option, state_sender) {
            Ok(begun) => begun,
            Err(error) => return Attempt::Failed(error.to_string()),
        };
        let (mut is_heard, mut has_rung, mut is_confirmed) = (false, false, false);
        let (silence, ring) = (sleep(SILENCE), sleep(self.ring));
        tokio::pin!(silence, ring);
        let result = loop {
            tokio::select! {
                biased;
                // The result tells more than the states, so it is looked at first.
                result = &mut invite => break result,
                Some(state) = states.recv(), if !is_confirmed => match state {
                    DialogState::Trying(_) => is_heard = true,
                    DialogState::Early(..) => (is_heard, has_rung) = (true, true),
                    // What follows, perhaps before the result, is for the call to answer.
                    DialogState::Confirmed(..) => (is_heard, is_confirmed) = (true, true),
                    _ => {}
                },
                () = give_up.cancelled() => {
                    cancel(&self.stack.dialogs, &dialog, invite).await;
                    return Attempt::Ended(Dialed::Cancelled);
                }
                () = &mut silence, if !is_heard => {
                    // The stack cancels it if the trunk is heard later.
                    invite.abort();
                    trunk.set_reachable(false);
                    return Attempt::Failed("no answer to INVITE".to_owned());
                }
                () = &mut ring => {
                    cancel(&self.stack.dialogs, &dialog, invite).await;
                    return Attempt::Ended(Dialed::NotAnswered(PhoneEvent::NoAnswer));
                }
            }
        };
        if let Ok(Ok((_, Some(response)))) = &result
            && response.status_code == StatusCode::OK
        {
            // The callee may have hung up by now, which the states tell.
            trunk.set_reachable(true);
            let sdp = response.body.clone();
            let answered = Answered { dialog, states, sdp, address };
            return Attempt::Ended(Dialed::Answered(Box::new(answered)));
        }
        while let Ok(state) = states.try_recv() {
            has_rung |= matches!(state, DialogState::Early(..));
        }
        let response = match result {
            Ok(Ok((_, Some(response)))) => response,
            Ok(Ok((_, None))) => return lost(has_rung, "the connection was lost".to_owned()),
            Ok(Err(error)) => return lost(has_rung, error.to_string()),
            Err(error) => return lost(has_rung, error.to_string()),
        };
        tracing::debug!(call = %call.sid, status = %response.status_code, "the trunk answered");
        trunk.set_reachable(true);
        match event_for(response.status_code.code(), has_rung) {
            Some(event) => Attempt::Ended(Dialed::NotAnswered(event)),
            None => Attempt::Failed(format!("it answered {}", response.status_code)),
        }
    }
}

/// The end of an attempt without a response. If a phone has rung, it must not ring once more.
fn lost(has_rung: bool, reason: String) -> Attempt {
    match has_rung {
        true => {
            let event = PhoneEvent::Failed(FailureCause::NoTrunk);
            Attempt::Ended(Dialed::NotAnswered(event))
        }
        false => Attempt::Failed(reason),
    }
}

/// What a final response other than 200 means; `None` if the next trunk is to be tried.
fn event_for(status: u16, has_rung: bool) -> Option<PhoneEvent> {
    Some(match status {
        486 | 600 | 603 => PhoneEvent::Busy,
        408 | 480 | 487 => PhoneEvent::NoAnswer,
        404 | 484 | 604 => PhoneEvent::Failed(FailureCause::NoSuchNumber),
        500..600 if !has_rung => return None,
        500..600 => PhoneEvent::Failed(FailureCause::NoTrunk),
        // Among them redirects, which could lead anywhere.
        _ => PhoneEvent::Failed(FailureCause::Refused),
    })
}

/// Cancels an INVITE. If somebody answers at that moment, the call is acknowledged and ended.
async fn cancel(
    dialogs: &DialogLayer,
    dialog: &InviteDialog,
    mut invite: JoinHandle<rsipstack::Result<(DialogId, Option<Response>)>>,
) {
    let cancelled = async {
        if let Err(error) = dialog.cancel().await {
            tracing::debug!(%error, "the call could not be cancelled");
        }
        (&mut invite).await
    };
    match timeout(CANCELLING, cancelled).await {
        Ok(Ok(Ok((_, Some(response)))))
            if response.status_code.kind() == StatusCodeKind::Successful
                && dialog.state().is_confirmed() =>
        {
            // Answered before the CANCEL was sent. Otherwise the stack has sent a BYE.
            if !matches!(timeout(CANCELLING, dialog.bye()).await, Ok(Ok(()))) {
                tracing::debug!("the end of a call that was answered too late is not acknowledged");
            }
            // The stack keeps dialogs until they are removed.
            dialogs.remove_dialog(&dialog.id());
        }
        Ok(_) => {}
        // The stack goes on until there is a final response.
        Err(_) => invite.abort(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_means_what_the_phone_did() {
        for status in [486, 600, 603] {
            assert_eq!(event_for(status, true), Some(PhoneEvent::Busy));
        }
        for status in [408, 480, 487] {
            assert_eq!(event_for(status, false), Some(PhoneEvent::NoAnswer));
        }
        let failed = |cause| Some(PhoneEvent::Failed(cause));
        for status in [404, 484, 604] {
            assert_eq!(event_for(status, false), failed(FailureCause::NoSuchNumber));
        }
        for status in [202, 301, 302, 380, 400, 401, 403, 407, 488, 606, 699] {
            assert_eq!(event_for(status, false), failed(FailureCause::Refused));
        }
        for status in [500, 503, 599] {
            assert_eq!(event_for(status, false), None, "the next trunk is tried");
            assert_eq!(event_for(status, true), failed(FailureCause::NoTrunk));
        }
    }
}
