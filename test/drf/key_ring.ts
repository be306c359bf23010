/** Puts live keys in the place of recorded ones, and back. */
import { Buffer } from "node:buffer";
import type { RecordedRequest, Setup } from "./case.ts";
import type { WireAnswer, WireRequest } from "./wire.ts";
import type { Keys } from "./world.ts";

/** Translates between a recording and a running application. */
export interface KeyRing {
  /** The request to send: recorded keys replaced wherever they stand, also in upper case. */
  readonly toWire: (request: RecordedRequest) => WireRequest;
  /** The same for the texts of a setup operation. */
  readonly toSetup: (setup: Setup) => Setup;
  /** The answer as the recording would show it. */
  readonly toRecorded: (answer: WireAnswer) => WireAnswer;
}

/** Makes the ring of one reset. */
export function makeKeyRing(keys: Keys): KeyRing {
  const pairs = keys.flatMap(([recorded, live]) => [
    { recorded, live },
    { recorded: recorded.toUpperCase(), live: live.toUpperCase() },
  ]);
  const toLive = (text: string) =>
    pairs.reduce((all, { recorded, live }) => all.replaceAll(recorded, live), text);
  const fromLive = (text: string) =>
    pairs.reduce((all, { recorded, live }) => all.replaceAll(live, recorded), text);
  return {
    toWire({ method, path, headers, body }) {
      const bytes = toBytes(body);
      return {
        method,
        path: toLive(path),
        headers: headers.map(([name, value]) => [name, toLive(value)]),
        body: bytes && Buffer.from(toLive(bytes.toString("latin1")), "latin1"),
      };
    },
    toSetup: (setup) => {
      const texts = Object.entries(setup)
        .map(([name, value]) => [name, typeof value === "string" ? toLive(value) : value]);
      return { ...setup, ...Object.fromEntries(texts) };
    },
    toRecorded: ({ status, headers, body }) => ({
      status,
      headers: new Map([...headers].map(([name, value]) => [name, fromLive(value)])),
      body: fromLive(body),
    }),
  };
}

/** The bytes of a recorded body. */
export function toBytes(body: RecordedRequest["body"]): Buffer | null {
  if (body === null) return null;
  if (typeof body === "string") return Buffer.from(body);
  if ("base64" in body) return Buffer.from(body.base64, "base64");
  const { prefix, char, count, suffix } = body.repeat;
  return Buffer.from(prefix + char.repeat(count) + suffix);
}
