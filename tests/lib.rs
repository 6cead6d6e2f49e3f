//! Contract cases: HTTP exchanges in files, which can be run against any host of the service.
//!
//! ```text
//! # What a comment says.
//! > POST /2008-08-01/Accounts/{account}/OutgoingCallerIds
//! > Authorization: {credentials}
//! >
//! > PhoneNumber=4158675309
//! < 200
//! < Content-Type: application/xml
//! <
//! < <TwilioResponse>…<ValidationCode>{code}</ValidationCode>…
//! @ advance 5
//! ```
//!
//! In a request, `{name}` is replaced by the value bound to the name. In a response, an unbound
//! name is bound to the text that it matches. Its letters determine what it can match (see `Shape`
//! below), and a number after them distinguishes names. `{account}` and `{credentials}` belong to
//! the host and are bound from the start. Line ends and indentation of a body are ignored. Headers
//! that a case does not mention can have any value, and so can the body if a case has no blank
//! line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A host that a case runs against.
pub trait Host {
    /// The account of the requests, and the value of its `Authorization` header.
    fn account(&self) -> (String, String);
    /// Sends a request and waits for the response.
    fn send(&mut self, request: &Request) -> Response;
    /// Lets time pass.
    fn advance(&mut self, seconds: u32);
}

/// A request of a case, with its names replaced.
#[derive(Debug, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// The value of a header. The name is case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// A host's response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let known = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, value)| value.as_str())
}

/// A file of exchanges.
pub struct Case {
    path: PathBuf,
    acts: Vec<Act>,
}

enum Act {
    Exchange { line: usize, request: Vec<String>, response: Vec<String> },
    Advance(u32),
}

/// What a case needs of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A virtual line, under the control of tests or not.
    Any,
    /// A virtual line that is not under the control of tests.
    Plain,
    /// A virtual line under the control of tests.
    Tests,
    /// A line that calls real phones.
    RealLine,
}

impl Setting {
    /// Whether a host under the control of tests will do.
    pub fn allows_tests(self) -> bool {
        matches!(self, Self::Any | Self::Tests)
    }
}

impl Case {
    /// All cases in `tests/contract`, by name.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract");
        let files = std::fs::read_dir(&folder).expect("tests/contract can be read");
        let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    /// What the case needs of its host, by its name.
    pub fn setting(&self) -> Setting {
        match self.name().as_str() {
            name if name.starts_with("real-line") => Setting::RealLine,
            "testing-is-off" => Setting::Plain,
            name if name.starts_with("test-") => Setting::Tests,
            _ => Setting::Any,
        }
    }

    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let mut acts = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let place = || format!("{}:{}", path.display(), index + 1);
            let (mark, rest) = line.split_at(line.len().min(1));
            let rest = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
            match (mark, acts.last_mut()) {
                ("" | "#", _) => {}
                (">", Some(Act::Exchange { request, response, .. })) if response.is_empty() => {
                    request.push(rest);
                }
                (">", _) => acts.push(Act::Exchange {
                    line: index + 1,
                    request: vec![rest],
                    response: Vec::new(),
                }),
                ("<", Some(Act::Exchange { response, .. })) => response.push(rest),
                ("@", _) => {
                    let seconds = rest.strip_prefix("advance ").and_then(|text| text.parse().ok());
                    let seconds = seconds.unwrap_or_else(|| panic!("{}: advance what?", place()));
                    acts.push(Act::Advance(seconds));
                }
                _ => panic!("{}: a line begins with one of # > < @", place()),
            }
        }
        Self { path, acts }
    }

    /// The file's name without its extension.
    pub fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Runs the case. Returns the number of exchanges, all of which matched.
    ///
    /// # Errors
    /// The first mismatch: where it is, what was expected, and what was received. A case without
    /// exchanges is also an error.
    pub fn play(&self, host: &mut dyn Host) -> Result<usize, String> {
        let (account, credentials) = host.account();
        let mut names = Names::default();
        names.0.insert("account".into(), account);
        names.0.insert("credentials".into(), credentials);
        let mut played = 0;
        for act in &self.acts {
            match act {
                Act::Advance(seconds) => host.advance(*seconds),
                Act::Exchange { line, request, response } => {
                    let place = format!("{}:{line}", self.path.display());
                    let request =
                        names.request(request).map_err(|why| format!("{place}: {why}"))?;
                    let answer = host.send(&request);
                    names
                        .hold(response, &answer)
                        .map_err(|why| format!("{place}: {why}\nthe answer was {answer:#?}"))?;
                    played += 1;
                }
            }
        }
        if played == 0 { Err(format!("{}: no exchange", self.path.display())) } else { Ok(played) }
    }
}

/// The values bound to names.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn request(&self, lines: &[String]) -> Result<Request, String> {
        let mut request = Request::default();
        let mut lines = lines.iter();
        let first = self.replace(lines.next().map_or("", String::as_str))?;
        let (method, target) = first.split_once(' ').ok_or("expected a method and a target")?;
        (request.method, request.target) = (method.into(), target.into());
        for line in lines.by_ref().take_while(|line| !line.is_empty()) {
            let line = self.replace(line)?;
            let (name, value) = line.split_once(": ").ok_or("expected a header")?;
            request.headers.push((name.into(), value.into()));
        }
        let body: Result<Vec<String>, String> = lines.map(|line| self.replace(line)).collect();
        request.body = body?.concat();
        Ok(request)
    }

    fn replace(&self, text: &str) -> Result<String, String> {
        let mut replaced = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => replaced.push_str(text),
                Piece::Name(name) => {
                    let value =
                        self.0.get(name).ok_or_else(|| format!("{{{name}}} is not bound"))?;
                    replaced.push_str(value);
                }
            }
        }
        Ok(replaced)
    }

    fn hold(&mut self, lines: &[String], answer: &Response) -> Result<(), String> {
        let has_body = lines.iter().any(String::is_empty);
        let mut lines = lines.iter();
        let status = lines.next().map_or("", String::as_str);
        if status != answer.status.to_string() {
            return Err(format!("expected the status {status}"));
        }
        for line in lines.by_ref().take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").ok_or("expected a header")?;
            let came = header(&answer.headers, name).ok_or(format!("expected a header {name}"))?;
            self.fit(value, came)?;
        }
        if !has_body {
            return Ok(());
        }
        let body: Vec<&str> = lines.map(|line| line.trim()).collect();
        let came: Vec<&str> = answer.body.lines().map(str::trim).collect();
        self.fit(&body.concat(), &came.concat())
    }

    /// Matches a text against a pattern, and binds the pattern's unbound names.
    fn fit(&mut self, pattern: &str, text: &str) -> Result<(), String> {
        let mut rest = text;
        for piece in pieces(pattern) {
            let length = match piece {
                Piece::Text(expected) => rest.starts_with(expected).then_some(expected.len()),
                Piece::Name(name) => match self.0.get(name) {
                    Some(value) => rest.starts_with(value.as_str()).then_some(value.len()),
                    None => Shape::of(name)?.length_in(rest),
                },
            };
            let Some(length) = length else {
                let mut why = String::from("expected ");
                match piece {
                    Piece::Text(expected) => write!(why, "{expected:?}"),
                    Piece::Name(name) => write!(why, "{{{name}}}, {:?}", self.0.get(name)),
                }
                .expect("a string can be written to");
                return Err(format!("{why}\nat {rest:?}"));
            };
            let (matched, after) = rest.split_at(length);
            if let Piece::Name(name) = piece {
                self.0.entry(name.into()).or_insert_with(|| matched.into());
            }
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { Err(format!("did not expect {rest:?}")) }
    }
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Splits a text at its names: lower-case letters and digits in braces. Other braces, such as those
/// of JSON, are text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let name = text[open + 1..].split('}').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && text[open + 1 + name.len()..].starts_with('}');
        from = open + 1;
        if is_name {
            pieces.push(Piece::Text(&text[start..open]));
            pieces.push(Piece::Name(name));
            start = open + name.len() + 2;
            from = start;
        }
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces
}

/// What a name can match.
enum Shape {
    /// `{code}`: six digits.
    Code,
    /// `{pn}`, `{ca}`, `{ac}`: a Sid.
    Sid(&'static str),
    /// `{date}`: RFC 2822.
    Date,
    /// `{moment}`: RFC 3339 in UTC.
    Moment,
    /// `{hex}`: hexadecimal digits.
    Hex,
    /// `{text}`: the rest of the text.
    Text,
}

impl Shape {
    fn of(name: &str) -> Result<Self, String> {
        Ok(match name.trim_end_matches(|digit: char| digit.is_ascii_digit()) {
            "code" => Self::Code,
            "pn" => Self::Sid("PN"),
            "ca" => Self::Sid("CA"),
            "ac" => Self::Sid("AC"),
            "date" => Self::Date,
            "moment" => Self::Moment,
            "hex" => Self::Hex,
            "text" => Self::Text,
            _ => return Err(format!("{{{name}}} is not bound, and no shape is called so")),
        })
    }

    fn length_in(&self, text: &str) -> Option<usize> {
        let fixed = |mask: &str| {
            let fits = |(mask, byte): (u8, u8)| match mask {
                b'9' => byte.is_ascii_digit(),
                b'a' => byte.is_ascii_alphabetic(),
                b'x' => byte.is_ascii_hexdigit(),
                mask => byte == mask,
            };
            let fits = text.len() >= mask.len() && mask.bytes().zip(text.bytes()).all(fits);
            fits.then_some(mask.len())
        };
        match self {
            Self::Code => fixed("999999"),
            Self::Sid(prefix) => text
                .starts_with(prefix)
                .then(|| text.bytes().skip(2).take(32).filter(u8::is_ascii_hexdigit).count())
                .filter(|digits| *digits == 32)
                .map(|_| 34),
            Self::Date => fixed("aaa, 99 aaa 9999 99:99:99 +9999"),
            Self::Moment => fixed("9999-99-99T99:99:99.999Z"),
            Self::Hex => Some(text.bytes().take_while(u8::is_ascii_hexdigit).count()),
            Self::Text => Some(text.len()),
        }
    }
}
