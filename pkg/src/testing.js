/**
 * `callerid serve` for the tests of programs in Node, Deno and Bun: in a process of its own, on a free port, in memory.
 *
 * @module callerid/testing
 */

// @ts-ignore: hosts that run programs provide its type.
import { spawn } from "node:child_process";
// @ts-ignore
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
// @ts-ignore
import { tmpdir } from "node:os";
// @ts-ignore
import { join } from "node:path";
// @ts-ignore
import process from "node:process";
import { toWire } from "./mock/test-control.js";

/** @import { StartOptions, TestServer } from "./testing-types.js" */

export * from "./testing-types.js";

/** How long a server may take to start. It takes milliseconds. */
const PATIENCE_MILLISECONDS = 30_000;
/** How often to look whether it has started. */
const LOOK_EVERY_MILLISECONDS = 5;
/** What ends a process without the event `exit`. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** How much of what it says on standard error is kept, for an error message. */
const EXCERPT_CHARACTERS = 4_000;

/**
 * Starts a server that is under the control of tests, as docs/testing.md describes. It ends with this process, or with {@link TestServer.stop}.
 *
 * @param {StartOptions} [options]
 * @returns {Promise<TestServer>}
 * @throws {Error} if the program is not found, or ends before it serves. The message has its own words.
 */
export async function startServer({ program = process.env.CALLERID_PROGRAM ?? "callerid", args = [], seed } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "callerid-"));
  const ready = join(folder, "ready.json");
  try {
    const options = ["serve", "--test", "--ephemeral", "--listen", "127.0.0.1:0", "--ready-file", ready];
    if (seed) {
      await writeFile(join(folder, "seed.json"), toWire(seed));
      options.push("--seed", join(folder, "seed.json"));
    }
    const server = run(program, [...options, ...args]);
    const { url, account_sid: accountSid, auth_token: authToken } = await served(server, ready);
    return { url, accountSid, authToken, stop: server.stop, [Symbol.asyncDispose ?? Symbol()]: server.stop };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a program. `ended` resolves when it has ended, to the reason.
 *
 * @param {string} program
 * @param {readonly string[]} args
 */
function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => child.kill("SIGTERM");
  /** @param {string} signal */
  const interrupted = (signal) => {
    kill();
    // What the signal does without this listener.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  process.once("exit", kill);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => (said = (said + text).slice(-EXCERPT_CHARACTERS)));
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once("error", (/** @type {{ code?: string, message: string }} */ error) => {
      const missing = `${program} is not on the PATH: name the program in startServer({ program }) or in CALLERID_PROGRAM`;
      resolve(error.code === "ENOENT" ? missing : error.message);
    });
    child.once("close", () => resolve(`${program} ended: ${said.trim() || "it said nothing"}`));
  });
  ended.then(() => {
    process.removeListener("exit", kill);
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
  });
  // The server must not keep the tests' process alive.
  child.unref();
  child.stderr.unref?.();
  const stop = async () => {
    child.ref();
    kill();
    await ended;
  };
  return { ended, stop };
}

/**
 * Waits until a server answers. Resolves to the content of its ready file, which appears whole.
 *
 * @param {ReturnType<typeof run>} server
 * @param {string} ready
 */
async function served({ ended, stop }, ready) {
  /** @type {string | undefined} */
  let why;
  ended.then((reason) => (why = reason));
  for (const until = Date.now() + PATIENCE_MILLISECONDS; Date.now() < until; await pause()) {
    if (why !== undefined) throw new Error(why);
    const content = await readFile(ready, "utf8").catch(() => "");
    if (content) return JSON.parse(content);
  }
  await stop();
  throw new Error(`the server does not answer within ${PATIENCE_MILLISECONDS} ms: ${why}`);
}

/** @returns {Promise<void>} */
const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MILLISECONDS));
