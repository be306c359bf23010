import type { Dialect } from "../../src/ports/dialect.ts";
import type { Token } from "../../src/pure/record.ts";
import { describeBodies } from "./denial.ts";
import type { JsonObject } from "./json.ts";

const text = { type: "string" };
const flag = { type: "boolean" };
const time = { type: "string", format: "date-time" };
const noTime = { type: ["string", "null"], format: "date-time" };

const token: JsonObject = {
  id: { type: "string", description: "Opaque, and useless as a credential." },
  name: text,
  hint: { type: "string", description: "The first characters of the token." },
  scopes: { type: "array", items: text },
  created_at: time,
  last_used_at: noTime,
  expires_at: noTime,
};

const statuses = ["active", "revoked", "expired", "idle", "rotated"];

/** The schemas of the answers that mean success, by the name of their component. */
export function describeReplies(dialect: Dialect): JsonObject {
  return {
    Token: describeObject(token),
    ListedToken: describeObject({
      ...token,
      status: { type: "string", enum: statuses },
      revoked_at: noTime,
      revoked_reason: { type: ["string", "null"] },
      current: { type: "boolean", description: "Whether it is the token that asks." },
    }),
    TokenList: describeObject({
      tokens: { type: "array", items: { $ref: "#/components/schemas/ListedToken" } },
      next: { type: ["string", "null"], description: "The cursor of the next part." },
    }),
    CreatedToken: describeObject({
      token: { type: "string", description: "The token itself, shown this once." },
      ...token,
    }),
    WhoAmI: describeObject({
      user: describeObject({ id: text, username: text, is_staff: flag, is_superuser: flag }),
      token: { $ref: "#/components/schemas/Token" },
    }),
    Introspection: {
      ...describeObject({
        active: flag,
        scope: text,
        username: text,
        sub: text,
        jti: text,
        token_type: text,
        iat: { type: "integer" },
        exp: { type: "integer" },
      }),
      required: ["active"],
    },
    Grant: describeBodies([
      dialect.grant("a token", SAMPLE, 0),
      dialect.grant("a token", { ...SAMPLE, scopes: [], expiresAt: null }, 0),
    ]),
  };
}

/** The component of the answer that means success; a route without one answers without a body. */
export const replyOf: Readonly<Record<string, string>> = {
  login: "Grant",
  whoAmI: "WhoAmI",
  changePassword: "Grant",
  listTokens: "TokenList",
  createToken: "CreatedToken",
  rotateToken: "Grant",
  introspect: "Introspection",
};

function describeObject(properties: JsonObject): JsonObject {
  return { type: "object", properties, required: Object.keys(properties) };
}

/** A token to see how a dialect grants one. */
export const SAMPLE: Token = {
  id: "0",
  owner: "0",
  epoch: 0,
  name: "",
  hint: "",
  scopes: ["a"],
  createdAt: 0,
  expiresAt: 1_000,
  idleTimeout: null,
  family: "0",
  lastUsedAt: null,
};
