// What callerid/mock exports.

export { MockApi } from "./mock.js";
export * from "./mock-types.js";
