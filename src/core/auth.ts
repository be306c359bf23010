import { encodeUtf8 } from "../data/encoding.ts";
import { type RandomSource, systemRandom } from "../data/random.ts";
import type { Dialect } from "../ports/dialect.ts";
import type { Hasher, PasswordVerifier } from "../ports/hasher.ts";
import type { Store } from "../ports/store.ts";
import {
  deriveSecret,
  type Digest,
  digestCandidates,
  digestToken,
  type Pepper,
  type PepperRing,
} from "../pure/digest.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import { prefixedFormat, type TokenFormat } from "../pure/format.ts";
import { checkScopes } from "../pure/scope.ts";
import { protectStore } from "./protected_store.ts";

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
  /** Whether a login gives a `new` token each time or the user's one reusable token. */
  readonly onLogin: "new" | "reuse";
  /** How HTTP answers look; `null` for `drf()`. */
  readonly dialect: Dialect | null;
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
  /** The source of random bytes. */
  readonly random: RandomSource;
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

const DEFAULT_LIFETIME = 30 * 24 * 60 * 60 * 1000;
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
  const lifetime = options.tokenLifetime === undefined ? DEFAULT_LIFETIME : options.tokenLifetime;
  return {
    store: protectStore(options.store),
    passwords: options.passwords,
    formats: options.formats ?? [prefixedFormat()],
    tokenLifetime: lifetime === null ? null : toMilliseconds(lifetime, "tokenLifetime"),
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
