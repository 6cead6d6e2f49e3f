import { check } from "../../check.js";

const callerid = await import("callerid");
// Its own .wasm files, before that of the mock is there.
callerid.FriendlyName.defaultFor(callerid.PhoneNumber.parse("415-867-5309"));
const mock = await import("callerid/mock");
document.title = await check({ ...callerid, ...mock }).catch(String);
