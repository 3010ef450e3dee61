// WatermelonDB on LokiJS, in memory: its own `synchronize()`, unchanged.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { EVENT_COLUMNS, eventColumns, play, schemaOf } from './ground.mjs'

const require = createRequire(import.meta.url)
const { Database, Model, Q, appSchema, tableSchema } = require('@nozbe/watermelondb')
const LokiJSAdapter = require('@nozbe/watermelondb/adapters/lokijs').default
const migrations = require('@nozbe/watermelondb/Schema/migrations')
const { synchronize } = require('@nozbe/watermelondb/sync')
const { LokiMemoryAdapter } = require('lokijs')

const column = ({ name, type, isOptional }) => ({ name, type, isOptional })
const OUTBOX = {
  name: 'events',
  columns: EVENT_COLUMNS.map(([name, type]) => ({ name, type })),
}

async function schemaAt(version) {
  const { tables } = await schemaOf(version)
  const own = tables.map(({ name, columns }) => ({ name, columns: columns.map(column) }))
  return { version, tables: [...own, OUTBOX] }
}

/** The steps from each version to the next: what an app's author writes by hand. */
async function migrationsTo(version) {
  const steps = []
  for (let to = 2; to <= version; to += 1) {
    const [old, now] = [await schemaAt(to - 1), await schemaAt(to)]
    const known = new Map(old.tables.map((table) => [table.name, table]))
    const changes = now.tables.flatMap((table) => {
      if (!known.has(table.name)) return [migrations.createTable(table)]
      const names = new Set(known.get(table.name).columns.map((each) => each.name))
      const added = table.columns.filter((each) => !names.has(each.name))
      if (!added.length) return []
      return [migrations.addColumns({ table: table.name, columns: added })]
    })
    steps.push({ toVersion: to, steps: changes })
  }
  return migrations.schemaMigrations({ migrations: steps })
}

function modelOf(name) {
  return class extends Model {
    static table = name
  }
}

class Watermelon {
  constructor(doors) {
    this.doors = doors
    this.disk = new LokiMemoryAdapter({ asyncResponses: false })
  }

  async start(version) {
    const schema = await schemaAt(version)
    this.adapter = new LokiJSAdapter({
      schema: appSchema({ version, tables: schema.tables.map((t) => tableSchema(t)) }),
      migrations: await migrationsTo(version),
      dbName: 'handheld',
      useWebWorker: false,
      useIncrementalIndexedDB: true,
      extraLokiOptions: { autosave: false },
      _testLokiAdapter: this.disk,
    })
    const modelClasses = schema.tables.map((table) => modelOf(table.name))
    this.db = new Database({ adapter: this.adapter, modelClasses })
  }

  async sync() {
    await synchronize({
      database: this.db,
      migrationsEnabledAtVersion: 1,
      sendCreatedAsUpdated: true,
      pullChanges: ({ lastPulledAt, schemaVersion, migration }) =>
        this.doors.pull({
          last_pulled_at: lastPulledAt,
          schema_version: schemaVersion,
          migration: JSON.stringify(migration),
        }),
      pushChanges: ({ changes }) => this.doors.push(changes),
    })
  }

  /** The app tries again when the line broke. */
  async syncOverBadLine() {
    await assert.rejects(this.sync(), /The line broke/)
    await this.sync()
  }

  report(kind, stopId, payload, dependsOn) {
    return this.reportAs('', eventColumns(kind, stopId, payload, dependsOn))
  }

  async reportAs(id, columns) {
    const row = await this.db.write(() =>
      this.db.get('events').create((record) => {
        if (id) record._raw.id = id
        for (const [name, value] of Object.entries(columns)) record._setRaw(name, value)
      }),
    )
    return row.id
  }

  async unsent() {
    const rows = await this.db.get('events').query().fetch()
    return rows.filter((row) => row.syncStatus !== 'synced').map((row) => row.id)
  }

  async scribble(table, id, columns) {
    const row = await this.db.get(table).find(id)
    await this.db.write(() =>
      row.update((record) => {
        for (const [name, value] of Object.entries(columns)) record._setRaw(name, value)
      }),
    )
  }

  async remove(table, id) {
    const row = await this.db.get(table).find(id)
    await this.db.write(() => row.markAsDeleted())
  }

  async find(table, id) {
    const [row] = await this.db.get(table).query(Q.where('id', id)).fetch()
    return row ? row._raw : null
  }

  async ids(table) {
    return (await this.db.get(table).query().fetchIds()).sort()
  }

  count(table) {
    return this.db.get(table).query().fetchCount()
  }

  /** The app is closed, and comes back in a version with a newer schema. */
  async update(version) {
    await this.save()
    await this.start(version)
  }

  save() {
    const { loki } = this.adapter._driver
    return new Promise((done, failed) =>
      loki.saveDatabase((fault) => (fault ? failed(fault) : done())),
    )
  }

  async close() {}
}

await play(Watermelon)
