/**
 * What most examples need before they can serve: tables, a configuration, a
 * user, and the commands of the tutorial to paste. Runs on Node, Deno and Bun.
 */
import { type Auth, createSuperuser, defineAuth } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { libsqlStore, migrate } from "latchkey/libsql";
import process from "node:process";
import { connect, hostname, port, readSecret } from "./host.ts";
import { generatePassword, printTutorial, refuse } from "./terminal.ts";

export { hostname, onStop, port } from "./host.ts";

const { env } = process;
const client = connect();
await migrate(client);

/** Tokens as Django REST framework gives them: the same one at every login. */
export const auth: Auth = defineAuth({
  store: libsqlStore(client),
  passwords: [argon2id()],
  onLogin: "reuse",
  secret: readSecret(),
});

const username = env["LATCHKEY_USERNAME"] ?? "admin";
const chosen = env["LATCHKEY_PASSWORD"];
const password = chosen ?? generatePassword();
const created = await createSuperuser(auth, { username, password });
if (!created.ok && created.failure.reason !== "username_taken") {
  const problems = "problems" in created.failure ? created.failure.problems : [];
  const reasons = [created.failure.reason, ...problems.map(({ message }) => message)];
  refuse(`Cannot make the user ${username}: ${reasons.join(". ")}`);
}

/** Prints where the server listens, the password if it is new, and the tutorial; then `more`. */
export function announce(
  address: { readonly port?: number } | string | null,
  more?: (url: string) => string,
): void {
  const origin = created.ok ? "the one in LATCHKEY_PASSWORD" : "the one from the first start";
  printTutorial({
    hostname,
    port: typeof address === "object" ? address?.port : port,
    username,
    password: created.ok && chosen === undefined ? { shown: password } : { origin },
    ending: "the token works again after the next start",
    ...(more === undefined ? {} : { more }),
  });
}
