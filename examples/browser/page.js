// The page's side: a REQ asks the server, and a SUB follows what it publishes.
// `npm run build` makes bundle.js of it, which has jszmq in it.
"use strict"

const zmq = require("jszmq")

// index.html?rep=ENDPOINT&pub=ENDPOINT names other endpoints than these.
const parameters = new URLSearchParams(location.search)
const server = parameters.get("rep") || "ws://127.0.0.1:5581"
const publisher = parameters.get("pub") || "ws://127.0.0.1:5582"

const element = id => document.getElementById(id)

const ask = new zmq.Req()
ask.connect(server)
ask.on("message", reply => {
  element("reply").textContent = reply.toString()
  element("ask").lastElementChild.disabled = false
})

// A REQ takes the next request after the reply, so the button waits for it.
element("ask").addEventListener("submit", event => {
  event.preventDefault()
  element("ask").lastElementChild.disabled = true
  ask.send(element("name").value)
})

const news = new zmq.Sub()
news.subscribe("time")
news.connect(publisher)
news.on("message", (topic, text) => {
  const line = document.createElement("li")
  line.textContent = `${topic}: ${text}`
  element("news").append(line)
  if (element("news").childElementCount > 5) element("news").firstElementChild.remove()
})
