//! Watches a trunk: registers with it, or asks it from time to time whether it is there.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::registration::Registration;
use rsipstack::sip::StatusCodeKind;
use rsipstack::sip::typed::Contact;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::stack::{SILENCE, Stack};
use super::trunk::Trunk;

/// How to tell whether a trunk is reachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrunkCheck {
    /// It answers OPTIONS.
    #[default]
    Options,
    /// It accepts our registration.
    Register,
    /// It counts as reachable until a call finds it silent, and again after a while.
    None,
}

/// How often a trunk that answers is asked again. That also keeps a NAT's way open.
const INTERVAL: Duration = Duration::from_secs(25);
/// How soon a trunk that does not answer is asked again.
const RETRY: Duration = Duration::from_secs(2);
/// How long a registration is asked for, in seconds.
const EXPIRES: u32 = 300;

/// Watches a trunk until it is told to stop, and then ends its registration.
pub(super) async fn watch(
    stack: Arc<Stack>,
    trunk: Arc<Trunk>,
    check: TrunkCheck,
    stop: CancellationToken,
) {
    let mut registration = Registration::new(stack.endpoint(), trunk.credential());
    loop {
        let interval = stop.run_until_cancelled(async {
            let checked = match check {
                TrunkCheck::Options => stack.ask(&trunk).await.map(|()| INTERVAL),
                TrunkCheck::Register => register(&stack, &trunk, &mut registration, EXPIRES).await,
                TrunkCheck::None => Ok(INTERVAL),
            };
            if let Err(error) = &checked {
                tracing::debug!(trunk = %trunk.address, error, "the trunk was asked in vain");
            }
            trunk.set_reachable(checked.is_ok());
            sleep(checked.unwrap_or(RETRY)).await;
        });
        if interval.await.is_none() {
            break;
        }
    }
    if check == TrunkCheck::Register && trunk.is_reachable() {
        let ended = register(&stack, &trunk, &mut registration, 0).await;
        if let Err(error) = ended {
            tracing::debug!(trunk = %trunk.address, error, "the registration stays until it expires");
        }
    }
}

/// Registers for so many seconds. Returns when to do so again.
async fn register(
    stack: &Stack,
    trunk: &Trunk,
    registration: &mut Registration,
    expires: u32,
) -> Result<Duration, String> {
    let path = stack.connect(trunk).await?;
    registration.contact = Some(Contact::from(path.contact()));
    let answer = timeout(SILENCE, registration.register(trunk.uri(None), Some(expires))).await;
    let answer = answer.map_err(|_| "no answer to REGISTER".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.status_code.kind() {
        StatusCodeKind::Successful => {
            let granted = Duration::from_secs(registration.expires().into());
            Ok((granted * 3 / 4).clamp(Duration::from_secs(1), INTERVAL))
        }
        _ => Err(format!("the registration was refused: {}", answer.status_code)),
    }
}
