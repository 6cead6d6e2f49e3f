// What callerid/phone exports.

export { InvalidPhoneNumber, PhoneNumber } from "./phone-number.js";
