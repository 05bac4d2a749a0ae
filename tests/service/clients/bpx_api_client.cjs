// Carries out, with bpx-api-client as it was installed, the calls that stdin lists, and prints what
// each of them gave. A call is [path of the method, ...arguments]; {"$": [call, field, ...]} in an
// argument stands for a field of an earlier call's data.

const { BpxApiClient } = require(process.argv[2]);

function filled(argument, answers) {
  if (argument === null || typeof argument !== "object") return argument;
  if (argument.$) {
    const [call, ...fields] = argument.$;
    return fields.reduce((value, field) => value[field], answers[call].data);
  }
  if (Array.isArray(argument)) return argument.map((each) => filled(each, answers));
  const entries = Object.entries(argument).map(([key, value]) => [key, filled(value, answers)]);
  return Object.fromEntries(entries);
}

async function streamed(client, order) {
  const seen = [];
  await client.streams.open();
  client.streams.addMessageHandler((message) => seen.push(message));
  client.streams.orderUpdate("SUBSCRIBE");
  client.streams.depth("SUBSCRIBE", order.symbol);
  client.streams.liquidation("SUBSCRIBE");
  const has = (stream) => seen.some((message) => message.stream === stream);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await client.order.executeOrder(order);
  const end = Date.now() + 10_000;
  while (!(has("account.orderUpdate") && has(`depth.${order.symbol}`)) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await client.streams.close();
  return { statusCode: 200, data: seen, error: {} };
}

async function main(text) {
  const { config, calls } = JSON.parse(text);
  console.log = () => {};
  const client = new BpxApiClient(config);
  const answers = [];
  for (const [path, ...args] of calls) {
    const values = args.map((each) => filled(each, answers));
    const [group, method] = path.split(".");
    answers.push(
      await (group === "streamed" ? streamed(client, ...values) : client[group][method](...values)),
    );
  }
  process.stdout.write(JSON.stringify(answers));
}

let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => main(text));
