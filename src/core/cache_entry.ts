import type { TokenChange } from "../ports/revocation_bus.ts";
import type { OwnedToken, Principal } from "../pure/record.ts";
import { endOf, isAnswerTo } from "../pure/verify.ts";

/** What a lookup is known by. Joining one digest would make a new text each time. */
export function keyOf(digests: readonly string[]): string {
  const [first] = digests;
  return digests.length === 1 && first !== undefined ? first : digests.join();
}

/**
 * A copy, which nobody can change, of a token that holds. `null` for one that does not, and
 * for whatever else a store may answer: it is looked up again the next time.
 */
export function copyHeld(
  found: OwnedToken,
  digests: readonly string[],
  at: number,
): OwnedToken | null {
  try {
    const { token, user, epoch, successor } = found;
    const { scopes, rotation } = token;
    const held = Object.freeze({
      token: Object.freeze({
        ...token,
        scopes: Object.freeze([...scopes]),
        rotation: rotation === null ? null : Object.freeze({ ...rotation }),
      }),
      user: user === null ? null : Object.freeze({ ...user }),
      epoch,
      successor: successor === null ? null : Object.freeze({ ...successor }),
    });
    const isHeld = isAnswerTo(held, digests) &&
      (held.user === null || held.user.isActive === true) &&
      endOf(held, at) === null;
    return isHeld ? held : null;
  } catch {
    return null;
  }
}

/** By which changes a token is meant. */
export function namesOf(
  { token: { id, family, owner } }: OwnedToken,
): readonly (readonly [TokenChange["of"], string])[] {
  return [["token", id], ["family", family], ["owner", owner]];
}

/**
 * Takes the oldest hundredth out of a full map. Not one by one: each time a map is walked
 * through from its beginning, it passes over all that was deleted there before.
 */
export function takeOldest<Value>(map: Map<string, Value>): readonly Value[] {
  const taken: Value[] = [];
  const count = Math.ceil(map.size / 100);
  for (const [key, value] of map) {
    if (taken.length >= count) break;
    taken.push(value);
    map.delete(key);
  }
  return taken;
}

/** Makes what many requests share unchangeable. */
export function freeze(principal: Principal): Principal {
  Object.freeze(principal.token.scopes);
  Object.freeze(principal.token);
  Object.freeze(principal.user);
  return Object.freeze(principal);
}
