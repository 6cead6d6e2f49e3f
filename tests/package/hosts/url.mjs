import * as mock from "callerid/mock/url";
import * as callerid from "callerid/url";
import { check } from "../check.js";

await Promise.all([callerid.init(), callerid.init(), mock.init()]);
console.log(await check({ ...callerid, ...mock }));
