// Types alone: mock-types.d.ts.

export {};
