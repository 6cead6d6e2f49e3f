//! `callerid normalize`: reads one number per line, and writes ten digits or an error for each.

use std::fmt;
use std::io::{self, Read, Write};

use callerid_core::PhoneNumber;
use memchr::memchr;

/// The number of bytes of a line that are considered. This is far more than a number can have, so
/// the rest of a longer line does not affect the result.
pub const LINE_BYTES: usize = 16 * 1024;
/// The number of bytes to read at once.
const READ_BYTES: usize = 256 * 1024;

/// The format of the output lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `4158675309`, or `error: ` and what is wrong. An extension is an error.
    Plain,
    /// An object: `{"input":…,"phone_number":"4158675309","extension":"123"}`, with an extension
    /// only if there is one, or `{"input":…,"error":{"reason":"too-short","message":…,"at":7}}`,
    /// where `at` is a byte offset into the line.
    Json,
}

/// The number of input lines, and how many of them are invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Input lines.
    pub lines: u64,
    /// Lines that are not a valid number.
    pub failed: u64,
}

/// Reads lines from `input` until its end, and writes one line to `output` for each. Lines end with
/// `\n` or `\r\n`. All complete lines are answered before more input is awaited.
///
/// # Errors
/// Errors of `input` and `output`.
pub fn normalize(
    input: &mut impl Read,
    output: &mut impl Write,
    style: Style,
) -> io::Result<Count> {
    let mut count = Count::default();
    let mut answers = Vec::with_capacity(READ_BYTES);
    let mut buffer = vec![0; READ_BYTES];
    // The length of an incomplete line at the start of the buffer, and whether that line is so long
    // that it has already been answered.
    let (mut begun, mut is_answered) = (0, false);
    loop {
        let read = match input.read(buffer.get_mut(begun..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let filled = begun + read;
        let mut at = 0;
        while let Some(unread) = buffer.get(at..filled)
            && let Some(length) = memchr(b'\n', unread)
        {
            let (line, _) = unread.split_at(length);
            if !std::mem::take(&mut is_answered) {
                count.add(answer(line, style, &mut answers));
            }
            at += length + 1;
        }
        begun = filled - at;
        let is_last = read == 0 && begun > 0;
        if !is_answered && (is_last || begun > LINE_BYTES) {
            let line = buffer.get(at..filled).unwrap_or_default();
            count.add(answer(line, style, &mut answers));
            is_answered = true;
        }
        if is_answered {
            begun = 0;
        }
        buffer.copy_within(at..at + begun, 0);
        output.write_all(&answers)?;
        output.flush()?;
        answers.clear();
        if read == 0 {
            return Ok(count);
        }
    }
}

impl Count {
    fn add(&mut self, is_number: bool) {
        self.lines += 1;
        self.failed += u64::from(!is_number);
    }
}

/// Appends the result for a line. Returns whether the line is a valid number.
fn answer(line: &[u8], style: Style, answers: &mut Vec<u8>) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_number = match (std::str::from_utf8(shortened(line)), style) {
        (Ok(text), Style::Plain) => match PhoneNumber::parse(text) {
            Ok(number) => {
                answers.extend_from_slice(number.as_str().as_bytes());
                true
            }
            Err(error) => {
                append(answers, format_args!("error: {error}"));
                false
            }
        },
        (Ok(text), Style::Json) => answer_in_json(text, answers),
        (Err(error), style) => {
            let at = error.valid_up_to();
            let message = format_args!("not UTF-8: the byte at {at} begins no character");
            match style {
                Style::Plain => append(answers, format_args!("error: {message}")),
                Style::Json => {
                    append_input(answers, &String::from_utf8_lossy(shortened(line)));
                    append_error(answers, "not-utf-8", message, at);
                }
            }
            false
        }
    };
    answers.push(b'\n');
    is_number
}

/// The part of a line that is considered, without an incomplete character at its end.
fn shortened(line: &[u8]) -> &[u8] {
    let is_continued = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    match line.split_at_checked(LINE_BYTES) {
        Some((start, rest)) if rest.first().is_some_and(is_continued) => {
            let character = start.iter().rposition(|byte| !is_continued(byte));
            start.get(..character.unwrap_or_default()).unwrap_or_default()
        }
        Some((start, _)) => start,
        None => line,
    }
}

fn answer_in_json(text: &str, answers: &mut Vec<u8>) -> bool {
    append_input(answers, text);
    match PhoneNumber::parse_with_extension(text) {
        Ok((number, extension)) => {
            append(answers, format_args!(",\"phone_number\":\"{number}\""));
            if let Some(extension) = extension {
                append(answers, format_args!(",\"extension\":\"{}\"", extension.as_str()));
            }
            answers.push(b'}');
            true
        }
        Err(error) => {
            append_error(answers, error.reason().as_str(), format_args!("{error}"), error.at());
            false
        }
    }
}

fn append_input(answers: &mut Vec<u8>, text: &str) {
    answers.extend_from_slice(b"{\"input\":");
    append_string(answers, text);
}

fn append_error(answers: &mut Vec<u8>, reason: &str, message: fmt::Arguments<'_>, at: usize) {
    append(answers, format_args!(",\"error\":{{\"reason\":\"{reason}\",\"message\":"));
    append_string(answers, &message.to_string());
    append(answers, format_args!(",\"at\":{at}}}}}"));
}

fn append_string(answers: &mut Vec<u8>, text: &str) {
    // Writing a string to memory cannot fail.
    serde_json::to_writer(answers, text).unwrap_or_default();
}

fn append(answers: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    answers.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(input: impl AsRef<[u8]>, style: Style) -> (Vec<String>, Count) {
        let mut output = Vec::new();
        let count = normalize(&mut input.as_ref(), &mut output, style).unwrap();
        let output = String::from_utf8(output).unwrap();
        (output.lines().map(str::to_owned).collect(), count)
    }

    #[test]
    fn each_line_in_is_a_line_out() {
        let input = "415-867-5309\r\n\n(212) 736-5000\nbanana\n2127365000 x7\n+1 415 867 5309";
        let (lines, count) = normalized(input, Style::Plain);
        assert_eq!(count, Count { lines: 6, failed: 3 });
        let is_error = |line: &String| line.starts_with("error: ");
        assert_eq!(
            lines.iter().map(is_error).collect::<Vec<_>>(),
            [false, true, false, true, true, false]
        );
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("4158675309", "2127365000"));
        assert_eq!(lines[5], "4158675309");
    }

    #[test]
    fn json_says_what_came_in_and_what_is_wrong_where() {
        let input = "415-867-5309 ext. 123\n\"415\" 867\n415-867-530\n";
        let (lines, count) = normalized(input, Style::Json);
        assert_eq!(count, Count { lines: 3, failed: 2 });
        assert_eq!(
            lines[0],
            r#"{"input":"415-867-5309 ext. 123","phone_number":"4158675309","extension":"123"}"#
        );
        let error: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(error["input"], "\"415\" 867");
        let error: serde_json::Value = serde_json::from_str(&lines[2]).unwrap();
        assert_eq!(error["error"]["reason"], "too-short");
        assert_eq!(error["error"]["at"], 11);
        assert!(error["error"]["message"].as_str().unwrap().contains("too few digits"));
    }

    #[test]
    fn invalid_utf_8_fails_only_its_own_line() {
        let (lines, count) = normalized(b"\xff\n4158675309\n41\xc3", Style::Json);
        assert_eq!(count, Count { lines: 3, failed: 2 });
        let error: serde_json::Value = serde_json::from_str(&lines[2]).unwrap();
        assert_eq!(error["error"]["reason"], "not-utf-8");
        assert_eq!(error["error"]["at"], 2);
        assert!(lines[1].contains("4158675309"));
    }

    #[test]
    fn lines_of_any_length_keep_their_place() {
        for length in [LINE_BYTES - 1, LINE_BYTES, LINE_BYTES + 1, READ_BYTES, 3 * READ_BYTES + 7] {
            for filler in ["1", "é", "中", "😀"] {
                let long = filler.repeat(length / filler.len());
                let input = format!("4158675309\n{long}\n{long}\n2127365000\n{long}");
                let (lines, count) = normalized(&input, Style::Plain);
                assert_eq!(count, Count { lines: 5, failed: 3 }, "{length} {filler}");
                assert_eq!((lines[0].as_str(), lines[3].as_str()), ("4158675309", "2127365000"));
                assert!(!lines.join("").contains("UTF-8"), "{length} {filler}");
            }
        }
    }

    #[test]
    fn reads_of_any_size_give_the_same_answers() {
        struct Trickle<'a>(&'a [u8], usize);
        impl Read for Trickle<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let most = self.1.min(buffer.len());
                self.0.read(&mut buffer[..most])
            }
        }
        let long = "9".repeat(40_000);
        let input = format!("4158675309\r\n\n{long}\r\n415 867 5309 x1\n(212) 736-5000");
        let (expected, _) = normalized(&input, Style::Json);
        for size in [1, 2, 7, 1000] {
            let mut output = Vec::new();
            normalize(&mut Trickle(input.as_bytes(), size), &mut output, Style::Json).unwrap();
            assert!(str::from_utf8(&output).unwrap().lines().eq(&expected), "{size}");
        }
    }
}
