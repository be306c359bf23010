import {
  type Auth,
  type AuthOptions,
  changePassword,
  createGuard,
  deleteUser,
  flushUses,
  hasScopes,
  isAdminUser,
  type IssuedToken,
  type IssueOptions,
  issueToken,
  localBus,
  login,
  logout,
  renameToken,
  type RevocationBus,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  type Store,
  StoreError,
  type TokenChange,
  type User,
  verificationCache,
  type VerificationCacheOptions,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import {
  type Clock,
  makeAuth,
  makeUser,
  must,
  principalOf,
  reasonOf,
  seededNumbers,
  START,
} from "../fixture.ts";

const MINUTE = 60_000;
const STALENESS = 5_000;

type Answer = Awaited<ReturnType<Store["findToken"]>>;
type Read = () => Promise<Answer>;

/** A store whose lookups are counted, and may be changed or held. */
function watch(inner: Store = memoryStore()) {
  const box: { lookups: number; intercept: (read: Read, digests: readonly string[]) => unknown } = {
    lookups: 0,
    intercept: (read) => read(),
  };
  const store = new Proxy(inner, {
    get(target, name) {
      if (name !== "findToken") return Reflect.get(target, name);
      // What a store answers may be anything.
      return async (digests: readonly string[]): Promise<unknown> => {
        box.lookups++;
        return await box.intercept(async () => await inner.findToken(digests), digests);
      };
    },
  });
  return { box, inner, store };
}

/** A configuration with a cache on a watched store. Uses are not written, so that lookups can be counted. */
function makeCached(
  cache: Partial<VerificationCacheOptions> = {},
  options: Partial<AuthOptions> = {},
) {
  const watched = watch(options.store);
  const { auth, clock } = makeAuth({
    touchInterval: null,
    storeTimeout: null,
    ...options,
    store: watched.store,
    cache: verificationCache({ staleness: STALENESS, ...cache }),
  });
  return { auth, clock, ...watched };
}

async function makeOwned(auth: Auth, options: IssueOptions = {}) {
  const ada = await makeUser(auth, "ada");
  return { ada, issued: must(await issueToken(auth, ada, options)) };
}

/** Something to wait for until a test opens it. */
function createGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** Lets everything go on that waits for nothing else. */
async function settle(): Promise<void> {
  for (let count = 0; count < 50; count++) await Promise.resolve();
}

interface Scene {
  readonly auth: Auth;
  readonly clock: Clock;
  readonly ada: User & { readonly epoch?: number };
  /** The successor of `old`, whose overlap has ended. */
  readonly issued: IssuedToken;
  readonly old: IssuedToken;
}

/** What ends a token at once, and why it does not hold then. */
interface Ending {
  readonly name: string;
  readonly end: (scene: Scene) => Promise<unknown>;
  readonly reason: string;
  readonly options?: Partial<AuthOptions>;
}

const endings: readonly Ending[] = [
  {
    name: "revokeToken()",
    end: ({ auth, issued }) => revokeToken(auth, issued.token.id),
    reason: "revoked_token",
  },
  {
    name: "revokeAllTokens()",
    end: ({ auth, ada }) => revokeAllTokens(auth, ada.id),
    reason: "revoked_token",
  },
  {
    name: "revokeOtherTokens()",
    end: async ({ auth, ada }) => {
      const other = must(await issueToken(auth, ada));
      return await revokeOtherTokens(auth, await principalOf(auth, other));
    },
    reason: "revoked_token",
  },
  {
    name: "logout()",
    end: ({ auth, ada: user, issued: { token } }) => logout(auth, { user, token }),
    reason: "revoked_token",
  },
  {
    name: "setPassword()",
    end: ({ auth, ada }) => setPassword(auth, ada.id, "next"),
    reason: "revoked_token",
  },
  {
    name: "changePassword()",
    end: ({ auth, ada }) =>
      changePassword(auth, ada.id, { current: "ada-password", next: "next" }).then(must),
    reason: "revoked_token",
  },
  {
    name: "setActive(false)",
    end: ({ auth, ada }) => setActive(auth, ada.id, false),
    reason: "revoked_token",
  },
  {
    name: "setActive(false) that revokes nothing",
    end: ({ auth, ada }) => setActive(auth, ada.id, false),
    reason: "inactive_user",
    options: { revokeOn: { deactivation: false } },
  },
  {
    name: "deleteUser()",
    end: ({ auth, ada }) => deleteUser(auth, ada.id),
    reason: "unknown_token",
  },
  {
    name: "the reuse of a rotated token",
    end: async ({ auth, old }) => expect(await reasonOf(auth, old)).toBe("rotated_token"),
    reason: "revoked_token",
  },
];

async function openScene(
  cache: Partial<VerificationCacheOptions>,
  options: Partial<AuthOptions> = {},
): Promise<Scene & ReturnType<typeof makeCached>> {
  const cached = makeCached(cache, options);
  const { auth, clock } = cached;
  const { ada, issued: old } = await makeOwned(auth);
  const issued = must(await rotateToken(auth, old.text.reveal(), { overlap: 1 }));
  clock.now++;
  return { ...cached, ada, issued, old };
}

/** Another process, with a cache of its own, on the same store and by the same clock. */
function openElsewhere({ clock, inner }: ReturnType<typeof makeCached>, bus?: RevocationBus) {
  const cache = bus === undefined ? {} : { bus };
  return makeCached(cache, { store: inner, now: () => clock.now });
}

async function warm(auth: Auth, box: { lookups: number }, issued: IssuedToken): Promise<void> {
  expect(await reasonOf(auth, issued)).toBe("ok");
  const before = box.lookups;
  expect(await reasonOf(auth, issued)).toBe("ok");
  expect(box.lookups, "lookups of a token that is known").toBe(before);
}

const brokenBuses: readonly (readonly [string, RevocationBus["publish"]])[] = [
  ["throws", () => {
    throw new Error("bus down");
  }],
  ["rejects", () => Promise.reject(new Error("bus down"))],
  ["hangs", () => new Promise(() => {})],
  ["answers what throws when it is looked at", () => ({
    get then(): never {
      throw new Error("bus down");
    },
  })],
];

describe("a cached token", () => {
  it.each(endings)(
    "ends at the very next verification after $name (C5)",
    async ({ end, reason, options }) => {
      const scene = await openScene({}, options);
      await warm(scene.auth, scene.box, scene.issued);
      await end(scene);
      expect(await reasonOf(scene.auth, scene.issued)).toBe(reason);
    },
  );

  it.each(endings)(
    "ends elsewhere when it has grown stale, not a millisecond later, after $name (C5)",
    async ({ end, reason, options }) => {
      const scene = await openScene({}, options);
      const other = openElsewhere(scene);
      await warm(other.auth, other.box, scene.issued);
      await end(scene);
      scene.clock.now += STALENESS - 1;
      expect(await reasonOf(other.auth, scene.issued)).toBe("ok");
      scene.clock.now++;
      expect(await reasonOf(other.auth, scene.issued)).toBe(reason);
    },
  );

  it.each(endings)(
    "ends elsewhere at once over a bus, after $name (C5)",
    async ({ end, reason, options }) => {
      const bus = localBus();
      const scene = await openScene({ bus }, options);
      const other = openElsewhere(scene, bus);
      await warm(other.auth, other.box, scene.issued);
      await end(scene);
      expect(await reasonOf(other.auth, scene.issued)).toBe(reason);
    },
  );

  it.each(brokenBuses)("ends all the same with a bus that %s (C5)", async (_, publish) => {
    const bus = { publish, subscribe: () => {} };
    const scene = await openScene({ bus });
    const other = openElsewhere(scene, bus);
    await warm(scene.auth, scene.box, scene.issued);
    await warm(other.auth, other.box, scene.issued);
    expect(await revokeToken(scene.auth, scene.issued.token.id)).toBe(true);
    expect(await reasonOf(scene.auth, scene.issued)).toBe("revoked_token");
    scene.clock.now += STALENESS;
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });

  it("ends when the store did revoke it and then failed to say so (C2, C5)", async () => {
    const inner = memoryStore();
    const store: Store = {
      ...inner,
      async revokeToken(...rest) {
        await inner.revokeToken(...rest);
        throw new Error("connection reset");
      },
    };
    const { auth, box } = makeCached({}, { store });
    const { issued } = await makeOwned(auth);
    await warm(auth, box, issued);
    await expect(revokeToken(auth, issued.token.id)).rejects.toBeInstanceOf(StoreError);
    expect(await reasonOf(auth, issued)).toBe("revoked_token");
  });

  it("ends with all others of its owner and of its family (C5)", async () => {
    const { auth, box } = makeCached();
    const { ada, issued } = await makeOwned(auth);
    const others = [];
    for (let count = 0; count < 3; count++) others.push(must(await issueToken(auth, ada)));
    const successor = must(await rotateToken(auth, issued.text.reveal(), { overlap: MINUTE }));
    for (const one of [issued, successor, ...others]) await warm(auth, box, one);
    await logout(auth, { user: ada, token: successor.token });
    for (const one of [issued, successor]) expect(await reasonOf(auth, one)).toBe("revoked_token");
    for (const one of others) await warm(auth, box, one);
    await revokeAllTokens(auth, ada.id);
    for (const one of others) expect(await reasonOf(auth, one)).toBe("revoked_token");
  });

  it("holds again at once where it does, here and elsewhere", async () => {
    const scene = await openScene({}, { revokeOn: { deactivation: false } });
    const other = openElsewhere(scene);
    await setActive(scene.auth, scene.ada.id, false);
    for (const { auth } of [scene, other]) {
      expect(await reasonOf(auth, scene.issued)).toBe("inactive_user");
    }
    await setActive(scene.auth, scene.ada.id, true);
    for (const { auth } of [scene, other]) expect(await reasonOf(auth, scene.issued)).toBe("ok");
  });

  it("is shown with its new name, and stays known when another's is changed", async () => {
    const { auth, box } = makeCached();
    const { ada, issued } = await makeOwned(auth);
    const bob = await makeUser(auth, "bob");
    const other = must(await issueToken(auth, bob));
    await warm(auth, box, issued);
    await warm(auth, box, other);
    await renameToken(auth, ada.id, issued.token.id, "phone");
    expect((await principalOf(auth, issued)).token.name).toBe("phone");
    const before = box.lookups;
    await revokeAllTokens(auth, ada.id);
    expect(await reasonOf(auth, other)).toBe("ok");
    expect(box.lookups).toBe(before);
  });
});

describe("a lookup that races with a change", () => {
  /** Holds lookups before and after the row is read. */
  function hold(box: ReturnType<typeof watch>["box"]) {
    const [before, after] = [createGate(), createGate()];
    box.intercept = async (read) => {
      box.intercept = (read) => read();
      await before.opened;
      const answer = await read();
      await after.opened;
      return answer;
    };
    return { before, after };
  }

  it.each(endings)(
    "keeps nothing that was read before $name (C6)",
    async ({ end, reason, options }) => {
      const scene = await openScene({}, options);
      const gates = hold(scene.box);
      const early = reasonOf(scene.auth, scene.issued);
      gates.before.open();
      await settle();
      await end(scene);
      const late = reasonOf(scene.auth, scene.issued);
      await settle();
      gates.after.open();
      // It began before the change, and may be told what was true then.
      expect(await early).toBe("ok");
      expect(await late).toBe(reason);
      expect(await reasonOf(scene.auth, scene.issued)).toBe(reason);
    },
  );

  it.each(endings)("answers what is read after $name (C6)", async ({ end, reason, options }) => {
    const scene = await openScene({}, options);
    const gates = hold(scene.box);
    const early = reasonOf(scene.auth, scene.issued);
    await end(scene);
    gates.before.open();
    gates.after.open();
    expect([await early, await reasonOf(scene.auth, scene.issued)]).toEqual([reason, reason]);
  });

  it("keeps nothing that was read before a change that came over the bus (C6)", async () => {
    const bus = localBus();
    const scene = await openScene({ bus });
    const other = openElsewhere(scene, bus);
    const gates = hold(other.box);
    const early = reasonOf(other.auth, scene.issued);
    gates.before.open();
    await settle();
    await revokeToken(scene.auth, scene.issued.token.id);
    gates.after.open();
    expect(await early).toBe("ok");
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });

  it("is as old as its beginning, however long it took (C5, C6)", async () => {
    const scene = await openScene({});
    const other = openElsewhere(scene);
    const gates = hold(other.box);
    const early = reasonOf(other.auth, scene.issued);
    gates.before.open();
    await settle();
    await revokeToken(scene.auth, scene.issued.token.id);
    scene.clock.now += STALENESS - 1;
    gates.after.open();
    expect(await early).toBe("ok");
    expect(await reasonOf(other.auth, scene.issued)).toBe("ok");
    scene.clock.now++;
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });

  it("is not joined, nor kept, when it has been under way for too long (C6)", async () => {
    const scene = await openScene({});
    const other = openElsewhere(scene);
    const gates = hold(other.box);
    const early = reasonOf(other.auth, scene.issued);
    gates.before.open();
    await settle();
    await revokeToken(scene.auth, scene.issued.token.id);
    scene.clock.now += 1_000;
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
    gates.after.open();
    expect(await early).toBe("ok");
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });

  it("never answers for a token that ended before it was asked for, in any order (C5, C6)", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { faults, verdicts, lookups } = await interleave(seed);
      expect(faults, `seed ${seed}`).toEqual([]);
      expect(verdicts, `seed ${seed}`).toBeGreaterThan(100);
      expect(lookups, `seed ${seed}`).toBeLessThan(verdicts);
    }
  });
});

describe("a decision about a cached token", () => {
  it("is taken anew for each permission and scope (C7)", async () => {
    const { auth, box } = makeCached();
    const { issued } = await makeOwned(auth, { scopes: ["read"] });
    await warm(auth, box, issued);
    const statusOf = async (...permissions: readonly [ReturnType<typeof hasScopes>]) => {
      const headers = { authorization: `Token ${issued.text.reveal()}` };
      const request = new Request("https://example.com/", { headers });
      const passed = await createGuard(auth, { permissions })(request);
      return passed.ok ? passed.value.user.username : passed.failure.status;
    };
    expect(await statusOf(hasScopes(["read"]))).toBe("ada");
    expect(await statusOf(hasScopes(["write"]))).toBe(403);
    expect(await statusOf(isAdminUser)).toBe(403);
    expect(await statusOf(hasScopes(["read"]))).toBe("ada");
    expect(box.lookups).toBe(1);
  });

  it.each<[string, IssueOptions]>([
    ["expired_token", { expiresIn: 2_000 }],
    ["idle_token", { idleTimeout: 2_000, expiresIn: null }],
  ])("is %s at the very instant, while it is cached (C7)", async (reason, options) => {
    for (const [wait, expected] of [[1_999, "ok"], [2_000, reason]] as const) {
      const { auth, box, clock } = makeCached({}, { touchInterval: 1_000 });
      const { issued } = await makeOwned(auth, options);
      await reasonOf(auth, issued);
      await flushUses(auth);
      await warm(auth, box, issued);
      clock.now += wait;
      expect(await reasonOf(auth, issued)).toBe(expected);
    }
  });

  it("is rotated_token at the very end of the overlap, elsewhere when it has grown stale (C5, C7)", async () => {
    const scene = await openScene({});
    const other = openElsewhere(scene);
    const start = scene.clock.now;
    await warm(scene.auth, scene.box, scene.issued);
    await warm(other.auth, other.box, scene.issued);
    must(await rotateToken(scene.auth, scene.issued.text.reveal(), { overlap: 2_000 }));
    await warm(scene.auth, scene.box, scene.issued);
    scene.clock.now = start + 1_999;
    expect(await reasonOf(scene.auth, scene.issued)).toBe("ok");
    scene.clock.now = start + 2_000;
    expect(await reasonOf(scene.auth, scene.issued)).toBe("rotated_token");
    scene.clock.now = start + STALENESS - 1;
    expect(await reasonOf(other.auth, scene.issued)).toBe("ok");
    scene.clock.now = start + STALENESS;
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });

  it("asks the application for its own user each time", async () => {
    const asked: string[] = [];
    let isActive = true;
    const findUser = async (id: string) => {
      asked.push(id);
      return { id, username: "ada", isActive, isStaff: false, isSuperuser: false };
    };
    const { auth, box } = makeCached({}, { findUser });
    const issued = must(await issueToken(auth, { id: "7" }));
    for (let count = 0; count < 3; count++) expect(await reasonOf(auth, issued)).toBe("ok");
    const { user } = await principalOf(auth, issued);
    expect(Object.isFrozen(user)).toBe(false);
    isActive = false;
    expect(await reasonOf(auth, issued)).toBe("inactive_user");
    expect([asked, box.lookups]).toEqual([["7", "7", "7", "7", "7"], 1]);
    await revokeToken(auth, issued.token.id);
    expect(await reasonOf(auth, issued)).toBe("revoked_token");
  });

  it("holds for tokens of each pepper", async () => {
    const pepper = { id: "2027", key: new Uint8Array(32).fill(7) };
    const inner = memoryStore();
    const { auth: plain } = makeAuth({ store: inner });
    const { ada, issued: old } = await makeOwned(plain);
    const { auth, box } = makeCached({}, { store: inner, peppers: [pepper, "none"] });
    const young = must(await issueToken(auth, ada));
    for (const issued of [old, young]) await warm(auth, box, issued);
    for (const issued of [old, young]) {
      await revokeToken(auth, issued.token.id);
      expect(await reasonOf(auth, issued)).toBe("revoked_token");
    }
  });

  it("forgets everything when the clock is seen to go back", async () => {
    const scene = await openScene({});
    const other = openElsewhere(scene);
    const bystander = must(await issueToken(scene.auth, scene.ada));
    await warm(other.auth, other.box, scene.issued);
    await revokeToken(scene.auth, scene.issued.token.id);
    scene.clock.now -= 60_000;
    expect(await reasonOf(other.auth, bystander)).toBe("ok");
    scene.clock.now += 60_001;
    expect(await reasonOf(other.auth, scene.issued)).toBe("revoked_token");
  });
});

describe("the use of a cached token", () => {
  /** A store that notes what it is asked to write. */
  function watchTouches() {
    const inner = memoryStore();
    const touched: number[] = [];
    const store: Store = {
      ...inner,
      async touchTokens(uses) {
        for (const { usedAt } of uses) touched.push(usedAt - START);
        await inner.touchTokens(uses);
      },
    };
    return { store, touched };
  }

  it("is written once per interval, and told to waitUntil only then", async () => {
    const { store, touched } = watchTouches();
    const { auth, clock } = makeCached({ staleness: 60 * MINUTE }, {
      store,
      touchInterval: MINUTE,
    });
    const { issued } = await makeOwned(auth);
    const handed: number[] = [];
    for (let at = 0; at <= 3 * MINUTE; at += MINUTE / 4) {
      clock.now = START + at;
      for (let count = 0; count < 3; count++) {
        const waitUntil = () => void handed.push(at);
        must(await verifyToken(auth, issued.text.reveal(), { waitUntil }));
        await flushUses(auth);
      }
    }
    expect(touched).toEqual([0, MINUTE, 2 * MINUTE, 3 * MINUTE]);
    expect(handed).toEqual(touched);
  });

  it("keeps a token with an idle timeout alive, which ends at its instant", async () => {
    const { auth, clock } = makeCached({ staleness: 60 * MINUTE }, { touchInterval: MINUTE });
    const { issued } = await makeOwned(auth, { idleTimeout: 3 * MINUTE, expiresIn: null });
    for (let round = 0; round < 10; round++) {
      clock.now += 2 * MINUTE;
      expect(await reasonOf(auth, issued)).toBe("ok");
      await flushUses(auth);
      expect((await principalOf(auth, issued)).token.lastUsedAt).toBe(clock.now);
    }
    clock.now += 3 * MINUTE;
    expect(await reasonOf(auth, issued)).toBe("idle_token");
  });

  it("elsewhere keeps it alive here", async () => {
    const scene = makeCached({ staleness: 60 * MINUTE }, { touchInterval: MINUTE });
    const other = makeAuth({ store: scene.inner, now: () => scene.clock.now });
    const { issued } = await makeOwned(scene.auth, { idleTimeout: 3 * MINUTE, expiresIn: null });
    await reasonOf(scene.auth, issued);
    await flushUses(scene.auth);
    await warm(scene.auth, scene.box, issued);
    scene.clock.now += 2 * MINUTE;
    expect(await reasonOf(other.auth, issued)).toBe("ok");
    await flushUses(other.auth);
    scene.clock.now += 2 * MINUTE;
    expect(await reasonOf(scene.auth, issued)).toBe("ok");
  });
});

describe("the memory of a cache", () => {
  /** Makes a cache, and shows the maps that it keeps. */
  function showMaps(options: VerificationCacheOptions) {
    const maps: Map<unknown, unknown>[] = [];
    const Original = globalThis.Map;
    class ShownMap<Key, Value> extends Original<Key, Value> {
      constructor() {
        super();
        maps.push(this);
      }
    }
    Reflect.set(globalThis, "Map", ShownMap);
    try {
      return { cache: verificationCache(options), maps };
    } finally {
      Reflect.set(globalThis, "Map", Original);
    }
  }

  /** Everything in it, as text. */
  function write(value: unknown): string {
    return JSON.stringify(
      value,
      (_, member: unknown) =>
        member instanceof Map || member instanceof Set ? [...member.entries()] : member,
    );
  }

  const digestOf = (count: number) => [count.toString(16).padStart(64, "0")];

  it("has no text of a token in it, only digests (C8)", async () => {
    const { cache, maps } = showMaps({ staleness: STALENESS });
    const watched = watch();
    const { auth } = makeAuth({ store: watched.store, touchInterval: null, cache });
    const { issued } = await makeOwned(auth);
    await warm(auth, watched.box, issued);
    const text = issued.text.reveal();
    const unknown = text.startsWith("lk_") ? must(await issueToken(makeAuth().auth, "7")) : issued;
    expect(await reasonOf(auth, unknown)).toBe("unknown_token");
    const written = write(maps);
    expect(written).toContain(auth.digest(text).digest);
    expect(written).toContain(auth.digest(unknown.text.reveal()).digest);
    for (const one of [text, unknown.text.reveal()]) {
      for (let start = 3; start + 12 < one.length; start++) {
        expect(written).not.toContain(one.slice(start, start + 12));
      }
    }
  });

  it("stays bounded in a flood of 100,000 unknown tokens, and what is good stays (C9)", async () => {
    const { cache, maps } = showMaps({ staleness: STALENESS, max: 100 });
    const { box, store } = watch();
    const { auth } = makeAuth({ store, touchInterval: null, cache });
    const ada = await makeUser(auth, "ada");
    const tokens = [];
    for (let count = 0; count < 100; count++) tokens.push(must(await issueToken(auth, ada)));
    for (const issued of tokens) await reasonOf(auth, issued);
    for (let count = 0; count < 100_000; count++) {
      if (await auth.store.findToken(digestOf(count)) !== null) throw new Error("Expected none");
    }
    expect(Math.max(...maps.map((map) => map.size))).toBe(100);
    const before = box.lookups;
    for (const issued of tokens) expect(await reasonOf(auth, issued)).toBe("ok");
    expect(box.lookups).toBe(before);
    // The few that are still known to be unknown.
    for (let count = 0; count < 1_000; count++) {
      await auth.store.findToken(digestOf(99_999 - count));
    }
    expect(box.lookups - before).toBeGreaterThanOrEqual(990);
  });

  it("stays bounded while many lookups hang, and in a flood of good tokens (C9)", async () => {
    const { cache, maps } = showMaps({ staleness: STALENESS, max: 100 });
    const { box, store } = watch();
    const { auth } = makeAuth({ store, touchInterval: null, storeTimeout: null, cache });
    const ada = await makeUser(auth, "ada");
    for (let count = 0; count < 300; count++) {
      expect(await reasonOf(auth, must(await issueToken(auth, ada)))).toBe("ok");
      expect(Math.max(...maps.map((map) => map.size))).toBeLessThanOrEqual(100);
    }
    box.intercept = () => new Promise(() => {});
    for (let count = 0; count < 25_000; count++) void auth.store.findToken(digestOf(count));
    expect(Math.max(...maps.map((map) => map.size))).toBeLessThanOrEqual(10_000);
  });

  it("makes room by forgetting the oldest", async () => {
    const { auth, box } = makeCached({ max: 100 });
    const { ada, issued: oldest } = await makeOwned(auth);
    const tokens = [];
    for (let count = 0; count < 99; count++) tokens.push(must(await issueToken(auth, ada)));
    for (const one of [oldest, ...tokens]) await warm(auth, box, one);
    await warm(auth, box, must(await issueToken(auth, ada)));
    const before = box.lookups;
    for (const one of tokens) expect(await reasonOf(auth, one)).toBe("ok");
    expect(box.lookups).toBe(before);
    expect(await reasonOf(auth, oldest)).toBe("ok");
    expect(box.lookups).toBe(before + 1);
  });

  it("keeps nothing of what it looks up again (C9)", async () => {
    const { cache, maps } = showMaps({ staleness: STALENESS });
    const { auth, clock } = makeAuth({ touchInterval: null, cache });
    const { ada, issued } = await makeOwned(auth);
    const sizes: number[] = [];
    for (let round = 0; round < 20; round++) {
      expect(await reasonOf(auth, issued)).toBe("ok");
      clock.now += STALENESS;
      sizes.push(write(maps).length);
    }
    expect(new Set(sizes).size).toBe(1);
    await revokeAllTokens(auth, ada.id);
    expect(maps.map((map) => map.size)).toEqual(maps.map(() => 0));
  });

  it("has no place for tokens that have ended, which would push out good ones (C9)", async () => {
    const { auth, box } = makeCached({ max: 2 });
    const { ada, issued } = await makeOwned(auth);
    const ended = [];
    for (let count = 0; count < 5; count++) ended.push(must(await issueToken(auth, ada)));
    for (const { token } of ended) await revokeToken(auth, token.id);
    await reasonOf(auth, issued);
    for (const one of ended) expect(await reasonOf(auth, one)).toBe("revoked_token");
    const before = box.lookups;
    expect(await reasonOf(auth, issued)).toBe("ok");
    expect(box.lookups).toBe(before);
  });

  it("knows for a second that a token is unknown, and not once it is made (C9)", async () => {
    const scene = makeCached();
    const { auth, box, clock, inner } = scene;
    const elsewhere = makeAuth({ store: inner });
    const issued = must(await issueToken(makeAuth().auth, "7"));
    const expectLookups = async (count: number) => {
      expect(await reasonOf(auth, issued)).toBe("unknown_token");
      expect(box.lookups).toBe(count);
    };
    await expectLookups(1);
    clock.now += 999;
    await expectLookups(1);
    clock.now++;
    await expectLookups(2);
    const ada = await makeUser(elsewhere.auth, "ada");
    const digest = auth.digest(issued.text.reveal());
    const record = { ...issued.token, ...digest, owner: ada.id, epoch: null, slot: null };
    const rest = { revokedAt: null, revokedReason: null, rotation: null };
    await auth.store.insertToken({ ...record, ...rest });
    expect(await reasonOf(auth, issued)).toBe("ok");
  });
});

describe("what a store answers", () => {
  it("cannot be changed afterwards, by the store or by a request (C8)", async () => {
    const { auth, box } = makeCached();
    const { issued } = await makeOwned(auth, { scopes: ["read"] });
    const answers: NonNullable<Answer>[] = [];
    box.intercept = async (read) => {
      const answer = await read();
      if (answer !== null) answers.push(answer);
      return answer;
    };
    const first = await principalOf(auth, issued);
    for (const { token, user } of answers) {
      Object.assign(token, { owner: "mallory", name: "mallory" });
      Object.assign(token.scopes, ["admin"]);
      Object.assign(user ?? {}, { id: "mallory", isStaff: true });
    }
    expect(answers).toHaveLength(1);
    const again = await principalOf(auth, issued);
    expect(again).toEqual(first);
    expect([again.user.isStaff, again.token.scopes]).toEqual([false, ["read"]]);
    for (const part of [again, again.user, again.token, again.token.scopes]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    const found = await auth.store.findToken([auth.digest(issued.text.reveal()).digest]);
    for (const part of [found, found?.token, found?.token.scopes, found?.user]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  const malformed: readonly (readonly [string, (answer: NonNullable<Answer>) => unknown])[] = [
    ["nothing at all", () => undefined],
    ["an empty object", () => ({})],
    ["no token", (answer) => ({ ...answer, token: null })],
    ["another's row", ({ token, ...rest }) => ({
      ...rest,
      token: { ...token, digest: "0".repeat(64) },
    })],
    ["another's user", (answer) => ({ ...answer, user: { ...answer.user, id: "mallory" } })],
    ["a user without an epoch", (answer) => ({ ...answer, epoch: null })],
    ["no scopes", ({ token, ...rest }) => ({ ...rest, token: { ...token, scopes: null } })],
    ["an end that is text", ({ token, ...rest }) => ({
      ...rest,
      token: { ...token, expiresAt: "9".repeat(20) },
    })],
    ["what throws when it is looked at", () => ({
      get token(): never {
        throw new Error("select-password-from-user");
      },
    })],
  ];

  it.each(malformed)("is refused when it is %s, and forgotten at once (C8)", async (_, change) => {
    const { auth, box } = makeCached();
    const { issued } = await makeOwned(auth);
    box.intercept = async (read) => {
      const answer = await read();
      return answer === null ? null : change(answer);
    };
    for (let count = 0; count < 2; count++) {
      const refused = await reasonOf(auth, issued).catch((error: unknown) => error);
      if (refused !== "expired_token") expect(refused).toBeInstanceOf(StoreError);
      expect(String(refused)).not.toContain("select");
    }
    box.intercept = (read) => read();
    expect(await reasonOf(auth, issued)).toBe("ok");
  });
});

describe("lookups of one token at the same time", () => {
  const verifyMany = (auth: Auth, issued: IssuedToken) =>
    Promise.all(
      Array.from({ length: 100 }, () =>
        reasonOf(auth, issued).catch((error: unknown) =>
          error instanceof StoreError ? `${error.name} ${error.code}` : error
        )),
    );

  it("are one, of a token that holds and of an unknown one", async () => {
    const { auth, box } = makeCached();
    const { issued } = await makeOwned(auth);
    expect(new Set(await verifyMany(auth, issued))).toEqual(new Set(["ok"]));
    expect(box.lookups).toBe(1);
    const unknown = must(await issueToken(makeAuth().auth, "7"));
    expect(new Set(await verifyMany(auth, unknown))).toEqual(new Set(["unknown_token"]));
    expect(box.lookups).toBe(2);
  });

  it("all fail with a store that fails, and the next is another (C4)", async () => {
    const { auth, box } = makeCached();
    const { issued } = await makeOwned(auth);
    for (
      const fail of [() => Promise.reject(new Error("down")), () => {
        throw new Error("down");
      }]
    ) {
      const before = box.lookups;
      box.intercept = fail;
      expect(new Set(await verifyMany(auth, issued))).toEqual(new Set(["StoreError unavailable"]));
      expect(box.lookups).toBe(before + 1);
      box.intercept = (read) => read();
      expect(await reasonOf(auth, issued)).toBe("ok");
      await renameToken(auth, issued.token.owner, issued.token.id, "forgotten");
    }
  });

  it("all fail with a store that never answers, and the next is another (C4)", async () => {
    const { auth, box } = makeCached({}, { storeTimeout: 1 });
    const { issued } = await makeOwned(auth);
    box.intercept = () => new Promise(() => {});
    expect(new Set(await verifyMany(auth, issued))).toEqual(new Set(["StoreError unavailable"]));
    expect(box.lookups).toBe(1);
    box.intercept = (read) => read();
    expect(await reasonOf(auth, issued)).toBe("ok");
  });
});

describe("verificationCache()", () => {
  it.each([0, -1, 1.5, NaN, Infinity])("refuses the staleness %d", (staleness) => {
    expect(() => verificationCache({ staleness })).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, NaN, Infinity])("refuses the max %d", (max) => {
    expect(() => verificationCache({ staleness: 1, max })).toThrow(RangeError);
  });

  it("refuses a bus that is none", () => {
    const bus: RevocationBus = Object.create(null);
    expect(() => verificationCache({ staleness: 1, bus })).toThrow(TypeError);
  });

  it("refuses to be shared by two configurations", () => {
    const cache = verificationCache({ staleness: 1 });
    makeAuth({ cache });
    expect(() => makeAuth({ cache })).toThrow(TypeError);
  });

  it("works with the smallest staleness and the smallest max", async () => {
    const { auth, box, clock } = makeCached({ staleness: 1, max: 1 });
    const { ada, issued } = await makeOwned(auth);
    await warm(auth, box, issued);
    await warm(auth, box, must(await issueToken(auth, ada)));
    await warm(auth, box, issued);
    clock.now++;
    await reasonOf(auth, issued);
    expect(box.lookups).toBe(4);
  });
});

describe("a bus", () => {
  const changes: readonly TokenChange[] = [
    { of: "token", id: "1" },
    { of: "family", id: "2" },
    { of: "owner", id: "" },
  ];

  it("brings every change to every listener by the time it is published", () => {
    const bus = localBus();
    const heard: TokenChange[][] = [[], []];
    bus.subscribe(() => {
      throw new Error("a listener that breaks its contract");
    });
    for (const list of heard) bus.subscribe((change) => list.push(change));
    for (const change of changes) bus.publish(change);
    expect(heard).toEqual([changes, changes]);
  });

  it("is told of every verb that ends tokens, by ids alone, and of no new token", async () => {
    const published: TokenChange[] = [];
    const bus = {
      publish: (change: TokenChange) => published.push(change),
      subscribe: () => {},
    };
    const { auth, ada, issued, old } = await openScene({ bus });
    published.length = 0;
    must(await issueToken(auth, ada));
    must(await login(auth, { username: "ada", password: "ada-password" }));
    await reasonOf(auth, issued);
    expect(published).toEqual([]);
    await revokeToken(auth, issued.token.id);
    await logout(auth, { user: ada, token: issued.token });
    await revokeAllTokens(auth, ada.id);
    const owner = { of: "owner", id: ada.id };
    expect(published).toEqual([
      { of: "token", id: issued.token.id },
      { of: "family", id: old.token.id },
      owner,
      owner,
    ]);
  });

  it("that brings what cannot be understood makes a cache forget, and never throws (C8)", async () => {
    const listeners: ((change: TokenChange) => void)[] = [];
    const bus: RevocationBus = {
      publish: () => {},
      subscribe: (listener) => void listeners.push(listener),
    };
    const { auth, box } = makeCached({ bus });
    const { issued } = await makeOwned(auth);
    const messages: readonly unknown[] = [
      null,
      undefined,
      "token",
      {},
      { of: "user", id: issued.token.owner },
      { of: "constructor", id: "1" },
      { of: "token", id: 7 },
      {
        get of(): never {
          throw new Error("no");
        },
      },
    ];
    for (const message of messages) {
      await warm(auth, box, issued);
      const before = box.lookups;
      for (const listener of listeners) Reflect.apply(listener, null, [message]);
      expect(await reasonOf(auth, issued)).toBe("ok");
      expect(box.lookups).toBe(before + 1);
    }
    await warm(auth, box, issued);
    const before = box.lookups;
    for (const listener of listeners) listener({ of: "token", id: "another" });
    await reasonOf(auth, issued);
    expect(box.lookups).toBe(before);
  });
});

/** Runs random verifications and revocations in two processes, all of their steps in a random order. */
async function interleave(seed: number) {
  const random = seededNumbers(seed);
  const inner = memoryStore();
  const clock = { now: START };
  const waiting: (() => void)[] = [];
  const counts = { lookups: 0, verdicts: 0 };
  const faults: string[] = [];
  /** By owner: whether somebody began to end the token, when the store did, and whether it was told. */
  const begun = new Set<string>();
  const endedAt = new Map<string, number>();
  const told = new Set<string>();
  /** By the id of a token, of a family or of an owner. */
  const owners = new Map<string, string>();

  async function takeSteps<Value>(id: string, work: () => Promise<Value>): Promise<Value> {
    await new Promise<void>((resolve) => waiting.push(resolve));
    const value = await work();
    const owner = owners.get(id);
    if (owner !== undefined && !endedAt.has(owner)) endedAt.set(owner, clock.now);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return value;
  }
  const store: Store = {
    ...inner,
    findToken(digests) {
      counts.lookups++;
      return takeSteps("", async () => await inner.findToken(digests));
    },
    revokeToken: (id, ...rest) => takeSteps(id, () => inner.revokeToken(id, ...rest)),
    revokeTokens: (id, ...rest) => takeSteps(id, () => inner.revokeTokens(id, ...rest)),
    revokeFamily: (id, ...rest) => takeSteps(id, () => inner.revokeFamily(id, ...rest)),
    setActive: (id, ...rest) => takeSteps(id, () => inner.setActive(id, ...rest)),
    startEpoch: (id) => takeSteps(id, () => inner.startEpoch(id)),
  };
  const makeProcess = () =>
    makeAuth({
      store,
      touchInterval: null,
      storeTimeout: null,
      now: () => clock.now,
      cache: verificationCache({ staleness: STALENESS }),
    }).auth;
  const [here, there] = [makeProcess(), makeProcess()];

  const tokens = await Promise.all(Array.from({ length: 6 }, async (_, index) => {
    const ada = await makeUser(here, `ada-${index}`);
    const { text, token } = must(await issueToken(here, ada));
    for (const id of [token.id, token.family, ada.id]) owners.set(id, ada.id);
    const ways = [
      () => revokeToken(here, token.id),
      () => revokeAllTokens(here, ada.id),
      () => logout(here, { user: ada, token }),
      () => setActive(here, ada.id, false),
    ];
    return { owner: ada.id, text: text.reveal(), end: ways[random(ways.length)] };
  }));

  async function verify(auth: Auth, { owner, text }: { owner: string; text: string }) {
    const mustBeRefused = auth === here
      ? told.has(owner)
      : clock.now >= (endedAt.get(owner) ?? Infinity) + STALENESS;
    const reason = await reasonOf(auth, text);
    counts.verdicts++;
    const where = auth === here ? "here" : "elsewhere";
    if (mustBeRefused && reason === "ok") faults.push(`served ${where} after it ended`);
    if (!begun.has(owner) && reason !== "ok") faults.push(`refused ${where} as ${reason}`);
  }
  async function end({ owner, end }: (typeof tokens)[number]) {
    if (begun.has(owner)) return;
    begun.add(owner);
    await end?.();
    told.add(owner);
  }

  const running: Promise<void>[] = [];
  for (let step = 0; step < 800 || waiting.length > 0; step++) {
    const token = tokens[random(tokens.length)];
    const choice = step < 800 ? random(10) : 9;
    if (token === undefined) continue;
    if (choice < 3) running.push(verify(random(2) === 0 ? here : there, token));
    else if (choice === 3 && random(8) === 0) running.push(end(token));
    else if (choice === 4) clock.now += random(STALENESS / 4);
    else waiting.splice(random(waiting.length), 1)[0]?.();
    await settle();
  }
  await Promise.all(running);
  return { faults, ...counts };
}
