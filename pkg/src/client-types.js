// Types only: see client-types.d.ts.

export {};
