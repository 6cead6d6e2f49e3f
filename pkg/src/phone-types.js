// Types only: see phone-types.d.ts.

export {};
