import * as glue from "./glue.js";
import { WasmFile } from "../wasm.js";

/**
 * The .wasm of `callerid/phone` and `callerid`: the rules for phone numbers.
 *
 * @internal
 */
export const file = /* @__PURE__ */ new WasmFile(glue, ["phone"]);
