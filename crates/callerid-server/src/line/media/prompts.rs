//! The sounds of prompts: 8 kHz µ-law, made from the texts beside them by `cargo xtask prompts`.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;

use callerid_service::Prompt;

macro_rules! sound {
    ($name:literal) => {
        Cow::Borrowed(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/prompts/en-US/",
            $name,
            ".ulaw"
        )))
    };
}

/// What is said in calls, in one language.
#[derive(Clone, Debug)]
pub struct Prompts {
    enter_code: Sound,
    wrong_code: Sound,
    wrong_code_last_try: Sound,
    verified: Sound,
    failed: Sound,
    opted_out: Sound,
}

type Sound = Cow<'static, [u8]>;

impl Prompts {
    /// What is said in English.
    pub const ENGLISH: Self = Self {
        enter_code: sound!("enter-code"),
        wrong_code: sound!("wrong-code"),
        wrong_code_last_try: sound!("wrong-code-last-try"),
        verified: sound!("verified"),
        failed: sound!("failed"),
        opted_out: sound!("opted-out"),
    };

    /// Reads the sounds from a directory, with the names that they have in this repository's
    /// `prompts/en-US`: `enter-code.ulaw` and so on.
    ///
    /// # Errors
    /// The first file that cannot be read, by its name.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let sound = |name: &str| {
            let path = directory.join(name).with_extension("ulaw");
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            fs::read(&path).map(Cow::Owned).map_err(named)
        };
        Ok(Self {
            enter_code: sound("enter-code")?,
            wrong_code: sound("wrong-code")?,
            wrong_code_last_try: sound("wrong-code-last-try")?,
            verified: sound("verified")?,
            failed: sound("failed")?,
            opted_out: sound("opted-out")?,
        })
    }

    /// The sound of a prompt, in µ-law; nothing for one that this line does not know.
    pub(super) fn sound(&self, prompt: Prompt) -> &[u8] {
        match prompt {
            Prompt::EnterCode => &self.enter_code,
            Prompt::WrongCode { entries_left: 1 } => &self.wrong_code_last_try,
            Prompt::WrongCode { .. } => &self.wrong_code,
            Prompt::Verified => &self.verified,
            Prompt::Failed => &self.failed,
            Prompt::OptedOut => &self.opted_out,
            _ => &[],
        }
    }

    /// All sounds.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &u8> {
        let Self { enter_code, wrong_code, wrong_code_last_try, verified, failed, opted_out } =
            self;
        [enter_code, wrong_code, wrong_code_last_try, verified, failed, opted_out]
            .into_iter()
            .flat_map(|sound| sound.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_is_a_directory_and_a_missing_sound_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let names =
            ["enter-code", "wrong-code", "wrong-code-last-try", "verified", "failed", "opted-out"];
        for (index, name) in names.into_iter().enumerate() {
            let error = Prompts::read(directory.path()).unwrap_err().to_string();
            assert!(error.contains(&format!("{name}.ulaw: ")), "{error}");
            fs::write(directory.path().join(format!("{name}.ulaw")), [index as u8; 9]).unwrap();
        }
        let prompts = Prompts::read(directory.path()).unwrap();
        for (index, prompt) in [
            Prompt::EnterCode,
            Prompt::WrongCode { entries_left: 2 },
            Prompt::WrongCode { entries_left: 1 },
            Prompt::Verified,
            Prompt::Failed,
            Prompt::OptedOut,
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(prompts.sound(prompt), [index as u8; 9]);
            assert!(Prompts::ENGLISH.sound(prompt).len() > 8_000, "{prompt:?}");
        }
    }
}
