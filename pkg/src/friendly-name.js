import { core } from "./wasm.js";

export const FriendlyName = /* @__PURE__ */ Object.freeze({
  get limit() {
    return core().friendlyNameLimit();
  },

  check(text) {
    const [length, reason, message, at] = core().checkFriendlyName(text);
    return reason === undefined ? { ok: true, length } : { ok: false, length, reason, message, at };
  },

  defaultFor(phoneNumber) {
    return core().defaultFriendlyName(phoneNumber.toString());
  },
});

export const CallDelay = /* @__PURE__ */ Object.freeze({
  get limit() {
    return core().callDelayLimit();
  },
});
