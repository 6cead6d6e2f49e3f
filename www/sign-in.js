// The sign-in form.

import { byId, element, icon, isBusy, setBusy, setText, show } from "./dom.js";

const FIELDS = { url: "sign-in-url", accountSid: "sign-in-account", authToken: "sign-in-token" };

/** Mounts the form. `connect(kind, credentials)` resolves when it has succeeded, or has shown why not. */
export function mountSignIn({ connect }) {
  const panel = byId("sign-in");
  const inputs = Object.fromEntries(Object.entries(FIELDS).map(([name, id]) => [name, byId(id)]));
  let kind = "url";

  const problem = (name, text) => {
    const place = byId(`${FIELDS[name]}-error`);
    place.dataset.tone = "bad";
    place.replaceChildren(...(text ? [icon("cross"), text] : []));
    if (text) inputs[name].setAttribute("aria-invalid", "true");
    else inputs[name].removeAttribute("aria-invalid");
  };

  byId("sign-in-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = byId("sign-in-submit");
    if (isBusy(submit)) return;
    const typed = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
    const problems = {
      url: kind === "url" && !isHttp(typed.url) ? "Enter a URL that begins with https:// or http://" : "",
      accountSid: /^AC[0-9a-f]{32}$/i.test(typed.accountSid) ? "" : "Enter AC and 32 characters from 0 to 9 and a to f",
      authToken: typed.authToken === "" ? "Enter the account’s token"
        : /^[!-~]{1,128}$/.test(typed.authToken) ? "" : "A token has no spaces and no accents",
    };
    for (const [name, text] of Object.entries(problems)) problem(name, text);
    const first = Object.keys(problems).find((name) => problems[name] !== "");
    if (first) {
      inputs[first].focus();
      return;
    }
    setBusy(submit, true);
    await connect(kind, typed);
    setBusy(submit, false);
  });

  return {
    /** Shows the form for this kind of connection. */
    ask: (next, { focus = false } = {}) => {
      kind = next;
      const isUrl = kind === "url";
      setText(byId("sign-in-title"), isUrl ? "Connect to another URL" : "Sign in to this server");
      const hint = byId("sign-in-hint");
      if (isUrl) setText(hint, "Twilio’s API, or one that is compatible. It must allow requests from other origins.");
      else hint.replaceChildren(element("code", {}, "callerid page"), " prints an address that signs you in. Or enter the account’s Sid and token here.");
      show(byId("sign-in-url-field"), isUrl);
      show(byId("sign-in-caution"), isUrl);
      for (const name of Object.keys(FIELDS)) problem(name, "");
      setText(byId("sign-in-submit"), isUrl ? "Connect" : "Sign in");
      show(panel, true);
      if (focus) byId("sign-in-title").focus();
    },
    /** Hides the form and clears the token. */
    dismiss: () => {
      inputs.authToken.value = "";
      show(panel, false);
    },
  };
}

function isHttp(text) {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}
