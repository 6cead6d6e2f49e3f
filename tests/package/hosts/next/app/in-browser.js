"use client";

import * as callerid from "callerid";
import { useEffect } from "react";
import { check } from "../../../check.js";

export function InBrowser() {
  useEffect(() => {
    check(callerid)
      .catch(String)
      .then((result) => (document.title = result));
  }, []);
  return null;
}
