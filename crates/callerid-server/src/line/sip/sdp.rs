//! The offer of sound in an INVITE, and its answer (RFC 3264): G.711 at 8 kHz, and keys as
//! telephone events (RFC 4733). There is no SRTP.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use sdp_types::attributes::RtpMap;
use sdp_types::{Attribute, Connection, Media, MediaType, Origin, Session, Time, TransportProto};

use crate::line::media::{Codec, Remote};

/// The payload type of keys in offers. Answers may choose another one.
const TELEPHONE_EVENT: u8 = 101;
const CLOCK_RATE: u32 = 8000;

/// The offer: sound at this address, in either kind of G.711, with keys.
pub(super) fn offer(address: SocketAddr) -> Vec<u8> {
    let mut audio = Media::new(MediaType::Audio, address.port(), TransportProto::RtpAvp, "0 8 101");
    for (payload_type, encoding) in [(0, "PCMU"), (8, "PCMA"), (TELEPHONE_EVENT, "telephone-event")]
    {
        audio.add_attribute(RtpMap::new(payload_type, encoding, CLOCK_RATE));
    }
    audio.add_attribute(Attribute::with_value("fmtp", format_args!("{TELEPHONE_EVENT} 0-15")));
    audio.add_attribute(Attribute::with_value("ptime", 20));
    audio.add_attribute(Attribute::new("sendrecv"));
    let mut session = Session::new(Origin::with_ip_addr("0", 0, address.ip()), "callerid");
    session.set_connection(Connection::from_ip_addr(address.ip()));
    session.add_time(Time::new(0, 0));
    session.medias.push(audio);
    let mut text = Vec::new();
    // Writing to memory does not fail.
    session.write(&mut text).unwrap_or_default();
    text
}

/// Where the other side wants sound and how, from its answer or from an offer of its own.
///
/// # Errors
/// [`UnusableSdp`] if it does not parse, or has no sound of a kind that was offered.
pub(super) fn remote(sdp: &[u8]) -> Result<Remote, UnusableSdp> {
    let session = Session::parse(sdp).map_err(|_| UnusableSdp::Invalid)?;
    let is_audio = |media: &&Media| media.media == "audio" && media.port != 0;
    let audio = session.medias.iter().find(is_audio).ok_or(UnusableSdp::NoAudio)?;
    if audio.proto != "RTP/AVP" {
        return Err(UnusableSdp::NoAudio);
    }
    let connection = audio.connections.first().or(session.connection.as_ref());
    let address: IpAddr = connection
        .and_then(|connection| connection.connection_address.parse().ok())
        .ok_or(UnusableSdp::NoAddress)?;
    let formats = audio.fmt.split_ascii_whitespace().filter_map(|format| format.parse::<u8>().ok());
    let codec_of = |format| Codec::ALL.into_iter().find(|codec| codec.payload_type() == format);
    let codec = formats.clone().find_map(codec_of);
    let is_keys = |map: &RtpMap| {
        map.encoding_name.eq_ignore_ascii_case("telephone-event") && map.clock_rate == CLOCK_RATE
    };
    let maps = audio.attributes_typed::<RtpMap>().filter_map(Result::ok);
    let keys = maps.filter(is_keys).map(|map| map.payload_type);
    Ok(Remote {
        address: SocketAddr::new(address, audio.port),
        codec: codec.ok_or(UnusableSdp::NoCodec)?,
        telephone_event: keys.into_iter().find(|keys| formats.clone().any(|it| it == *keys)),
    })
}

/// Why nothing can be heard or said as the other side's SDP has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnusableSdp {
    Invalid,
    NoAudio,
    NoAddress,
    NoCodec,
}

impl fmt::Display for UnusableSdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "its SDP is invalid",
            Self::NoAudio => "its SDP has no audio over RTP/AVP",
            Self::NoAddress => "its SDP has no address",
            Self::NoCodec => "its SDP has neither PCMU nor PCMA",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(media: &str) -> Result<Remote, UnusableSdp> {
        let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
        remote(format!("{head}{media}").as_bytes())
    }

    #[test]
    fn an_offer_is_usable_for_the_other_side() {
        let address = "192.0.2.7:10000".parse().unwrap();
        let offered = offer(address);
        let expected = Remote { address, codec: Codec::Pcmu, telephone_event: Some(101) };
        assert_eq!(remote(&offered), Ok(expected), "{}", String::from_utf8_lossy(&offered));
    }

    #[test]
    fn the_first_known_codec_is_chosen_and_keys_are_optional() {
        let found =
            answer("m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n");
        let address = "192.0.2.1:4000".parse().unwrap();
        let expected = Remote { address, codec: Codec::Pcma, telephone_event: Some(96) };
        assert_eq!(found, Ok(expected));
        let found = answer("m=audio 4000 RTP/AVP 0\r\na=rtpmap:101 telephone-event/8000\r\n");
        assert_eq!(found.unwrap().telephone_event, None);
        let found = answer("m=audio 4000 RTP/AVP 0 97\r\na=rtpmap:97 telephone-event/16000\r\n");
        assert_eq!(found.unwrap().telephone_event, None);
    }

    #[test]
    fn a_medias_own_address_wins_over_the_sessions() {
        let found = answer("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n");
        assert_eq!(found.unwrap().address, "192.0.2.9:4000".parse().unwrap());
    }

    #[test]
    fn what_cannot_be_heard_is_refused() {
        assert_eq!(remote(b"\xff"), Err(UnusableSdp::Invalid));
        assert_eq!(remote(b""), Err(UnusableSdp::Invalid));
        assert_eq!(answer(""), Err(UnusableSdp::NoAudio));
        assert_eq!(answer("m=audio 0 RTP/AVP 0\r\n"), Err(UnusableSdp::NoAudio));
        assert_eq!(answer("m=audio 4000 RTP/SAVP 0\r\n"), Err(UnusableSdp::NoAudio));
        assert_eq!(answer("m=video 4000 RTP/AVP 0\r\n"), Err(UnusableSdp::NoAudio));
        assert_eq!(answer("m=audio 4000 RTP/AVP 18 101\r\n"), Err(UnusableSdp::NoCodec));
        let named = answer("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 example.com\r\n");
        assert_eq!(named, Err(UnusableSdp::NoAddress));
    }
}
