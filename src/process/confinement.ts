// The part of a spec that confines the child, gathered from the options that
// have a say in it: fields of `struct pp_spec`, and tables and strings that lie
// in a section of its own at the end of the block.
import { FILTER, LIMIT, MOUNT, RULE, SPEC } from "../native/layout.ts";
import { bare } from "./bare.ts";

/** A section, ready to be put into any block. Offsets in it count from its own start. */
export interface Confinement {
  /** Bits of SPEC_FLAG. */
  readonly flags: number;
  /** Words of the header: where, and what. */
  readonly words: readonly (readonly [field: number, value: number])[];
  /** Words of the header that point into {@link bytes}. */
  readonly pointers: readonly (readonly [field: number, offset: number])[];
  /** Where in {@link bytes} there are words that point into it. */
  readonly relocations: readonly number[];
  readonly bytes: Uint8Array;
}

/** One mount(2), or with `attributes` one recursive mount_setattr(2). */
export interface MountCall {
  readonly source?: string | undefined;
  readonly target: string;
  readonly type?: string | undefined;
  readonly data?: string | undefined;
  readonly flags?: number | undefined;
  readonly attributes?: number | undefined;
}

/** One prlimit(2). */
export interface LimitCall {
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** One rule of a Landlock ruleset: beneath a path, or at a TCP port. */
export interface LandlockRule {
  readonly access: bigint;
  readonly path?: string | undefined;
  readonly port?: number | undefined;
}

/** What options put their part into. */
export class ConfinementWriter {
  #flags = 0;
  readonly #words: [number, number][] = [];
  readonly #pointers: [number, number][] = [];
  readonly #relocations: number[] = [];
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  flag(bits: number): void {
    this.#flags |= bits;
  }

  word(field: number, value: number): void {
    this.#words.push([field, value]);
  }

  long(field: number, value: bigint): void {
    this.word(field, Number(BigInt.asIntN(32, value)));
    this.word(field + 4, Number(BigInt.asIntN(32, value >> 32n)));
  }

  string(field: number, text: string): void {
    this.#pointers.push([field, this.#text(text)]);
  }

  mounts(calls: readonly MountCall[]): void {
    const table = this.#table(SPEC.mountc, SPEC.mounts, MOUNT.SIZE, calls.length);
    calls.map(bare).forEach(({ source, target, type, data, flags = 0, attributes = 0 }, i) => {
      const row = i * MOUNT.SIZE;
      for (const [field, text] of [
        [MOUNT.source, source],
        [MOUNT.target, target],
        [MOUNT.type, type],
        [MOUNT.data, data],
      ] as const) {
        if (text !== undefined) this.#point(table, row + field, text);
      }
      table.view.setBigUint64(row + MOUNT.flags, BigInt(flags), true);
      table.view.setBigUint64(row + MOUNT.attributes, BigInt(attributes), true);
    });
  }

  limits(calls: readonly LimitCall[]): void {
    const { view } = this.#table(SPEC.limitc, SPEC.limits, LIMIT.SIZE, calls.length);
    calls.forEach(({ resource, soft, hard }, i) => {
      view.setBigUint64(i * LIMIT.SIZE + LIMIT.resource, BigInt(resource), true);
      view.setBigUint64(i * LIMIT.SIZE + LIMIT.soft, soft, true);
      view.setBigUint64(i * LIMIT.SIZE + LIMIT.hard, hard, true);
    });
  }

  rules(rules: readonly LandlockRule[]): void {
    const table = this.#table(SPEC.rulec, SPEC.rules, RULE.SIZE, rules.length);
    rules.map(bare).forEach(({ access, path, port = 0 }, i) => {
      table.view.setBigUint64(i * RULE.SIZE + RULE.access, access, true);
      table.view.setBigUint64(i * RULE.SIZE + RULE.port, BigInt(port), true);
      if (path !== undefined) this.#point(table, i * RULE.SIZE + RULE.path, path);
    });
  }

  /** @param program `struct sock_filter`s, as seccomp(2) takes them. */
  filter(program: Uint8Array): void {
    this.word(SPEC.filterc, program.length / FILTER.SIZE);
    this.#pointers.push([SPEC.filter, this.#append(program)]);
  }

  /** Undefined where nothing was said. */
  finish(): Confinement | undefined {
    if (this.#flags === 0 && this.#words.length === 0 && this.#pointers.length === 0) return undefined;
    return {
      flags: this.#flags,
      words: this.#words,
      pointers: this.#pointers,
      relocations: this.#relocations,
      bytes: Buffer.concat(this.#chunks),
    };
  }

  #append(bytes: Uint8Array): number {
    const at = this.#length;
    const padded = new Uint8Array((bytes.length + 7) & ~7);
    padded.set(bytes);
    this.#chunks.push(padded);
    this.#length += padded.length;
    return at;
  }

  #text(text: string): number {
    return this.#append(Buffer.from(`${text}\0`, "utf8"));
  }

  /** A table's bytes may be written until {@link finish}. */
  #table(countField: number, tableField: number, stride: number, count: number): { at: number; view: DataView } {
    const bytes = new Uint8Array(stride * count);
    const at = this.#length;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    this.word(countField, count);
    this.#pointers.push([tableField, at]);
    return { at, view: new DataView(bytes.buffer) };
  }

  #point(table: { at: number; view: DataView }, offset: number, text: string): void {
    table.view.setUint32(offset, this.#text(text), true);
    this.#relocations.push(table.at + offset);
  }
}
