// What every peer's program for Node.js does: orders on standard input, nanoseconds on standard output, as README.md
// says.

import { createInterface } from "node:readline";

// Standard output is for answers alone.
console.log = console.error;

// Obeys until the input ends. `open` gives a store with `record` and `close`, perhaps with `drain`, and with `checkpoint`
// if that is its user's task: then it is done at times, and not counted.
export async function obey(open) {
  let store = await open();
  const timed = async (count, act, between) => {
    const times = [];
    for (let n = 1; n <= count; n += 1) {
      const start = process.hrtime.bigint();
      await act();
      times.push(process.hrtime.bigint() - start);
      if (n % 1000 === 0) await between?.();
    }
    return times;
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const words = line.split(" ");
    let times;
    if (words[0] === "record") {
      times = await timed(Number(words[1]), () => store.record(), () => store.checkpoint?.());
    } else if (words[0] === "open") {
      times = [];
      for (let n = 0; n < Number(words[1]); n += 1) {
        await store.close();
        times.push(...(await timed(1, async () => (store = await open()))));
      }
    } else if (words[0] === "drain" && store.drain) {
      times = await store.drain(words[1], Number(words[2]), (act) => timed(1, act));
    } else {
      throw new Error(`unknown order: ${line}`);
    }
    process.stdout.write(`${times.join(" ")}\n`);
  }
  await store.close();
}

// The customers of the plant, as Carboy's world has them.
export function customers(count) {
  return Array.from({ length: count }, (_, n) => ({
    name: `Naivas Supermarket ${n}`,
    phone: `+254 7${String((n * 48271) % 100000000).padStart(8, "0")}`,
    address: `${n * 7} Moi Avenue, basement`,
    note: "ask for the store keeper",
  }));
}

// What a delivery says.
export const LINES = JSON.stringify([{ product: "20L", delivered: 1, empties: 0 }]);
export const AMOUNT = 15000;
export const DELIVERED = 3;

// A UUID of version 7, so that the newest stands last in an index.
export function uuid() {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = crypto.randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
