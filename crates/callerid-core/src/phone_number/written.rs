//! The thorough way: a number as people and programs write it, decided as libphonenumber decides it.
//!
//! The steps are those of its parser, in its order: find where the number stands in the text, split off an extension,
//! see that nothing else is left, and take the digits. What the digits dial is the matter of [`dialled`](super::dialled).

use super::PhoneNumber;
use super::character::{
    decimal_digit, find, is_blank, is_letter, is_plus, is_separator, is_trailing, keypad_digit,
    trim_end, trim_start,
};
use super::dialled::{Dialled, Misdialled};
use super::error::{InvalidPhoneNumber, Problem};
use super::extension::{self, Extension};

/// The longest text that is read, in characters: libphonenumber's limit.
pub(super) const MAX_CHARACTERS: usize = 250;

/// A number has no less digits to begin with; vanity letters come after them.
const LEADING_DIGITS: u32 = 3;

/// From this many letters on a number is a vanity number. Fewer are slips, and skipped.
const VANITY_LETTERS: usize = 3;

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) number: PhoneNumber,
    /// With where it and its label begin.
    pub(super) extension: Option<(Extension, usize)>,
}

/// Reads any text.
pub(super) fn read(text: &str) -> Result<Written, InvalidPhoneNumber> {
    if text.len() > MAX_CHARACTERS
        && let Some((at, _)) = text.char_indices().nth(MAX_CHARACTERS)
    {
        return Err(InvalidPhoneNumber::new(Problem::TextTooLong, at));
    }
    match find(text, PHONE_CONTEXT) {
        Some(at) => read_uri(text, at),
        None => Candidate::in_free_text(text)?.read(),
    }
}

/// Reads `tel:555-0123;phone-context=+1-415` (RFC 3966): a local number, with the prefix of the place where it is one.
#[cold]
fn read_uri(text: &str, parameter_at: usize) -> Result<Written, InvalidPhoneNumber> {
    let context_at = parameter_at.saturating_add(PHONE_CONTEXT.len());
    let context = up_to(text.get(context_at..).unwrap_or_default(), ";");
    let number_at = find(text, TEL).map_or(0, |at| at.saturating_add(TEL.len()));
    let number = text.get(number_at..parameter_at).or_else(|| text.get(number_at..));
    let number = up_to(number.unwrap_or_default(), ISDN_SUBADDRESS);
    if is_number_prefix(context) {
        // Each is part of a text of at most so many characters, of at most four bytes.
        let mut joined = [0; 2 * 4 * MAX_CHARACTERS];
        let text = join(&mut joined, context, number);
        Candidate { text, at: number_at, prefix: context.len(), prefix_at: context_at }.read()
    } else if is_domain_name(context) {
        Candidate { text: number, at: number_at, prefix: 0, prefix_at: 0 }.read()
    } else {
        Err(InvalidPhoneNumber::new(Problem::StrayText { found: ';' }, parameter_at))
    }
}

/// Two texts as one, in a buffer that is long enough.
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

/// The part of a text in which the number is: from its first digit or plus sign on, or what a `tel:` URI says it is.
struct Candidate<'a> {
    text: &'a str,
    /// Where `text` begins in the whole, but for the prefix that a `tel:` URI's context puts before it.
    at: usize,
    prefix: usize,
    prefix_at: usize,
}

impl<'a> Candidate<'a> {
    fn in_free_text(text: &'a str) -> Result<Self, InvalidPhoneNumber> {
        let begins = |c: char| is_plus(c) || decimal_digit(c).is_some();
        let Some((mut at, _)) = text.char_indices().find(|(_, c)| begins(*c)) else {
            let mut stray = text.char_indices().filter(|(_, c)| !is_blank(*c));
            return Err(match stray.next() {
                Some((at, found)) => InvalidPhoneNumber::new(Problem::StrayText { found }, at),
                None => InvalidPhoneNumber::new(Problem::Empty, 0),
            });
        };
        let number = text.get(at..).unwrap_or_default();
        let number = trim_end(number, is_trailing);
        let (skipped, number) = before_second_number(number);
        at = at.saturating_add(skipped);
        let text = up_to(number, ISDN_SUBADDRESS);
        Ok(Candidate { text, at, prefix: 0, prefix_at: 0 })
    }

    fn read(&self) -> Result<Written, InvalidPhoneNumber> {
        let (number, extension) = split_extension(self.text).map_err(|(found, at)| {
            InvalidPhoneNumber::new(Problem::StrayText { found }, self.offset(at))
        })?;
        let number = number
            .dial()
            .map_err(|error| InvalidPhoneNumber::new(error.problem, self.offset(error.at())))?;
        Ok(Written { number, extension: extension.map(|(it, at)| (it, self.offset(at))) })
    }

    /// The place in the whole text of a place in the candidate.
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

/// RFC 3966's global-number-digits, with the decimal digits of any script.
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

/// RFC 3966's domainname, with the decimal digits of any script: labels of letters, digits and inner hyphens, the last one
/// beginning with a letter.
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

/// What comes before a second number, written as `(530) 583-6985 x302/x2303`, and where that begins: the cut is the last
/// one in the first line that has any, and leaves that line alone.
fn before_second_number(text: &str) -> (usize, &str) {
    let begins_second = |at: usize| {
        let rest = text.get(at.saturating_add(1)..).unwrap_or_default();
        trim_start(rest, |c| c == ' ').starts_with("x")
    };
    let mut line = 0;
    let mut cut = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' if cut.is_some() => break,
            b'\n' => line = at.saturating_add(1),
            b'/' | b'\\' if begins_second(at) => cut = Some(at),
            _ => {}
        }
    }
    cut.and_then(|cut| Some((line, text.get(line..cut)?))).unwrap_or((0, text))
}

/// The number and its extension, if it has one, and where that begins; or the character that is no part of either, and
/// where.
fn split_extension(text: &str) -> Result<(Number<'_>, Option<(Extension, usize)>), Stray> {
    if let Some((at, extension)) = extension::at_end(text)
        && let Some(before) = text.get(..at)
        && let Ok(number) = Number::read(before)
        && number.is_viable()
    {
        return Ok((number, Some((extension, at))));
    }
    Number::read(text).map(|number| (number, None))
}

/// A character that is no part of a number, and where it is.
type Stray = (char, usize);

/// A number without an extension: plus signs, then digits and separators, then letters too.
struct Number<'a> {
    text: &'a str,
    digits: Dialled,
    letters: usize,
}

impl<'a> Number<'a> {
    /// Reads it, or finds the first character that cannot be there, and where.
    fn read(text: &'a str) -> Result<Self, Stray> {
        let after_signs = trim_start(text, is_plus);
        let signs = text.len().saturating_sub(after_signs.len());
        let mut digits = Dialled::new(signs > 0);
        let mut letters: usize = 0;
        for (at, c) in after_signs.char_indices() {
            if let Some(digit) = decimal_digit(c) {
                digits.push(digit);
            } else if is_letter(c) && (digits.count() >= LEADING_DIGITS || is_separator(c)) {
                letters = letters.saturating_add(1);
            } else if !is_separator(c) {
                return Err((c, signs.saturating_add(at)));
            }
        }
        Ok(Number { text, digits, letters })
    }

    /// Whether libphonenumber takes it for a number before an extension: it has three digits, or two and nothing else.
    fn is_viable(&self) -> bool {
        let digits = self.digits.count();
        digits >= LEADING_DIGITS
            || digits == 2 && self.text.chars().all(|c| decimal_digit(c).is_some())
    }

    /// Dials its digits, and its letters if it is a vanity number.
    fn dial(&self) -> Result<PhoneNumber, InvalidPhoneNumber> {
        if self.letters < VANITY_LETTERS {
            return self.digits.number().map_err(|error| self.locate(error, decimal_digit));
        }
        let mut digits = Dialled::new(self.text.starts_with(is_plus));
        self.text.chars().filter_map(vanity_digit).for_each(|digit| digits.push(digit));
        digits.number().map_err(|error| self.locate(error, vanity_digit))
    }

    #[cold]
    fn locate(&self, error: Misdialled, digit: fn(char) -> Option<u8>) -> InvalidPhoneNumber {
        let digits = self.text.char_indices().filter(|(_, c)| digit(*c).is_some());
        let mut end = 0;
        let mut letters_before = false;
        for (place, (at, c)) in (0..).zip(digits) {
            if place == error.digit {
                // Ten digits and then words: it is the words that are too much.
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

/// A digit of a vanity number: libphonenumber takes only ASCII's beside letters.
fn vanity_digit(c: char) -> Option<u8> {
    match c {
        '0'..='9' => decimal_digit(c),
        _ => keypad_digit(c),
    }
}
