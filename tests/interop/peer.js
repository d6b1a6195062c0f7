// A peer of zeromq.js.  tests/interop/README.md says what the arguments mean.
"use strict"

const zmq = require("zeromq")

const limit = 10000

const types = {
  push: zmq.Push, pull: zmq.Pull, pub: zmq.Publisher, sub: zmq.Subscriber,
  xpub: zmq.XPublisher, xsub: zmq.XSubscriber, req: zmq.Request, rep: zmq.Reply,
  dealer: zmq.Dealer, router: zmq.Router, pair: zmq.Pair, stream: zmq.Stream,
}

const options = {
  "routing-id": ["routingId", String],
  "plain-server": ["plainServer", Boolean],
  "plain-username": ["plainUsername", String],
  "plain-password": ["plainPassword", String],
  "curve-server": ["curveServer", Boolean],
  "curve-publickey": ["curvePublicKey", String],
  "curve-secretkey": ["curveSecretKey", String],
  "curve-serverkey": ["curveServerKey", String],
  "zap-domain": ["zapDomain", String],
  "heartbeat-ivl": ["heartbeatInterval", Number],
  "heartbeat-timeout": ["heartbeatTimeout", Number],
}

function giveUp(...words) {
  console.log(...words)
  process.exit(1)
}

function decode(text) {
  return Buffer.from(unescape(text), "latin1")
}

let cycle

function part(word, last) {
  if (word === "@") return last[0]
  if (!word.startsWith("#")) return decode(word)
  cycle ??= Buffer.from(Array.from({length: 65536}, (_, i) => (i + (i >> 8)) & 255))
  return Buffer.alloc(Number(word.slice(1)), cycle)
}

function expect(words, parts) {
  const same = words.length === parts.length &&
    words.every((w, i) => w === "*" || part(w, parts).equals(parts[i]))
  if (!same) {
    giveUp("wanted", words, "got",
           parts.map(p => p.length < 40 ? p.toString("latin1") : p.length + " bytes"))
  }
}

async function receive(socket) {
  try {
    return await socket.receive()
  } catch (error) {
    giveUp("nothing came:", error.code)
  }
}

let handler

// auth-plain=NAME:PASSWORD, auth-curve=any
async function authenticate(words) {
  handler = new zmq.Reply()
  await handler.bind("inproc://zeromq.zap.01")
  for await (const [version, id, , , , mechanism, ...credentials] of handler) {
    const given = `${mechanism}=${credentials.join(":")}`
    const allowed = words.some(word =>
      word === "auth-curve=any" ? given.startsWith("CURVE=")
                                : given === word.replace("auth-plain", "PLAIN"))
    await handler.send([version, id, allowed ? "200" : "400", allowed ? "OK" : "no",
                        allowed ? "someone" : "", ""])
  }
}

async function main(kind, where, endpoint, ...words) {
  const socket = new types[kind]({linger: limit})
  if ("receiveTimeout" in socket) socket.receiveTimeout = limit
  if ("sendTimeout" in socket) socket.sendTimeout = limit
  const steps = words.filter(w => w === "stay" || w.split("=")[0].includes(":"))
  const settings = words.filter(w => !steps.includes(w))
  const rules = settings.filter(w => w.startsWith("auth-"))
  if (rules.length) authenticate(rules)
  for (const word of settings) {
    const at = word.indexOf("=")
    const name = word.slice(0, at)
    const value = unescape(word.slice(at + 1))
    if (name === "subscribe") {
      socket.subscribe(value)
    } else if (!name.startsWith("auth-")) {
      const [property, type] = options[name]
      socket[property] = type === Boolean ? value !== "0" : type(value)
    }
  }
  if (where === "bind") {
    await socket.bind(endpoint)
    console.log(socket.lastEndpoint)
  } else {
    socket.connect(endpoint)
  }
  let last = []
  for (const step of steps) {
    const at = step.indexOf(":")
    const verb = at < 0 ? step : step.slice(0, at)
    const rest = step.slice(at + 1)
    if (verb === "send") {
      await socket.send(rest.split("|").map(w => part(w, last)))
    } else if (verb === "get") {
      last = await receive(socket)
      expect(rest.split("|"), last)
    } else if (verb === "echo") {
      for (let i = 0; i < Number(rest); i++) await socket.send(await receive(socket))
    } else if (verb === "repeat") {
      for (;;) {
        await socket.send(rest.split("|").map(w => part(w, last)))
        await new Promise(done => setTimeout(done, 10))
      }
    } else if (verb === "none") {
      socket.receiveTimeout = Number(rest)
      await socket.receive().then(got => giveUp("got", got.map(String)), () => {})
      socket.receiveTimeout = limit
    } else if (verb === "stay") {
      await new Promise(() => setInterval(() => {}, 1000))
    }
  }
  socket.close()
  handler?.close()
}

process.on("SIGTERM", () => process.exit(0))
setTimeout(() => giveUp("too long"), 40000).unref()
main(...process.argv.slice(2)).catch(error => giveUp(error))
