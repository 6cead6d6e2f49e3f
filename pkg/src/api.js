// What callerid exports.

export * from "./api-client.js";
export * from "./api-mock.js";
