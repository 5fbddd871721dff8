// Specs from the real encoder, for the programs beside this file.
//
//   node corpus.js inputs DIRECTORY     where the fuzzer starts: inputs in the form that fuzz.c reads
//   node corpus.js specs FILE COUNT     what contract.c has to approve: specs, each behind its length
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodedSpecs } from "./specs.ts";

const SEED = 6;

/** See fuzz.c: how, and that nothing fails. */
function input(how: number, launches: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from([how, 3, 0, 0])];
  for (const spec of launches) parts.push(Buffer.from([0, spec.length & 0xff, spec.length >> 8]), spec);
  return Buffer.concat(parts);
}

const [what, target = "", count = "0"] = process.argv.slice(2);
if (what === "inputs") {
  mkdirSync(target, { recursive: true });
  const specs = encodedSpecs(60, SEED).filter(({ length }) => length < 0x10000);
  // With a queue, by legacy clone, with a deputy, on the calling thread; a reaper that is fast; fds that lie high.
  for (const [i, spec] of specs.entries()) {
    for (const how of [0, 2, 4, 1, 16, 64]) writeFileSync(join(target, `${i}-${how}`), input(how, [spec]));
    if (i % 5 === 0) writeFileSync(join(target, `${i}-many`), input(i % 2 === 0 ? 16 : 4, specs.slice(i, i + 5)));
  }
} else if (what === "specs") {
  const length = Buffer.alloc(4);
  const parts = encodedSpecs(Number(count), SEED).flatMap((spec) => {
    length.writeUInt32LE(spec.length);
    return [Buffer.from(length), spec];
  });
  writeFileSync(target, Buffer.concat(parts));
} else {
  throw new Error("usage: corpus.js inputs DIRECTORY | specs FILE COUNT");
}
