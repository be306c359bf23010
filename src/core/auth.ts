import { encodeUtf8 } from "../data/encoding.ts";
import { type RandomSource, systemRandom } from "../data/random.ts";
import type { Dialect } from "../ports/dialect.ts";
import type { Hasher, PasswordVerifier } from "../ports/hasher.ts";
import type { Store, TokenUse } from "../ports/store.ts";
import {
  deriveSecret,
  type Digest,
  digestCandidates,
  digestToken,
  type Pepper,
  type PepperRing,
} from "../pure/digest.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import type { EventSink } from "../pure/event.ts";
import { prefixedFormat, type TokenFormat } from "../pure/format.ts";
import { checkScopes } from "../pure/scope.ts";
import type { User } from "../pure/user.ts";
import { protect, protectStore } from "./protected_store.ts";

/** What {@link defineAuth} is told. Only `store` and `passwords` are needed. */
export interface AuthOptions<Scope extends string = string> {
  /** Where users and tokens are kept, such as `libsqlStore(client)` or `memoryStore()`. */
  readonly store: Store;
  /** The password algorithms: the first writes, all of them verify. */
  readonly passwords: readonly [Hasher, ...PasswordVerifier[]];
  /**
   * How token texts look: the first is issued, all of them are accepted.
   * `[prefixedFormat()]` when absent.
   */
  readonly formats?: readonly [TokenFormat, ...TokenFormat[]];
  /** How long a token holds unless it is issued with a lifetime of its own; 30 days when absent, `null` for ever. */
  readonly tokenLifetime?: Duration | null;
  /**
   * How long a token holds after its last use, unless it is issued with a
   * timeout of its own; `null`, no such limit, when absent. `tokenLifetime` ends it all the same.
   */
  readonly idleTimeout?: Duration | null;
  /**
   * How often the use of a token is written down: at most once per token and
   * interval, after the answer. 1 minute when absent, `null` for never. An
   * `idleTimeout` counts from the last use that was written down.
   */
  readonly touchInterval?: Duration | null;
  /** For how long a rotated token and its successor both hold; 1 minute when absent. */
  readonly rotationOverlap?: Duration;
  /** How many tokens that hold a user may have at once; no limit when absent. */
  readonly tokenLimit?: number;
  /** After what all tokens of a user are revoked; after both when absent. */
  readonly revokeOn?: RevokeOn;
  /** Finds the owner of a token among users of the application's own, in place of the store's. `null` when there is none. */
  readonly findUser?: (owner: string) => Promise<User | null>;
  /** Receives events; see {@link AuthEvent}. Whatever it does, requests are answered all the same. */
  readonly onEvent?: EventSink;
  /**
   * What a login gives: a `new` token each time (the default), or the one
   * reusable token of the user (`reuse`, as Django REST framework does), which needs `secret`.
   */
  readonly onLogin?: "new" | "reuse";
  /**
   * The server secret from which reusable tokens are derived, at least 32
   * bytes (a string counts its UTF-8 bytes). Whoever has it and the database
   * can compute reusable tokens, so keep it out of the database. When it
   * changes, the next login revokes the user's old reusable token and makes another.
   */
  readonly secret?: string | Uint8Array;
  /** The keys mixed into stored digests; `["none"]`, plain SHA-256, when absent. */
  readonly peppers?: PepperRing;
  /** Every scope of the application. Declared once, a misspelt scope does not compile. */
  readonly scopes?: readonly Scope[];
  /** How HTTP answers look; `drf()` when absent. */
  readonly dialect?: Dialect;
  /** The clock: milliseconds since the epoch. `Date.now` when absent. */
  readonly now?: () => number;
  /** The source of random bytes; the platform's own when absent. */
  readonly random?: RandomSource;
}

/** After what all tokens of a user are revoked. */
export interface RevokeOn {
  /** After the password was set or changed; `true` when absent. */
  readonly passwordChange?: boolean;
  /** After the user was deactivated; `true` when absent. With `false` the tokens hold again once the user is active. */
  readonly deactivation?: boolean;
}

/**
 * A checked configuration, the first argument of every operation.
 *
 * It holds no key in the open: printing it shows neither the secret nor a pepper.
 */
export interface Auth<Scope extends string = string> {
  /** Where users and tokens are kept. Whatever it throws arrives as a `StoreError`. */
  readonly store: Store;
  /** The password algorithms: the first writes, all of them verify. */
  readonly passwords: readonly [Hasher, ...PasswordVerifier[]];
  /** How token texts look: the first is issued, all of them are accepted. */
  readonly formats: readonly [TokenFormat, ...TokenFormat[]];
  /** The lifetime of a token that is given none of its own, in milliseconds; `null` for ever. */
  readonly tokenLifetime: number | null;
  /** How long a token holds after its last use, in milliseconds; `null` for no such limit. */
  readonly idleTimeout: number | null;
  /** How often a use is written down, in milliseconds; `null` for never. */
  readonly touchInterval: number | null;
  /** For how long a rotated token still holds, in milliseconds. */
  readonly rotationOverlap: number;
  /** How many tokens that hold an owner may have; `null` for no limit. */
  readonly tokenLimit: number | null;
  /** After what all tokens of a user are revoked. */
  readonly revokeOn: Required<RevokeOn>;
  /** Finds the owner among users of the application's own; `null` for the store's users. */
  readonly findUser: ((owner: string) => Promise<User | null>) | null;
  /** Receives events; `null` for nobody. */
  readonly onEvent: EventSink | null;
  /** Whether a login gives a `new` token each time or the user's one reusable token. */
  readonly onLogin: "new" | "reuse";
  /** How HTTP answers look; `null` for `drf()`. */
  readonly dialect: Dialect | null;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
  /** The source of random bytes. */
  readonly random: RandomSource;
  /** The uses of tokens that are not written down yet. */
  readonly uses: PendingUses;
  /** The digest to store of a token text. */
  readonly digest: (text: string) => Digest;
  /** Every digest under which a token text may be stored. */
  readonly candidates: (text: string) => readonly Digest[];
  /** The secret bytes of the reusable token with this id; `null` without a server secret. */
  readonly derive: ((id: string) => Uint8Array) | null;
  /** Checks scopes that a new token shall have. Throws `RangeError` for one that is not declared. */
  readonly checkScopes: (scopes: readonly Scope[]) => readonly Scope[];
  /** Whether a stored scope is one the application declares. */
  readonly isScope: (scope: string) => scope is Scope;
}

/** Uses of tokens on their way to the store. */
export interface PendingUses {
  /** By token id: when each was last used. */
  readonly latest: Map<string, TokenUse>;
  /** Settles when the writing that is under way has ended; `null` while there is none. */
  writing: Promise<void> | null;
}

const MINUTE = 60_000;
const DEFAULT_LIFETIME = 30 * 24 * 60 * MINUTE;
const MIN_KEY = 32;

/**
 * Checks a configuration and makes the `auth` that every operation takes first.
 *
 * @throws {TypeError | RangeError} when something is missing or cannot work; the message says how to mend it
 *
 * @example
 * ```ts
 * import { createSuperuser, defineAuth, login } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * await createSuperuser(auth, { username: "ada", password: "correct horse" });
 * const result = await login(auth, { username: "ada", password: "correct horse" });
 * console.log(result.ok && result.value.text.reveal()); // lk_…
 * ```
 */
export function defineAuth<const Scope extends string = string>(
  options: AuthOptions<Scope>,
): Auth<Scope> {
  checkRequired(options);
  const secret = options.secret === undefined ? null : checkKey(options.secret, "secret");
  const onLogin = options.onLogin ?? "new";
  if (onLogin !== "new" && onLogin !== "reuse") {
    throw new TypeError('Cannot use this onLogin: expected "new" or "reuse"');
  }
  if (onLogin === "reuse" && secret === null) {
    throw new TypeError(
      'Cannot reuse tokens: onLogin "reuse" needs a server secret, add { secret } of at least 32 random bytes',
    );
  }
  const ring = checkRing(options.peppers ?? ["none"]);
  const declared = options.scopes === undefined ? null : checkScopes(options.scopes, null);
  const idleTimeout = readDuration(options.idleTimeout, null, "idleTimeout");
  const touchInterval = readDuration(options.touchInterval, MINUTE, "touchInterval");
  checkIdleTimeout(idleTimeout, touchInterval);
  return {
    store: protectStore(options.store),
    passwords: options.passwords,
    formats: options.formats ?? [prefixedFormat()],
    tokenLifetime: readDuration(options.tokenLifetime, DEFAULT_LIFETIME, "tokenLifetime"),
    idleTimeout,
    touchInterval,
    rotationOverlap: toMilliseconds(options.rotationOverlap ?? MINUTE, "rotationOverlap"),
    tokenLimit: readLimit(options.tokenLimit),
    revokeOn: {
      passwordChange: options.revokeOn?.passwordChange ?? true,
      deactivation: options.revokeOn?.deactivation ?? true,
    },
    findUser: options.findUser === undefined ? null : protect("find the owner", options.findUser),
    onEvent: options.onEvent ?? null,
    uses: { latest: new Map(), writing: null },
    onLogin,
    dialect: options.dialect ?? null,
    now: options.now ?? Date.now,
    random: options.random ?? systemRandom,
    digest: (text) => digestToken(ring, text),
    candidates: (text) => digestCandidates(ring, text),
    derive: secret === null ? null : (id) => deriveSecret(secret, id),
    checkScopes: (scopes) => checkScopes(scopes, declared),
    isScope: (scope): scope is Scope => declared === null || declared.some((one) => one === scope),
  };
}

/** An idle timeout counts from the last use that was written down, so uses must be written more often. */
export function checkIdleTimeout(idleTimeout: number | null, touchInterval: number | null): void {
  if (idleTimeout !== null && (touchInterval === null || touchInterval > idleTimeout / 2)) {
    throw new RangeError(
      "Cannot use this idleTimeout: touchInterval must be at most half of it, so that uses count in time",
    );
  }
}

function readDuration(
  duration: Duration | null | undefined,
  absent: number | null,
  name: string,
): number | null {
  if (duration === undefined) return absent;
  return duration === null ? null : toMilliseconds(duration, name);
}

function readLimit(limit: number | undefined): number | null {
  if (limit === undefined) return null;
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError("Cannot use this tokenLimit: expected a whole number from 1 up");
  }
  return limit;
}

/** Guards those who configure the library from JavaScript, or from data. */
function checkRequired({ store, passwords, formats }: AuthOptions): void {
  if (typeof store?.findToken !== "function") {
    throw new TypeError(
      "Cannot define auth: no store given, add { store: memoryStore() } or { store: libsqlStore(client) }",
    );
  }
  if (typeof passwords?.[0]?.hash !== "function") {
    throw new TypeError(
      "Cannot define auth: no password hasher given, add { passwords: [argon2id()] } or { passwords: [pbkdf2()] }",
    );
  }
  if (formats !== undefined && typeof formats[0]?.encode !== "function") {
    throw new TypeError("Cannot define auth: formats is empty, leave it out or name a format");
  }
}

function checkRing(ring: PepperRing): PepperRing {
  if (!Array.isArray(ring) || ring.length === 0) {
    throw new TypeError('Cannot use these peppers: expected a list such as [{ id, key }, "none"]');
  }
  const ids = ring.map((pepper) => (pepper === "none" ? "none" : pepper.id));
  if (new Set(ids).size !== ids.length || ids.some((id) => !/^[\w.-]{1,64}$/.test(id))) {
    throw new RangeError(
      "Cannot use these peppers: ids must differ and be 1 to 64 letters, digits or . _ -",
    );
  }
  const [first, ...others] = ring;
  return [copyPepper(first), ...others.map(copyPepper)];
}

function copyPepper(pepper: Pepper | "none"): Pepper | "none" {
  return pepper === "none" ? pepper : { id: pepper.id, key: checkKey(pepper.key, "pepper key") };
}

/** Returns a copy of a key, so that nobody changes it afterwards. */
function checkKey(key: string | Uint8Array, name: string): Uint8Array {
  const bytes = typeof key === "string" ? encodeUtf8(key) : key;
  if (!(bytes instanceof Uint8Array) || bytes.length < MIN_KEY) {
    throw new RangeError(`Cannot use this ${name}: expected at least ${MIN_KEY} bytes`);
  }
  return bytes.slice();
}
