// What callerid/phone exports.

export { InvalidPhoneNumber } from "../errors.js";
export { PhoneNumber } from "../phone-number.js";
export * from "../phone-types.js";
