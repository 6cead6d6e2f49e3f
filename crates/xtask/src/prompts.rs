//! `cargo xtask prompts`: makes the sounds of prompts from the texts beside them.
//!
//! Takes espeak-ng and sox. The sounds are committed, so that nobody else needs them.

use std::fs;
use std::process::{Command, Stdio};

use crate::{Outcome, root};

/// Words a minute: slower than espeak's 175, because a phone's sound is poor.
const SPEED: &str = "145";

/// Speaks every text, with the voice of its folder's language, as 8 kHz µ-law.
pub(crate) fn make() -> Outcome {
    for language in fs::read_dir(root().join("crates/callerid-server/prompts"))? {
        let language = language?;
        let voice = language.file_name().to_string_lossy().to_lowercase();
        for text in fs::read_dir(language.path())? {
            let text = text?.path();
            if text.extension().is_none_or(|extension| extension != "txt") {
                continue;
            }
            let sound = text.with_extension("ulaw");
            let mut speech = Command::new("espeak-ng")
                .args(["-v", &voice, "-s", SPEED, "--stdout", "-f"])
                .arg(&text)
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| format!("espeak-ng cannot be run: {error}"))?;
            let speech_out = speech.stdout.take().ok_or("espeak-ng has no output")?;
            let converted = Command::new("sox")
                .args(["-D", "-t", "wav", "-", "-r", "8000", "-c", "1", "-t", "ul"])
                .arg(&sound)
                .args(["norm", "-6"])
                .stdin(speech_out)
                .status()
                .map_err(|error| format!("sox cannot be run: {error}"))?;
            if !speech.wait()?.success() || !converted.success() {
                return Err(format!("{} was not made", sound.display()).into());
            }
            println!("{}: {} bytes", sound.display(), fs::metadata(&sound)?.len());
        }
    }
    Ok(())
}
