//! G.711: 16-bit samples as bytes, by ITU-T's two laws.

/// A law of G.711.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// µ-law, of North America and Japan.
    Pcmu,
    /// A-law, of everywhere else.
    Pcma,
}

/// The bias of µ-law, so that its segments begin at powers of two.
const BIAS: i32 = 0x84;
/// The largest sample that µ-law can express, without the bias.
const CLIP: i32 = 32_635;

impl Codec {
    /// Both, in the order of preference.
    pub(crate) const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// RTP's payload type (RFC 3551).
    pub(crate) const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The byte for a sample.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcmu => {
                let sign = if sample < 0 { 0x80 } else { 0 };
                let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
                let segment = magnitude.ilog2() as i32 - 7;
                let step = (magnitude >> (segment + 3)) & 0x0f;
                !(sign | (segment << 4) as u8 | step as u8)
            }
            Self::Pcma => {
                let sign = if sample < 0 { 0 } else { 0x80 };
                let magnitude = if sample < 0 { !i32::from(sample) } else { sample.into() };
                let coded = match magnitude {
                    0..256 => magnitude >> 4,
                    _ => {
                        let segment = magnitude.ilog2() as i32 - 7;
                        (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)
                    }
                };
                (coded as u8 | sign) ^ 0x55
            }
        }
    }

    /// The sample of a byte.
    pub(crate) fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Pcmu => {
                let byte = !byte;
                let step = i32::from(byte & 0x0f);
                let magnitude = (((step << 3) + BIAS) << ((byte >> 4) & 7)) - BIAS;
                (if byte & 0x80 == 0 { magnitude } else { -magnitude }) as i16
            }
            Self::Pcma => {
                let byte = byte ^ 0x55;
                let (segment, step) = ((byte >> 4) & 7, i32::from(byte & 0x0f));
                let magnitude = match segment {
                    0 => (step << 4) + 8,
                    _ => ((step << 4) + 0x108) << (segment - 1),
                };
                (if byte & 0x80 == 0 { -magnitude } else { magnitude }) as i16
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_as_g711_has_them() {
        let known = [
            (Codec::Pcmu, 0x00, -32_124),
            (Codec::Pcmu, 0x80, 32_124),
            (Codec::Pcmu, 0xff, 0),
            (Codec::Pcmu, 0x7f, 0),
            (Codec::Pcmu, 0xf0, 120),
            (Codec::Pcma, 0xaa, 32_256),
            (Codec::Pcma, 0x2a, -32_256),
            (Codec::Pcma, 0xd5, 8),
            (Codec::Pcma, 0x55, -8),
        ];
        for (codec, byte, sample) in known {
            assert_eq!(codec.decode(byte), sample, "{codec:?} {byte:#04x}");
        }
    }

    #[test]
    fn every_byte_comes_back_and_every_sample_is_near() {
        for codec in Codec::ALL {
            for byte in 0..=u8::MAX {
                let sample = codec.decode(byte);
                assert_eq!(codec.decode(codec.encode(sample)), sample, "{codec:?} {byte:#04x}");
            }
            for sample in i16::MIN..=i16::MAX {
                let distance = i32::from(sample) - i32::from(codec.decode(codec.encode(sample)));
                let allowed = (i32::from(sample).abs() / 24).max(16);
                assert!(distance.abs() <= allowed, "{codec:?} {sample}: {distance}");
            }
        }
    }
}
