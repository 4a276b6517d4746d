// The arbiter for browsers and Node: judge(module, question) -> the verdict's lines.
//
// arbiter.wasm is a program that reads questions and writes answers; what it imports is below, and nothing else: it has no clock, no file, no network. src/lib.rs says what a question is.

const PART_LEN_MAX = 65537; // As in src/lib.rs: a document that is longer is too long anyway.

/// Compiles the program once: from a Response, as fetch() gives it, or from bytes.
export async function load(source) {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source) ? WebAssembly.compile(source) : WebAssembly.compileStreaming(source);
}

/// Judges { operator, manifest, claim, now, receipt, opening, writeUp }: texts or bytes, now in seconds since 1970, writeUp a SHA-256 in hexadecimal. The last three may be missing.
/// The first line of what comes back is Falsified, NotFalsified or SetupError.
export async function judge(module, { operator, manifest, claim, now, receipt, opening, writeUp }) {
  const time = new DataView(new ArrayBuffer(8));
  time.setBigUint64(0, BigInt(now), true);
  const parts = [operator, manifest, claim, new Uint8Array(time.buffer)];
  if (receipt != null || opening != null) {
    parts.push(receipt ?? "", opening ?? "");
    if (writeUp != null) parts.push(Uint8Array.from(writeUp.match(/../g) ?? [], (digits) => parseInt(digits, 16)));
  }
  const answer = await run(module, joined([number(parts.length), ...parts.flatMap(part)]));
  return new TextDecoder().decode(answer.subarray(4)).trimEnd().split("\n");
}

/// Runs the program on these bytes: what it reads is `input`, what it writes comes back.
export async function run(module, input) {
  let memory, read = 0;
  const written = [];
  // A list of places in the program's memory, each an address and a length.
  const places = (list, count) => {
    const view = new DataView(memory.buffer);
    return Array.from({ length: count }, (_, at) => new Uint8Array(memory.buffer, view.getUint32(list + 8 * at, true), view.getUint32(list + 8 * at + 4, true)));
  };
  const say = (address, value) => (new DataView(memory.buffer).setUint32(address, value, true), 0);
  const wasi_snapshot_preview1 = {
    fd_read(_, list, count, told) {
      const from = read;
      for (const place of places(list, count)) {
        const piece = input.subarray(read, read + place.length);
        place.set(piece);
        read += piece.length;
      }
      return say(told, read - from);
    },
    fd_write(_, list, count, told) {
      const pieces = places(list, count).map((place) => place.slice());
      written.push(...pieces);
      return say(told, pieces.reduce((sum, piece) => sum + piece.length, 0));
    },
    environ_sizes_get: (count, length) => say(count, 0) || say(length, 0),
    environ_get: () => 0,
    proc_exit(code) { throw new Error(`the arbiter ended with ${code}`); },
  };
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1 });
  memory = instance.exports.memory;
  instance.exports._start();
  return joined(written);
}

function number(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function part(value) {
  const bytes = (typeof value === "string" ? new TextEncoder().encode(value) : value).subarray(0, PART_LEN_MAX);
  return [number(bytes.length), bytes];
}

function joined(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
  return all;
}
