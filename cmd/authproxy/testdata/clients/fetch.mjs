// Node's fetch as it comes: it sends accept-language, sec-fetch-mode, user-agent and accept-encoding.
import { readFileSync } from "node:fs";

const [url, file] = process.argv.slice(2);

async function call(init) {
  const answer = await fetch(url, init);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
  console.log(text);
}

await call();
await call({ method: "POST", headers: { "Content-Type": "application/json" }, body: readFileSync(file, "utf8") });
