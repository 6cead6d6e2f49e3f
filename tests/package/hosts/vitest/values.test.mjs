// Vitest's equality, whose rules differ from Node's.

import { expect, test, vi } from "vitest";
import { PhoneNumber, RestException } from "callerid";

const [number, same, other] = ["415-867-5309", "(415) 867.5309", "212-555-0123"].map((text) => PhoneNumber.parse(text));

test("two numbers are different, and one is itself", () => {
  expect(number).toEqual(same);
  expect(number).toStrictEqual(same);
  expect(number).not.toEqual(other);
  expect(number).not.toStrictEqual(other);
  expect({ to: [number] }).not.toEqual({ to: [other] });
  expect({ to: number, name: "Bob" }).toMatchObject({ to: same });
  expect({ to: number }).not.toMatchObject({ to: other });
  expect([number]).toContainEqual(same);
  expect([number]).not.toContainEqual(other);
});

test("a spy was called with one number and not with another", () => {
  const dial = vi.fn();
  dial(number);
  expect(dial).toHaveBeenCalledWith(same);
  expect(dial).not.toHaveBeenCalledWith(other);
});

test("two exceptions are different", () => {
  expect(new RestException(400, "no", 21450)).toEqual(new RestException(400, "no", 21450));
  expect(new RestException(400, "no", 21450)).not.toEqual(new RestException(400, "no", 21401));
});
