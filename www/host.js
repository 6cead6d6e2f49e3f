// Who serves the page. `callerid serve` answers with its own version of this file, in which `connection` is "server".

export const host = { connection: "page" };
