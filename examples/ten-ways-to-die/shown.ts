// A report as docs/exit-reports.md shows it.
import { release } from "node:os";
import { inspect } from "node:util";
import { explain, type RunResult } from "pidpool";

/** What people read, and what programs do. */
export function shown({ file, exit }: RunResult): string {
  const kernel = release().split(".").slice(0, 2).join(".");
  const report = inspect(exit, { breakLength: 110, compact: 1, depth: 3 });
  return `\`\`\`\n${explain(exit, { file })}\n\`\`\`\n\n\`\`\`js\n// Linux ${kernel}\n${report}\n\`\`\``;
}
