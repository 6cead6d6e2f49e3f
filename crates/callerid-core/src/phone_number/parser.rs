//! The parser: reads a number in any common format, with the same results as libphonenumber.
//!
//! The steps follow libphonenumber's parser in the same order: find the number in the text, split
//! off an extension, reject other text, and collect the digits. [`dial_string`](super::dial_string)
//! interprets the digits.

use super::PhoneNumber;
use super::character::{
    decimal_digit, find, is_blank, is_letter, is_plus, is_separator, is_trailing, keypad_digit,
    trim_end, trim_start,
};
use super::dial_string::{DialError, DialString};
use super::error::{InvalidPhoneNumber, Problem};
use super::extension::{self, Extension};

/// The maximum length of a text in characters, which is libphonenumber's limit.
pub(super) const MAX_CHARACTERS: usize = 250;

/// The minimum number of leading digits. Vanity letters can only follow them.
const LEADING_DIGITS: u32 = 3;

/// The number of digits of a local number. Two numbers have at least twice as many.
pub(super) const LOCAL_DIGITS: usize = 7;

/// The minimum number of letters in a vanity number. Fewer letters are typos, and skipped.
const VANITY_LETTERS: usize = 3;

/// The result of parsing a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) number: PhoneNumber,
    /// The extension, and the offset of its label.
    pub(super) extension: Option<(Extension, usize)>,
}

/// Parses any text.
pub(super) fn parse(text: &str) -> Result<Parsed, InvalidPhoneNumber> {
    if text.len() > MAX_CHARACTERS
        && let Some((at, _)) = text.char_indices().nth(MAX_CHARACTERS)
    {
        return Err(InvalidPhoneNumber::new(Problem::TextTooLong, at));
    }
    let parsed = parse_one(text);
    let second_number = match parsed {
        Ok(_) => after_divider(text),
        Err(_) => second_number(text),
    };
    match second_number {
        Some(at) => Err(InvalidPhoneNumber::new(Problem::SecondNumber, at)),
        None => parsed,
    }
}

/// Parses a text without looking for a second number.
fn parse_one(text: &str) -> Result<Parsed, InvalidPhoneNumber> {
    match find(text, PHONE_CONTEXT) {
        Some(at) => parse_uri(text, at),
        None => Candidate::in_free_text(text)?.parse(),
    }
}

/// The offset of a second number in a text that parses as one number: after a line break or a word
/// that cannot be between the digits of a number.
fn after_divider(text: &str) -> Option<usize> {
    // Few numbers contain any of these bytes, so most return early.
    if !text.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | b'a' | b'o')) {
        return None;
    }
    let is_digit = |c| decimal_digit(c).is_some();
    let dividers = ["\n", "\r", " or ", " and "].iter();
    let first_digit = text.find(is_digit)?;
    let number = text.get(first_digit..)?;
    let begins = dividers.filter_map(|divider| {
        let divider_at = find(number, divider)?;
        let after = number.get(divider_at..)?.find(is_digit)?;
        first_digit.checked_add(divider_at)?.checked_add(after)
    });
    begins.min()
}

/// The offset of a second number in a text that does not parse: the text before it could be a
/// number, and so could the rest.
#[cold]
fn second_number(text: &str) -> Option<usize> {
    // Digits and letters before `at`.
    let mut length: usize = 0;
    let mut after_digit = false;
    for (at, c) in text.char_indices() {
        let is_digit = is_plus(c) || decimal_digit(c).is_some();
        if is_digit
            && !after_digit
            && length >= LOCAL_DIGITS
            && let Some((first, second)) = text.split_at_checked(at)
            && may_be_first_number(first)
            && may_be_number(second)
        {
            return Some(at);
        }
        after_digit = is_digit;
        length = length.saturating_add((is_digit || is_letter(c)).into());
    }
    None
}

/// Whether a text could be a number, perhaps followed by a word that introduces the next: `or`,
/// `tel:`.
fn may_be_first_number(text: &str) -> bool {
    let without_word = text.trim_end().rsplit_once(' ').map_or("", |(before, _)| before);
    let to_last_digit = trim_end(text, |c| decimal_digit(c).is_none());
    [text, without_word, to_last_digit].into_iter().any(may_be_number)
}

/// Whether a text has the format of a number (assigned or not) or of a local number of seven
/// digits, perhaps with an extension.
fn may_be_number(text: &str) -> bool {
    let Ok(candidate) = Candidate::in_free_text(text) else { return false };
    split_extension(candidate.text).is_ok_and(|(number, _)| number.may_be_number())
}

/// Parses `tel:555-0123;phone-context=+1-415` (RFC 3966): a local number, and the prefix that makes
/// it global.
#[cold]
fn parse_uri(text: &str, parameter_at: usize) -> Result<Parsed, InvalidPhoneNumber> {
    let context_at = parameter_at.saturating_add(PHONE_CONTEXT.len());
    let context = up_to(text.get(context_at..).unwrap_or_default(), ";");
    let number_at = find(text, TEL).map_or(0, |at| at.saturating_add(TEL.len()));
    let number = text.get(number_at..parameter_at).or_else(|| text.get(number_at..));
    let number = up_to(number.unwrap_or_default(), ISDN_SUBADDRESS);
    if text.get(..number_at).is_some_and(may_be_first_number) {
        return Err(InvalidPhoneNumber::new(Problem::SecondNumber, number_at));
    }
    let after_context_at = context_at.saturating_add(context.len());
    if text.get(after_context_at..).is_some_and(may_be_number) {
        return Err(InvalidPhoneNumber::new(Problem::SecondNumber, after_context_at));
    }
    if is_number_prefix(context) {
        // Each is part of a text of at most `MAX_CHARACTERS` characters of at most four bytes.
        let mut joined = [0; 2 * 4 * MAX_CHARACTERS];
        let text = join(&mut joined, context, number);
        Candidate { text, at: number_at, prefix: context.len(), prefix_at: context_at }.parse()
    } else if is_domain_name(context) {
        Candidate { text: number, at: number_at, prefix: 0, prefix_at: 0 }.parse()
    } else {
        Err(InvalidPhoneNumber::new(Problem::StrayText { found: ';' }, parameter_at))
    }
}

/// Concatenates two texts in a buffer that is large enough.
fn join<'a>(buffer: &'a mut [u8], first: &str, second: &str) -> &'a str {
    put(first, buffer);
    put(second, buffer.get_mut(first.len()..).unwrap_or_default());
    let joined = buffer.get(..first.len().saturating_add(second.len())).unwrap_or_default();
    std::str::from_utf8(joined).unwrap_or_default()
}

fn put(text: &str, places: &mut [u8]) {
    for (place, byte) in places.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
}

/// The part of a text that contains the number: from the first digit or plus sign, or as a `tel:`
/// URI specifies.
struct Candidate<'a> {
    text: &'a str,
    /// The offset of `text` in the whole text, not counting the prefix from a `tel:` URI's context.
    at: usize,
    prefix: usize,
    prefix_at: usize,
}

impl<'a> Candidate<'a> {
    fn in_free_text(text: &'a str) -> Result<Self, InvalidPhoneNumber> {
        let begins = |c: char| is_plus(c) || decimal_digit(c).is_some();
        let Some((at, _)) = text.char_indices().find(|(_, c)| begins(*c)) else {
            let mut stray = text.char_indices().filter(|(_, c)| !is_blank(*c));
            return Err(match stray.next() {
                Some((at, found)) => InvalidPhoneNumber::new(Problem::StrayText { found }, at),
                None => InvalidPhoneNumber::new(Problem::Empty, 0),
            });
        };
        let number = text.get(at..).unwrap_or_default();
        let number = trim_end(number, is_trailing);
        let number = before_second_extension(number)
            .map_err(|error| error.with_offset(at.saturating_add(error.at())))?;
        let text = up_to(number, ISDN_SUBADDRESS);
        Ok(Candidate { text, at, prefix: 0, prefix_at: 0 })
    }

    fn parse(&self) -> Result<Parsed, InvalidPhoneNumber> {
        let located = |error: InvalidPhoneNumber| error.with_offset(self.offset(error.at()));
        let (number, extension) = split_extension(self.text).map_err(located)?;
        let number = number.dial().map_err(located)?;
        Ok(Parsed { number, extension: extension.map(|(it, at)| (it, self.offset(at))) })
    }

    /// Converts an offset in the candidate to an offset in the whole text.
    fn offset(&self, at: usize) -> usize {
        match at.checked_sub(self.prefix) {
            Some(at) => self.at.saturating_add(at),
            None => self.prefix_at.saturating_add(at),
        }
    }
}

const TEL: &str = "tel:";
const PHONE_CONTEXT: &str = ";phone-context=";
const ISDN_SUBADDRESS: &str = ";isub=";

fn up_to<'a>(text: &'a str, needle: &str) -> &'a str {
    find(text, needle).and_then(|end| text.get(..end)).unwrap_or(text)
}

/// RFC 3966's global-number-digits, with decimal digits of any script.
fn is_number_prefix(context: &str) -> bool {
    let Some(number) = context.strip_prefix("+") else { return false };
    let is_visual = |c| matches!(c, '-' | '.' | '(' | ')');
    let mut has_digit = false;
    for c in number.chars() {
        if decimal_digit(c).is_some() {
            has_digit = true;
        } else if !is_visual(c) {
            return false;
        }
    }
    has_digit
}

/// RFC 3966's domainname, with decimal digits of any script: labels of letters, digits and inner
/// hyphens, of which the last one begins with a letter.
fn is_domain_name(context: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphabetic() || decimal_digit(c).is_some();
    let mut previous = '.';
    let mut last_label_begins_with = '.';
    for c in context.strip_suffix(".").unwrap_or(context).chars() {
        let fits = match c {
            '.' => is_inner(previous),
            '-' => previous != '.',
            _ => is_inner(c),
        };
        if !fits {
            return false;
        }
        if previous == '.' {
            last_label_begins_with = c;
        }
        previous = c;
    }
    is_inner(previous) && last_label_begins_with.is_ascii_alphabetic()
}

/// The text before a slash and a second number's extension, as in `415-867-5309/x22`, which
/// libphonenumber drops. It is an error after a first extension.
fn before_second_extension(text: &str) -> Result<&str, InvalidPhoneNumber> {
    let begins_second = |(at, _): &(usize, &str)| {
        let rest = text.get(at.saturating_add(1)..).unwrap_or_default();
        trim_start(rest, |c| c == ' ').starts_with("x")
    };
    let Some((at, _)) = text.rmatch_indices(['/', '\\']).find(begins_second) else {
        return Ok(text);
    };
    let before = trim_end(text.get(..at).unwrap_or_default(), is_trailing);
    match extension::at_end(before) {
        Some(_) => Err(InvalidPhoneNumber::new(Problem::SecondExtension, at)),
        None => Ok(before),
    }
}

/// Splits off the extension, if present, and returns its offset.
fn split_extension(
    text: &str,
) -> Result<(Number<'_>, Option<(Extension, usize)>), InvalidPhoneNumber> {
    let Some((number, extension, at)) = number_and_extension(text) else {
        return Ok((Number::parse(text)?, None));
    };
    let before = trim_end(number.text, is_trailing);
    match number_and_extension(before) {
        Some((first, ..)) if first.may_be_number() => {
            Err(InvalidPhoneNumber::new(Problem::SecondExtension, at))
        }
        _ => Ok((number, Some((extension, at)))),
    }
}

/// A number, its extension, and the extension's offset.
fn number_and_extension(text: &str) -> Option<(Number<'_>, Extension, usize)> {
    let (at, extension) = extension::at_end(text)?;
    let number = Number::parse(text.get(..at)?).ok()?;
    number.is_viable().then_some((number, extension, at))
}

/// A number without an extension: plus signs, then digits and separators, then letters too.
struct Number<'a> {
    text: &'a str,
    digits: DialString,
    letters: usize,
}

impl<'a> Number<'a> {
    /// Parses the text, or reports the first invalid character and its offset.
    fn parse(text: &'a str) -> Result<Self, InvalidPhoneNumber> {
        let after_signs = trim_start(text, is_plus);
        let signs = text.len().saturating_sub(after_signs.len());
        let mut digits = DialString::new(signs > 0);
        let mut letters: usize = 0;
        for (at, c) in after_signs.char_indices() {
            if let Some(digit) = decimal_digit(c) {
                digits.push(digit);
            } else if is_letter(c) && (digits.count() >= LEADING_DIGITS || is_separator(c)) {
                letters = letters.saturating_add(1);
            } else if !is_separator(c) {
                let at = signs.saturating_add(at);
                return Err(InvalidPhoneNumber::new(Problem::StrayText { found: c }, at));
            }
        }
        Ok(Number { text, digits, letters })
    }

    /// Whether libphonenumber accepts it as a number before an extension: it has three digits, or
    /// consists of exactly two.
    fn is_viable(&self) -> bool {
        let digits = self.digits.count();
        digits >= LEADING_DIGITS
            || digits == 2 && self.text.chars().all(|c| decimal_digit(c).is_some())
    }

    /// Whether it has the format of a number (assigned or not) or of a local number.
    fn may_be_number(&self) -> bool {
        self.digits.is_local()
            || self.dial().map_or_else(|error| error.problem.is_unassigned(), |_| true)
    }

    /// Dials the digits, and the letters of a vanity number.
    fn dial(&self) -> Result<PhoneNumber, InvalidPhoneNumber> {
        if self.letters < VANITY_LETTERS {
            return self.digits.number().map_err(|error| self.locate(error, decimal_digit));
        }
        let mut digits = DialString::new(self.text.starts_with(is_plus));
        self.text.chars().filter_map(vanity_digit).for_each(|digit| digits.push(digit));
        digits.number().map_err(|error| self.locate(error, vanity_digit))
    }

    #[cold]
    fn locate(&self, error: DialError, digit: fn(char) -> Option<u8>) -> InvalidPhoneNumber {
        let digits = self.text.char_indices().filter(|(_, c)| digit(*c).is_some());
        let mut end = 0;
        let mut letters_before = false;
        for (place, (at, c)) in (0..).zip(digits) {
            if place == error.digit {
                // Ten digits followed by words: report the words, not the length.
                let too_long = matches!(error.problem, Problem::TooLong { .. });
                let problem = if too_long && is_letter(c) && !letters_before {
                    Problem::StrayText { found: c }
                } else {
                    error.problem
                };
                return InvalidPhoneNumber::new(problem, at);
            }
            letters_before |= is_letter(c);
            end = at.saturating_add(c.len_utf8());
        }
        InvalidPhoneNumber::new(error.problem, end)
    }
}

/// A digit of a vanity number. With letters, libphonenumber only accepts ASCII digits.
pub(super) fn vanity_digit(c: char) -> Option<u8> {
    match c {
        '0'..='9' => decimal_digit(c),
        _ => keypad_digit(c),
    }
}
