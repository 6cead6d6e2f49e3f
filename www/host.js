// The page's initial connection. `callerid serve` replaces this file with one in which `connection` is "server".

export const host = { connection: "page" };
