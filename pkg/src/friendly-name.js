import { client } from "./wasm.js";

/** @import { FriendlyNameCheck } from "./client-types.js" */
/** @import { PhoneNumber } from "./phone-number.js" */

/** The rules for friendly names. Leading and trailing white space is kept; case matters. */
export const FriendlyName = /* @__PURE__ */ Object.freeze({
  /** The maximum length of a name: 64 Unicode scalar values. */
  get limit() {
    return client().friendlyNameLimit();
  },

  /**
   * Checks a name. The empty string is valid: it means the default name.
   *
   * @param {string} text
   * @returns {FriendlyNameCheck}
   */
  check(text) {
    return client().checkFriendlyName(text);
  },

  /**
   * The name of a caller ID that was created without one: the formatted number, `(415) 867-5309`.
   *
   * @param {PhoneNumber} phoneNumber
   */
  defaultFor(phoneNumber) {
    return client().defaultFriendlyName(phoneNumber.toString());
  },
});

/** The rules for call delays. */
export const CallDelay = /* @__PURE__ */ Object.freeze({
  /** The maximum delay: 60 seconds. */
  get limit() {
    return client().callDelayLimit();
  },
});
