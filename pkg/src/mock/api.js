// What callerid/mock exports.

export { MockApi } from "./mock-api.js";
export * from "../mock-types.js";
