// Node, Deno and Bun.
import * as callerid from "callerid";
import * as client from "callerid/client";
import { PhoneNumber } from "callerid/phone";
import * as slim from "callerid/slim";
import { check } from "../check.js";

if (slim.PhoneNumber !== callerid.PhoneNumber) throw new Error("the entries do not share their module");
if (PhoneNumber.parse("415-867-5309").e164 !== "+14158675309") throw new Error("callerid/phone");
await check({ ...callerid, ...client });
console.log(await check(callerid));
