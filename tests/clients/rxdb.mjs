// RxDB on its memory storage, with a validator: its replication, unchanged.
import assert from 'node:assert/strict'
import { addRxPlugin, createRxDatabase } from 'rxdb'
import { RxDBMigrationSchemaPlugin } from 'rxdb/plugins/migration-schema'
import { replicateRxCollection } from 'rxdb/plugins/replication'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
import { wrappedValidateAjvStorage } from 'rxdb/plugins/validate-ajv'
import { EVENT_COLUMNS, eventColumns, newId, play, schemaOf } from './ground.mjs'

addRxPlugin(RxDBMigrationSchemaPlugin)

const storage = wrappedValidateAjvStorage({ storage: getRxStorageMemory() })
const BATCH = 100
let handhelds = 0

const typed = ({ type, isOptional }) => ({ type: isOptional ? [type, 'null'] : type })

function jsonSchema(version, columns) {
  const required = columns.filter((each) => !each.isOptional).map((each) => each.name)
  return {
    version,
    primaryKey: 'id',
    type: 'object',
    properties: {
      id: { type: 'string', maxLength: 64 },
      ...Object.fromEntries(columns.map((each) => [each.name, typed(each)])),
    },
    required: ['id', ...required],
  }
}

class Rx {
  constructor(doors) {
    this.doors = doors
    handhelds += 1
    this.name = `handheld${handhelds}`
    this.again = new Set()
    this.faultsExpected = 0
  }

  async start(version) {
    this.version = version
    this.db = await createRxDatabase({ name: this.name, storage })
    const { tables } = await schemaOf(version)
    this.tables = tables.map((table) => table.name)
    const collections = Object.fromEntries(
      tables.map(({ name, columns }) => {
        const number = version - 1
        const strategies = {}
        for (let to = 1; to <= number; to += 1) strategies[to] = (row) => this.widen(row, columns)
        return [name, { schema: jsonSchema(number, columns), migrationStrategies: strategies }]
      }),
    )
    const columns = [...EVENT_COLUMNS, ['tries', 'number']]
    const own = columns.map(([name, type]) => ({ name, type }))
    collections.events = { schema: jsonSchema(0, own) }
    await this.db.addCollections(collections)
  }

  /** A row of an older schema: new columns are empty until the next pull fills them. */
  widen(row, columns) {
    for (const { name, isOptional } of columns) {
      if (isOptional && !(name in row)) row[name] = null
    }
    return row
  }

  /** One round of every table, as when the app comes to the front. */
  async sync() {
    await this.touchAgain()
    for (const table of ['events', ...this.tables]) await this.round(table)
  }

  /**
   * Replicate one table once: what the device wrote first, then what the server has. Both
   * at once would race: RxDB passes over a pulled row whose push is still under way, and
   * its checkpoint is then past that row. RxDB tries again by itself when the line breaks.
   */
  async round(table) {
    const push = { batchSize: BATCH, handler: (rows) => this.pushed(table, rows) }
    const faults = await this.replicate(table, { push })
    if (table !== 'events') {
      const handler = (since, limit) => this.pulled(this.db[table], table, since, limit)
      faults.push(...(await this.replicate(table, { pull: { batchSize: BATCH, handler } })))
    }
    assert.equal(faults.length, this.faultsExpected, String(faults[0]))
    this.faultsExpected = 0
  }

  async replicate(table, ways) {
    const replication = replicateRxCollection({
      replicationIdentifier: `roundsman-${table}-v${this.version}`,
      collection: this.db[table],
      live: false,
      retryTime: 50,
      ...ways,
    })
    const faults = []
    replication.error$.subscribe((fault) => faults.push(fault))
    await replication.awaitInitialReplication()
    await replication.cancel()
    return faults
  }

  /** What was answered `retry` is written again, and so sent again in its own time. */
  async touchAgain() {
    for (const id of this.again) {
      const row = await this.db.events.findOne(id).exec()
      await row.incrementalPatch({ tries: row.tries + 1 })
    }
    this.again.clear()
  }

  async pulled(collection, table, since, limit) {
    const page = await this.doors.pull({
      cursor: since?.cursor ?? '',
      tables: table,
      limit,
      schema_version: this.version,
      deleted_rows: 'full',
    })
    const { updated, deleted } = page.changes[table]
    const documents = [
      ...updated.map((row) => ({ ...row, _deleted: false })),
      ...deleted,
    ]
    if (page.reset) documents.push(...(await this.dropped(collection, updated)))
    return { checkpoint: { cursor: page.cursor }, documents }
  }

  /** With `reset` the page is the full set: what is not in it has to go. */
  async dropped(collection, updated) {
    const there = new Set(updated.map((row) => row.id))
    const rows = await collection.find().exec()
    const gone = rows.filter((row) => !there.has(row.id))
    return gone.map((row) => ({ ...row.toJSON(), _deleted: true }))
  }

  async pushed(table, rows) {
    const states = rows.map((row) => row.newDocumentState)
    const live = states.filter((row) => !row._deleted)
    const deleted = states.filter((row) => row._deleted).map((row) => row.id)
    const changes = { [table]: { created: live, updated: [], deleted } }
    const answer = await this.doors.push(changes)
    // Not thrown: RxDB would hold back all later events until this one is taken.
    for (const id of answer.experimentalRejectedIds[table] ?? []) this.again.add(id)
    return []
  }

  async syncOverBadLine() {
    this.faultsExpected = 1
    await this.sync()
  }

  report(kind, stopId, payload, dependsOn) {
    return this.reportAs(newId(), eventColumns(kind, stopId, payload, dependsOn))
  }

  async reportAs(id, columns) {
    await this.db.events.insert({ id, ...columns, tries: 0 })
    return id
  }

  /** What no answer said was done, by all the pushes of this device. */
  async unsent() {
    const done = new Set()
    for (const push of this.doors.pushes) {
      for (const each of push.results) if (each.result !== 'retry') done.add(each.id)
    }
    const rows = await this.db.events.find().exec()
    return rows.map((row) => row.id).filter((id) => !done.has(id))
  }

  async scribble(table, id, columns) {
    const row = await this.db[table].findOne(id).exec()
    await row.incrementalPatch(columns)
  }

  async remove(table, id) {
    const row = await this.db[table].findOne(id).exec()
    await row.incrementalRemove()
  }

  async find(table, id) {
    const row = await this.db[table].findOne(id).exec()
    return row ? row.toJSON() : null
  }

  async ids(table) {
    return (await this.db[table].find().exec()).map((row) => row.id).sort()
  }

  count(table) {
    return this.db[table].count().exec()
  }

  /** The app is closed, and comes back in a version with a newer schema. */
  async update(version) {
    await this.db.close()
    await this.start(version)
  }

  async close() {
    await this.db.close()
  }
}

await play(Rx)
