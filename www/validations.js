// The validations that this page requested: the one that the panel shows, and those whose calls may still be answered.

import { PhoneNumber } from "./callerid.js";
import { isUnderWay } from "./progress.js";
import { keep, recall } from "./session-storage.js";

export class Validations {
  /** Newest first. */
  all = [];
  /** The one that the panel shows; `null` if none. */
  shown = null;
  /** Where a reload finds them; `undefined` for a connection that a reload forgets. */
  #place;

  /** Starts over for a connection. Returns the request to fill in the form again after a reload, if any. */
  reset(connection) {
    this.#place = connection && connection.kind !== "url" ? `validations.${connection.kind}` : undefined;
    this.all = ((this.#place && recall(this.#place)) ?? []).map((kept) => completed({ ...kept, isSilent: true }));
    [this.shown = null] = this.all;
    return this.shown?.isVerified === false ? this.shown.parameters : undefined;
  }

  /** Adds a validation that was just requested; `known` are the calls before it. */
  add(parameters, { phoneNumber, validationCode }, known) {
    this.shown = completed({ parameters, phoneNumber, code: validationCode, known, isVerified: false, skew: 0 });
    this.all = [this.shown, ...this.all];
  }

  /** Updates all from the calls. `facts` are about the connection. Returns those that have just succeeded. */
  follow(calls, facts) {
    const before = this.all.filter((it) => it.isVerified);
    for (const own of this.all) {
      Object.assign(own, facts);
      const call = own.callSid ? calls.get(own.callSid) : calls.all().find((it) => it.phoneNumber === own.phoneNumber && !own.known.includes(it.callSid));
      if (!call) continue;
      if (!own.callSid) own.skew = skewOf(call);
      Object.assign(own, { call, callSid: call.callSid });
      own.isVerified ||= call.verificationStatus === "success";
    }
    return this.all.filter((it) => it.isVerified && !before.includes(it));
  }

  /** Those whose number is in a list of caller IDs have succeeded. Returns these. */
  find(callerIds) {
    const listed = new Set(callerIds.map((callerId) => callerId.phoneNumber));
    const found = this.all.filter((it) => isUnderWay(it) && listed.has(it.phoneNumber));
    for (const it of found) it.isVerified = true;
    return found;
  }

  /** Shows the validation of this call, unless the call of the shown one is still to come. Then stores all. */
  show(callSid) {
    const isToCome = this.shown && (!this.shown.call || this.shown.call.status === "queued");
    if (callSid && !isToCome) this.shown = this.all.find((it) => it.callSid === callSid) ?? this.shown;
    this.all = this.all.filter((it) => it === this.shown || isUnderWay(it));
    if (!this.#place) return;
    keep(this.#place, this.all.map(({ parameters, phoneNumber, code, known, callSid, skew, isVerified }) => (
      { parameters, phoneNumber, code, known, callSid, skew, isVerified })));
  }

  /** Forgets those of calls that the account no longer has. */
  forget(calls) {
    const gone = new Set(calls.map((call) => call.callSid));
    this.all = this.all.filter((it) => !gone.has(it.callSid));
    if (gone.has(this.shown?.callSid)) [this.shown = null] = this.all;
  }

  /** After an error about a number, shows nothing of another, unless its call can still be answered. */
  forgetAnother(phoneNumber) {
    const check = PhoneNumber.check(phoneNumber);
    const isSame = check.ok && check.phoneNumber.toString() === this.shown?.phoneNumber;
    if (isSame || isUnderWay(this.shown)) return;
    this.shown = null;
    this.all = this.all.filter(isUnderWay);
  }
}

function completed(validation) {
  const { national } = PhoneNumber.parsePossible(validation.phoneNumber);
  return { ...validation, national, call: null, entriesAtFirst: 3 };
}

/** How far the server's clock is ahead of this one, in milliseconds, judging by a call that was just created. */
function skewOf(call) {
  const skew = call.createdAt - Date.now();
  return Math.abs(skew) > 2000 ? skew : 0;
}
