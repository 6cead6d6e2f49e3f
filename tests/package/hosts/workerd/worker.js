import * as callerid from "callerid";
import * as mock from "callerid/mock";
import { check } from "../../check.js";

export default {
  async fetch() {
    return new Response(await check({ ...callerid, ...mock }));
  },
};
