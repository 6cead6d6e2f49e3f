// With only lib es2022, without the types of a platform.
import {
  CallControl,
  CallerIdClient,
  PhoneNumber,
  parseResponse,
  revive,
  type ApiVersion,
  type CallStatus,
  type CallerIdPage,
  type ClientOptions,
  isRestException,
  type OutgoingCallerId,
  ValidationFailed,
} from "callerid";
import { MockApi } from "callerid/mock";
import { init as initMock } from "callerid/mock/slim";
import { PhoneNumber as PhoneAlone } from "callerid/phone";
import { init as initPhone } from "callerid/phone/url";
import { init } from "callerid/slim";
import { startServer, type TestServer } from "callerid/testing";

const checked = PhoneNumber.check("415-555-121");
export const at: number = checked.ok ? checked.phoneNumber.national.length : checked.at;
export const connect: (options: ClientOptions) => CallerIdClient = (options) => new CallerIdClient(options);
export const kind: string = PhoneAlone.parse("415-867-5309").kind;
export const words = checked.ok ? "" : `${checked.incomplete satisfies boolean} ${checked.digits satisfies number | undefined} of ${checked.expected ?? 10}`;
export const caret: number = PhoneNumber.format("4158", 4).caret;
export const read: PhoneNumber[] = [PhoneNumber.from("4158675309"), PhoneNumber.from({ digits: "4158675309" })];
export const revived: unknown = JSON.parse("{}", revive);
// @ts-expect-error a number is read from its digits
PhoneNumber.from({ number: "4158675309" });
// @ts-expect-error the constructor is private
new PhoneNumber();

const mock = new MockApi({ seed: [{ phoneNumber: "415-867-5309" }], now: new Date(0) });
mock.addEventListener("call", ({ call }) => call.answer().press("012345").status satisfies CallStatus);
mock.addEventListener("change", ({ change }) => (change.type === "call" ? change.call.dueAt : change.id));
// @ts-expect-error no such event
mock.addEventListener("ring", () => {});

const options: ClientOptions = { accountSid: mock.accountSid, authToken: mock.authToken, baseUrl: "http://x", fetch: mock.fetch };
const client = new CallerIdClient(options);
new CallControl(options);
for (const apiVersion of ["2008-08-01", "2010-04-01", undefined] satisfies (ApiVersion | undefined)[]) new CallerIdClient({ ...options, apiVersion });
// @ts-expect-error no such version
new CallerIdClient({ ...options, apiVersion: "2009-01-01" });
// @ts-expect-error the control surface has no versions
new CallControl({ accountSid: "", authToken: "", baseUrl: "", apiVersion: "2010-04-01" });
export const callSid: Promise<string | null> = client
  .create({ phoneNumber: "415-867-5309", extension: "1ww2", statusCallback: "https://example.com/", statusCallbackMethod: "GET" })
  .then((request) => request.callSid);
// @ts-expect-error neither GET nor POST
client.create({ phoneNumber: "", statusCallbackMethod: "PUT" });
export const total = (page: CallerIdPage): number | null => page.total satisfies number | null;
// @ts-expect-error it can be null
export const pages = (page: CallerIdPage): number => page.pages;
export async function all(): Promise<OutgoingCallerId[]> {
  const found: OutgoingCallerId[] = [];
  for await (const callerId of client.listAll({ pageSize: 2 })) found.push(callerId);
  return found;
}

export async function validate(): Promise<OutgoingCallerId | string> {
  const patient = new CallerIdClient({ ...options, timeout: 1_000, retries: 2 });
  try {
    return await patient.waitUntilValidated(await patient.create({ phoneNumber: "415-867-5309" }), { pollInterval: 100 });
  } catch (error) {
    if (isRestException(error)) return String(error.code satisfies number | null);
    if (error instanceof ValidationFailed) return error.reason satisfies Exclude<CallStatus, "queued" | "ringing" | "in-progress">;
    throw error;
  }
}

const answer = parseResponse(new Uint8Array());
switch (answer.type) {
  case "caller-ids":
    answer.items satisfies OutgoingCallerId[];
    break;
  case "exception":
    answer.exception.code satisfies number | null;
    break;
  case "caller-id":
  case "validation-request":
    break;
  default:
    answer satisfies never;
}

export const loaded: Promise<void>[] = [init({ client: new Uint8Array(), phone: new Uint8Array() }), initMock(new Uint8Array()), initPhone()];
export const started: Promise<TestServer> = startServer({ program: "callerid", seed: { callerIds: [{ phoneNumber: "415-867-5309" }] } });
export const stopped: Promise<void> = started.then((server) => server.stop());
