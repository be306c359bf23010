import {
  type AuthOptions,
  bearer,
  createObtainToken,
  createUser,
  type Dialect,
  drf,
  issueToken,
  OverloadError,
  setActive,
  setPassword,
  verifyPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf } from "../fixture.ts";
import { countedHasher } from "./counted_hasher.ts";

/** A hasher whose runs wait until they are let go, one by one, and their passwords in the order they began. */
function heldHasher() {
  const begun: string[] = [];
  const held: { readonly go: () => void; readonly fail: (error: Error) => void }[] = [];
  const before = () => new Promise<void>((go, fail) => held.push({ go, fail }));
  const hasher = countedHasher({ before });
  return {
    begun,
    held,
    hasher: {
      ...hasher,
      hash(password: string, random: (size: number) => Uint8Array) {
        begun.push(password);
        return hasher.hash(password, random);
      },
    },
  };
}

/** Waits until something is so, and until all that is ready has gone on. */
async function waitFor(isReady: () => boolean): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 0)); while (!isReady());
}

describe("hashing", () => {
  it("leaves one processor to everything else unless it is told otherwise (P6)", () => {
    const processors = globalThis.navigator?.hardwareConcurrency ?? 2;
    const { concurrency, queue } = makeAuth().auth.hashes;
    expect({ concurrency, queue }).toEqual({
      concurrency: Math.min(4, Math.max(1, processors - 1)),
      queue: 64,
    });
  });

  it.each([[{ concurrency: 2 }, 2, 64], [{ concurrency: 1, queue: 3 }, 1, 3], [
    { concurrency: 5, queue: 0 },
    5,
    0,
  ]])(
    "with %j runs %i at once, keeps %i waiting in their order, and refuses the next at once (P6)",
    async (hashing, concurrency, queue) => {
      const { begun, held, hasher } = heldHasher();
      const { auth } = makeAuth({ hashing, passwords: [hasher] });
      const run = (index: number) =>
        createUser(auth, { username: `user-${index}`, password: `password-${index}` });
      const all = Array.from({ length: concurrency + queue }, (_, index) => run(index));
      await waitFor(() => begun.length >= concurrency);
      expect(begun).toHaveLength(concurrency);
      await expect(run(1_000)).rejects.toThrow(OverloadError);
      for (let index = 0; index < all.length; index++) {
        await waitFor(() => held.length > 0);
        // No matter which of those that run ends first.
        (index % 2 === 0 ? held.shift() : held.pop())?.go();
      }
      expect((await Promise.all(all)).every(({ ok }) => ok)).toBe(true);
      expect(begun).toEqual(all.map((_, index) => `password-${index}`));
      expect(hasher.peak()).toBe(concurrency);
      const again = run(1_000);
      await waitFor(() => held.length > 0);
      held.shift()?.go();
      expect((await again).ok).toBe(true);
    },
  );

  it("that fails gives its place to the next, however it fails (P6)", async () => {
    const real = pbkdf2({ iterations: 1_000 });
    const { auth } = makeAuth({
      hashing: { concurrency: 1, queue: 2 },
      passwords: [{
        ...real,
        hash(password, random) {
          if (password === "throws") throw new TypeError("no memory");
          if (password === "rejects") return Promise.reject(new TypeError("no memory"));
          return real.hash(password, random);
        },
      }],
    });
    const run = (password: string) => createUser(auth, { username: password, password });
    for (let round = 0; round < 5; round++) {
      const results = await Promise.allSettled([run("throws"), run("rejects"), run(`r${round}`)]);
      expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    }
    const { running, waiting } = auth.hashes;
    expect([running, waiting.length]).toEqual([0, 0]);
  });

  it("counts every kind of work: logins, new users and new passwords (P6)", async () => {
    const { begun, held, hasher } = heldHasher();
    const store = memoryStore();
    const ada = await makeUser(makeAuth({ store }).auth, "ada");
    const { auth } = makeAuth({
      store,
      passwords: [hasher],
      hashing: { concurrency: 1, queue: 0 },
    });
    const first = verifyPassword(auth, { username: "ada", password: "ada-password" });
    await waitFor(() => held.length > 0);
    const works = [
      () => verifyPassword(auth, { username: "ada", password: "ada-password" }),
      () => verifyPassword(auth, { username: "nobody", password: "x" }),
      () => createUser(auth, { username: "bob", password: "bob-password" }),
      () => setPassword(auth, ada.id, "another-password"),
    ];
    for (const work of works) await expect(work()).rejects.toThrow(OverloadError);
    expect(begun).toEqual([]);
    held.shift()?.go();
    expect((await first).ok).toBe(true);
  });

  it("serves 200 logins at once two by two, and tells the others to come again (P6)", async () => {
    let held = Promise.resolve();
    const hasher = countedHasher({ before: () => held });
    const { auth } = makeAuth({ passwords: [hasher], hashing: { concurrency: 2, queue: 20 } });
    const names = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    for (const name of names) await makeUser(auth, name);
    const endpoint = createObtainToken(auth);
    let waiting = names;
    let rounds = 0;
    while (waiting.length > 0) {
      rounds++;
      let open = () => {};
      held = new Promise((resolve) => open = resolve);
      let answered = 0;
      const all = waiting.map(async (name) => {
        const answer = await endpoint(postLogin(name, `${name}-password`));
        answered++;
        return answer;
      });
      // However fast a hash is here, none ends before all logins have come.
      const { hashes } = auth;
      await waitFor(() => answered + hashes.running + hashes.waiting.length === all.length);
      open();
      const answers = await Promise.all(all);
      const [served, refused] = [200, 503].map((status) =>
        waiting.filter((_, index) => answers[index]?.status === status)
      );
      expect([...served ?? [], ...refused ?? []].sort()).toEqual([...waiting].sort());
      for (const { status, headers } of answers) {
        expect(headers.get("Retry-After")).toBe(status === 503 ? "1" : null);
      }
      expect(served?.length).toBe(Math.min(waiting.length, 22));
      waiting = refused ?? [];
    }
    expect(rounds).toBe(10);
    expect(hasher.peak()).toBe(2);
    expect(hasher.verifications()).toBe(200);
  });

  it("that stands still holds up no verification of a token (P6)", async () => {
    const { held, hasher } = heldHasher();
    const store = memoryStore();
    const ada = await makeUser(makeAuth({ store }).auth, "ada");
    const { auth } = makeAuth({ store, passwords: [hasher], hashing: { concurrency: 1 } });
    const token = must(await issueToken(auth, ada));
    const login = verifyPassword(auth, { username: "nobody", password: "x" });
    await waitFor(() => held.length > 0);
    expect(await reasonOf(auth, token)).toBe("ok");
    held.shift()?.go();
    await login;
  });

  it.each([
    { concurrency: 0 },
    { concurrency: -1 },
    { concurrency: 1.5 },
    { concurrency: NaN },
    { concurrency: Infinity },
    { queue: -1 },
    { queue: 0.5 },
    { queue: NaN },
    { queue: Infinity },
  ])("is refused at construction with %j", (hashing) => {
    const [name] = Object.keys(hashing);
    expect(() => makeAuth({ hashing })).toThrow(RangeError);
    expect(() => makeAuth({ hashing })).toThrow(`hashing.${name}`);
  });
});

describe.each<[string, Dialect]>([["drf", drf()], ["bearer", bearer()]])(
  "a refused login in the dialect %s",
  (_name, dialect) => {
    /** Whoever logs in, with which password, and how many hashes and verifications that is. */
    const cases: readonly (readonly [string, string, string, number, number])[] = [
      ["an unknown user", "nobody", "guess", 1, 0],
      ["a wrong password", "ada", "guess", 0, 1],
      ["an inactive user with a wrong password", "gone", "guess", 0, 1],
      ["an inactive user with the right password", "gone", "gone-password", 0, 1],
      ["a user without a password", "none", "guess", 1, 0],
      ["a user with Django's unusable password", "unusable", "!aUnusable", 1, 0],
      ["a user with an empty text for a password", "empty", "guess", 1, 0],
      ["a user with garbage for a password", "garbage", "garbage", 1, 0],
      // One derivation: the verifier answers before any, as the text cannot be read.
      ["a user with a text that only begins well", "broken", "guess", 1, 1],
      // Two derivations, as when it is right: the text is rewritten then.
      ["a wrong password for a legacy algorithm", "legacy", "guess", 1, 1],
      ["an inactive user of a legacy algorithm", "legacy-gone", "legacy-gone-password", 1, 1],
      ["a wrong password for weaker parameters", "weak", "guess", 1, 1],
      ["an inactive user with weaker parameters", "weak-gone", "weak-gone-password", 1, 1],
    ];

    async function makeWorld() {
      const store = memoryStore();
      const legacy = legacyHasher();
      const options: Partial<AuthOptions> = { store, dialect };
      const { auth: weak } = makeAuth({ ...options, passwords: [pbkdf2({ iterations: 1_000 })] });
      const { auth: old } = makeAuth({ ...options, passwords: [legacy] });
      const hasher = countedHasher({ hasher: pbkdf2({ iterations: 2_000 }) });
      const { auth } = makeAuth({ ...options, passwords: [hasher, legacy] });
      for (const name of ["ada", "gone"]) await makeUser(auth, name);
      for (const name of ["weak", "weak-gone"]) await makeUser(weak, name);
      for (const name of ["legacy", "legacy-gone"]) await makeUser(old, name);
      for (const name of ["gone", "weak-gone", "legacy-gone"]) {
        await setActive(auth, (await store.findUserByName(name))?.id ?? "", false);
      }
      const texts = {
        none: null,
        unusable: "!aUnusable",
        empty: "",
        garbage: "garbage",
        broken: "pbkdf2_sha256$",
      };
      for (const [name, text] of Object.entries(texts)) {
        const { id } = await makeUser(auth, name);
        await store.replacePassword(id, text, { newEpoch: false });
      }
      const work = () => [hasher.hashes(), hasher.verifications() + legacy.verifications()];
      return { auth, work };
    }

    it("costs the work that is documented, and looks the same for all (T3, T4)", async () => {
      const { auth, work } = await makeWorld();
      const endpoint = createObtainToken(auth);
      const answers: unknown[] = [];
      for (const [title, username, password, hashes, verifications] of cases) {
        const [hashesBefore = 0, verificationsBefore = 0] = work();
        const { status, headers, body } = await endpoint(postLogin(username, password));
        const [hashesAfter = 0, verificationsAfter = 0] = work();
        expect([title, hashesAfter - hashesBefore, verificationsAfter - verificationsBefore])
          .toEqual([title, hashes, verifications]);
        const bytes = new Uint8Array(await new Response(body).arrayBuffer());
        answers.push({ status, headers: [...headers], length: bytes.length, bytes });
      }
      expect(answers[0]).toMatchObject({ status: 400 });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    });

    it.each([["ada", 0, 1], ["weak", 1, 1], ["legacy", 1, 1]])(
      "costs as much as one of %s that is right (T3, T4)",
      async (username, hashes, verifications) => {
        const { auth, work } = await makeWorld();
        const [hashesBefore = 0, verificationsBefore = 0] = work();
        const answer = await createObtainToken(auth)(postLogin(username, `${username}-password`));
        const [hashesAfter = 0, verificationsAfter = 0] = work();
        expect([
          answer.status,
          hashesAfter - hashesBefore,
          verificationsAfter - verificationsBefore,
        ])
          .toEqual([200, hashes, verifications]);
      },
    );
  },
);

/** Another algorithm than the first configured: the same work under another name. */
function legacyHasher() {
  const real = pbkdf2({ iterations: 1_000 });
  const strip = (encoded: string) => encoded.slice("legacy:".length);
  return countedHasher({
    hasher: {
      name: "legacy",
      recognizes: (encoded) => encoded.startsWith("legacy:"),
      hash: async (password, random) => `legacy:${await real.hash(password, random)}`,
      verify: (password, encoded) => real.verify(password, strip(encoded)),
      isCurrent: (encoded) => real.isCurrent(strip(encoded)),
    },
  });
}

function postLogin(username: string, password: string): Request {
  return new Request("https://example.com/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
}
