import * as callerid from "callerid";
import * as client from "callerid/client";
import { check } from "../../check.js";

export default {
  async fetch() {
    client.FriendlyName.limit;
    return new Response(await check({ ...callerid, ...client }));
  },
};
