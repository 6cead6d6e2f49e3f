// Benchmarks the package and similar ones. Prints JSON for `cargo xtask bench`: `node bench.mjs`.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { FriendlyName, PhoneNumber, parseResponse } from "callerid";
import { build } from "esbuild";
import { XMLParser } from "fast-xml-parser";
import parsePhoneNumber from "libphonenumber-js/min";
import { here, inBrowser, served } from "./harness.mjs";

const ROUNDS = 25;

/**
 * Returns the time of each contender's best round, which is the least disturbed one, in nanoseconds per item. Rounds are short
 * and alternate, so that other load on the machine affects all contenders alike.
 */
function race(count, contenders) {
  const best = contenders.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    contenders.forEach(([, work], index) => {
      const start = process.hrtime.bigint();
      work();
      best[index] = Math.min(best[index], Number(process.hrtime.bigint() - start));
    });
  }
  return contenders.map(([name], index) => [name, best[index] / count]);
}

/** Generates numbers in eight formats. */
function numbers(count) {
  const formats = [
    (a, b, c) => a + b + c,
    (a, b, c) => `${a}-${b}-${c}`,
    (a, b, c) => `(${a}) ${b}-${c}`,
    (a, b, c) => `${a}.${b}.${c}`,
    (a, b, c) => `1-${a}-${b}-${c}`,
    (a, b, c) => `+1 ${a} ${b} ${c}`,
    (a, b, c) => `+1${a}${b}${c}`,
    (a, b, c) => `1 (${a}) ${b}.${c}`,
  ];
  const areas = ["415", "212", "303", "512", "617", "702", "808", "916"];
  return Array.from({ length: count }, (_, index) => {
    const [area, format] = [areas[index % areas.length], formats[(index >> 3) % formats.length]];
    return format(area, String(200 + ((index * 7) % 700)).replace(/11$/, "12"), String((index * 13) % 10_000).padStart(4, "0"));
  });
}

const texts = numbers(10_000);
const bytes = new TextEncoder().encode(texts.join("\n"));
const normalise = (text) => {
  const number = parsePhoneNumber(text, "US");
  return number?.isValid() ? number.nationalNumber : null;
};
for (const text of texts) if (normalise(text) !== PhoneNumber.parse(text).toString()) throw new Error(`${text} is read differently`);

// After the .wasm files of `callerid`, because that of the mock does their work too.
FriendlyName.defaultFor(PhoneNumber.parse(texts[0]));
const { MockApi } = await import("callerid/mock");
const seed = texts.slice(0, 1000).map((_, index) => ({ phoneNumber: `415867${String(1000 + index)}`, friendlyName: `Name ${index}` }));
const mock = new MockApi({ seed });
const headers = { Authorization: `Basic ${btoa(`${mock.accountSid}:${mock.authToken}`)}` };
const list = await (await mock.fetch(`http://x/2008-08-01/Accounts/${mock.accountSid}/OutgoingCallerIds?num=1000`, { headers })).text();
const parser = new XMLParser({ ignoreAttributes: false });

/** Runs in a page. Measures decoding the list with the package, DOMParser and fast-xml-parser, in nanoseconds. */
async function decodeInPage([list, rounds]) {
  const { parseResponse } = await import("callerid");
  /** Decodes to plain objects of strings, as fast-xml-parser does. */
  const byDom = () => {
    const element = new DOMParser().parseFromString(list, "application/xml").querySelector("OutgoingCallerIds");
    const page = Object.fromEntries(Array.from(element.attributes, ({ name, value }) => [name, value]));
    page.items = Array.from(element.children, (row) => {
      const item = {};
      for (let field = row.firstElementChild; field; field = field.nextElementSibling) item[field.localName] = field.textContent;
      return item;
    });
    return page;
  };
  const parser = new fxp.XMLParser({ ignoreAttributes: false });
  const rows = [parseResponse(list).items.length, byDom().items.length, parser.parse(list).TwilioResponse.OutgoingCallerIds.OutgoingCallerId.length];
  if (rows.some((length) => length !== 1000)) throw new Error(`rows: ${rows}`);
  const contenders = [["callerid", () => parseResponse(list)], ["DOMParser", byDom], ["fast-xml-parser", () => parser.parse(list)]];
  const best = contenders.map(() => Infinity);
  // A page's clock is too coarse for a single run.
  const AT_ONCE = 5;
  for (let round = 0; round < rounds; round++) {
    contenders.forEach(([, work], index) => {
      const start = performance.now();
      for (let again = 0; again < AT_ONCE; again++) work();
      best[index] = Math.min(best[index], (performance.now() - start) / AT_ONCE);
    });
  }
  return contenders.map(([name], index) => [name, best[index] * 1e6]);
}

const bundle = await build({ entryPoints: ["fast-xml-parser"], bundle: true, minify: true, format: "iife", globalName: "fxp", write: false, absWorkingDir: here });
let inChromium;
await served(here, (origin) =>
  inBrowser(`${origin}/hosts/page/index.html`, {
    use: async (page) => {
      await page.addScriptTag({ content: bundle.outputFiles[0].text });
      inChromium = await page.evaluate(decodeInPage, [list, ROUNDS]);
    },
  }),
);

const first = (module, use) => {
  const script = `const start = performance.now(); const it = await import(${JSON.stringify(module)}); ${use}; console.log(performance.now() - start);`;
  const runs = Array.from({ length: 7 }, () => Number(execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: here })));
  return Math.min(...runs);
};
const size = (path) => gzipSync(readFileSync(new URL(`node_modules/${path}`, import.meta.url)), { level: 9 }).length;

console.log(
  JSON.stringify([
    {
      title: "npm package: a number, in eight formats, in Node; limit: libphonenumber-js/min at least 30x, batched 200x",
      unit: "ns",
      rows: race(texts.length, [
        ["callerid, one at a time", () => texts.forEach((text) => PhoneNumber.parse(text).toString())],
        ["callerid, batched bytes", () => PhoneNumber.normalizeAll(bytes)],
        ["callerid, batched strings", () => PhoneNumber.normalizeAll(texts)],
        ["libphonenumber-js/min", () => texts.forEach(normalise)],
      ]),
    },
    {
      title: "npm package: a list of 1,000 caller IDs, from its XML to plain objects, in Node; limit: fast-xml-parser at least 3x",
      unit: "ns",
      rows: race(1, [
        ["callerid", () => parseResponse(list)],
        ["fast-xml-parser", () => parser.parse(list)],
      ]),
    },
    { title: "npm package: the same list, in a Chromium", unit: "ns", rows: inChromium },
    {
      title: "npm package: from import to the first number, in a new Node",
      unit: "ms",
      rows: [
        ["callerid", first("callerid", "it.PhoneNumber.parse('(415) 867-5309')")],
        ["callerid/phone", first("callerid/phone", "it.PhoneNumber.parse('(415) 867-5309')")],
        ["callerid/mock, a mock", first("callerid/mock", "new it.MockApi()")],
        ["libphonenumber-js/min", first("libphonenumber-js/min", "it.default('(415) 867-5309', 'US')")],
      ],
    },
    {
      title: "npm package: the .wasm as it is sent, gz -9; aims: 135,000, 85,000 and 18,000",
      unit: "bytes",
      rows: [
        ["callerid/mock", size("callerid/dist/mock/callerid.wasm")],
        ["callerid, in addition to callerid/phone", size("callerid/dist/callerid.wasm")],
        ["callerid/phone", size("callerid/dist/phone/callerid.wasm")],
        ["libphonenumber-js/min, bundle and metadata", size("libphonenumber-js/bundle/libphonenumber-min.js")],
      ],
    },
  ]),
);
