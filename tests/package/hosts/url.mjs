import * as callerid from "callerid/url";
import { check } from "../check.js";

await Promise.all([callerid.init(), callerid.init()]);
console.log(await check(callerid));
