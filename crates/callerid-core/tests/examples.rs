//! Tests of the examples.

#[path = "../examples/decode_list.rs"]
#[expect(dead_code, reason = "its `main` is for the example")]
mod decode_list;
#[path = "../examples/normalize.rs"]
#[expect(dead_code, reason = "its `main` is for the example")]
mod normalize;

#[test]
fn normalize_writes_ten_digits_or_what_is_wrong() {
    let mut output = Vec::new();
    normalize::normalize(&b"(415) 867.5309\n1 800 555 0199\n415-555-121\n"[..], &mut output)
        .unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "4158675309  (415) 867-5309  fixed-line-or-mobile\n\
         8005550199  (800) 555-0199  toll-free\n\
         too few digits: 9 at offset 11, where a number has 10, like 415-555-0123\n"
    );
}

#[test]
fn decode_list_writes_a_line_for_each_caller_id() {
    let mut output = Vec::new();
    let list = include_bytes!("fixtures/caller-ids.xml");
    decode_list::decode_list(&list[..], &mut output).unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "2 of 2:\n\
         4158675309  Bob Cell Phone  Tue, 01 Apr 2008 11:26:32 -0700\n\
         4158675310  Company Main Line  Tue, 01 Apr 2008 11:26:32 -0700\n"
    );
    let error = decode_list::decode_list(&b"<TwilioResponse>"[..], Vec::new()).unwrap_err();
    assert!(error.to_string().contains("at byte"), "{error}");
}
