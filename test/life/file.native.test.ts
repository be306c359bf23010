import {
  changePassword,
  createUser,
  grantToken,
  issueToken,
  login,
  mintToken,
  rotateToken,
  verifyToken,
} from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { must, principalOf, SECRET } from "../fixture.ts";
import { openDatabases } from "../store/database.ts";
import { openWorld } from "./world.ts";

const databases = openDatabases();
afterAll(() => databases.close());

it("K11: neither a token nor a password nor a key is in the database file and its log", async () => {
  const url = databases.fileUrl();
  const client = databases.connect(url);
  const options = { onLogin: "reuse", secret: SECRET } as const;
  const { auth } = await openWorld(async () => [libsqlStore(client)], options);
  const passwords = { current: "first-sentinel-password", next: "second-sentinel-password" };
  const ada = must(await createUser(auth, { username: "ada", password: passwords.current }));
  const first = must(await login(auth, { username: "ada", password: passwords.current }));
  const issued = [
    first,
    must(await issueToken(auth, ada)),
    must(await mintToken(auth, await principalOf(auth, first))),
    must(await rotateToken(auth, first.text.reveal())),
  ];
  await verifyToken(auth, first.text.reveal());
  const changed = must(await changePassword(auth, ada.id, passwords));
  issued.push(must(await grantToken(auth, changed)));

  const path = fileURLToPath(url);
  const bytes = ["", "-wal"].map((end) => readFileSync(`${path}${end}`, "latin1")).join("");
  expect(bytes).toContain(ada.id);
  expect(bytes).toContain(auth.digest(first.text.reveal()).digest);
  const texts = issued.map(({ text }) => text.reveal());
  for (
    const secret of [
      ...texts,
      ...texts.map((text) => text.slice(7)),
      ...Object.values(passwords),
      SECRET,
    ]
  ) {
    expect(bytes.includes(secret), secret).toBe(false);
  }
});
