//! `callerid normalize` as a filter.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;
use std::thread;

use crate::harness::callerid;

#[test]
fn lines_are_answered_as_they_come_and_the_status_tells_of_failures() {
    let command = &mut callerid();
    command.args(["normalize", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for (line, expected) in [
        ("(415) 867.5309\r\n", r#"{"input":"(415) 867.5309","phone_number":"4158675309"}"#),
        ("867-5309\n", r#""error":{"reason":"too-short","message":""#),
    ] {
        input.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn large_input_is_processed_in_order() {
    let command = &mut callerid();
    command.arg("normalize").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        for line in 0..200_000 {
            writeln!(input, "(415) 867-{:04}", line % 10_000).unwrap();
        }
    });
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    writer.join().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(output.lines().count(), 200_000);
    assert!(
        output
            .lines()
            .enumerate()
            .all(|(line, answer)| { answer == format!("415867{:04}", line % 10_000) })
    );
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let command = &mut callerid();
    command.arg("normalize").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    while input.write_all(&b"4158675309\n".repeat(1000)).is_ok() {}
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
