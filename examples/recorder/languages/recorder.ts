// Records what four clients do to a register: tsc recorder.ts && node recorder.js history.jsonl
import { appendFileSync } from "node:fs";

// begin of the recorder
type Kind = "invoke" | "ok" | "fail" | "info";

class Recorder {
  path: string;

  constructor(path: string) {
    this.path = path;
  }

  // Written before the program goes on: the order of lines is the order of events.
  event(type: Kind, process: number, f: string, value: unknown = null): void {
    appendFileSync(this.path, JSON.stringify({ type, process, f, value }) + "\n");
  }
}
// end of the recorder

const recorder = new Recorder(process.argv[2]);
let register = 0;

const turn = () => new Promise<void>((done) => setImmediate(done));

async function client(number: number): Promise<void> {
  for (let value = 1000 * number + 1; value <= 1000 * number + 250; value++) {
    recorder.event("invoke", number, "write", value);
    await turn();
    register = value;
    await turn();
    recorder.event("ok", number, "write", value);
    recorder.event("invoke", number, "read");
    await turn();
    const seen = register;
    await turn();
    recorder.event("ok", number, "read", seen);
  }
}

Promise.all([0, 1, 2, 3].map(client));
