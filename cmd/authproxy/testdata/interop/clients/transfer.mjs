// transfer.mjs URL FILE TARGET: GET URL/blob into TARGET, PUT FILE to URL/up as
// a stream, and print the answer to that.
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";

const [url, file, target] = process.argv.slice(2);

function good(answer) {
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  return answer;
}

const down = good(await fetch(`${url}/blob`));
await pipeline(down.body, createWriteStream(target));
const up = good(await fetch(`${url}/up`, { method: "PUT", body: createReadStream(file), duplex: "half" }));
console.log(await up.text());
