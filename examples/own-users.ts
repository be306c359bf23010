/**
 * The tutorial with users in the application's own table: `npm run example:own-users`.
 *
 * The library keeps the tokens and asks `findUser` whose they are; accounts,
 * their ids and their passwords stay what they were.
 */
import { serve } from "@hono/node-server";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { charField, defineAuth, defineEndpoint, grantToken, systemRandom } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { guard, logout, mount } from "latchkey/hono";
import { libsqlStore } from "latchkey/libsql";
import * as v from "valibot";
import { connect, hostname, onStop, port, readSecret } from "./host.ts";
import { generatePassword, printTutorial } from "./terminal.ts";

const account = sqliteTable("account", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  password: text().notNull(),
  isLocked: integer("is_locked", { mode: "boolean" }).notNull(),
});
const client = connect();
await client.execute(`create table if not exists account
(id integer primary key, name text not null unique, password text not null, is_locked integer not null)`);
const database = drizzle({ client });
const hasher = argon2id();

const auth = defineAuth({
  store: libsqlStore(connect()),
  passwords: [hasher],
  async findUser(owner) {
    const [row] = await database.select().from(account).where(eq(account.id, Number(owner)));
    if (row === undefined) return null;
    const roles = { isStaff: false, isSuperuser: false };
    return { id: owner, username: row.name, isActive: !row.isLocked, ...roles };
  },
  onLogin: "reuse",
  secret: readSecret(),
});

const Credentials = v.object({
  username: charField(),
  password: charField({ trim: false, maxLength: 128 }),
});
// Verified in place of what an unknown account has not, so that it takes as long.
const decoy = await hasher.hash(generatePassword(), systemRandom);

/** Asks the application's own table, and gives the account a token. */
async function logIn({ username, password }: v.InferOutput<typeof Credentials>) {
  const [row] = await database.select().from(account).where(eq(account.name, username));
  const isRight = await hasher.verify(password, row?.password ?? decoy);
  if (row === undefined || row.isLocked || !isRight) return null;
  const granted = await grantToken(auth, String(row.id));
  return granted.ok ? granted.value.text.reveal() : null;
}

const loginEndpoint = (refusal: Readonly<Record<string, unknown>>) =>
  defineEndpoint(auth, {
    schema: Credentials,
    async handle(credentials) {
      const token = await logIn(credentials);
      return token === null ? Response.json(refusal, { status: 400 }) : Response.json({ token });
    },
  });

const app = new Hono();
const unable = ["Unable to log in with provided credentials."];
app.all("/api/get-token/", mount(loginEndpoint({ non_field_errors: unable })));
app.all("/api/login/", mount(loginEndpoint({ msg: "Invalid username/password" })));
app.all("/api/logout/", logout(auth));
app.get("/api/secret-info/", guard(auth), (c) => c.json({ hello: "World" }));
app.get("/api/me/", guard(auth), (c) => {
  const { id, username } = c.var.principal.user;
  return c.json({ id: Number(id), username });
});

const password = generatePassword();
const row = { name: "admin", password: await hasher.hash(password, systemRandom), isLocked: false };
const added = await database.insert(account).values(row).onConflictDoNothing().returning();
const server = serve({ fetch: app.fetch, hostname, port }, (address) =>
  printTutorial({
    hostname,
    port: address.port,
    username: row.name,
    password: added.length > 0 ? { shown: password } : { origin: "the one from the first start" },
    ending: "the token works again after the next start",
  }));
onStop(() => server.close());
