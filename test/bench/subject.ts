import { type Client, createClient } from "@libsql/client";
import {
  type Auth,
  type AuthOptions,
  createUser,
  defineAuth,
  issueToken,
  type Store,
  type User,
  verificationCache,
} from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { libsqlStore, migrate } from "latchkey/libsql";
import { libsqlSyncStore } from "latchkey/libsql-sync";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { join } from "node:path";

/*
 * The one place that knows how the library is configured. What a version does
 * not have yet throws NotBuilt and is told as such, never left out.
 */

/** An authentication to measure, with the text of a token that holds. */
export interface Subject {
  readonly auth: Auth;
  readonly user: User;
  readonly text: string;
  /** The client of its database; `null` where there is none. */
  readonly client: Client | null;
}

/** Where tokens are kept and whether verifications are remembered. */
export type Kind = "memory" | "libsql" | "libsql sync" | "cached" | "login";

/** The user of every subject. */
export const CREDENTIALS = {
  username: "ada",
  password: "correct horse battery",
};

/** What the cached subjects are told, as the issue names it. */
export const STALENESS = 5_000;

/** Makes a subject with one user and one token. */
export async function createSubject(
  kind: Kind,
  folder: string,
): Promise<Subject> {
  if (kind === "memory") return await fill(memoryStore(), null, {});
  const path = join(folder, `${kind.replace(" ", "-")}.db`);
  const client = await openDatabase(path);
  // Only where logins are measured does it matter how passwords are hashed.
  const options: Partial<AuthOptions> = {
    ...(kind === "login" ? { passwords: [argon2id()] } : {}),
    ...(kind === "cached" ? { cache: verificationCache({ staleness: STALENESS }) } : {}),
  };
  return await fill(createStore(kind, client, path), client, options);
}

function createStore(kind: Kind, client: Client, path: string): Store {
  return kind === "libsql sync" ? libsqlSyncStore(path) : libsqlStore(client);
}

/** A client of a file with the tables in it. */
export async function openDatabase(path: string): Promise<Client> {
  const client = createClient({ url: `file:${path}`, timeout: 1_000 });
  await migrate(client);
  return client;
}

/** Adds the user and the token. */
async function fill(
  store: Store,
  client: Client | null,
  options: Partial<AuthOptions>,
): Promise<Subject> {
  const auth = defineAuth({
    store,
    passwords: [pbkdf2({ iterations: 1_000 })],
    ...options,
  });
  const user = await createUser(auth, CREDENTIALS);
  if (!user.ok) throw new Error(`Cannot make the user: ${user.failure.reason}`);
  const issued = await issueToken(auth, user.value);
  if (!issued.ok) {
    throw new Error(`Cannot issue the token: ${issued.failure.reason}`);
  }
  return { auth, user: user.value, text: issued.value.text.reveal(), client };
}
