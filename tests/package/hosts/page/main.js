import { check } from "../../check.js";

const callerid = await import("callerid");
document.title = await check(callerid).catch(String);
