import * as callerid from "callerid";
import * as url from "callerid/url";
import { PhoneNumber } from "callerid/phone";
import { check } from "../../check.js";

document.title = await url
  .init()
  .then(() => PhoneNumber.parse("415-867-5309") && check(callerid))
  .catch(String);
