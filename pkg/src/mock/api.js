// What callerid exports.

export { CallerIdClient } from "./client.js";
export { CallControl } from "./control.js";
export { parseResponse } from "./documents.js";
export { InvalidDocument, RestException, UnexpectedResponse } from "./errors.js";
export { CallDelay, FriendlyName } from "./friendly-name.js";
export { MockApi } from "./mock.js";
export { InvalidPhoneNumber, PhoneNumber } from "./phone-number.js";
