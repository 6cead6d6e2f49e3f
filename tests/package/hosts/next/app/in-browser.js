"use client";

import * as callerid from "callerid";
import * as mock from "callerid/mock";
import { useEffect } from "react";
import { check } from "../../../check.js";

export function InBrowser() {
  useEffect(() => {
    check({ ...callerid, ...mock })
      .catch(String)
      .then((result) => (document.title = result));
  }, []);
  return null;
}
