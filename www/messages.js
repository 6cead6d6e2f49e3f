// The words for the user: errors, and what is said. The core has the rules.

import { FriendlyName, InvalidPhoneNumber, RestException, UnexpectedResponse } from "./callerid.js";

/** Capitalizes a text, unless it starts with a host name. */
export const capital = (text) => (/^[a-z]+( |$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

/** Says how much of a number is typed. */
export const unfinished = ({ digits, expected }) => `${digits} of ${expected} digits`;

/** Explains why a name is invalid. */
export const nameProblem = ({ reason, length }) => (reason === "too-long"
  ? `That name has ${length} characters. A name has at most ${FriendlyName.limit}.`
  : "That name has a character that cannot be shown.");

/** The reasons for which it helps to show the position. */
const MARKED = new Set(["extension", "stray-text", "two-numbers"]);

/** The text before, at and after the error; `null` if the position does not help. */
export function excerpt(text, { reason, at }) {
  if (!MARKED.has(reason) || at >= text.length) return null;
  const rest = text.slice(at);
  const length = /^\+?\p{Nd}+/u.exec(rest)?.[0].length ?? [...rest][0].length;
  return [text.slice(Math.max(0, at - 16), at), rest.slice(0, length), rest.slice(length, length + 16)];
}

/** The field that an error of the service is about, by the error's code. */
const FIELD_OF_CODE = {
  20002: "friendly-name",
  21401: "phone-number",
  21450: "phone-number",
  21454: "call-delay",
};

/**
 * Explains the error of a request. `kind` is `refused` (the credentials), `unreachable`, `slow` or `answer`; `text` is the
 * message for the user; `field` is the id of the field it is about, if any.
 */
export function explain(error, connection) {
  const where = connection.name;
  if (error instanceof RestException) {
    if (error.status === 401) {
      return { kind: "refused", text: `${capital(where)} does not accept these credentials.` };
    }
    return { kind: "answer", text: ANSWERS[error.code] ?? sentence(error.message), field: FIELD_OF_CODE[error.code], code: error.code };
  }
  if (error instanceof UnexpectedResponse) {
    return { kind: "unreachable", text: `${capital(where)} answers, but not as this API does (HTTP ${error.status}).` };
  }
  if (error instanceof InvalidPhoneNumber) {
    return { kind: "answer", text: error.message, field: "phone-number" };
  }
  if (error?.name === "TimeoutError") {
    return { kind: "slow", text: `${capital(where)} did not answer within ${connection.patience / 1000} seconds.` };
  }
  if (error instanceof TypeError) {
    return { kind: "unreachable", text: `Cannot connect to ${where}.` };
  }
  return { kind: "answer", text: sentence(error?.message ?? String(error)) };
}

/** Errors of the service whose own message is not in the user's words. */
const ANSWERS = {
  21450: "You have already validated this number.",
};

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Separates digits so that a screen reader reads them one by one, in groups of three. */
export const spelled = (digits) => digits.replace(/\d/g, "$& ").trim().replace(/^(\d \d \d) /, "$1, ");

export const attemptsLeft = ({ entriesLeft }) => `${entriesLeft} ${entriesLeft === 1 ? "attempt" : "attempts"} left`;

/** Formats seconds as words: `1 minute 5 seconds`. */
export function spokenSeconds(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  const parts = [];
  if (minutes > 0) parts.push(`${minutes} ${minutes === 1 ? "minute" : "minutes"}`);
  if (rest > 0 || minutes === 0) parts.push(`${rest} ${rest === 1 ? "second" : "seconds"}`);
  return parts.join(" ");
}

/** Formats seconds as a clock: `9:05`. */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
