// How output may look: colours and width, as the terminal and the environment say.

/** What can be known of a stream that is written to. */
export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Style {
  readonly colours: boolean;
  /** Characters in a line; Infinity where lines are for programs to read. */
  readonly width: number;
}

/** Colours only for people, and only where NO_COLOR (https://no-color.org) is unset or empty. */
export function chooseStyle(
  { isTTY = false, columns }: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const { NO_COLOR = "", TERM } = env;
  return { colours: isTTY && NO_COLOR === "" && TERM !== "dumb", width: (isTTY ? columns : undefined) ?? Infinity };
}

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export type Look = keyof typeof CODES;

/** The text in a colour, where there are colours. */
export function paint({ colours }: Style, look: Look, text: string): string {
  const [on, off] = CODES[look];
  return colours ? `\u001B[${on}m${text}\u001B[${off}m` : text;
}

/** Breaks a text between words, so that no line is longer than `width`, unless a word is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
