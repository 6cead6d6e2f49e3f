// With the types of a platform.
import { CallControl, CallerIdClient } from "callerid";
import { MockApi } from "callerid/mock";
import { startServer } from "callerid/testing";

using mock = new MockApi();
export const like: typeof fetch = mock.fetch;
const options = { accountSid: "", authToken: "", baseUrl: new URL("http://x"), fetch };
new CallerIdClient(options).list({ page: 1 }, { signal: AbortSignal.timeout(1) });
export const answered: Promise<Response> = mock.fetch(new Request("http://x"));
mock.addEventListener("change", (event) => event.preventDefault(), { once: true });
for await (const change of new CallControl(options).events({ signal: AbortSignal.timeout(1) })) change.type;
await using server = await startServer();
new CallerIdClient({ ...server, baseUrl: server.url });
