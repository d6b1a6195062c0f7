// Drives Chromium for tests/browser: loads the page, uses it, and looks at what
// it shows.  Commands of the DevTools protocol go through descriptors 3 and 4.
"use strict"

const {spawn} = require("child_process")

const [profile, page] = process.argv.slice(2)
const limit = 30000

const chromium = spawn("chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank",
], {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]})

const waiting = new Map()
let count = 0, received = ""

chromium.stdio[4].on("data", bytes => {
  const texts = (received + bytes).split("\0")
  received = texts.pop()
  for (const {id, result, error} of texts.map(text => JSON.parse(text))) {
    waiting.get(id)?.(error ? Promise.reject(new Error(error.message)) : result)
    waiting.delete(id)
  }
})

function command(method, params = {}, sessionId) {
  const id = ++count
  chromium.stdio[3].write(JSON.stringify({id, method, params, sessionId}) + "\0")
  return new Promise(resolve => waiting.set(id, resolve))
}

let passed = 0, failed = 0

async function main() {
  const {targetId} = await command("Target.createTarget", {url: page})
  const {sessionId} = await command("Target.attachToTarget", {targetId, flatten: true})

  const evaluate = async expression =>
    (await command("Runtime.evaluate", {expression, returnByValue: true}, sessionId)).result.value

  // Looks until the page shows it; the last look is told where it never does.
  async function shows(name, expression, pattern) {
    let seen
    for (const end = Date.now() + limit; Date.now() < end;) {
      seen = await evaluate(expression)
      if (pattern.test(seen)) {
        passed++
        console.log(`${name} ... ok`)
        return
      }
      await new Promise(done => setTimeout(done, 50))
    }
    failed++
    console.log(`${name} ... FAILED\n    it shows ${JSON.stringify(seen)}`)
  }

  const text = id => `document.getElementById("${id}")?.innerText`
  const greet = name =>
    `document.getElementById("name").value = "${name}"; document.querySelector("button").click()`
  const news = /^(time: \d+\n?){2,}$/

  await shows("a page follows a pub", text("news"), news)
  await evaluate(greet("Chromium"))
  await shows("a page asks a rep", text("reply"), /^hello, Chromium$/)
  await evaluate(greet("wörld"))
  await shows("a page asks again, in UTF-8", text("reply"), /^hello, wörld$/)
  await command("Page.reload", {}, sessionId)
  // The new page has no reply yet.  Once it shows news, its program runs.
  await shows("a page is left and loaded again", text("reply"), /^$/)
  await shows("a page that is loaded again follows", text("news"), news)
  await evaluate(greet("again"))
  await shows("a page that is loaded again asks", text("reply"), /^hello, again$/)
}

function end() {
  chromium.kill("SIGKILL")
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

chromium.on("error", error => { console.log(error.message); failed++; end() })
chromium.on("exit", code => { console.log(`chromium ended: ${code}`); failed++; end() })
main().catch(error => { console.log(error.message); failed++ }).finally(() => {
  chromium.removeAllListeners("exit")
  end()
})
