import { InvalidDocument, InvalidPhoneNumber, RestException, UnexpectedResponse, ValidationFailed } from "./errors.js";

const DATES = new Set(["dateCreated", "dateUpdated", "createdAt", "dueAt", "expiresAt", "ringingAt", "answeredAt", "endedAt"]);

/**
 * Reads back the JSON of the package's values, with `JSON.parse(text, revive)`: the dates of caller IDs and calls, alone or in pages and
 * changes, and errors. (A phone number's JSON is a string: see {@link PhoneNumber.from}.)
 *
 * @param {string} key
 * @param {any} value
 * @returns {unknown}
 */
export function revive(key, value) {
  if (typeof value === "string") return DATES.has(key) ? new Date(value) : value;
  switch (value?.name) {
    case "InvalidPhoneNumber":
      return new InvalidPhoneNumber(value.reason, value.message, value.at, value);
    case "InvalidDocument":
      return new InvalidDocument(value.message, value.at);
    case "RestException":
      return new RestException(value.status, value.message, value.code, value.moreInfo);
    case "UnexpectedResponse":
      return new UnexpectedResponse(value.status, value.message);
    case "ValidationFailed":
      return new ValidationFailed(value.call);
    default:
      return value;
  }
}
