// What tests control of a mock: its clock, seed, faults and phones, over the control surface of `callerid serve --test`.

import { PhoneNumber } from "./phone-number.js";

/** @import { Seed } from "./mock-types.js" */

/**
 * The JSON of a document: its properties have the names of the wire, `phone_number` for `phoneNumber`. Keys that are numbers or `*`
 * stay as they are.
 *
 * @param {unknown} document
 */
export function toWire(document) {
  /** @param {string} name */
  const snakeCase = (name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return JSON.stringify(document, (_, value) => (isObject(value) ? renamed(value, snakeCase) : value));
}

/**
 * The object that a document of the wire is in JavaScript.
 *
 * @param {any} value
 * @returns {any}
 */
export function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (!isObject(value)) return value;
  const camelCase = (/** @type {string} */ name) => name.replace(/_[a-z]/g, (letter) => letter.slice(1).toUpperCase());
  const object = renamed(value, camelCase);
  for (const name of Object.keys(object)) object[name] = fromWire(object[name]);
  return object;
}

/**
 * @param {any} value
 * @returns {value is Record<string, any>}
 */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param {Record<string, any>} object
 * @param {(name: string) => string} rename
 */
const renamed = (object, rename) => Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), value]));

/**
 * The document of a seed.
 *
 * @param {Seed} seed
 */
export function seedDocument({ callerIds = [], codes = {}, phones = {} }) {
  const rows = callerIds.map(({ phoneNumber, friendlyName, ...rest }) => ({
    phoneNumber: PhoneNumber.parse(phoneNumber.toString()),
    // An empty name counts as none, as in the API.
    friendlyName: friendlyName || undefined,
    ...rest,
  }));
  return toWire({ callerIds: rows, codes, phones });
}
