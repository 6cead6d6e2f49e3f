//! Telephone events (RFC 4733): keys as packets of their own.

use callerid_service::Key;

use super::FRAME;

/// The bytes of a payload.
const BYTES: usize = 4;
/// The end bit, in the second byte.
const END: u8 = 0x80;
/// The volume of events that are sent: -10 dBm0.
const VOLUME: u8 = 10;
/// How many packets, one a frame, tell of a key while it is down. RFC 4733 wants at least 40 ms.
const FRAMES_DOWN: usize = 5;
/// How often the last packet is sent (RFC 4733, section 2.5.1.4).
const ENDS: usize = 3;
/// The keys, by their event code.
const KEYS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];
/// A key that is held for longer goes on as an event whose timestamp is so much later.
const LONGEST: u32 = 0xffff;

/// Reads the events of a source, each of which arrives in several packets.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    /// The last event: its timestamp, its code, and whether its end was seen.
    last: Option<(u32, u8, bool)>,
}

impl EventReader {
    /// The key of a payload, if its event is new. An event is new by its timestamp: its other packets
    /// may be lost, repeated or late.
    pub(super) fn read(&mut self, timestamp: u32, payload: &[u8]) -> Option<Key> {
        let [code, flags, _, _] = *payload.first_chunk::<BYTES>()?;
        let has_ended = flags & END != 0;
        let key = KEYS.get(usize::from(code)).copied().and_then(Key::new);
        let is_new = match &mut self.last {
            None => true,
            Some((then, is, ended)) => {
                let later = timestamp.wrapping_sub(*then);
                if later == 0 {
                    *ended |= has_ended;
                    return None;
                }
                // Half of all timestamps are before the last one.
                if later > u32::MAX / 2 {
                    return None;
                }
                *is != code || *ended || later != LONGEST
            }
        };
        self.last = Some((timestamp, code, has_ended));
        key.filter(|_| is_new)
    }
}

/// The payloads of an event for this digit, one a frame. All have the timestamp of the first one.
pub(super) fn payloads(digit: char) -> Option<Vec<[u8; BYTES]>> {
    let code = KEYS.iter().position(|key| *key == digit)? as u8;
    let payload = |frames: usize, flags: u8| {
        let [high, low] = ((frames * FRAME) as u16).to_be_bytes();
        [code, flags | VOLUME, high, low]
    };
    let down = (1..=FRAMES_DOWN).map(|frames| payload(frames, 0));
    let ends = (0..ENDS).map(|_| payload(FRAMES_DOWN + 1, END));
    Some(down.chain(ends).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that are read from these packets: a timestamp, a code, and whether it is the end.
    fn read(packets: &[(u32, u8, bool)]) -> Vec<Option<Key>> {
        let mut reader = EventReader::default();
        let payload = |code, end| [code, if end { END } else { 0 }, 0, 160];
        packets.iter().map(|(at, code, end)| reader.read(*at, &payload(*code, *end))).collect()
    }

    fn key(label: char) -> Option<Key> {
        Key::new(label)
    }

    #[test]
    fn a_key_is_read_once_at_its_first_packet() {
        let packets = [(100, 5, false), (100, 5, false), (100, 5, true), (100, 5, true)];
        assert_eq!(read(&packets), [key('5'), None, None, None]);
    }

    #[test]
    fn a_key_is_read_though_all_its_packets_but_one_are_lost() {
        assert_eq!(read(&[(100, 1, true), (900, 1, false)]), [key('1'), key('1')]);
    }

    #[test]
    fn a_digit_that_is_pressed_twice_is_two_keys() {
        let packets = [(100, 7, false), (100, 7, true), (1_000, 7, false), (1_000, 7, true)];
        assert_eq!(read(&packets), [key('7'), None, key('7'), None]);
    }

    #[test]
    fn packets_of_an_earlier_key_that_come_late_are_not_read_again() {
        let packets = [(100, 1, false), (900, 2, false), (100, 1, true), (900, 2, true)];
        assert_eq!(read(&packets), [key('1'), key('2'), None, None]);
        let start = u32::MAX - 50;
        assert_eq!(read(&[(start, 3, false), (200, 4, false)]), [key('3'), key('4')]);
    }

    #[test]
    fn a_key_that_is_held_is_one_key() {
        let packets = [(100, 9, false), (100 + LONGEST, 9, false), (100 + LONGEST, 9, true)];
        assert_eq!(read(&packets), [key('9'), None, None]);
    }

    #[test]
    fn other_events_and_short_payloads_are_no_keys() {
        assert_eq!(read(&[(100, 10, false), (900, 11, false)]), [key('*'), key('#')]);
        assert_eq!(read(&[(100, 12, false), (900, 255, true)]), [None, None]);
        let mut reader = EventReader::default();
        assert_eq!(reader.read(1, &[1, 0, 0]), None);
        assert_eq!(reader.read(1, &[]), None);
    }

    #[test]
    fn what_is_sent_is_read_as_the_same_key() {
        for label in KEYS {
            let payloads = payloads(label).unwrap();
            assert_eq!(payloads.len(), FRAMES_DOWN + ENDS);
            let mut reader = EventReader::default();
            let keys: Vec<_> = payloads.iter().filter_map(|it| reader.read(8, it)).collect();
            assert_eq!(keys, [key(label).unwrap()]);
        }
        assert_eq!(payloads('w'), None);
    }
}
