// The rows of a scenario while it is being measured.
import { median } from "../stats.ts";
import type { Row } from "./scenario.ts";

/** Rows by group, label and place on the axis. */
export class Table {
  readonly #rows: Row[] = [];

  /** The samples of a row, which is made when it is first asked for. */
  samples(group: string, label: string, { x, unit, better }: Pick<Row, "x" | "unit" | "better"> = {}): number[] {
    const found = this.#find(group, label, x);
    if (found !== undefined) return found;
    const samples: number[] = [];
    this.#rows.push({
      group,
      label,
      ...(x === undefined ? {} : { x }),
      ...(unit === undefined ? {} : { unit }),
      ...(better === undefined ? {} : { better }),
      samples,
    });
    return samples;
  }

  /** NaN where nothing was measured. */
  median(group: string, label: string, x?: number): number {
    return median(this.#find(group, label, x) ?? []);
  }

  /** How many times the first one's figure is the second one's; NaN where one of them was not measured. */
  ratio(group: string, label: string, other: string, x?: number): number {
    return this.median(group, label, x) / this.median(group, other, x);
  }

  /** All rows, group by group. Those without a sample are of contestants that dropped out, as the notes say. */
  get measured(): readonly Row[] {
    const groups = [...new Set(this.#rows.map(({ group }) => group))];
    return groups.flatMap((wanted) =>
      this.#rows.filter(({ group, samples }) => group === wanted && samples.length > 0),
    );
  }

  #find(group: string, label: string, x: number | undefined): number[] | undefined {
    return this.#rows.find((row) => row.group === group && row.label === label && row.x === x)?.samples as
      | number[]
      | undefined;
  }
}
