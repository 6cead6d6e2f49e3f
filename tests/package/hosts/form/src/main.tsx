import { CallerIdClient } from "callerid";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ValidationForm } from "./form";

// The server that has the page also has its account's Sid. Here the tests give it.
const accountSid = new URLSearchParams(location.search).get("account") ?? "";
const client = new CallerIdClient({ accountSid, baseUrl: `${location.origin}/api`, apiVersion: "2010-04-01", timeout: 10_000, retries: 2 });

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ValidationForm client={client} />
    </StrictMode>,
  );
}
