import * as glue from "./glue.js";
import { WasmFile } from "./wasm.js";

/**
 * The .wasm of `callerid`, which does not repeat that of `callerid/phone`.
 *
 * @internal
 */
export const file = /* @__PURE__ */ new WasmFile(glue, ["client"]);
