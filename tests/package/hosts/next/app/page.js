import * as callerid from "callerid";
import { check } from "../../../check.js";
import { InBrowser } from "./in-browser.js";
import { NumberField } from "./recipe.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  return (
    <main>
      <p id="server">{await check(callerid)}</p>
      <InBrowser />
      <NumberField />
    </main>
  );
}
