// Deno and Bun.
import { CallerIdClient } from "callerid";
import { startServer } from "callerid/testing";

const server = await startServer();
const { url: baseUrl, accountSid, authToken } = server;
const client = new CallerIdClient({ accountSid, authToken, baseUrl });
const { phoneNumber } = await client.waitUntilValidated(await client.create({ phoneNumber: "212-555-0171" }));
await server.stop();
if (phoneNumber !== "2125550171") throw new Error(phoneNumber);
// Another one, which must not keep this process alive.
await startServer();
console.log("callerid works");
