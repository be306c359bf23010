/** Where a threat is tested whose id is in no title, or why it does not apply. */
export interface Elsewhere {
  /** The file below the project whose tests answer the threat; absent when it does not apply. */
  readonly file?: string;
  /** What is tested there, or why there is nothing to test. */
  readonly reason: string;
}

/** By the id of the threat. A test checks that every threat is here or in a title. */
export const elsewhere: Readonly<Record<string, Elsewhere>> = {
  A16: { reason: "There is no allow-list of addresses: a token knows nothing of the network." },
  A17: { reason: "Tokens have no kinds. What one may do is said by its scopes alone." },
  B12: {
    file: "test/core/verification_cache.test.ts",
    reason: "Refused tokens are not counted by address: 256 random bits cannot be guessed, and a " +
      "count would hit everybody behind the same address. The checksum refuses typos before " +
      "any I/O, a flood of well-formed tokens pushes nothing good out of a cache (C9), and " +
      "onEvent tells token_refused to whoever wants to count.",
  },
  J8: {
    file: "test/core/hash_gate.test.ts",
    reason:
      "Many small logins at once are what P6 is about: hashing is gated, the rest is waited for.",
  },
  K3: {
    file: "test/pure/format.test.ts",
    reason: "No letter is drawn from an alphabet: 256 random bits are written as one number, so " +
      "there is no remainder to be biased. The frequencies of the characters are tested with K2.",
  },
  R11: { reason: "There are no quotas that count down." },
  D3: {
    file: "src/ports/store.ts",
    reason: "No verb takes a column or an order: the one list has one order.",
  },
  D8: {
    file: "test/store/libsql.test.ts",
    reason:
      "The whole contract runs on a file with write-ahead logging, in memory and on a server.",
  },
  L4: {
    file: "test/http/endpoint.test.ts",
    reason:
      "That every answer says no-store is tested there, and through every adapter in test/adapters.",
  },
  T2: {
    file: "test/http/bearer.test.ts",
    reason:
      "A token is one random text, so there is no known id with a wrong secret. That unknown, " +
      "expired and revoked ones look the same is tested with L7; their times are told by " +
      "test/timing, and who has such a token knows that there was one.",
  },
  T5: {
    file: "src/http/account_routes.ts",
    reason: "No endpoint registers or recovers anybody: createUser is called by the application.",
  },
  T6: {
    file: "test/advisories/credentials.test.ts",
    reason:
      "What is looked up is a digest, which nobody can steer: tested there with T1, and its " +
      "time is told by test/timing.",
  },
  L10: { reason: "There is no command line yet." },
};
