// Credentials: in the address that `callerid page` prints, or typed.

import { byId, element, icon, isBusy, setBusy, setText, show } from "./dom.js";

/**
 * The account in the address and its code, which works once, as the secret to sign in with; `null` if there are none. They are
 * taken out of the address, and so out of the history, at once. The address is `…/#account=AC…&code=…`.
 */
export function takeFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const accountSid = fragment.get("account");
  const secret = fragment.get("code");
  if (accountSid === null || secret === null) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return { accountSid, secret };
}

const FIELDS = { url: "sign-in-url", accountSid: "sign-in-account", authToken: "sign-in-token" };

/** Mounts the form. `connect(kind, credentials)` resolves when that is done, or told why not. */
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
      accountSid: /^AC[0-9a-f]{32}$/i.test(typed.accountSid) ? "" : "Enter AC followed by 32 hexadecimal digits",
      authToken: typed.authToken === "" ? "Enter the account’s token"
        : /^[!-~]{1,128}$/.test(typed.authToken) ? "" : "A token has only ASCII characters and no spaces",
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
    /** Asks for the credentials of that kind of connection. */
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
    /** Puts the form away, and what was typed into it. */
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
