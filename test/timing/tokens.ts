import { Buffer } from "node:buffer";
import {
  type Auth,
  createUser,
  defineAuth,
  issueToken,
  prefixedFormat,
  revokeToken,
  type Store,
  systemRandom,
  type User,
  verifyToken,
} from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";
import { crc32 } from "../../src/data/crc32.ts";
import { encodeSmallBase62 } from "../../src/data/encoding.ts";
import { hashText } from "../../src/data/sha256.ts";
import { must } from "../fixture.ts";
import type { Case } from "./measurement.ts";

/** How many texts each case goes round. */
const TEXTS = 256;
/** How many tokens hold. */
const KNOWN = 2_048;
/** How many hexadecimal characters of a digest can be shared with a stored one by trying for a second. */
const SHARED = 5;

const format = prefixedFormat();
/** Places in a text: the secret is between the prefix and the checksum. */
const [FIRST, LAST, CHECKSUM] = ["lk_".length, -7, -6];

/**
 * The verifications whose times are compared.
 *
 * A wrong text with a checksum that fits takes as long as an unknown one,
 * however much of it is right: what is looked up is its digest. One whose
 * checksum does not fit is refused before any lookup, wherever it is wrong. A
 * revoked or expired token may take another time: who has it knows that it existed.
 */
export async function prepareTokens(store: Store): Promise<readonly Case[]> {
  let now = Date.now();
  const auth = defineAuth({
    store,
    passwords: [pbkdf2()],
    touchInterval: null,
    storeTimeout: null,
    now: () => now,
  });
  const ada = must(await createUser(auth, { username: "ada" }));
  const known = await issueMany(auth, ada, { count: KNOWN, expiresIn: null });
  const revoked = await issueMany(auth, ada, { count: TEXTS, expiresIn: null });
  for (const { id } of revoked) await revokeToken(auth, id);
  const expired = await issueMany(auth, ada, { count: TEXTS, expiresIn: 1 });
  now += 1_000;

  // Each case has its own: a processor remembers the characters that it has read often, and cases
  // that share them would all be faster than the others.
  let taken = 0;
  const take = () => known.slice(taken, taken += TEXTS).map(textOf);
  const verify = (list: readonly string[]) => {
    // As they come out of a request: an engine keeps put-together texts in another form, which
    // takes another time to read.
    const read = list.map((text) => Buffer.from(text, "latin1").toString("latin1"));
    let next = 0;
    return () => verifyToken(auth, read[next++ % read.length] ?? "");
  };
  const base = "unknown token";
  const refused = "checksum wrong at its end";
  const unknown = { like: base, outcome: "unknown_token" } as const;
  const malformed = { like: refused, outcome: "malformed_token" } as const;
  const turned = (place: number) => verify(take().map((text) => turn(text, place)));
  const spoilt = (place: number) => verify(take().map((text) => spoil(text, place)));
  const near = verify(findNear(known.map(textOf)));
  return [
    { name: base, kind: "base", outcome: "unknown_token", run: verify(drawTexts()) },
    { name: `${base} once more`, kind: "control", ...unknown, run: verify(drawTexts()) },
    { name: `${base} and again`, kind: "control", ...unknown, run: verify(drawTexts()) },
    { name: "first character wrong", kind: "promised", ...unknown, run: spoilt(FIRST) },
    { name: "last character wrong", kind: "promised", ...unknown, run: spoilt(LAST) },
    { name: "digest like a stored one", kind: "promised", ...unknown, run: near },
    told("revoked token", base, "revoked_token", verify(revoked.map(textOf))),
    told("expired token", base, "expired_token", verify(expired.map(textOf))),
    told("token that holds", base, "ok", verify(take())),
    told(refused, base, "malformed_token", turned(-1)),
    { name: `${refused} once more`, kind: "control", ...malformed, run: turned(-1) },
    { name: "checksum wrong at its start", kind: "promised", ...malformed, run: turned(CHECKSUM) },
    { name: "first wrong, checksum left", kind: "promised", ...malformed, run: turned(FIRST) },
  ];
}

function told(name: string, like: string, outcome: string, run: Case["run"]): Case {
  return { name, like, outcome, kind: "told", run };
}

interface Issued {
  readonly id: string;
  readonly text: string;
}

function textOf({ text }: Issued): string {
  return text;
}

async function issueMany(
  auth: Auth,
  owner: User,
  { count, expiresIn }: { readonly count: number; readonly expiresIn: number | null },
): Promise<readonly Issued[]> {
  const issued: Issued[] = [];
  for (let index = 0; index < count; index++) {
    const { token, text } = must(await issueToken(auth, owner, { expiresIn }));
    issued.push({ id: token.id, text: text.reveal() });
  }
  return issued;
}

/** Unknown texts, put together as the spoilt ones are. */
function drawTexts(): readonly string[] {
  return Array.from({ length: TEXTS }, () => spoil(format.encode(systemRandom(32)), LAST));
}

/** The text with another character at a place. */
function turn(text: string, place: number): string {
  const at = place < 0 ? text.length + place : place;
  // Lower, so that the number stays below 256 bits; 0 has nothing lower.
  const other = text.charAt(at) === "0" ? "1" : "0";
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** The text with another character at a place of its secret, and the checksum that fits. */
function spoil(text: string, place: number): string {
  const body = turn(text, place).slice(0, CHECKSUM);
  const spoilt = body + encodeSmallBase62(crc32(body), -CHECKSUM);
  if (!format.accepts(spoilt)) throw new Error("Cannot spoil a token: it is refused unseen");
  return spoilt;
}

/** Unknown texts whose digests begin as that of a stored token does. */
function findNear(stored: readonly string[]): readonly string[] {
  const beginnings = new Set(stored.map((text) => hashText(text).slice(0, SHARED)));
  const near: string[] = [];
  while (near.length < TEXTS) {
    const text = format.encode(systemRandom(32));
    if (beginnings.has(hashText(text).slice(0, SHARED))) near.push(text);
  }
  return near;
}
