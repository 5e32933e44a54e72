// Serves a PDS's own firehose (com.atproto.sync.subscribeRepos) as Jetstream v2 on loopback; one JSON line when ready.
// MODULES is the folder that install.sh prints, UPSTREAM the PDS (ws://...), LOG the file of events, PORT a free port.
// An event is in LOG before anybody is sent it, so a bridge that was killed goes on with the same seqs.
// The decoding is the reference implementation's, so nothing here is shared with the Python SDK under test.
import { createRequire } from 'node:module'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

const { MODULES, UPSTREAM, LOG, PORT } = process.env
const need = createRequire(path.join(MODULES, 'package.json'))
const { WebSocket, WebSocketServer } = need('ws')
const { Frame } = need('@atproto/xrpc-server')
const { cborToLexRecord, readCar } = need('@atproto/repo')
const { lexStringify } = need('@atproto/lex-json')

const NSID = 'network.bsky.jetstream.subscribeEvents'
const KINDS = ['commit', 'identity', 'account', 'sync']
const MICROSECONDS = 1e15 // a cursor of this or more is a time, not a seq

const events = [] // [{ seq, us, upstream, kind, did, collection, text }], seq = index + 1
const readers = new Set() // [{ socket, wants, next }], next = index into events
let carried = 0 // the PDS's number of the newest event that came through

function restore() {
  if (!fs.existsSync(LOG)) return
  const text = fs.readFileSync(LOG, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1) // a kill may have torn the last line
  fs.truncateSync(LOG, Buffer.byteLength(whole))
  for (const line of whole.split('\n').filter(Boolean)) events.push(...JSON.parse(line))
}

let clock = 0 // microseconds, never twice the same
const now = () => (clock = Math.max(clock + 1, Math.round((performance.timeOrigin + performance.now()) * 1000)))
const iso = (us) => new Date(Math.floor(us / 1000)).toISOString().replace('Z', `${String(us % 1000).padStart(3, '0')}Z`)

async function commitBodies({ repo, rev, ops, blocks }) {
  const car = await readCar(blocks)
  return ops.map(({ action, path: at, cid }) => {
    const [collection, rkey] = at.split('/')
    const body = { did: repo, rev, operation: action, collection, rkey }
    if (action === 'delete') return body
    return { ...body, cid: cid.toString(), record: JSON.parse(lexStringify(cborToLexRecord(car.blocks.get(cid)))) }
  })
}

async function carry(frame) {
  if (frame.isError()) throw new Error(`the PDS says ${JSON.stringify(frame.body)}`)
  const { type, body } = frame
  const kind = type?.replace('#', '')
  if (!KINDS.includes(kind)) return
  const bodies = kind === 'commit'
    ? await commitBodies(body)
    : [{ did: body.did, [kind]: JSON.parse(lexStringify(body)) }]
  const fresh = bodies.map((rest, n) => {
    const us = now()
    const seq = events.length + n + 1
    const payload = { $type: `${NSID}#${kind}`, seq, time: iso(us), witnessedAt: iso(us), ...rest }
    const text = JSON.stringify({ $type: 'message', payload })
    return { seq, us, upstream: body.seq, kind, did: rest.did, collection: rest.collection, text }
  })
  if (fresh.length) fs.appendFileSync(LOG, JSON.stringify(fresh) + '\n')
  events.push(...fresh)
  carried = body.seq
  for (const reader of readers) pump(reader)
}

// One commit's events stand on one line, so a restart never begins in the middle of a commit.
function follow() {
    const socket = new WebSocket(`${UPSTREAM}/xrpc/com.atproto.sync.subscribeRepos?cursor=${carried}`)
  let turn = Promise.resolve()
  socket.on('message', (bytes) => {
    turn = turn.then(() => carry(Frame.fromBytes(bytes))).catch((error) => { console.error(error); process.exit(1) })
  })
  socket.on('error', (error) => console.error(String(error)))
  socket.on('close', () => turn.then(() => setTimeout(follow, 200)))
}

const covers = (pattern, name) => pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name

function wantsOf(query) {
  const [kinds, collections, dids] = ['kinds', 'collections', 'dids'].map((name) => query.getAll(name))
  const unknown = kinds.find((kind) => !KINDS.includes(kind))
  if (unknown) throw new Error(`unknown kind ${unknown}`)
  if (collections.length && kinds.length && !kinds.includes('commit')) throw new Error('collections without commits')
  return (event) =>
    (!kinds.length || kinds.includes(event.kind)) &&
    (!dids.length || dids.includes(event.did)) &&
    (!collections.length || event.kind !== 'commit' || collections.some((pattern) => covers(pattern, event.collection)))
}

// The cursor is inclusive. Returns the index to begin at and the notice to send first.
function startOf(cursor) {
  if (cursor === null) return [events.length, null]
  if (!/^\d+$/.test(cursor)) throw new Error(`no cursor: ${cursor}`)
  const value = Number(cursor)
  if (value >= MICROSECONDS) {
    const found = events.findIndex((event) => event.us >= value)
    return [found < 0 ? events.length : found, null]
  }
  return value > events.length + 1 ? [events.length, 'FutureCursor'] : [Math.max(value, 1) - 1, null]
}

function pump(reader) {
  while (reader.next < events.length && reader.socket.readyState === WebSocket.OPEN) {
    const event = events[reader.next++]
    if (reader.wants(event)) reader.socket.send(event.text)
  }
}

function refuse(socket, message) {
  const body = JSON.stringify({ error: 'InvalidRequest', message })
  socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

const server = http.createServer((request, answer) => {
  const found = request.url === '/status' // getZstdDictionary is not there: a client then reads plain frames
  answer.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
  answer.end(JSON.stringify(found ? { seq: events.length, upstream: carried, readers: readers.size } : { error: 'NotFound' }))
})
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'xrpc.v1.json' })
server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url, 'http://localhost')
  try {
    if (url.pathname !== `/xrpc/${NSID}`) throw new Error(`no such method: ${url.pathname}`)
    const wants = wantsOf(url.searchParams)
    const [next, notice] = startOf(url.searchParams.get('cursor'))
    sockets.handleUpgrade(request, socket, head, (open) => {
      const reader = { socket: open, wants, next }
      readers.add(reader)
      open.on('close', () => readers.delete(reader))
      open.on('error', () => open.terminate())
      if (notice) open.send(JSON.stringify({ $type: 'message', payload: { $type: `${NSID}#info`, name: notice } }))
      pump(reader)
    })
  } catch (error) {
    refuse(socket, error.message)
  }
})

restore()
clock = events.at(-1)?.us ?? 0
carried = events.at(-1)?.upstream ?? 0
follow()
server.listen(Number(PORT), '127.0.0.1', () => console.log(JSON.stringify({ ready: true, pid: process.pid, seq: events.length })))
