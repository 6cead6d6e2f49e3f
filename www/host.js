// Who serves the page. In that of `callerid serve` another file takes this one's place, in which `connection` is "server".

export const host = { connection: "page" };
