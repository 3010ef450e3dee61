// What both clients stand on: the server's doors, the stage beside it, and scenarios.
import assert from 'node:assert/strict'

const WEB = process.env.WEB
const STAGE = process.env.STAGE

/** Let the office do something, and return what it says. */
export async function stage(verb, given = {}) {
  const answer = await fetch(`${STAGE}/${verb}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(given),
  })
  assert.equal(answer.status, 200, `the stage could not ${verb}`)
  return answer.json()
}

/** The tables and columns of a schema version, as the server describes them. */
export function schemaOf(version) {
  schemas[version] ??= call(`/schema?version=${version}`)
  return schemas[version]
}

/** A version never changes: asked once, by whoever needs it first. */
const schemas = {}

/** The newest schema version that the server speaks. */
export const newestVersion = (await call('/schema')).version

async function call(path, { token = '', body } = {}) {
  const headers = token ? { Authorization: `Token ${token}` } : {}
  const options = { headers }
  if (body !== undefined) {
    options.method = 'POST'
    options.body = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  const answer = await fetch(`${WEB}/api/sync/v1${path}`, options)
  const said = await answer.json()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(said)}`)
  return said
}

/** The device's doors. `line` decides what becomes of a push: see `lines`. */
export class Doors {
  constructor(driver) {
    this.driver = driver
    this.line = lines.good
    this.pushes = []
    this.pulls = []
  }

  async pull(query) {
    const text = new URLSearchParams(query).toString()
    const page = await call(`/pull?${text}`, { token: this.driver.session_token })
    this.pulls.push(page)
    return page
  }

  async push(changes) {
    const body = { changes, device: { id: this.driver.device_id, anchors: [] } }
    const send = () => call('/push', { token: this.driver.session_token, body })
    const answer = await this.line(send)
    this.pushes.push(answer)
    return answer
  }

  /** What the last push came to, by the event's id. */
  results() {
    return Object.fromEntries(this.pushes.at(-1).results.map((each) => [each.id, each]))
  }
}

export const lines = {
  good: (send) => send(),
  /** The first push arrives, and its answer is lost. */
  losesOneAnswer: () => {
    let lost = false
    return async (send) => {
      const answer = await send()
      if (lost) return answer
      lost = true
      throw new Error('The line broke.')
    }
  },
  /** The same push twice at once, as a network layer does that sends again too early. */
  doubles: async (send) => (await Promise.all([send(), send()]))[1],
}

/** An id of 16 letters and digits, as WatermelonDB makes them. */
export const newId = () => Math.random().toString(36).slice(2).padEnd(16, '0').slice(0, 16)

let seq = 0
/** The columns of a new event, as an app writes it into its outbox. */
export function eventColumns(kind, stop_id = '', payload = {}, depends_on = '') {
  seq += 1
  return {
    seq,
    kind,
    stop_id,
    payload: JSON.stringify(payload),
    device_time: Date.now(),
    mono_ms: Math.round(performance.now()),
    boot_id: 'boot-1',
    depends_on,
  }
}

export const EVENT_COLUMNS = [
  ['seq', 'number'],
  ['kind', 'string'],
  ['stop_id', 'string'],
  ['payload', 'string'],
  ['device_time', 'number'],
  ['mono_ms', 'number'],
  ['boot_id', 'string'],
  ['depends_on', 'string'],
]

/** What the office says became of a driver's events: `{id: [kind, result]}`. */
export async function inbox(driver) {
  const { events } = await stage('events', { driver_id: driver.driver_id })
  return Object.fromEntries(events.map(([id, kind, result]) => [id, [kind, result]]))
}

/**
 * Play the same scenarios with a client library. An `App` has `start`, `sync`, `count`,
 * `find`, `ids`, `report`, `scribble`, `unsent`, `update` and `close`.
 */
export async function play(App) {
  const passed = []
  for (const [name, scenario] of Object.entries(scenarios)) {
    console.error(name)
    await scenario(App)
    passed.push(name)
  }
  console.log(JSON.stringify({ passed }))
}

async function begin(App, { stops = 3, version = newestVersion } = {}) {
  const driver = await stage('new_driver', { stops })
  seq = 0 // a device counts its own events from one on
  const app = new App(new Doors(driver))
  await app.start(version)
  return app
}

const scenarios = {
  async first_pull(App) {
    const app = await begin(App)
    await app.sync()
    assert.deepEqual(await app.ids('stops'), [...app.doors.driver.stops].sort())
    assert.equal(await app.count('orders'), 3)
    const stop = await app.find('stops', app.doors.driver.stops[0])
    assert.equal(stop.status, 'pending')
    assert.equal(stop.sequence, 1)
    await app.close()
  },

  async incremental_pull(App) {
    const app = await begin(App)
    await app.sync()
    const { stop_id } = await stage('add_stop', { driver_id: app.doors.driver.driver_id })
    await app.sync()
    assert.equal(await app.count('stops'), 4)
    const { updated } = app.doors.pulls
      .map((page) => page.changes.stops ?? { updated: [] })
      .findLast((table) => table.updated.length > 0)
    assert.deepEqual(updated.map((row) => row.id), [stop_id], 'the new stop alone')
    const id = await app.report('stop.arrived', stop_id)
    await app.sync()
    await app.sync()
    assert.equal((await app.find('stops', stop_id)).status, 'arrived')
    assert.equal((await app.find('event_results', id)).result, 'applied')
    await app.close()
  },

  async lost_answer_and_push_again(App) {
    const app = await begin(App)
    await app.sync()
    const [stop] = app.doors.driver.stops
    const id = await app.report('stop.succeeded', stop)
    app.doors.line = lines.losesOneAnswer()
    await app.syncOverBadLine()
    const again = app.doors.results()[id]
    assert.deepEqual([again.result, again.original.result], ['duplicate', 'applied'])
    assert.equal((await stage('stop', { stop_id: stop })).facts, 1)
    assert.deepEqual(await app.unsent(), [])
    await app.close()
  },

  async concurrent_double_push(App) {
    const app = await begin(App)
    await app.sync()
    const ids = []
    for (const stop of app.doors.driver.stops) {
      ids.push(await app.report('stop.succeeded', stop))
    }
    app.doors.line = lines.doubles
    await app.sync()
    for (const stop_id of app.doors.driver.stops) {
      const stop = await stage('stop', { stop_id })
      assert.deepEqual([stop.status, stop.facts], ['succeeded', 1])
    }
    assert.deepEqual(Object.keys(await inbox(app.doors.driver)).sort(), ids.sort())
    assert.deepEqual(await app.unsent(), [])
    await app.close()
  },

  async terminal_rejection(App) {
    const app = await begin(App)
    await app.sync()
    const bad = await app.report('stop.succeeded', '00000000-0000-0000-0000-000000000000')
    const good = await app.report('stop.arrived', app.doors.driver.stops[0])
    await app.sync()
    const results = app.doors.results()
    assert.equal(results[bad].code, 'never_assigned')
    assert.equal(results[good].result, 'applied', 'one bad event blocks nothing')
    assert.deepEqual(await app.unsent(), [])
    const pushes = app.doors.pushes.length
    await app.sync()
    assert.equal(app.doors.pushes.length, pushes, 'nothing is sent for ever')
    assert.equal((await app.find('event_results', bad)).result, 'rejected')
    await app.close()
  },

  async event_that_waits_is_kept_and_sent_again(App) {
    const app = await begin(App)
    await app.sync()
    const [stop] = app.doors.driver.stops
    const first = newId()
    const late = eventColumns('stop.enroute', stop)
    const id = await app.report('stop.arrived', stop, {}, first)
    await app.sync()
    assert.equal(app.doors.results()[id].code, 'dependency_missing')
    assert.deepEqual(await app.unsent(), [id])
    await app.reportAs(first, late)
    await app.sync()
    await app.sync()
    assert.deepEqual(await app.unsent(), [])
    assert.equal((await inbox(app.doors.driver))[id][1], 'applied')
    await app.close()
  },

  async write_to_read_only_table_undone(App) {
    const app = await begin(App)
    await app.sync()
    const [stop] = app.doors.driver.stops
    await app.scribble('stops', stop, { status: 'succeeded', sequence: 99 })
    await app.sync()
    assert.equal(app.doors.results()[stop].code, 'read_only_table')
    await app.sync()
    const row = await app.find('stops', stop)
    assert.deepEqual([row.status, row.sequence], ['pending', 1])
    assert.deepEqual(await app.unsent(), [])
    await app.close()
  },

  async row_deleted_on_the_device_comes_back(App) {
    const app = await begin(App)
    await app.sync()
    await app.remove('stops', app.doors.driver.stops[1])
    assert.equal(await app.count('stops'), 2)
    await app.sync()
    await app.sync()
    assert.equal(await app.count('stops'), 3)
    await app.close()
  },

  async stop_reassigned_away(App) {
    const app = await begin(App)
    const other = await stage('new_driver', { stops: 1 })
    await app.sync()
    const [gone, kept] = app.doors.driver.stops
    const id = await app.report('stop.succeeded', gone)
    await stage('give_stop', {
      stop_id: gone,
      old: app.doors.driver.driver_id,
      new: other.driver_id,
    })
    await app.sync()
    assert.equal(app.doors.results()[id].code, 'applied_after_reassign')
    await app.sync()
    assert.equal(await app.find('stops', gone), null)
    assert.equal((await app.find('stops', kept)).status, 'pending')
    const { changes } = await new Doors(other).pull({ tables: 'stops' })
    const theirs = changes.stops.updated.find((row) => row.id === gone)
    assert.equal(theirs.status, 'succeeded')
    await app.close()
  },

  async schema_migration(App) {
    const app = await begin(App, { version: 1 })
    await app.sync()
    assert.equal((await app.find('stops', app.doors.driver.stops[0])).eta_reason, undefined)
    const proof = {
      attachment_id: `photo-${app.doors.driver.driver_id}`.slice(0, 64),
      sha256: 'a'.repeat(64),
      bytes: 1000,
      media_type: 'image/jpeg',
    }
    const sent = await app.report('stop.succeeded', app.doors.driver.stops[0], {
      attachments: [proof],
    })
    await app.sync()
    const unsent = await app.report('stop.note', app.doors.driver.stops[1], { note: 'Hm.' })
    await app.update(newestVersion)
    assert.deepEqual(await app.unsent(), [unsent], 'the outbox survives the update')
    await app.sync()
    await app.sync()
    const row = await app.find('attachments', proof.attachment_id)
    assert.equal(row.event_id, sent, 'a table that was added comes in full')
    const stop = await app.find('stops', app.doors.driver.stops[1])
    assert.equal(typeof stop.eta_reason, 'string', 'columns that were added are filled')
    assert.equal(await app.count('stops'), 3)
    assert.equal((await inbox(app.doors.driver))[unsent][1], 'applied')
    await app.close()
  },

  async reset(App) {
    const app = await begin(App)
    const other = await stage('new_driver', { stops: 1 })
    await app.sync()
    const { driver } = app.doors
    const [gone, kept] = driver.stops
    const unsent = await app.report('stop.arrived', kept)
    await stage('give_stop', {
      stop_id: gone,
      old: driver.driver_id,
      new: other.driver_id,
    })
    await stage('compact', { driver_id: driver.driver_id })
    await app.sync()
    assert.ok(app.doors.pulls.some((page) => page.reset), 'the full set was sent')
    assert.deepEqual(await app.ids('stops'), driver.stops.slice(1).sort())
    assert.equal((await inbox(driver))[unsent][1], 'applied', 'unsent events survive')
    await app.sync()
    assert.equal((await app.find('stops', kept)).status, 'arrived')
    await app.close()
  },
}
