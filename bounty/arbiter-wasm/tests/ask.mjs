// node ask.mjs MODULE VECTORS: judges each vector of the folder's files as the page would, and says how many; ends with 1 at the first that is judged otherwise.
// node ask.mjs MODULE: gives standard input to the program, and its answers to standard output.
import { readFileSync, readdirSync, writeSync } from "node:fs";
import { load, judge, run } from "../arbiter.mjs";

const [file, folder] = process.argv.slice(2);
const module = await load(readFileSync(file));
if (folder === undefined) {
  const answers = await run(module, readFileSync(0));
  for (let at = 0; at < answers.length; ) at += writeSync(1, answers.subarray(at));
} else {
  let count = 0;
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const { manifest, vectors } = JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
    for (const { write_up: writeUp, verdict, ...vector } of vectors) {
      const lines = await judge(module, { manifest, writeUp, ...vector });
      if (JSON.stringify(lines) !== JSON.stringify(verdict)) {
        console.error(`${name}: ${vector.name}: ${lines.join("; ")}`);
        process.exit(1);
      }
      count += 1;
    }
  }
  console.log(count);
}
