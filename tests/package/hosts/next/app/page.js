import * as callerid from "callerid";
import * as mock from "callerid/mock";
import { check } from "../../../check.js";
import { InBrowser } from "./in-browser.js";
import { NumberField } from "./recipe.js";

export const dynamic = "force-dynamic";

export default async function Page() {
  return (
    <main>
      <p id="server">{await check({ ...callerid, ...mock })}</p>
      <InBrowser />
      <NumberField />
    </main>
  );
}
