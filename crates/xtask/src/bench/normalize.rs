//! Normalises one million mixed inputs, natively, on one thread.
//!
//! Each run generates the same inputs from a fixed seed: 70 % are valid numbers of the United
//! States and Canada, evenly distributed over eight formats; 30 % are junk, evenly distributed over
//! ten kinds; in random order. No contender's behaviour influenced their selection.
//!
//! | valid | junk |
//! |---|---|
//! | `4158675309` | nine digits, `415-867-530` |
//! | `415-867-5309` | twelve digits, `415867530912` |
//! | `(415) 867-5309` | an impossible area code, `(115) 867-5309` |
//! | `415.867.5309` | an impossible exchange, `415-067-5309` |
//! | `1-415-867-5309` | another country's number, `+44 20 7946 0123` |
//! | `+14158675309` | the same dialled, `011442079460123` |
//! | `+1 415 867 5309` | a date, `2024-05-17` |
//! | `tel:+1-415-867-5309` | a word, `unknown` |
//! | | an e-mail address, `caller415@example.com` |
//! | | words after a number, `415-867-5309 home` |
//!
//! Each contender takes an input as a `&str`, and decides whether it is a valid number with country
//! code 1, and which. The last one only collects an input's digits, and shows the minimum work that
//! any contender must do. The measure is the thread's CPU time if the system reports it (Linux), so
//! that other load has less influence; otherwise it is wall-clock time.

use super::{Row, Table};
use callerid_core::{InvalidPhoneNumber, PhoneNumber};
use rlibphonenumber::PHONE_NUMBER_UTIL;
use rlibphonenumber::enums::Region;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{fs, thread};

const INPUTS: usize = 1_000_000;
/// Each pass covers all inputs. The result is the median of the passes.
const PASSES: usize = 5;
/// A contender that has taken this long gets no further passes.
const LONG_ENOUGH: Duration = Duration::from_secs(8);

pub(super) fn run() -> Table {
    let text = inputs();
    let inputs: Vec<&str> = text.lines().collect();
    let rows = vec![
        measure("callerid", &inputs, callerid, |number| number.is_ok()),
        measure("phonenumber", &inputs, phonenumber, |number| number.is_some()),
        measure("rlibphonenumber", &inputs, rlibphonenumber, |number| number.is_some()),
        measure("digits only", &inputs, digits_only, |(_, count)| *count > 0),
    ];
    Table {
        title: format!(
            "Normalising {INPUTS} mixed inputs (70 % valid in eight formats, 30 % junk), one thread"
        ),
        unit: "ns per number",
        rows,
    }
}

fn measure<T>(
    name: &str,
    inputs: &[&str],
    normalize: fn(&str) -> T,
    accepts: fn(&T) -> bool,
) -> Row {
    let mut accepted = 0;
    let mut passes = Vec::new();
    let begin = Instant::now();
    while passes.len() < PASSES && (passes.is_empty() || begin.elapsed() < LONG_ENOUGH) {
        let start = Stopwatch::start();
        accepted =
            inputs.iter().filter(|input| accepts(&black_box(normalize(black_box(input))))).count();
        passes.push(start.nanoseconds() / inputs.len() as f64);
    }
    passes.sort_by(f64::total_cmp);
    let share = accepted as f64 * 100.0 / inputs.len() as f64;
    let note = format!("{} passes, accepts {share:.1} %", passes.len());
    Row { name: name.to_owned(), figure: passes[passes.len() / 2], note }
}

struct Stopwatch {
    start: Instant,
    start_of_processor_time: Option<u64>,
}

impl Stopwatch {
    fn start() -> Self {
        Stopwatch { start: Instant::now(), start_of_processor_time: processor_time() }
    }

    fn nanoseconds(&self) -> f64 {
        match (processor_time(), self.start_of_processor_time) {
            (Some(end), Some(start)) => (end - start) as f64,
            _ => self.start.elapsed().as_nanos() as f64,
        }
    }
}

/// This thread's CPU time in nanoseconds.
fn processor_time() -> Option<u64> {
    // Yielding makes the kernel account for the time since its last tick.
    thread::yield_now();
    let times = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    times.split(' ').next()?.parse().ok().filter(|time| *time > 0)
}

fn callerid(input: &str) -> Result<PhoneNumber, InvalidPhoneNumber> {
    PhoneNumber::parse(input)
}

fn phonenumber(input: &str) -> Option<phonenumber::PhoneNumber> {
    let number = phonenumber::parse(Some(phonenumber::country::US), input).ok()?;
    (number.code().value() == 1 && number.is_valid()).then_some(number)
}

fn rlibphonenumber(input: &str) -> Option<rlibphonenumber::PhoneNumber> {
    let number = PHONE_NUMBER_UTIL.parse(input, Some(Region::US)).ok()?;
    (number.country_code == 1 && number.is_valid()).then_some(number)
}

/// The first sixteen digits, and the number of digits.
fn digits_only(input: &str) -> ([u8; 16], usize) {
    let mut digits = [0; 16];
    let mut count = 0;
    for byte in input.bytes() {
        if byte.is_ascii_digit() {
            if let Some(digit) = digits.get_mut(count) {
                *digit = byte;
            }
            count += 1;
        }
    }
    (digits, count)
}

/// The inputs, one per line.
fn inputs() -> String {
    let mut random = Random(0x4158_6753_0900_0001);
    let mut text = String::new();
    for _ in 0..INPUTS {
        if random.below(10) < 7 {
            valid(&mut text, &mut random);
        } else {
            junk(&mut text, &mut random);
        }
        text.push('\n');
    }
    text
}

/// Area codes in the United States and Canada in which every exchange from 200 on is valid.
const AREA_CODES: [u32; 16] =
    [201, 212, 303, 312, 404, 415, 416, 503, 514, 604, 617, 702, 713, 805, 905, 919];

fn valid(text: &mut String, random: &mut Random) {
    let area = AREA_CODES[random.below(AREA_CODES.len())];
    let exchange = 200 + random.below(800);
    let line = random.below(10_000);
    match random.below(8) {
        0 => write!(text, "{area}{exchange}{line:04}"),
        1 => write!(text, "{area}-{exchange}-{line:04}"),
        2 => write!(text, "({area}) {exchange}-{line:04}"),
        3 => write!(text, "{area}.{exchange}.{line:04}"),
        4 => write!(text, "1-{area}-{exchange}-{line:04}"),
        5 => write!(text, "+1{area}{exchange}{line:04}"),
        6 => write!(text, "+1 {area} {exchange} {line:04}"),
        _ => write!(text, "tel:+1-{area}-{exchange}-{line:04}"),
    }
    .expect("a String takes what is written");
}

fn junk(text: &mut String, random: &mut Random) {
    let area = AREA_CODES[random.below(AREA_CODES.len())];
    let exchange = 200 + random.below(800);
    let line = random.below(10_000);
    match random.below(10) {
        0 => write!(text, "{area}-{exchange}-{:03}", line / 10),
        1 => write!(text, "{area}{exchange}{line:04}{:02}", random.below(100)),
        2 => write!(text, "(1{:02}) {exchange}-{line:04}", area % 100),
        3 => write!(text, "{area}-0{:02}-{line:04}", exchange % 100),
        4 => write!(text, "+44 20 79{:02} {line:04}", exchange % 100),
        5 => write!(text, "011442079{:02}{line:04}", exchange % 100),
        6 => write!(text, "20{:02}-{:02}-{:02}", line % 30, 1 + line % 12, 1 + exchange % 28),
        7 => write!(text, "{}", ["unknown", "anonymous", "n/a", "front desk"][line % 4]),
        8 => write!(text, "caller{area}@example.com"),
        _ => write!(text, "{area}-{exchange}-{line:04} home"),
    }
    .expect("a String takes what is written");
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The multiplication maps the upper half of the bits to the range.
        (((mixed >> 32) * end as u64) >> 32) as usize
    }
}
