// Requests of the test control, under `/_callerid/`.

import { RestException, UnexpectedResponse } from "../callerid.js";

/**
 * Sends a request with a JSON document, or with the text of one, and returns the JSON of the response. The page's log has only what
 * changes something: what the drawer reads, it reads all the time.
 */
export async function send({ send, options: { signal } }, method, path, document) {
  const body = document === undefined || typeof document === "string" ? document : JSON.stringify(document);
  const response = await send(`/_callerid/${path}`, { method, body, signal, isUnlogged: method === "GET" });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  if (typeof answer?.message === "string") throw new RestException(response.status, answer.message, answer.code);
  throw new UnexpectedResponse(response.status, "no answer of the test control");
}
