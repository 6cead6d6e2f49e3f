// What callerid exports.

export * from "./api-client.js";
export { MockApi } from "./mock.js";
export * from "./mock-types.js";
