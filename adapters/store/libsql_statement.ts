import type { InValue } from "@libsql/client";
import { and, eq, inArray, is, isNull, Param, Placeholder, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import type { TokenRecord } from "../../src/pure/record.ts";
import type { UserRecord } from "../../src/pure/user.ts";
import { latchkeyToken, latchkeyUser } from "./libsql_schema.ts";

/** One statement, compiled: its text, and the names of its arguments in their order. */
export interface Statement<Name extends string> {
  readonly sql: string;
  readonly names: readonly Name[];
}

/** A statement with its arguments, as the client takes it. */
export interface BoundStatement {
  sql: string;
  args: InValue[];
}

/** The statements of a store. Compiled once: drizzle costs more than the lookup itself. */
export interface Statements {
  readonly insertToken: Statement<keyof TokenRecord>;
  readonly ensureToken: Statement<keyof TokenRecord>;
  readonly revokeToken: Statement<"id" | "revokedAt">;
  readonly insertUser: Statement<keyof UserRecord>;
  readonly findUser: Statement<"id">;
  readonly findUserByName: Statement<"username">;
  readonly replacePassword: Statement<"id" | "password">;
  readonly replaceExpectedPassword: Statement<"id" | "password" | "expected">;
  readonly setActive: Statement<"id" | "isActive">;
  /** The text that finds one of `count` digests; its arguments are the digests. */
  findToken(count: number): string;
}

// The readers in libsql_row.ts take the columns by position, in this order.
const TOKEN = {
  id: latchkeyToken.id,
  owner: latchkeyToken.owner,
  digest: latchkeyToken.digest,
  pepper: latchkeyToken.pepper,
  scopes: latchkeyToken.scopes,
  slot: latchkeyToken.slot,
  createdAt: latchkeyToken.createdAt,
  expiresAt: latchkeyToken.expiresAt,
  revokedAt: latchkeyToken.revokedAt,
};
const USER = {
  id: latchkeyUser.id,
  username: latchkeyUser.username,
  isActive: latchkeyUser.isActive,
  isStaff: latchkeyUser.isStaff,
  isSuperuser: latchkeyUser.isSuperuser,
};
const USER_RECORD = {
  ...USER,
  password: latchkeyUser.password,
  createdAt: latchkeyUser.createdAt,
};

const TOKEN_NAMES = [
  "id",
  "owner",
  "digest",
  "pepper",
  "scopes",
  "slot",
  "createdAt",
  "expiresAt",
  "revokedAt",
] as const;
const USER_NAMES = [
  "id",
  "username",
  "isActive",
  "isStaff",
  "isSuperuser",
  "password",
  "createdAt",
] as const;

/** Compiles every statement of a store. */
export function compileStatements(): Statements {
  // Only a builder: it is never asked to run anything.
  const builder = drizzle(() => Promise.reject(new Error("Cannot run a query: builder only")));
  const argument = sql.placeholder;
  const token = {
    id: argument("id"),
    owner: argument("owner"),
    digest: argument("digest"),
    pepper: argument("pepper"),
    scopes: argument("scopes"),
    slot: argument("slot"),
    createdAt: argument("createdAt"),
    expiresAt: argument("expiresAt"),
    revokedAt: argument("revokedAt"),
  };
  const user = {
    id: argument("id"),
    username: argument("username"),
    isActive: argument("isActive"),
    isStaff: argument("isStaff"),
    isSuperuser: argument("isSuperuser"),
    password: argument("password"),
    createdAt: argument("createdAt"),
  };
  const isThisUser = eq(latchkeyUser.id, argument("id"));
  const password = { password: sql`${argument("password")}` };
  const findTokens = new Map<number, string>();

  return {
    insertToken: compile(builder.insert(latchkeyToken).values(token).toSQL(), ...TOKEN_NAMES),
    ensureToken: compile(
      builder.insert(latchkeyToken).values(token).onConflictDoUpdate({
        target: [latchkeyToken.owner, latchkeyToken.slot],
        // Changes nothing, but only an updated row is returned.
        set: { slot: sql`excluded.slot` },
      }).returning(TOKEN).toSQL(),
      ...TOKEN_NAMES,
    ),
    revokeToken: compile(
      builder.update(latchkeyToken).set({
        revokedAt: sql`${argument("revokedAt")}`,
        slot: sql`null`,
      })
        .where(and(eq(latchkeyToken.id, argument("id")), isNull(latchkeyToken.revokedAt))).toSQL(),
      "id",
      "revokedAt",
    ),
    insertUser: compile(
      builder.insert(latchkeyUser).values(user)
        .onConflictDoNothing({ target: latchkeyUser.username }).toSQL(),
      ...USER_NAMES,
    ),
    findUser: compile(
      builder.select(USER_RECORD).from(latchkeyUser).where(isThisUser).toSQL(),
      "id",
    ),
    findUserByName: compile(
      builder.select(USER_RECORD).from(latchkeyUser)
        .where(eq(latchkeyUser.username, argument("username"))).toSQL(),
      "username",
    ),
    replacePassword: compile(
      builder.update(latchkeyUser).set(password).where(isThisUser).toSQL(),
      "id",
      "password",
    ),
    replaceExpectedPassword: compile(
      builder.update(latchkeyUser).set(password)
        // `is` and not `=`, so that an expected NULL equals a stored one.
        .where(and(isThisUser, sql`${latchkeyUser.password} is ${argument("expected")}`)).toSQL(),
      "id",
      "password",
      "expected",
    ),
    setActive: compile(
      builder.update(latchkeyUser).set({ isActive: sql`${argument("isActive")}` })
        .where(isThisUser).toSQL(),
      "id",
      "isActive",
    ),
    findToken(count) {
      const known = findTokens.get(count);
      if (known !== undefined) return known;
      const digests = Array.from({ length: count }, (_, index) => argument(`digest${index}`));
      const compiled = builder.select({ ...TOKEN, user: USER }).from(latchkeyToken)
        .leftJoin(latchkeyUser, eq(latchkeyUser.id, latchkeyToken.owner))
        .where(inArray(latchkeyToken.digest, digests)).toSQL();
      findTokens.set(count, compiled.sql);
      return compiled.sql;
    },
  };
}

/** Puts a statement's arguments into their order. */
export function bind<Name extends string>(
  statement: Statement<Name>,
  values: Readonly<Record<Name, InValue>>,
): BoundStatement {
  return { sql: statement.sql, args: statement.names.map((name) => values[name]) };
}

/** Reads the order of the arguments back from what drizzle compiled, where placeholders stand. */
function compile<Name extends string>(
  query: { readonly sql: string; readonly params: readonly unknown[] },
  ...names: readonly Name[]
): Statement<Name> {
  const ordered = query.params.map((parameter) => {
    const placeholder = is(parameter, Param) ? parameter.value : parameter;
    const name = names.find((known) => is(placeholder, Placeholder) && placeholder.name === known);
    if (name === undefined) throw new TypeError("Cannot compile a statement: unknown argument");
    return name;
  });
  return { sql: query.sql, names: ordered };
}
