import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, seededNumbers } from "../fixture.ts";
import { issue } from "../http/issue.ts";
import { openConnection } from "./raw_http.ts";
import { targets } from "./target.ts";

const USERS = 100;
const REQUESTS = 1_000;
const CONNECTIONS = 20;

describe.each(targets)("$name", ({ start }) => {
  it("F3: names the right user in each of 1,000 interleaved requests of 100 users", async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const choose = seededNumbers(seed);
    const { auth } = makeAuth();
    const users: { readonly name: string; readonly line: string; readonly tokenId: string }[] = [];
    for (let index = 0; index < USERS; index++) {
      const user = await makeUser(auth, `user${index}`);
      const { text, token } = await issue(auth, user);
      users.push({
        name: user.username,
        line: `Authorization: Token ${text}`,
        tokenId: token.id,
      });
    }
    const server = await start(auth);
    const wrong: unknown[] = [];
    const runConnection = async () => {
      const connection = openConnection(server.port);
      for (let sent = 0; sent < REQUESTS / CONNECTIONS; sent++) {
        const user = users[choose(USERS)];
        const isAnonymous = user === undefined || choose(10) === 0;
        const path = isAnonymous ? "/open" : "/whoami";
        const expected = isAnonymous ? { user: null } : { user: user.name, tokenId: user.tokenId };
        connection.send({ method: "GET", path, lines: isAnonymous ? [] : [user.line] });
        const answer = await connection.receive("GET");
        if (answer?.body !== JSON.stringify(expected)) wrong.push([expected, answer]);
      }
      connection.close();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, runConnection));
    await server.close();
    expect(wrong, `seed ${seed}`).toEqual([]);
  });
});
