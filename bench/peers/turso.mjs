// Turso's sync package as a program that is measured.

import { connect } from "@tursodatabase/sync";
import { AMOUNT, DELIVERED, LINES, customers, obey, uuid } from "./program.mjs";

const [folder, count, durability] = process.argv.slice(2);
if (durability !== "default") throw new Error(`Turso has no durability ${durability}`);

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS customer (id TEXT PRIMARY KEY, name TEXT, phone TEXT, address TEXT, note TEXT,
     pending INTEGER, visit INTEGER, visit_id TEXT)`,
  `CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, customer TEXT, at INTEGER, lines TEXT, amount INTEGER,
     currency TEXT)`,
];

// Without a server the changes gather; each action is two of them, since Turso sends every table's.
async function openAt(server, batch) {
  const database = await connect({
    path: `${folder}/turso.db`,
    url: () => server,
    pushOperationsThreshold: 2 * batch,
  });
  for (const sql of SCHEMA) await database.exec(sql);
  const route = await database.prepare("SELECT id, name, address, pending, visit FROM customer ORDER BY id");
  let stops = await route.all();
  if (stops.length === 0) {
    const add = await database.prepare("INSERT INTO customer VALUES (?, ?, ?, ?, ?, 0, 0, NULL)");
    for (const { name, phone, address, note } of customers(Number(count))) {
      await add.run(uuid(), name, phone, address, note);
    }
    stops = await route.all();
  }
  return new Store(database, stops);
}

class Store {
  #database;
  #stops;
  #statements;
  #recorded = 0;

  constructor(database, stops) {
    this.#database = database;
    this.#stops = stops;
  }

  async #prepared() {
    const texts = [
      "BEGIN IMMEDIATE",
      "INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?)",
      "UPDATE customer SET pending = pending + ?, visit = ?, visit_id = ? WHERE id = ?",
      "COMMIT",
    ];
    this.#statements ??= await Promise.all(texts.map((sql) => this.#database.prepare(sql)));
    return this.#statements;
  }

  async record() {
    const [begin, deliver, show, commit] = await this.#prepared();
    const customer = this.#stops[this.#recorded++ % this.#stops.length].id;
    const id = uuid();
    await begin.run();
    await deliver.run(id, customer, Date.now(), LINES, AMOUNT, "KES");
    await show.run(AMOUNT, DELIVERED, id, customer);
    await commit.run();
  }

  // The sync engine leaves this to its user.
  checkpoint() {
    return this.#database.checkpoint();
  }

  async drain(server, batch, timed) {
    await this.#database.close();
    const store = await openAt(server, batch);
    this.#database = store.#database;
    this.#statements = undefined;
    return timed(() => this.#database.push());
  }

  async close() {
    await this.checkpoint();
    await this.#database.close();
  }
}

await obey(() => openAt(null, 1));
