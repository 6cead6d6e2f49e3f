// Types alone: client-types.d.ts.

export {};
