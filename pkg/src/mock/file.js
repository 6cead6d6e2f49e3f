import * as glue from "./glue.js";
import { WasmFile } from "../wasm.js";

/**
 * The .wasm of `callerid/mock`, with everything.
 *
 * @internal
 */
export const file = /* @__PURE__ */ new WasmFile(glue, ["phone", "client", "mock"]);
