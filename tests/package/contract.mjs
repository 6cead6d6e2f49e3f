// The contract's cases over the mock: served to the contract's own player, which starts each case with a fresh account.

import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { environment, run } from "./harness.mjs";

const TEST = ["test", "--locked", "--package", "callerid-tests", "--test", "contract", "--", "--ignored", "the_mock_keeps_the_contract"];

export async function contract() {
  // Imported here, because `run.mjs` installs the package first.
  const { MockApi } = await import("callerid/mock");
  let mock = new MockApi();
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    if (url === "/fresh") {
      mock.free();
      mock = new MockApi({ accountSid: headers.account, authToken: headers.token });
      response.end();
      return;
    }
    const body = method === "GET" || method === "HEAD" ? undefined : await buffer(request);
    try {
      const answer = await mock.fetch(`http://localhost${url}`, { method, headers, body });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body) await pipeline(answer.body, response);
      else response.end();
    } catch {
      // A fault loses the connection.
      response.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  environment.CALLERID_MOCK = `127.0.0.1:${server.address().port}`;
  try {
    const { stdout } = await run("cargo", TEST);
    if (!stdout.includes("1 passed")) throw new Error(stdout);
  } finally {
    server.close();
    mock.free();
  }
}
