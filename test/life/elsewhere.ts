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
  L10: { reason: "There is no command line yet." },
};
