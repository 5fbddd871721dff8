// One replica: an HTTP server on the socket that the service holds. On SIGTERM it
// accepts no more, answers what is under way, and ends when its connections have.
import { writeSync } from "node:fs";
import { createServer } from "node:http";
import { Server } from "node:net";

let ending = false;
const server = createServer((_request, response) => {
  // With the answer, the client learns to open its next connection elsewhere.
  if (ending) response.setHeader("Connection", "close");
  response.end(`${process.env["PIDPOOL_REPLICA"]}:${process.pid}`);
});

// fd 3 is the first socket of listen, fd 4 the one that ready names.
server.listen({ fd: 3 }, () => writeSync(4, "\n"));

process.once("SIGTERM", () => {
  ending = true;
  // net.Server's close() only stops accepting; http.Server's cuts idle connections too, where a request may be on its way.
  Server.prototype.close.call(server);
});
