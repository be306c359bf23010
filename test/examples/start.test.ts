import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { Server } from "../../examples/server.ts";
import { takeStep, useToken } from "../../examples/tutorial.ts";
import { logIn, makeFolder, PROJECT, readPassword, startScript } from "./example.ts";

const SECRET_FILE = ".latchkey-secret";
const isWindows = process.platform === "win32";

describe("the password", () => {
  it("is made up at the first start, shown then only, and never twice the same", async () => {
    const [folder, otherFolder] = [makeFolder(), makeFolder()];
    const [first, other] = await Promise.all([
      startScript("start", folder),
      startScript("start", otherFolder),
    ]);
    const password = readPassword(first);
    expect(password).toMatch(/^[a-z2-9]{20}$/);
    expect(readPassword(other)).not.toBe(password);
    expect(readPassword(other)).toMatch(/^[a-z2-9]{20}$/);
    await first.stop();

    const second = await startScript("start", folder);
    expect(second.output()).not.toContain(password);
    expect(second.output()).toContain("password: (the one from the first start)");
    expect((await logIn(second, password)).failed).toEqual([]);
  });

  it("and the username come from the environment when they are there", async () => {
    const folder = makeFolder();
    const env = { LATCHKEY_USERNAME: "ada", LATCHKEY_PASSWORD: "analytical-engine" };
    const server = await startScript("start", folder, env);
    expect(server.output()).toContain("user:     ada\n");
    expect(server.output()).not.toContain(env.LATCHKEY_PASSWORD);
    expect((await logIn(server, env.LATCHKEY_PASSWORD, "ada")).failed).toEqual([]);
  });

  it.each([
    ["username", { LATCHKEY_USERNAME: "" }, "Cannot make the user : username_blank"],
    ["password", { LATCHKEY_PASSWORD: "" }, "Cannot make the user admin: password_blank"],
  ])("is refused in one line when the %s is empty", async (_, env, line) => {
    const start = startScript("start", makeFolder(), env);
    await expect(start).rejects.toThrow(new Error(`The server ended with 1:\n${line}\n`));
  });
});

describe("the secret", () => {
  it.skipIf(isWindows)("is made once, in a file that only its owner can read", async () => {
    const folder = makeFolder();
    const file = join(folder, SECRET_FILE);
    await (await startScript("start", folder)).stop();
    const secret = fs.readFileSync(file, "utf8");
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);

    await (await startScript("start", folder)).stop();
    expect(fs.readFileSync(file, "utf8")).toBe(secret);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith(SECRET_FILE)))
      .toEqual([SECRET_FILE]);
  });

  it.skipIf(isWindows).each(["640", "604"])("is refused when its mode is %s", async (mode) => {
    const folder = makeFolder();
    fs.writeFileSync(join(folder, SECRET_FILE), "0".repeat(64));
    fs.chmodSync(join(folder, SECRET_FILE), Number.parseInt(mode, 8));
    await expect(startScript("start", folder)).rejects.toThrow(
      new Error(
        "The server ended with 1:\nCannot use .latchkey-secret: others can read it, " +
          "run chmod 600 .latchkey-secret\n",
      ),
    );
  });

  it("comes from LATCHKEY_SECRET when it is there, and then there is no file", async () => {
    const folder = makeFolder();
    const env = { LATCHKEY_PASSWORD: "analytical-engine", LATCHKEY_SECRET: "s".repeat(32) };
    const server = await startScript("start", folder, env);
    const { token } = await logIn(server, env.LATCHKEY_PASSWORD);
    expect(fs.existsSync(join(folder, SECRET_FILE))).toBe(false);
    await server.stop();

    const same = await startScript("start", folder, env);
    expect((await logIn(same, env.LATCHKEY_PASSWORD)).token).toBe(token);
    await same.stop();

    // Another secret cannot show the old token again, so the login makes another.
    const other = await startScript("start", folder, { ...env, LATCHKEY_SECRET: "t".repeat(32) });
    expect((await logIn(other, env.LATCHKEY_PASSWORD)).token).not.toBe(token);
    expect((await takeStep(other.url, useToken(token))).status).toBe(401);
  });

  it("and the database are out of git's sight", async () => {
    const folder = makeFolder();
    const git = (...words: string[]) =>
      execFileSync("git", ["-C", folder, ...words], { encoding: "utf8" });
    git("init", "--quiet");
    fs.copyFileSync(join(PROJECT, ".gitignore"), join(folder, ".gitignore"));
    await startScript("start", folder);
    expect(fs.readdirSync(folder)).toEqual(
      expect.arrayContaining([SECRET_FILE, "latchkey.db", "latchkey.db-shm", "latchkey.db-wal"]),
    );
    expect(git("status", "--porcelain", "--untracked-files=all")).toBe("?? .gitignore\n");
    // What is left when a server is killed while it makes the secret.
    expect(git("check-ignore", `${SECRET_FILE}.4711`)).toBe(`${SECRET_FILE}.4711\n`);
  });
});

describe("the token", () => {
  it("is the same at every login and works again after a restart", async () => {
    const folder = makeFolder();
    const first = await startScript("start", folder);
    const password = readPassword(first);
    const { token } = await logIn(first, password);
    expect(await first.stop()).toBe(0);

    const second = await startScript("start", folder);
    expect(await takeStep(second.url, useToken(token))).toMatchObject({
      status: 200,
      body: '{"hello":"World"}',
    });
    expect(await logIn(second, password)).toEqual({ token, failed: [] });
  });

  it("is nowhere in the files, and neither is the password", async () => {
    const folder = makeFolder();
    const server = await startScript("start", folder);
    const password = readPassword(server);
    const { token } = await logIn(server, password);
    const secrets = { token, body: token.slice(3), password };

    const names = [SECRET_FILE, "latchkey.db", "latchkey.db-shm", "latchkey.db-wal"];
    expect(findTexts(folder, secrets)).toEqual({ files: names, found: [] });
    // The search does find what is there.
    expect(findTexts(folder, { username: "admin" }).found).not.toEqual([]);
    expect(await server.stop()).toBe(0);
    expect(findTexts(folder, secrets).found).toEqual([]);
  });

  it("is one and the same from servers that start at the same moment", async () => {
    const folder = makeFolder();
    const servers = await Promise.all([1, 2, 3].map(() => startScript("start", folder)));
    const passwords = servers.map(readPassword).filter((password) => password !== "");
    expect(passwords).toHaveLength(1);
    const [password = ""] = passwords;
    const logins = await Promise.all(servers.map((server) => logIn(server, password)));
    expect(logins.map(({ failed }) => failed)).toEqual([[], [], []]);
    expect(new Set(logins.map(({ token }) => token)).size).toBe(1);
  });
});

describe("the environment", () => {
  it("says where the database is", async () => {
    const folder = makeFolder();
    const database = join(makeFolder(), "other.db");
    await startScript("start", folder, { DATABASE_URL: `file:${database}` });
    expect(fs.existsSync(database)).toBe(true);
    expect(fs.existsSync(join(folder, "latchkey.db"))).toBe(false);
  });

  it("says where to listen", async () => {
    const first = await startScript("start", makeFolder());
    await first.stop();
    const { port } = new URL(first.url);
    const server = await startScript("start", makeFolder(), { HOST: "localhost", PORT: port });
    expect(server.url).toBe(`http://localhost:${port}`);
    expect((await fetch(`${server.url}/api/secret-info/`)).status).toBe(401);
  });

  it.each(["", "65536", "-1", "3000.5"])(
    "is refused in one line when PORT is '%s'",
    async (port) => {
      await expect(startScript("start", makeFolder(), { PORT: port })).rejects.toThrow(
        new Error(
          `The server ended with 1:\nCannot listen on PORT=${port}: ` +
            "expected a number from 0 to 65535\n",
        ),
      );
    },
  );
});

describe.skipIf(isWindows)("the printed commands", () => {
  it("work as they are, pasted into one shell", async () => {
    const server = await startScript("start", makeFolder());
    expect(paste(readCommands(server))).toEqual([
      '401 {"detail":"Authentication credentials were not provided."}',
      expect.stringMatching(/^200 \{"token":"lk_\w+"\}$/),
      '200 {"hello":"World"}',
      '400 {"msg":"Invalid username/password"}',
    ]);
  });

  it("work for a name full of what shells and forms read", async () => {
    const username = "ada+løvelace@example.org";
    const env = { LATCHKEY_USERNAME: username, LATCHKEY_PASSWORD: "analytical-engine" };
    const server = await startScript("start", makeFolder(), env);
    const commands = readCommands(server).replaceAll("YOUR-PASSWORD", env.LATCHKEY_PASSWORD);
    expect(paste(commands).map((answer) => answer.slice(0, 3))).toEqual([
      "401",
      "200",
      "200",
      "400",
    ]);
  });

  it("ask nothing of who starts the server", async () => {
    const server = await startScript("start", makeFolder());
    expect(server.output()).not.toContain("?");
    expect(server.output().match(/Ctrl-C/g)).toHaveLength(1);
  });
});

/** Everything indented that is not about the user. */
function readCommands(server: Server): string {
  return server.output().split("\n").filter((line) => /^ {2}(curl|TOKEN=)/.test(line)).join("\n");
}

/** Runs commands in one shell, and returns the status and the body of each answer. */
function paste(commands: string): string[] {
  const output = execFileSync("bash", ["-c", commands], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const answers = output.matchAll(/HTTP\/1\.1 (\d+)[^]*?\r\n\r\n(.*?)(?=HTTP\/1\.1|$)/g);
  return Array.from(answers, ([, status, body]) => `${status} ${body}`);
}

/** Which of the texts are in which of the files. */
function findTexts(folder: string, texts: Readonly<Record<string, string>>): {
  readonly files: readonly string[];
  readonly found: readonly string[];
} {
  const files = fs.readdirSync(folder).filter((name) => name.includes("latchkey")).sort();
  const found = files.flatMap((file) => {
    const bytes = fs.readFileSync(join(folder, file));
    return Object.keys(texts).filter((name) => bytes.includes(texts[name] ?? ""))
      .map((name) => `${name} in ${file}`);
  });
  return { files, found };
}
