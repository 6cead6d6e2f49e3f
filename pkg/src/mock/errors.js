// Where the glue code of this folder imports them from.

export * from "../errors.js";
