import * as callerid from "callerid/slim";
import * as client from "callerid/client/slim";
import * as phone from "callerid/phone/url";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { check } from "../check.js";

try {
  callerid.PhoneNumber.parse("415-867-5309");
  throw new Error("callerid/slim works before init");
} catch (error) {
  if (!error.message.includes("init")) throw error;
}
await callerid.init(readFile(fileURLToPath(import.meta.resolve("callerid/callerid.wasm"))));
await client.init(readFile(fileURLToPath(import.meta.resolve("callerid/client.wasm"))));
await check({ ...callerid, ...client });
await phone.init();
phone.PhoneNumber.parse("415-867-5309");
console.log(await check(callerid));
