//! What the README gives to copy.

/// A published client for Go sends credentials of letters and digits only: it refuses others itself.
#[test]
fn the_sample_credentials_are_letters_and_digits() {
    let readme = include_str!("../README.md");
    for name in ["CALLERID_ACCOUNT_SID=", "CALLERID_AUTH_TOKEN="] {
        let (_, rest) = readme.split_once(name).unwrap_or_default();
        let value = rest.split_whitespace().next().unwrap_or_default();
        let is_sendable = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric());
        assert!(is_sendable, "{name}{value}");
    }
}
