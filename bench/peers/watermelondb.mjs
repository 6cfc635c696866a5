// WatermelonDB over its SQLite adapter for Node.js as a program that is measured.

import { createRequire } from "node:module";
import { AMOUNT, DELIVERED, LINES, customers, obey, uuid } from "./program.mjs";

const require = createRequire(import.meta.url);
const { Database, Model, appSchema, tableSchema } = require("@nozbe/watermelondb");
const { default: SQLiteAdapter } = require("@nozbe/watermelondb/adapters/sqlite");
const { default: bridge } = require("@nozbe/watermelondb/adapters/sqlite/sqlite-node/DatabaseBridge");

const [folder, count, durability] = process.argv.slice(2);

const text = (name) => ({ name, type: "string", isOptional: true });
const number = (name) => ({ name, type: "number" });
const schema = appSchema({
  version: 1,
  tables: [
    tableSchema({
      name: "customer",
      columns: [...["name", "phone", "address", "note", "visit_id"].map(text), number("pending"), number("visit")],
    }),
    tableSchema({
      name: "delivery",
      columns: [...["customer", "lines", "currency"].map(text), number("at"), number("amount")],
    }),
  ],
});

class Customer extends Model {
  static table = "customer";
}
class Delivery extends Model {
  static table = "delivery";
}

async function open() {
  const adapter = new SQLiteAdapter({ dbName: `${folder}/watermelon.db`, schema });
  await adapter.initializingPromise;
  const { instance } = bridge.connections[adapter._tag].driver.database;
  if (durability === "full") {
    instance.pragma("journal_mode = WAL");
    instance.pragma("synchronous = FULL");
  }
  const database = new Database({ adapter, modelClasses: [Customer, Delivery] });
  let stops = await database.get("customer").query().fetch();
  if (stops.length === 0) {
    await database.write(() =>
      database.batch(
        customers(Number(count)).map((values) =>
          database.get("customer").prepareCreate((customer) => {
            for (const [name, value] of Object.entries(values)) customer._setRaw(name, value);
          }),
        ),
      ),
    );
    stops = await database.get("customer").query().fetch();
  }
  let recorded = 0;
  return {
    record: () =>
      database.write(() => {
        const customer = stops[recorded++ % stops.length];
        const id = uuid();
        const delivery = database.get("delivery").prepareCreate((delivery) => {
          delivery._raw.id = id;
          const values = { customer: customer.id, at: Date.now(), lines: LINES, amount: AMOUNT, currency: "KES" };
          for (const [name, value] of Object.entries(values)) delivery._setRaw(name, value);
        });
        const shown = customer.prepareUpdate(() => {
          customer._setRaw("pending", customer._getRaw("pending") + AMOUNT);
          customer._setRaw("visit", DELIVERED);
          customer._setRaw("visit_id", id);
        });
        return database.batch(delivery, shown);
      }),
    close: () => instance.close(),
  };
}

await obey(open);
