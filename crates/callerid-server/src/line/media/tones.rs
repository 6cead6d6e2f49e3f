//! Keys as tones (ITU-T Q.23, Q.24): two sines at once, found in the sound by Goertzel's filters.

use std::f32::consts::TAU;

use callerid_service::Key;

use super::SAMPLE_RATE;

/// The frequencies of the rows of a keypad, in Hz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
/// The frequencies of its columns. The fourth column's keys, A to D, are no telephone's.
const COLUMNS: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYPAD: [[char; 3]; 4] = [['1', '2', '3'], ['4', '5', '6'], ['7', '8', '9'], ['*', '0', '#']];

/// The samples that are looked at together: 25.6 ms, which separates neighbouring frequencies.
const BLOCK: usize = 205;
/// A block begins every so many samples.
const HOP: usize = 103;
/// So many blocks in a row have the key: it is found after 51 to 64 ms. A gateway that sends events
/// instead of tones lets less of a tone through before it mutes it.
const BLOCKS_DOWN: u32 = 3;
/// So many blocks in a row without the key end it, so that a click does not press it twice.
const BLOCKS_UP: u32 = 2;

/// The least energy of a tone a sample, about -30 dBm0.
const LEAST_ENERGY: f32 = 200.0 * 200.0;
/// The least part of a block's energy that is in the two frequencies. Speech spreads it.
const LEAST_PART: f32 = 0.75;
/// By how much one of the two may be stronger than the other: 8 dB.
const TWIST: f32 = 6.3;
/// By how much each must be stronger than the next of its group: 8 dB.
const MARGIN: f32 = 6.3;

/// Finds keys in a sound.
#[derive(Debug, Default)]
pub(super) struct ToneDetector {
    samples: Vec<f32>,
    /// The key of the last blocks, and in how many in a row it was.
    candidate: Option<(Key, u32)>,
    /// The key that is down, and in how many blocks since it was not found.
    down: Option<(Key, u32)>,
}

impl ToneDetector {
    /// Listens to a sound. Returns the keys that were found in it.
    pub(super) fn listen(&mut self, sound: impl IntoIterator<Item = i16>) -> Vec<Key> {
        self.samples.extend(sound.into_iter().map(f32::from));
        let mut keys = Vec::new();
        while let Some(block) = self.samples.get(..BLOCK) {
            let found = key_of(block);
            keys.extend(self.step(found));
            self.samples.drain(..HOP);
        }
        keys
    }

    fn step(&mut self, found: Option<Key>) -> Option<Key> {
        self.candidate = match (found, self.candidate) {
            (Some(key), Some((last, blocks))) if key == last => Some((key, blocks + 1)),
            (found, _) => found.map(|key| (key, 1)),
        };
        if let Some((key, without)) = &mut self.down {
            *without = if found == Some(*key) { 0 } else { *without + 1 };
            if *without >= BLOCKS_UP {
                self.down = None;
            }
        }
        let (key, blocks) = self.candidate?;
        if blocks < BLOCKS_DOWN || self.down.is_some_and(|(down, _)| down == key) {
            return None;
        }
        self.down = Some((key, 0));
        Some(key)
    }
}

/// The key whose two tones are a block's sound.
fn key_of(block: &[f32]) -> Option<Key> {
    let energy: f32 = block.iter().map(|sample| sample * sample).sum();
    let samples = block.len() as f32;
    if energy < LEAST_ENERGY * samples {
        return None;
    }
    let (row, row_power) = strongest(&ROWS.map(|frequency| power(block, frequency)))?;
    let (column, column_power) = strongest(&COLUMNS.map(|frequency| power(block, frequency)))?;
    let is_even = row_power < column_power * TWIST && column_power < row_power * TWIST;
    // A sine has half of the square of its power in the block times the samples.
    let part = 2.0 * (row_power + column_power) / (samples * energy);
    (is_even && part >= LEAST_PART)
        .then(|| KEYPAD.get(row)?.get(column).copied().and_then(Key::new))
        .flatten()
}

/// The strongest of a group and its power, if it is so by the margin.
fn strongest(powers: &[f32; 4]) -> Option<(usize, f32)> {
    let (at, power) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != at);
    others.into_iter().all(|(_, other)| other * MARGIN < power).then_some((at, power))
}

/// The power of a frequency in a block, by Goertzel's algorithm.
fn power(block: &[f32], frequency: f32) -> f32 {
    let coefficient = 2.0 * (TAU * frequency / SAMPLE_RATE as f32).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in block {
        (last, before) = (sample + coefficient * last - before, last);
    }
    last * last + before * before - coefficient * last * before
}

/// The samples of a digit's tones: so many, each of the two with this amplitude.
pub(super) fn tone(digit: char, samples: usize, amplitude: f32) -> Option<Vec<i16>> {
    let (row, keys) = KEYPAD.iter().enumerate().find(|(_, keys)| keys.contains(&digit))?;
    let column = keys.iter().position(|key| *key == digit)?;
    let (low, high) = (*ROWS.get(row)?, *COLUMNS.get(column)?);
    let sine = |frequency: f32, at: usize| {
        (TAU * frequency * at as f32 / SAMPLE_RATE as f32).sin() * amplitude
    };
    Some((0..samples).map(|at| (sine(low, at) + sine(high, at)) as i16).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: &str = "123456789*0#";

    fn millis(millis: usize) -> usize {
        SAMPLE_RATE as usize * millis / 1_000
    }

    /// A sound of these digits with their pauses, in milliseconds.
    fn sound(digits: &str, down: usize, pause: usize, amplitude: f32) -> Vec<i16> {
        let mut sound = vec![0; millis(37)];
        for digit in digits.chars() {
            sound.extend(tone(digit, millis(down), amplitude).unwrap());
            sound.extend(std::iter::repeat_n(0, millis(pause)));
        }
        sound
    }

    fn listen(sound: impl IntoIterator<Item = i16>) -> String {
        let keys = ToneDetector::default().listen(sound);
        LABELS
            .chars()
            .flat_map(|label| keys.iter().enumerate().map(move |(at, key)| (at, *key, label)))
            .filter(|(_, key, label)| Key::new(*label) == Some(*key))
            .map(|(at, _, label)| (at, label))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_values()
            .collect()
    }

    /// Even noise from a fixed seed.
    fn noise(amplitude: i32) -> impl Iterator<Item = i16> {
        let mut state = 1_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) as i32 % (2 * amplitude + 1) - amplitude) as i16
        })
    }

    #[test]
    fn every_key_is_found_quick_or_slow_loud_or_soft() {
        for (down, pause) in [(70, 60), (100, 100), (500, 300)] {
            for amplitude in [600.0, 4_000.0, 12_000.0] {
                assert_eq!(listen(sound(LABELS, down, pause, amplitude)), LABELS, "{down} ms");
            }
        }
    }

    #[test]
    fn a_digit_that_is_pressed_twice_is_two_keys() {
        assert_eq!(listen(sound("1177", 70, 60, 4_000.0)), "1177");
    }

    #[test]
    fn keys_are_found_in_noise_and_after_g711() {
        for codec in super::super::Codec::ALL {
            let sound = sound(LABELS, 80, 70, 4_000.0);
            let noisy = sound.iter().zip(noise(800)).map(|(sample, noise)| sample + noise);
            assert_eq!(listen(noisy.map(|it| codec.decode(codec.encode(it)))), LABELS);
        }
    }

    #[test]
    fn a_short_tone_a_single_one_and_one_that_is_off_are_no_keys() {
        assert_eq!(listen(sound("5", 35, 100, 4_000.0)), "");
        let sine = |frequency: f32| {
            (0..millis(300)).map(move |at| {
                ((TAU * frequency * at as f32 / SAMPLE_RATE as f32).sin() * 6_000.0) as i16
            })
        };
        for frequency in [440.0, 770.0, 1336.0] {
            assert_eq!(listen(sine(frequency)), "", "{frequency} Hz");
        }
        // Dial tone: 350 and 440 Hz.
        assert_eq!(listen(sine(350.0).zip(sine(440.0)).map(|(a, b)| a + b)), "");
    }

    #[test]
    fn ten_minutes_of_speech_and_a_minute_of_noise_have_no_key() {
        let prompts = super::super::Prompts::ENGLISH;
        let speech = || prompts.all();
        let seconds = speech().count() / SAMPLE_RATE as usize;
        // Each time at another volume, and so against other thresholds.
        for round in 0..600_usize.div_ceil(seconds.max(1)) {
            let volume = 0.2 + round as f32 * 0.05;
            let speech = speech()
                .map(|byte| (f32::from(super::super::Codec::Pcmu.decode(*byte)) * volume) as i16);
            assert_eq!(listen(speech), "", "round {round}");
        }
        assert_eq!(listen(noise(8_000).take(millis(60_000))), "");
    }
}
