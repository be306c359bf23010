import { decodeBase64urlIgnorePadding, encodeBase64urlNoPadding } from "@oslojs/encoding";
import { encodeUtf8 } from "../data/encoding.ts";

/** A position in a list of tokens. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

const POSITION = /^(0|[1-9]\d{0,15}):([0-9A-Za-z]{1,64})$/;

/** Writes a position as opaque text that fits into a URL. */
export function formatCursor({ createdAt, id }: Position): string {
  return encodeBase64urlNoPadding(encodeUtf8(`${createdAt}:${id}`));
}

/** Reads a cursor; `null` for every text that {@link formatCursor} does not write. Never throws. */
export function parseCursor(cursor: string): Position | null {
  if (typeof cursor !== "string" || !/^[\w-]{1,128}$/.test(cursor)) return null;
  const text = decode(cursor);
  const [, createdAt, id] = POSITION.exec(text ?? "") ?? [];
  if (createdAt === undefined || id === undefined) return null;
  const position = { createdAt: Number(createdAt), id };
  if (!Number.isSafeInteger(position.createdAt)) return null;
  return formatCursor(position) === cursor ? position : null;
}

function decode(cursor: string): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64urlIgnorePadding(cursor));
  } catch {
    return null;
  }
}
