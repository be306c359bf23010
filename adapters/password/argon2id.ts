import { Argon2id } from "oslo/password";
import type { RandomSource } from "../../src/data/random.ts";
import type { Hasher } from "../../src/ports/hasher.ts";
import {
  checkInteger,
  createPasswordError,
  decodeCanonicalBase64NoPadding,
  isHashable,
  maximumEncodedLength,
} from "./encoded.ts";

/**
 * How {@link argon2id} hashes new passwords.
 *
 * The defaults are OWASP's minimum. `memorySize * iterations` is 1,048,576 at most, and
 * `memorySize` at least eight times `parallelism`.
 */
export interface Argon2idOptions {
  /** Memory in KiB, 19,456 by default; from 8 to 262,144 (256 MiB). */
  readonly memorySize?: number;
  /** Passes over the memory, 2 by default; from 1 to 1,000. */
  readonly iterations?: number;
  /** Lanes the memory is cut into, 1 by default; from 1 to 64. */
  readonly parallelism?: number;
}

interface Cost {
  readonly memorySize: number;
  readonly iterations: number;
  readonly parallelism: number;
}

interface Parsed extends Cost {
  readonly phc: string;
  readonly variety: string;
  readonly saltSize: number;
}

const maximumMemorySize = 262_144;
const maximumIterations = 1_000;
const maximumParallelism = 64;
const maximumWork = 1_048_576;
const beginnings = ["argon2$argon2id$", "$argon2id$", "argon2$argon2i$", "$argon2i$"];
const form =
  /^(?:argon2)?(\$(argon2id?)\$v=19\$m=([1-9][0-9]{0,5}),t=([1-9][0-9]{0,3}),p=([1-9][0-9]?)\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86}))$/;

/**
 * Hashes passwords with Argon2id through `oslo/password`: native, on Node, Deno and Bun.
 *
 * Writes the form Django stores, `argon2$argon2id$v=19$m=…,t=…,p=…$salt$hash`: the word `argon2`
 * and a PHC string. Reads that, a bare PHC string as other systems store it, and both with
 * `argon2i`, Django's older variety, which is never current and so is rewritten at the next
 * login. Argon2d and texts without `v=19` are not read.
 *
 * `oslo` makes the salt itself, 16 bytes of the operating system's randomness: the `random`
 * argument of `hash` is not used, and two hashes of one password always differ.
 *
 * `oslo` turns the password into Unicode form NFKC first. Different spellings of one text, such
 * as é as one or as two code points, are therefore one password here, and so are compatible
 * characters, such as the ligature ﬁ and the letters fi. Django hashes what was typed: a password
 * that it stored from a text in another form than NFKC does not verify here and has to be reset.
 * Texts of ASCII alone are the same in both. Nothing is trimmed or truncated. With a password that
 * holds half of a surrogate pair (it has no UTF-8 form) or ends in NUL (the other hashers here
 * could not rewrite it), `verify` answers `false` and `hash` throws a RangeError.
 *
 * A stored text verifies only in its one spelling, within the bounds of {@link Argon2idOptions},
 * with a salt of 8 to 48 bytes and a hash of 16 to 64; anything else answers `false` before
 * native code sees it. A text is current when it is Argon2id, its memory and its work
 * (`memorySize * iterations`) are both at least those configured, and its salt has at least 16
 * bytes. Parallelism does not count: it changes how long the owner waits, not what a guess costs.
 *
 * @throws {RangeError} when an option is not an integer in its range, or they do not go together
 *
 * @example
 * ```ts
 * import { argon2id } from "latchkey/argon2id";
 *
 * const hasher = argon2id();
 * const encoded = await hasher.hash(
 *   "correct horse battery staple",
 *   (size) => crypto.getRandomValues(new Uint8Array(size)),
 * );
 * console.log(encoded.startsWith("argon2$argon2id$v=19$m=19456,t=2,p=1$")); // true
 * console.log(await hasher.verify("correct horse battery staple", encoded)); // true
 * ```
 */
export function argon2id(options: Argon2idOptions = {}): Hasher {
  const check = (option: string, value: number, minimum: number, maximum: number): number =>
    checkInteger("argon2id", option, value, { minimum, maximum });
  const cost: Cost = {
    memorySize: check("memorySize", options.memorySize ?? 19_456, 8, maximumMemorySize),
    iterations: check("iterations", options.iterations ?? 2, 1, maximumIterations),
    parallelism: check("parallelism", options.parallelism ?? 1, 1, maximumParallelism),
  };
  if (!isBounded(cost)) {
    throw new RangeError(
      "Cannot configure argon2id: memorySize must be at least 8 * parallelism, and memorySize * " +
        `iterations at most ${maximumWork}`,
    );
  }
  const algorithm = new Argon2id(cost);
  return {
    name: "argon2id",
    recognizes: (encoded: string): boolean =>
      beginnings.some((beginning) => encoded.startsWith(beginning)),
    async hash(password: string, _random: RandomSource): Promise<string> {
      if (!isHashable(password)) throw createPasswordError();
      return `argon2${await algorithm.hash(password)}`;
    },
    async verify(password: string, encoded: string): Promise<boolean> {
      const parsed = parse(encoded);
      if (parsed === undefined || !isHashable(password)) return false;
      return await algorithm.verify(parsed.phc, password);
    },
    isCurrent(encoded: string): boolean {
      const parsed = parse(encoded);
      return parsed !== undefined && parsed.variety === "argon2id" &&
        parsed.memorySize >= cost.memorySize &&
        parsed.memorySize * parsed.iterations >= cost.memorySize * cost.iterations &&
        parsed.saltSize >= 16;
    },
  };
}

function parse(encoded: string): Parsed | undefined {
  if (encoded.length > maximumEncodedLength) return undefined;
  const [, phc, variety, memorySize, iterations, parallelism, salt, hash] = form.exec(encoded) ??
    [];
  if (phc === undefined || variety === undefined || salt === undefined || hash === undefined) {
    return undefined;
  }
  const cost: Cost = {
    memorySize: Number(memorySize),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
  };
  // Native code throws on base64 that is not canonical.
  const saltBytes = decodeCanonicalBase64NoPadding(salt);
  if (!isBounded(cost) || saltBytes === undefined) return undefined;
  if (decodeCanonicalBase64NoPadding(hash) === undefined) return undefined;
  return { ...cost, phc, variety, saltSize: saltBytes.length };
}

function isBounded({ memorySize, iterations, parallelism }: Cost): boolean {
  return memorySize <= maximumMemorySize && iterations <= maximumIterations &&
    parallelism <= maximumParallelism && memorySize >= 8 * parallelism &&
    memorySize * iterations <= maximumWork;
}
