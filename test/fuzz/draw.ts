/** Random choices out of one seeded source, so that a case can be run again. */
import { seededNumbers } from "../fixture.ts";

/** What random cases are made of. */
export interface Draw {
  /** A whole number from 0 up, below `limit`. */
  number(limit: number): number;
  /** Whether something happens that does so once in `times`. */
  once(times: number): boolean;
  /** One of some. */
  one<Value>(values: readonly [Value, ...Value[]]): Value;
  /** A text of up to `length` code units below `limit`, each as likely as the others. */
  text(length: number, limit: number): string;
  /** The same text with some small changes, at most `times`. */
  mutate(text: string, times: number): string;
}

/** Makes the choices that belong to a seed. */
export function makeDraw(seed: number): Draw {
  const number = seededNumbers(seed);
  const text = (length: number, limit: number) =>
    Array.from({ length: number(length + 1) }, () => String.fromCharCode(number(limit))).join("");
  const one = <Value>(values: readonly [Value, ...Value[]]) =>
    values[number(values.length)] ?? values[0];

  /** Changes one place. */
  const change = (source: string): string => {
    const at = number(source.length + 1);
    const before = source.slice(0, at);
    const after = source.slice(at);
    const first = after.slice(0, 1);
    const rest = after.slice(1);
    switch (number(14)) {
      case 0:
        return before + rest;
      case 1:
        return before + text(1, 0x80) + after;
      case 2:
        return before + text(1, 0x100) + rest;
      case 3:
        return before + text(2, 0x10000) + after;
      case 4:
        return before + first.toLowerCase() + rest;
      case 5:
        return before + first.toUpperCase() + rest;
      case 6:
        return before + one(SPECIAL) + after;
      case 7:
        return before + one(SPECIAL) + rest;
      case 8:
        return before;
      case 9:
        return after;
      case 10:
        return source + before;
      case 11:
        return before + after.slice(0, number(8)).repeat(2 + number(3)) + after;
      case 12:
        return before + shift(first, one([0x100, 0xfee0, 0x80])) + rest;
      default:
        return before + escape(first) + rest;
    }
  };

  return {
    number,
    once: (times) => number(times) === 0,
    one,
    text,
    mutate(source, times) {
      let changed = source;
      for (let left = 1 + number(times); left > 0; left--) changed = change(changed);
      return changed;
    },
  };
}

/** What parsers stumble over. */
const SPECIAL: readonly [string, ...string[]] = [
  " ",
  "\t",
  "\r\n",
  "\0",
  "\v",
  "\f",
  "\x7f",
  "\x85",
  "\xa0",
  "\ud800",
  "\udfff",
  "\ufeff",
  "\u2028",
  "\u202e",
  "\u212a",
  ",",
  ", ",
  ";",
  "=",
  '"',
  "'",
  "\\",
  "%",
  "&",
  "+",
  "|",
  "[",
  "{",
  "}",
  ":",
  "__proto__",
  "constructor",
  "null",
  "1e999",
  "-0",
];

/** A character that a careless narrowing takes for another. */
function shift(character: string, distance: number): string {
  return character === "" ? "" : String.fromCharCode(character.charCodeAt(0) + distance);
}

function escape(character: string): string {
  return character === "" ? "%" : `%${character.charCodeAt(0).toString(16)}`;
}
