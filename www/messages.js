// What went wrong, for people. The rules and their messages are the core's; here they are put where a person looks.

import { InvalidPhoneNumber, RestException, UnexpectedResponse } from "./callerid.js";

/** The core's message without its offsets: the page marks the place instead. */
export function forPeople(message) {
  const text = message.replace(/ is at offset \d+/, " is marked").replace(/,? at offset \d+/g, "");
  return capital(text);
}

/** A text as the beginning of a sentence; the name of a host stays as it is. */
export const capital = (text) => (/^[a-z]+( |$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

/** The reasons of which the place in the text is worth showing. */
const MARKED = new Set([
  "too-long", "another-country", "extension", "area-code", "exchange", "unassigned-area-code", "stray-text",
  "two-numbers",
]);

/** The text around what is wrong with it, in three parts; `null` where its place says nothing. */
export function excerpt(text, { reason, at }) {
  if (!MARKED.has(reason) || at >= text.length) return null;
  const rest = text.slice(at);
  const length = /^\+?\p{Nd}+/u.exec(rest)?.[0].length ?? [...rest][0].length;
  const marked = ["area-code", "exchange", "unassigned-area-code"].includes(reason) ? 3 : length;
  return [text.slice(Math.max(0, at - 16), at), rest.slice(0, marked), rest.slice(marked, marked + 16)];
}

/** Which field a refusal of the service is about. */
const FIELD_OF_CODE = {
  20002: "friendly-name",
  21401: "phone-number",
  21450: "phone-number",
  21454: "call-delay",
};

/**
 * What became of a request: `kind` is `refused` (credentials), `unreachable`, `slow` or `answer`; `text` says it to a
 * person; `field` is the id of the field it is about, if any.
 */
export function explain(error, connection) {
  const where = connection.name;
  if (error instanceof RestException) {
    if (error.status === 401) {
      return { kind: "refused", text: `${capital(where)} does not accept these credentials.` };
    }
    return { kind: "answer", text: sentence(error.message), field: FIELD_OF_CODE[error.code], code: error.code };
  }
  if (error instanceof UnexpectedResponse) {
    return { kind: "unreachable", text: `What answers at ${where} is not this API (HTTP ${error.status}).` };
  }
  if (error instanceof InvalidPhoneNumber) {
    return { kind: "answer", text: sentence(forPeople(error.message)), field: "phone-number" };
  }
  if (error?.name === "TimeoutError") {
    return { kind: "slow", text: `${capital(where)} did not answer within ${connection.patience / 1000} seconds.` };
  }
  if (error instanceof TypeError) {
    return { kind: "unreachable", text: `Cannot connect to ${where}.` };
  }
  return { kind: "answer", text: sentence(error?.message ?? String(error)) };
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Digits that a screen reader reads one by one, in threes. */
export const spelled = (digits) => digits.replace(/\d/g, "$& ").trim().replace(/^(\d \d \d) /, "$1, ");

/** How often a code may still be entered in a call. */
export const attemptsLeft = ({ entriesLeft }) => `${entriesLeft} ${entriesLeft === 1 ? "attempt" : "attempts"} left`;

/** Seconds as a person says them: `1 minute 5 seconds`. */
export function spokenSeconds(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  const parts = [];
  if (minutes > 0) parts.push(`${minutes} ${minutes === 1 ? "minute" : "minutes"}`);
  if (rest > 0 || minutes === 0) parts.push(`${rest} ${rest === 1 ? "second" : "seconds"}`);
  return parts.join(" ");
}

/** Seconds as a clock shows them: `9:05`. */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
