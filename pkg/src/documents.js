import { InvalidDocument, RestException, UnexpectedResponse } from "./errors.js";
import { core, encoder } from "./wasm.js";

export function parseResponse(body, contentType) {
  const [type, ...rest] = core().decodeDocument(typeof body === "string" ? encoder.encode(body) : body, contentType ?? undefined);
  switch (type) {
    case "caller-ids":
      return { type, ...toList(rest) };
    case "caller-id":
      return { type, callerId: toRows(rest[0])[0] };
    case "validation-request":
      return { type, validationRequest: toValidationRequest(rest) };
    case "exception":
      return { type, exception: new RestException(...rest) };
    default:
      throw new InvalidDocument(...rest);
  }
}

/** What a client's request is answered with; throws what refuses it. */
export function toAnswer([type, ...rest], status) {
  switch (type) {
    case "caller-ids":
      return [toList(rest), rest[7], rest[8]];
    case "caller-id":
      return toRows(rest[0])[0];
    case "validation-request":
      return toValidationRequest(rest);
    case "nothing":
      return undefined;
    case "exception":
      throw new RestException(...rest);
    default: {
      const [message, invalid] = rest;
      throw new UnexpectedResponse(status, message, invalid && { cause: new InvalidDocument(invalid[1], invalid[2]) });
    }
  }
}

function toList([page, pageSize, pages, total, start, end, rows]) {
  return { items: toRows(rows), page, pageSize, pages: pages ?? null, total: total ?? null, start, end };
}

function toRows(json) {
  const values = JSON.parse(json);
  const rows = new Array(values.length / 6);
  for (let row = 0, at = 0; row < rows.length; row++, at += 6) {
    rows[row] = {
      sid: values[at],
      accountSid: values[at + 1],
      friendlyName: values[at + 2],
      phoneNumber: values[at + 3],
      dateCreated: new Date(values[at + 4]),
      dateUpdated: new Date(values[at + 5]),
    };
  }
  return rows;
}

function toValidationRequest([accountSid, phoneNumber, friendlyName, validationCode, callSid]) {
  return { accountSid, callSid: callSid ?? null, phoneNumber, friendlyName: friendlyName ?? null, validationCode };
}
