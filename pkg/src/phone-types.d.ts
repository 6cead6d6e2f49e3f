// The types of callerid/phone.

import type { PhoneNumber } from "./phone-number.js";

/**
 * Why a text is no phone number:
 *
 * | reason | the text |
 * |---|---|
 * | `empty` | is empty or blank |
 * | `too-short`, `too-long` | has fewer or more than ten digits |
 * | `another-country` | is an international number of another country than +1 |
 * | `extension` | has an extension: see {@link PhoneNumber.parseWithExtension} |
 * | `area-code` | has an invalid area code: it begins with 0 or 1, or is a service code like 911 |
 * | `unassigned-area-code` | has an area code that nobody has |
 * | `exchange` | has an invalid exchange (the three digits after the area code), or one without numbers there |
 * | `stray-text` | has something in it that is no part of a number |
 * | `text-too-long` | has more than 250 characters |
 * | `two-numbers` | has two numbers, or a number with two extensions |
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
 * What a number is for, as far as the numbering plan tells. In the US and Canada nearly all are `fixed-line-or-mobile`;
 * `unassigned` is only a number that was withdrawn since it was read: see {@link PhoneNumber.parsePossible}.
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

/** What {@link PhoneNumber.check} finds. */
export type PhoneNumberCheck =
  | { readonly ok: true; readonly phoneNumber: PhoneNumber }
  | {
      readonly ok: false;
      readonly reason: InvalidPhoneNumberReason;
      /** What is wrong, where (the offset is {@link at}), and what would be right. */
      readonly message: string;
      /** Where it is: an index into the string, as `slice` and `setSelectionRange` take it. */
      readonly at: number;
    };
