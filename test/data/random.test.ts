import { describe, expect, test } from "vitest";
import { drawBytes, type RandomSource, systemRandom } from "../../src/data/random.ts";

/** Yields 0, 1, 2, …: a source that a test can predict. */
const counting: RandomSource = (size) => Uint8Array.from({ length: size }, (_, index) => index);

const repeating = (byte: number): RandomSource => (size) => new Uint8Array(size).fill(byte);

describe("drawBytes", () => {
  test.each([1, 15, 16, 32])("returns the %i bytes of the source, unchanged", (size) => {
    expect(drawBytes(counting, size)).toEqual(counting(size));
  });

  test("asks the source once, for exactly the bytes it needs", () => {
    const sizes: number[] = [];
    drawBytes((size) => {
      sizes.push(size);
      return counting(size);
    }, 32);
    expect(sizes).toEqual([32]);
  });

  test.each<[string, RandomSource]>([
    ["returns too few bytes", (size) => counting(size - 1)],
    ["returns too many bytes", (size) => counting(size + 1)],
    ["returns nothing", () => new Uint8Array(0)],
  ])("refuses a source that %s", (_, source) => {
    expect(() => drawBytes(source, 32)).toThrow(
      new RangeError("Cannot draw random bytes: the source did not return 32 bytes"),
    );
  });

  test.each([0x00, 0x5a, 0xff])("refuses a source that repeats byte %i", (byte) => {
    for (const size of [16, 32]) {
      expect(() => drawBytes(repeating(byte), size)).toThrow(
        new RangeError("Cannot draw random bytes: the source repeats one byte"),
      );
    }
  });

  test("takes one repeated byte below 16 bytes, where chance can produce it", () => {
    expect(drawBytes(repeating(7), 15)).toEqual(new Uint8Array(15).fill(7));
  });

  test.each([0, 15, 31])("takes 32 bytes in which only byte %i differs", (index) => {
    const bytes = new Uint8Array(32).with(index, 1);
    expect(drawBytes(() => bytes, 32)).toEqual(bytes);
  });
});

describe("systemRandom", () => {
  test.each([0, 1, 16, 32, 1024])("returns exactly %i bytes", (size) => {
    const bytes = systemRandom(size);
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(bytes).toHaveLength(size);
  });

  test("never gave the same 16 bytes in 1000 draws, and gave every byte value", () => {
    const draws = Array.from({ length: 1000 }, () => drawBytes(systemRandom, 16));
    expect(new Set(draws.map((bytes) => bytes.join())).size).toBe(1000);
    expect(new Set(draws.flatMap((bytes) => [...bytes])).size).toBe(256);
  });
});
