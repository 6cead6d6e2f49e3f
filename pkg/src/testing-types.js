// Types only: see testing-types.d.ts.

export {};
