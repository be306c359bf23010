/** Random bodies against an endpoint: what fits the fields may pass, and nothing may break it. */
import {
  bearer,
  charField,
  defineEndpoint,
  drf,
  type Endpoint,
  type EndpointRequest,
  readBody,
} from "latchkey";
import * as v from "valibot";
import { makeAuth } from "../fixture.ts";
import { type Draw, makeDraw } from "./draw.ts";
import type { Fuzz } from "./header.ts";

const PASSWORD = "a-pass+word & more";
const STATUSES: readonly number[] = [200, 400, 413, 415];
const MAX_BODY = 2_000;

/** Media types with bodies that pass. */
const valid: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ["application/json", JSON.stringify({ username: "ada", password: PASSWORD })],
  [
    "application/x-www-form-urlencoded",
    new URLSearchParams({ username: "ada", password: PASSWORD }).toString(),
  ],
  [
    "multipart/form-data; boundary=edge",
    [
      '--edge\r\nContent-Disposition: form-data; name="username"\r\n\r\nada',
      `--edge\r\nContent-Disposition: form-data; name="password"\r\n\r\n${PASSWORD}`,
      "--edge--\r\n",
    ].join("\r\n"),
  ],
];

const CHARSETS: readonly [string, ...string[]] = [
  "utf-8",
  "UTF-16",
  "utf-16le",
  "utf-16be",
  "latin-1",
  "iso-2022-jp",
  "gb18030",
  "utf-7",
  "utf-32",
  "replacement",
  "x-user-defined",
  "constructor",
  "__proto__",
  '"utf-8"',
  '"',
];

const LENGTHS: readonly [string, ...string[]] = ["-1", "1e3", "0", "nonsense", "", "NaN", "99999"];

/** Makes the cases of a seed. */
export function makeBodyFuzz(seed: number): Fuzz {
  const draw = makeDraw(seed);
  const outcomes = new Map<string, number>();
  const endpoints = [drf(), bearer()].map((dialect): Endpoint =>
    defineEndpoint(makeAuth({ dialect }).auth, {
      schema: v.object({ username: charField(), password: charField({ trim: false }) }),
      maxBody: MAX_BODY,
      handle: ({ username, password }) =>
        new Response(isText(username) && isText(password) ? "fits" : null, { status: 200 }),
    })
  );
  return {
    outcomes,
    async check() {
      const { type, length, bytes } = drawBody(draw);
      const headers = new Headers();
      const failed = (what: string) =>
        new Error(`${what} for ${type} and ${JSON.stringify(String.fromCharCode(...bytes))}`);
      if (type !== null) headers.set("Content-Type", type);
      if (length !== null) headers.set("Content-Length", length);
      const send = (): EndpointRequest => ({
        method: "POST",
        url: "/",
        headers,
        body: streamOf(bytes, 1 + draw.number(bytes.length + 1)),
        bodyUsed: false,
      });
      const read = await readBody(send(), MAX_BODY);
      const statuses: number[] = [];
      for (const endpoint of endpoints) {
        const response = await endpoint(send());
        const text = await response.text();
        statuses.push(response.status);
        if (!STATUSES.includes(response.status)) throw failed(`${response.status}`);
        if (response.status === 200 && text !== "fits") throw failed("what does not fit passed");
        if (text.includes(PASSWORD)) throw failed(`an echo: ${text}`);
        if (!read.ok && response.status === 200) throw failed("what cannot be read passed");
      }
      if (statuses[0] !== statuses[1]) throw failed(`${statuses}`);
      if (bytes.length > MAX_BODY && statuses[0] !== 413) throw failed(`${statuses} when too long`);
      if (Object.keys(Object.prototype).length > 0) throw failed("a polluted prototype");
      outcomes.set(`${statuses[0]}`, (outcomes.get(`${statuses[0]}`) ?? 0) + 1);
    },
  };
}

interface Body {
  readonly type: string | null;
  readonly length: string | null;
  readonly bytes: Uint8Array;
}

function drawBody(draw: Draw): Body {
  const [type, text] = draw.one(valid);
  const changed = draw.once(10)
    ? text
    : draw.once(8)
    ? draw.text(80, draw.one([0x80, 0x100, 0x10000]))
    : draw.mutate(text, 5);
  const grown = draw.once(50) ? changed.repeat(1 + draw.number(40)) : changed;
  return {
    type: drawType(draw, type),
    length: draw.once(20) ? draw.one(LENGTHS) : null,
    bytes: encode(draw, grown),
  };
}

function drawType(draw: Draw, type: string): string | null {
  if (draw.once(50)) return null;
  if (draw.once(10)) return `${type}; charset=${draw.one(CHARSETS)}`;
  if (!draw.once(10)) return type;
  // What a header can hold: visible ASCII and spaces.
  return draw.mutate(type, 3).replace(/[^\x20-\x7e]/g, "").trim();
}

/** In UTF-8 as a rule; else in UTF-16, or as single bytes. */
function encode(draw: Draw, text: string): Uint8Array {
  if (!draw.once(20)) return new TextEncoder().encode(text);
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return Uint8Array.from(
    draw.once(2) ? units : units.flatMap((unit) => [unit & 0xff, unit >> 8]),
  );
}

function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(start, start + size));
      start += size;
    },
  });
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
