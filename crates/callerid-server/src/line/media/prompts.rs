//! The sounds of prompts: 8 kHz µ-law, made from the texts beside them by `cargo xtask prompts`.

use callerid_service::Prompt;

macro_rules! sound {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en-US/", $name, ".ulaw"))
    };
}

const ENTER_CODE: &[u8] = sound!("enter-code");
const WRONG_CODE: &[u8] = sound!("wrong-code");
const WRONG_CODE_LAST_TRY: &[u8] = sound!("wrong-code-last-try");
const VERIFIED: &[u8] = sound!("verified");
const FAILED: &[u8] = sound!("failed");
const OPTED_OUT: &[u8] = sound!("opted-out");

/// The sound of a prompt, in µ-law; nothing for one that this line does not know.
pub(super) fn sound(prompt: Prompt) -> &'static [u8] {
    match prompt {
        Prompt::EnterCode => ENTER_CODE,
        Prompt::WrongCode { entries_left: 1 } => WRONG_CODE_LAST_TRY,
        Prompt::WrongCode { .. } => WRONG_CODE,
        Prompt::Verified => VERIFIED,
        Prompt::Failed => FAILED,
        Prompt::OptedOut => OPTED_OUT,
        _ => &[],
    }
}

/// All sounds.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static [u8]> {
    [ENTER_CODE, WRONG_CODE, WRONG_CODE_LAST_TRY, VERIFIED, FAILED, OPTED_OUT].into_iter()
}
