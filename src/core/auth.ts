import { systemClock } from "../data/clock.ts";
import { encodeUtf8 } from "../data/encoding.ts";
import { countProcessors } from "../data/processors.ts";
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
import {
  type CheckedLoginLimits,
  checkLoginLimits,
  type LoginLimits,
} from "../pure/login_limits.ts";
import type { PasswordRule } from "../pure/password_rule.ts";
import { checkScopes } from "../pure/scope.ts";
import type { User } from "../pure/user.ts";
import { checkKinds } from "./option_kinds.ts";
import { createProtection, protectStore } from "./protected_store.ts";
import type { VerificationCache } from "./verification_cache.ts";

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
  /**
   * What a new password must fulfil; `defaultPasswordRules` when absent: at least 15
   * characters that are neither a name nor a repetition. `[]` for anything that can be hashed.
   */
  readonly passwordRules?: readonly PasswordRule[];
  /** How many failed logins there may be; limits per account, per address and for all when absent, `null` for none at all. */
  readonly loginLimits?: LoginLimits | null;
  /**
   * How many proxies in front of the server write `X-Forwarded-For`; 0 when
   * absent: the client is then the other end of the socket, whatever a header says.
   */
  readonly trustedProxies?: number;
  /** How much hashing of passwords may be under way at once; a processor is left free, and 64 wait, when absent. */
  readonly hashing?: HashingOptions;
  /** How long the store may take for one verb before it counts as failed; 10 seconds when absent, `null` for ever. */
  readonly storeTimeout?: Duration | null;
  /** Every scope of the application. Declared once, a misspelt scope does not compile. */
  readonly scopes?: readonly Scope[];
  /** Keeps verified tokens in memory; see `verificationCache`. Nothing is kept when absent. */
  readonly cache?: VerificationCache;
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
  /** What a new password must fulfil; `null` for `defaultPasswordRules`. */
  readonly passwordRules: readonly PasswordRule[] | null;
  /** Keeps verified tokens in memory; `null` for none. */
  readonly cache: VerificationCache | null;
  /** How many failed logins there may be; `null` for any number. */
  readonly loginLimits: CheckedLoginLimits | null;
  /** How many proxies write `X-Forwarded-For`. */
  readonly trustedProxies: number;
  /** How HTTP answers look; `null` for `drf()`. */
  readonly dialect: Dialect | null;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
  /** The source of random bytes. */
  readonly random: RandomSource;
  /** The uses of tokens that are not written down yet. */
  readonly uses: PendingUses;
  /** The hashes of passwords that are under way. */
  readonly hashes: PendingHashes;
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

/** How much hashing of passwords may be under way at once. */
export interface HashingOptions {
  /**
   * How many hashes run at once; when absent one less than there are processors,
   * at least 1 and at most 4. Each takes a processor, and the memory of its
   * algorithm (19 MiB for `argon2id()`); what is left serves everything else.
   */
  readonly concurrency?: number;
  /** How many more wait for their turn, the first come first; 64 when absent. Further ones throw an `OverloadError`. */
  readonly queue?: number;
}

/** The hashes that are under way, and those that wait. */
export interface PendingHashes {
  /** How many may run at once. */
  readonly concurrency: number;
  /** How many may wait. */
  readonly queue: number;
  /** How many run. */
  running: number;
  /** Starts each that waits, in their order. */
  readonly waiting: (() => void)[];
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
 * await createSuperuser(auth, { username: "ada", password: "correct horse battery" });
 * const result = await login(auth, { username: "ada", password: "correct horse battery" });
 * console.log(result.ok && result.value.text.reveal()); // lk_…
 * ```
 */
export function defineAuth<const Scope extends string = string>(
  options: AuthOptions<Scope>,
): Auth<Scope> {
  checkRequired(options);
  checkKinds(options);
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
  const ring = checkRing(options.peppers === undefined ? ["none"] : options.peppers);
  const declared = options.scopes === undefined ? null : checkScopes(options.scopes, null);
  const idleTimeout = readDuration(options.idleTimeout, null, "idleTimeout");
  const touchInterval = readDuration(options.touchInterval, MINUTE, "touchInterval");
  checkIdleTimeout(idleTimeout, touchInterval);
  const protect = createProtection(readDuration(options.storeTimeout, 10_000, "storeTimeout"));
  const store = protectStore(options.store, protect);
  const now = options.now ?? systemClock;
  return {
    store: options.cache === undefined ? store : options.cache.attach(store, now),
    cache: options.cache ?? null,
    passwords: options.passwords,
    formats: options.formats ?? [prefixedFormat()],
    tokenLifetime: readDuration(options.tokenLifetime, DEFAULT_LIFETIME, "tokenLifetime"),
    idleTimeout,
    touchInterval,
    rotationOverlap: toMilliseconds(options.rotationOverlap ?? MINUTE, "rotationOverlap"),
    tokenLimit: options.tokenLimit === undefined
      ? null
      : readCount(options.tokenLimit, 1, "tokenLimit"),
    revokeOn: {
      passwordChange: options.revokeOn?.passwordChange ?? true,
      deactivation: options.revokeOn?.deactivation ?? true,
    },
    findUser: options.findUser === undefined ? null : protect("find the owner", options.findUser),
    onEvent: options.onEvent ?? null,
    uses: { latest: new Map(), writing: null },
    hashes: {
      concurrency: readCount(
        options.hashing?.concurrency ?? defaultConcurrency(),
        1,
        "hashing.concurrency",
      ),
      queue: readCount(options.hashing?.queue ?? 64, 0, "hashing.queue"),
      running: 0,
      waiting: [],
    },
    onLogin,
    passwordRules: options.passwordRules ?? null,
    loginLimits: checkLoginLimits(options.loginLimits),
    trustedProxies: readCount(options.trustedProxies ?? 0, 0, "trustedProxies"),
    dialect: options.dialect ?? null,
    now,
    random: options.random ?? systemRandom,
    digest: (text) => digestToken(ring, text),
    candidates: (text) => digestCandidates(ring, text),
    derive: secret === null ? null : (id) => deriveSecret(secret, id),
    checkScopes: (scopes) => checkScopes(scopes, declared),
    isScope: (scope): scope is Scope => declared === null || declared.some((one) => one === scope),
  };
}

/** One processor stays free for everything else; the threads of Node's pool are 4. */
function defaultConcurrency(): number {
  return Math.min(4, Math.max(1, countProcessors() - 1));
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

function readCount(count: number, least: number, name: string): number {
  if (!Number.isSafeInteger(count) || count < least) {
    throw new RangeError(`Cannot use this ${name}: expected a whole number from ${least} up`);
  }
  return count;
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
  const ids: readonly unknown[] = ring.map((pepper) => pepper === "none" ? "none" : pepper?.id);
  const areIds = ids.every((id) => typeof id === "string" && /^[\w.-]{1,64}$/.test(id));
  if (!areIds || new Set(ids).size !== ids.length) {
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
