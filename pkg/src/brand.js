// `instanceof` across copies of the package: a page and its worker's bundle, or two versions of it, have a class each.

/** The key of a class's name in its prototype. */
export const BRAND = Symbol.for("callerid.brand");

/**
 * Implements `Symbol.hasInstance` by brand. For a subclass, which has no brand of its own, `instanceof` works as usual.
 *
 * @param {Function} type
 * @param {any} value
 * @returns {boolean}
 */
export function hasInstance(type, value) {
  if (!Object.hasOwn(type.prototype, BRAND)) return Function.prototype[Symbol.hasInstance].call(type, value);
  return typeof value === "object" && value?.[BRAND] === type.prototype[BRAND];
}
