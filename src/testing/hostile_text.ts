/** A text that has broken a store somewhere. */
export interface HostileText {
  readonly name: string;
  readonly text: string;
  /** A store may refuse to keep it, but must never take it for another text. */
  readonly mayBeRefused: boolean;
}

/** Texts that a store must take literally, wherever they stand. */
export const hostileTexts: readonly HostileText[] = [
  keep("a single quote", "a'b"),
  keep("a double quote", 'a"b'),
  keep("a backtick", "a`b"),
  keep("a backslash", "a\\'b"),
  keep("a line comment", "a' -- "),
  keep("a block comment", "a/* b */'/*"),
  keep("a second statement", "'); drop table latchkey_token; --"),
  keep("a tautology", "' or '1'='1"),
  keep("a percent sign", "%"),
  keep("an underscore", "_"),
  keep("a star", "*"),
  keep("a placeholder", "?1 :id $1 @id"),
  keep("a template", "${process} {{7*7}} %s"),
  keep("an operator object", '{"$ne":null}'),
  keep("the word null", "null"),
  keep("a prototype name", "__proto__"),
  keep("a number", "0123"),
  keep("an exponent", "1e3"),
  keep("white space around", " a "),
  keep("line breaks", "a\r\nb\tc"),
  keep("a byte order mark", "\ufeffa"),
  keep("an emoji", "\u{1f511}\u{1f468}\u200d\u{1f469}"),
  keep("a composed letter", "\u00e9"),
  keep("a decomposed letter", "e\u0301"),
  keep("a right-to-left override", "a\u202eb"),
  keep("10 KB", "x'%_".repeat(2_500)),
  { name: "a NUL in the middle", text: "a\0b", mayBeRefused: true },
  { name: "a NUL at the end", text: "a\0", mayBeRefused: true },
  { name: "a lone surrogate", text: "a\ud83d", mayBeRefused: true },
  { name: "another lone surrogate", text: "a\udd11", mayBeRefused: true },
];

function keep(name: string, text: string): HostileText {
  return { name, text, mayBeRefused: false };
}
