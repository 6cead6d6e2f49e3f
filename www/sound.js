// The phone's sounds, off by default: the North American ringing tone, and the tones of the keys (ITU-T Q.23).

const RING_HZ = [440, 480];
const RING_SECONDS = 2;
const RING_PERIOD_MS = 6000;
const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477];
const KEYS = "123456789*0#";

export class Sound {
  #context = null;
  #ringing = null;
  #isRinging = false;

  isOn = false;

  /** Turns sounds on or off. Call it from a click handler: browsers require a user gesture. */
  turn(isOn) {
    this.isOn = isOn;
    if (isOn) {
      this.#context ??= new AudioContext();
      this.#context.resume();
    }
    this.ring(this.#isRinging);
  }

  /** Starts or stops ringing. */
  ring(isRinging) {
    this.#isRinging = isRinging;
    const isHeard = isRinging && this.isOn;
    if (isHeard === (this.#ringing !== null)) return;
    if (isHeard) {
      const once = () => this.#play(RING_HZ, RING_SECONDS, 0.08);
      once();
      this.#ringing = setInterval(once, RING_PERIOD_MS);
    } else {
      clearInterval(this.#ringing);
      this.#ringing = null;
      this.#silence?.();
    }
  }

  /** Plays the tone of a key. */
  key(label) {
    const at = KEYS.indexOf(label);
    if (this.isOn && at >= 0) this.#play([ROWS_HZ[Math.floor(at / 3)], COLUMNS_HZ[at % 3]], 0.12, 0.06);
  }

  #silence = null;

  #play(frequencies, seconds, volume) {
    const context = this.#context;
    const gain = context.createGain();
    const start = context.currentTime;
    const end = start + seconds;
    // Fades in and out, to avoid clicks.
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(volume, start + 0.01);
    gain.gain.setValueAtTime(volume, end - 0.02);
    gain.gain.linearRampToValueAtTime(0, end);
    gain.connect(context.destination);
    const oscillators = frequencies.map((frequency) => {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(start);
      oscillator.stop(end);
      return oscillator;
    });
    this.#silence = () => oscillators.forEach((oscillator) => oscillator.stop());
  }
}
