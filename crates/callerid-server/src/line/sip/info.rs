//! Keys in the bodies of SIP INFO requests: `application/dtmf-relay` and `application/dtmf`, which
//! no RFC defines, as trunks and phones send them.

use callerid_service::Key;

/// The key in the body of an INFO request; `None` if it has none.
pub(super) fn key(content_type: &str, body: &[u8]) -> Option<Key> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let body = std::str::from_utf8(body).ok()?;
    let signal = if media_type.eq_ignore_ascii_case("application/dtmf-relay") {
        body.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?
    } else if media_type.eq_ignore_ascii_case("application/dtmf") {
        body
    } else {
        return None;
    };
    // Some send * and # as their numbers among RFC 4733's events.
    match signal.trim() {
        "10" => Key::new('*'),
        "11" => Key::new('#'),
        signal => {
            let mut labels = signal.chars();
            labels.next().filter(|_| labels.next().is_none()).and_then(Key::new)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_either_kind_of_body() {
        let relay = |body: &str| key("application/dtmf-relay", body.as_bytes());
        assert_eq!(relay("Signal=5\r\nDuration=160\r\n"), Key::new('5'));
        assert_eq!(relay("Duration=160\nsignal= # \n"), Key::new('#'));
        assert_eq!(relay("Signal=10"), Key::new('*'));
        let plain = |body: &str| key("Application/DTMF; charset=utf-8", body.as_bytes());
        assert_eq!(plain("7\r\n"), Key::new('7'));
        assert_eq!(plain("11"), Key::new('#'));
    }

    #[test]
    fn anything_else_is_no_key() {
        for body in ["", "Signal=", "Signal=A", "Signal=55", "Sig=5", "5", "=\n="] {
            assert_eq!(key("application/dtmf-relay", body.as_bytes()), None, "{body:?}");
        }
        for body in ["", "x", "55", "Signal=5"] {
            assert_eq!(key("application/dtmf", body.as_bytes()), None, "{body:?}");
        }
        assert_eq!(key("application/dtmf", b"\xff"), None);
        assert_eq!(key("text/plain", b"5"), None);
        assert_eq!(key("", b"5"), None);
    }
}
