/** What the files of one layer may import. */
export interface LayerRule {
  /** A file, or a folder when it ends in `/`, or the beginning of a name when it ends in `*`. */
  readonly files: string;
  /** Files of the project, written like `files`; after `type ` only their types. */
  readonly modules: readonly string[];
  /** Packages and platform modules, whole specifiers; after `type ` only their types. */
  readonly packages?: readonly string[];
}

/** Every file of the project has one rule here: the first that names it. */
export const layerRules: readonly LayerRule[] = [
  {
    files: "src/data/sha256.ts",
    modules: ["src/data/encoding.ts", "src/data/platform.ts"],
    packages: ["@oslojs/crypto/sha2", "@oslojs/encoding"],
  },
  { files: "src/data/", modules: ["src/data/"] },
  { files: "src/ports/overload_error.ts", modules: [] },
  { files: "src/ports/store_error.ts", modules: [] },
  { files: "src/ports/hasher.ts", modules: ["type src/data/random.ts"] },
  { files: "src/ports/", modules: ["type src/pure/"] },
  { files: "src/pure/password.ts", modules: ["src/data/encoding.ts", "type src/ports/hasher.ts"] },
  {
    files: "src/pure/digest.ts",
    modules: ["src/data/encoding.ts", "src/data/sha256.ts"],
    packages: [
      "@oslojs/crypto/hmac",
      "@oslojs/crypto/sha2",
      "@oslojs/encoding",
    ],
  },
  {
    files: "src/pure/format.ts",
    modules: ["src/data/crc32.ts", "src/data/encoding.ts"],
    packages: ["@oslojs/encoding"],
  },
  {
    files: "src/pure/cursor.ts",
    modules: ["src/data/encoding.ts"],
    packages: ["@oslojs/encoding"],
  },
  { files: "src/pure/", modules: ["src/data/result.ts", "src/pure/"] },
  {
    files: "src/core/",
    modules: [
      "src/data/",
      "src/pure/",
      "type src/ports/",
      "src/ports/overload_error.ts",
      "src/ports/store_error.ts",
      "src/core/",
    ],
  },
  { files: "src/http/field.ts", modules: ["type src/ports/dialect.ts"], packages: ["valibot"] },
  {
    files: "src/http/endpoint.ts",
    modules: [
      "src/data/result.ts",
      "type src/ports/dialect.ts",
      "src/ports/overload_error.ts",
      "src/ports/store_error.ts",
      "src/pure/duration.ts",
      "type src/core/auth.ts",
      "src/http/",
    ],
    packages: ["valibot"],
  },
  {
    files: "src/http/obtain_token.ts",
    modules: [
      "type src/core/auth.ts",
      "src/core/issue.ts",
      "src/core/login.ts",
      "src/core/session.ts",
      "src/http/",
      "type src/ports/dialect.ts",
      "src/pure/format.ts",
    ],
    packages: ["valibot"],
  },
  { files: "src/http/route.ts", modules: ["src/http/"], packages: ["type valibot"] },
  {
    files: "src/http/account_routes.ts",
    modules: ["src/core/", "src/http/", "type src/ports/dialect.ts"],
    packages: ["valibot"],
  },
  {
    files: "src/http/standard_routes.ts",
    modules: ["src/core/", "src/http/"],
    packages: ["valibot"],
  },
  {
    files: "src/http/token_routes.ts",
    modules: [
      "src/core/",
      "src/http/",
      "type src/ports/dialect.ts",
      "src/pure/name.ts",
      "type src/pure/record.ts",
      "src/pure/scope.ts",
    ],
    packages: ["valibot"],
  },
  {
    files: "src/http/throttle.ts",
    modules: [
      "src/core/attempt.ts",
      "type src/core/auth.ts",
      "src/http/",
      "type src/ports/store.ts",
      "type src/pure/",
      "src/pure/rate.ts",
    ],
  },
  {
    files: "src/http/",
    modules: [
      "src/data/",
      "src/pure/address.ts",
      "src/pure/permission.ts",
      "src/pure/scope.ts",
      "type src/pure/",
      "type src/ports/dialect.ts",
      "src/core/",
      "src/http/",
    ],
  },
  {
    files: "src/mod.ts",
    modules: ["src/data/", "src/pure/", "src/ports/", "src/core/", "src/http/"],
  },
  // Lets an application be tested without a database: it stands in for one.
  {
    files: "src/testing/act_as.ts",
    modules: [
      "type src/core/auth.ts",
      "src/core/identifier.ts",
      "src/core/issue.ts",
      "src/data/random.ts",
      "src/http/drf.ts",
      "type src/ports/store.ts",
      "src/pure/format.ts",
      "type src/pure/",
      "src/pure/verify.ts",
    ],
  },
  {
    files: "src/testing/",
    modules: [
      "type src/ports/store.ts",
      "type src/pure/event.ts",
      "type src/pure/record.ts",
      "src/pure/user.ts",
      "src/testing/",
    ],
  },
  { files: "adapters/http/peer_address.ts", modules: [] },
  {
    files: "adapters/http/hono.ts",
    modules: [
      "type src/core/auth.ts",
      "src/http/",
      "type src/pure/record.ts",
      "adapters/http/peer_address.ts",
    ],
    packages: ["type hono"],
  },
  {
    files: "adapters/http/",
    modules: [
      "type src/core/auth.ts",
      "adapters/http/peer_address.ts",
      "src/http/",
      "type src/data/result.ts",
      "type src/ports/dialect.ts",
      "type src/pure/record.ts",
    ],
  },
  {
    files: "adapters/openapi/input.ts",
    modules: ["adapters/openapi/json.ts", "type src/http/field.ts"],
    packages: ["@valibot/to-json-schema", "type valibot"],
  },
  {
    files: "adapters/openapi/openapi.ts",
    modules: [
      "adapters/openapi/",
      "src/http/drf.ts",
      "type src/http/",
      "type src/ports/dialect.ts",
    ],
    packages: ["type valibot"],
  },
  {
    files: "adapters/openapi/",
    modules: [
      "adapters/openapi/",
      "type src/http/route.ts",
      "type src/ports/dialect.ts",
      "type src/pure/record.ts",
    ],
  },
  {
    files: "adapters/store/libsql_database.ts",
    modules: ["type adapters/store/libsql_*", "adapters/store/libsql_failure.ts"],
    packages: ["libsql"],
  },
  {
    files: "adapters/store/libsql*",
    modules: [
      "type src/ports/store.ts",
      "src/ports/store_error.ts",
      "type src/pure/event.ts",
      "type src/pure/record.ts",
      "type src/pure/user.ts",
      "adapters/store/libsql_*",
    ],
    packages: [
      "type @libsql/client",
      "drizzle-orm",
      "drizzle-orm/sqlite-core",
    ],
  },
  {
    files: "adapters/store/memory.ts",
    modules: [
      "type src/ports/store.ts",
      "src/ports/store_error.ts",
      "type src/pure/event.ts",
      "type src/pure/record.ts",
      "src/pure/verify.ts",
      "src/pure/user.ts",
    ],
  },
  {
    files: "adapters/password/argon2id.ts",
    modules: ["src/data/random.ts", "type src/ports/hasher.ts", "adapters/password/encoded.ts"],
    packages: ["oslo/password"],
  },
  {
    files: "adapters/password/breached.ts",
    modules: [
      "src/data/deadline.ts",
      "src/pure/duration.ts",
      "type src/pure/password_rule.ts",
    ],
    packages: ["@oslojs/crypto/sha1", "@oslojs/encoding"],
  },
  { files: "adapters/password/common_password_list.ts", modules: [] },
  {
    files: "adapters/password/common_passwords.ts",
    modules: ["adapters/password/common_password_list.ts", "type src/pure/password_rule.ts"],
  },
  {
    files: "adapters/password/django.ts",
    modules: ["type src/ports/hasher.ts", "adapters/password/encoded.ts"],
    packages: ["node:crypto", "@oslojs/crypto/subtle", "@oslojs/encoding"],
  },
  {
    files: "adapters/password/django_rules.ts",
    modules: ["adapters/password/common_passwords.ts", "type src/pure/password_rule.ts"],
  },
  {
    files: "adapters/password/encoded.ts",
    modules: ["src/data/random.ts"],
    packages: ["@oslojs/encoding"],
  },
  {
    files: "adapters/password/pbkdf2.ts",
    modules: ["src/data/random.ts", "type src/ports/hasher.ts", "adapters/password/encoded.ts"],
    packages: ["@oslojs/crypto/subtle", "@oslojs/encoding"],
  },
  {
    files: "adapters/password/scrypt.ts",
    modules: ["src/data/random.ts", "type src/ports/hasher.ts", "adapters/password/encoded.ts"],
    packages: ["node:crypto", "@oslojs/crypto/subtle", "@oslojs/encoding"],
  },
  // The examples know the library by its published names only.
  { files: "examples/bun.ts", modules: ["examples/"], packages: ["latchkey/fetch"] },
  {
    files: "examples/custom-login.ts",
    modules: ["examples/setup.ts"],
    packages: ["@hono/node-server", "hono", "latchkey", "latchkey/hono", "valibot"],
  },
  { files: "examples/deno.ts", modules: ["examples/"], packages: ["latchkey/deno"] },
  {
    files: "examples/express.ts",
    modules: ["examples/"],
    packages: ["express", "latchkey/express"],
  },
  { files: "examples/globals.d.ts", modules: [] },
  {
    files: "examples/hono.ts",
    modules: ["examples/"],
    packages: ["@hono/node-server", "hono", "latchkey/hono"],
  },
  {
    files: "examples/host.ts",
    modules: ["examples/terminal.ts"],
    packages: ["@libsql/client", "node:crypto", "node:fs", "node:process"],
  },
  {
    files: "examples/own-users.ts",
    modules: ["examples/host.ts", "examples/terminal.ts"],
    packages: [
      "@hono/node-server",
      "drizzle-orm",
      "drizzle-orm/libsql",
      "drizzle-orm/sqlite-core",
      "hono",
      "latchkey",
      "latchkey/argon2id",
      "latchkey/hono",
      "latchkey/libsql",
      "valibot",
    ],
  },
  {
    files: "examples/self-service.ts",
    modules: ["examples/login.ts", "examples/setup.ts"],
    packages: ["@hono/node-server", "hono", "latchkey", "latchkey/hono"],
  },
  { files: "examples/login.ts", modules: [], packages: ["latchkey", "valibot"] },
  {
    files: "examples/setup.ts",
    modules: ["examples/host.ts", "examples/terminal.ts"],
    packages: [
      "latchkey",
      "latchkey/argon2id",
      "latchkey/libsql",
      "node:process",
    ],
  },
  {
    files: "examples/workers.ts",
    modules: ["examples/login.ts"],
    packages: ["latchkey", "latchkey/fetch", "latchkey/memory", "latchkey/scrypt"],
  },
  // The tour starts an example as a person would, and calls it from outside.
  {
    files: "examples/server.ts",
    modules: [],
    packages: ["node:child_process", "node:events"],
  },
  {
    files: "examples/terminal.ts",
    modules: [],
    packages: ["latchkey", "node:process"],
  },
  {
    files: "examples/tour.ts",
    modules: ["examples/"],
    packages: ["node:fs", "node:os", "node:path", "node:process", "node:url"],
  },
  { files: "examples/tutorial.ts", modules: ["examples/"] },
];

/**
 * The names of the language and of the Web platform that `src` uses, and nothing else may be used:
 * no clock, timer, console, process, network or evaluation is among them.
 */
export const allowedGlobals: readonly string[] = [
  "Array",
  "ArrayBuffer",
  "BigInt",
  "Error",
  "Extract",
  "Headers",
  "Infinity",
  "JSON",
  "Map",
  "Math.ceil",
  "Math.floor",
  "Math.max",
  "Math.min",
  "NaN",
  "NoInfer",
  "Number",
  "Object",
  "Omit",
  "Parameters",
  "Partial",
  "Pick",
  "Promise",
  "RangeError",
  "ReadableStream",
  "ReadableStreamDefaultReader",
  "ReadableStreamDefaultReader",
  "Readonly",
  "ReadonlyMap",
  "ReadonlySet",
  "Record",
  "Reflect",
  "RegExp",
  "Required",
  "Response",
  "Set",
  "String",
  "TextDecoder",
  "TextEncoder",
  "TypeError",
  "URL",
  "Uint32Array",
  "Uint8Array",
];

/**
 * Globals with power, each in one place: the clock and the randomness that are only defaults, the
 * timer that bounds a wait, and what writes a time, which without an argument would be a clock.
 */
export const singleUses: Readonly<Record<string, readonly string[]>> = {
  "Date": ["src/http/token_routes.ts"],
  "Date.now": ["src/data/clock.ts"],
  "clearTimeout": ["src/data/deadline.ts"],
  // Finds the platform's own hash and its processors without an import.
  "globalThis": ["src/data/platform.ts"],
  "crypto.getRandomValues": ["src/data/random.ts"],
  "setTimeout": ["src/data/deadline.ts"],
};

/** Whether `pattern`, written as in a {@link LayerRule}, names a file. */
export function namesFile(pattern: string, file: string): boolean {
  if (pattern.endsWith("*")) return file.startsWith(pattern.slice(0, -1));
  return pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern;
}
