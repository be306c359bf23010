/** The application's side of a case: its configuration, its database, and changes to it. */
import process from "node:process";
import {
  type Auth,
  defineAuth,
  grantToken,
  hexFormat,
  issueToken,
  prefixedFormat,
  type Principal,
  revokeToken,
  setActive,
  setPassword,
  type Store,
  type TokenFormat,
  type TokenRecord,
  type UserRecord,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import type { After, Fixtures, Setup } from "./case.ts";
import { must } from "../fixture.ts";
import { recordStore } from "./recording_store.ts";

/** Keys as recorded, with the live one that stands for each. */
export type Keys = readonly (readonly [recorded: string, live: string])[];

/** The application behind one server. */
export interface World {
  readonly auth: Auth;
  /** The state of the fixtures on a fresh store. */
  readonly reset: () => Promise<Keys>;
  /** Changes the state as a setup operation says. */
  readonly apply: (setup: Setup) => Promise<void>;
  /** What is wrong with a fact about the state; `null` when it holds. */
  readonly verify: (after: After) => Promise<string | null>;
  /** The text of the token that made a request: here, and only here, it is known. */
  readonly revealKey: (principal: Principal) => Promise<string>;
  /** Whether the user was given Django's `auth.add_user`. */
  readonly canAddUsers: (userId: string) => boolean;
}

/** What the recorded system used: Django 3.2's hasher at its default strength. */
const ITERATIONS = 260_000;
const MAX_KEY = 40;
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;

/**
 * Any text of up to 40 characters: what Django REST framework's column takes.
 *
 * An application that moves such keys over accepts them like this, behind the formats it issues.
 */
const anyText: TokenFormat = {
  pattern: /\b[0-9a-f]{40}\b/,
  encode: hexFormat.encode,
  accepts: (text) => text.length <= 2 * MAX_KEY && [...text].length <= MAX_KEY,
};

/** Builds the application on a store of the kind that `DRF_STORE` names: `memory`, or `libsql`. */
export async function buildWorld(fixtures: Fixtures): Promise<World> {
  const database = await recordStore(openStore);
  const auth = defineAuth({
    store: database.store,
    passwords: [pbkdf2({ iterations: ITERATIONS })],
    formats: [hexFormat, prefixedFormat(), anyText],
    onLogin: "reuse",
    secret: "the-secret-of-the-recorded-system",
    tokenLifetime: null,
    // Django's `set_password` checks nothing.
    passwordRules: [],
    // The recordings tell clients apart by X-Forwarded-For.
    trustedProxies: 1,
    // In the recorded system a key outlives a new password and a time of being inactive.
    revokeOn: { passwordChange: false, deactivation: false },
  });
  const adders = new Set(
    fixtures.users.filter(({ note }) => note.includes("auth.add_user")).map(({ id }) => `${id}`),
  );
  /** Texts that were stored as they are, by the id of their token. */
  let stored = new Map<string, string>();

  async function reset(): Promise<Keys> {
    await database.clear();
    stored = new Map();
    const keys: [string, string][] = [];
    for (const user of fixtures.users) {
      const id = `${user.id}`;
      await database.store.insertUser({
        id,
        username: user.username,
        password: user.encoded,
        isActive: user.is_active,
        isStaff: user.is_staff,
        isSuperuser: user.is_superuser,
        createdAt: auth.now(),
        epoch: 0,
      });
      // The database holds digests, so a login can never show a key that was made elsewhere. Every
      // user with a recorded key gets a token of the library's own, and whoever replays a
      // recording puts the live key in the recorded one's place.
      if (user.token !== null) {
        keys.push([user.token, must(await grantToken(auth, id)).text.reveal()]);
      }
    }
    return keys;
  }

  async function findUser(username: string | undefined): Promise<UserRecord> {
    const user = await database.store.findUserByName(username ?? "");
    if (user === null) throw new Error(`Cannot find user ${username}: no such user`);
    return user;
  }

  async function listLiveTokens(owner: string): Promise<readonly TokenRecord[]> {
    const tokens = await database.listTokens();
    return tokens.filter((token) => token.owner === owner && token.revokedAt === null);
  }

  async function revokeTokens({ id }: UserRecord): Promise<void> {
    for (const token of await listLiveTokens(id)) await revokeToken(auth, token.id);
  }

  function changeUser(id: string, changes: Partial<UserRecord>): Promise<void> {
    return database.change({
      user: (user) => (user.id === id ? { ...user, ...changes } : user),
    });
  }

  /** Stores a text that no format of the library wrote, in place of the user's token. */
  async function storeKey(user: UserRecord, text: string): Promise<void> {
    await database.change({ token: (record) => (record.owner === user.id ? null : record) });
    const { token } = must(await issueToken(auth, user.id));
    stored.set(token.id, text);
    await database.change({
      token: (record) => (record.id === token.id ? { ...record, ...auth.digest(text) } : record),
    });
  }

  async function apply(setup: Setup): Promise<void> {
    const user = await findUser(setup.user);
    switch (setup.op) {
      case "delete-token":
        return await revokeTokens(user);
      case "delete-user":
        return await database.change({ user: (one) => (one.id === user.id ? null : one) });
      case "set-active":
        await setActive(auth, user.id, readFlag(setup, "value", "is_active", "active") ?? true);
        return;
      case "set-password": {
        const set = await setPassword(auth, user.id, readText(setup, "password", "value"));
        if (!set.ok) throw new Error(`Cannot set the password: ${set.failure.reason}`);
        return;
      }
      case "rename":
        return await changeUser(user.id, {
          username: readText(setup, "to", "value", "username") ?? "",
        });
      case "age-token": {
        const age = readAge(setup);
        return await database.change({
          token: (token) =>
            token.owner === user.id ? { ...token, createdAt: token.createdAt - age } : token,
        });
      }
      case "set-token":
        return await storeKey(user, readText(setup, "key", "token", "value", "to") ?? "");
      case "set-flags": {
        const flags = typeof setup["flags"] === "object" && setup["flags"] !== null
          ? { ...setup, ...setup["flags"] }
          : typeof setup["value"] === "object" && setup["value"] !== null
          ? { ...setup, ...setup["value"] }
          : setup;
        return await changeUser(user.id, {
          isActive: readFlag(flags, "is_active", "active") ?? user.isActive,
          isStaff: readFlag(flags, "is_staff", "staff") ?? user.isStaff,
          isSuperuser: readFlag(flags, "is_superuser", "superuser") ?? user.isSuperuser,
        });
      }
      case "drf-create-token":
        if (readFlag(setup, "reset") === true) await revokeTokens(user);
        must(await grantToken(auth, user.id));
        return;
      default:
        throw new Error(`Cannot set up ${setup.op}: no such operation`);
    }
  }

  async function verify({ check, user: username, value }: After): Promise<string | null> {
    const user = await database.store.findUserByName(username);
    switch (check) {
      case "token-count": {
        const count = user === null ? 0 : (await listLiveTokens(user.id)).length;
        return count === value ? null : `${username} has ${count} tokens and not ${value}`;
      }
      case "last-login":
        // The library keeps no such time, which is what a token login leaves behind in Django too.
        return value === null ? null : `${username} has no last login, expected ${value}`;
      case "hash-prefix": {
        const encoded = user?.password ?? "";
        return encoded.startsWith(`${value}`)
          ? null
          : `the hash of ${username} begins ${encoded.slice(0, 21)} and not ${value}`;
      }
      case "hash-unchanged": {
        const before = fixtures.users.find((one) => `${one.id}` === user?.id)?.encoded;
        return user !== null && user.password === before
          ? null
          : `the hash of ${username} was changed`;
      }
      default:
        return `no such check: ${check}`;
    }
  }

  async function revealKey({ user, token }: Principal): Promise<string> {
    const text = stored.get(token.id);
    if (text !== undefined) return text;
    const granted = must(await grantToken(auth, user.id));
    return granted.token.id === token.id ? granted.text.reveal() : "a token of another kind";
  }

  const canAddUsers = (userId: string) => adders.has(userId);
  return { auth, reset, apply, verify, revealKey, canAddUsers };
}

async function openStore(): Promise<Store> {
  if (process.env["DRF_STORE"] !== "libsql") return memoryStore();
  const { createClient } = await import("@libsql/client");
  const { libsqlStore } = await import("latchkey/libsql");
  return libsqlStore(createClient({ url: ":memory:" }));
}

/** The recordings that are in the repository do not show every operation, so several names will do. */
function readText(values: Record<string, unknown>, ...names: readonly string[]): string | null {
  const value = names.map((name) => values[name]).find((one) => one !== undefined);
  if (typeof value === "string" || value === null) return value;
  throw new Error(`Cannot read ${names[0]}: it is ${typeof value}`);
}

function readFlag(
  values: Record<string, unknown>,
  ...names: readonly string[]
): boolean | undefined {
  const value = names.map((name) => values[name]).find((one) => one !== undefined);
  return value === undefined ? undefined : value === true;
}

const DAY = 24 * 60 * 60 * 1000;

function readAge(setup: Setup): number {
  const { days, years } = setup;
  if (typeof days === "number") return days * DAY;
  return typeof years === "number" ? years * 365 * DAY : TEN_YEARS;
}
