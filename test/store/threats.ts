import type { StoreLaw } from "latchkey/testing";

/** The threats that laws of the contract answer, by the beginning of a law's name. */
export const threats: readonly (readonly [string, string])[] = [
  ["insertToken with a limit adds exactly that many", "R1"],
  ["touchTokens never changes a revoked token", "R3"],
  ["touchTokens moves the last use only forwards", "R3, A9"],
  ["touchTokens that races with a revocation", "R3"],
  ["rotateToken adds one successor however many", "R4"],
  ["rotateToken returns the successor there is", "R4, A12"],
  ["no live token is left of a family", "R4, R5"],
  ["a token of an epoch that has passed", "R5, R6"],
  ["startEpoch moves one user's epoch", "R6, A10"],
  ["deleteUser returns true to exactly one", "R6"],
  ["insertUser returns true to exactly one", "R7"],
  ["replacePassword returns true to exactly one", "R8, R9"],
  ["pruneTokens keeps a token that was used", "R10"],
  ["insertToken rejects an existing", "R13"],
  ["insertToken rejects a second successor", "R13"],
  ["revokeToken revokes once", "A11"],
  ["renameToken returns false for another's", "A3"],
  ["revokeToken with an owner", "A3"],
  ["insertToken counts the tokens that are live", "A7"],
  ["pruneTokens deletes exactly what a model", "A13"],
  ["pruneTokens deletes what stopped holding", "A7, A13"],
  ["pruneTokens keeps a successor", "A13"],
  ["findToken returns the owner as it is now", "A10, C11"],
  ["findToken compares digests exactly", "K7"],
  ["takeAttempts counts exactly up to the limit", "B4"],
  ["takeAttempts that race", "B4"],
  ["a window that soon follows", "B8"],
  ["hostile text in", "D1"],
  ["appendEvents adds all events of a list or none", "D1, C1"],
  ["listTokens applies the owner again", "D4"],
];

/** The name of a law with the threats it answers. */
export function titleOf(law: StoreLaw): string {
  const ids = threats.filter(([beginning]) => law.name.startsWith(beginning)).map(([, id]) => id);
  return ids.length === 0 ? law.name : `${law.name} (${ids.join(", ")})`;
}
