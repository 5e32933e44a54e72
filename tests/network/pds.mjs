// The reference PLC (in memory) and PDS (SQLite in PDS_DIR) on loopback; prints one JSON line when ready.
// MODULES is the folder that install.sh prints; PLC_PORT and PDS_PORT are free ports.
import { createRequire } from 'node:module'
import crypto from 'node:crypto'
import net from 'node:net'
import path from 'node:path'

// Both servers listen on every interface and offer no setting for it.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  return typeof port === 'number' ? listen.call(this, { port, host: '127.0.0.1' }, ...rest) : listen.call(this, port, ...rest)
}

const { MODULES, PDS_DIR } = process.env
const [plcPort, port] = [Number(process.env.PLC_PORT), Number(process.env.PDS_PORT)]
const need = createRequire(path.join(MODULES, 'package.json'))
const plc = need('@did-plc/server')
const { PDS } = need('@atproto/pds')

const plcServer = plc.PlcServer.create({ db: plc.Database.mock(), port: plcPort })
await plcServer.start()
const rotation = crypto.createECDH('secp256k1')
rotation.generateKeys()
const pds = await PDS.fromEnv({
  devMode: true, port, hostname: 'localhost', serviceHandleDomains: ['.test'],
  dataDirectory: PDS_DIR, blobstoreDiskLocation: path.join(PDS_DIR, 'blobs'),
  didPlcUrl: `http://localhost:${plcPort}`, plcRotationKeyK256PrivateKeyHex: rotation.getPrivateKey('hex').padStart(64, '0'),
  adminPassword: 'admin-pass', jwtSecret: 'jwt-secret', inviteRequired: false, disableSsrfProtection: true,
  rateLimitsEnabled: true,
  // Nobody answers there: there is no AppView and no moderation service, and .invalid never resolves.
  bskyAppViewUrl: 'https://appview.invalid', bskyAppViewDid: 'did:example:invalid',
  modServiceUrl: 'https://mod.invalid', modServiceDid: 'did:example:invalid',
})
await pds.start()
// .test handles are in no DNS: the PDS is asked about its own.
pds.ctx.idResolver.handle.resolve = async (handle) => {
  const url = `http://localhost:${port}/xrpc/com.atproto.identity.resolveHandle?handle=${handle}`
  const answer = await fetch(url).catch(() => null)
  return answer?.ok ? (await answer.json()).did : undefined
}
console.log(JSON.stringify({ ready: true, pid: process.pid, rss_mb: Math.round(process.memoryUsage().rss / 2 ** 20) }))

const stop = async () => { await pds.destroy(); await plcServer.destroy(); process.exit(0) }
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
