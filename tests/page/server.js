// The real server, `callerid serve`, on a free port and with a temporary data directory.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const PROGRAM = process.env.CALLERID_PROGRAM ?? new URL("../../target/debug/callerid", import.meta.url).pathname;
const run = promisify(execFile);

export class Server {
  #process;
  #data;
  #options;

  /** Starts a server with these options. Passes it an account in the environment. */
  static async start(...options) {
    const server = new Server();
    server.#options = options;
    server.#data = await mkdtemp(join(tmpdir(), "callerid-page-"));
    server.account = { accountSid: `AC${hex(16)}`, authToken: hex(16) };
    await server.restart("127.0.0.1:0");
    return server;
  }

  /** Starts the server again, by default at the same address. */
  async restart(listen = new URL(this.url).host) {
    const { accountSid, authToken } = this.account;
    const environment = { ...process.env, CALLERID_ACCOUNT_SID: accountSid, CALLERID_AUTH_TOKEN: authToken };
    this.#process = spawn(PROGRAM, ["serve", "--listen", listen, "--data", this.#data, "--log", "off", ...this.#options], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    this.#process.stderr.on("data", (data) => (said += data));
    this.ended = new Promise((resolve) => this.#process.once("close", resolve).once("error", (error) => resolve((said += error.message))));
    for await (const line of createInterface({ input: this.#process.stdout })) {
      const [, url] = /(http:\/\/[\d.:]+)/.exec(line) ?? [];
      if (url) {
        this.url = url;
        this.#process.stdout.resume();
        return;
      }
    }
    await this.ended;
    throw new Error(`${PROGRAM} did not start: ${said}`);
  }

  /** Kills the server, to simulate a crash. */
  async kill() {
    this.#process.kill("SIGKILL");
    await this.ended;
  }

  /** Pauses the server, to simulate a slow one. */
  hold() {
    this.#process.kill("SIGSTOP");
  }

  goOn() {
    this.#process.kill("SIGCONT");
  }

  async stop() {
    await this.kill();
    await rm(this.#data, { recursive: true, force: true });
  }

  /** Adds an account, so that tests that share a server do not share data. */
  async addAccount() {
    const { stdout } = await run(PROGRAM, ["account", "--data", this.#data, "add"]);
    return credentials(stdout);
  }

  /** Gets an address of the page that signs in to an account once. */
  async signedIn({ accountSid }) {
    const { stdout } = await run(PROGRAM, ["page", "--data", this.#data, accountSid]);
    return stdout.trim();
  }

  /** Changes the token of an account. */
  async rotate({ accountSid }) {
    const { stdout } = await run(PROGRAM, ["account", "--data", this.#data, "rotate", accountSid]);
    return credentials(stdout);
  }
}

function credentials(text) {
  const [, accountSid] = /AccountSid\s+(\w+)/.exec(text);
  const [, authToken] = /AuthToken\s+(\w+)/.exec(text);
  return { accountSid, authToken };
}

const hex = (bytes) => randomBytes(bytes).toString("hex");

/** A client outside of the page, for the API and the control surface. */
export class Elsewhere {
  constructor(url, { accountSid, authToken }) {
    this.url = url;
    this.path = `/2008-08-01/Accounts/${accountSid}/OutgoingCallerIds`;
    this.authorization = `Basic ${btoa(`${accountSid}:${authToken}`)}`;
  }

  /** Sends a request of the test control. */
  async control(method, path, document) {
    const body = document && JSON.stringify(document);
    const response = await fetch(`${this.url}/_callerid/${path}`, { method, body, headers: { authorization: this.authorization } });
    return response.json();
  }

  async send(method, path, form) {
    const body = form && new URLSearchParams(form);
    const response = await fetch(this.url + path, { method, body, headers: { authorization: this.authorization } });
    return { status: response.status, text: await response.text() };
  }

  async calls() {
    return JSON.parse((await this.send("GET", "/_callerid/calls")).text).calls;
  }

  /** Performs a phone action on the newest call. */
  async phone(action, form) {
    const [{ call_sid: sid }] = await this.calls();
    return this.send("POST", `/_callerid/calls/${sid}/${action}`, form);
  }

  /** Validates a number, from the request to the code. */
  async add(PhoneNumber, FriendlyName) {
    const { text } = await this.send("POST", this.path, FriendlyName ? { PhoneNumber, FriendlyName } : { PhoneNumber });
    const [, Digits] = /<ValidationCode>(\d+)/.exec(text);
    await this.phone("answer");
    await this.phone("digits", { Digits });
  }
}
