import type { Store, UserChange } from "../ports/store.ts";
import type { UserRecord } from "../pure/user.ts";
import { expectEqual, expectRejection, settle } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import { sampleToken, sampleUser } from "./sample.ts";

const RACERS = 25;
const KEEP: UserChange = { newEpoch: false };

/** The contract of `UserStore`. */
export const userLaws: readonly StoreLaw[] = [
  law("findUser and findUserByName return a user exactly as it was inserted", async (store) => {
    const users = [
      sampleUser(1),
      sampleUser(2, { password: null, isActive: false }),
      sampleUser(3, { isStaff: true, createdAt: 0 }),
      sampleUser(4, { isSuperuser: true, createdAt: Number.MAX_SAFE_INTEGER }),
      sampleUser(5, { password: "" }),
    ];
    for (const user of users) {
      expectEqual(await store.insertUser(user), true, "insertUser of a new user");
    }
    await expectUsers(store, users);
  }),

  law("findUser and findUserByName return null when there is no such user", async (store) => {
    await store.insertUser(sampleUser(1));
    for (const text of ["", "user-2", "name-1", "USER-1", "user-1 ", " user-1"]) {
      expectEqual(await store.findUser(text), null, `the id ${JSON.stringify(text)}`);
    }
    for (const text of ["", "name-2", "user-1", "NAME-1", "name-1 ", " name-1"]) {
      expectEqual(await store.findUserByName(text), null, `the name ${JSON.stringify(text)}`);
    }
  }),

  law(
    "usernames are compared exactly: case, accents, width and white space count",
    async (store) => {
      const names = [
        "ada",
        "Ada",
        "ADA",
        "ada ",
        "\u00e9va",
        "e\u0301va",
        "eva",
        "\uff41da",
        "a\u0307da",
      ];
      const users = names.map((username, seed) => sampleUser(seed, { username }));
      for (const user of users) {
        expectEqual(
          await store.insertUser(user),
          true,
          `the name ${JSON.stringify(user.username)}`,
        );
      }
      await expectUsers(store, users);
    },
  ),

  law("insertUser returns false for an existing username and changes nothing", async (store) => {
    const user = sampleUser(1);
    await store.insertUser(user);
    const other = sampleUser(2, { username: user.username, isSuperuser: true });
    expectEqual(await store.insertUser(other), false, "the same username");
    await expectUsers(store, [user]);
    expectEqual(await store.findUser(other.id), null, "the refused user");
  }),

  law("insertUser rejects an existing id and changes nothing", async (store) => {
    const user = sampleUser(1);
    await store.insertUser(user);
    const other = sampleUser(2, { id: user.id, isSuperuser: true });
    await expectRejection(store.insertUser(other), "the same id");
    await expectUsers(store, [user]);
    expectEqual(await store.findUserByName(other.username), null, "the rejected user");
  }),

  law(
    "insertUser returns true to exactly one of many callers with the same username",
    async (store) => {
      const users = Array.from(
        { length: RACERS },
        (_, seed) => sampleUser(seed, { username: "ada" }),
      );
      const results = await Promise.all(users.map((user) => store.insertUser(user)));
      expectEqual(results.filter((isInserted) => isInserted).length, 1, "the callers told true");
      const winner = users[results.indexOf(true)];
      expectEqual(await store.findUserByName("ada"), winner, "the user stored");
      const stored = await Promise.all(users.map((user) => store.findUser(user.id)));
      expectEqual(stored.filter((user) => user !== null).length, 1, "the users stored");
    },
  ),

  law("replacePassword without an expected text replaces whatever is stored", async (store) => {
    const user = sampleUser(1);
    const bystander = sampleUser(2, { password: user.password });
    await store.insertUser(user);
    await store.insertUser(bystander);
    for (const password of ["$new$", "$new$", null, null, "", "$newer$"]) {
      const isReplaced = await store.replacePassword(user.id, password, KEEP);
      expectEqual(isReplaced, true, `the password ${JSON.stringify(password)}`);
      await expectUsers(store, [{ ...user, password }, bystander]);
    }
  }),

  law("replacePassword with an expected text replaces only while it is stored", async (store) => {
    const user = sampleUser(1, { password: "$Old$" });
    await store.insertUser(user);
    for (const expected of ["$old$", "$Old$ ", "", "%", "null", null]) {
      const isReplaced = await store.replacePassword(user.id, "$new$", {
        ...KEEP,
        expected: expected,
      });
      expectEqual(isReplaced, false, `expecting ${JSON.stringify(expected)}`);
    }
    await expectUsers(store, [user]);
    expectEqual(
      await store.replacePassword(user.id, null, { ...KEEP, expected: "$Old$" }),
      true,
      "expecting the text",
    );
    await expectUsers(store, [{ ...user, password: null }]);
  }),

  law(
    "replacePassword with an expected null replaces only while no password is stored",
    async (store) => {
      const user = sampleUser(1, { password: null });
      await store.insertUser(user);
      for (const expected of ["", "null", "$new$"]) {
        const isReplaced = await store.replacePassword(user.id, "$new$", {
          ...KEEP,
          expected: expected,
        });
        expectEqual(isReplaced, false, `expecting ${JSON.stringify(expected)}`);
      }
      expectEqual(
        await store.replacePassword(user.id, "$new$", { ...KEEP, expected: null }),
        true,
        "expecting null",
      );
      expectEqual(
        await store.replacePassword(user.id, "$newer$", { ...KEEP, expected: null }),
        false,
        "null again",
      );
      await expectUsers(store, [{ ...user, password: "$new$" }]);
    },
  ),

  law("replacePassword and setActive return false when there is no such user", async (store) => {
    const user = sampleUser(1);
    await store.insertUser(user);
    for (const id of ["user-2", "USER-1", "user-1 ", "name-1", ""]) {
      const what = `the id ${JSON.stringify(id)}`;
      expectEqual(await store.replacePassword(id, "$new$", KEEP), false, what);
      expectEqual(
        await store.replacePassword(id, "$new$", { ...KEEP, expected: user.password }),
        false,
        what,
      );
      expectEqual(
        await store.replacePassword(id, "$new$", { ...KEEP, expected: null }),
        false,
        what,
      );
      expectEqual(await store.setActive(id, false, KEEP), false, what);
    }
    await expectUsers(store, [user]);
    expectEqual(await store.findUser("user-2"), null, "the user that does not exist");
  }),

  law(
    "replacePassword returns true to exactly one of many callers who expect the same",
    async (store) => {
      for (const [seed, expected] of ["$old$", null].entries()) {
        const user = sampleUser(seed, { password: expected });
        await store.insertUser(user);
        const texts = Array.from({ length: RACERS }, (_, index) => `$new$${index}`);
        const results = await Promise.all(
          texts.map((text) =>
            store.replacePassword(user.id, text, { ...KEEP, expected: expected })
          ),
        );
        const what = `the callers told true, expecting ${JSON.stringify(expected)}`;
        expectEqual(results.filter((isReplaced) => isReplaced).length, 1, what);
        const password = texts[results.indexOf(true)] ?? null;
        await expectUsers(store, [{ ...user, password }]);
      }
    },
  ),

  law("setActive sets one user, and returns true even when nothing differs", async (store) => {
    const user = sampleUser(1);
    const bystander = sampleUser(2);
    await store.insertUser(user);
    await store.insertUser(bystander);
    for (const isActive of [false, false, true, true]) {
      expectEqual(await store.setActive(user.id, isActive, KEEP), true, `setActive to ${isActive}`);
      await expectUsers(store, [{ ...user, isActive }, bystander]);
    }
  }),

  {
    name: "hostile text in a user is kept literally or refused, and touches no other user",
    async run(open) {
      for (const { name, text, mayBeRefused } of hostileTexts) {
        const store = await open();
        const bystander = sampleUser(1);
        await store.insertUser(bystander);
        const users = [
          sampleUser(2, { id: text }),
          sampleUser(3, { username: text }),
          sampleUser(4, { password: text }),
        ];
        for (const user of users) {
          const inserted = await settle(store.insertUser(user));
          if (inserted.isRejected) {
            expectEqual(mayBeRefused, true, `${name} refused`);
            expectEqual(await store.findUser(user.id), null, `${name} found by id`);
            expectEqual(await store.findUserByName(user.username), null, `${name} found by name`);
          } else {
            expectEqual(inserted.value, true, `${name} inserted`);
            await expectUsers(store, [user], `${name} in a user`);
          }
        }
        const replaced = await settle(store.replacePassword(bystander.id, text, KEEP));
        expectEqual(replaced.isRejected && !mayBeRefused, false, `${name} refused as a password`);
        const password = replaced.isRejected ? bystander.password : text;
        await expectUsers(store, [{ ...bystander, password }], `${name} as a password`);
        const isBack = await store.replacePassword(bystander.id, bystander.password, {
          ...KEEP,
          expected: password,
        });
        expectEqual(isBack, true, `expecting ${name}`);
        await expectUsers(store, [bystander], `the user beside ${name}`);
      }
    },
  },

  law("hostile text in a search or a change matches nothing but itself", async (store) => {
    const user = sampleUser(1, { id: "a", username: "a", password: "a" });
    await store.insertUser(user);
    for (const { name, text } of hostileTexts) {
      expectEqual(await store.findUser(text), null, `${name} as an id`);
      expectEqual(await store.findUserByName(text), null, `${name} as a username`);
      expectEqual(await store.setActive(text, false, KEEP), false, `setActive of ${name}`);
      expectEqual(
        await store.replacePassword(text, "b", KEEP),
        false,
        `replacePassword of ${name}`,
      );
      const isReplaced = await store.replacePassword(user.id, "b", { ...KEEP, expected: text });
      expectEqual(isReplaced, false, `replacePassword expecting ${name}`);
    }
    await expectUsers(store, [user]);
  }),

  law("a user changed outside the store changes nothing inside it", async (store) => {
    const user = sampleUser(1);
    const given = { ...user };
    const token = sampleToken(1, { owner: user.id });
    await store.insertUser(given);
    await store.insertToken(token);
    spoil(given);
    await expectUsers(store, [user], "after changing what was inserted");
    spoil(await store.findUser(user.id));
    await expectUsers(store, [user], "after changing what findUser returned");
    spoil(await store.findUserByName(user.username));
    await expectUsers(store, [user], "after changing what findUserByName returned");
    spoil((await store.findToken([token.digest]))?.user ?? null);
    await expectUsers(store, [user], "after changing what findToken returned");
  }),
];

/** The users are found by id and by name exactly as given. */
async function expectUsers(
  store: Store,
  users: readonly UserRecord[],
  what = "the users stored",
): Promise<void> {
  for (const user of users) {
    expectEqual(await store.findUser(user.id), user, what);
    expectEqual(await store.findUserByName(user.username), user, what);
  }
}

/** Changes what is not frozen. */
function spoil(user: object | null): void {
  if (user === null) return;
  Reflect.set(user, "isSuperuser", true);
  Reflect.set(user, "password", "spoiled");
  Reflect.set(user, "username", "spoiled");
}
