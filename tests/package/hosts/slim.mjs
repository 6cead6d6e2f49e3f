import * as mock from "callerid/mock/slim";
import * as phone from "callerid/phone/url";
import * as callerid from "callerid/slim";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { check } from "../check.js";

const read = (name) => readFile(fileURLToPath(import.meta.resolve(name)));
const throwsBeforeInit = (action) => {
  try {
    action();
  } catch (error) {
    if (error.message.includes("init")) return;
    throw error;
  }
  throw new Error("it works before init");
};

throwsBeforeInit(() => phone.PhoneNumber.parse("415-867-5309"));
await phone.init();
phone.PhoneNumber.parse("415-867-5309");
throwsBeforeInit(() => callerid.FriendlyName.limit);
await callerid.init({ client: read("callerid/client.wasm"), phone: read("callerid/phone.wasm") });
if (callerid.FriendlyName.limit !== 64) throw new Error("callerid/slim");
throwsBeforeInit(() => new mock.MockApi());
await mock.init(read("callerid/mock.wasm"));
console.log(await check({ ...callerid, ...mock }));
