// Node, Deno and Bun.
import * as callerid from "callerid";
import * as client from "callerid/client";
import * as mock from "callerid/mock";
import * as phone from "callerid/phone";
import * as slim from "callerid/slim";
import { check } from "../check.js";

for (const entry of [client, mock, phone, slim]) {
  for (const [name, value] of Object.entries(entry)) {
    if (name !== "init" && value !== callerid[name]) throw new Error(`the entries do not share ${name}`);
  }
}
if (phone.PhoneNumber.parse("415-867-5309").e164 !== "+14158675309") throw new Error("callerid/phone");
await check({ ...mock, ...client });
console.log(await check(callerid));
