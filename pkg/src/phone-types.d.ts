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

/** The values of a reason: what its message says in words. Those that the reason does not have are absent. */
export interface InvalidPhoneNumberValues {
  /** `too-short` and `too-long`: the number of digits. */
  readonly digits?: number | undefined;
  /** `too-short` and `too-long`: the number of digits that a number has, 10. */
  readonly expected?: number | undefined;
  /** `another-country`: its code, such as 44; 0 if no country has it. */
  readonly country?: number | undefined;
  /** `area-code` and `unassigned-area-code`, and `exchange` if this area code has no such exchange: three digits. */
  readonly areaCode?: number | undefined;
  /** `exchange`: the three digits after the area code. */
  readonly exchange?: number | undefined;
  /** `stray-text`: the character that is not part of a number. */
  readonly stray?: string | undefined;
}

/** The result of {@link PhoneNumber.check}. */
export type PhoneNumberCheck =
  | { readonly ok: true; readonly phoneNumber: PhoneNumber }
  | ({
      readonly ok: false;
      readonly reason: InvalidPhoneNumberReason;
      /**
       * Whether it becomes a valid number if the right digits are typed after it: while somebody types, show an error only if this is
       * `false`. `"4"` is incomplete. `"911"` is not, because no area code begins so.
       */
      readonly incomplete: boolean;
      /** What is wrong, for the person who typed it. */
      readonly message: string;
      /** The position of the error: an index into the string, as for `slice` and `setSelectionRange`. */
      readonly at: number;
    } & InvalidPhoneNumberValues);

/** The result of {@link PhoneNumber.format}. */
export interface FormattedPhoneNumber {
  readonly text: string;
  /** The caret's index in the text, after the same digit as before. */
  readonly caret: number;
}
