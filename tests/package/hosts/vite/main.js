import * as callerid from "callerid";
import * as mock from "callerid/mock";
import { PhoneNumber } from "callerid/phone";
import * as url from "callerid/url";
import { check } from "../../check.js";

// From the separate files first, which are otherwise not needed.
document.title = await url
  .init()
  .then(() => url.FriendlyName.limit)
  .then(() => PhoneNumber.parse("415-867-5309") && check({ ...callerid, ...mock }))
  .catch(String);
