import { expect, test } from "vitest";

/** What the matrix says it runs this on; absent when vitest is started by hand. */
const place = process.env["LATCHKEY_PLACE"];
const version = process.env["LATCHKEY_VERSION"];

function detectRuntime(): { place: string; version: string | undefined } {
  if (typeof navigator !== "undefined" && navigator.userAgent === "Cloudflare-Workers") {
    const isCompat = typeof process !== "undefined";
    return { place: isCompat ? "workerd-compat" : "workerd", version: undefined };
  }
  const name = ["deno", "bun"].find((each) => process.versions[each] !== undefined) ?? "node";
  return { place: name, version: process.versions[name] };
}

test.skipIf(place === undefined)("runs on the runtime that the matrix reports", () => {
  expect(detectRuntime()).toEqual({ place, version });
});
