// Formats bodies as lines of highlighted words. Creates text nodes only, so a body cannot inject markup.

import { element } from "./dom.js";

/** Converts a body to nodes by its content type. Indents and highlights XML and JSON; keeps unknown types unchanged. */
export function formatted(body, contentType = "") {
  try {
    if (contentType.includes("xml")) return xmlLines(body).map(toNode);
    if (contentType.includes("json")) return jsonLines(JSON.parse(body)).map(toNode);
  } catch {
    return [document.createTextNode(body)];
  }
  if (contentType.includes("form-urlencoded")) return formNodes(body);
  if (contentType.includes("event-stream")) return streamNodes(body);
  return [document.createTextNode(body)];
}

function toNode({ indent, words }) {
  const line = element("span", { className: "line" });
  line.style.setProperty("--indent", indent * 2);
  for (const [className, text] of words) {
    line.append(className ? element("span", { className }, text) : text);
  }
  return line;
}

/** In longer tags, each attribute gets its own line. */
const TAG_CHARS = 72;

const XML_PART = /<\?[^]*?\?>|<[^>]+>|[^<]+/g;

function xmlLines(xml) {
  const lines = [];
  let indent = 0;
  const parts = xml.match(XML_PART)?.filter((part) => part.trim() !== "") ?? [];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (part.startsWith("</")) {
      indent = Math.max(0, indent - 1);
      lines.push({ indent, words: tagWords(part) });
    } else if (!part.startsWith("<")) {
      lines.push({ indent, words: [["", part.trim()]] });
    } else if (part.endsWith("/>") || part.startsWith("<?")) {
      lines.push({ indent, words: part.startsWith("<?") ? [["field-name", part]] : tagWords(part) });
    } else if (parts[index + 1]?.startsWith("</")) {
      lines.push({ indent, words: [...tagWords(part), ...tagWords(parts[++index])] });
    } else if (!parts[index + 1]?.startsWith("<") && parts[index + 2]?.startsWith("</")) {
      lines.push({ indent, words: [...tagWords(part), ["", parts[++index]], ...tagWords(parts[++index])] });
    } else {
      lines.push(...tagLines(part, indent));
      indent++;
    }
  }
  return lines;
}

function tagLines(tag, indent) {
  const words = tagWords(tag);
  if (tag.length <= TAG_CHARS) return [{ indent, words }];
  const lines = [{ indent, words: [] }];
  for (const word of words) {
    if (word[1] === " ") lines.push({ indent: indent + 2, words: [] });
    else lines.at(-1).words.push(word);
  }
  return lines;
}

function tagWords(tag) {
  const words = [];
  let at = 0;
  for (const match of tag.matchAll(/\s([\w:-]+)(=)("[^"]*"|'[^']*')/g)) {
    if (match.index > at) words.push(["tag", tag.slice(at, match.index)]);
    words.push(["", " "], ["attribute", match[1]], ["", "="], ["string", match[3]]);
    at = match.index + match[0].length;
  }
  words.push(["tag", tag.slice(at)]);
  return words;
}

function jsonLines(value, indent = 0, before = [], after = "") {
  const end = after ? [["", after]] : [];
  if (value === null || typeof value !== "object") {
    const className = typeof value === "string" ? "string" : "number-value";
    return [{ indent, words: [...before, [className, JSON.stringify(value)], ...end] }];
  }
  const isArray = Array.isArray(value);
  const [open, close] = isArray ? "[]" : "{}";
  const entries = Object.entries(value);
  if (entries.length === 0) return [{ indent, words: [...before, ["", open + close], ...end] }];
  const inner = entries.flatMap(([key, item], index) => {
    const name = isArray ? [] : [["key-name", JSON.stringify(key)], ["", ": "]];
    return jsonLines(item, indent + 1, name, index < entries.length - 1 ? "," : "");
  });
  return [
    { indent, words: [...before, ["", open]] },
    ...inner,
    { indent, words: [["", close], ...end] },
  ];
}

function formNodes(body) {
  return body.split("&").flatMap((pair, index) => {
    const [name, ...value] = pair.split("=");
    const nodes = [element("span", { className: "key-name" }, name), `=${value.join("=")}`];
    return index > 0 ? ["&", ...nodes] : nodes;
  });
}

function streamNodes(body) {
  return body.split("\n").map((text) => {
    const at = text.indexOf(":") + 1;
    return element("span", { className: "line" }, element("span", { className: "key-name" }, text.slice(0, at)), text.slice(at) || "\u200b");
  });
}
