//! What a callee answers to the offer of sound: any bytes.

#![no_main]

use callerid_server::line::sip::read_sdp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sdp: &[u8]| read_sdp(sdp));
