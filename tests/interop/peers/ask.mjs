// Asks for a page through Node.js's TLS. Arguments and output: see tests/interop/src/client/program.rs.
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

const [host, port, name, root, version, alpn, resume, group, path, chain, key] = process.argv.slice(2);

function ask(session) {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host, port: Number(port), servername: name, session,
      ca: readFileSync(root), ALPNProtocols: [alpn],
      ...(version !== "any" && { minVersion: `TLSv${version}`, maxVersion: `TLSv${version}` }),
      ...(group !== "any" && { ecdhCurve: group }),
      ...(chain && { cert: readFileSync(chain), key: readFileSync(key) }),
    });
    const parts = [];
    const facts = {};
    let ticket;
    socket.on("session", (one) => { ticket = one; });
    socket.on("secureConnect", () => {
      facts.version = socket.getProtocol();
      facts.suite = socket.getCipher().standardName;
      facts.alpn = socket.alpnProtocol || "";
      facts.group = socket.getEphemeralKeyInfo()?.name ?? "";
      facts.resumed = socket.isSessionReused();
      facts.leaf = socket.getPeerCertificate().raw?.toString("base64") ?? "";
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", (part) => parts.push(part));
    socket.on("end", () => resolve({ facts, ticket, response: Buffer.concat(parts) }));
    socket.on("error", reject);
  });
}

const first = resume === "resume" ? await ask() : undefined;
const { facts, response } = await ask(first?.ticket);
const lines = Object.entries(facts).map(([key, value]) => `${key}=${value}\n`);
process.stdout.write(Buffer.concat([Buffer.from(lines.join("") + "\n"), response]));
