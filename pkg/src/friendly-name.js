import { core } from "./wasm.js";

/** @import { FriendlyNameCheck } from "./client-types.js" */
/** @import { PhoneNumber } from "./phone-number.js" */

/** The rules for what a person calls a number. White space at either end is kept; case matters. */
export const FriendlyName = /* @__PURE__ */ Object.freeze({
  /** The longest name, in Unicode scalar values: 64. */
  get limit() {
    return core().friendlyNameLimit();
  },

  /**
   * Whether a text is a name. The empty text is: a caller ID that is given it gets its default name.
   *
   * @param {string} text
   * @returns {FriendlyNameCheck}
   */
  check(text) {
    return core().checkFriendlyName(text);
  },

  /**
   * The name of a caller ID that was given none: the number nicely formatted, `(415) 867-5309`.
   *
   * @param {PhoneNumber} phoneNumber
   */
  defaultFor(phoneNumber) {
    return core().defaultFriendlyName(phoneNumber.toString());
  },
});

/** The rules for how long a call waits. */
export const CallDelay = /* @__PURE__ */ Object.freeze({
  /** The longest delay, in seconds: 60. */
  get limit() {
    return core().callDelayLimit();
  },
});
