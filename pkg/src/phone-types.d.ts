// The types of callerid/phone.

import type { PhoneNumber } from "./phone-number.js";

/**
 * Why a string is not a valid phone number:
 *
 * | reason | the string |
 * |---|---|
 * | `empty` | is empty or blank |
 * | `too-short`, `too-long` | has fewer or more than ten digits |
 * | `another-country` | is an international number with a country code other than +1 |
 * | `extension` | has an extension: see {@link PhoneNumber.parseWithExtension} |
 * | `area-code` | has an invalid area code: it begins with 0 or 1, or is a service code like 911 |
 * | `unassigned-area-code` | has an area code that is not assigned |
 * | `exchange` | has an invalid exchange (the three digits after the area code), or one without numbers in that area |
 * | `stray-text` | contains text that is not part of a number |
 * | `text-too-long` | has more than 250 characters |
 * | `two-numbers` | contains two numbers, or a number with two extensions |
 */
export type InvalidPhoneNumberReason =
  | "empty"
  | "too-short"
  | "too-long"
  | "another-country"
  | "extension"
  | "area-code"
  | "exchange"
  | "unassigned-area-code"
  | "stray-text"
  | "text-too-long"
  | "two-numbers";

/**
 * The kind of a number, according to the numbering plan. In the US and Canada nearly all are `fixed-line-or-mobile`. Only
 * numbers that have left the plan since they were validated are `unassigned`: see {@link PhoneNumber.parsePossible}.
 */
export type PhoneNumberKind =
  | "unassigned"
  | "fixed-line"
  | "mobile"
  | "fixed-line-or-mobile"
  | "toll-free"
  | "premium-rate"
  | "shared-cost"
  | "personal-number"
  | "voip"
  | "pager"
  | "uan"
  | "voicemail";

/** The result of {@link PhoneNumber.check}. */
export type PhoneNumberCheck =
  | { readonly ok: true; readonly phoneNumber: PhoneNumber }
  | {
      readonly ok: false;
      readonly reason: InvalidPhoneNumberReason;
      /** What is wrong, where (the offset is {@link at}), and what would be valid. */
      readonly message: string;
      /** The position of the error: an index into the string, as for `slice` and `setSelectionRange`. */
      readonly at: number;
    };
