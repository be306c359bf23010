import { verifyToken } from "latchkey";
import { createLibsqlRival, createMemoryRival } from "./better_auth.ts";
import { chooseHash } from "./hash.ts";
import { createSubject, type Kind, openDatabase, type Subject } from "./subject.ts";

/** One call of what is measured. A side that answers at once returns nothing to wait for. */
export type Call = () => Promise<void> | void;

/** Every call that a figure measures, by name. */
export const calls: Readonly<
  Record<string, (folder: string) => Call | Promise<Call>>
> = {
  "verify memory": (folder) => verifyWith("memory", folder),
  "verify libsql": (folder) => verifyWith("libsql", folder),
  "verify libsql sync": (folder) => verifyWith("libsql sync", folder),
  "verify cached": (folder) => verifyWith("cached", folder),
  "hash": hashOnce,
  "look up by hand": lookUpByHand,
  "better-auth memory": createMemoryRival,
  "better-auth libsql": createLibsqlRival,
};

/** Calls a number of times, one after the other. */
export async function repeat(call: Call, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const waiting = call();
    if (waiting !== undefined) await waiting;
  }
}

async function verifyWith(kind: Kind, folder: string): Promise<Call> {
  const { auth, text } = await createSubject(kind, folder);
  return async () => {
    const result = await verifyToken(auth, text);
    if (!result.ok) {
      throw new Error(
        `Cannot go on: the token was refused: ${result.failure.reason}`,
      );
    }
  };
}

function hashOnce(): Call {
  const { hash } = chooseHash();
  const text = "lk_".padEnd(52, "x");
  const expected = hash(text);
  return () => {
    if (hash(text) !== expected) {
      throw new Error("Cannot go on: a hash came out different");
    }
  };
}

/** A token with its owner and its successor, as columns: what a person writes who wants the same facts. */
const BY_HAND = `select t.*, u.id as user_id, u.username, u.is_active, u.is_staff, u.is_superuser,
  u.epoch as user_epoch, s.id as successor_id, s.overlap_until as successor_overlap_until
from latchkey_token t
left join latchkey_user u on u.id = t.owner
left join latchkey_token s on s.predecessor = t.id
where t.digest = ?`;

/** What an application would write without the library: the same join, the least checks. */
async function lookUpByHand(folder: string): Promise<Call> {
  const { text }: Subject = await createSubject("libsql", folder);
  const client = await openDatabase(`${folder}/libsql.db`);
  const { hash } = chooseHash();
  return async () => {
    const { rows } = await client.execute({ sql: BY_HAND, args: [hash(text)] });
    const row = rows[0];
    const expiresAt = Number(row?.["expires_at"]);
    if (
      row?.["revoked_at"] !== null || row["is_active"] !== 1 ||
      expiresAt <= Date.now()
    ) {
      throw new Error("Cannot go on: the token was not found by hand");
    }
  };
}
