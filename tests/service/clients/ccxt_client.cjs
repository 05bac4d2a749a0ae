// Carries out, with ccxt as it was installed, the calls that stdin lists, and prints what each of them
// gave: {"value": ...} or {"error": name}. A call is [method, ...arguments]; {"$": [call, field, ...]} in an
// argument stands for a field of an earlier call's value. "watched" waits for a stream while it calls.

const http = require("http");

const ccxt = require(process.argv[2]);

function filled(argument, answers) {
  if (argument === null) return undefined;
  if (typeof argument !== "object") return argument;
  if (argument.$) {
    const [call, ...fields] = argument.$;
    return fields.reduce((value, field) => value[field], answers[call].value);
  }
  if (Array.isArray(argument)) return argument.map((each) => filled(each, answers));
  const entries = Object.entries(argument).map(([key, value]) => [key, filled(value, answers)]);
  return Object.fromEntries(entries);
}

async function watched(exchange, [method, ...args], ...call) {
  const seen = exchange[method](...args);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [name, ...values] = call;
  if (name) await exchange[name](...values);
  return await seen;
}

async function main(text) {
  const { config, calls } = JSON.parse(text);
  const exchange = new ccxt.pro.backpack(config);
  // Its own agent is for TLS alone.
  exchange.agent = new http.Agent({ keepAlive: true });
  await exchange.loadHttpProxyAgent();
  const answers = [];
  for (const [method, ...args] of calls) {
    const values = args.map((each) => filled(each, answers));
    try {
      const value =
        method === "watched" ? await watched(exchange, ...values) : await exchange[method](...values);
      answers.push({ value: value === undefined ? null : value });
    } catch (error) {
      answers.push({ error: error.name, message: error.message });
    }
  }
  await exchange.close();
  process.stdout.write(JSON.stringify(answers));
}

let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => main(text).then(() => process.exit(0)));
