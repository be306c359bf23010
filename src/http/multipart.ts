import { encodeUtf8 } from "../data/encoding.ts";
import { MAX_FIELDS } from "./form.ts";

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

/** A part that is a file: of no use to a text field, and told apart from one. */
export interface FilePart {
  readonly filename: string;
}

/**
 * Parses `multipart/form-data` bytes (RFC 7578), the same on every runtime.
 *
 * Platforms differ on preambles, epilogues, unquoted names and transfer encodings. Here the first
 * two are skipped, names may be unquoted, and nothing is decoded but the charset. The last of
 * equal names wins; a part with an empty file name, which is a file field left empty, is left out.
 * `null` when the boundary is missing, never occurs, or is not closed, and for too many parts.
 */
export function parseMultipart(
  bytes: Uint8Array,
  boundary: string,
  decoder: TextDecoder,
): Record<string, string | FilePart> | null {
  const parts = splitParts(bytes, boundary);
  if (parts === null || parts.length > MAX_FIELDS) return null;
  const fields: [string, string | FilePart][] = [];
  for (const part of parts) {
    const end = findHeadEnd(part);
    if (end === null) return null;
    const disposition = readDisposition(decoder.decode(part.subarray(0, end.start)));
    if (disposition === null || disposition.filename === "") continue;
    const { name, filename } = disposition;
    fields.push([name, filename === null ? decoder.decode(part.subarray(end.next)) : { filename }]);
  }
  return Object.fromEntries(fields);
}

/** The bytes between one delimiter line and the next; `null` without an opening or a closing one. */
function splitParts(bytes: Uint8Array, boundary: string): readonly Uint8Array[] | null {
  const delimiter = encodeUtf8(`--${boundary}`);
  const parts: Uint8Array[] = [];
  let start: number | null = null;
  for (let line = 0; line <= bytes.length;) {
    const found = bytes.indexOf(LF, line);
    const end = found === -1 ? bytes.length : found;
    const kind = readDelimiter(bytes.subarray(line, end), delimiter);
    if (kind !== null && start !== null) {
      parts.push(bytes.subarray(start, beforeLineEnd(bytes, line)));
    }
    if (kind === "close") return parts;
    if (kind === "open") start = end + 1;
    line = end + 1;
  }
  return null;
}

/** Where the line break before `line` begins: it belongs to the delimiter. */
function beforeLineEnd(bytes: Uint8Array, line: number): number {
  return bytes[line - 2] === CR ? line - 2 : line - 1;
}

function readDelimiter(line: Uint8Array, delimiter: Uint8Array): "open" | "close" | null {
  if (line.length < delimiter.length) return null;
  if (delimiter.some((byte, index) => line[index] !== byte)) return null;
  const rest = line.subarray(delimiter.length);
  const closes = rest[0] === DASH && rest[1] === DASH;
  const padding = closes ? rest.subarray(2) : rest;
  const isPadded = padding.every((byte) => byte === 0x20 || byte === 0x09 || byte === CR);
  return isPadded ? (closes ? "close" : "open") : null;
}

/** The blank line after a part's headers. */
function findHeadEnd(part: Uint8Array): { readonly start: number; readonly next: number } | null {
  for (let line = 0; line < part.length;) {
    const end = part.indexOf(LF, line);
    if (end === -1) return null;
    if (end === line || (end === line + 1 && part[line] === CR)) {
      return { start: line, next: end + 1 };
    }
    line = end + 1;
  }
  // The blank line of an empty part is also the line break before the next delimiter.
  return part.at(-1) === LF ? { start: part.length, next: part.length } : null;
}

interface Disposition {
  readonly name: string;
  readonly filename: string | null;
}

/** `null` for a part that is no form field. */
function readDisposition(head: string): Disposition | null {
  const line = head.split(/\r?\n/).find((one) => /^content-disposition[ \t]*:/i.test(one));
  if (line === undefined) return null;
  const parameters = new Map<string, string>();
  for (const [, key = "", quoted, plain = ""] of line.matchAll(PARAMETER)) {
    parameters.set(key.toLowerCase(), quoted?.replace(/\\(["\\])/g, "$1") ?? plain);
  }
  const name = parameters.get("name");
  const filename = parameters.get("filename") ?? parameters.get("filename*") ?? null;
  return name === undefined ? null : { name, filename };
}

const PARAMETER = /;[ \t]*([\w*-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
