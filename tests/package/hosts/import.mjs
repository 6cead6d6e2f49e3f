// Node, Deno and Bun.
import * as callerid from "callerid";
import * as mock from "callerid/mock";
import * as mockSlim from "callerid/mock/slim";
import * as phone from "callerid/phone";
import * as slim from "callerid/slim";
import { check } from "../check.js";

const all = { ...callerid, ...mock };
for (const entry of [phone, slim, mockSlim]) {
  for (const [name, value] of Object.entries(entry)) {
    if (name !== "init" && value !== all[name]) throw new Error(`the entries do not share ${name}`);
  }
}
if (phone.PhoneNumber.parse("415-867-5309").e164 !== "+14158675309") throw new Error("callerid/phone");
console.log(await check(all));
