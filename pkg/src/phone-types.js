// Types alone: phone-types.d.ts.

export {};
