import * as callerid from "callerid";
import * as client from "callerid/client/url";
import * as url from "callerid/url";
import { PhoneNumber } from "callerid/phone";
import { check } from "../../check.js";

// The client first, which then has only its own .wasm files.
document.title = await client
  .init()
  .then(() => client.FriendlyName.limit)
  .then(() => url.init())
  .then(() => PhoneNumber.parse("415-867-5309") && check({ ...callerid, ...client }))
  .catch(String);
