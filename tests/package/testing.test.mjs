// callerid/testing: the program `callerid`, started by a test.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";
import { CallerIdClient } from "callerid";
import { startServer } from "callerid/testing";
import { PROGRAM } from "./harness.mjs";

const seed = { callerIds: [{ phoneNumber: "(415) 867-5309", friendlyName: "Bob" }], codes: { "*": "042917" } };

test("a server starts with its seed, and stops", async () => {
  const server = await startServer({ program: PROGRAM, seed });
  const { url: baseUrl, accountSid, authToken } = server;
  const client = new CallerIdClient({ accountSid, authToken, baseUrl });
  assert.deepEqual((await client.list()).items.map(({ friendlyName }) => friendlyName), ["Bob"]);
  const request = await client.create({ phoneNumber: "2125550171" });
  assert.equal(request.validationCode, "042917");
  assert.equal((await client.waitUntilValidated(request)).phoneNumber, "2125550171");
  await server.stop();
  await assert.rejects(client.list());
  await server.stop();
});

test("a program that is absent, or does not serve, is named with its own words", async () => {
  await assert.rejects(startServer({ program: "no-such-callerid" }), /no-such-callerid is not on the PATH: .*CALLERID_PROGRAM/);
  await assert.rejects(startServer({ program: PROGRAM, args: ["--no-such-option"] }), /ended: .*unexpected argument '--no-such-option'/s);
  await assert.rejects(startServer({ program: PROGRAM, seed: { callerIds: [{ phoneNumber: "banana" }] } }), /ended: .*caller_ids\[0\]\.phone_number/s);
});

test("a server neither outlives its process nor keeps it alive", async () => {
  const script = `import { startServer } from "callerid/testing"; console.log((await startServer({ program: ${JSON.stringify(PROGRAM)} })).url);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  await ends(stdout.trim());
});

test("a server does not outlive a process that is told to end", async () => {
  const script = `import { startServer } from "callerid/testing"; console.log((await startServer({ program: ${JSON.stringify(PROGRAM)} })).url); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(child.stdout, "data");
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "close"), [null, "SIGTERM"]);
  await ends(String(url).trim());
});

/** Waits until nobody serves an address. */
async function ends(url) {
  const deadline = Date.now() + 10_000;
  while (await fetch(url).then(() => true, () => false)) assert.ok(Date.now() < deadline, "it still serves");
}
