// What callerid exports.

export * from "./phone/api.js";
export { CallerIdClient } from "./client.js";
export * from "./client-types.js";
export { CallControl } from "./control.js";
export { parseResponse } from "./documents.js";
export { InvalidDocument, RestException, UnexpectedResponse, ValidationFailed, isRestException } from "./errors.js";
export { CallDelay, FriendlyName } from "./friendly-name.js";
export { revive } from "./revive.js";
