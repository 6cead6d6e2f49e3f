// Types only: see mock-types.d.ts.

export {};
