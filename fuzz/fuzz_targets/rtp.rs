//! What arrives at a call's port: any packets, from any ports, in any order.

#![no_main]

use callerid_server::line::hear_packets;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packets: Vec<(u16, &[u8])>| hear_packets(&packets));
