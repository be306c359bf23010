import {
  type AuthOptions,
  grantToken,
  hexFormat,
  type OwnedToken,
  prefixedFormat,
  rotateToken,
} from "latchkey";
import { expect } from "vitest";
import { must, reasonOf } from "../fixture.ts";
import golden from "../fixtures/golden-tokens.json" with { type: "json" };
import type { LifeLaw } from "./law.ts";
import { openWorld } from "./world.ts";

const encoder = new TextEncoder();

/** The configuration under which the rows were written; the first pepper came after them. */
function configure(): Partial<AuthOptions> {
  const peppers = golden.peppers.map(({ id, key }) => ({ id, key: encoder.encode(key) }));
  return {
    peppers: [
      { id: "later", key: encoder.encode("a-later-pepper-a-later-pepper-a-later") },
      ...peppers,
      "none",
    ],
    formats: [prefixedFormat(), prefixedFormat({ prefix: "acme" }), hexFormat],
    onLogin: "reuse",
    secret: golden.secret,
    now: () => golden.now,
  };
}

/** Rows and texts of the first release. Nothing in the file may ever be changed, only added. */
export const goldenLaws: readonly LifeLaw[] = [
  {
    name: "K9: every row and text of this format verifies",
    async run(open) {
      const { auth, store } = await openWorld(open, configure());
      for (const user of golden.users) expect(await store.insertUser(user)).toBe(true);
      for (const { record } of golden.tokens) {
        const revokedReason = record.revokedReason === "revoked" ? record.revokedReason : null;
        expect(await store.insertToken({ ...record, revokedReason })).not.toBeNull();
      }
      for (const { about, text, reason } of golden.tokens) {
        expect(await reasonOf(auth, text), about).toBe(reason);
      }
    },
  },
  {
    name: "K9: a row of this format gives the same text again, at a login and at a rotation",
    async run(open) {
      const { auth, store } = await openWorld(open, configure());
      for (const user of golden.users) await store.insertUser(user);
      for (const { record } of golden.tokens) {
        if (record.revokedAt === null) await store.insertToken({ ...record, revokedReason: null });
      }
      const find = (about: string) =>
        golden.tokens.find((token) => token.about === about)?.text ?? "";
      const granted = must(await grantToken(auth, golden.users[0]?.id ?? ""));
      expect(granted.text.reveal()).toBe(find("reused at a login"));
      const rotated = must(await rotateToken(auth, find("rotated a moment ago")));
      expect(rotated.text.reveal()).toBe(find("the successor of a rotation"));
      const digests = golden.tokens.map(({ record }) => record.digest);
      const found: (OwnedToken | null)[] = [];
      for (const digest of digests) found.push(await store.findToken([digest]));
      expect(found.filter((owned) => owned !== null)).toHaveLength(golden.tokens.length - 1);
    },
  },
];
