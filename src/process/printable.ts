// Text of programs that nobody trusts, as it may stand in an error's message or
// on a terminal.

/** Nothing in it moves a cursor, begins a command or turns the direction of what follows. Newlines and tabs stay. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu;
  return text.replaceAll(unprintable, "\ufffd");
}

/** At most so many UTF-16 code units of the beginning, without half a character. */
export function head(text: string, most: number): string {
  return text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
}

/** The same of the end. */
export function tail(text: string, most: number): string {
  return text.slice(-most).replace(/^[\udc00-\udfff]/, "");
}
