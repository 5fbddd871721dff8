// Requests without a pause, by several clients, and what became of them.
import { Agent, get } from "node:http";

export interface LoadResult {
  /** By body. */
  readonly answers: ReadonlyMap<string, number>;
  /** By errno, or whatever else was wrong. */
  readonly errors: ReadonlyMap<string, number>;
}

/** Where to send requests. */
export type Target = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/**
 * Sends requests until `enough` says so. With keep-alive each client has one connection, as long as the server lets it;
 * without, one for each request.
 */
export async function load(
  target: Target,
  clients: number,
  keepAlive: boolean,
  enough: (sent: number) => boolean,
): Promise<LoadResult> {
  const answers = new Map<string, number>();
  const errors = new Map<string, number>();
  let sent = 0;
  const client = async (): Promise<void> => {
    const agent = keepAlive ? new Agent({ keepAlive, maxSockets: 1 }) : false;
    while (!enough(sent)) {
      sent++;
      try {
        count(answers, await request(target, agent));
      } catch (error) {
        count(errors, (error as NodeJS.ErrnoException).code ?? String(error));
      }
    }
    if (agent !== false) agent.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { answers, errors };
}

/** The body of one answer. */
export function request(target: Target, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get({ ...target, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))));
      response.on("error", reject);
    });
    sent.on("error", reject);
  });
}

function count(into: Map<string, number>, key: string): void {
  into.set(key, (into.get(key) ?? 0) + 1);
}
