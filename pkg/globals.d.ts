// Globals that only some hosts have.

declare var Buffer: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> } | undefined;
declare var Deno: { refTimer?(timer: number): void; unrefTimer?(timer: number): void } | undefined;
declare var process: { getBuiltinModule?(name: "node:fs"): { readFileSync(path: URL): Uint8Array<ArrayBuffer> } } | undefined;
