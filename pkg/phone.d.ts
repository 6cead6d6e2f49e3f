/**
 * Phone numbers alone, in a third of the bytes. Its classes are its own: a number of `callerid/phone` is not an
 * instance of `callerid`'s `PhoneNumber`, though it is taken wherever a number's text is.
 *
 * @module callerid/phone
 */

export { InvalidPhoneNumber, PhoneNumber } from "./index.js";
export type { InvalidPhoneNumberReason, PhoneNumberCheck, PhoneNumberKind } from "./index.js";
