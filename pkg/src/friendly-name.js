import { core } from "./wasm.js";

export const FriendlyName = /* @__PURE__ */ Object.freeze({
  get limit() {
    return core().friendlyNameLimit();
  },

  check(text) {
    return core().checkFriendlyName(text);
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
